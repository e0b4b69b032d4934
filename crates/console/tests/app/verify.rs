//! Whether this is the person: the console against the verification service's stand-in, whose phones are
//! answered by the test.

mod codes;

use std::time::Duration;

use console::{
    SettingsSource,
    parameters::Format,
    reply::Reply,
    view::{
        Code, GatePolicy, SessionDetail, Trouble, VerificationState, VerificationView, Verified,
    },
};
use sandbox::logintc::{Logintc, Push};
use serde_json::{Value, json};

use crate::{deletion::settled, rig::Rig};

const PATIENCE: Duration = Duration::from_secs(60);

struct Phones(Logintc);

impl Phones {
    async fn new(rig: &Rig) -> Self {
        Self(rig.app.sandbox(sandbox::Running::logintc).await.unwrap())
    }

    async fn rings(&self) -> Push {
        tokio::time::timeout(PATIENCE, self.0.next_push()).await.expect("no phone rings").unwrap()
    }

    async fn answer(&self, approve: bool) {
        let push = self.rings().await;
        assert!(self.0.answer(&push.id, approve).await.unwrap());
    }
}

fn verify(session: &str, who: &str, user: &str) -> Value {
    json!({ "do": "verify", "session": session, "who": who, "user": user, "reason": "Printer" })
}

fn shows<'a>(push: &'a Push, name: &str) -> &'a str {
    &push.attributes.iter().find(|shown| shown.key == name).expect(name).value
}

/// The number that the phone shows.
fn number(push: &Push) -> String {
    let number: u8 = shows(push, "Number").parse().unwrap();
    assert!((10..100).contains(&number));
    number.to_string()
}

async fn configure(rig: &Rig, changes: Value) {
    rig.ask(json!({ "do": "configure", "changes": changes })).await;
}

async fn ended(rig: &mut Rig, id: &str, number: u32) -> VerificationView {
    let look = |detail: &SessionDetail| {
        let all = detail.verifications.iter();
        all.clone().find(|v| v.id == number && v.ended_at.is_some()).cloned()
    };
    rig.seen.detail(id, "the verification's end", look).await
}

async fn gate(rig: &mut Rig, id: &str, open: bool) -> String {
    let look =
        |detail: &SessionDetail| (detail.gate.open == open).then(|| detail.gate.text.clone());
    rig.seen.detail(id, "the gate", look).await
}

async fn export(rig: &Rig, id: &str, format: Format) -> String {
    let format = match format {
        Format::Text => "text",
        Format::Json => "json",
        Format::Csv => "csv",
    };
    let asked = json!({ "do": "export", "session": id, "format": format });
    let Reply::Text { text, .. } = rig.ask(asked).await else { panic!("no text") };
    text
}

