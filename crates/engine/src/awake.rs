//! Notices time that passed without this program.
//!
//! A stopped process, a computer that sleeps or swaps, a clock that is set: each looks different to
//! the clocks, and in each of them webhooks wait in sockets meanwhile or never come. Hence a look
//! at the clocks every second and before each webhook is applied: whoever looks first after such a
//! gap tells the sessions, so nothing that waited is applied before they know.

use std::{collections::HashMap, time::Duration};

use parking_lot::Mutex;
use session::Timestamp;
use tokio::time::Instant;
use wire::HookType;

use crate::{SessionId, clock::now, faults::Faults};

/// How often it looks at the clocks.
pub(crate) const LOOK_EVERY: Duration = Duration::from_secs(1);
/// A look that comes later than this, by whichever clock, means that time passed without us.
const LATE: Duration = Duration::from_secs(4);
/// A wall clock that went back so far was set; less is a correction, in which nothing was missed.
const SET_BACK: Duration = Duration::from_secs(10);
/// For so long after a gap a webhook may have waited since before its end.
const SETTLES_WITHIN: Duration = Duration::from_secs(10);

/// A moment by both clocks. The wall clock goes on while the computer sleeps, the other one doesn't;
/// only the wall clock can be set.
#[derive(Debug, Clone, Copy)]
struct Moment {
    wall: Timestamp,
    own: Instant,
}

/// Knows when this program last ran, and which webhooks came right after a gap.
pub(crate) struct Awake {
    last: Mutex<LastLook>,
    faults: Faults,
}

struct LastLook {
    at: Moment,
    gap: Option<Gap>,
}

/// Time that passed without us, and is over.
struct Gap {
    since: Timestamp,
    /// By the clock that dates the hooks, and by the monotonic one.
    noticed: (Timestamp, Instant),
    /// What each session was told since then.
    told: HashMap<SessionId, Vec<HookType>>,
}

impl Awake {
    pub fn new(faults: Faults) -> Self {
        let at = moment(&faults);
        Self { last: Mutex::new(LastLook { at, gap: None }), faults }
    }

    /// Looks at the clocks; calls `missed` if time has passed without us. To be called before
    /// anything is applied that may have waited: nobody else's call returns before `missed` has.
    pub fn look(&self, missed: impl FnOnce(Timestamp)) {
        // Locked before the clocks are read, so that nobody's older look follows a newer one.
        let mut last = self.last.lock();
        let at = moment(&self.faults);
        let before = std::mem::replace(&mut last.at, at);
        if let Some(since) = missed_since(before, at) {
            tracing::warn!(since_ms = since.0, "time has passed without this program");
            last.gap = Some(Gap { since, noticed: (now(), at.own), told: HashMap::new() });
            missed(since);
        }
    }

    /// A session was told of `hook`, which arrived at `arrived`. Since when events may have been
    /// missed, if it isn't known whether this one is the newest.
    pub fn told(
        &self,
        session: SessionId,
        hook: HookType,
        arrived: Timestamp,
    ) -> Option<Timestamp> {
        let mut last = self.last.lock();
        let own = last.at.own;
        let gap = last.gap.as_mut()?;
        let (noticed, own_noticed) = gap.noticed;
        if own - own_noticed > SETTLES_WITHIN {
            last.gap = None;
            return None;
        }
        let told = gap.told.entry(session).or_default();
        let unclear = told.iter().any(|&other| order_matters(hook, other));
        told.push(hook);
        // One that came before the gap was still on its way to the disk: others may have followed.
        (unclear || arrived < noticed).then_some(gap.since)
    }
}

fn moment(faults: &Faults) -> Moment {
    let unseen = faults.time_unseen();
    Moment { wall: now().plus(unseen), own: Instant::now() + unseen }
}

/// Since when events may have been missed, if the later of two looks came too late.
///
/// During sleep the monotonic clock stands still, and while the process is stopped it goes on; a
/// wall clock that was set back gives no duration.
fn missed_since(before: Moment, now: Moment) -> Option<Timestamp> {
    let own = now.own.saturating_duration_since(before.own);
    let passed = own.max(now.wall.since(before.wall));
    let is_late = passed > LOOK_EVERY + LATE;
    let is_set_back = before.wall.since(now.wall) > SET_BACK;
    (is_late || is_set_back).then(|| before.wall.min(now.wall))
}

