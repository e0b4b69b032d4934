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
