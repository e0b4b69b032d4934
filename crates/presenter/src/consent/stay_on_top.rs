//! Decides when the banner comes back to the front: at once, but ever more slowly if another window
//! does the same. And remembers how long it was covered, since a customer who can't see the banner
//! doesn't know who controls their computer, and can't stop it.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

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
    /// Since when it may have been covered.
    since: Option<Instant>,
    /// From when to when it was covered, for as long as anybody asks for.
    covered: VecDeque<(Instant, Instant)>,
}

/// How long the banner may be covered.
#[derive(Debug, Clone, Copy)]
pub struct Cover {
    /// After so long, within five times as long, control is paused.
    pub pauses: Duration,
    /// After so long, within three times as long, the sharing ends.
    pub ends: Duration,
}

/// What follows from the banner's having been covered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Covered {
    /// Nothing follows.
    Briefly,
    /// Nobody may control any more.
    Long,
    /// Nobody may see any more.
    TooLong,
}

impl Default for Cover {
    fn default() -> Self {
        Self { pauses: Duration::from_secs(2), ends: Duration::from_secs(10) }
    }
}

impl StayOnTop {
    /// Handles a change on the screen that may have covered the banner.
    pub fn disturbed(&mut self, now: Instant) {
        self.since.get_or_insert(now);
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
        let since = self.since.take().unwrap_or(now);
        if came_back {
            self.covered.push_back((since, now));
            let pause = match self.last {
                // Covered again so soon: another window insists on being in front as well.
                Some((last, pause)) if now < last + pause * 4 => (pause * 2).min(MOST),
                Some(_) | None => LEAST,
            };
            self.last = Some((now, pause));
        }
    }

    /// Whether it was covered for longer than it may be.
    pub fn covered(&mut self, most: Cover, now: Instant) -> Covered {
        let remembered = (most.pauses * 5).max(most.ends * 3);
        self.covered.retain(|(_, to)| now.saturating_duration_since(*to) < remembered);
        let within = |window: Duration| -> Duration {
            let start = now.checked_sub(window).unwrap_or(now);
            let covered = self.covered.iter();
            covered.map(|(from, to)| to.saturating_duration_since((*from).max(start))).sum()
        };
        if within(most.ends * 3) >= most.ends {
            Covered::TooLong
        } else if within(most.pauses * 5) >= most.pauses {
            Covered::Long
        } else {
            Covered::Briefly
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_covers_it_again_and_again_pauses_control_and_then_ends_the_sharing() {
        let start = Instant::now();
        let (mut top, mut now) = (StayOnTop::default(), start);
        let mut seen = Vec::new();
        top.disturbed(now);
        while seen.last() != Some(&Covered::TooLong) {
            now = top.due().unwrap();
            top.checked(true, now);
            let covered = top.covered(Cover::default(), now);
            if seen.last() != Some(&covered) {
                seen.push(covered);
            }
            // The other one is in front again at once.
            top.disturbed(now);
        }
        assert_eq!(seen, [Covered::Briefly, Covered::Long, Covered::TooLong]);
        let after = now.duration_since(start);
        assert!((10..16).contains(&after.as_secs()), "{after:?}");
    }

    #[test]
    fn a_menu_now_and_then_is_no_cover() {
        let (mut top, mut now) = (StayOnTop::default(), Instant::now());
        for _ in 0..100 {
            top.disturbed(now);
            let due = top.due().unwrap();
            top.checked(true, due);
            assert_eq!(top.covered(Cover::default(), due), Covered::Briefly);
            now = due + Duration::from_secs(4);
        }
    }

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
