//! Commands by themselves: what they answer, and what they refuse.

use console::{
    SettingsSource,
    commands::Command,
    reply::Reply,
    view::{Code, ProgramState, SessionDetail},
};
use engine::desktop::View;
use serde_json::json;

use crate::rig::{BY, Rig};

#[tokio::test(flavor = "multi_thread")]
async fn viewer_links_and_windows_are_for_colleagues_and_carry_the_role() {
    let mut rig = Rig::start().await;
    let id = rig.session("Maria").await;
    let asked = rig.ask(json!({ "do": "viewer_link", "session": id, "read_only": true })).await;
    let Reply::Link { url, by_role } = asked else { panic!("no link") };
    assert!(
        by_role == Some(true) && url.contains("/view#ticket="),
        "a link that the colleague could widen"
    );
    rig.ask(json!({ "do": "open_viewer", "session": id, "read_only": false })).await;
    let chat = json!({ "do": "open_viewer", "session": id, "read_only": false, "chat": true });
    rig.ask(chat.clone()).await;
    let opened = std::mem::take(&mut *rig.desktop.0.lock().unwrap());
    let view = |chat| ("Maria".to_owned(), View { read_only: false, chat });
    assert_eq!(opened, [view(false)], "the window that is open will do for the chat");
    rig.ask(chat).await;
    assert_eq!(rig.desktop.0.lock().unwrap()[..], [view(true)]);
    rig.app.viewer_windows(id.parse().unwrap(), 2).await;
    rig.seen.detail(&id, "two windows", |d| (d.windows == 2).then_some(())).await;
    rig.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn notes_tags_search_and_export_are_of_one_session() {
    let mut rig = Rig::start().await;
    let id = rig.session("=Maria").await;
    rig.ask(json!({ "do": "describe", "session": id, "about": { "customer": "=Maria", "ticket": "HD-7", "contact": "" } })).await;
    rig.ask(json!({ "do": "note", "session": id, "text": "Spooler stuck" })).await;
    rig.ask(json!({ "do": "tags", "session": id, "tags": ["printer", "printer", " "] })).await;
    rig.seen
        .detail(&id, "note and tag", |d| {
            (d.note == "Spooler stuck" && d.tags == ["printer"]).then_some(())
        })
        .await;
    let Reply::Found { hits, .. } = rig.ask(json!({ "do": "search", "query": "spool" })).await
    else {
        panic!("not found")
    };
    assert_eq!((hits[0].place.as_str(), hits[0].name.as_str()), ("note", "=Maria"));
    for (format, wanted) in
        [("text", "Ticket: HD-7"), ("json", "\"ticket\": \"HD-7\""), ("csv", "'=Maria,HD-7")]
    {
        let asked = rig.ask(json!({ "do": "export", "session": id, "format": format })).await;
        let Reply::Text { text, file_name } = asked else { panic!("no text") };
        assert!(text.contains(wanted), "{file_name}: {text}");
        assert!(!text.contains(&rig.seen.details[&id].pin.as_ref().unwrap().text));
    }
    let Reply::Session { id: other } = rig.ask(json!({ "do": "again", "session": id })).await
    else {
        panic!("no session")
    };
    rig.seen.until("the same name", |s| (s.rows.get(&other)?.name == "=Maria").then_some(())).await;
    rig.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_too_long_is_refused_with_its_limit_and_never_cut() {
    let mut rig = Rig::start().await;
    let id = rig.session("Maria").await;
    let note = |length: usize| json!({ "do": "note", "session": id, "text": "x".repeat(length) });
    let tags = |tags: Vec<String>| json!({ "do": "tags", "session": id, "tags": tags });
    let describe = |contact: String| {
        let about = json!({ "customer": "Maria", "ticket": "", "contact": contact });
        json!({ "do": "describe", "session": id, "about": about })
    };
    let many = |count: usize| (0..count).map(|n| format!("tag {n}")).collect::<Vec<_>>();
    rig.ask(note(20_000)).await;
    rig.ask(tags(many(20))).await;
    rig.ask(describe("c".repeat(320))).await;
    for (asked, limit) in [
        (note(20_001), "20000"),
        (tags(many(21)), "20"),
        (tags(vec!["t".repeat(41)]), "40"),
        (describe("c".repeat(321)), "320"),
        (json!({ "do": "new_session", "about": { "customer": "c".repeat(201) } }), "200"),
        (
            json!({ "do": "close", "session": id, "outcome": "resolved", "note": "x".repeat(20_001) }),
            "20000",
        ),
    ] {
        let refused = rig.refused(asked).await;
        assert_eq!(refused.code, Code::BadInput);
        assert!(refused.text.contains(limit), "{}", refused.text);
    }
    rig.seen
        .detail(&id, "what was kept", |d| {
            (d.note.len() == 20_000 && d.tags.len() == 20 && d.contact.len() == 320).then_some(())
        })
        .await;
    rig.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn all_sessions_are_exported_as_one_table() {
    let mut rig = Rig::start().await;
    let id = rig.session("=Maria").await;
    rig.ask(json!({ "do": "note", "session": id, "text": "two\nlines, €" })).await;
    let bob = rig.session("Bob").await;
    let Reply::Text { text, file_name } = rig.ask(json!({ "do": "export_sessions" })).await else {
        panic!("no text")
    };
    assert!(file_name.ends_with(".csv"), "{file_name}");
    assert!(text.starts_with("\u{FEFF}session,customer,ticket,"), "{text}");
    assert!(text.contains("'=Maria") && text.contains("\"two\nlines, €\"\r\n"), "{text}");
    let row = text.lines().find(|line| line.contains(",Bob,")).unwrap();
    assert!(row.contains(",,0,0,"), "nobody has come, so how long that took isn't known: {row}");

    // What was just closed is told whole, also before the archive has it.
    let close = json!({ "do": "close", "session": bob, "outcome": "unresolved", "note": "" });
    rig.ask(close).await;
    let table = json!({ "do": "export_sessions", "separator": "tab" });
    let Reply::Text { text, .. } = rig.ask(table).await else { panic!("no text") };
    let row = text.lines().find(|line| line.starts_with(&bob)).unwrap();
    let cells: Vec<&str> = row.split('\t').collect();
    let [_, _, _, _, _, _, closed, _, state, waited, ..] = cells[..] else { panic!("{row}") };
    assert!(!closed.is_empty() && state.contains("Closed, unresolved"), "{row}");
    assert!(waited.parse::<u64>().is_ok(), "it waited until it was closed: {row}");
    rig.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pin_of_our_own_is_not_reported_as_abuse() {
    let mut rig = Rig::start().await;
    let id = rig.session("Maria").await;
    let pin = rig.seen.pin(&id).await.to_lowercase().replace('-', " ");
    let refused = rig.refused(json!({ "do": "report_abuse", "pin": pin })).await;
    assert_eq!(refused.code, Code::Refused);
    assert!(refused.text.contains("this console gave it out"), "{}", refused.text);
    assert_eq!(
        rig.refused(json!({ "do": "report_abuse", "pin": "123" })).await.code,
        Code::BadInput
    );
    rig.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pin_of_our_own_is_known_when_its_session_is_closed_and_after_a_restart() {
    let mut rig = Rig::start().await;
    let id = rig.session("Maria").await;
    let pin = rig.seen.pin(&id).await;
    rig.ask(json!({ "do": "close", "session": id, "outcome": "resolved" })).await;
    rig.seen.label(&id, "Closed").await;
    rig.seen.detail(&id, "no PIN any more", |d| d.pin.is_none().then_some(())).await;
    let report = |pin: &str| json!({ "do": "report_abuse", "pin": pin });
    assert_eq!(rig.refused(report(&pin)).await.code, Code::Refused);
    rig.app.stop().await;

    let rig = Rig::start_in(rig.folder, SettingsSource::nowhere()).await;
    let refused = rig.refused(report(&pin)).await;
    assert!(refused.text.contains("this console gave it out"), "{}", refused.text);
    // Somebody else's is not ours, so it goes to the broker, which doesn't know it.
    let answer = rig
        .app
        .command(serde_json::from_value::<Command>(report("AAA-AA-AAAA")).unwrap(), BY)
        .await;
    let text = answer.err().map(|trouble| trouble.text).unwrap_or_default();
    assert!(!text.contains("this console gave it out"), "{text}");
    rig.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_exist_is_said_to_be_not_there() {
    let rig = Rig::start().await;
    let nobody = uuid::Uuid::new_v4().to_string();
    for session in ["x", nobody.as_str()] {
        for what in ["detail", "show", "recheck", "again"] {
            let refused = rig.refused(json!({ "do": what, "session": session })).await;
            assert_eq!(refused.code, Code::NotFound, "{what}: {refused:?}");
            assert!(!refused.remedy.is_empty());
        }
    }
    assert_eq!(
        rig.refused(json!({ "do": "new_session", "region": "No Such" })).await.code,
        Code::BadInput
    );
    rig.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_way_to_the_listener_is_tested_by_a_real_request() {
    let rig = Rig::start().await;
    let asked = rig.ask(json!({ "do": "test_reach" })).await;
    let Reply::Reach { reach, text } = asked else { panic!("no answer") };
    assert_eq!(reach, console::view::Reach::Reachable, "{text}");
    rig.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_customers_program_is_saved_once_it_is_confirmed_and_stands_in_the_log() {
    // The embedded broker delivers what lies beside the running program.
    let own = std::env::current_exe().unwrap();
    std::fs::write(own.with_file_name("deskhand-presenter"), b"\x7fELF").unwrap();
    let mut rig = Rig::start().await;
    let id = rig.session("Maria Lopez").await;
    let downloads = tempfile::tempdir().unwrap();
    let save = |confirmed: bool| json!({ "do": "save_program", "session": id, "confirmed": confirmed, "path": downloads.path() });
    let unsaid = json!({ "do": "save_program", "session": id, "path": downloads.path() });
    for unconfirmed in [save(false), unsaid] {
        let refused = rig.refused(unconfirmed).await;
        assert_eq!(refused.code, Code::Refused);
        assert!(refused.text.contains("own download stops working for this PIN"), "{refused:?}");
        assert!(refused.remedy.contains("confirmed: true"), "{refused:?}");
    }
    let not_asked =
        |d: &SessionDetail| d.program.clone().filter(|p| p.state == ProgramState::NotAsked);
    let asks = rig.seen.detail(&id, "nothing asked", not_asked).await.ask.unwrap();
    assert!(asks.contains("give it to the customer and to nobody else"), "{asks}");

    rig.ask(save(true)).await;
    let saved = |d: &SessionDetail| match &d.program.as_ref()?.state {
        ProgramState::Saved { path, by, .. } => Some((path.clone(), by.clone())),
        _ => None,
    };
    let (path, by) = rig.seen.detail(&id, "the file", saved).await;
    let file = downloads.path().join("deskhand-program-Maria-Lopez.run");
    assert_eq!((path, by.as_str()), (file.display().to_string(), BY));
    assert!(wire::trailer::split(&std::fs::read(file).unwrap()).unwrap().is_some());
    assert_eq!(rig.seen.event("program_saved").await.name, "Maria Lopez");
    let logged = |d: &SessionDetail| {
        let line = d.log.iter().find(|line| line.text.contains("saved the customer's program"));
        line.map(|line| line.text.starts_with(BY))
    };
    assert!(rig.seen.detail(&id, "a line of the log", logged).await, "it says who did");

    assert_eq!(rig.refused(save(true)).await.code, Code::BadInput);
    let cancel = json!({ "do": "cancel_program", "session": id });
    assert_eq!(rig.refused(cancel).await.code, Code::BadInput);
    rig.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_place_that_takes_no_file_is_said_before_the_service_is_asked() {
    let mut rig = Rig::start().await;
    let id = rig.session("Maria").await;
    let folder = tempfile::tempdir().unwrap();
    let taken = folder.path().join("taken.exe");
    std::fs::write(&taken, "former").unwrap();
    let places = [
        (folder.path().join("missing/x.exe"), Code::FreeSpace),
        (folder.path().join("missing/"), Code::FreeSpace),
        (taken.clone(), Code::BadInput),
    ];
    for (path, code) in places {
        let save = json!({ "do": "save_program", "session": id, "confirmed": true, "path": path });
        let refused = rig.refused(save).await;
        assert_eq!(refused.code, code, "{refused:?}");
        assert!(!refused.remedy.is_empty(), "{refused:?}");
    }
    assert_eq!(std::fs::read(taken).unwrap(), b"former");
    let Reply::Detail { detail } = rig.ask(json!({ "do": "detail", "session": id })).await else {
        panic!("no detail")
    };
    assert_eq!(detail.program.unwrap().state, ProgramState::NotAsked);
    rig.app.stop().await;
}
