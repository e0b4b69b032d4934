//! The words that two people compare: once for a session, and again only if a key has changed.

use console::{SettingsSource, reply::Reply};
use seal::{Access, Pairing};
use serde_json::{Value, json};
use wire::shared_screen::WaitingViewer;

use crate::{
    rig::{Page, Rig, eventually},
    screen_ends::{Ends, Program, Stream, Window},
};

/// What the page is told of the words, once it is so.
async fn told(window: &mut Window, compared: &str, waits: bool) -> Value {
    loop {
        let words = window.live.next_of("words").await;
        if (&words["compared"], &words["waits"]) == (&json!(compared), &json!(waits)) {
            return words["words"].clone();
        }
    }
}

/// The window shows the screen that the program shares, which remembers this pairing.
pub async fn watched(
    window: &Window,
    program: &mut Program,
    known: Option<&Pairing>,
) -> (Page, Stream) {
    let mut screen = window.watch().await;
    let stream = program.stream_of(Access::Control, known).await;
    screen.next_of("joined").await;
    (screen, stream)
}

async fn says_that_they_match(window: &mut Window, words: &Value) {
    window.live.send(json!({ "type": "words_match", "words": words })).await;
    assert_eq!(told(window, "match", false).await, *words);
}

pub async fn audited(rig: &Rig, action: &str, times: usize) {
    eventually("the entries in the audit log", async || {
        let Reply::Audit { entries, .. } = rig.ask(json!({ "do": "audit" })).await else {
            return None;
        };
        (entries.iter().filter(|entry| entry.action == action).count() == times).then_some(())
    })
    .await;
}

pub fn ben() -> Value {
    json!({
        "challenge": "c", "page": "p", "name": "Ben", "role": "watch", "sealed": false, "invited": false,
    })
}

/// A viewer waits, and is let in from the window: who it is, and what the program is told.
pub async fn lets_in(window: &mut Window, program: &mut Program) -> (WaitingViewer, Value) {
    let waits = ben();
    program.live.send(json!({ "type": "waiting", "viewers": [waits] })).await;
    let shown = loop {
        let roster = window.live.next_of("presence").await;
        if let Some(shown) = roster["waiting"].get(0) {
            break shown.clone();
        }
    };
    window.live.send(json!({ "type": "admit", "viewer": shown, "lets_in": true })).await;
    let answer = program.live.next_of("admit").await;
    (serde_json::from_value(waits).unwrap(), answer)
}

#[tokio::test(flavor = "multi_thread")]
async fn who_compared_the_words_once_need_not_again_not_even_after_a_restart() {
    let mut rig = Rig::start().await;
    let Ends { id, pin, mut program, mut window } = Ends::of(&mut rig, "Maria Lopez").await;
    let (screen, stream) = watched(&window, &mut program, None).await;
    let words = told(&mut window, "not_yet", false).await;
    assert_eq!(words, stream.sealed.words.to_string());
    says_that_they_match(&mut window, &words).await;
    audited(&rig, "words_match", 1).await;
    let pairing = stream.sealed.pairing.clone();

    // A new connection of the same window, and then another window.
    drop((screen, stream));
    let (screen, stream) = watched(&window, &mut program, Some(&pairing)).await;
    assert!(stream.sealed.known_again && !stream.only_watches);
    assert_eq!(told(&mut window, "match", false).await, words);
    drop((screen, stream));
    rig.app.viewer_closed(id.parse().unwrap(), false);
    let mut window = Window::open(&rig, &id, false).await;
    let held = watched(&window, &mut program, Some(&pairing)).await;
    assert_eq!(told(&mut window, "match", false).await, words);
    drop(held);

    let (rig, Ends { mut program, mut window, .. }) = restarted(rig, id, pin).await;
    let _held = watched(&window, &mut program, Some(&pairing)).await;
    assert_eq!(told(&mut window, "match", false).await, words);
    audited(&rig, "words_match", 1).await;
    rig.app.stop().await;
}

