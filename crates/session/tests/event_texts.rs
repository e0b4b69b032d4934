//! Notifications as people read them (product.md, Notifications).

use session::{
    ChatEvent, Event, Failure, HookEvent, PresenceEvent, VerificationChange, VerificationEvent,
    verification::Subject,
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
    let online = PresenceEvent::PresenterOnline { again: false };
    assert_eq!(told(online.into()), "Maria Lopez is online");
    assert_eq!(told(PresenceEvent::PresenterOffline.into()), "Maria Lopez went offline");
    let denied = |who| {
        let change = VerificationChange::VerificationDenied;
        Event::from(VerificationEvent { id: 1, who, user: "maria.lopez".into(), change })
    };
    assert_eq!(told(denied(Subject::Customer)), "Maria Lopez denied");
    assert_eq!(told(denied(Subject::Technician)), "maria.lopez denied");
    let joined = PresenceEvent::ViewerJoined { again: false };
    assert_eq!(told(joined.into()), "A viewer joined Maria Lopez's session");
    assert_eq!(
        told(ChatEvent::TranscriptSaved { messages: 12 }.into()),
        "Transcript of Maria Lopez's session saved (12 messages)"
    );
    assert_eq!(
        told(ChatEvent::TranscriptFailed { failure }.into()),
        "Transcript not saved - will retry"
    );
    assert_eq!(
        told(HookEvent::HookLost { hook: HookType::ViewerOffline, failure }.into()),
        "Hook viewer_offline could not be re-armed - status may be out of date"
    );
}
