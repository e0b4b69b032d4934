//! While the console is locked: what is refused, and what nobody is told.

use super::*;

/// Every command by its name, with fields that fit.
fn every_command() -> Vec<Value> {
    let session = uuid::Uuid::nil();
    let of = |name: &str, fields: Value| {
        let mut command = fields;
        command["do"] = name.into();
        command
    };
    let on = |name: &str, mut fields: Value| {
        fields["session"] = session.to_string().into();
        of(name, fields)
    };
    vec![
        of("new_session", json!({})),
        on("again", json!({})),
        on("describe", json!({ "about": {} })),
        on("retry", json!({})),
        on("recheck", json!({})),
        on("show", json!({})),
        on("read", json!({})),
        on("mail", json!({ "to": "a@b.example", "to_customer": true, "when": "now" })),
        on("repeat_mail", json!({ "mail": 1 })),
        on("withdraw_mail", json!({ "mail": 1 })),
        on("viewer_link", json!({ "read_only": true })),
        on("open_viewer", json!({ "read_only": true })),
        on("answer_viewer", json!({ "viewer": "x", "lets_in": true })),
        on("save_program", json!({ "confirmed": true })),
        on("cancel_program", json!({})),
        on("close", json!({ "outcome": "resolved" })),
        on("note", json!({ "text": "x" })),
        on("tags", json!({ "tags": [] })),
        on("detail", json!({})),
        on("chat", json!({})),
        of("search", json!({ "query": "" })),
        on("export", json!({ "format": "text" })),
        of("export_sessions", json!({})),
        of("probe_regions", json!({})),
        of("settings", json!({})),
        of("configure", json!({ "changes": { "lock_after_min": 0 } })),
        of("test_reach", json!({})),
        of("outbox", json!({})),
        of("report_abuse", json!({ "pin": "AAA-AA-AAAA" })),
        of("create_profile", json!({ "name": "Mallory", "email": "m@evil.example" })),
        of("skip_profile", json!({})),
        of("sign_in", json!({})),
        of("ceremony_link", json!({})),
        of("cancel_ceremony", json!({})),
        of("lock", json!({})),
        of("passkeys", json!({})),
        of("add_passkey", json!({ "nickname": "x" })),
        of("delete_passkey", json!({ "id": "x", "confirmed": true })),
        of("set_aliases", json!({ "aliases": [], "hashing": true })),
        on("verify", json!({ "who": "customer", "user": "maria" })),
        on("cancel_verification", json!({ "verification": 1 })),
        of("mail_code", json!({ "user": "maria" })),
        on("override_gate", json!({ "reason": "known by voice" })),
        on("look_up_device", json!({ "login_session": "x" })),
        of("devices", json!({ "filter": "", "offset": 0 })),
        of("log_out_device", json!({ "login_session": "x", "confirmed": true })),
        of("services", json!({})),
        of("set_secret", json!({ "secret": "logintc_key", "value": "x" })),
        of("remove_secret", json!({ "secret": "logintc_key" })),
        of("test_connection", json!({ "service": "logintc" })),
        of("audit", json!({})),
        of("verify_audit", json!({})),
        of("export_audit", json!({})),
        on("picture", json!({ "picture": 1 })),
        on("delete_session", json!({ "confirmed": true })),
        of("backups", json!({})),
        of(
            "restore",
            json!({ "passphrase": "long enough to be taken", "path": "/x", "replace": true }),
        ),
        on("say", json!({ "text": "x" })),
        of("backup", json!({ "passphrase": "long enough to be taken" })),
        of("acknowledge_troubles", json!({ "troubles": ["x"] })),
        of("quitting", json!({})),
        of("quit", json!({})),
    ]
}

