//! A console in a temporary folder, what it pushes, and pages that join it.

mod page;

use std::{
    borrow::Cow,
    collections::BTreeMap,
    path::Path,
    sync::{Arc, Mutex},
    time::Duration,
};

use console::{
    App, Feed, Options, SettingsSource,
    app::{IN_THE_BROWSER, Pages},
    commands::Command,
    parameters::About,
    reply::Reply,
    view::{ConsoleView, EventView, LampKind, Push, SessionDetail, SessionRow, Trouble},
};
use engine::{
    SessionId,
    desktop::{Desktop, DesktopError, DesktopReply, View},
    remote::ViewerUrl,
};
use serde_json::{Value, json};
use tempfile::TempDir;

pub use self::page::Page;

/// Long enough for a loaded machine; only a failing test waits so long.
const PATIENCE: Duration = Duration::from_secs(60);
pub const BY: &str = "Anna Keller";
/// More than the minute after which a side counts as gone.
pub const GONE: Duration = Duration::from_secs(61);

pub struct Rig {
    pub app: App,
    pub seen: Seen,
    pub desktop: Arc<Opened>,
    pub folder: TempDir,
}

/// A desktop that only remembers which viewer windows were opened, and what in the browser.
#[derive(Default)]
pub struct Opened(
    pub Mutex<Vec<(String, View)>>,
    pub Mutex<Vec<String>>,
    /// Where the windows begin.
    pub Mutex<Vec<ViewerUrl>>,
);

impl Desktop for Opened {
    fn open_viewer<'a>(
        &'a self,
        _: SessionId,
        name: &'a str,
        url: ViewerUrl,
        view: View,
    ) -> DesktopReply<'a> {
        self.2.lock().unwrap().push(url);
        self.0.lock().unwrap().push((name.to_owned(), view));
        Box::pin(async { Ok(()) })
    }

    fn show_chat(&self, _: SessionId) -> bool {
        !self.0.lock().unwrap().is_empty()
    }

    fn open_browser(&self, url: &str) -> Result<(), DesktopError> {
        self.1.lock().unwrap().push(url.to_owned());
        Ok(())
    }
}

/// Stands for the page's files, whose bytes matter to no test here.
pub struct Bundled;

impl Pages for Bundled {
    fn get(&self, name: &str) -> Option<Cow<'static, [u8]>> {
        let known = ["passkey.js", "passkey.css", "viewer.html", "viewer.js", "viewer.css"];
        known.contains(&name).then(|| Cow::Borrowed(b"/* */".as_slice()))
    }
}

pub fn options(data: &Path, settings: SettingsSource, desktop: Arc<Opened>) -> Options {
    Options {
        data: data.join("data"),
        settings,
        desktop,
        program: "a test",
        passphrase: None,
        use_keyring: false,
        broker_control: true,
        unattended: false,
        pages: Arc::new(Bundled),
        in_the_browser: IN_THE_BROWSER,
        forget_profiles: false,
        accept_lost_data: false,
        from_seq: None,
    }
}

impl Rig {
    pub async fn start() -> Self {
        Self::start_in(tempfile::tempdir().unwrap(), SettingsSource::nowhere()).await
    }

    pub async fn start_in(folder: TempDir, settings: SettingsSource) -> Self {
        Self::start_with(folder, settings, |_| {}).await
    }

    pub async fn start_with(
        folder: TempDir,
        settings: SettingsSource,
        change: impl FnOnce(&mut Options),
    ) -> Self {
        let desktop = Arc::new(Opened::default());
        let mut options = options(folder.path(), settings, desktop.clone());
        change(&mut options);
        let app = App::start(options).await.unwrap();
        let seen = Seen::new(app.subscribe());
        Self { app, seen, desktop, folder }
    }

    /// Gives a command that must be carried out.
    pub async fn ask(&self, command: Value) -> Reply {
        let asked: Command = serde_json::from_value(command.clone()).unwrap();
        match self.app.command(asked, BY).await {
            Ok(reply) => reply,
            Err(trouble) => panic!("{command} was refused: {trouble:?}"),
        }
    }

    /// Says that a person has read all troubles that stand until then, as the console shows them now.
    pub async fn acknowledge_troubles(&self) {
        let mut seen = Seen::new(self.app.subscribe());
        let shown = seen.until("the console", |seen| seen.console.clone()).await;
        let ids: Vec<String> =
            shown.troubles.into_iter().filter_map(|trouble| trouble.id).collect();
        self.ask(json!({ "do": "acknowledge_troubles", "troubles": ids })).await;
    }

    /// Gives a command that must be refused.
    pub async fn refused(&self, command: Value) -> Trouble {
        let asked: Command = serde_json::from_value(command.clone()).unwrap();
        match self.app.command(asked, BY).await {
            Ok(_) => panic!("{command} was not refused"),
            Err(trouble) => trouble,
        }
    }

