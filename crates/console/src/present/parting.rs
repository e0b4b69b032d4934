//! Says what it would end to close a session, or to quit: who is cut off, and what stays valid until when.

use session::{Life, Presenter, Record, Timestamp, Viewers};

use super::Setting;
use crate::{
    view::{ClosingView, QuittingView, ServiceKind},
    words::count,
};

/// How many customers are named; the others are counted.
const NAMED: usize = 3;

/// Who is connected to a session, as far as is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Connected {
    /// What the session is called; none while the console is locked.
    pub name: Option<String>,
    /// Whether the customer's program is online.
    pub customer: bool,
    /// How many viewers are there.
    pub viewers: u32,
    /// About when the session's PIN expires; none if it has none that is valid.
    pub expires: Option<Timestamp>,
}

impl Connected {
    /// What is known of a session: `watchers` is what the service's roster says, where it has one.
    pub fn new(name: Option<String>, record: &Record, watchers: Option<u32>) -> Self {
        // Hooks tell only that there is one at least.
        let left = &record.observed;
        let some = matches!(record.viewers, Viewers::Some { .. }) && left.viewers_left.is_none();
        let told = u32::from(some);
        Self {
            name,
            customer: matches!(record.presenter, Presenter::Online { .. })
                && left.presenter_left.is_none(),
            viewers: watchers.unwrap_or(told),
            expires: match &record.life {
                Life::Live(allocation) => Some(allocation.expires),
                Life::Allocating
                | Life::Over { .. }
                | Life::Closed { .. }
                | Life::Failed { .. } => None,
            },
        }
    }
}

/// What quitting would end; `sessions` are those that are live.
pub fn quitting(
    kind: ServiceKind,
    host: &str,
    sessions: &[Connected],
    setting: &Setting<'_>,
) -> QuittingView {
    let live = u32::try_from(sessions.len()).unwrap_or(u32::MAX);
    let there = people(sessions);
    let text: Vec<String> = match kind {
        ServiceKind::Embedded => vec![
            "Quitting also stops the broker inside Deskhand, through which these sessions run."
                .into(),
            match there {
                Some(people) => format!("{people} connected and will be cut off at once."),
                None => "Nobody is connected.".into(),
            },
            "The sessions are kept. Until Deskhand runs again, nobody can join with their PINs."
                .into(),
        ],
        ServiceKind::Configured => vec![
            match there {
                Some(people) => format!("{people} connected at {host} and will stay connected."),
                None => "Nobody is connected, as far as is known.".into(),
            },
            match sessions.iter().filter_map(|session| session.expires).max() {
                Some(last) => format!(
                    "The PINs stay valid, the last one until about {}.",
                    setting.clock(last)
                ),
                None => "No PIN is valid.".into(),
            },
            "The sessions are kept. Until Deskhand runs again, it isn't told what happens in them."
                .into(),
        ],
    };
    let live_now = format!("{} live.", count(live, "session is", "sessions are"));
    QuittingView { live, text: [live_now].into_iter().chain(text).collect() }
}

/// What closing `record`'s session would end. `can_revoke`: whether the service ends a PIN when asked; none if that
/// isn't known.
pub fn closing(
    record: &Record,
    connected: &Connected,
    wrote: bool,
    can_revoke: Option<bool>,
    setting: &Setting<'_>,
) -> ClosingView {
    let there = people(std::slice::from_ref(&Connected { name: None, ..connected.clone() }));
    let mut text = vec!["A closed session can't be opened again.".to_owned()];
    match (connected.expires.map(|at| setting.clock(at)), can_revoke) {
        (None, _) => text.push("Its PIN is no longer valid.".into()),
        (Some(_), Some(true)) => {
            text.push("Its PIN ends at once.".into());
            text.extend(there.map(|people| format!("{people} connected and will be cut off.")));
        }
        (Some(until), known) => {
            let may = if known.is_none() { "may stay" } else { "stays" };
            text.push(format!("Its PIN {may} valid until about {until}."));
            if connected.customer {
                text.push("Ask the customer to quit the program.".into());
            }
        }
    }
    ClosingView { text, nobody_came: record.presenter == Presenter::Never && !wrote }
}