/// The names that the protocol knows, out of what it says of one that it doesn't.
fn known_commands() -> BTreeSet<String> {
    let Err(error) = serde_json::from_value::<Command>(json!({ "do": "dance" })) else { panic!() };
    let text = error.to_string();
    let (_, names) = text.split_once("expected one of ").expect("the names are listed");
    names
        .split('`')
        .filter(|name| !name.is_empty() && !name.contains([',', ' ']))
        .map(String::from)
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn while_it_is_locked_every_command_but_signing_in_is_refused() {
    let all = every_command();
    let named: BTreeSet<String> =
        all.iter().map(|command| command["do"].as_str().unwrap().to_owned()).collect();
    assert_eq!(named, known_commands(), "each command is tried");
    let mut rig = Rig::start().await;
    let (mut browser, _) = person(&rig, "Anna").await;
    lock(&rig).await;
    let passes = ["sign_in", "ceremony_link", "cancel_ceremony", "lock", "quitting", "quit"];
    for command in all {
        if passes.contains(&command["do"].as_str().unwrap()) {
            continue;
        }
        let trouble = rig.refused(command.clone()).await;
        assert_eq!(trouble.code, Code::Locked, "{command}: {trouble:?}");
        assert_eq!(trouble.remedy, "Sign in.");
    }
    assert!(rig.desktop.0.lock().unwrap().is_empty());
    sign_in(&rig, &mut browser).await;
    let Reply::Settings { settings } = rig.ask(json!({ "do": "settings" })).await else { panic!() };
    assert_eq!(settings["lock_after_min"], 15, "nothing was changed");
    lock(&rig).await;
    rig.ask(json!({ "do": "quit" })).await;
    assert!(rig.seen.ended().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hangup_takes_up_no_settings_while_it_is_locked_and_all_of_them_afterwards() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("settings.toml");
    let rig = Rig::start_in(folder, SettingsSource::file(&file)).await;
    rig.ask(json!({ "do": "configure", "changes": { "company": "ACME" } })).await;
    let (mut browser, _) = person(&rig, "Anna Keller").await;
    lock(&rig).await;
    let before = rig.app.settings();
    let text = "company = \"Mallory\"\nlock_after_min = 0\nrequire_sign_in = false\n";
    std::fs::write(&file, text).unwrap();
    rig.app.reload().await;
    assert_eq!(rig.app.settings(), before, "nothing is in force");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), text, "the file stays as it is");
    access(&rig, AccessKind::Locked).await;
    sign_in(&rig, &mut browser).await;
    assert_eq!(rig.app.settings(), before, "nor does a sign-in take it up");
    rig.app.reload().await;
    assert_eq!(rig.app.settings().company, "Mallory");
    rig.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn while_it_is_locked_no_name_is_fed_or_told_and_afterwards_all_of_it_is() {
    let mut rig = Rig::start().await;
    let (mut browser, _) = person(&rig, "Anna Keller").await;
    let id = rig.session("Maria Lopez").await;
    let pin = rig.seen.pin(&id).await;
    assert_eq!(rig.seen.details[&id].by, "Anna Keller", "not {BY}, who gave the command");
    let mut notices = rig.app.notices("test");
    notices.read().await;

    lock(&rig).await;
    rig.seen.until("no row", |seen| seen.rows.is_empty().then_some(())).await;
    let before = rig.seen.texts.len();
    let mut customer = rig.page(&pin, "presenter", "Maria").await;
    customer.say("Maria", "my own words").await;
    // The hook came in, and the console counts; more isn't said.
    let mut now = Seen::new(rig.app.overview());
    let ready = |seen: &Seen| {
        let console = seen.console.as_ref()?;
        ((console.live, console.waiting) == (1, 0)).then_some(())
    };
    now.until("nobody is waited for any more", ready).await;
    let news = notices.read().await;
    assert!(!news.is_empty());
    for tell in &news {
        let Tell::Summary { text, .. } = tell else { panic!("{tell:?}") };
        assert!(!text.contains("Maria") && !text.contains("words"), "{text}");
    }
    // Who subscribes now is told no more than that either.
    let mut late = rig.app.subscribe();
    let first = late.next().await.unwrap();
    assert!(matches!(first[..], [Push::Console(_)]), "{first:?}");
    for text in &rig.seen.texts[before..] {
        assert!(!text.contains("Maria") && !text.contains(&pin), "{text}");
    }

    sign_in(&rig, &mut browser).await;
    let online = rig.seen.event("presenter_online").await;
    assert_eq!(online.name, "Maria Lopez");
    rig.seen.until("its row", |seen| seen.rows.contains_key(&id).then_some(())).await;
    let mut seqs: Vec<u64> = rig.seen.happenings.iter().map(|h| h.seq).collect();
    let told = seqs.len();
    seqs.dedup();
    assert_eq!(seqs.len(), told, "nothing is told twice");
    rig.app.stop().await;
}
