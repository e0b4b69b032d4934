//! Says what it would end to close a session, or to quit: who is cut off, and what stays valid until when.

use session::{Arrival, Life, Presenter, Record, Timestamp, Viewers};

use super::Setting;
use crate::{
    view::{ClosingView, QuittingView, ServiceKind},
    words::count,
};

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
    /// What is known of a session: `watchers` is what the service's roster says, where it has one.
    pub fn new(name: Option<String>, record: &Record, watchers: Option<u32>) -> Self {
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
                Life::Live(allocation) => Some(allocation.expires),
                Life::Failed { allocation, .. } => {
                    allocation.as_ref().map(|allocation| allocation.expires)
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

/// What quitting would end; `sessions` are those that are live.
pub fn quitting(
    kind: ServiceKind,
    host: &str,
    sessions: &[Connected],
    setting: &Setting<'_>,
) -> QuittingView {
    let live = u32::try_from(sessions.len()).unwrap_or(u32::MAX);
    let mut text = vec![format!("{} live.", count(live, "session is", "sessions are"))];
    match kind {
        ServiceKind::Embedded => {
            text.push(
                "Quitting also stops the broker inside Deskhand, through which these sessions run."
                    .into(),
            );
            text.extend(there(sessions, "connected and will be cut off at once", ""));
            text.push(
                "The sessions are kept. Until Deskhand runs again, nobody can join with their PINs."
                    .into(),
            );
        }
        ServiceKind::Configured => {
            let stay = format!("connected at {host} and will stay connected");
            text.extend(there(sessions, &stay, ", as far as is known"));
            text.push(match sessions.iter().filter_map(|session| session.expires).max() {
                Some(last) => format!(
                    "The PINs stay valid, the last one until about {}.",
                    setting.clock(last)
                ),
                None => "No PIN is valid.".into(),
            });
            text.push(
                "The sessions are kept. Until Deskhand runs again, it isn't told what happens in them."
                    .into(),
            );
        }
    }
    QuittingView { live, text }
}

/// Who is there, a sentence each: of those who are connected it says `fate`, and that nobody is only where that is
/// known, `doubt` aside.
fn there(sessions: &[Connected], fate: &str, doubt: &str) -> Vec<String> {
    let number = |is: &dyn Fn(&Connected) -> bool| {
        let all = sessions.iter().filter(|session| is(session)).count();
        u32::try_from(all).unwrap_or(u32::MAX)
    };
    let people = people(sessions);
    let or_else = if people.is_some() { "somebody else" } else { "somebody" };
    let mut text: Vec<String> =
        people.map(|people| format!("{people} {fate}.")).into_iter().collect();
    let at_page = number(&|session| session.customer == Customer::AtPage);
    if at_page > 0 {
        let have = count(at_page, "customer has", "customers have");
        text.push(format!("{have} their page open."));
    }
    let asked = number(&|session| session.customer == Customer::BeingAsked);
    if asked > 0 {
        let are = count(asked, "customer is", "customers are");
        text.push(format!("{are} being asked whether they agree."));
    }
    let unknown = number(&|session| session.unknown);
    if unknown > 0 {
        let of = count(unknown, "session", "sessions");
        text.push(format!("Of {of} it isn't known whether {or_else} is connected."));
    }
    if text.is_empty() {
        text.push(format!("Nobody is connected{doubt}."));
    }
    text
}

/// What becomes of a session's PIN when the session is closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EndOfPin {
    /// The service ends it when asked.
    AtOnce,
    /// The service ends it, but didn't answer when it was last asked something.
    WhenItAnswers,
    /// The service ends none: it ends by itself.
    ByItself,
    /// It isn't known yet what the service can do.
    NotKnown,
}

/// What closing `record`'s session would end.
pub fn closing(
    record: &Record,
    connected: &Connected,
    wrote: bool,
    end: EndOfPin,
    setting: &Setting<'_>,
) -> ClosingView {
    let there = [Connected { name: None, ..connected.clone() }];
    let mut text = vec!["A closed session can't be opened again.".to_owned()];
    let expires = connected.expires.filter(|at| *at > setting.now);
    match (expires.map(|at| setting.clock(at)), end) {
        (None, _) => text.push("Its PIN is no longer valid.".into()),
        (Some(_), EndOfPin::AtOnce) => {
            text.push("Its PIN ends at once.".into());
            text.extend(people(&there).map(|are| format!("{are} connected and will be cut off.")));
        }
        (Some(until), EndOfPin::WhenItAnswers) => {
            text.push(format!(
                "The PIN ends as soon as the service answers again, or by itself at about {until}."
            ));
            text.extend(named(&there).map(|(people, is_one)| {
                let stay = if is_one { "stays" } else { "stay" };
                format!("{people} {stay} connected until then.")
            }));
        }
        (Some(until), end @ (EndOfPin::ByItself | EndOfPin::NotKnown)) => {
            let may = if end == EndOfPin::NotKnown { "may stay" } else { "stays" };
            text.push(format!("Its PIN {may} valid until about {until}."));
            // The chat is fetched once more when it is closed, and then no more.
            text.push("What is written in its chat after it is closed isn't saved here.".into());
            if connected.customer == Customer::Connected {
                text.push("Ask the customer to quit the program.".into());
            }
        }
    }
    ClosingView { text, nobody_came: record.presenter == Presenter::Never && !wrote }
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

    const HOUR: i64 = 3_600_000;

    const SETTING: Setting<'static> =
        Setting { now: Timestamp(9 * HOUR), zone: &TimeZone::UTC, dated: false };

    fn connected(name: &str, customer: bool, viewers: u32) -> Connected {
        let name = Some(name.to_owned()).filter(|name| !name.is_empty());
        let customer = if customer { Customer::Connected } else { Customer::Away };
        let expires = Some(Timestamp(14 * HOUR));
        Connected { name, customer, viewers, unknown: false, expires }
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
    fn nobody_is_connected_is_said_only_where_it_is_known() {
        let nobody = connected("", false, 0);
        let hidden = Connected { unknown: true, ..nobody.clone() };
        let at_page = Connected { customer: Customer::AtPage, ..nobody.clone() };
        let asked = Connected { customer: Customer::BeingAsked, ..nobody.clone() };
        let maria = connected("Maria Lopez", true, 0);
        let of = |sessions: &[&Connected]| {
            let sessions: Vec<_> = sessions.iter().map(|&session| session.clone()).collect();
            there(&sessions, "connected", "").join(" ")
        };
        assert_eq!(of(&[&nobody]), "Nobody is connected.");
        let one = "Of 1 session it isn't known whether somebody is connected.";
        assert_eq!(of(&[&hidden, &nobody]), one);
        assert_eq!(
            of(&[&maria, &hidden, &hidden]),
            "Maria Lopez is connected. \
             Of 2 sessions it isn't known whether somebody else is connected."
        );
        assert_eq!(of(&[&at_page]), "1 customer has their page open.");
        assert_eq!(
            of(&[&at_page, &asked, &at_page, &hidden]),
            format!(
                "2 customers have their page open. \
                 1 customer is being asked whether they agree. {one}"
            )
        );
        assert_eq!(of(&[&asked, &asked]), "2 customers are being asked whether they agree.");
        for kind in [ServiceKind::Embedded, ServiceKind::Configured] {
            assert!(told(kind, std::slice::from_ref(&nobody)).contains("Nobody is connected"));
            for there in [&hidden, &at_page, &asked] {
                assert!(!told(kind, std::slice::from_ref(there)).contains("Nobody"), "{there:?}");
            }
        }
    }

    #[test]
    fn a_record_tells_how_far_the_customer_is_there() {
        let since = Timestamp(0);
        let mut record = State::new(About::default(), "Anna".into(), since).record;
        let of = |record: &Record, watchers| {
            let connected = Connected::new(None, record, watchers);
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
    fn closing_says_what_becomes_of_the_pin_and_of_who_is_there() {
        let mut record = State::new(About::default(), "Anna".into(), Timestamp(0)).record;
        let close = |record: &Record, there: &Connected, end| {
            closing(record, there, false, end, &SETTING).text.join(" ")
        };
        let (there, nobody) = (connected("Maria Lopez", true, 1), connected("", false, 0));
        assert_eq!(
            close(&record, &there, EndOfPin::AtOnce),
            "A closed session can't be opened again. Its PIN ends at once. \
             The customer and 1 viewer are connected and will be cut off."
        );
        assert_eq!(
            close(&record, &there, EndOfPin::WhenItAnswers),
            "A closed session can't be opened again. \
             The PIN ends as soon as the service answers again, or by itself at about 14:00. \
             The customer and 1 viewer stay connected until then."
        );
        let alone = close(&record, &connected("", true, 0), EndOfPin::WhenItAnswers);
        assert!(alone.ends_with("The customer stays connected until then."), "{alone}");
        let stays = "A closed session can't be opened again. Its PIN stays valid until about 14:00. \
                     What is written in its chat after it is closed isn't saved here.";
        assert_eq!(
            close(&record, &there, EndOfPin::ByItself),
            format!("{stays} Ask the customer to quit the program.")
        );
        assert_eq!(close(&record, &nobody, EndOfPin::ByItself), stays);
        assert!(
            close(&record, &there, EndOfPin::NotKnown)
                .contains("Its PIN may stay valid until about 14:00.")
        );
        let over = Connected { expires: None, ..connected("", false, 0) };
        assert!(close(&record, &over, EndOfPin::AtOnce).ends_with("Its PIN is no longer valid."));
        let ran_out = Connected { expires: Some(SETTING.now), ..connected("", false, 0) };
        assert_eq!(
            close(&record, &ran_out, EndOfPin::AtOnce),
            close(&record, &over, EndOfPin::AtOnce)
        );

        let nobody_came = |record: &Record, wrote| {
            closing(record, &over, wrote, EndOfPin::NotKnown, &SETTING).nobody_came
        };
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
