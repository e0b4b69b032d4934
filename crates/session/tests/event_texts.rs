//! Notifications as people read them (product.md, Notifications).

use session::{
    ArrivalEvent, ChatEvent, Event, EventFacts, Failure, HookEvent, LogContext, Overtaken,
    PresenceEvent, Timestamp, VerificationChange, VerificationEvent, verification::Subject,
};
use wire::HookType;

#[test]
fn notifications_read_as_the_product_has_them() {
    let failure = Failure::TimedOut;
    let told = |event: Event| {
        let notice = event.facts().notice("Maria Lopez");
        assert!(notice.notify, "{}", notice.text);
        notice.text
    };
    let online = PresenceEvent::PresenterOnline { again: false, overtaken: None };
    assert_eq!(told(online.into()), "Maria Lopez is online");
    assert_eq!(
        told(PresenceEvent::PresenterOffline { overtaken: None, left: None }.into()),
        "Maria Lopez went offline"
    );
    let denied = |who| {
        let change = VerificationChange::VerificationDenied;
        Event::from(VerificationEvent { id: 1, who, user: "maria.lopez".into(), change })
    };
    assert_eq!(told(denied(Subject::Customer)), "Maria Lopez denied");
    assert_eq!(told(denied(Subject::Technician)), "maria.lopez denied");
    let joined = PresenceEvent::ViewerJoined { again: false, overtaken: None };
    assert_eq!(told(joined.into()), "A viewer joined Maria Lopez's session");
    assert_eq!(
        told(ChatEvent::TranscriptSaved { messages: 12 }.into()),
        "Transcript of Maria Lopez's session saved (12 messages)"
    );
    assert_eq!(
        told(ChatEvent::TranscriptFailed { failure }.into()),
        "Transcript not saved yet; it is tried again"
    );
    assert_eq!(
        told(HookEvent::HookLost { hook: HookType::ViewerOffline, failure, is_first: true }.into()),
        "Maria Lopez: status may be out of date (hook viewer_offline could not be re-armed)"
    );
}

#[test]
fn what_something_newer_has_overtaken_reads_as_what_was_so_and_notifies_nobody() {
    let clock = |_| "10:02".to_owned();
    let log = LogContext { created_by: "anna", at: Timestamp(0), clock: &clock };
    let told_late = |at| {
        let overtaken = Some(Overtaken { at });
        [
            PresenceEvent::PresenterOnline { again: false, overtaken },
            PresenceEvent::PresenterOffline { overtaken, left: None },
            PresenceEvent::ViewerJoined { again: false, overtaken },
            PresenceEvent::ViewersGone { overtaken, left: None },
        ]
    };
    for event in told_late(None).into_iter().chain(told_late(Some(Timestamp(5)))) {
        let notice = event.notice("Maria Lopez");
        assert!(!notice.notify, "{}", notice.text);
        assert!(notice.text.starts_with("Told late: "), "{}", notice.text);
        assert_eq!((event.presence_change(), event.side().is_some()), (None, true));
    }
    let [.., gone] = told_late(Some(Timestamp(5)));
    assert_eq!(
        gone.log_line(&log).text,
        "Told late, after something newer: all viewers had left at 10:02"
    );
}

#[test]
fn a_line_names_the_time_of_an_arrival_only_where_its_own_is_another() {
    let clock = |at: Timestamp| format!("10:{:02}", at.0 / 60_000);
    let told = |at| {
        let log = LogContext { created_by: "anna", at: Timestamp(at), clock: &clock };
        let at = Timestamp(30_000);
        let (opened, asked) = (ArrivalEvent::PageOpened { at }, ArrivalEvent::CustomerAsked { at });
        [opened.log_line(&log).text, asked.log_line(&log).text]
    };
    assert_eq!(told(31_000), ["The customer opened the page", "The customer is being asked"]);
    assert_eq!(
        told(95_000),
        ["The customer opened the page at 10:00", "The customer is being asked since 10:00"]
    );
}
