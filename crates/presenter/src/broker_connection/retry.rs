//! When the broker is dialled again, and when that is given up.

use std::time::Duration;

use tunnel::{ProxyError, ProxyFailure};

use crate::{dial::DialError, end_reason::EndReason};

/// How long the program tries to connect for the first time before it gives up.
const FIRST_TIMEOUT: Duration = Duration::from_secs(60);
/// The longest life of a PIN, after which the program ends by itself. A broker that can be reached
/// ends the session sooner.
pub(crate) const LONGEST_LIFE: Duration = Duration::from_secs(25 * 3600);

/// The reason to show. Once the screen was shared, an unknown PIN can only be one that has expired.
pub(super) fn adjusted(ended: EndReason, was_up: bool) -> EndReason {
    match ended {
        EndReason::PinOver | EndReason::UnknownPin if was_up => EndReason::Expired,
        ended => ended,
    }
}

/// The reason to give up while the broker was never reached: at once if another attempt can't help,
/// otherwise after [`FIRST_TIMEOUT`].
pub(super) fn given_up(elapsed: Duration, why: EndReason) -> Option<EndReason> {
    let hopeless = matches!(
        why,
        EndReason::Unreachable(
            DialError::Address
                | DialError::Ca
                | DialError::Certificate(_)
                | DialError::ProxySetting(_)
                | DialError::Proxy(ProxyError {
                    failure: ProxyFailure::Credentials | ProxyFailure::Certificate,
                    ..
                })
        )
    );
    (hopeless || elapsed > FIRST_TIMEOUT).then_some(why)
}

pub(super) fn outlived(elapsed: Duration) -> Option<EndReason> {
    (elapsed > LONGEST_LIFE).then_some(EndReason::Expired)
}

/// The pause before attempt number `tries`: half a second, doubled each time up to 15 s. Of that,
/// the random `chance` takes between half and all, so that after a restart of the broker not all
/// presenters come back at the same moment.
pub(super) fn backoff(tries: u32, chance: u8) -> Duration {
    let whole = Duration::from_millis(500 << tries.min(5)).min(Duration::from_secs(15));
    whole / 2 + whole / 2 * u32::from(chance) / 255
}

pub(super) fn random_byte() -> u8 {
    let mut byte = [0];
    // Without random numbers the pause is the shortest one, which is no reason to fail.
    let _ = getrandom::fill(&mut byte);
    byte[0]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tries_come_later_and_later_but_never_late() {
        assert_eq!(backoff(0, 0), Duration::from_millis(250));
        assert_eq!(backoff(0, 255), Duration::from_millis(500));
        assert_eq!(backoff(3, 255), Duration::from_secs(4));
        assert_eq!(backoff(u32::MAX, 255), Duration::from_secs(15));
    }

    #[test]
    fn what_can_become_better_is_tried_for_a_while() {
        let late = FIRST_TIMEOUT + Duration::from_secs(1);
        let gone = || EndReason::Unreachable(DialError::Unreachable("a".to_owned()));
        assert_eq!(given_up(FIRST_TIMEOUT, gone()), None);
        assert_eq!(given_up(late, gone()), Some(gone()));
        assert_eq!(given_up(late, EndReason::TooMany), Some(EndReason::TooMany));
        let false_one = EndReason::Unreachable(DialError::Certificate("a".to_owned()));
        assert_eq!(given_up(Duration::ZERO, false_one.clone()), Some(false_one));
    }
}
