//! Watches the process behind a window's page: one that ended is started again by loading the page again, and one that
//! hangs is ended.
//!
//! What is absent: an endless loop. A page that keeps failing is loaded again only if a person says so.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::{Duration, Instant};

use tauri::WebviewWindow;
use webkit2gtk::{WebProcessTerminationReason, WebView, WebViewExt, glib};

use super::question::{self, Question};

/// How often a page may end unexpectedly, each time within a minute of its start, before somebody is asked whether to
/// load it again.
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

/// How often a page was loaded again without being asked since it last held for a minute, and when it was last.
// Not how often within the last minute: on a computer that takes long to load a page, one that ends at once each time
// would be loaded for ever.
#[derive(Default)]
struct Reloads {
    count: usize,
    last: Option<Instant>,
}

impl Reloads {
    /// Whether the page may be loaded again at `now`; counts it if so.
    fn allow(&mut self, now: Instant) -> bool {
        let held = |last| now.saturating_duration_since(last) >= A_MINUTE;
        if self.last.is_some_and(held) {
            self.count = 0;
        }
        let allowed = self.count < RELOADS;
        if allowed {
            (self.count, self.last) = (self.count + 1, Some(now));
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
            "the page of the {kind} window ended more than {RELOADS} times, each within a minute: {why}"
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
    fn a_page_that_never_holds_for_a_minute_is_loaded_again_three_times_and_then_somebody_is_asked()
    {
        let start = Instant::now();
        let after = |seconds| start + Duration::from_secs(seconds);
        // Also where it takes long to load each time.
        for apart in [1, 20, 59] {
            let mut reloads = Reloads::default();
            let allowed = [0, 1, 2, 3].map(|times| reloads.allow(after(times * apart)));
            assert_eq!(allowed, [true, true, true, false], "{apart} s apart");
        }
    }

    #[test]
    fn a_page_that_held_for_a_minute_begins_anew() {
        let start = Instant::now();
        let mut reloads = Reloads::default();
        let ends = [0, 10, 20, 80, 90, 100, 110];
        let allowed = ends.map(|seconds| reloads.allow(start + Duration::from_secs(seconds)));
        assert_eq!(allowed, [true, true, true, true, true, true, false]);
    }
}
