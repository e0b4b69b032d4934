//! The four hooks as lamps. A lamp is green only if the service confirmed the hook and
//! can reach us.

use engine::journal::EventRecord;
use session::Lamp;
use wire::HookType;

use crate::view::{HookView, LampKind, Reach};

/// The four lamps, in the order in which they are shown.
pub fn view(lamps: &[Lamp; 4], happenings: &[EventRecord], reach: Reach) -> Vec<HookView> {
    HookType::ALL
        .into_iter()
        .zip(lamps)
        .map(|(hook, lamp)| one(hook, lamp, fired(hook, happenings), reach))
        .collect()
}

/// Whether a hook is lost: its second try in a row failed, and it has not been armed since.
pub fn is_lost(lamps: &[Lamp; 4]) -> bool {
    lamps.iter().any(|lamp| match lamp {
        Lamp::Failed { attempt, .. } => *attempt >= 2,
        Lamp::Rearming { attempt, .. } => *attempt >= 3,
        Lamp::Off | Lamp::Armed { .. } | Lamp::Consumed { .. } => false,
    })
}

fn one(hook: HookType, lamp: &Lamp, fired_at: Option<i64>, reach: Reach) -> HookView {
    // A confirmed hook that the service cannot deliver here reports nothing, so it is not green.
    let armed = match reach {
        Reach::Reachable => LampKind::Armed,
        Reach::Unknown | Reach::Unreachable => LampKind::ArmedUnreachable,
    };
    let (kind, checked_at, failure) = match lamp {
        Lamp::Off => (LampKind::Off, None, None),
        Lamp::Rearming { .. } => (LampKind::Rearming, None, None),
        Lamp::Armed { checked } => (armed, Some(checked.0), None),
        Lamp::Failed { failure, .. } => {
            let doing = format!("arm the hook {hook}");
            (LampKind::Failed, None, Some(super::trouble::of_failure(&doing, *failure)))
        }
        Lamp::Consumed { .. } => (LampKind::Consumed, None, None),
    };
    HookView {
        hook: hook.as_str().to_owned(),
        lamp: kind,
        fired_at,
        checked_at,
        attempt: lamp.attempt(),
        failure,
    }
}

/// When a hook last fired, from the events.
fn fired(hook: HookType, happenings: &[EventRecord]) -> Option<i64> {
    let of_hook = |told: &&EventRecord| told.event.facts().hook() == Some(hook);
    // Searched from the newest back, since only the last time is shown.
    happenings.iter().rev().find(of_hook).map(|found| found.at.0)
}

#[cfg(test)]
mod tests {
    use session::{Failure, Timestamp};

    use super::*;

    #[test]
    fn an_armed_hook_is_green_only_where_the_service_reaches_us() {
        let armed = Lamp::Armed { checked: Timestamp(5) };
        let kind = |reach| one(HookType::ViewerStarted, &armed, None, reach).lamp;
        assert_eq!(kind(Reach::Reachable), LampKind::Armed);
        assert_eq!(kind(Reach::Unknown), LampKind::ArmedUnreachable);
        assert_eq!(kind(Reach::Unreachable), LampKind::ArmedUnreachable);
    }

    #[test]
    fn a_failed_hook_says_why_and_what_to_do() {
        let lamp = Lamp::Failed {
            since: Timestamp(0),
            attempt: 2,
            failure: Failure::Faulty { status: 503 },
        };
        let view = one(HookType::ViewerOffline, &lamp, None, Reach::Reachable);
        let trouble = view.failure.unwrap();
        assert_eq!(trouble.text, "Arm the hook viewer_offline: the service has a fault (503).");
        assert!(is_lost(&[Lamp::Off, Lamp::Off, Lamp::Off, lamp]));
    }
}
