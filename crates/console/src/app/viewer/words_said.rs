//! What the person here says of the words: that the customer's banner shows the same, or others, in
//! which case somebody is in between.

use engine::{archive::NoteKind, clock::now};
use serde::Deserialize;
use session::{Input, Outcome};

use super::ViewerWindow;
use crate::app::{AuditEntry, Console};

/// What a page says of the words.
#[derive(Debug, PartialEq, Eq, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum Said {
    /// The words that the page shows match.
    WordsMatch { words: String },
    /// They differ.
    WordsDiffer,
}

/// What a page's message says of the words; none if it is about something else.
pub(super) fn said_by(text: &str) -> Option<Said> {
    serde_json::from_str(text).ok()
}

/// Notes that the words match, for this key of the presenter. A click that was meant for words of
/// before counts for nothing.
pub(super) async fn matched(console: &Console, window: &ViewerWindow, words: &str) {
    let session = window.session;
    let mut presenter = window.presenter.lock().await;
    if !presenter.matches(words) {
        return;
    }
    presenter.keep(console, session).await;
    let text = "Said that the words to compare match.".to_owned();
    let by = console.access.technician();
    let entry = AuditEntry { by, action: "words_match", text, session: Some(session) };
    console.audit.record_or_warn(entry).await;
    // Last: control goes on from here.
    console.viewers.matched(session, words);
}

/// Notes that the presenter came with another key after the words were compared.
pub(super) async fn note_change(console: &Console, window: &ViewerWindow) {
    tracing::warn!("the words that two people compared have changed");
    let text = "The customer's program came with another key after the words were compared: the words changed, and control waits until they were compared again.".to_owned();
    let by = "Deskhand".to_owned();
    let entry = AuditEntry { by, action: "words_changed", text, session: Some(window.session) };
    console.audit.record_or_warn(entry).await;
}

/// Ends the session, and notes why. The windows are cut off first and here, since whoever is in
/// between may be the broker, which wouldn't end anything.
pub(super) async fn differ(console: &Console, window: &ViewerWindow) {
    let (session, by) = (window.session, console.access.technician());
    tracing::warn!("the words that two people compared differ");
    console.viewers.cut_off(session);
    let text = "Said that the words to compare differ, which is to end the session.".to_owned();
    let entry = AuditEntry { by: by.clone(), action: "words_differ", text, session: Some(session) };
    console.audit.record_or_warn(entry).await;
    if let Some(engine) = console.engine.get().await {
        let why = "The words to compare were not the same.".to_owned();
        let noted = engine.archive().set_note(session, NoteKind::Closing, why, by.clone(), now());
        if let Err(error) = noted.await {
            tracing::warn!(%error, "a session whose words differ has no note that says so");
        }
        let close = Input::Close { outcome: Outcome::Unresolved, by };
        if let Err(error) = engine.order(session, close).await {
            tracing::warn!(%error, "a session whose words differ could not be closed");
            let text = "The session whose words to compare differ could not be ended; close it, and ask the customer to quit the program.".to_owned();
            let by = "Deskhand".to_owned();
            let entry = AuditEntry { by, action: "not_done", text, session: Some(session) };
            console.audit.record_or_warn(entry).await;
        }
    }
    console.updates.announce();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_message_itself_says_something_of_the_words() {
        assert_eq!(said_by(r#"{"type":"words_differ"}"#), Some(Said::WordsDiffer));
        let words = || "a b c".to_owned();
        let matched = said_by(r#"{"type":"words_match","words":"a b c"}"#);
        assert_eq!(matched, Some(Said::WordsMatch { words: words() }));
        for other in [
            "",
            "{}",
            r#"{"type":"chat","body":"words_differ"}"#,
            r#"{"type":"leave"}"#,
            r#"{"type":"words_match"}"#,
        ] {
            assert_eq!(said_by(other), None, "{other}");
        }
    }
}
