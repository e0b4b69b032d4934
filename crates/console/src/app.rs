//! The console as a whole: it starts every part in order, carries out commands and
//! feeds its subscribers.
//!
//! One [`App`] owns one data folder, from before anything in the folder is opened until
//! [`App::stop`]. Feeds are made from snapshots and from the journal's events, so a slow subscriber
//! may skip a state but never an event.

mod access;
mod audit_log;
mod backup;
mod ceremony;
mod data_folder;
mod embedded_broker;
mod engine_slot;
mod engine_start;
mod error;
mod feed;
mod follow;
mod full_servers;
mod identity_sandbox;
mod licence_consent;
mod lost_data;
mod metrics;
mod notices;
mod opening;
mod pages;
mod ports;
mod reach;
mod retention;
mod roster;
mod secret_shape;
mod service_clients;
mod settings_damage;
mod settings_in_force;
mod shutdown;
mod standing_troubles;
mod start;
mod store_check;
mod unread;
mod unseen_troubles;
mod updates;
mod verification_audit;
pub(crate) mod viewer;

use std::{path::PathBuf, sync::Arc, time::Duration};

use engine::{SessionId, access::Why, desktop::Desktop, remote::Capabilities};
use jiff::tz::TimeZone;
use secrecy::SecretString;
use session::Input;
use wire::ConfText;

use self::{
    access::AccessControl,
    audit_log::AuditLog,
    backup::BackupProgress,
    ceremony::Ceremonies,
    data_folder::DataFolder,
    embedded_broker::EmbeddedBroker,
    engine_slot::{EngineSlot, ServiceKnowledge},
    identity_sandbox::IdentitySandbox,
    settings_in_force::SettingsInForce,
    shutdown::Lifecycle,
    standing_troubles::StandingTroubles,
    unread::UnreadCounts,
    updates::Updates,
    viewer::Viewers,
};
pub(crate) use self::{
    audit_log::AuditEntry,
    backup::{KEPT_FILES, STORES, UnderWay as BackupUnderWay, restore_backup, write_backup},
    ceremony::{CeremonyTask, begin as begin_ceremony, of_passkey, passkeys},
    engine_start::restart_engine,
    feed::{detail_for_file, detail_of, name_of, quitting, setting},
    follow::learn_of_service,
    lost_data::gone_servers,
    reach::known as known_reach,
    secret_shape::check_secret,
    service_clients::{StoredSecrets, set_up as set_up_services, stored_name},
    settings_damage::{keep_aside as keep_settings_aside, remember_made as remember_settings},
    settings_in_force::StoredSettings,
    unread::mark_name,
};
pub use self::{
    ceremony::IN_THE_BROWSER,
    embedded_broker::Embedded,
    error::AppError,
    feed::Feed,
    notices::{Marks, Notices, Tell},
    pages::{Bundle, NoPages, Pages, PagesIn},
};
use crate::{Settings, SettingsSource, present::trouble, view::QuittingView};

/// A running console; clones are the same one.
#[derive(Clone)]
pub struct App(Arc<Console>);

pub struct Options {
    /// The data folder; a temporary one if the program must leave nothing behind.
    pub data: PathBuf,
    /// Where settings come from and go to.
    pub settings: SettingsSource,
    /// The desktop, or [`engine::desktop::Headless`].
    pub desktop: Arc<dyn Desktop>,
    /// The name by which a second console learns who holds the data folder, such as `deskhand
    /// headless`.
    pub program: &'static str,
    /// The passphrase that wraps the data key, if one does.
    pub passphrase: Option<SecretString>,
    /// Whether the system's keyring may hold the data key; otherwise a key file does.
    pub use_keyring: bool,
    /// Hand out the embedded broker and sandbox ([`App::broker`], [`App::sandbox`]): for the demo
    /// and tests, which move their clocks.
    pub broker_control: bool,
    /// Customers' programs may share without asking, because nobody sits at those computers. Only
    /// the demo sets it, and its own broker allows it.
    pub unattended: bool,
    /// The page that asks for passkeys in the system's browser.
    pub pages: Arc<dyn Pages>,
    /// How long a person may take in the browser ([`IN_THE_BROWSER`]).
    pub in_the_browser: Duration,
    /// Forget all profiles of this console, for a person who has lost the passkey. Records
    /// keep the names.
    pub forget_profiles: bool,
    /// Go on without a journal or an archive that was there before and is gone: a new one is made, and
    /// the audit log has that.
    pub accept_lost_data: bool,
    /// Feeds begin after the event with this number; if none, with the events from now on.
    pub from_seq: Option<u64>,
}

