//! How fast a client takes what is sent to it. One who takes a few bytes now and then would otherwise hold its place for
//! hours.

use std::time::Duration;

use tokio::time::Instant;

/// How much has to be taken in how long a time of waiting for it. Time in which nothing waits to be taken doesn't count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Speed {
    /// How many bytes.
    pub bytes: u64,
    /// See [`Speed`].
    pub within: Duration,
}

impl Speed {
    /// 512 bytes a second, over two minutes: a quarter of what a line of 16 kbit/s carries, on which there may be two
    /// downloads. A system takes tens of kilobytes at once into its own buffers, and says only when a good part of them is
    /// gone that there is room again: on such a line 82 s were measured, and 77 s where it is told to take little ahead.
    /// Over a shorter time the line would look as if it stood still.
    pub const OF_THE_SLOWEST_LINE: Self =
        Self { bytes: 60 * 1024, within: Duration::from_secs(120) };
}

/// What one client has taken lately, and for how long it was waited for.
#[derive(Debug, Default)]
pub(crate) struct Taking {
    /// Since when it is waited for.
    since: Option<Instant>,
    /// When it was last waited for.
    until: Option<Instant>,
    waited: Duration,
    bytes: u64,
}

impl Taking {
    /// More is there than it takes. Nothing changes if it is waited for already.
    pub fn wait(&mut self, now: Instant, slowest: Speed) {
        if self.since.is_some() {
            return;
        }
        // What was slow a while ago says nothing of now.
        if self.until.is_some_and(|until| now.duration_since(until) >= slowest.within) {
            (self.waited, self.bytes) = (Duration::ZERO, 0);
        }
        self.since = Some(now);
    }

    /// It has taken so much, or there is nothing more to be taken.
    pub fn take(&mut self, bytes: usize, now: Instant, slowest: Speed) {
        if let Some(since) = self.since.take() {
            self.waited += now.duration_since(since);
            self.until = Some(now);
        }
        self.bytes += bytes as u64;
        if self.bytes >= slowest.bytes {
            (self.waited, self.bytes) = (Duration::ZERO, 0);
        }
    }

    /// Until when it may go on taking nothing, while it is waited for.
    pub fn deadline(&self, nothing_for: Duration, slowest: Speed) -> Option<Instant> {
        let left = slowest.within.saturating_sub(self.waited);
        self.since.map(|since| since + nothing_for.min(left))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOTHING_FOR: Duration = Duration::from_secs(30);
    const SLOWEST: Speed = Speed::OF_THE_SLOWEST_LINE;

    /// Who takes so many bytes after each so many seconds: the second in which it is sent away within a day.
    fn ends(bytes: usize, every: u64) -> Option<u64> {
        let start = Instant::now();
        let mut taking = Taking::default();
        let mut second = 0;
        while second < 86_400 {
            taking.wait(start + Duration::from_secs(second), SLOWEST);
            second += every;
            let now = start + Duration::from_secs(second);
            if taking.deadline(SLOWEST.within, SLOWEST).is_some_and(|deadline| deadline < now) {
                return Some(second);
            }
            taking.take(bytes, now, SLOWEST);
        }
        None
    }

    #[test]
    fn who_takes_a_little_now_and_then_has_two_minutes() {
        assert_eq!(ends(1, 121), Some(121), "nothing at all is taken");
        assert_eq!(ends(1, 29), Some(145));
        assert_eq!(ends(12 * 1024, 29), Some(145));
    }

    #[test]
    fn a_line_of_16_kbit_a_second_is_fast_enough_also_where_buffers_hide_its_pace() {
        for every in [1, 5, 21, 29, 48, 70, 90] {
            assert_eq!(ends(every as usize * 2_000, every), None, "{every}");
            assert_eq!(ends(every as usize * 1_000, every), None, "each of two, {every}");
        }
    }

    #[test]
    fn time_in_which_nothing_waits_does_not_count_and_what_is_long_ago_is_forgotten() {
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let mut taking = Taking::default();
        taking.wait(at(0), SLOWEST);
        taking.take(10, at(20), SLOWEST);
        assert_eq!(taking.deadline(NOTHING_FOR, SLOWEST), None);
        taking.wait(at(100), SLOWEST);
        taking.wait(at(110), SLOWEST);
        assert_eq!(
            taking.deadline(NOTHING_FOR, SLOWEST),
            Some(at(130)),
            "it counts from the first time"
        );
        taking.take(10, at(129), SLOWEST);
        assert_eq!(taking.waited, Duration::from_secs(49));
        taking.wait(at(1_000), SLOWEST);
        assert_eq!(taking.waited, Duration::ZERO);
        taking.take(SLOWEST.bytes as usize, at(1_010), SLOWEST);
        assert_eq!((taking.waited, taking.bytes), (Duration::ZERO, 0));
    }
}
