//! Whether this computer's clock may be believed before anything old is deleted for good. Pure.
//!
//! A clock that is set ahead makes everything old. So the time of each run is kept, and a clock that stands
//! implausibly far after it is believed only once a person has said that it is right. How far that is depends on how
//! long sessions are kept: a clock that nobody was asked about has at most half of that time from any of them. At the
//! first run the sessions themselves say when the console was last in use.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use session::Timestamp;

/// How long a day is, for the setting and between two runs.
pub(super) const DAY: Duration = Duration::from_secs(86_400);
/// No longer pause in the use of a console is plausible without a person's word, however long sessions are kept.
const LONGEST_PAUSE: Duration = Duration::from_secs(60 * 86_400);
/// A long weekend is plausible, however short: what is kept that briefly is lost little earlier.
const LONG_WEEKEND: Duration = Duration::from_secs(4 * 86_400);

/// How long a pause in the use of a console is plausible without a person's word, where sessions are kept for so many
/// days; 0 keeps them for ever.
pub(super) fn longest_pause(keep_days: u32) -> Duration {
    match keep_days {
        0 => LONGEST_PAUSE,
        days => (DAY * days / 2).clamp(LONG_WEEKEND, LONGEST_PAUSE),
    }
}

/// What is kept of the clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct KnownClock {
    /// When it was last believed.
    pub last: Timestamp,
    /// When it was found to be implausibly far ahead, until somebody says that it is right.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jumped_to: Option<Timestamp>,
    /// Where it was before it was set back: a battery that is empty begins in the past, and the network puts that right.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub set_back: Option<SetBack>,
}

/// A clock that was set back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct SetBack {
    /// What it said before.
    pub from: Timestamp,
    /// What it said then.
    pub to: Timestamp,
}

/// What to make of the clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It is plausible, and this is to be kept of it.
    Plausible(KnownClock),
    /// It stands too far after what is known.
    Jumped {
        /// When it was last plausible.
        from: Timestamp,
        /// What it said when that was first noticed.
        to: Timestamp,
    },
}

/// Judges the clock that says `now`. `pause`: when the newest session before a pause that is too long was made, none if
/// there was no such pause; it counts only where nothing is `known`. Too long is what is longer than `longest`.
pub(super) fn judge(
    known: Option<KnownClock>,
    pause: Option<Timestamp>,
    longest: Duration,
    now: Timestamp,
) -> Verdict {
    let Some(known) = known else {
        return match pause {
            Some(from) => Verdict::Jumped { from, to: now },
            None => Verdict::Plausible(believed(now)),
        };
    };
    let set_back = known.set_back.filter(|back| now.since(back.to) < DAY);
    if now.since(known.last) <= longest {
        let is_back = known.last.since(now) > DAY;
        let to = SetBack { from: known.last, to: now };
        let set_back = set_back.or(is_back.then_some(to));
        return Verdict::Plausible(KnownClock { set_back, ..believed(now) });
    }
    // It was put right again: the pause counts from before it was wrong.
    if known
        .set_back
        .is_some_and(|back| now.since(back.from) <= longest && back.from.since(now) <= DAY)
    {
        return Verdict::Plausible(believed(now));
    }
    // What is told once stays the same for as long as the clock only goes on.
    let told = known.jumped_to.filter(|&to| now.since(to) <= longest && to.since(now) <= DAY);
    let from = known.set_back.map_or(known.last, |back| back.from.max(known.last));
    Verdict::Jumped { from, to: told.unwrap_or(now) }
}

impl KnownClock {
    /// A person has said that a clock that jumped is right.
    pub fn confirmed(self) -> Self {
        self.jumped_to.map_or(self, believed)
    }
}

