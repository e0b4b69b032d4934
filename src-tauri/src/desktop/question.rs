//! A question in a native dialog, for when the page can't ask it.

use std::cell::RefCell;

use gtk::prelude::{DialogExt, GtkWindowExt, MessageDialogExt, WidgetExt};
use gtk::{ButtonsType, DialogFlags, MessageDialog, MessageType, ResponseType};
use tauri::{AppHandle, WebviewWindow};

/// A question with two answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// What is asked, in a few words; also the dialog's title.
    pub text: String,
    /// What each answer means.
    pub detail: String,
    /// The button for yes.
    pub yes: String,
    /// The button for no.
    pub no: String,
    /// What closing the dialog means, and the key Enter: never what ends something.
    pub otherwise: bool,
}

/// Asks from any thread; see [`ask_here`].
pub fn ask(
    app: &AppHandle,
    parent: Option<WebviewWindow>,
    question: Question,
    answered: impl FnOnce(bool) + Send + 'static,
) {
    let queued = app.run_on_main_thread(move || ask_here(parent.as_ref(), &question, answered));
    if let Err(error) = queued {
        tracing::warn!(%error, "ask a question in a dialog");
    }
}

/// Shows the question and returns at once; `answered` gets the answer. It may be called on the main thread only.
pub fn ask_here(
    parent: Option<&WebviewWindow>,
    question: &Question,
    answered: impl FnOnce(bool) + 'static,
) {
    let parent = parent.and_then(|window| window.gtk_window().ok());
    let dialog = MessageDialog::new(
        parent.as_ref(),
        DialogFlags::empty(),
        MessageType::Warning,
        ButtonsType::None,
        &question.text,
    );
    dialog.set_title(&question.text);
    dialog.set_secondary_text(Some(&question.detail));
    dialog.add_button(&question.no, ResponseType::No);
    dialog.add_button(&question.yes, ResponseType::Yes);
    let otherwise = question.otherwise;
    dialog.set_default_response(if otherwise { ResponseType::Yes } else { ResponseType::No });
    // The first response counts: closing the dialog is a response too.
    let answered = RefCell::new(Some(answered));
    dialog.connect_response(move |dialog, response| {
        let Some(answered) = answered.take() else { return };
        dialog.close();
        answered(match response {
            ResponseType::Yes => true,
            ResponseType::No => false,
            _ => otherwise,
        });
    });
    dialog.show_all();
    dialog.present();
}
