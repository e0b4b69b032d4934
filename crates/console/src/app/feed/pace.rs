//! When a batch may go out: an idle subscriber gets a few at once, then one a frame.

use std::time::{Duration, Instant};

/// The pause between two batches while there is more than a screen can show.
const FRAME: Duration = Duration::from_millis(16);
/// How many batches may follow each other at once. A webhook changes a session three times:
/// received, committed, armed again.
const AT_ONCE: u32 = 3;

/// Allows [`AT_ONCE`] batches that come together, and one more for each frame that goes by.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pace {
    /// The moment from which the whole allowance is available again.
    full: Instant,
}

impl Pace {
    pub fn new(now: Instant) -> Self {
        Self { full: now }
    }

    /// The moment from which the next batch may go out.
    pub fn next(self) -> Instant {
        // Shortly after the machine's start such a time can't be represented; the latest moment
        // will do.
        self.full.checked_sub(FRAME * (AT_ONCE - 1)).unwrap_or(self.full)
    }

    /// Notes that a batch went out.
    pub fn went(&mut self, now: Instant) {
        self.full = self.full.max(now) + FRAME;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// When each of `news` goes out, in ms after the start, if it goes as soon as it is allowed.
    fn gone(news: impl IntoIterator<Item = u64>) -> Vec<u64> {
        let start = Instant::now();
        let (mut pace, mut last) = (Pace::new(start), start);
        let go = |came| {
            last = pace.next().max(last).max(start + Duration::from_millis(came));
            pace.went(last);
            u64::try_from((last - start).as_millis()).unwrap()
        };
        news.into_iter().map(go).collect()
    }

    #[test]
    fn the_changes_that_a_webhook_makes_go_out_at_once() {
        assert_eq!(gone([100, 102, 105]), [100, 102, 105]);
        assert_eq!(gone([100, 102, 105, 300, 302, 305]), [100, 102, 105, 300, 302, 305]);
    }

    #[test]
    fn a_backlog_goes_out_once_a_frame() {
        assert_eq!(gone([100; 7]), [100, 100, 100, 116, 132, 148, 164]);
    }

    #[test]
    fn whoever_was_idle_for_a_frame_may_go_once_more_and_no_oftener() {
        assert_eq!(gone([0, 0, 0, 20, 20, 40]), [0, 0, 0, 20, 32, 48]);
    }

    #[test]
    fn a_long_rest_saves_up_no_more_than_a_few() {
        assert_eq!(gone([60_000; 5]), [60_000, 60_000, 60_000, 60_016, 60_032]);
    }
}
