//! Desktop notifications with buttons, by the freedesktop protocol.
//!
//! What is absent: a thread per notification, and a wait without bound: at most [`WAITING`] are listened to at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use notify_rust::{Notification, NotificationResponse, Timeout, Urgency};

/// How many shown notifications may wait for a click; each holds a connection to the bus.
const WAITING: usize = 64;

/// A notification to show. Names in it come from strangers: `body` is escaped here, since servers read it as markup.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// One line, the name first.
    pub summary: String,
    /// More, as plain text; may be empty.
    pub body: String,
    /// The buttons: what is handed back, and what is written on it.
    pub actions: Vec<(String, String)>,
    /// Stays until it was seen, for what needs somebody.
    pub urgent: bool,
}

/// What the person did with a notification.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Clicked it.
    Opened,
    /// Pressed the button of this name.
    Pressed(String),
}

/// Shows notifications on the session bus; without a bus it says so in the log, once a notice.
#[derive(Clone, Default)]
pub struct Notices {
    waiting: Arc<AtomicUsize>,
}

impl Notices {
    /// Shows `notice` and calls `answered` if it is clicked or a button of it is pressed.
    pub async fn show(&self, notice: Notice, answered: impl FnOnce(Answer) + Send) {
        let handle = match draw(&notice).show_async().await {
            Ok(handle) => handle,
            Err(error) => {
                tracing::warn!(%error, "show a notification");
                return;
            }
        };
        if self.waiting.fetch_add(1, Ordering::Relaxed) < WAITING {
            handle
                .wait_for_action_async(|response| {
                    if let Some(answer) = answer(response) {
                        answered(answer);
                    }
                })
                .await;
        }
        self.waiting.fetch_sub(1, Ordering::Relaxed);
    }
}

fn draw(notice: &Notice) -> Notification {
    let mut drawn = Notification::new();
    drawn
        .appname("Deskhand")
        .icon("deskhand")
        .summary(&plain(&notice.summary))
        .body(&escape(&plain(&notice.body)));
    drawn.action("default", "Open");
    for (name, label) in &notice.actions {
        drawn.action(name, label);
    }
    if notice.urgent {
        drawn.urgency(Urgency::Critical).timeout(Timeout::Never);
    }
    drawn
}

fn answer(response: &NotificationResponse) -> Option<Answer> {
    match response {
        NotificationResponse::Default => Some(Answer::Opened),
        NotificationResponse::Action(name) => Some(Answer::Pressed(name.clone())),
        NotificationResponse::Reply(_) | NotificationResponse::Closed(_) => None,
    }
}

/// Without control characters and without those that turn the reading direction, which could disguise a name.
fn plain(text: &str) -> String {
    text.chars().filter(|c| !c.is_control() && !is_direction(*c)).collect()
}

fn is_direction(c: char) -> bool {
    matches!(c, '\u{061C}' | '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

/// The five characters that markup gives a meaning to.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    fn notice(summary: &str, body: &str) -> Notice {
        let actions = vec![("open_viewer".into(), "Open viewer".into())];
        Notice { summary: summary.into(), body: body.into(), actions, urgent: false }
    }

    #[test]
    fn a_strangers_name_is_text_and_never_markup() {
        let drawn = draw(&notice("<b>Eve</b> is online", "<a href=\"x\">Eve & Bob</a>"));
        assert_eq!(drawn.summary, "<b>Eve</b> is online", "a summary is no markup by the protocol");
        assert_eq!(drawn.body, "&lt;a href=&quot;x&quot;&gt;Eve &amp; Bob&lt;/a&gt;");
    }

    #[test]
    fn characters_that_disguise_a_name_are_dropped() {
        let drawn = draw(&notice("Eve\u{202E}nimda\u{0007} is\nonline", ""));
        assert_eq!(drawn.summary, "Evenimda isonline");
    }

    #[test]
    fn a_click_opens_a_button_is_named_and_closing_says_nothing() {
        use notify_rust::CloseReason;
        assert_eq!(answer(&NotificationResponse::Default), Some(Answer::Opened));
        let pressed = answer(&NotificationResponse::Action("chat".into()));
        assert_eq!(pressed, Some(Answer::Pressed("chat".into())));
        assert_eq!(answer(&NotificationResponse::Closed(CloseReason::Expired)), None);
    }
}
