//! The person here says that the customer's banner shows other words: somebody is in between.

use serde::Deserialize;
use session::{Input, Outcome};

use super::ViewerWindow;
use crate::app::{AuditEntry, Console};

#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum FromPage {
    WordsDiffer,
}

/// Whether this is the page's message that the words differ.
pub(super) fn is_said_by(text: &str) -> bool {
    matches!(serde_json::from_str(text), Ok(FromPage::WordsDiffer))
}

/// Ends the session, and notes why. The windows are cut off first and here, since whoever is in
/// between may be the broker, which wouldn't end anything.
pub(super) async fn end(console: &Console, window: &ViewerWindow) {
    let (session, by) = (window.session, console.access.technician());
    tracing::warn!("the words that two people compared differ");
    console.viewers.cut_off(session);
    let text = "Said that the words to compare differ, which ended the session.".to_owned();
    let entry = AuditEntry { by: by.clone(), action: "words_differ", text, session: Some(session) };
    console.audit.record_or_warn(entry).await;
    if let Some(engine) = console.engine.get().await {
        let close = Input::Close { outcome: Outcome::Unresolved, by };
        if let Err(error) = engine.order(session, close).await {
            tracing::warn!(%error, "a session whose words differ could not be closed");
        }
    }
    console.updates.announce();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_message_itself_ends_a_session() {
        assert!(is_said_by(r#"{"type":"words_differ"}"#));
        for other in ["", "{}", r#"{"type":"chat","body":"words_differ"}"#, r#"{"type":"leave"}"#] {
            assert!(!is_said_by(other), "{other}");
        }
    }
}
