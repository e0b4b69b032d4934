//! When the banner comes back to the front: at once, but against a window that does the same ever more slowly.

use std::time::{Duration, Instant};

/// The least time between two looks, and the most between coming back twice.
const LEAST: Duration = Duration::from_millis(100);
const MOST: Duration = Duration::from_secs(3);

/// Remembers how often the banner had to come back lately.
#[derive(Debug, Default)]
pub struct StayOnTop {
    due: Option<Instant>,
    /// When it was looked at last.
    looked: Option<Instant>,
    /// When it came back last, and how long not to do so again.
    last: Option<(Instant, Duration)>,
}

impl StayOnTop {
    /// Something changed that may have covered it.
    pub fn disturbed(&mut self, now: Instant) {
        let rested = self.looked.map(|looked| looked + LEAST);
        let allowed = self.last.map(|(last, pause)| last + pause);
        let earliest = rested.into_iter().chain(allowed).fold(now, Instant::max);
        self.due.get_or_insert(earliest);
    }

    /// When to theme next, if at all.
    pub fn due(&self) -> Option<Instant> {
        self.due
    }

    /// It was looked at, and had to come back or not.
    pub fn looked(&mut self, came_back: bool, now: Instant) {
        (self.due, self.looked) = (None, Some(now));
        if came_back {
            let pause = match self.last {
                // Somebody else wants to be in front as well.
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
            top.looked(true, now);
            top.disturbed(now);
            now = top.due().unwrap();
            times += 1;
        }
        assert!((20..30).contains(&times), "{times} times in a minute");
        // When that has ended, the next one is answered at once again.
        let later = now + Duration::from_secs(60);
        top.looked(false, now);
        top.disturbed(later);
        assert_eq!(top.due(), Some(later));
        top.looked(true, later);
        top.disturbed(later);
        assert_eq!(top.due(), Some(later + LEAST));
    }
}