impl Options {
    /// Those of a console that lives no longer than `folder`: it has no window, no keyring, and settings of its own.
    pub(crate) fn for_a_while(folder: &std::path::Path, program: &'static str) -> Self {
        Self {
            data: folder.join("data"),
            settings: SettingsSource::nowhere(),
            desktop: Arc::new(engine::desktop::Headless),
            program,
            passphrase: None,
            use_keyring: false,
            broker_control: false,
            unattended: false,
            pages: Arc::new(NoPages),
            in_the_browser: IN_THE_BROWSER,
            forget_profiles: false,
            accept_lost_data: false,
            from_seq: None,
        }
    }
}

/// The parts of a running console. Code that needs only some of them is given only those.
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
    pub(crate) backup: BackupProgress,
    pub(crate) viewers: Arc<Viewers>,
    pub(crate) updates: Arc<Updates>,
    pub(crate) desktop: Arc<dyn Desktop>,
    pub(crate) zone: TimeZone,
    pub(crate) lifecycle: Lifecycle,
    broker_control: bool,
}

impl App {
    /// Starts the console: folder, lock, key, broker and engine, in this order. When it returns,
    /// the hooks are being put.
    ///
    /// # Errors
    /// The reason why the console could not start. Nothing is left running.
    pub async fn start(options: Options) -> Result<Self, AppError> {
        start::start(options).await
    }

    /// Subscribes: the feed begins with the whole present state and continues with what changes.
    pub fn subscribe(&self) -> Feed {
        Feed::start(self.0.clone(), true)
    }

    /// Subscribes without the details of the session on screen, for subscribers that show no
    /// session in full.
    pub fn overview(&self) -> Feed {
        Feed::start(self.0.clone(), false)
    }

    /// The events worth a notification. The `subscriber` gets each of them once, over all runs.
    pub fn notices(&self, subscriber: &'static str) -> Notices {
        Notices::new(self.0.clone(), subscriber)
    }

    /// Notes that somebody is active at this console, which postpones its locking itself.
    pub fn active(&self) {
        self.0.access.note_activity();
    }

    /// The desktop's screen was locked, so this console is locked too if the settings require it.
    pub async fn screen_locked(&self) {
        if self.0.settings.current().lock_with_screen {
            self.0.lock(Why::Screen).await;
        }
    }

    /// Stops in good order: the work under way is on the disk, and the data folder is free again.
    pub async fn stop(&self) {
        self.0.lifecycle.stop().await;
    }

    /// What quitting would end.
    pub(crate) async fn quitting(&self) -> QuittingView {
        quitting(&self.0).await
    }

    /// The settings in force.
    pub fn settings(&self) -> Settings {
        Settings::clone(&self.0.settings.current())
    }

    /// The embedded broker, if [`Options::broker_control`] is set and it runs.
    pub fn broker(&self) -> Option<&Embedded> {
        self.0.broker.get().filter(|_| self.0.broker_control)
    }

    /// Gives `look` access to the running sandbox, if [`Options::broker_control`] is set
    /// and it runs.
    pub async fn sandbox<T>(&self, look: impl FnOnce(&sandbox::Running) -> T) -> Option<T> {
        if self.0.broker_control { self.0.sandbox.look(look).await } else { None }
    }

    /// Whether the service is known to take chat messages from this console.
    pub fn can_say(&self) -> bool {
        let able = |known: &mut ServiceKnowledge| {
            known.capabilities.as_ref().is_some_and(Capabilities::can_say)
        };
        self.0.engine.known(able)
    }

    /// Notes why desktop notifications don't get out; none once one did. It stands as a trouble meanwhile.
    pub fn notifications_fail(&self, why: Option<&str>) {
        let trouble = why.map(trouble::of_notifications);
        if self.0.standing.replace(trouble::is_of_notifications, trouble) {
            self.0.updates.announce();
        }
    }

    /// Records how many viewer windows of a session the desktop has open.
    pub async fn viewer_windows(&self, session: SessionId, open: u32) {
        if let Some(engine) = self.0.engine.get().await {
            engine.tell(session, Input::Windows { open });
        }
    }

    /// Notes that the desktop has closed the viewer window of a session and role.
    pub fn viewer_closed(&self, session: SessionId, read_only: bool) {
        self.0.viewers.leave(session, read_only);
    }

    /// The configuration of the customer's program, for the demo, which starts that program itself.
    ///
    /// # Errors
    /// The reason why there is none, for people.
    pub async fn program_conf(&self, session: &str) -> Result<ConfText, String> {
        let engine = self.0.engine.get().await.ok_or("the engine has ended")?;
        let id = session.parse().map_err(|_| "this is no session")?;
        let pin = engine.snapshot(id).and_then(|snapshot| snapshot.pin.clone());
        let pin = pin.ok_or("it has no PIN")?;
        // The conf is made once and holds the requester known at that moment, so the service learns
        // of the requester first.
        self.0.tell_requester(engine.client(), id, &pin).await;
        let given = engine.client().session_parameters(&pin).await;
        given.map(|given| given.conf).map_err(|error| error.to_string())
    }

    pub(crate) fn console(&self) -> &Arc<Console> {
        &self.0
    }
}
