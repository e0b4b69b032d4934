//! Detects outages of the service, in which every session may have missed events.
//!
//! One failed call is no outage, and neither are several calls that fail at the same moment. It is
//! an outage if calls fail in a row for a while, and it is over with the first that succeeds. Only
//! the PUTs of hooks count: a chat that can't be fetched says nothing about hooks.

use std::time::Duration;

use crate::{Failure, Timestamp};

/// At least so many calls in a row...
const CALLS: u32 = 2;
/// ...from the start of the first to the end of the last.
const LASTS: Duration = Duration::from_secs(2);

/// The service's condition, as the outcome of a hook's PUT shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OutageChange {
    /// The service fails, judging by this one call.
    Fails,
    /// It was away, and is back.
    Over {
        /// When it was last known to be well.
        since: Timestamp,
    },
}

/// Follows how the PUTs of all sessions' hooks come out.
#[derive(Debug, Clone, Copy, Default)]
pub struct Outage {
    /// When one last succeeded.
    well: Option<Timestamp>,
    failing: Option<Failing>,
}

#[derive(Debug, Clone, Copy)]
struct Failing {
    since: Timestamp,
    last: Timestamp,
    calls: u32,
}

impl Outage {
    /// A PUT that began at `began` has come out at `now`.
    pub fn ended(
        &mut self,
        began: Timestamp,
        failure: Option<Failure>,
        now: Timestamp,
    ) -> Option<OutageChange> {
        match failure {
            None => {
                let well = self.well.replace(now);
                let failing = self.failing.take()?;
                let was_out = failing.calls >= CALLS && failing.last.since(failing.since) >= LASTS;
                was_out.then_some(OutageChange::Over { since: well.unwrap_or(failing.since) })
            }
            Some(failure) if failure.is_a_fault() => {
                // A call may have hung for long while others succeeded, so the outage begins no
                // earlier than the last success.
                let since = self.well.map_or(began, |well| began.max(well));
                let known = self.failing.is_some();
                let failing = self.failing.get_or_insert(Failing { since, last: now, calls: 0 });
                failing.last = now;
                failing.calls = failing.calls.saturating_add(1);
                (!known).then_some(OutageChange::Fails)
            }
            Some(_) => None,
        }
    }
}

impl Failure {
    /// Whether it is a fault of the service or of the way there. A refusal or a request to wait
    /// shows that the service works, and a failure on this computer says nothing about it.
    pub const fn is_a_fault(self) -> bool {
        match self {
            Self::Unreachable
            | Self::NoAnswer
            | Self::TimedOut
            | Self::Faulty { .. }
            | Self::Blocked { .. }
            | Self::Malformed => true,
            Self::Unauthorized
            | Self::RateLimited { .. }
            | Self::Rejected { .. }
            | Self::TooLarge { .. }
            | Self::NoRegion
            | Self::Storage
            | Self::Internal => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FAULT: Option<Failure> = Some(Failure::Faulty { status: 503 });

    /// Calls that each end when they begin, by second and outcome.
    fn after(outage: &mut Outage, calls: &[(i64, Option<Failure>)]) -> Vec<OutageChange> {
        let at = |second: i64| Timestamp(second * 1_000);
        calls
            .iter()
            .filter_map(|&(second, failure)| outage.ended(at(second), failure, at(second)))
            .collect()
    }

    #[test]
    fn what_was_told_since_the_last_good_call_may_have_been_missed() {
        let mut outage = Outage::default();
        let news = after(&mut outage, &[(10, None), (15, FAULT), (17, FAULT), (18, None)]);
        assert_eq!(news, [OutageChange::Fails, OutageChange::Over { since: Timestamp(10_000) }]);
        assert_eq!(after(&mut outage, &[(19, None)]), [], "it is told once");
    }

    #[test]
    fn a_service_that_never_worked_was_away_since_the_first_try() {
        let mut outage = Outage::default();
        let news = after(&mut outage, &[(15, FAULT), (17, FAULT), (18, None)]);
        assert_eq!(news, [OutageChange::Fails, OutageChange::Over { since: Timestamp(15_000) }]);
    }

    #[test]
    fn one_failed_call_and_a_volley_in_one_moment_are_no_outage() {
        let mut outage = Outage::default();
        assert_eq!(
            after(&mut outage, &[(10, None), (15, FAULT), (30, None)]),
            [OutageChange::Fails]
        );
        let volley = [(40, FAULT), (40, FAULT), (40, FAULT), (41, FAULT), (60, None)];
        assert_eq!(after(&mut outage, &volley), [OutageChange::Fails]);
    }

    #[test]
    fn a_service_that_fails_now_and_then_is_not_away() {
        let mut outage = Outage::default();
        let calls: Vec<_> =
            (0..100).map(|second| (second, FAULT.filter(|_| second % 2 == 0))).collect();
        let news = after(&mut outage, &calls);
        assert!(news.iter().all(|news| *news == OutageChange::Fails));
    }

    #[test]
    fn silence_counts_from_the_begin_of_the_call_but_not_from_before_a_good_one() {
        let silent = Some(Failure::TimedOut);
        let mut outage = Outage::default();
        outage.ended(Timestamp(0), silent, Timestamp(10_000));
        outage.ended(Timestamp(0), silent, Timestamp(10_000));
        let over = OutageChange::Over { since: Timestamp(0) };
        assert_eq!(outage.ended(Timestamp(10_400), None, Timestamp(10_500)), Some(over));

        let mut hung = Outage::default();
        hung.ended(Timestamp(9_000), None, Timestamp(9_500));
        hung.ended(Timestamp(0), silent, Timestamp(10_000));
        hung.ended(Timestamp(0), silent, Timestamp(10_000));
        assert_eq!(hung.ended(Timestamp(10_400), None, Timestamp(10_500)), None);
    }

    #[test]
    fn what_the_service_refuses_says_nothing_of_an_outage() {
        let refused = Some(Failure::Rejected { status: 404 });
        let mut outage = Outage::default();
        assert_eq!(after(&mut outage, &[(1, refused), (5, refused), (6, None)]), []);
        let between = [(10, FAULT), (12, refused), (14, FAULT), (15, None)];
        let over = OutageChange::Over { since: Timestamp(6_000) };
        assert_eq!(after(&mut outage, &between), [OutageChange::Fails, over]);
    }
}
