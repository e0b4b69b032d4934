//! The console as a whole: starts everything in its order, takes commands, feeds whoever looks.
//!
//! One [`App`] owns one data folder from before anything in it is opened until [`App::stop`]. What it
//! feeds is made from snapshots and the journal's happenings, so a slow subscriber skips states but
//! never something that happened.

mod access;
mod audit_log;
mod ceremony;
mod embedded;
mod error;
mod feed;
mod notices;
mod pages;
mod ports;
mod reach;
mod roster;
mod services;
mod side;
mod start;
mod verification_audit;
mod viewer;
mod watch;

use std::{
    path::PathBuf,
    sync::{
        Arc, Mutex, OnceLock, RwLock,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use engine::{
    Engine, SessionId,
    access::{Access, Why},
    desktop::Desktop,
    lock::FolderLock,
    vault::Vault,
};
use jiff::tz::TimeZone;
use secrecy::SecretString;
use serde_json::{Map, Value};
use session::{Input, Timestamp};
use tokio::sync::watch as change;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

pub(crate) use self::{
    audit_log::AuditEntry,
    ceremony::{Ceremony, CeremonyTask, begin as begin_ceremony, of_passkey, passkeys},
    feed::{detail_of, known_reach, name_of, setting},
    reach::{Tested, test as test_reach},
    services::{Kept, check_secret, place as secret_place, set_up as set_up_services, stand_in},
    side::Side,
    start::{restart_engine, set_network},
    viewer::has_page as has_viewer_page,
    watch::{count as count_unread, learn_of_service, mark_name as read_mark},
};
pub use self::{
    ceremony::IN_THE_BROWSER,
    embedded::Embedded,
    error::AppError,
    feed::Feed,
    notices::{Marks, News, Notices, Tell},
    pages::{Bundle, NoPages, Pages, PagesIn},
};
use crate::{Settings, SettingsSource};

/// A running console; clones are the same one.
#[derive(Clone)]
pub struct App(Arc<Inner>);

/// How a console is started.
pub struct Options {
    /// The data folder; a temporary one for what shall leave nothing behind.
    pub data: PathBuf,
    /// Where settings come from and go to.
    pub settings: SettingsSource,
    /// The desktop, or [`engine::desktop::Headless`].
    pub desktop: Arc<dyn Desktop>,
    /// What the data folder's holder is called, such as `deskhand headless`.
    pub program: &'static str,
    /// The passphrase that wraps the key, where one does.
    pub passphrase: Option<SecretString>,
    /// Whether the system's keyring may keep the key; else a key file does.
    pub use_keyring: bool,
    /// Hand out the embedded broker and sandbox ([`App::broker`], [`App::sandbox`]): for the demo and tests, which move their clocks.
    pub broker_control: bool,
    /// Customers' programs may share without asking, as nobody sits there: for the demo, whose own broker
    /// allows that.
    pub unattended: bool,
    /// The page that asks for passkeys in the system's browser.
    pub pages: Arc<dyn Pages>,
    /// How long a person has there ([`IN_THE_BROWSER`]).
    pub in_the_browser: Duration,
    /// Forget who has a profile here: for who has lost the passkey. Records keep the names.
    pub forget_profiles: bool,
    /// Feeds begin after this happening; none for those from now on.
    pub from_seq: Option<u64>,
}

pub(crate) struct Inner {
    pub(crate) data: PathBuf,
    pub(crate) desktop: Arc<dyn Desktop>,
    pub(crate) source: SettingsSource,
    pub(crate) held: RwLock<Held>,
    /// Given away when the console stops. Whoever carries something out holds it for reading.
    pub(crate) engine: tokio::sync::RwLock<Option<Engine>>,
    pub(crate) embedded: OnceLock<Embedded>,
    broker: tokio::sync::Mutex<Option<broker::Running>>,
    /// The stand-ins of the services that are not set up for real.
    pub(crate) sandbox: tokio::sync::Mutex<Option<sandbox::Running>>,
    /// One at a time: a change of settings, or the end.
    pub(crate) serial: tokio::sync::Mutex<()>,
    broker_control: bool,
    unattended: bool,
    /// Who is at this console; it outlives an engine.
    pub(crate) access: Access,
    /// When somebody last did something.
    pub(crate) acted: change::Sender<Timestamp>,
    ceremony: Mutex<ceremony::Ceremony>,
    pub(crate) pages: Arc<dyn Pages>,
    /// Windows that show a customer's screen.
    pub(crate) viewers: viewer::Viewers,
    in_the_browser: Duration,
    pub(crate) vault: Vault,
    lock: Mutex<Option<FolderLock>>,
    pub(crate) on_screen: change::Sender<Option<SessionId>>,
    /// Counts changes that no snapshot shows: settings, notes, marks, tests of the way to us.
    pub(crate) changed: change::Sender<u64>,
    /// Counts engines: a new one means to subscribe again.
    pub(crate) epoch: change::Sender<u64>,
    pub(crate) side: Mutex<Side>,
    revision: AtomicU64,
    from_seq: Option<u64>,
    /// The newest happening that this run knows of.
    newest: AtomicU64,
    pub(crate) zone: TimeZone,
    pub(crate) stopping: CancellationToken,
    pub(crate) tasks: TaskTracker,
}

/// The settings in force, and what of them is kept.
pub(crate) struct Held {
    pub(crate) stored: Map<String, Value>,
    pub(crate) settings: Arc<Settings>,
}

impl App {
    /// Starts the console: folder, lock, key, broker, engine, in this order. Hooks are being put then.
    ///
    /// # Errors
    /// [`AppError`]; everything that was begun is ended again.
    pub async fn start(options: Options) -> Result<Self, AppError> {
        start::start(options).await
    }

    /// Subscribes: the whole present state first, then what changes.
    pub fn subscribe(&self) -> Feed {
        let from = self.0.from_seq.unwrap_or_else(|| self.0.newest.load(Ordering::Acquire));
        Feed::start(self.0.clone(), from, true)
    }

    /// Subscribes without the session on screen: for whoever shows no session as a whole.
    pub fn overview(&self) -> Feed {
        let from = self.0.from_seq.unwrap_or_else(|| self.0.newest.load(Ordering::Acquire));
        Feed::start(self.0.clone(), from, false)
    }

    /// What is worth a notification, for a `subscriber` who is told everything once, over all runs.
    pub fn notices(&self, subscriber: &'static str) -> Notices {
        Notices::new(self.0.clone(), subscriber)
    }

    /// Somebody did something at this console: it doesn't lock itself for a while.
    pub fn active(&self) {
        self.0.acted();
    }

    /// The desktop's screen was locked: so is this console, where the settings say so.
    pub async fn screen_locked(&self) {
        if self.0.settings().lock_with_screen {
            self.0.lock_for(Why::Screen).await;
        }
    }

    /// Ends in good order: what is under way is on disk, and the data folder is free again.
    pub async fn stop(&self) {
        start::stop(&self.0).await;
    }

    /// The settings in force.
    pub fn settings(&self) -> Settings {
        Settings::clone(&self.0.settings())
    }

    /// The broker that came along, where it was asked for and runs.
    pub fn broker(&self) -> Option<&Embedded> {
        self.0.embedded.get().filter(|_| self.0.broker_control)
    }

    /// Looks at the sandbox that came along, where it was asked for and runs.
    pub async fn sandbox<T>(&self, look: impl FnOnce(&sandbox::Running) -> T) -> Option<T> {
        self.0.sandbox.lock().await.as_ref().filter(|_| self.0.broker_control).map(look)
    }

    /// Tells how many viewer windows of a session the desktop has open.
    pub async fn viewer_windows(&self, session: SessionId, open: u32) {
        if let Some(engine) = self.0.engine.read().await.as_ref() {
            engine.tell(session, Input::Windows { open });
        }
    }

    /// The desktop has closed the viewer window of a session and a role.
    pub fn viewer_closed(&self, session: SessionId, read_only: bool) {
        self.0.viewers.leave(session, read_only);
    }

    pub(crate) fn inner(&self) -> &Arc<Inner> {
        &self.0
    }
}

impl Inner {
    pub(crate) fn settings(&self) -> Arc<Settings> {
        self.held.read().unwrap_or_else(std::sync::PoisonError::into_inner).settings.clone()
    }

    pub(crate) fn hold(&self, held: Held) {
        *self.held.write().unwrap_or_else(std::sync::PoisonError::into_inner) = held;
        self.tell_change();
    }

    pub(crate) fn tell_change(&self) {
        self.changed.send_modify(|count| *count += 1);
    }

    pub(crate) fn side<T>(&self, look: impl FnOnce(&mut Side) -> T) -> T {
        look(&mut self.side.lock().unwrap_or_else(std::sync::PoisonError::into_inner))
    }

    pub(crate) fn ceremony<T>(&self, look: impl FnOnce(&mut ceremony::Ceremony) -> T) -> T {
        look(&mut self.ceremony.lock().unwrap_or_else(std::sync::PoisonError::into_inner))
    }

    /// A revision for a view that is about to be made: what is read after this is not older.
    pub(crate) fn revision(&self) -> u64 {
        self.revision.fetch_add(1, Ordering::AcqRel) + 1
    }
}
