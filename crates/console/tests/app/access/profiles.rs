//! Profiles and passkeys: made, listed, deleted; and what only who is signed in may do.

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn not_now_is_remembered_and_can_be_changed() {
    let mut rig = Rig::start().await;
    let id = rig.session("Maria").await;
    assert_eq!(rig.seen.details[&id].by, BY, "as given, while nobody signs in");
    assert_eq!(rig.refused(json!({ "do": "lock" })).await.code, Code::Refused);
    assert_eq!(rig.refused(json!({ "do": "sign_in" })).await.code, Code::Refused);
    assert_eq!(rig.refused(json!({ "do": "passkeys" })).await.code, Code::Refused);
    rig.ask(json!({ "do": "skip_profile" })).await;
    access(&rig, AccessKind::Open).await;
    rig.app.screen_locked().await;
    access(&rig, AccessKind::Open).await;

    // The policy: nobody goes on without a passkey.
    rig.ask(json!({ "do": "configure", "changes": { "require_sign_in": true } })).await;
    let first = access(&rig, AccessKind::FirstStart).await;
    assert!(first.required);
    assert_eq!(rig.refused(json!({ "do": "skip_profile" })).await.code, Code::Refused);
    let refused = rig.refused(json!({ "do": "settings" })).await;
    assert_eq!(refused.code, Code::Locked);
    assert!(refused.remedy.contains("Create a profile"), "nobody could sign in: {refused:?}");
    person(&rig, "Anna").await;
    rig.ask(json!({ "do": "settings" })).await;
    rig.app.screen_locked().await;
    access(&rig, AccessKind::Locked).await;
    rig.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_profile_that_can_not_be_is_refused_before_a_page_opens() {
    let rig = Rig::start().await;
    let (email, long) = ("a@b.example", "x".repeat(500));
    for (name, email) in [
        ("", email),
        (" \u{202E} ", email),
        ("Deskhand", email),
        ("Anna", "nobody"),
        ("Anna", "a@b.example\r\nBcc: c@d.example"),
        (long.as_str(), email),
    ] {
        let command = json!({ "do": "create_profile", "name": name, "email": email });
        assert_eq!(rig.refused(command).await.code, Code::BadInput, "{name} {email}");
    }
    assert!(rig.desktop.1.lock().unwrap().is_empty());
    // Any script will do.
    page(&rig, profile("Жанна 花子 🔑")).await.begin().await;
    rig.app.stop().await;

    let rig = Rig::start_with(tempfile::tempdir().unwrap(), SettingsSource::nowhere(), |options| {
        options.pages = std::sync::Arc::new(console::app::NoPages);
    });
    let rig = rig.await;
    let trouble = rig.refused(profile("Anna")).await;
    assert_eq!(trouble.code, Code::SetUp);
    assert!(trouble.text.contains("without its page"), "{trouble:?}");
    rig.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn passkeys_are_listed_added_and_deleted_the_last_one_only_after_a_warning() {
    let rig = Rig::start().await;
    person(&rig, "Anna").await;
    let mut phone = browser(&rig).await;
    let tab = page(&rig, json!({ "do": "add_passkey", "nickname": "Phone" })).await;
    assert_eq!(tab.take(&mut phone).await.0, StatusCode::OK);
    access(&rig, AccessKind::SignedIn).await;
    let list = async |rig: &Rig| match rig.ask(json!({ "do": "passkeys" })).await {
        Reply::Passkeys { passkeys, aliases } => (passkeys, aliases),
        _ => panic!("no passkeys"),
    };
    let (passkeys, aliases) = list(&rig).await;
    let names: BTreeSet<&str> = passkeys.iter().map(|p| p.nickname.as_str()).collect();
    assert_eq!(names, BTreeSet::from(["First passkey", "Phone"]));
    assert!(passkeys.iter().all(|passkey| passkey.created_at.is_some()));
    assert_eq!((aliases.set_here.len(), aliases.set_at), (0, None));

    let of = |id: &str, confirmed: bool| json!({ "do": "delete_passkey", "id": id, "confirmed": confirmed });
    assert_eq!(rig.refused(of("no-such", true)).await.code, Code::NotFound);
    rig.ask(of(&passkeys[0].id, false)).await;
    let (left, _) = list(&rig).await;
    assert_eq!(left, passkeys[1..]);
    let trouble = rig.refused(of(&left[0].id, false)).await;
    assert!(trouble.text.contains("the last one") && trouble.text.contains("can't unlock"));
    rig.ask(of(&left[0].id, true)).await;
    assert_eq!(list(&rig).await.0, []);
    rig.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn aliases_are_checked_first_and_those_set_from_here_are_remembered() {
    let rig = Rig::start().await;
    person(&rig, "Bo").await;
    let set =
        |aliases: &[&str]| json!({ "do": "set_aliases", "aliases": aliases, "hashing": false });
    rig.ask(set(&["bo@help.example"])).await;
    person(&rig, "Anna").await;
    let many: Vec<String> = (0..11).map(|n| format!("a{n}")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    let long = "x".repeat(251);
    for wrong in [&many[..], &["a", "a"], &[""], &[long.as_str()]] {
        let trouble = rig.refused(set(wrong)).await;
        assert_eq!(trouble.code, Code::BadInput, "{trouble:?}");
        assert!(trouble.text.starts_with("Set the aliases: "), "{trouble:?}");
    }
    let taken = rig.refused(set(&["anna", "bo@help.example"])).await;
    assert!(taken.text.contains("belongs to somebody else"), "{taken:?}");
    rig.ask(set(&["anna", "anna@help.example"])).await;
    rig.ask(set(&[" anna.keller "])).await;
    let Reply::Passkeys { aliases, .. } = rig.ask(json!({ "do": "passkeys" })).await else {
        panic!()
    };
    assert_eq!(aliases.set_here, ["anna.keller"], "the last ones, all of them");
    assert!(aliases.set_at.is_some() && !aliases.hashing);
    rig.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lock_ends_what_only_who_is_signed_in_may_do() {
    let mut rig = Rig::start().await;
    let (mut browser, anna) = person(&rig, "Anna").await;
    let id = rig.session("Maria").await;
    let of = |reason: &str| json!({ "do": "override_gate", "session": id, "reason": reason });
    let long = "x".repeat(501);
    for reason in ["", "  x ", long.as_str()] {
        assert_eq!(rig.refused(of(reason)).await.code, Code::BadInput, "{reason}");
    }
    let tab = page(&rig, of("known by voice")).await;
    let asked = tab.begin().await;
    assert_eq!((&asked["do"], &asked["user_id"]), (&json!("sign_in"), &json!(anna)));
    assert!(!asked["text"].as_str().unwrap().contains("Maria"), "{asked}");
    let token = tab.use_passkey(&mut browser, &asked).await;
    lock(&rig).await;
    let body = json!({ "state": tab.state, "token": token });
    let answer = tab.post_as("/done", &body, &tab.origin).await;
    assert!(answer.is_none_or(|(status, _)| status == StatusCode::CONFLICT));
    assert!(is_locked(&rig).await);
    rig.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_override_takes_a_fresh_sign_in_opens_the_gate_and_is_in_the_audit_log() {
    let mut rig = Rig::start().await;
    let (mut anna, _) = person(&rig, "Anna Keller").await;
    let id = rig.session("Maria Lopez").await;
    rig.ask(json!({ "do": "configure", "changes": { "verify_gate": "require" } })).await;
    let link = || json!({ "do": "viewer_link", "session": id, "read_only": false });
    assert_eq!(rig.refused(link()).await.code, Code::Verify);
    let wish = json!({ "do": "override_gate", "session": id, "reason": "known by voice" });
    let tab = page(&rig, wish).await;
    assert_eq!(rig.refused(link()).await.code, Code::Verify, "asking is not signing");
    let (status, told) = tab.take(&mut anna).await;
    assert_eq!(status, StatusCode::OK, "{told}");
    access(&rig, AccessKind::SignedIn).await;
    assert!(matches!(rig.ask(link()).await, Reply::Link { .. }));
    let Reply::Audit { entries, .. } = rig.ask(json!({ "do": "audit" })).await else { panic!() };
    let entry = entries.iter().find(|entry| entry.action == "gate_overridden").unwrap();
    assert_eq!((entry.by.as_str(), entry.session.as_deref()), ("Anna Keller", Some(id.as_str())));
    assert!(entry.text.contains("known by voice"), "{}", entry.text);
    // It is of this session alone.
    let other = rig.session("Ben Okafor").await;
    let link = json!({ "do": "viewer_link", "session": other, "read_only": true });
    assert_eq!(rig.refused(link).await.code, Code::Verify);
}