/// Such as "Maria Lopez and 2 viewers are": who is connected, none if nobody is.
fn people(sessions: &[Connected]) -> Option<String> {
    let customers: Vec<&Connected> = sessions.iter().filter(|session| session.customer).collect();
    let viewers: u32 = sessions.iter().map(|session| session.viewers).sum();
    let names: Vec<&str> =
        customers.iter().filter_map(|session| session.name.as_deref()).take(NAMED).collect();
    let mut parts: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    match u32::try_from(customers.len() - names.len()).unwrap_or(u32::MAX) {
        0 => {}
        1 if names.is_empty() && sessions.len() == 1 => parts.push("The customer".into()),
        more if names.is_empty() => parts.push(count(more, "customer", "customers")),
        more => parts.push(count(more, "more customer", "more customers")),
    }
    if viewers > 0 {
        parts.push(count(viewers, "viewer", "viewers"));
    }
    let is = if customers.len() + viewers as usize == 1 { "is" } else { "are" };
    let last = parts.pop()?;
    Some(match parts.is_empty() {
        true => format!("{last} {is}"),
        false => format!("{} and {last} {is}", parts.join(", ")),
    })
}

#[cfg(test)]
mod tests {
    use jiff::tz::TimeZone;
    use session::{About, State};

    use super::*;

    const HOUR: i64 = 3_600_000;

    const SETTING: Setting<'static> = Setting { now: Timestamp(9 * HOUR), zone: &TimeZone::UTC };

    fn connected(name: &str, customer: bool, viewers: u32) -> Connected {
        let name = Some(name.to_owned()).filter(|name| !name.is_empty());
        Connected { name, customer, viewers, expires: Some(Timestamp(14 * HOUR)) }
    }

    fn told(kind: ServiceKind, sessions: &[Connected]) -> String {
        quitting(kind, "broker.example", sessions, &SETTING).text.join(" ")
    }

    #[test]
    fn quitting_with_the_broker_inside_cuts_off_who_is_connected() {
        let sessions = [connected("Maria Lopez", true, 2), connected("Ben", false, 0)];
        assert_eq!(
            told(ServiceKind::Embedded, &sessions),
            "2 sessions are live. \
             Quitting also stops the broker inside Deskhand, through which these sessions run. \
             Maria Lopez and 2 viewers are connected and will be cut off at once. \
             The sessions are kept. Until Deskhand runs again, nobody can join with their PINs."
        );
        assert!(told(ServiceKind::Embedded, &sessions[1..]).contains("Nobody is connected."));
    }

    #[test]
    fn quitting_at_a_service_elsewhere_leaves_everybody_connected_and_says_until_when() {
        let text = told(ServiceKind::Configured, &[connected("Maria Lopez", true, 0)]);
        assert_eq!(
            text,
            "1 session is live. Maria Lopez is connected at broker.example and will stay connected. \
             The PINs stay valid, the last one until about 14:00. \
             The sessions are kept. Until Deskhand runs again, it isn't told what happens in them."
        );
    }

    #[test]
    fn closing_says_what_becomes_of_the_pin_and_of_who_is_there() {
        let mut record = State::new(About::default(), "Anna".into(), Timestamp(0)).record;
        let close = |record: &Record, there: &Connected, can_revoke| {
            closing(record, there, false, can_revoke, &SETTING).text.join(" ")
        };
        let (there, nobody) = (connected("Maria Lopez", true, 1), connected("", false, 0));
        assert_eq!(
            close(&record, &there, Some(true)),
            "A closed session can't be opened again. Its PIN ends at once. \
             The customer and 1 viewer are connected and will be cut off."
        );
        let stays =
            "A closed session can't be opened again. Its PIN stays valid until about 14:00.";
        assert_eq!(
            close(&record, &there, Some(false)),
            format!("{stays} Ask the customer to quit the program.")
        );
        assert_eq!(close(&record, &nobody, Some(false)), stays);
        assert!(close(&record, &there, None).contains("Its PIN may stay valid until about 14:00."));
        let over = Connected { expires: None, ..connected("", false, 0) };
        assert!(close(&record, &over, Some(true)).ends_with("Its PIN is no longer valid."));

        let nobody_came =
            |record: &Record, wrote| closing(record, &over, wrote, None, &SETTING).nobody_came;
        assert!(nobody_came(&record, false));
        assert!(!nobody_came(&record, true), "somebody wrote");
        record.presenter = Presenter::Unknown { since: Timestamp(0) };
        assert!(!nobody_came(&record, false), "nobody knows");
    }

    #[test]
    fn many_are_counted_and_a_locked_console_names_nobody() {
        let many = ["A", "B", "C", "D", "E"].map(|name| connected(name, true, 0));
        assert_eq!(people(&many).unwrap(), "A, B, C and 2 more customers are");
        assert_eq!(
            people(&[connected("", true, 0), connected("", true, 1)]).unwrap(),
            "2 customers and 1 viewer are"
        );
        assert_eq!(people(&[connected("Ben", false, 1)]).unwrap(), "1 viewer is");
        assert_eq!(people(&[]), None);
    }
}
