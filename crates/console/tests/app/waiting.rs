//! Viewers that wait to be let in, answered on the session's page and in a viewer window.

use console::{reply::Reply, view::WaitingView};
use serde_json::{Value, json};
use wire::shared_screen::WaitingViewer;

use crate::{
    rig::{Rig, eventually},
    screen_ends::{Ends, Program, Window},
    words::{audited, ben, lets_in, watched},
};

/// Who waits, as the session's page shows it; and whether this console can answer.
async fn waits(rig: &Rig, id: &str, can_answer: bool) -> WaitingView {
    eventually("the viewer that waits", async || {
        let detail = json!({ "do": "detail", "session": id });
        let Reply::Detail { detail } = rig.ask(detail).await else {
            return None;
        };
        let screen = detail.screen.filter(|screen| screen.can_answer == can_answer)?;
        (detail.row.waiting == 1).then(|| screen.waiting.into_iter().next()).flatten()
    })
    .await
}

/// The key is the console's, so no window need be open.
#[tokio::test(flavor = "multi_thread")]
async fn a_waiting_viewer_is_let_in_from_the_sessions_page() {
    let mut rig = Rig::start().await;
    let id = rig.session("Maria Lopez").await;
    let pin = rig.seen.pin(&id).await;
    let mut program = Program::start(&rig, &pin).await;
    program.live.send(json!({ "type": "waiting", "viewers": [ben()] })).await;
    let shown = waits(&rig, &id, false).await;
    assert_eq!((shown.name.as_str(), shown.controls, shown.sealed), ("Ben", false, false));
    let answer = |viewer: &str, lets_in: bool| {
        let viewer = viewer.to_owned();
        json!({ "do": "answer_viewer", "session": id, "viewer": viewer, "lets_in": lets_in })
    };
    let trouble = rig.refused(answer(&shown.id, true)).await;
    assert!(trouble.remedy.contains("open the viewer"), "{trouble:?}");
    audited(&rig, "viewer_let_in", 0).await;

    let window = Window::open(&rig, &id, false).await;
    let (screen, stream) = watched(&window, &mut program, None).await;
    let pairing = stream.sealed.pairing.clone();
    drop((screen, stream));
    rig.app.viewer_closed(id.parse().unwrap(), false);
    let shown = waits(&rig, &id, true).await;
    let told = heeded(&rig, answer(&shown.id, true), &mut program).await;
    assert_eq!(told["pairing"], pairing.id().to_string());
    let seen: WaitingViewer = serde_json::from_value(ben()).unwrap();
    let signature = told["signature"].as_str().unwrap();
    assert!(pairing.has_signed(&seen.answer_bytes(true), signature));
    audited(&rig, "viewer_let_in", 1).await;
    program.live.send(json!({ "type": "waiting", "viewers": [ben()] })).await;
    let shown = waits(&rig, &id, true).await;
    let told = heeded(&rig, answer(&shown.id, false), &mut program).await;
    assert!(pairing.has_signed(&seen.answer_bytes(false), told["signature"].as_str().unwrap()));
    audited(&rig, "viewer_refused", 1).await;
    audited(&rig, "not_done", 0).await;
}

/// What the program is told by an answer that it heeds.
async fn heeded(rig: &Rig, answer: Value, program: &mut Program) -> Value {
    let heeds = async {
        let told = program.live.next_of("admit").await;
        program.live.send(json!({ "type": "waiting", "viewers": [] })).await;
        told
    };
    let (reply, told) = tokio::join!(rig.ask(answer), heeds);
    assert!(matches!(reply, Reply::Done));
    told
}

