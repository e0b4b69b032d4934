//! The race itself: which rounds go on, and which lanes drop out.

use std::time::Duration;

use wire::Region;

use super::{Choice, Lane, LaneEnd, choose, micros};

/// A region this many times slower than the leader drops out (quality.md, Regions).
const DROP_OUT: f64 = 1.6;
/// A round is given up only if it waits so much longer than the leader's best: less may be this
/// computer's own delay.
pub(super) const HICCUP: Duration = Duration::from_millis(50);

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
