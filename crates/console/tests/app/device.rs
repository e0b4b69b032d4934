//! Device lookup through the console, against the sandbox's chat workspace.

use std::time::Duration;

use console::{
    SettingsSource,
    reply::Reply,
    view::{Code, CodeAsked, DeviceView},
};
use sandbox::rocketchat::{PERMISSIONS, Rocketchat};
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};
use wire::rocketchat::{DeviceSession, Person};

use crate::rig::{BY, Rig};

const ID: &str = "uBNL9dTjJ4s6Pjp4K";

async fn workspace(rig: &Rig) -> Rocketchat {
    let chat = rig.app.sandbox(sandbox::Running::rocketchat).await.unwrap();
    chat.put_sessions(vec![session("newest0", "Ann"), session(ID, "桜井 \u{202e}翔")])
        .await
        .unwrap();
    chat
}

fn session(id: &str, name: &str) -> DeviceSession {
    let text = include_str!("../../../wire/fixtures/rocketchat/info.admin.json");
    let mut session: DeviceSession = serde_json::from_str(text).unwrap();
    session.session_id = id.to_owned();
    session.user_id = format!("user-of-{id}");
    session.user = Person { name: name.to_owned(), username: format!("login-of-{id}") };
    session
}

fn look_up(session: &str, login_session: &str, code: Option<&str>) -> Value {
    let factor = code.map(|code| json!({ "code": code }));
    json!({ "do": "look_up_device", "session": session, "login_session": login_session, "factor": factor })
}

fn asked(reply: Reply) -> CodeAsked {
    let Reply::CodeAsked { asked } = reply else { panic!("no code was asked for") };
    asked
}

fn device(reply: Reply) -> DeviceView {
    let Reply::Device { device } = reply else { panic!("no device was found") };
    device
}