/// Whether presence depends on which of two hooks fired first.
fn order_matters(one: HookType, other: HookType) -> bool {
    use HookType::{PresenterOffline, PresenterStarted, ViewerOffline, ViewerStarted};
    match (one, other) {
        (PresenterStarted, PresenterOffline)
        | (PresenterOffline, PresenterStarted)
        | (ViewerStarted, ViewerOffline)
        | (ViewerOffline, ViewerStarted)
        // A presenter that comes after the viewers' end reopens the session.
        | (PresenterStarted, ViewerOffline)
        | (ViewerOffline, PresenterStarted) => true,
        (PresenterStarted, PresenterStarted | ViewerStarted)
        | (PresenterOffline, PresenterOffline | ViewerStarted | ViewerOffline)
        | (ViewerStarted, ViewerStarted | PresenterStarted | PresenterOffline)
        | (ViewerOffline, ViewerOffline | PresenterOffline) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WALL: Timestamp = Timestamp(1_700_000_000_000);
    const SECOND: Duration = Duration::from_secs(1);

    /// Since when events were missed where the clocks went on by so much between two looks.
    fn missed(wall: i64, own: Duration) -> Option<Timestamp> {
        let start = Instant::now();
        let before = Moment { wall: WALL, own: start };
        let wall = Timestamp(WALL.0.saturating_add(wall));
        missed_since(before, Moment { wall, own: start + own })
    }

    #[test]
    fn a_computer_that_slept_missed_what_came_since_it_was_last_awake() {
        assert_eq!(missed(3_600_000, SECOND), Some(WALL));
        assert_eq!(missed(5_100, SECOND), Some(WALL), "as short as the other gaps");
    }

    #[test]
    fn a_process_that_was_stopped_missed_it_too_although_both_clocks_went_on() {
        assert_eq!(missed(60_000, 60 * SECOND), Some(WALL));
        assert_eq!(missed(1_000, 6 * SECOND), Some(WALL), "with a clock set back by as much");
    }

    #[test]
    fn a_clock_that_was_set_back_makes_everything_uncertain_from_the_earlier_time_on() {
        assert_eq!(missed(-3_600_000, SECOND), Some(Timestamp(WALL.0 - 3_600_000)));
        assert_eq!(missed(i64::MIN, SECOND), Some(Timestamp(WALL.0.saturating_add(i64::MIN))));
        assert_eq!(missed(i64::MAX, SECOND), Some(WALL));
    }

    #[test]
    fn a_slow_computer_and_a_clock_that_is_nudged_miss_nothing() {
        assert_eq!(missed(4_900, Duration::from_millis(4_900)), None);
        assert_eq!(missed(4_900, SECOND), None);
        assert_eq!(missed(-8_000, SECOND), None);
    }

    const ONE: SessionId = SessionId::from_bytes([1; 16]);
    const OTHER: SessionId = SessionId::from_bytes([2; 16]);

    fn after_a_gap(faults: &Faults) -> (Awake, Timestamp) {
        let awake = Awake::new(faults.clone());
        faults.let_time_pass_unseen(Duration::from_secs(65));
        let mut told = None;
        awake.look(|since| told = Some(since));
        (awake, told.expect("the gap is noticed"))
    }

    fn later() -> Timestamp {
        Timestamp(i64::MAX)
    }

    #[tokio::test]
    async fn after_a_gap_hooks_are_in_doubt_whose_order_would_decide() {
        use HookType::{PresenterOffline, PresenterStarted, ViewerOffline, ViewerStarted};
        let table = [
            (PresenterStarted, PresenterOffline, true),
            (PresenterOffline, PresenterStarted, true),
            (ViewerOffline, ViewerStarted, true),
            (PresenterStarted, ViewerOffline, true),
            (PresenterStarted, ViewerStarted, false),
            (PresenterOffline, ViewerOffline, false),
            (PresenterStarted, PresenterStarted, false),
        ];
        for (first, second, in_doubt) in table {
            let (awake, since) = after_a_gap(&Faults::default());
            assert_eq!(awake.told(ONE, first, later()), None, "{first} alone is clear");
            assert_eq!(awake.told(OTHER, second, later()), None, "another session's");
            let doubt = awake.told(ONE, second, later());
            assert_eq!(doubt, in_doubt.then_some(since), "{first}, {second}");
        }
    }

    #[tokio::test]
    async fn a_hook_that_came_before_the_gap_says_nothing_of_the_time_after_it() {
        let (awake, since) = after_a_gap(&Faults::default());
        let before = Timestamp(since.0 - 1);
        assert_eq!(awake.told(ONE, HookType::PresenterStarted, before), Some(since));
    }

    #[tokio::test]
    async fn what_comes_later_is_clear_again_and_a_gap_is_reported_once() {
        let faults = Faults::default();
        let (awake, _) = after_a_gap(&faults);
        assert_eq!(awake.told(ONE, HookType::PresenterStarted, later()), None);
        for _ in 0..3 {
            faults.let_time_pass_unseen(Duration::from_millis(3_900));
            awake.look(|_| panic!("nothing was missed"));
        }
        assert_eq!(awake.told(ONE, HookType::PresenterOffline, later()), None);
    }
}