/// It runs on another computer now, where it knows nothing of what the console shares with the first.
#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_the_program_does_not_heed_is_not_called_done() {
    let mut rig = Rig::start().await;
    let Ends { id, mut program, window, .. } = Ends::of(&mut rig, "Maria Lopez").await;
    let _held = watched(&window, &mut program, None).await;
    program.live.send(json!({ "type": "waiting", "viewers": [ben()] })).await;
    let shown = waits(&rig, &id, true).await;
    let answer =
        json!({ "do": "answer_viewer", "session": id, "viewer": shown.id, "lets_in": true });
    let trouble = rig.refused(answer).await;
    assert!(trouble.text.contains("took no notice"), "{trouble:?}");
    program.live.next_of("admit").await;
    audited(&rig, "viewer_let_in", 1).await;
    audited(&rig, "not_done", 1).await;
}

/// As on the session's page: the log says what became of it, and so does the window.
#[tokio::test(flavor = "multi_thread")]
async fn an_answer_in_the_window_that_the_program_does_not_heed_is_not_called_done() {
    let mut rig = Rig::start().await;
    let Ends { id, mut program, mut window, .. } = Ends::of(&mut rig, "Maria Lopez").await;
    let held = watched(&window, &mut program, None).await;
    let (seen, _) = lets_in(&mut window, &mut program).await;
    let told = window.live.next_of("not_admitted").await;
    assert_eq!(told["challenge"], seen.challenge);
    assert!(told["text"].as_str().unwrap().contains("took no notice"), "{told}");
    audited(&rig, "viewer_let_in", 1).await;
    audited(&rig, "not_done", 1).await;

    // The window is closed before anything is known of it.
    waits(&rig, &id, true).await;
    window.live.send(json!({ "type": "admit", "viewer": ben(), "lets_in": false })).await;
    program.live.next_of("admit").await;
    rig.app.viewer_closed(id.parse().unwrap(), false);
    audited(&rig, "viewer_refused", 1).await;
    audited(&rig, "not_done", 2).await;
    drop(held);
}

/// No way in is open while the gate is shut, and none before the two ends know each other.
#[tokio::test(flavor = "multi_thread")]
async fn a_window_lets_nobody_in_where_the_sessions_page_would_not() {
    let mut rig = Rig::start().await;
    let Ends { mut program, mut window, .. } = Ends::of(&mut rig, "Maria Lopez").await;
    program.live.send(json!({ "type": "waiting", "viewers": [ben()] })).await;
    let mut answers = async |lets_in: bool| {
        let answer = json!({ "type": "admit", "viewer": ben(), "lets_in": lets_in });
        window.live.send(answer).await;
        window.live.next_of("not_admitted").await["text"].as_str().unwrap().to_owned()
    };
    for lets_in in [true, false] {
        let text = answers(lets_in).await;
        assert!(text.contains("don't know each other yet"), "{text}");
    }
    rig.ask(json!({ "do": "configure", "changes": { "verify_gate": "require" } })).await;
    let text = answers(true).await;
    assert!(text.contains("Verify the customer first"), "{text}");
    for action in ["viewer_let_in", "viewer_refused", "not_done"] {
        audited(&rig, action, 0).await;
    }
}

/// A broker that lies can exchange the viewer under the person's finger.
#[tokio::test(flavor = "multi_thread")]
async fn an_answer_counts_for_nothing_that_was_told_after_it_was_shown() {
    let mut rig = Rig::start().await;
    let id = rig.session("Maria Lopez").await;
    let pin = rig.seen.pin(&id).await;
    let mut program = Program::start(&rig, &pin).await;
    let window = Window::open(&rig, &id, false).await;
    let _held = watched(&window, &mut program, None).await;
    program.live.send(json!({ "type": "waiting", "viewers": [ben()] })).await;
    let shown = waits(&rig, &id, true).await;
    let mut more = ben();
    more["role"] = json!("control");
    program.live.send(json!({ "type": "waiting", "viewers": [more] })).await;
    eventually("the same viewer, who would control now", async || {
        waits(&rig, &id, true).await.controls.then_some(())
    })
    .await;
    let command =
        json!({ "do": "answer_viewer", "session": id, "viewer": shown.id, "lets_in": true });
    let trouble = rig.refused(command).await;
    assert!(trouble.text.contains("something about it has changed"), "{trouble:?}");
    audited(&rig, "viewer_let_in", 0).await;
}
