//! An e-mail as it is shown: how far it has come, and never more than is known.

use session::{
    Gate, Record,
    mail::{Fate, Order, Status, Template, When},
    text::plain,
};
use wire::session_events::MailState;

use super::Setting;
use crate::{
    view::{MailKind, MailView},
    words,
};

/// The longest words of a mail server that are shown, in characters.
const LONGEST_REASON: usize = 300;

const CONTROL_WAITS: &str = "Held back: its link gives control, and none is sent while control waits for the words (see the settings)";

/// The e-mails of a session. Of one that is over the broker tells nothing any more.
pub fn views(record: &Record, gate: Gate, setting: &Setting<'_>) -> Vec<MailView> {
    let is_told = record.is_live() && record.observed.is_told;
    record.mail.iter().map(|order| view(order, gate, is_told, setting)).collect()
}

/// An e-mail in a session's list. `is_told`: the broker tells what becomes of it.
fn view(order: &Order, gate: Gate, is_told: bool, setting: &Setting<'_>) -> MailView {
    let (state, status) = match (order.status, &order.fate) {
        (Status::Accepted { .. }, Some(fate)) => told(fate, is_told, setting),
        (Status::Held, _) if gate.control_waits => (MailKind::Held, CONTROL_WAITS.into()),
        _ => known_here(order, setting),
    };
    let waits = matches!(state, MailKind::Waiting | MailKind::Held);
    // A rule that has sent an e-mail waits for the next occasion.
    let waits_again =
        order.when == When::EveryEvent && matches!(order.status, Status::Accepted { .. });
    MailView {
        id: order.id,
        to: words::plain(&order.to, words::LONGEST_ADDRESS),
        to_customer: order.template == Template::ToCustomer,
        state,
        status,
        waiting: waits || waits_again,
        doubtful: matches!(
            state,
            MailKind::Failed | MailKind::MaybeSent | MailKind::NotSent | MailKind::Refused
        ),
        can_repeat: order.can_be_repeated(),
    }
}

/// By the broker's own word.
fn told(fate: &Fate, is_told: bool, setting: &Setting<'_>) -> (MailKind, String) {
    let at = setting.clock(fate.at);
    let reason = plain(&fate.reason, LONGEST_REASON);
    match fate.state {
        MailState::Queued if !is_told => {
            let tried = match reason.is_empty() {
                true => String::new(),
                false => format!(", where it was not taken yet ({reason})"),
            };
            let text =
                format!("On its way to the mail server {at}{tried}. What became of it isn't known");
            (MailKind::Queued, text)
        }
        MailState::NotSent => (
            MailKind::NotSent,
            "Not sent: no mail server is configured. It waits in the broker's outbox".into(),
        ),
        MailState::Queued if reason.is_empty() => {
            (MailKind::Queued, "Being handed to the mail server".into())
        }
        MailState::Queued => {
            (MailKind::Queued, format!("Not taken yet; it will be tried again: {reason}"))
        }
        MailState::HandedOver => (
            MailKind::HandedOver,
            format!("Handed to the mail server {at}. Whether it arrives isn't known"),
        ),
        MailState::Refused => (MailKind::Refused, format!("Refused {at}: {reason}")),
    }
}

/// By what this console did, and the service's answer.
fn known_here(order: &Order, setting: &Setting<'_>) -> (MailKind, String) {
    let event = match order.template {
        Template::ToCustomer => "you are connected",
        Template::ToColleague => "the customer is online",
    };
    match order.status {
        Status::Waiting => (
            MailKind::Waiting,
            match order.when {
                When::Now => "Goes out".into(),
                When::NextEvent => format!("Goes out when {event}"),
                When::EveryEvent => format!("Goes out whenever {event}"),
            },
        ),
        Status::Held => (MailKind::Held, "Held back until the customer is verified".into()),
        Status::Sending => (MailKind::Sending, "Being given to the service".into()),
        Status::Accepted { at } => (
            MailKind::Accepted,
            format!(
                "Accepted by the service {}. Whether it arrives isn't known",
                setting.clock(at)
            ),
        ),
        Status::MaybeSent => {
            (MailKind::MaybeSent, "May have been sent; it is not sent again by itself".into())
        }
        Status::Failed { failure } => (MailKind::Failed, format!("Not sent: {}", failure.reason())),
    }
}

