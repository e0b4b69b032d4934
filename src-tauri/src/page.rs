//! What the shell asks of the main window's page, and what it keeps for the page.
//!
//! The page is a process of its own: it can die or hang at any time. A request stays until the page has taken it, so
//! that a page which was loaded again gets it, and whoever asked learns when nobody answers.
//!
//! What is absent: more than one waiting request. A newer one takes the place of the older, which would only confuse.

use parking_lot::Mutex;
use serde::Serialize;
use serde_json::Value;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::oneshot;

/// The most that is kept for the page, in bytes of JSON. Drafts of a desk full of sessions are far below.
const MOST_KEPT: usize = 1 << 20;

/// Something that the shell asks of the page. It is sent in the same batches as the
/// console's pushes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "ask", rename_all = "snake_case")]
pub enum PageRequest {
    /// Ask whether to quit while sessions are live.
    Quit,
    /// Bring a session to the front and ask whether to close it.
    Close {
        /// The session's id.
        session: String,
    },
    /// Bring a session to the front.
    Show {
        /// The session's id.
        session: String,
        /// Whether its chat is shown as well.
        chat: bool,
    },
}

/// A request with the number by which the page says that it has taken it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Numbered {
    /// Larger for each request.
    pub number: u64,
    /// The request itself.
    #[serde(flatten)]
    pub request: PageRequest,
}

/// What became of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// The page has taken it.
    Taken,
    /// A newer request took its place, or it was taken back.
    Replaced,
}

/// The main window's page, as the shell knows it.
#[derive(Default)]
pub struct Page(Mutex<State>);

#[derive(Default)]
struct State {
    /// Leads to the page that subscribed last; none while no page listens.
    listener: Option<UnboundedSender<Numbered>>,
    waiting: Option<(Numbered, oneshot::Sender<()>)>,
    last: u64,
    kept: Value,
}

/// A request that waits for the page.
pub struct Waiting {
    number: u64,
    taken: oneshot::Receiver<()>,
}

impl Page {
    /// Asks something of the page, now or once it is loaded.
    pub fn ask(&self, request: PageRequest) -> Waiting {
        let mut state = self.0.lock();
        state.last += 1;
        let numbered = Numbered { number: state.last, request };
        if let Some(listener) = &state.listener {
            // Fails when the page is gone; then it waits for the next.
            let _ = listener.send(numbered.clone());
        }
        let (tell, taken) = oneshot::channel();
        let waiting = Waiting { number: numbered.number, taken };
        state.waiting = Some((numbered, tell));
        waiting
    }

    /// Notes that a page listens from now on, and gives it what waits. The page before it gets nothing more.
    pub fn listen(&self) -> UnboundedReceiver<Numbered> {
        let (listener, requests) = unbounded_channel();
        let mut state = self.0.lock();
        if let Some((waiting, _)) = &state.waiting {
            // The receiver is right here.
            let _ = listener.send(waiting.clone());
        }
        state.listener = Some(listener);
        tracing::info!("the page of the main window is loaded");
        requests
    }

    /// Notes that the page is gone, which ends what was sent to it.
    pub fn lost(&self) {
        self.0.lock().listener = None;
    }

    /// Whether a page listens, dead or alive. If none does, it is being loaded.
    pub fn listens(&self) -> bool {
        self.0.lock().listener.is_some()
    }

    /// Notes that the page has taken a request.
    pub fn taken(&self, number: u64) {
        let waiting = self.0.lock().waiting.take_if(|(asked, _)| asked.number == number);
        if let Some((_, taken)) = waiting {
            tracing::info!("the page of the main window has taken what it was asked");
            // Nobody may be waiting any more.
            let _ = taken.send(());
        }
    }

    /// Takes a request back that the page hasn't taken: it was dealt with otherwise.
    pub fn withdraw(&self, waiting: &Waiting) {
        self.0.lock().waiting.take_if(|(asked, _)| asked.number == waiting.number);
    }

