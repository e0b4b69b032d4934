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
    let clock = |at: Timestamp| format!("10:{:02}", at.0 / 60_000);
    let log = LogContext { created_by: "anna", at: Timestamp(120_000), clock: &clock };
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
    let text = |at| gone.log_line(&LogContext { at, ..log }).text;
    let late = "Told late, after something newer: all viewers had left";
    assert_eq!(text(Timestamp(120_000)), format!("{late} at 10:00"));
    assert_eq!(text(Timestamp(5)), late, "the line stands at its own time");
}

#[test]
fn a_line_of_the_log_has_a_second_time_only_where_that_says_something() {
    let clock = |at: Timestamp| format!("10:{:02}", at.0 / 60_000);
    let told = Timestamp(120_000);
    let log = LogContext { created_by: "anna", at: told, clock: &clock };
    let texts = |at, left| {
        let events: [Event; 5] = [
            ArrivalEvent::CustomerAsked { at }.into(),
            ArrivalEvent::CustomerDeclined { at }.into(),
            PresenceEvent::PresenterOffline { overtaken: None, left: Some(left) }.into(),
            PresenceEvent::ViewersGone { overtaken: None, left: Some(left) }.into(),
            PresenceEvent::SecondProgram { at }.into(),
        ];
        events.map(|event| event.facts().log_line(&log).text)
    };
    let begins = |texts: &[String], expected: [&str; 5]| {
        for (text, expected) in texts.iter().zip(expected) {
            assert!(text.starts_with(expected), "{text}");
        }
    };
    let earlier = Timestamp(60_000);
    begins(
        &texts(earlier, earlier),
        [
            "The customer was asked at 10:01",
            "The customer declined at 10:01",
            "The customer's program is offline: it left at 10:01",
            "All viewers left at 10:01",
            "A second program came with this PIN at 10:01:",
        ],
    );
    // Less than a reader sees: within seconds, also where a minute begins between them, or in the same minute.
    for same in [told, Timestamp(117_000), Timestamp(150_000)] {
        let texts = texts(same, same);
        assert_eq!(
            texts[..4],
            [
                "The customer was asked",
                "The customer declined",
                "The customer's program is offline",
                "All viewers left",
            ]
        );
        assert!(texts[4].starts_with("A second program came with this PIN: it"), "{}", texts[4]);
    }
}
