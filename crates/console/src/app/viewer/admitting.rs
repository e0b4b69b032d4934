//! The person here lets a viewer in that waits for it, or refuses it. The answer is signed with what
//! this console shares with the customer's program, so the broker that passes it on can't make one.

use engine::{Engine, SessionId};
use serde::Deserialize;
use serde_json::json;
use session::text::plain_name;
use wire::shared_screen::{AdmissionAnswer, WaitingViewer};

use super::{ViewerWindow, comparison::Presenter};
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
    let presenter = &window.presenter;
    let answer = signed(console, window.session, presenter, viewer, *lets_in).await?;
    let by = console.access.technician();
    console.audit.record_or_warn(entry(by, window.session, viewer, *lets_in)).await;
    let mut message = json!(answer);
    message["type"] = "admit".into();
    Some(message.to_string())
}

/// The answer, signed of the session's page and without a viewer window: the key is the console's.
/// It is for the caller to note.
pub(crate) async fn answer_without_window(
    console: &Console,
    session: SessionId,
    viewer: &WaitingViewer,
    lets_in: bool,
) -> Option<AdmissionAnswer> {
    let presenter = console.viewers.presenters.of(session);
    signed(console, session, &presenter, viewer, lets_in).await
}

/// Who gave an answer, for the audit log.
pub(crate) fn entry(
    by: String,
    session: SessionId,
    viewer: &WaitingViewer,
    lets_in: bool,
) -> AuditEntry {
    let name = Some(plain_name(&viewer.name)).filter(|name| !name.is_empty());
    let name = name.unwrap_or_else(|| "somebody without a name".to_owned());
    let (action, text) = match lets_in {
        true => ("viewer_let_in", format!("Let {name} see the screen.")),
        false => ("viewer_refused", format!("Refused {name} as a viewer.")),
    };
    AuditEntry { by, action, text, session: Some(session) }
}

/// Whether this console has what an answer about a session's viewers is signed with.
pub(crate) async fn can_answer(engine: &Engine, session: SessionId) -> bool {
    // What was kept, and no lock: an exchange holds that for as long as the other end takes.
    matches!(engine.pairing(session).await, Ok(Some(_)))
}

async fn signed(
    console: &Console,
    session: SessionId,
    presenter: &tokio::sync::Mutex<Presenter>,
    viewer: &WaitingViewer,
    lets_in: bool,
) -> Option<AdmissionAnswer> {
    let (pairing, signature) = {
        let mut presenter = presenter.lock().await;
        // A viewer may wait before a window has had a stream, which would have looked it up.
        presenter.look_up(console, session).await;
        presenter.sign(&viewer.answer_bytes(lets_in))?
    };
    let challenge = viewer.challenge.clone();
    Some(AdmissionAnswer { challenge, lets_in, pairing, signature })
}
