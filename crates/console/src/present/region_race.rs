//! The regions' race. A region that was stopped has no result, only a bound that it exceeded.

use std::time::Duration;

use engine::Race;
use session::{
    Timestamp,
    region::{Choice, Lane, LaneEnd, Reason},
};

use crate::view::{LaneView, RegionsView};

/// The newest race, running or over.
pub fn running(race: &Race) -> RegionsView {
    match &race.result {
        Some(Ok(choice)) => over(race.at, choice),
        Some(Err(failure)) => RegionsView {
            lanes: race.lanes.iter().map(lane).collect(),
            chosen: None,
            reason: failure.reason(),
            // It doesn't run any more, though it has no result.
            took_ms: Some(whole_ms(race.over_at.unwrap_or(race.at).since(race.at))),
            at: race.at.0,
        },
        None => RegionsView {
            lanes: race.lanes.iter().map(lane).collect(),
            chosen: None,
            reason: String::new(),
            took_ms: None,
            at: race.at.0,
        },
    }
}

/// A race that is over.
pub fn over(at: Timestamp, choice: &Choice) -> RegionsView {
    RegionsView {
        lanes: choice.lanes.iter().map(lane).collect(),
        chosen: Some(choice.region.to_string()),
        reason: reason(choice),
        took_ms: Some(ms(choice.took_us)),
        at: at.0,
    }
}

/// The chosen region's best round trip in milliseconds.
pub fn best_ms(choice: &Choice) -> Option<f64> {
    let chosen = choice.lanes.iter().find(|lane| lane.region == choice.region)?;
    chosen.best_us().map(ms)
}

fn reason(choice: &Choice) -> String {
    let finished = choice.lanes.iter().filter(|lane| lane.end == LaneEnd::Finished).count();
    match &choice.reason {
        Reason::Fastest => format!("fastest of {finished} that finished"),
        Reason::KeptNearTie { fastest } => format!("kept, since {fastest} is hardly faster"),
        Reason::ByHand => "chosen by hand".into(),
        Reason::NextBest { failed } => format!("next best, since {failed} gave no PIN"),
    }
}

fn lane(lane: &Lane) -> LaneView {
    let (over_ms, failure, running) = match &lane.end {
        LaneEnd::Running => (None, None, true),
        LaneEnd::Finished => (None, None, false),
        // A stopped region has no result, only the time that it took at least.
        LaneEnd::Stopped { over_us } => (Some(ms(*over_us)), None, false),
        LaneEnd::Failed { failure } => (None, Some(failure.reason()), false),
    };
    LaneView {
        region: lane.region.to_string(),
        samples_ms: lane.samples_us.iter().copied().map(ms).collect(),
        best_ms: lane.best_us().map(ms),
        over_ms,
        failure,
        running,
    }
}

fn whole_ms(took: Duration) -> f64 {
    ms(u64::try_from(took.as_micros()).unwrap_or(u64::MAX))
}

/// Microseconds as milliseconds.
#[allow(clippy::cast_precision_loss)] // exact up to 2^53 microseconds
fn ms(us: u64) -> f64 {
    us as f64 / 1000.0
}

#[cfg(test)]
mod tests {
    use session::Failure;

    use super::*;

    #[test]
    fn a_race_that_failed_is_over_and_one_that_runs_is_not() {
        let race =
            |result, over_at| Race { at: Timestamp(1_000), lanes: Vec::new(), result, over_at };
        assert_eq!(running(&race(None, None)).took_ms, None);
        let failed = running(&race(Some(Err(Failure::Unreachable)), Some(Timestamp(3_500))));
        assert_eq!((failed.took_ms, failed.chosen), (Some(2_500.0), None));
        // Also by a clock that was set back.
        let failed = running(&race(Some(Err(Failure::Unreachable)), Some(Timestamp(0))));
        assert_eq!(failed.took_ms, Some(0.0));
    }
}
