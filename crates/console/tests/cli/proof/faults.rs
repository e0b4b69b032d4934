//! What goes wrong between the broker and the console, by a seed.

use serve::{Fault, FaultRule};
use system_tests::{
    chance::Chance,
    fault_plan::{self, DELIVERIES, HOOKS},
};

/// The route of the event channel.
pub const CHANNEL: &str = "/api/v1/x/events";
/// The route by which e-mails are ordered.
const MAILS: &str = "/api/v1/email/{address}";
/// So many webhooks use up [`each_once`], and a few more.
pub const EACH_ONCE_TAKES: usize = 8;

/// Each kind of fault once: on the next deliveries, and on the next calls that put hooks.
pub fn each_once() -> Vec<FaultRule> {
    let kinds = [
        Fault::Drop,
        Fault::DropAnswer,
        Fault::Delay { ms: 300 },
        Fault::Duplicate,
        Fault::Reorder,
        Fault::Status { code: 503 },
    ];
    let on = |route| kinds.map(|fault| rule(route, fault, 0, 1));
    [DELIVERIES, HOOKS].map(on).concat()
}

/// What becomes of a minute's deliveries, calls that put hooks, and orders of e-mails.
pub fn of_a_minute(chance: &mut Chance, without_channel: bool) -> Vec<FaultRule> {
    let mut rules = fault_plan::faults(chance);
    rules.extend((0..3).map(|_| of_a_mail(chance)));
    if without_channel {
        rules.push(FaultRule::always(CHANNEL, Fault::Status { code: 503 }));
    }
    rules
}

/// The same, where deliveries take so long that they are still under way a moment later.
pub fn that_linger(chance: &mut Chance, without_channel: bool) -> Vec<FaultRule> {
    let lingers = |chance: &mut Chance| {
        let after = u32::try_from(chance.below(3)).unwrap();
        rule(DELIVERIES, Fault::Delay { ms: 50 + chance.below(450) }, after, 1)
    };
    let mut rules: Vec<_> = (0..6).map(|_| lingers(chance)).collect();
    rules.extend(of_a_minute(chance, without_channel));
    rules
}

/// An order that arrives twice isn't among them: nobody could tell it from two orders.
fn of_a_mail(chance: &mut Chance) -> FaultRule {
    let fault = match chance.below(4) {
        0 => Fault::Drop,
        1 => Fault::DropAnswer,
        2 => Fault::Delay { ms: chance.below(400) },
        _ => Fault::Status { code: 500 + u16::try_from(chance.below(5)).unwrap() },
    };
    rule(MAILS, fault, u32::try_from(chance.below(8)).unwrap(), 1)
}

fn rule(route: &str, fault: Fault, after: u32, times: u32) -> FaultRule {
    FaultRule { route: route.into(), fault, after, times: Some(times) }
}
