//! Which region is fastest: the race of probes as data, and the choice among its results.
//!
//! All regions are probed at once on a warm connection each. Once the leader is through, a region
//! drops out when its best result, or its wait so far, exceeds 1.6 times the leader's best; an
//! aborted round trip has no duration, only a lower bound. Before that no region drops out: one
//! slow round trip says little of a region, and the leader may be none of the near ones
//! (docs/adr/0010).

mod race;

use std::time::Duration;

pub use race::Race;
use serde::{Deserialize, Serialize};
use wire::Region;

/// The current region is kept if it is within both of these of the fastest.
const NEAR_TIE: Duration = Duration::from_millis(10);
const NEAR_TIE_SHARE: f64 = 0.15;

/// One region's part in the race.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lane {
    /// The region.
    pub region: Region,
    /// The durations of its finished round trips, in microseconds, in order.
    pub samples_us: Vec<u64>,
    /// The result of the lane.
    pub end: LaneEnd,
}

/// A region's result in the race.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "is")]
pub enum LaneEnd {
    /// Still being probed.
    Running,
    /// All its rounds finished.
    Finished,
    /// It was too slow to matter: slower than this, in microseconds.
    Stopped {
        /// The lower bound of its aborted round trip.
        over_us: u64,
    },
    /// It didn't answer, or not like a region.
    Failed {
        /// Why it failed.
        failure: crate::Failure,
    },
}

/// The chosen region and the reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Choice {
    /// The region.
    pub region: Region,
    /// Why this one.
    pub reason: Reason,
    /// Every region's part.
    pub lanes: Vec<Lane>,
    /// How long the race took, in microseconds.
    pub took_us: u64,
}

impl Choice {
    /// The technician's own choice, without a race.
    pub const fn by_hand(region: Region) -> Self {
        Self { region, reason: Reason::ByHand, lanes: Vec::new(), took_us: 0 }
    }

    /// The choice after its region gave no PIN: the best of the others that have a result. None is
    /// chosen twice, for one that failed keeps no result.
    #[must_use]
    pub fn next_best(self, failure: crate::Failure) -> Option<Self> {
        let Self { region: failed, mut lanes, took_us, .. } = self;
        for lane in lanes.iter_mut().filter(|lane| lane.region == failed) {
            *lane = Lane {
                region: failed.clone(),
                samples_us: Vec::new(),
                end: LaneEnd::Failed { failure },
            };
        }
        // Those that were too slow to be timed to the end are better than none.
        let slow = || lanes.iter().find(|lane| matches!(lane.end, LaneEnd::Stopped { .. }));
        let region = fastest(&lanes).or_else(slow)?.region.clone();
        Some(Self { region, reason: Reason::NextBest { failed }, lanes, took_us })
    }
}

/// Why a region was chosen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "is")]
pub enum Reason {
    /// Its best round trip was the shortest.
    Fastest,
    /// It was in use and the fastest is hardly faster.
    KeptNearTie {
        /// The fastest.
        fastest: Region,
    },
    /// The technician chose it.
    ByHand,
    /// It was the next best when the chosen one gave no PIN.
    NextBest {
        /// The one that gave none.
        failed: Region,
    },
}

/// The best of all results per region wins; `current` is kept on a near tie.
pub fn choose(lanes: Vec<Lane>, current: Option<&Region>, took: Duration) -> Option<Choice> {
    let best_of = |region: &Region| {
        lanes
            .iter()
            .find(|lane| lane.region == *region)
            .and_then(Lane::best_us)
            .map(Duration::from_micros)
    };
    let fastest = fastest(&lanes)?.region.clone();
    let best = best_of(&fastest)?;
    // Near only if both say so: 15 % of a long way is more than 10 ms, and 10 ms of a short way
    // more than 15 %.
    let near = |other: Duration| {
        let behind = other.saturating_sub(best);
        behind <= NEAR_TIE && behind <= best.mul_f64(NEAR_TIE_SHARE)
    };
    let (region, reason) = match current {
        Some(current) if *current != fastest && best_of(current).is_some_and(near) => {
            (current.clone(), Reason::KeptNearTie { fastest })
        }
        Some(_) | None => (fastest, Reason::Fastest),
    };
    Some(Choice { region, reason, lanes, took_us: micros(took) })
}

fn fastest(lanes: &[Lane]) -> Option<&Lane> {
    lanes.iter().filter(|lane| lane.best_us().is_some()).min_by_key(|lane| lane.best_us())
}

impl Lane {
    /// The shortest round trip, in microseconds.
    pub fn best_us(&self) -> Option<u64> {
        self.samples_us.iter().copied().min()
    }
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::{race::HICCUP, *};

    fn ms(n: u64) -> Duration {
        Duration::from_millis(n)
    }

    fn named(name: &str) -> Region {
        name.parse().unwrap()
    }

    fn lane(name: &str, samples_ms: &[u64]) -> Lane {
        let samples_us = samples_ms.iter().map(|ms| ms * 1000).collect();
        Lane { region: named(name), samples_us, end: LaneEnd::Finished }
    }

    #[test]
    fn best_of_all_results_wins() {
        let lanes = vec![lane("a", &[50, 24, 60]), lane("b", &[31, 30, 31])];
        let choice = choose(lanes, None, ms(100)).unwrap();
        assert_eq!((choice.region.as_str(), choice.reason), ("a", Reason::Fastest));
    }

