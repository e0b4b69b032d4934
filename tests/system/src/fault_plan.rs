//! What goes wrong between a broker and a console, decided by a seed.

use serve::{Fault, FaultRule};

use crate::chance::Chance;

/// The fault plan's name of the deliveries of webhooks.
pub const DELIVERIES: &str = "deliver";
/// The route of the calls that put hooks.
pub const HOOKS: &str = "/api/v1/hook/";

/// What becomes of the next deliveries, and of some calls that put hooks again.
#[must_use]
pub fn faults(chance: &mut Chance) -> Vec<FaultRule> {
    let mut rules = Vec::new();
    for (route, count, most_apart) in [(DELIVERIES, 24, 30), (HOOKS, 6, 60)] {
        for _ in 0..count {
            let fault = match chance.below(7) {
                0 | 1 => Fault::Drop,
                2 => Fault::DropAnswer,
                3 => Fault::Delay { ms: chance.below(400) },
                4 => Fault::Duplicate,
                5 => Fault::Reorder,
                _ => Fault::Status { code: 500 + u16::try_from(chance.below(5)).unwrap() },
            };
            let after = u32::try_from(chance.below(most_apart)).unwrap();
            rules.push(FaultRule { route: route.into(), fault, after, times: Some(1) });
        }
    }
    rules
}
