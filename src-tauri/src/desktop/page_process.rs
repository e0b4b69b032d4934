//! Watches the process behind a window's page: one that ended is started again by loading the page again, and one that
//! hangs is ended.
//!
//! What is absent: an endless loop. A page that keeps failing is loaded again only if a person says so.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;
use std::time::{Duration, Instant};

use tauri::WebviewWindow;
use webkit2gtk::{WebProcessTerminationReason, WebView, WebViewExt, glib};

use super::question::{self, Question};

/// How often a page may end unexpectedly within a minute and be loaded again without a question.
pub const RELOADS: usize = 3;
const A_MINUTE: Duration = Duration::from_secs(60);

/// How long a page may hang, in seconds, after WebKit has noticed (which takes it about 3 s).
const HANGS_SECONDS: u32 = 10;

/// What is particular to a kind of window.
#[derive(Clone, Copy)]
pub struct Care {
    /// The kind. Not the title, which names the customer, nor the address, which may carry the PIN.
    pub kind: &'static str,
    /// Told that the page's process has ended.
    pub lost: fn(&WebviewWindow),
    /// Asked when the page keeps ending: whether to load it again.
    pub question: fn() -> Question,
    /// Called when it isn't to be loaded again.
    pub give_up: fn(&WebviewWindow),
}

/// When a page was loaded again without being asked.
#[derive(Default)]
struct Reloads(VecDeque<Instant>);

impl Reloads {
    /// Whether the page may be loaded again at `now`; counts it if so.
    fn allow(&mut self, now: Instant) -> bool {
        self.0.retain(|before| now.saturating_duration_since(*before) < A_MINUTE);
        let allowed = self.0.len() < RELOADS;
        if allowed {
            self.0.push_back(now);
        }
        allowed
    }
}

/// Loads the page of `window` again whenever its process ends without being asked to, or hangs.
///
/// # Errors
/// The window has no web view any more.
pub fn watch(window: &WebviewWindow, care: Care) -> tauri::Result<()> {
    let at_end = window.clone();
    window.with_webview(move |webview| {
        let reloads = Rc::new(RefCell::new(Reloads::default()));
        let view = webview.inner();
        view.connect_web_process_terminated(move |view, reason| {
            ended(&at_end, view, reason, care, &reloads);
        });
        view.connect_is_web_process_responsive_notify(move |view| {
            if !view.is_web_process_responsive() {
                hangs(care.kind, view);
            }
        });
    })
}

/// Ends the process of a page that doesn't answer, which has it loaded again.
pub fn end(window: &WebviewWindow) {
    let ended = window.with_webview(|webview| webview.inner().terminate_web_process());
    if let Err(error) = ended {
        tracing::warn!(%error, "end a page that doesn't answer");
    }
}

/// Loads the page of a window again, in a new process if its process has ended.
pub fn load(window: &WebviewWindow) {
    if let Err(error) = window.with_webview(|webview| webview.inner().reload()) {
        tracing::warn!(%error, "load a page again");
    }
}

fn ended(
    window: &WebviewWindow,
    view: &WebView,
    reason: WebProcessTerminationReason,
    care: Care,
    reloads: &Rc<RefCell<Reloads>>,
) {
    let why = match reason {
        WebProcessTerminationReason::Crashed => "it crashed or was killed",
        WebProcessTerminationReason::ExceededMemoryLimit => "it took too much memory",
        WebProcessTerminationReason::TerminatedByApi => "it hung and was ended",
        _ => "for an unknown reason",
    };
    (care.lost)(window);
    let kind = care.kind;
    if reloads.borrow_mut().allow(Instant::now()) {
        tracing::error!("the page of the {kind} window ended: {why}; it is loaded again");
        load_again(view);
    } else {
        tracing::error!(
            "the page of the {kind} window ended more than {RELOADS} times in a minute: {why}"
        );
        ask(window, view, care, reloads.clone());
    }
}

fn load_again(view: &WebView) {
    let view = view.clone();
    // Later: WebKit is still dealing with the process that ended.
    glib::idle_add_local_once(move || view.reload());
}

fn hangs(kind: &str, view: &WebView) {
    tracing::warn!("the page of the {kind} window doesn't answer");
    let view = view.clone();
    glib::timeout_add_seconds_local_once(HANGS_SECONDS, move || {
        if !view.is_web_process_responsive() {
            view.terminate_web_process();
        }
    });
}

/// Asks what to do with a page that keeps ending.
fn ask(window: &WebviewWindow, view: &WebView, care: Care, reloads: Rc<RefCell<Reloads>>) {
    let (view, asked) = (view.clone(), window.clone());
    question::ask_here(Some(window), &(care.question)(), move |again| {
        if again {
            *reloads.borrow_mut() = Reloads::default();
            view.reload();
        } else {
            (care.give_up)(&asked);
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_loaded_again_three_times_in_a_minute_and_then_somebody_is_asked() {
        let mut reloads = Reloads::default();
        let start = Instant::now();
        let after = |seconds| start + Duration::from_secs(seconds);
        let allowed = [0, 10, 20, 30, 59].map(|seconds| reloads.allow(after(seconds)));
        assert_eq!(allowed, [true, true, true, false, false]);
        let allowed = [60, 61, 70, 71].map(|seconds| reloads.allow(after(seconds)));
        assert_eq!(allowed, [true, false, true, false], "the oldest no longer counts");
    }
}
