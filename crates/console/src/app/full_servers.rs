//! Says when the console's listener, or its own broker, has no room for further connections, or when the listener has
//! room but not for so many of one address: then events and customers are turned away, and nobody but the technician can
//! tell.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use serve::{Counts, Refusal};

use super::Console;
use crate::{present::trouble, view::Trouble};

/// How often it is looked.
const LOOK: Duration = Duration::from_secs(2);
/// For how long it is told that the listener turned somebody away. What was lost is told nowhere else, and a burst is
/// over in seconds: longer than those, so that a person sees it.
const TOLD_FOR: Duration = Duration::from_mins(1);
/// Why the listener turns away one address's connections while it has room for others.
const OF_ONE_ADDRESS: [Refusal; 3] = [Refusal::Fast, Refusal::Address, Refusal::Owner];

/// What the listener turned away of single addresses.
#[derive(Debug, Default)]
struct TurnedAway {
    /// How many in all, by the last look.
    seen: u64,
    /// How many are told, and when there was last a further one.
    told: Option<(u64, Instant)>,
}

impl TurnedAway {
    /// Looks again; the trouble that stands by now.
    fn look(&mut self, listener: Option<&Counts>, now: Instant) -> Option<Trouble> {
        let of_one_address =
            |counts: &Counts| OF_ONE_ADDRESS.iter().map(|kind| counts.of(*kind)).sum::<u64>();
        let all = listener.map_or(0, of_one_address);
        // Another listener, after the engine has started again, counts from zero.
        let further = all.checked_sub(self.seen).unwrap_or(all);
        self.seen = all;
        self.told = self.told.filter(|(_, last)| now.duration_since(*last) < TOLD_FOR);
        if further > 0 {
            let before = self.told.map_or(0, |(connections, _)| connections);
            self.told = Some((before + further, now));
        }
        self.told.map(|(connections, _)| trouble::of_turned_away(connections))
    }
}

/// Keeps the trouble of a full server standing as long as one is full; and for a minute that of connections of one
/// address that the listener turned away.
pub(super) async fn follow(console: Arc<Console>) {
    let mut turned_away = TurnedAway::default();
    loop {
        let listener =
            console.engine.get().await.map(|engine| engine.listener_counters().snapshot());
        let lost = turned_away.look(listener.as_ref(), Instant::now());
        let no_room = full(listener, &console.broker.counts().await);
        let changed = [
            console.standing.replace(trouble::is_of_full_server, no_room),
            console.standing.replace(trouble::is_of_turned_away, lost),
        ];
        if changed.contains(&true) {
            console.updates.announce();
        }
        tokio::select! {
            () = tokio::time::sleep(LOOK) => {}
            () = console.lifecycle.watch.stopping.cancelled() => return,
        }
    }
}

/// The trouble of the one that matters most; none if all have room.
fn full(listener: Option<Counts>, broker: &[Counts]) -> Option<Trouble> {
    let listener = listener.as_slice().iter().map(|counts| ("the listener for events", counts));
    let broker = broker.iter().map(|counts| ("the broker that comes along", counts));
    let (what, counts) = listener.chain(broker).find(|(_, counts)| counts.full)?;
    Some(trouble::of_full_server(what, counts.limit))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_server_is_named_and_one_with_room_is_no_trouble() {
        let counts = |full| Counts { limit: 300, full, ..Counts::default() };
        assert_eq!(full(Some(counts(false)), &[counts(false)]), None);
        assert_eq!(full(None, &[]), None);
        let text = |listener, broker| full(Some(counts(listener)), &[counts(broker)]).unwrap().text;
        assert!(text(true, true).contains("listener"));
        assert!(text(false, true).contains("broker"));
        assert!(text(false, true).contains("300"));
        assert!(trouble::is_of_full_server(&full(None, &[counts(true)]).unwrap()));
    }

    /// What the listener has refused so often, each kind of its own.
    fn refused(times: &[(Refusal, u64)]) -> Counts {
        let of = |kind: Refusal| {
            times.iter().find(|(refused, _)| *refused == kind).map_or(0, |(_, n)| *n)
        };
        Counts { refused: Refusal::ALL.map(of), ..Counts::default() }
    }

    #[test]
    fn what_the_listener_turned_away_of_one_address_is_told_for_a_while() {
        let (mut away, start) = (TurnedAway::default(), Instant::now());
        let mut look = |seconds, listener: Option<Counts>| {
            let now = start + Duration::from_secs(seconds);
            away.look(listener.as_ref(), now).map(|trouble| trouble.text)
        };
        let others = [(Refusal::Silent, 9), (Refusal::Slow, 9), (Refusal::Full, 9)];
        assert_eq!(look(0, None), None);
        assert_eq!(look(2, Some(refused(&others))), None, "it is about no single address");
        let told = |number: &str| {
            Some(format!(
                "The listener for events turned away {number} of one address: events may be lost."
            ))
        };
        let one = refused(&[(Refusal::Fast, 1)]);
        assert_eq!(look(4, Some(one)), told("1 connection"));
        let six = refused(&[(Refusal::Fast, 1), (Refusal::Address, 2), (Refusal::Owner, 3)]);
        assert_eq!(look(6, Some(six)), told("6 connections"));
        assert_eq!(look(65, Some(six)), told("6 connections"), "it still stands");
        assert_eq!(look(66, Some(six)), None);
        let seven = refused(&[(Refusal::Fast, 1), (Refusal::Address, 3), (Refusal::Owner, 3)]);
        assert_eq!(look(68, Some(seven)), told("1 connection"), "what was told isn't told again");
        assert_eq!(look(70, Some(one)), told("2 connections"), "another listener's first");
    }

    #[test]
    fn the_two_troubles_are_told_apart() {
        let away = trouble::of_turned_away(2);
        assert!(trouble::is_of_turned_away(&away) && !trouble::is_of_full_server(&away));
        let full = trouble::of_full_server("the listener for events", 300);
        assert!(trouble::is_of_full_server(&full) && !trouble::is_of_turned_away(&full));
    }
}
