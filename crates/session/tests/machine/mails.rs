//! E-mails: when one goes out, and that none goes out twice.

use super::*;

fn ordered(to: &str, template: mail::Template, when: mail::When) -> Input {
    let (to, name, by) = (to.to_owned(), "Maria".to_owned(), "anna".to_owned());
    Input::MailOrdered { to, template, name, when, by }
}

fn to_customer(when: mail::When) -> Input {
    ordered("maria@example.com", mail::Template::ToCustomer, when)
}

/// How many e-mails are to go out.
fn sends(effects: &[Effect]) -> usize {
    effects.iter().filter(|e| matches!(e, Effect::SendMail { .. })).count()
}

#[test]
fn a_mail_waits_for_what_it_claims_and_goes_out_once() {
    let mut told = Told::live();
    told.tell(to_customer(mail::When::NextEvent));
    assert_eq!(sends(&told.fire(HookType::PresenterStarted)), 0);
    assert_eq!(sends(&told.fire(HookType::ViewerStarted)), 1);
    told.tell(Input::MailAccepted { id: 1, mail: None });
    assert_eq!(sends(&told.fire(HookType::ViewerStarted)), 0);
}

#[test]
fn a_standing_mail_goes_out_once_for_each_event_whatever_became_of_the_last() {
    let mut told = Told::live();
    told.tell(ordered("team@example.com", mail::Template::ToColleague, mail::When::EveryEvent));
    for answer in [
        Input::MailAccepted { id: 1, mail: None },
        Input::MailFailed { id: 1, failure: Failure::Unreachable },
        Input::MailFailed { id: 1, failure: Failure::TimedOut },
    ] {
        assert_eq!(sends(&told.fire(HookType::ViewerStarted)), 0);
        assert_eq!(sends(&told.fire(HookType::PresenterStarted)), 1);
        assert_eq!(sends(&told.tell(answer)), 0, "a call is never made twice");
    }
}

/// Ordered before the setting was turned on, each in its own way of waiting.
#[test]
fn while_control_waits_no_link_to_control_is_mailed_and_what_was_ordered_before_is_held() {
    let waits = |control_waits| Input::GateSet(Gate { control_waits, ..Gate::default() });
    let orders = |told: &Told| -> Vec<_> {
        told.state.record.mail.iter().map(|order| order.status).collect()
    };
    let mut told = Told::live();
    for when in [mail::When::NextEvent, mail::When::EveryEvent, mail::When::Now] {
        told.tell(Input::MailOrdered {
            to: "team@example.com".into(),
            template: mail::Template::ToColleague,
            name: "Maria".into(),
            when,
            by: "anna".into(),
        });
    }
    told.tell(Input::MailFailed { id: 3, failure: Failure::Unreachable });
    told.tell(waits(true));
    assert_eq!(sends(&told.fire(HookType::PresenterStarted)), 0);
    assert_eq!(sends(&told.tell(Input::MailRepeated { id: 3 })), 0, "again is no way around");
    assert_eq!(orders(&told), [mail::Status::Held; 3]);
    let to_customer = Input::MailOrdered {
        to: "maria@example.com".into(),
        template: mail::Template::ToCustomer,
        name: "Anna".into(),
        when: mail::When::Now,
        by: "anna".into(),
    };
    assert_eq!(sends(&told.tell(to_customer)), 1, "this one has no link to control");
    told.state = State::restored(told.state.record.clone());
    told.state.gate = Gate { control_waits: true, ..Gate::default() };
    assert_eq!(sends(&told.tell(Input::Restored { since: T0 })), 0, "nor is a start");
    told.fire(HookType::PresenterStarted);
    assert_eq!(sends(&told.tell(waits(false))), 3, "each once");
}

#[test]
fn a_mail_for_at_once_waits_for_the_pin() {
    let mut told = Told::new();
    told.tell(Input::Created { region: None });
    assert_eq!(told.tell(to_customer(mail::When::Now)), []);
    let effects = told.tell(Input::Allocated { region: region(), expires: T0.plus(DAY) });
    assert_eq!(sends(&effects), 1);
}

#[test]
fn a_mail_found_half_sent_after_a_crash_is_never_repeated() {
    let mut told = Told::live();
    told.tell(to_customer(mail::When::Now));
    assert_eq!(sends(&told.restart()), 0);
    assert_eq!(told.state.record.mail[0].status, mail::Status::MaybeSent);
}

#[test]
fn a_mail_may_have_been_sent_exactly_where_no_clear_answer_came() {
    for (failure, maybe_sent) in [
        (Failure::Unreachable, false),
        (Failure::Faulty { status: 503 }, false),
        (Failure::NoAnswer, true),
        (Failure::TimedOut, true),
    ] {
        let mut told = Told::live();
        told.tell(to_customer(mail::When::Now));
        told.tell(Input::MailFailed { id: 1, failure });
        assert!(told.events.contains(&Event::Mail(MailEvent::MailFailed {
            id: 1,
            failure,
            maybe_sent
        })));
    }
}
