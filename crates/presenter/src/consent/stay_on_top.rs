//! Decides when the banner comes back to the front: at once, but ever more slowly if another window
//! does the same.

use std::time::{Duration, Instant};

/// The shortest time between two checks, and the longest pause between two returns to the front.
const LEAST: Duration = Duration::from_millis(100);
const MOST: Duration = Duration::from_secs(3);

/// The state of the banner's fight for the front.
#[derive(Debug, Default)]
pub struct StayOnTop {
    due: Option<Instant>,
    /// When the banner's place was checked last.
    checked: Option<Instant>,
    /// The time of its last return to the front, and the pause before it may return again.
    last: Option<(Instant, Duration)>,
}

impl StayOnTop {
    /// Handles a change on the screen that may have covered the banner.
    pub fn disturbed(&mut self, now: Instant) {
        let rested = self.checked.map(|checked| checked + LEAST);
        let allowed = self.last.map(|(last, pause)| last + pause);
        let earliest = rested.into_iter().chain(allowed).fold(now, Instant::max);
        self.due.get_or_insert(earliest);
    }

    /// When to check next, if at all.
    pub fn due(&self) -> Option<Instant> {
        self.due
    }

    /// Handles the result of a check: whether the banner had to come back to the front.
    pub fn checked(&mut self, came_back: bool, now: Instant) {
        (self.due, self.checked) = (None, Some(now));
        if came_back {
            let pause = match self.last {
                // Covered again so soon: another window insists on being in front as well.
                Some((last, pause)) if now < last + pause * 4 => (pause * 2).min(MOST),
                Some(_) | None => LEAST,
            };
            self.last = Some((now, pause));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comes_back_at_once_and_does_not_fight() {
        let start = Instant::now();
        let mut top = StayOnTop::default();
        assert_eq!(top.due(), None);
        top.disturbed(start);
        assert_eq!(top.due(), Some(start));
        // The other one is in front again each time, at once.
        let (mut now, mut times) = (start, 0);
        while now < start + Duration::from_secs(60) {
            top.checked(true, now);
            top.disturbed(now);
            now = top.due().unwrap();
            times += 1;
        }
        assert!((20..30).contains(&times), "{times} times in a minute");
        // When that has ended, the next one is answered at once again.
        let later = now + Duration::from_secs(60);
        top.checked(false, now);
        top.disturbed(later);
        assert_eq!(top.due(), Some(later));
        top.checked(true, later);
        top.disturbed(later);
        assert_eq!(top.due(), Some(later + LEAST));
    }
}