fn code(chat: &Rocketchat) -> String {
    chat.authenticator_code().expose_secret().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_is_asked_for_in_place_and_what_is_found_stays_with_the_session() {
    let mut rig = Rig::start().await;
    let chat = workspace(&rig).await;
    let id = rig.session("Maria").await;
    let first = asked(rig.ask(look_up(&id, ID, None)).await);
    assert!(!first.wrong && first.method == "totp" && first.methods == ["totp"], "{first:?}");
    let second = asked(rig.ask(look_up(&id, ID, Some("12345"))).await);
    assert!(second.wrong && second.text.contains("does not accept"), "{second:?}");
    assert!(asked(rig.ask(look_up(&id, ID, Some("ж"))).await).wrong, "nothing that could be sent");
    let spaced = code(&chat);
    let spaced = format!("{} {}", &spaced[..3], &spaced[3..]);
    let found = device(rig.ask(look_up(&id, ID, Some(&spaced))).await);
    assert_eq!(
        (found.name.as_str(), found.app.as_str(), found.os.as_str()),
        ("桜井 翔", "Chrome 113.0.0", "Windows 10")
    );
    assert_eq!((found.by.as_str(), found.logged_out), (BY, false));
    assert!(found.looked_up_at.is_some() && found.login_at.is_some());
    let shown = rig.seen.detail(&id, "the device", |d| d.devices.first().cloned()).await;
    assert_eq!(shown, found);
    device(rig.ask(look_up(&id, ID, None)).await);

    for format in ["text", "json"] {
        let export = json!({ "do": "export", "session": id, "format": format });
        let Reply::Text { text, .. } = rig.ask(export).await else { panic!("no export") };
        assert!(text.contains(ID) && text.contains("桜井 翔"), "{text}");
    }
    rig.app.stop().await;
    let rig = Rig::start_in(rig.folder, SettingsSource::nowhere()).await;
    let detail = rig.ask(json!({ "do": "detail", "session": id })).await;
    let Reply::Detail { detail } = detail else { panic!("no detail") };
    assert_eq!(detail.devices.len(), 1, "looked up twice, pinned once");
    rig.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_failure_says_what_helps_and_pins_nothing() {
    let mut rig = Rig::start().await;
    let chat = workspace(&rig).await;
    let id = rig.session("Maria").await;
    let none = rig.refused(look_up("00000000-0000-4000-8000-000000000000", ID, None)).await;
    assert_eq!(none.code, Code::NotFound);
    for pattern in [".*", "u|n", "(", "", "Łódź"] {
        assert_eq!(
            rig.refused(look_up(&id, pattern, None)).await.code,
            Code::BadInput,
            "{pattern}"
        );
    }
    let code = code(&chat);
    // A part of an id is a pattern that fits: the answer is another session's.
    let other = rig.refused(look_up(&id, "newest", Some(&code))).await;
    assert!(
        other.code == Code::Refused && other.text.contains("another login session"),
        "{other:?}"
    );
    let missing = rig.refused(look_up(&id, "nobody", None)).await;
    assert!(missing.code == Code::NotFound && missing.text.contains("no such login session"));
    chat.grant(PERMISSIONS[0], false).await.unwrap();
    let refused = rig.refused(look_up(&id, ID, None)).await;
    assert!(
        refused.code == Code::Refused && refused.remedy.contains(PERMISSIONS[0]),
        "{refused:?}"
    );
    chat.grant(PERMISSIONS[0], true).await.unwrap();
    for _ in 0..7 {
        rig.refused(look_up(&id, "nobody", None)).await;
    }
    let limited = rig.refused(look_up(&id, ID, None)).await;
    assert!(limited.code == Code::Wait && limited.text.contains("wait "), "{limited:?}");
    chat.advance(Duration::from_secs(61));
    chat.revoke_token().await.unwrap();
    assert_eq!(rig.refused(look_up(&id, ID, None)).await.code, Code::SignInAgain);
    let Reply::Detail { detail } = rig.ask(json!({ "do": "detail", "session": id })).await else {
        panic!("no detail")
    };
    assert!(detail.devices.is_empty());
    rig.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_login_sessions_are_paged_and_found_by_names_in_any_script() {
    let rig = Rig::start().await;
    let chat = workspace(&rig).await;
    let many = (0..10_000).map(|n| session(&format!("many{n:05}"), &format!("Число {n}")));
    chat.put_sessions(many.collect()).await.unwrap();
    let list = |filter: &str, offset: u32| json!({ "do": "devices", "filter": filter, "offset": offset, "factor": { "code": code(&chat) } });
    let page = |reply: Reply| {
        let Reply::Devices { devices, total, offset } = reply else { panic!("no list") };
        (devices, total, offset)
    };
    let (devices, total, offset) = page(rig.ask(list("many", 9_950)).await);
    assert_eq!((devices.len(), total, offset), (50, 10_000, 9_950));
    assert_eq!(devices[49].login_session, "many09999");
    let (devices, total, _) = page(rig.ask(list("桜井", 0)).await);
    assert_eq!((devices[0].login_session.as_str(), total), (ID, 1));
    let (_, total, _) = page(rig.ask(list(".*", 0)).await);
    assert_eq!(total, 0, "what was typed is no pattern");
    rig.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_session_is_logged_out_only_when_confirmed_and_the_session_says_so() {
    let mut rig = Rig::start().await;
    let chat = workspace(&rig).await;
    let id = rig.session("Maria").await;
    device(rig.ask(look_up(&id, ID, Some(&code(&chat)))).await);
    let out = |confirmed: bool| json!({ "do": "log_out_device", "session": id, "login_session": ID, "confirmed": confirmed });
    let unconfirmed = rig.refused(out(false)).await;
    assert!(unconfirmed.code == Code::Refused && unconfirmed.text.contains("can't be undone"));
    assert!(chat.session(ID).await.unwrap().is_some(), "nothing was sent");
    assert!(matches!(rig.ask(out(true)).await, Reply::Done));
    assert!(chat.session(ID).await.unwrap().is_none());
    rig.seen
        .detail(&id, "the log-out", |d| {
            d.devices.first().filter(|device| device.logged_out).map(drop)
        })
        .await;
    assert_eq!(rig.refused(out(true)).await.code, Code::NotFound);
    rig.app.stop().await;
}