#[cfg(test)]
mod tests {
    use jiff::tz::TimeZone;
    use session::{About, Life, State, Timestamp, state::Allocation};

    use super::*;

    const AT: Timestamp = Timestamp(14 * 3_600_000 + 60_000);

    fn shown(status: Status, fate: Option<(MailState, &str)>) -> MailView {
        mail(status, fate, true)
    }

    fn order(status: Status, fate: Option<(MailState, &str)>) -> Order {
        let fate = fate.map(|(state, reason)| Fate { state, reason: reason.into(), at: AT });
        Order {
            id: 1,
            to: "maria@example.com".into(),
            template: Template::ToCustomer,
            name: "Anna".into(),
            when: When::Now,
            by: "anna".into(),
            status,
            ids: Vec::new(),
            fate,
        }
    }

    fn mail(status: Status, fate: Option<(MailState, &str)>, is_told: bool) -> MailView {
        let setting = Setting { now: AT, zone: &TimeZone::UTC, dated: false };
        view(&order(status, fate), Gate::default(), is_told, &setting)
    }

    #[test]
    fn nothing_is_under_way_for_ever_once_its_session_is_over() {
        let mut record = State::new(About::default(), "anna".into(), AT).record;
        record.mail = vec![order(Status::Accepted { at: AT }, Some((MailState::Queued, "")))];
        record.observed.is_told = true;
        let region = "us-east-1".parse().unwrap();
        record.life = Life::Live(Allocation { region, at: AT, expires: Timestamp(i64::MAX) });
        let setting = Setting { now: AT, zone: &TimeZone::UTC, dated: false };
        let status = |record: &Record| views(record, Gate::default(), &setting)[0].status.clone();
        assert_eq!(status(&record), "Being handed to the mail server");
        record.life = Life::Allocating;
        assert!(status(&record).contains("What became of it isn't known"), "{}", status(&record));
    }

    #[test]
    fn what_holds_a_mail_back_is_said() {
        let setting = Setting { now: AT, zone: &TimeZone::UTC, dated: false };
        let held = |gate| view(&order(Status::Held, None), gate, true, &setting);
        let waits = held(Gate { control_waits: true, ..Gate::default() });
        assert_eq!((waits.state, waits.waiting), (MailKind::Held, true));
        assert!(waits.status.contains("while control waits for the words"), "{}", waits.status);
        assert!(held(Gate::default()).status.contains("until the customer is verified"));
    }

    #[test]
    fn what_becomes_of_a_mail_is_claimed_no_longer_than_it_is_told() {
        let accepted = Status::Accepted { at: AT };
        let mail = |reason| mail(accepted, Some((MailState::Queued, reason)), false);
        assert_eq!(
            mail("").status,
            "On its way to the mail server 14:01. What became of it isn't known"
        );
        assert_eq!(
            mail("451 later").status,
            "On its way to the mail server 14:01, where it was not taken yet (451 later). \
             What became of it isn't known"
        );
        assert_eq!((mail("").state, mail("").can_repeat), (MailKind::Queued, false));
    }

    #[test]
    fn a_mail_never_claims_more_than_is_known() {
        let accepted = Status::Accepted { at: AT };
        let told = |state, reason| shown(accepted, Some((state, reason)));
        let table = [
            (shown(accepted, None), MailKind::Accepted, false),
            (told(MailState::Queued, ""), MailKind::Queued, false),
            (told(MailState::Queued, "451 later"), MailKind::Queued, false),
            (told(MailState::HandedOver, ""), MailKind::HandedOver, false),
            (told(MailState::NotSent, "no mail server is configured"), MailKind::NotSent, true),
            (told(MailState::Refused, "550 no such user"), MailKind::Refused, true),
            (shown(Status::MaybeSent, None), MailKind::MaybeSent, true),
        ];
        for (mail, kind, can_repeat) in table {
            assert_eq!((mail.state, mail.can_repeat), (kind, can_repeat), "{}", mail.status);
            assert_eq!(mail.doubtful, can_repeat);
            assert!(!mail.status.starts_with("Sent") && !mail.status.contains("elivered"));
        }
        assert_eq!(
            told(MailState::Refused, "550 no such user").status,
            "Refused 14:01: 550 no such user"
        );
        assert_eq!(
            shown(accepted, None).status,
            "Accepted by the service 14:01. Whether it arrives isn't known"
        );
    }
}
