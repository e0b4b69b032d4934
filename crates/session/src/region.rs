//! Which region is fastest: the race of probes as data, and the choice among its results.
//!
//! All regions are probed at once on a warm connection each. Once the leader is through, a region
//! drops out when its best result, or its wait so far, exceeds 1.6 times the leader's best; an
//! aborted round trip has no duration, only a lower bound. Before that no region drops out: one
//! slow round trip says little of a region, and the leader may be none of the near ones
//! (docs/adr/0010).

use std::time::Duration;

use serde::{Deserialize, Serialize};
use wire::Region;

/// A region this many times slower than the leader drops out (quality.md, Regions).
const DROP_OUT: f64 = 1.6;
/// A round is given up only if it waits so much longer than the leader's best: less may be this
/// computer's own delay.
const HICCUP: Duration = Duration::from_millis(50);
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

/// The race of all regions. Times are handed in, measured from its start.
#[derive(Debug, Clone)]
pub struct Race {
    lanes: Vec<Lane>,
    /// Per lane: since when the running round trip waits, and the handshake, which is no sample.
    waits: Vec<Wait>,
    rounds: usize,
}

#[derive(Debug, Clone, Copy)]
struct Wait {
    since: Duration,
    handshake: Option<Duration>,
}

impl Race {
    /// A race over `regions`, `rounds` samples each; the first round trip of each is its handshake.
    pub fn new(regions: impl IntoIterator<Item = Region>, rounds: usize) -> Self {
        let lanes: Vec<Lane> = regions
            .into_iter()
            .map(|region| Lane { region, samples_us: Vec::new(), end: LaneEnd::Running })
            .collect();
        let waits = vec![Wait { since: Duration::ZERO, handshake: None }; lanes.len()];
        // Without a single sample there would be nothing to choose by.
        Self { lanes, waits, rounds: rounds.max(1) }
    }

    /// The lanes as they are, in the order given.
    pub fn lanes(&self) -> &[Lane] {
        &self.lanes
    }

    /// Whether no lane is running any more.
    pub fn is_over(&self) -> bool {
        self.lanes.iter().all(|lane| lane.end != LaneEnd::Running)
    }

    /// Lane `place` answered at `elapsed`, after a round trip of `took`.
    ///
    /// Returns whether the lane sends another probe.
    pub fn answered(&mut self, place: usize, took: Duration, elapsed: Duration) -> bool {
        let (Some(lane), Some(wait)) = (self.lanes.get_mut(place), self.waits.get_mut(place))
        else {
            return false;
        };
        if lane.end != LaneEnd::Running {
            return false;
        }
        wait.since = elapsed;
        match wait.handshake {
            // The first round trip has TCP's and TLS's handshakes in it, so it says nothing of
            // the distance.
            None => wait.handshake = Some(took),
            Some(_) => lane.samples_us.push(micros(took)),
        }
        if lane.samples_us.len() >= self.rounds {
            lane.end = LaneEnd::Finished;
        }
        self.cut(elapsed);
        self.lanes.get(place).is_some_and(|lane| lane.end == LaneEnd::Running)
    }

    /// Lane `place` failed.
    pub fn failed(&mut self, place: usize, failure: crate::Failure) {
        if let Some(lane) = self.lanes.get_mut(place)
            && lane.end == LaneEnd::Running
        {
            // Its earlier answers still count.
            lane.end = if lane.samples_us.is_empty() {
                LaneEnd::Failed { failure }
            } else {
                LaneEnd::Finished
            };
        }
    }

    /// Drops the lanes whose best, or wait so far at `elapsed`, is too slow to matter.
    pub fn cut(&mut self, elapsed: Duration) {
        let bounds = self.bounds();
        for (lane, wait) in self.lanes.iter_mut().zip(&self.waits) {
            let over = (lane.end == LaneEnd::Running)
                .then(|| bounds.overrun(lane, wait))
                .flatten()
                .filter(|over| over.at < elapsed);
            if let Some(Over { limit, .. }) = over {
                lane.end = if lane.samples_us.is_empty() {
                    LaneEnd::Stopped { over_us: micros(limit) }
                } else {
                    LaneEnd::Finished
                };
            }
        }
    }

    /// When, measured from the start, the next lane will have waited too long; none if that
    /// is open.
    pub fn next_cut(&self) -> Option<Duration> {
        let bounds = self.bounds();
        self.lanes
            .iter()
            .zip(&self.waits)
            .filter(|(lane, _)| lane.end == LaneEnd::Running)
            .filter_map(|(lane, wait)| {
                Some(bounds.overrun(lane, wait)?.at + Duration::from_micros(1))
            })
            .min()
    }

    /// The fastest region, or `current` where the two are near; none if no lane has a sample.
    pub fn choose(self, current: Option<&Region>, took: Duration) -> Option<Choice> {
        choose(self.lanes, current, took)
    }

    fn bounds(&self) -> Bounds {
        let sampled = self.lanes.iter().filter(|lane| lane.best_us().is_some());
        let leader = sampled.min_by_key(|lane| lane.best_us());
        let best = leader.and_then(Lane::best_us).map(Duration::from_micros);
        let slow = |best: Duration| best.mul_f64(DROP_OUT);
        Bounds {
            sample: best.map(slow),
            round: best.map(|best| slow(best).max(best + HICCUP)),
            handshake: self.waits.iter().filter_map(|wait| wait.handshake).min().map(slow),
            through: leader.is_some_and(|leader| leader.end != LaneEnd::Running),
        }
    }
}

/// The longest allowed round trips: a multiple of the shortest. Samples and handshakes have bounds
/// of their own, since a handshake takes several round trips.
struct Bounds {
    sample: Option<Duration>,
    /// A further round's, of a lane that has a sample.
    round: Option<Duration>,
    handshake: Option<Duration>,
    /// Whether the lane with the best sample has ended.
    through: bool,
}

/// When a lane exceeds its bound, measured from the start, and the bound.
struct Over {
    at: Duration,
    limit: Duration,
}

impl Bounds {
    fn overrun(&self, lane: &Lane, wait: &Wait) -> Option<Over> {
        let waiting =
            |limit: Option<Duration>| limit.map(|limit| Over { at: wait.since + limit, limit });
        let took = |by: Duration, limit: Option<Duration>| {
            limit.filter(|&limit| by > limit).map(|limit| Over { at: limit, limit })
        };
        match (wait.handshake, lane.best_us().map(Duration::from_micros)) {
            // A round that takes so long no longer helps a lane that has a sample.
            (_, Some(_)) if !self.through => waiting(self.round),
            (_, Some(best)) => took(best, self.sample).or(waiting(self.round)),
            (_, None) if !self.through => None,
            (Some(handshake), None) => took(handshake, self.handshake).or(waiting(self.sample)),
            (None, None) => waiting(self.handshake),
        }
    }
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
    use super::*;

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