    #[test]
    fn keeps_region_when_another_is_only_slightly_faster() {
        let lanes = || vec![lane("a", &[60]), lane("b", &[66])];
        let current = named("b");
        assert_eq!(choose(lanes(), Some(&current), ms(1)).unwrap().region, current);
        let far = vec![lane("a", &[60]), lane("b", &[71])];
        assert_eq!(choose(far, Some(&current), ms(1)).unwrap().region.as_str(), "a");
        let share = vec![lane("a", &[10]), lane("b", &[12])];
        assert_eq!(choose(share, Some(&current), ms(1)).unwrap().region.as_str(), "a");
    }

    #[test]
    fn a_region_that_gives_no_pin_is_followed_by_the_next_best_and_none_is_tried_twice() {
        let failure = crate::Failure::Faulty { status: 503 };
        let slow = Lane { end: LaneEnd::Stopped { over_us: 16_000 }, ..lane("e", &[]) };
        let lanes = vec![slow, lane("a", &[10]), lane("c", &[20]), lane("d", &[])];
        let first = choose(lanes, None, ms(40)).unwrap();
        let next = first.next_best(failure).unwrap();
        assert_eq!(next.reason, Reason::NextBest { failed: named("a") });
        assert_eq!(next.lanes[1].end, LaneEnd::Failed { failure });
        assert_eq!(next.region.as_str(), "c");
        let last = next.next_best(failure).unwrap();
        assert_eq!((last.region.as_str(), last.took_us), ("e", 40_000));
        assert_eq!(last.next_best(failure), None);
        assert_eq!(Choice::by_hand(named("a")).next_best(failure), None);
    }

    #[test]
    fn nothing_is_chosen_where_nothing_answered() {
        assert_eq!(choose(vec![lane("a", &[])], None, ms(1)), None);
    }

    #[test]
    fn a_region_that_keeps_us_waiting_drops_out_with_a_bound_and_no_number_once_the_leader_is_through()
     {
        let mut race = Race::new([named("near"), named("far")], 3);
        assert!(race.answered(0, ms(50), ms(50)));
        assert!(race.answered(0, ms(24), ms(74)));
        assert!(race.answered(0, ms(25), ms(99)));
        assert_eq!(race.lanes()[1].end, LaneEnd::Running);
        assert!(!race.answered(0, ms(26), ms(125)));
        assert_eq!(race.lanes()[1].end, LaneEnd::Stopped { over_us: 80_000 });
        assert!(race.is_over());
        assert_eq!(race.choose(None, ms(125)).unwrap().region.as_str(), "near");
    }

    #[test]
    fn a_region_still_waited_for_when_the_leader_is_through_drops_out_at_its_bound() {
        let mut race = Race::new([named("near"), named("next")], 1);
        assert!(race.answered(0, ms(50), ms(50)));
        assert!(race.answered(1, ms(60), ms(60)));
        assert!(!race.answered(0, ms(24), ms(74)));
        assert_eq!(race.next_cut(), Some(Duration::from_micros(60_000 + 38_400 + 1)));
        race.cut(ms(98));
        assert_eq!(race.lanes()[1].end, LaneEnd::Running);
        race.cut(ms(99));
        assert_eq!(race.lanes()[1].end, LaneEnd::Stopped { over_us: 38_400 });
    }

    #[test]
    fn one_slow_round_trip_of_the_nearest_region_does_not_make_a_far_one_win() {
        let mut race = Race::new([named("near"), named("far")], 3);
        assert!(race.answered(1, ms(90), ms(90)));
        assert!(race.answered(1, ms(90), ms(180)));
        assert!(race.answered(0, ms(230), ms(230)), "a slow handshake");
        assert!(race.answered(0, ms(25), ms(255)));
        assert_eq!(race.choose(None, ms(255)).unwrap().region.as_str(), "near");

        let mut race = Race::new([named("near"), named("far")], 3);
        assert!(race.answered(0, ms(25), ms(25)));
        assert!(race.answered(1, ms(90), ms(90)));
        assert!(race.answered(1, ms(90), ms(180)));
        assert!(race.answered(0, ms(225), ms(250)), "a slow sample");
        assert!(race.answered(0, ms(25), ms(275)));
        assert_eq!(race.choose(None, ms(275)).unwrap().region.as_str(), "near");
    }

    #[test]
    fn a_round_that_can_no_longer_help_is_given_up_and_what_was_there_counts() {
        let mut race = Race::new([named("a")], 3);
        race.answered(0, ms(50), ms(50));
        race.answered(0, ms(24), ms(74));
        assert_eq!(race.next_cut(), Some(ms(74 + 24) + HICCUP + Duration::from_micros(1)));
        race.cut(ms(149));
        assert_eq!(race.lanes()[0].end, LaneEnd::Finished);
        assert_eq!(race.lanes()[0].samples_us, [24_000]);
    }

    #[test]
    fn the_handshake_is_no_sample() {
        let mut race = Race::new([named("a")], 1);
        assert!(race.answered(0, ms(5), ms(5)));
        assert!(race.lanes()[0].samples_us.is_empty());
        assert!(!race.answered(0, ms(3), ms(8)));
        assert_eq!(race.lanes()[0].best_us(), Some(3_000));
    }

    #[test]
    fn a_region_that_fails_later_keeps_what_it_had() {
        let mut race = Race::new([named("a"), named("b")], 3);
        race.failed(1, crate::Failure::Unreachable);
        race.answered(0, ms(5), ms(5));
        race.answered(0, ms(5), ms(10));
        race.failed(0, crate::Failure::TimedOut);
        assert_eq!(race.lanes()[1].end, LaneEnd::Failed { failure: crate::Failure::Unreachable });
        assert!(race.is_over());
        assert_eq!(race.choose(None, ms(10)).unwrap().region.as_str(), "a");
    }
}
