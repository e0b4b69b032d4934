//! Says when the console's listener, or its own broker, has no room for further connections: then events and
//! customers are turned away, and nobody but the technician can tell.

use std::{sync::Arc, time::Duration};

use serve::Counts;

use super::Console;
use crate::{present::trouble, view::Trouble};

/// How often it is looked.
const LOOK: Duration = Duration::from_secs(2);

/// Keeps the trouble of a full server standing as long as one is full.
pub(super) async fn follow(console: Arc<Console>) {
    loop {
        let listener =
            console.engine.get().await.map(|engine| engine.listener_counters().snapshot());
        let trouble = full(listener, &console.broker.counts().await);
        if console.standing.replace(trouble::is_of_full_server, trouble) {
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
}
