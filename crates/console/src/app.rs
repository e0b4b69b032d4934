//! The console as a whole: starts everything in its order, takes commands, feeds whoever looks.
//!
//! One [`App`] owns one data folder from before anything in it is opened until [`App::stop`]. What it
//! feeds is made from snapshots and the journal's happenings, so a slow subscriber skips states but
//! never something that happened.

mod access;
mod audit_log;
mod ceremony;
mod data_folder;
mod embedded_broker;
mod engine_slot;
mod engine_start;
mod error;
mod feed;
mod follow;
mod identity_sandbox;
mod notices;
mod pages;
mod ports;
mod reach;
mod roster;
mod secret_shape;
mod service_clients;
mod settings_in_force;
mod shutdown;
mod standing_troubles;
mod start;
mod unread;
mod updates;
mod verification_audit;
mod viewer;

use std::{path::PathBuf, sync::Arc, time::Duration};

use engine::{SessionId, access::Why, desktop::Desktop};
use jiff::tz::TimeZone;
use secrecy::SecretString;
use session::Input;
use wire::ConfText;

use self::{
    access::AccessControl, audit_log::AuditLog, ceremony::Ceremonies, data_folder::DataFolder,
    embedded_broker::EmbeddedBroker, engine_slot::EngineSlot, identity_sandbox::IdentitySandbox,
    settings_in_force::SettingsInForce, shutdown::Lifecycle, standing_troubles::StandingTroubles,
    unread::UnreadCounts, updates::Updates, viewer::Viewers,
};
pub(crate) use self::{
    audit_log::AuditEntry,
    ceremony::{CeremonyTask, begin as begin_ceremony, of_passkey, passkeys},
    engine_start::restart_engine,
    feed::{detail_of, known_reach, name_of, setting},
    follow::learn_of_service,
    reach::{ReachTest, test as test_reach},
    secret_shape::check_secret,
    service_clients::{StoredSecrets, set_up as set_up_services, stored_name},
    settings_in_force::StoredSettings,
    unread::mark_name,
};
pub use self::{
    ceremony::IN_THE_BROWSER,
    embedded_broker::Embedded,
    error::AppError,
    feed::Feed,
    notices::{Marks, News, Notices, Tell},
    pages::{Bundle, NoPages, Pages, PagesIn},
};
use crate::{Settings, SettingsSource};

/// A running console; clones are the same one.
#[derive(Clone)]
pub struct App(Arc<Console>);

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

/// The parts of a running console. Whatever needs only some of them is given these.
pub(crate) struct Console {
    pub(crate) folder: Arc<DataFolder>,
    pub(crate) settings: Arc<SettingsInForce>,
    pub(crate) broker: Arc<EmbeddedBroker>,
    pub(crate) sandbox: Arc<IdentitySandbox>,
    pub(crate) engine: Arc<EngineSlot>,
    pub(crate) access: AccessControl,
    pub(crate) ceremonies: Ceremonies,
    pub(crate) audit: Arc<AuditLog>,
    pub(crate) standing: Arc<StandingTroubles>,
    pub(crate) unread: UnreadCounts,
    pub(crate) viewers: Arc<Viewers>,
    pub(crate) updates: Arc<Updates>,
    pub(crate) desktop: Arc<dyn Desktop>,
    pub(crate) zone: TimeZone,
    pub(crate) lifecycle: Lifecycle,
    broker_control: bool,
}

impl App {
    /// Starts the console: folder, lock, key, broker, engine, in this order. Hooks are being put then.
    ///
    /// # Errors
    /// Why it could not start; nothing is left running.
    pub async fn start(options: Options) -> Result<Self, AppError> {
        start::start(options).await
    }

    /// Subscribes: the whole present state first, then what changes.
    pub fn subscribe(&self) -> Feed {
        Feed::start(self.0.clone(), true)
    }

    /// Subscribes without the session on screen: for whoever shows no session as a whole.
    pub fn overview(&self) -> Feed {
        Feed::start(self.0.clone(), false)
    }

    /// What is worth a notification, for a `subscriber` who is told everything once, over all runs.
    pub fn notices(&self, subscriber: &'static str) -> Notices {
        Notices::new(self.0.clone(), subscriber)
    }

    /// Somebody did something at this console: it doesn't lock itself for a while.
    pub fn active(&self) {
        self.0.access.note_activity();
    }

    /// The desktop's screen was locked: so is this console, where the settings say so.
    pub async fn screen_locked(&self) {
        if self.0.settings.current().lock_with_screen {
            self.0.lock(Why::Screen).await;
        }
    }

    /// Ends in good order: what is under way is on disk, and the data folder is free again.
    pub async fn stop(&self) {
        self.0.lifecycle.stop().await;
    }

    /// The settings in force.
    pub fn settings(&self) -> Settings {
        Settings::clone(&self.0.settings.current())
    }

    /// The broker that came along, where it was asked for and runs.
    pub fn broker(&self) -> Option<&Embedded> {
        self.0.broker.get().filter(|_| self.0.broker_control)
    }

    /// Looks at the sandbox that came along, where it was asked for and runs.
    pub async fn sandbox<T>(&self, look: impl FnOnce(&sandbox::Running) -> T) -> Option<T> {
        if self.0.broker_control { self.0.sandbox.look(look).await } else { None }
    }

    /// Tells how many viewer windows of a session the desktop has open.
    pub async fn viewer_windows(&self, session: SessionId, open: u32) {
        if let Some(engine) = self.0.engine.get().await {
            engine.tell(session, Input::Windows { open });
        }
    }

    /// The desktop has closed the viewer window of a session and a role.
    pub fn viewer_closed(&self, session: SessionId, read_only: bool) {
        self.0.viewers.leave(session, read_only);
    }

    /// The configuration of the customer's program, for who starts that program themselves: the demo.
    ///
    /// # Errors
    /// Why there is none, for people.
    pub async fn program_conf(&self, session: &str) -> Result<ConfText, String> {
        let engine = self.0.engine.get().await.ok_or("the engine has ended")?;
        let id = session.parse().map_err(|_| "this is no session")?;
        let pin = engine.snapshot(id).and_then(|snapshot| snapshot.pin.clone());
        let pin = pin.ok_or("it has no PIN")?;
        // The conf is made once, with what the service was told until then of who asks.
        self.0.tell_requester(engine.client(), id, &pin).await;
        let given = engine.client().session_parameters(&pin).await;
        given.map(|given| given.conf).map_err(|error| error.to_string())
    }

    pub(crate) fn console(&self) -> &Arc<Console> {
        &self.0
    }
}