    /// Keeps where the page is and what was typed in it, for the page that is loaded after it.
    ///
    /// # Errors
    /// It is too much.
    pub fn keep(&self, place: Value) -> Result<(), TooMuch> {
        let bytes = place.to_string().len();
        if bytes > MOST_KEPT {
            return Err(TooMuch);
        }
        self.0.lock().kept = place;
        tracing::debug!("{bytes} bytes of the page of the main window are kept");
        Ok(())
    }

    /// Whether this session's chat is open in the page; in a dead one it isn't.
    pub fn reads(&self, session: &str) -> bool {
        let state = self.0.lock();
        state.listener.is_some() && state.kept["reads"] == session
    }

    /// What the page before has had kept; null if nothing.
    pub fn kept(&self) -> Value {
        self.0.lock().kept.clone()
    }
}

impl Waiting {
    /// Waits until the page has taken the request, or a newer one has replaced it.
    pub async fn fate(&mut self) -> Fate {
        match (&mut self.taken).await {
            Ok(()) => Fate::Taken,
            Err(_) => Fate::Replaced,
        }
    }
}

/// The page wants more to be kept than it may.
#[derive(Debug, thiserror::Error)]
#[error("keep the texts that are not sent yet: they are longer than 1 MiB in all")]
pub struct TooMuch;

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn show(session: &str) -> PageRequest {
        PageRequest::Show { session: session.into(), chat: false }
    }

    #[tokio::test]
    async fn a_request_waits_for_the_page_that_is_loaded_after_the_one_that_died() {
        let page = Page::default();
        let mut before = page.listen();
        let mut waiting = page.ask(show("a"));
        let sent = before.recv().await.unwrap();
        page.lost();
        assert!(before.recv().await.is_none(), "what is sent to a dead page ends");
        let mut after = page.listen();
        assert_eq!(after.recv().await, Some(sent.clone()));
        page.taken(sent.number);
        assert_eq!(waiting.fate().await, Fate::Taken);
        assert!(page.listen().try_recv().is_err(), "what was taken is not asked twice");
    }

    #[tokio::test]
    async fn a_newer_request_takes_the_place_of_the_older() {
        let page = Page::default();
        let (mut first, mut second) = (page.ask(show("a")), page.ask(PageRequest::Quit));
        assert_eq!(first.fate().await, Fate::Replaced);
        let asked = page.listen().recv().await.unwrap();
        assert_eq!(asked.request, PageRequest::Quit);
        page.taken(asked.number - 1);
        page.taken(asked.number);
        assert_eq!(second.fate().await, Fate::Taken);
    }

    #[tokio::test]
    async fn a_page_that_is_loaded_again_ends_what_was_sent_to_the_one_before() {
        let page = Page::default();
        let mut before = page.listen();
        let _after = page.listen();
        assert!(before.recv().await.is_none());
    }

    #[test]
    fn what_is_kept_is_given_back_and_bounded() {
        let page = Page::default();
        assert_eq!(page.kept(), Value::Null);
        page.keep(json!({ "drafts": { "a": "Hello" } })).unwrap();
        assert!(page.keep(json!("x".repeat(MOST_KEPT))).is_err());
        assert_eq!(page.kept()["drafts"]["a"], "Hello");
    }

    #[test]
    fn a_dead_page_reads_no_chat() {
        let page = Page::default();
        page.keep(json!({ "reads": "a" })).unwrap();
        let _requests = page.listen();
        assert!(page.reads("a"));
        assert!(!page.reads("b"));
        page.lost();
        assert!(!page.reads("a"));
    }

    #[test]
    fn a_request_is_sent_flat_with_its_number() {
        let numbered = Numbered { number: 7, request: PageRequest::Close { session: "a".into() } };
        let sent = serde_json::to_value(numbered).unwrap();
        assert_eq!(sent, json!({ "number": 7, "ask": "close", "session": "a" }));
    }
}