const fn believed(last: Timestamp) -> KnownClock {
    KnownClock { last, jumped_to: None, set_back: None }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAYS: i64 = 86_400_000;
    const YEARS: i64 = 365 * DAYS;
    const T0: Timestamp = Timestamp(1_790_000_000_000);

    fn at(days: i64) -> Timestamp {
        Timestamp(T0.0 + days * DAYS)
    }

    /// The runs at these days, one after the other; whether each may delete.
    fn runs(days: &[i64]) -> Vec<bool> {
        kept_for(365, days)
    }

    /// The same where sessions are kept for so many days.
    fn kept_for(keep_days: u32, days: &[i64]) -> Vec<bool> {
        let longest = longest_pause(keep_days);
        let mut known = None;
        let run = |day: &i64| match judge(known, None, longest, at(*day)) {
            Verdict::Plausible(clock) => {
                known = Some(clock);
                true
            }
            Verdict::Jumped { from, to } => {
                known = Some(KnownClock { jumped_to: Some(to), ..believed(from) });
                false
            }
        };
        days.iter().map(run).collect()
    }

    #[test]
    fn a_clock_that_goes_on_is_believed_and_one_that_jumps_ahead_is_not() {
        assert_eq!(runs(&[0, 1, 2, 62]), [true; 4], "nobody worked for two months");
        assert_eq!(
            runs(&[0, 63, 64, 1000]),
            [true, false, false, false],
            "however often it starts"
        );
        assert_eq!(runs(&[0, 1095, 1]), [true, false, true], "it was put right");
        assert_eq!(runs(&[0, 1095, 1, 1095]), [true, false, true, false]);
    }

    #[test]
    fn a_pause_that_is_long_beside_what_is_kept_is_asked_about() {
        for (keep, plausible, asked) in [
            (1, 4, 5),
            (7, 4, 5),
            (14, 7, 8),
            (30, 15, 16),
            (90, 45, 46),
            (120, 60, 61),
            (3650, 60, 61),
        ] {
            assert_eq!(kept_for(keep, &[0, plausible]), [true, true], "{keep} days");
            assert_eq!(kept_for(keep, &[0, asked]), [true, false], "{keep} days");
            assert!(asked * 2 > i64::from(keep).min(120));
        }
    }

    #[test]
    fn a_clock_that_is_set_back_is_no_way_around_it() {
        assert_eq!(runs(&[0, -20_000, 0]), [true; 3], "an empty battery, then the network's time");
        assert_eq!(runs(&[0, -20_000, -19_999, -19_998, 0]), [true, true, true, true, false]);
        // The very first run was years ahead.
        assert_eq!(runs(&[1095, 0, 1, 2, 1095]), [true, true, true, true, false]);
        assert_eq!(runs(&[0, -20_000, 1095]), [true, true, false]);
    }

    #[test]
    fn at_the_first_run_the_sessions_say_when_it_was_in_use() {
        let now = at(0);
        assert!(
            matches!(judge(None, None, LONGEST_PAUSE, now), Verdict::Plausible(_)),
            "also where there are none"
        );
        let last = Timestamp(now.0 - 3 * YEARS);
        assert_eq!(
            judge(None, Some(last), LONGEST_PAUSE, now),
            Verdict::Jumped { from: last, to: now }
        );
    }

    #[test]
    fn a_persons_word_makes_it_plausible_from_then_on() {
        let known = believed(at(0));
        let judge = |known, now| judge(Some(known), None, LONGEST_PAUSE, now);
        let Verdict::Jumped { from, to } = judge(known, at(1095)) else { panic!() };
        let jumped = KnownClock { jumped_to: Some(to), ..believed(from) };
        assert_eq!(judge(jumped, at(1096)), Verdict::Jumped { from, to }, "the same");
        let confirmed = jumped.confirmed();
        assert!(matches!(judge(confirmed, at(1096)), Verdict::Plausible(_)));
        assert!(matches!(judge(confirmed, at(5000)), Verdict::Jumped { .. }), "once");
        assert_eq!(known.confirmed(), known);
        // Set further ahead after it was told, it is another jump.
        assert_eq!(judge(jumped, at(5000)), Verdict::Jumped { from, to: at(5000) });
    }

    #[test]
    fn no_clock_is_too_strange_to_be_judged() {
        let extremes = [i64::MIN, -1, 0, 1, i64::MAX].map(Timestamp);
        for last in extremes {
            for now in extremes {
                for jumped_to in [None, Some(last), Some(now)] {
                    let known = KnownClock { jumped_to, ..believed(last) };
                    let _ = judge(Some(known), Some(last), LONGEST_PAUSE, now);
                }
            }
        }
    }
}
