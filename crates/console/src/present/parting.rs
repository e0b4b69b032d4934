//! Says what it would end to close a session, or to quit: who is cut off, and what stays valid until when.

mod closing;
mod quitting;

use session::{Arrival, Life, Presenter, Record, Timestamp, Viewers};

pub use self::{
    closing::{EndOfPin, closing},
    quitting::quitting,
};
use crate::words::count;

/// How many customers are named; the others are counted.
const NAMED: usize = 3;

/// How far the customer of a session is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Customer {
    /// Nothing shows that they are, or they are gone.
    Away,
    /// Their page is open, and no program of theirs is connected.
    AtPage,
    /// They are being asked whether they agree.
    BeingAsked,
    /// Their program is online.
    Connected,
}

/// Who is connected to a session, as far as is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Connected {
    /// What the session is called; none while the console is locked.
    pub name: Option<String>,
    /// How far the customer is there.
    pub customer: Customer,
    /// How many viewers are there.
    pub viewers: u32,
    /// Whether somebody may be connected of whom nothing is known.
    pub unknown: bool,
    /// About when the session's PIN expires; none if it has none that is valid.
    pub expires: Option<Timestamp>,
}

impl Connected {
    /// What is known of a session at `now`: `watchers` is what the service's roster says, where it has one.
    pub fn new(
        name: Option<String>,
        record: &Record,
        watchers: Option<u32>,
        now: Timestamp,
    ) -> Self {
        // Hooks tell only that there is one at least.
        let left = &record.observed;
        let some = matches!(record.viewers, Viewers::Some { .. }) && left.viewers_left.is_none();
        let told = u32::from(some);
        let hidden = matches!(record.viewers, Viewers::Unknown { .. }) && watchers.is_none();
        Self {
            name,
            customer: customer(record),
            viewers: watchers.unwrap_or(told),
            unknown: hidden || matches!(record.presenter, Presenter::Unknown { .. }),
            expires: match &record.life {
                Life::Live(allocation) => Some(allocation.end(now)),
                Life::Failed { allocation, .. } => {
                    allocation.as_ref().map(|allocation| allocation.end(now))
                }
                Life::Allocating | Life::Over { .. } | Life::Closed { .. } => None,
            },
        }
    }
}

/// How far the customer is there, as the session's status tells it.
const fn customer(record: &Record) -> Customer {
    let observed = &record.observed;
    match (record.presenter, observed.presenter_left, observed.arrival) {
        // They may have moved on unseen since they last came so far.
        (Presenter::Unknown { .. }, _, _) => Customer::Away,
        (Presenter::Online { .. }, None, _) => Customer::Connected,
        (_, _, Arrival::Asked { .. }) => Customer::BeingAsked,
        (_, _, Arrival::PageOpen { .. }) if observed.arrival_is_newest => Customer::AtPage,
        (Presenter::Never | Presenter::Offline { .. } | Presenter::Online { .. }, _, _) => {
            Customer::Away
        }
    }
}

/// Such as "Maria Lopez and 2 viewers are": who is known to be connected, none if nobody is.
fn people(sessions: &[Connected]) -> Option<String> {
    let (people, is_one) = named(sessions)?;
    Some(format!("{people} {}", if is_one { "is" } else { "are" }))
}

/// Such as "Maria Lopez and 2 viewers", and whether that is one person only.
fn named(sessions: &[Connected]) -> Option<(String, bool)> {
    let is_connected = |session: &&Connected| session.customer == Customer::Connected;
    let customers: Vec<&Connected> = sessions.iter().filter(is_connected).collect();
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
    let is_one = customers.len() + viewers as usize == 1;
    let last = parts.pop()?;
    let people = match parts.is_empty() {
        true => last,
        false => format!("{} and {last}", parts.join(", ")),
    };
    Some((people, is_one))
}

#[cfg(test)]
mod tests {
    use jiff::tz::TimeZone;
    use session::{About, State};

    use super::*;
    use crate::present::Setting;

    const HOUR: i64 = 3_600_000;

    pub(super) const SETTING: Setting<'static> =
        Setting { now: Timestamp(9 * HOUR), zone: &TimeZone::UTC, dated: false };

    pub(super) fn connected(name: &str, customer: bool, viewers: u32) -> Connected {
        let name = Some(name.to_owned()).filter(|name| !name.is_empty());
        let customer = if customer { Customer::Connected } else { Customer::Away };
        let expires = Some(Timestamp(14 * HOUR));
        Connected { name, customer, viewers, unknown: false, expires }
    }

    #[test]
    fn a_record_tells_how_far_the_customer_is_there() {
        let since = Timestamp(0);
        let mut record = State::new(About::default(), "Anna".into(), since).record;
        let of = |record: &Record, watchers| {
            let connected = Connected::new(None, record, watchers, since);
            (connected.customer, connected.unknown)
        };
        assert_eq!(of(&record, None), (Customer::Away, false));
        record.viewers = Viewers::Unknown { since };
        assert_eq!(of(&record, None), (Customer::Away, true));
        assert_eq!(of(&record, Some(0)), (Customer::Away, false), "the roster knows");

        record.observed.arrival = Arrival::PageOpen { since };
        assert_eq!(of(&record, Some(0)).0, Customer::Away, "they left since");
        record.observed.arrival_is_newest = true;
        assert_eq!(of(&record, Some(0)).0, Customer::AtPage);
        record.observed.arrival = Arrival::Asked { since };
        assert_eq!(of(&record, Some(0)).0, Customer::BeingAsked);
        record.presenter = Presenter::Online { since };
        assert_eq!(of(&record, Some(0)).0, Customer::Connected);
        record.presenter = Presenter::Unknown { since };
        assert_eq!(of(&record, Some(0)), (Customer::Away, true));
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
