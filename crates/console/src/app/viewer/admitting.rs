//! The person here lets a viewer in that waits for it, or refuses it. The answer is signed with what
//! this console shares with the customer's program, so the broker that passes it on can't make one.

use serde::Deserialize;
use serde_json::json;
use session::text::plain_name;
use wire::shared_screen::{AdmissionAnswer, WaitingViewer};

use super::ViewerWindow;
use crate::app::{AuditEntry, Console};

/// What a page says of a viewer that waits, with everything that it showed.
#[derive(Debug, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum Said {
    Admit { viewer: WaitingViewer, lets_in: bool },
}

/// What a page's message says of a viewer that waits; none if it is about something else.
pub(super) fn said_by(text: &str) -> Option<Said> {
    serde_json::from_str(text).ok()
}

/// The message for the broker, after it was noted who answered; none where this console shares
/// nothing with the customer's program yet.
pub(super) async fn answer(
    console: &Console,
    window: &ViewerWindow,
    said: &Said,
) -> Option<String> {
    let Said::Admit { viewer, lets_in } = said;
    let (pairing, signature) = sign(console, window, &viewer.answer_bytes(*lets_in)).await?;
    let name = Some(plain_name(&viewer.name)).filter(|name| !name.is_empty());
    let name = name.unwrap_or_else(|| "somebody without a name".to_owned());
    let (action, did) =
        if *lets_in { ("viewer_let_in", "Let") } else { ("viewer_refused", "Refused") };
    let to = if *lets_in { " see the screen" } else { " as a viewer" };
    let entry = AuditEntry {
        by: console.access.technician(),
        action,
        text: format!("{did} {name}{to}."),
        session: Some(window.session),
    };
    console.audit.record_or_warn(entry).await;
    let challenge = viewer.challenge.clone();
    let answer = AdmissionAnswer { challenge, lets_in: *lets_in, pairing, signature };
    let mut message = json!(answer);
    message["type"] = "admit".into();
    Some(message.to_string())
}

/// Signs a text for the window's presenter; also, the name of the pairing whose signature it is.
async fn sign(console: &Console, window: &ViewerWindow, text: &[u8]) -> Option<(String, String)> {
    let mut presenter = window.presenter.lock().await;
    // A viewer may wait before this window has had a stream, which would have looked it up.
    presenter.look_up(console, window.session).await;
    presenter.sign(text)
}