    /// A new session on screen, with all four hooks armed.
    pub async fn session(&mut self, customer: &str) -> String {
        let about = About { customer: customer.into(), ..About::default() };
        let made = self.ask(json!({ "do": "new_session", "about": about })).await;
        let Reply::Session { id } = made else { panic!("no session was made") };
        self.ask(json!({ "do": "show", "session": id })).await;
        self.seen.armed(&id).await;
        id
    }

    pub async fn page(&self, pin: &str, side: &str, name: &str) -> Page {
        Page::open(self.app.broker().unwrap().origin(), pin, side, name).await
    }

    /// Moves the broker's clock, and waits until what fell due has been delivered.
    pub async fn advance(&self, by: Duration) {
        let handle = self.app.broker().unwrap().handle();
        handle.idle().await;
        handle.advance(by).await;
        handle.idle().await;
    }
}

/// Everything that was pushed.
pub struct Seen {
    feed: Feed,
    pub console: Option<ConsoleView>,
    pub rows: BTreeMap<String, SessionRow>,
    pub details: BTreeMap<String, SessionDetail>,
    pub happenings: Vec<EventView>,
    /// Each push as JSON, a session's PIN taken out of where it may be.
    pub texts: Vec<String>,
}

impl Seen {
    pub fn new(feed: Feed) -> Self {
        Self {
            feed,
            console: None,
            rows: BTreeMap::new(),
            details: BTreeMap::new(),
            happenings: Vec::new(),
            texts: Vec::new(),
        }
    }

    /// Takes in what is pushed until `look` finds what it looks for.
    pub async fn until<T>(&mut self, what: &str, look: impl Fn(&Self) -> Option<T>) -> T {
        let watch = async {
            loop {
                if let Some(found) = look(self) {
                    return found;
                }
                let batch = self.feed.next().await.expect("the feed ended");
                batch.into_iter().for_each(|push| self.take(push));
            }
        };
        match tokio::time::timeout(PATIENCE, watch).await {
            Ok(found) => found,
            Err(_) => panic!("{what} was not seen; {:?} {:?}", self.rows, self.happenings),
        }
    }

    pub async fn detail<T>(
        &mut self,
        id: &str,
        what: &str,
        look: impl Fn(&SessionDetail) -> Option<T>,
    ) -> T {
        self.until(what, |seen| seen.details.get(id).and_then(&look)).await
    }

    pub async fn armed(&mut self, id: &str) {
        self.detail(id, "four armed hooks", |detail| {
            detail.hooks.iter().all(|hook| hook.lamp == LampKind::Armed).then_some(())
        })
        .await;
    }

    pub async fn label(&mut self, id: &str, label: &str) {
        self.until(label, |seen| {
            seen.rows.get(id).filter(|row| row.state.label == label).map(drop)
        })
        .await;
    }

    pub async fn event(&mut self, event: &str) -> EventView {
        self.until(event, |seen| seen.happenings.iter().rfind(|h| h.event == event).cloned()).await
    }

    pub async fn pin(&mut self, id: &str) -> String {
        self.detail(id, "a PIN", |detail| detail.pin.as_ref().map(|pin| pin.text.clone())).await
    }

    /// Whether the feed has ended.
    pub async fn ended(&mut self) -> bool {
        let drained = async { while self.feed.next().await.is_some() {} };
        tokio::time::timeout(PATIENCE, drained).await.is_ok()
    }

    fn take(&mut self, push: Push) {
        let mut text = serde_json::to_value(&push).unwrap();
        if let Some(pin) = text.get_mut("pin") {
            *pin = Value::Null;
        }
        self.texts.push(text.to_string());
        match push {
            Push::Console(view) => self.console = Some(*view),
            Push::Row(row) => {
                self.rows.insert(row.id.clone(), row);
            }
            Push::Gone { id } => {
                self.rows.remove(&id);
            }
            Push::Detail(mut detail) => {
                if let Some(known) = self.details.get(&detail.row.id) {
                    detail.continue_chat(&known.chat);
                }
                self.details.insert(detail.row.id.clone(), *detail);
            }
            Push::Regions(_) => {}
            Push::Event(happening) => self.happenings.push(happening),
        }
    }
}

/// Asks until `look` has an answer: for what only a service can tell, which tells nobody by itself.
pub async fn eventually<T>(what: &str, look: impl AsyncFn() -> Option<T>) -> T {
    let watch = async {
        loop {
            if let Some(found) = look().await {
                return found;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(PATIENCE, watch).await.unwrap_or_else(|_| panic!("{what} never came"))
}