/// Somebody came in between after the words were compared, or the program runs on another computer.
#[tokio::test(flavor = "multi_thread")]
async fn another_key_is_shown_as_changed_and_controls_nothing_until_it_was_compared() {
    let mut rig = Rig::start().await;
    let Ends { mut program, mut window, .. } = Ends::of(&mut rig, "Maria Lopez").await;
    let (screen, stream) = watched(&window, &mut program, None).await;
    let before = told(&mut window, "not_yet", false).await;
    says_that_they_match(&mut window, &before).await;
    drop((screen, stream));

    let mut screen = window.watch().await;
    let mut first = program.stream_of(Access::Control, None).await;
    assert!(!first.only_watches, "nobody can know yet");
    first.page.is_sent_away().await;
    let second = program.stream_of(Access::Control, Some(&first.sealed.pairing)).await;
    assert!(second.only_watches && second.sealed.known_again);
    screen.next_of("joined").await;
    let after = told(&mut window, "changed", true).await;
    assert_ne!(after, before);
    audited(&rig, "words_changed", 1).await;

    // A click that was meant for the words of before.
    window.live.send(json!({ "type": "words_match", "words": before })).await;
    says_that_they_match(&mut window, &after).await;
    audited(&rig, "words_match", 2).await;
    let (_screen, third) = watched(&window, &mut program, Some(&second.sealed.pairing)).await;
    assert!(!third.only_watches);
}

#[tokio::test(flavor = "multi_thread")]
async fn control_waits_for_these_match_when_the_setting_says_so() {
    let mut rig = Rig::start().await;
    rig.ask(json!({ "do": "configure", "changes": { "control_after_words": true } })).await;
    let Ends { id, mut program, mut window, .. } = Ends::of(&mut rig, "Maria Lopez").await;
    let (_screen, stream) = watched(&window, &mut program, None).await;
    assert!(stream.only_watches, "the customer's program holds it to that");
    let words = told(&mut window, "not_yet", true).await;
    says_that_they_match(&mut window, &words).await;
    let (_screen, stream) = watched(&window, &mut program, Some(&stream.sealed.pairing)).await;
    assert!(!stream.only_watches);
    // A web page has no words, so nobody gets control by a link.
    let link = |read_only| json!({ "do": "viewer_link", "session": id, "read_only": read_only });
    assert!(rig.refused(link(false)).await.text.contains("a web page has none"));
    assert!(matches!(rig.ask(link(true)).await, Reply::Link { .. }));
    let mail = |to_customer| json!({ "do": "mail", "session": id, "to": "bob@example.com", "to_customer": to_customer, "when": "now" });
    assert!(rig.refused(mail(false)).await.text.contains("a web page has none"));
    rig.ask(mail(true)).await;
}

/// The code with which a window's stream is refused.
async fn refusal(screen: &mut Page) -> Value {
    let reply = screen.0.next().await.unwrap().unwrap().into_text().unwrap();
    let mut reply: Value = serde_json::from_str(&reply).unwrap();
    assert_eq!(reply["type"], "refused");
    reply["code"].take()
}

/// Whoever plays the presenter, or carries its stream, can leave the encryption out.
#[tokio::test(flavor = "multi_thread")]
async fn a_picture_that_comes_without_the_exchange_is_not_shown() {
    let mut rig = Rig::start().await;
    let Ends { mut program, window, .. } = Ends::of(&mut rig, "Maria Lopez").await;
    for instead in [&b"RFB 003.008\n"[..], b"", &[0; 97]] {
        let mut screen = window.watch().await;
        let mut page = program.joins().await;
        page.bytes().await;
        page.send_bytes(instead).await;
        assert_eq!(refusal(&mut screen).await, "timeout");
        screen.is_sent_away().await;
    }
}

/// Neither end can do without the encryption, so each says which of them has to be updated.
#[tokio::test(flavor = "multi_thread")]
async fn a_program_of_another_version_is_said_to_be_one() {
    let mut rig = Rig::start().await;
    let Ends { mut program, window, .. } = Ends::of(&mut rig, "Maria Lopez").await;
    let answers = [
        (Some([0xfe, 1]), "older_program"),
        (Some([0xfe, 3]), "older_viewer"),
        (None, "unanswered"),
    ];
    for (answer, code) in answers {
        let mut screen = window.watch().await;
        let mut page = program.joins().await;
        page.bytes().await;
        if let Some(answer) = answer {
            page.send_bytes(answer).await;
        } else {
            page.close().await;
        }
        assert_eq!(refusal(&mut screen).await, code);
    }
}