#[tokio::test(flavor = "multi_thread")]
async fn the_phone_shows_who_asks_and_why_and_the_session_keeps_what_came_of_it() {
    let mut rig = Rig::start().await;
    let phones = Phones::new(&rig).await;
    configure(&rig, json!({ "company": "Tier Two", "technician": "Anna Keller" })).await;
    let id = rig.session("Maria Lopez").await;
    rig.ask(verify(&id, "customer", "maria.lopez")).await;
    let push = phones.rings().await;
    let shown: Vec<_> =
        push.attributes.iter().map(|a| (a.key.as_str(), a.value.as_str())).collect();
    let reference = id[..8].to_uppercase();
    assert_eq!(
        shown,
        [
            ("Asked as", "Customer: if you approve, the technician may see your screen"),
            ("Technician", "Anna Keller"),
            ("Company", "Tier Two"),
            ("Reason", "Printer"),
            ("Session", reference.as_str()),
            ("Number", number(&push).as_str()),
        ]
    );
    let waiting = |detail: &SessionDetail| {
        let newest = detail.verifications.last()?;
        (newest.state == VerificationState::NoAnswerYet).then(|| newest.clone())
    };
    let newest = rig.seen.detail(&id, "no answer yet", waiting).await;
    assert_eq!(newest.until.unwrap() - newest.at, 60_000);
    let twice = rig.refused(verify(&id, "customer", "maria.lopez")).await;
    assert_eq!(twice.code, Code::BadInput);

    phones.answer(true).await;
    let newest = ended(&mut rig, &id, 1).await;
    assert_eq!((newest.state, newest.by.as_str()), (VerificationState::Approved, "Anna Keller"));
    rig.seen
        .until("the row says so", |seen| {
            (seen.rows[&id].verified == Some(Verified::Customer)).then_some(())
        })
        .await;
    let told = rig.seen.event("verification_approved").await;
    assert_eq!((told.text.as_str(), told.notify), ("Maria Lopez approved", true));
    let text = export(&rig, &id, Format::Text).await;
    assert!(text.contains("customer maria.lopez, asked by Anna Keller: approved"), "{text}");
    let text: Value = serde_json::from_str(&export(&rig, &id, Format::Json).await).unwrap();
    assert_eq!(text["verifications"][0]["state"], "approved");
    assert!(export(&rig, &id, Format::Csv).await.contains(": approved"));
    rig.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn with_require_no_viewer_is_opened_or_linked_before_the_customer_approved() {
    let mut rig = Rig::start().await;
    let phones = Phones::new(&rig).await;
    let id = rig.session("Maria Lopez").await;
    let link = json!({ "do": "viewer_link", "session": id, "read_only": true });
    let open = json!({ "do": "open_viewer", "session": id, "read_only": false });
    let mail = json!({ "do": "mail", "session": id, "to": "bob@example.com",
        "to_customer": false, "when": "now" });
    configure(&rig, json!({ "verify_gate": "warn" })).await;
    let warning = gate(&mut rig, &id, false).await;
    assert!(warning.contains("has not been verified"), "{warning}");
    rig.ask(link.clone()).await;

    configure(&rig, json!({ "verify_gate": "require" })).await;
    let required = |detail: &SessionDetail| {
        (detail.gate.policy == GatePolicy::Require && !detail.gate.open).then_some(())
    };
    rig.seen.detail(&id, "the policy", required).await;
    for door in [&link, &open, &mail] {
        let Trouble { code, text, remedy } = rig.refused(door.clone()).await;
        assert_eq!(code, Code::Verify, "{text}");
        assert!(text.contains("has not been verified") && remedy.starts_with("Verify"), "{text}");
    }
    assert!(rig.desktop.0.lock().unwrap().is_empty());

    rig.ask(verify(&id, "technician", "anna.keller")).await;
    phones.answer(true).await;
    ended(&mut rig, &id, 1).await;
    assert_eq!(rig.refused(link.clone()).await.code, Code::Verify, "it is not the technician's PC");

    rig.ask(verify(&id, "customer", "maria.lopez")).await;
    phones.answer(true).await;
    let why = gate(&mut rig, &id, true).await;
    assert!(why.starts_with("The customer approved at"), "{why}");
    for door in [&link, &open, &mail] {
        rig.ask(door.clone()).await;
    }
    assert_eq!(rig.desktop.0.lock().unwrap().len(), 1);

    rig.ask(verify(&id, "customer", "maria.lopez")).await;
    phones.answer(false).await;
    let why = gate(&mut rig, &id, false).await;
    assert!(why.starts_with("The customer denied at"), "{why}");
    assert_eq!(rig.refused(link.clone()).await.code, Code::Verify);
    let Reply::Outbox { mails } = rig.ask(json!({ "do": "outbox" })).await else { panic!() };
    assert!(mails[0].body.contains("is not shown"), "the mail to the colleague had a link");
    configure(&rig, json!({ "verify_gate": "off" })).await;
    let Reply::Outbox { mails } = rig.ask(json!({ "do": "outbox" })).await else { panic!() };
    assert!(mails[0].body.contains("/view?"));
    let told = rig.seen.event("verification_denied").await;
    assert_eq!((told.text.as_str(), told.notify), ("Maria Lopez denied", true));
    rig.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn over_a_restart_a_gate_is_as_open_or_shut_as_it_was() {
    let settings = || {
        let Value::Object(flags) = json!({ "verify_gate": "require" }) else { panic!() };
        SettingsSource::nowhere().with(flags)
    };
    let mut rig = Rig::start_in(tempfile::tempdir().unwrap(), settings()).await;
    let phones = Phones::new(&rig).await;
    let (shut, open) = (rig.session("John Smith").await, rig.session("Maria Lopez").await);
    rig.ask(verify(&open, "customer", "maria.lopez")).await;
    phones.answer(true).await;
    ended(&mut rig, &open, 1).await;
    let Rig { app, folder, .. } = rig;
    app.stop().await;

    let mut rig = Rig::start_in(folder, settings()).await;
    let link = |id: &str| json!({ "do": "viewer_link", "session": id, "read_only": true });
    assert_eq!(rig.refused(link(&shut)).await.code, Code::Verify);
    rig.ask(link(&open)).await;
    rig.ask(json!({ "do": "show", "session": open })).await;
    assert_eq!(ended(&mut rig, &open, 1).await.state, VerificationState::Approved);
    rig.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_can_not_be_asked_is_refused_before_anything_is_sent() {
    let mut rig = Rig::start().await;
    let phones = Phones::new(&rig).await;
    let id = rig.session("Maria Lopez").await;
    let mut long = verify(&id, "customer", "maria.lopez");
    long["reason"] = "x".repeat(201).into();
    let refused = rig.refused(long).await;
    assert!(refused.text.contains("longer than 200 characters"), "{refused:?}");
    let mut by_id = verify(&id, "customer", "maria.*");
    by_id["by_id"] = true.into();
    for wrong in [
        verify(&id, "customer", "  "),
        verify(&id, "customer", &"x".repeat(300)),
        verify(&id, "customer", "maria\nlopez"),
        by_id,
    ] {
        let refused = rig.refused(wrong).await;
        assert_eq!(refused.code, Code::BadInput, "{refused:?}");
        assert!(!refused.remedy.is_empty(), "{refused:?}");
    }
    let none = "00000000-0000-4000-8000-000000000000";
    let refused = rig.refused(verify(none, "customer", "maria.lopez")).await;
    assert_eq!(refused.code, Code::NotFound);
    let cancel = json!({ "do": "cancel_verification", "session": id, "verification": 7 });
    assert_eq!(rig.refused(cancel).await.code, Code::BadInput);
    assert!(phones.0.pending().await.unwrap().is_empty());

    // Names in any script are asked as they are.
    phones.0.add_user("мария.лопес", true).await.unwrap();
    rig.ask(verify(&id, "customer", "мария.лопес")).await;
    assert_eq!(phones.rings().await.username, "мария.лопес");
    rig.ask(json!({ "do": "cancel_verification", "session": id, "verification": 1 })).await;
    assert_eq!(ended(&mut rig, &id, 1).await.state, VerificationState::Cancelled);
    rig.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_denial_that_is_cancelled_at_once_shuts_the_gate_all_the_same() {
    let mut rig = Rig::start().await;
    let phones = Phones::new(&rig).await;
    configure(&rig, json!({ "verify_gate": "require" })).await;
    let id = rig.session("Maria Lopez").await;
    rig.ask(verify(&id, "customer", "maria.lopez")).await;
    phones.answer(true).await;
    ended(&mut rig, &id, 1).await;
    gate(&mut rig, &id, true).await;

    rig.ask(verify(&id, "customer", "maria.lopez")).await;
    let waits = |detail: &SessionDetail| {
        (detail.verifications.last()?.state == VerificationState::NoAnswerYet).then_some(())
    };
    rig.seen.detail(&id, "it was sent", waits).await;
    phones.answer(false).await;
    rig.ask(json!({ "do": "cancel_verification", "session": id, "verification": 2 })).await;
    assert_eq!(ended(&mut rig, &id, 2).await.state, VerificationState::Denied);
    let text = gate(&mut rig, &id, false).await;
    assert!(text.contains("denied"), "{text}");
    rig.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_said_no_is_not_asked_again_at_once_by_whatever_name_session_or_start() {
    let mut rig = Rig::start().await;
    let phones = Phones::new(&rig).await;
    let two = rig.session("Maria again").await;
    let one = rig.session("Maria Lopez").await;
    rig.ask(verify(&one, "customer", "maria.lopez")).await;
    let elsewhere = rig.refused(verify(&two, "customer", "maria.lopez")).await;
    assert!(elsewhere.text.contains("ringing already"), "{elsewhere:?}");
    phones.answer(false).await;
    ended(&mut rig, &one, 1).await;

    let told = rig.seen.detail(&one, "when she may be asked", |d| d.next_push.clone()).await;
    assert_eq!(told.user, "maria.lopez");
    assert!(told.text.starts_with("They said no 1 time, last at"), "{told:?}");
    let by_id = |session: &str| {
        let mut asked = verify(session, "customer", &"0".repeat(40));
        asked["by_id"] = true.into();
        asked
    };
    for again in [
        verify(&one, "customer", "maria.lopez"),
        verify(&one, "technician", "maria.lopez"),
        verify(&two, "customer", " MARIA.lopez "),
        by_id(&one),
    ] {
        let Trouble { code, text, remedy } = rig.refused(again).await;
        assert_eq!(code, Code::Wait, "{text}");
        assert!(text.contains("they said no 1 time") && text.contains("asked again in"), "{text}");
        assert!(remedy.starts_with("Speak with them"), "{remedy}");
    }
    assert!(phones.0.pending().await.unwrap().is_empty());
    let Rig { app, folder, .. } = rig;
    app.stop().await;

    let rig = Rig::start_in(folder, SettingsSource::nowhere()).await;
    let refused = rig.refused(verify(&two, "customer", "maria.lopez")).await;
    assert!(refused.text.contains("they said no 1 time"), "{refused:?}");
    rig.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_said_no_is_not_asked_again_after_a_deletion_and_a_start() {
    let mut rig = Rig::start().await;
    let phones = Phones::new(&rig).await;
    let one = rig.session("Maria Lopez").await;
    rig.ask(verify(&one, "customer", "maria.lopez")).await;
    phones.answer(false).await;
    ended(&mut rig, &one, 1).await;
    rig.ask(json!({ "do": "close", "session": one, "outcome": "resolved" })).await;
    settled(&mut rig, &one).await;
    rig.ask(json!({ "do": "delete_session", "session": one, "confirmed": true })).await;
    let Rig { app, folder, .. } = rig;
    app.stop().await;

    let mut rig = Rig::start_in(folder, SettingsSource::nowhere()).await;
    let two = rig.session("Maria again").await;
    let refused = rig.refused(verify(&two, "technician", " MARIA.lopez")).await;
    assert_eq!(refused.code, Code::Wait, "{refused:?}");
    assert!(refused.text.contains("they said no 1 time"), "{refused:?}");
    rig.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_approval_after_a_denial_opens_the_gate_with_a_warning() {
    let mut rig = Rig::start().await;
    let phones = Phones::new(&rig).await;
    configure(&rig, json!({ "verify_gate": "require" })).await;
    let user = phones.0.add_user("lee", true).await.unwrap().unwrap();
    let id = rig.session("Lee").await;
    rig.ask(verify(&id, "customer", "lee")).await;
    phones.answer(false).await;
    ended(&mut rig, &id, 1).await;
    let mut code = verify(&id, "customer", "lee");
    code["code"] = phones.0.otp(&user).await.unwrap().unwrap().into();
    rig.ask(code).await;
    let approved = ended(&mut rig, &id, 2).await;
    assert!(approved.warning.unwrap().starts_with("This came after 1 denial, the last at"));
    let why = gate(&mut rig, &id, true).await;
    assert!(why.contains("after 1 denial"), "{why}");
    let told = rig.seen.event("verification_approved").await;
    assert_eq!(told.text, "Lee approved after 1 denial: ask them whether they meant it");
    rig.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_technician_is_not_asked_in_the_words_for_a_customer_and_always_told_why() {
    let mut rig = Rig::start().await;
    let phones = Phones::new(&rig).await;
    let id = rig.session("Maria Lopez").await;
    for (who, user, asked_as) in
        [("customer", "maria.lopez", "Customer: "), ("technician", "anna.keller", "Technician: ")]
    {
        let mut asked = verify(&id, who, user);
        asked["reason"] = " ".into();
        rig.ask(asked).await;
        let push = phones.rings().await;
        assert!(shows(&push, "Asked as").starts_with(asked_as));
        assert!(!shows(&push, "Reason").trim().is_empty());
        assert!(!shows(&push, "Technician").trim().is_empty());
        assert!(phones.0.answer(&push.id, true).await.unwrap());
    }
    rig.app.stop().await;
}