/// The answer is signed for the program, and what was shown is part of it.
#[tokio::test(flavor = "multi_thread")]
async fn a_waiting_viewer_is_let_in_by_a_signed_answer_that_is_noted() {
    let mut rig = Rig::start().await;
    let Ends { mut program, mut window, .. } = Ends::of(&mut rig, "Maria Lopez").await;
    let (_screen, stream) = watched(&window, &mut program, None).await;
    let (seen, answer) = lets_in(&mut window, &mut program).await;
    let pairing = stream.sealed.pairing;
    assert_eq!(answer["pairing"], pairing.id().to_string());
    let signature = answer["signature"].as_str().unwrap();
    assert!(pairing.has_signed(&seen.answer_bytes(true), signature));
    assert!(!pairing.has_signed(&seen.answer_bytes(false), signature));
    audited(&rig, "viewer_let_in", 1).await;
}

/// Two windows of a session are one viewer to the customer, who compares one set of words.
#[tokio::test(flavor = "multi_thread")]
async fn both_windows_of_a_session_have_the_same_words() {
    let mut rig = Rig::start().await;
    let Ends { id, mut program, window: mut controls, .. } =
        Ends::of(&mut rig, "Maria Lopez").await;
    let (_screen, stream) = watched(&controls, &mut program, None).await;
    let mut watches = Window::open(&rig, &id, true).await;
    let _other = watches.watch().await;
    let _held = program.stream_of(Access::Watch, Some(&stream.sealed.pairing)).await;
    let words = told(&mut watches, "not_yet", false).await;
    says_that_they_match(&mut watches, &words).await;
    assert_eq!(told(&mut controls, "match", false).await, words);
}

/// What a session's windows know of its presenter isn't forgotten because another session has one.
#[tokio::test(flavor = "multi_thread")]
async fn the_words_of_one_session_can_be_compared_while_another_is_watched() {
    let mut rig = Rig::start().await;
    let Ends { mut program, mut window, .. } = Ends::of(&mut rig, "Maria Lopez").await;
    let (_screen, stream) = watched(&window, &mut program, None).await;
    let words = told(&mut window, "not_yet", false).await;

    let Ends { program: mut other_program, window: mut other, .. } =
        Ends::of(&mut rig, "Ben Okafor").await;
    let _held = watched(&other, &mut other_program, None).await;
    let other_words = told(&mut other, "not_yet", false).await;

    says_that_they_match(&mut window, &words).await;
    says_that_they_match(&mut other, &other_words).await;
    audited(&rig, "words_match", 2).await;
    let (_, answer) = lets_in(&mut window, &mut program).await;
    assert_eq!(answer["pairing"], stream.sealed.pairing.id().to_string());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_waiting_viewer_is_let_in_by_a_window_that_has_had_no_stream_yet() {
    let mut rig = Rig::start().await;
    let Ends { id, pin, mut program, window } = Ends::of(&mut rig, "Maria Lopez").await;
    let (screen, stream) = watched(&window, &mut program, None).await;
    let pairing = stream.sealed.pairing.clone();
    drop((screen, stream));

    // After a restart the pairing is known only from what was kept.
    let (_rig, Ends { mut program, mut window, .. }) = restarted(rig, id, pin).await;
    let (seen, answer) = lets_in(&mut window, &mut program).await;
    assert_eq!(answer["pairing"], pairing.id().to_string());
    assert!(pairing.has_signed(&seen.answer_bytes(true), answer["signature"].as_str().unwrap()));
}

/// The console ends and starts again, and both ends of the screen come back.
async fn restarted(rig: Rig, id: String, pin: String) -> (Rig, Ends) {
    rig.app.stop().await;
    let mut rig = Rig::start_in(rig.folder, SettingsSource::nowhere()).await;
    rig.ask(json!({ "do": "show", "session": id })).await;
    rig.seen.armed(&id).await;
    let program = Program::start(&rig, &pin).await;
    let window = Window::open(&rig, &id, false).await;
    (rig, Ends { id, pin, program, window })
}
