//! The shell of a desktop: a tray and a notification daemon on the bus.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, Ordering};

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::{Mutex, watch};
use zbus::message::Header;
use zbus::object_server::SignalEmitter;
use zbus::{Connection, OwnedObjectPath, OwnedVariant, Proxy, Structure, Variant, connection};

use crate::{Desktop, PATIENCE, eventually};

/// An entry of a tray menu.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MenuItem {
    pub number: i32,
    pub label: String,
    pub enabled: bool,
    pub on: bool,
}

/// A notification that the daemon has received.
#[derive(Clone, Debug)]
pub struct ShownNotification {
    pub number: u32,
    pub summary: String,
    pub body: String,
    pub actions: Vec<String>,
}

/// When the notification daemon answers a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answers {
    AtOnce,
    /// Once it answers at once again.
    Later,
    Never,
}

/// The shell on a desktop's bus.
pub struct Shell {
    connection: Connection,
    icons: Mutex<UnboundedReceiver<(String, String)>>,
    shown: Mutex<UnboundedReceiver<ShownNotification>>,
    closed: Mutex<UnboundedReceiver<u32>>,
    answers: watch::Sender<Answers>,
    host: watch::Sender<bool>,
}

impl Shell {
    /// Takes the names of a desktop's shell on the bus.
    pub async fn start(desktop: &Desktop) -> Self {
        let (icon, icons) = unbounded_channel();
        let (show, shown) = unbounded_channel();
        let (close, closed) = unbounded_channel();
        let (answers, host) = (watch::Sender::new(Answers::AtOnce), watch::Sender::new(true));
        let connection = connection::Builder::address(desktop.bus())
            .name("org.kde.StatusNotifierWatcher")
            .name("org.freedesktop.Notifications")
            .serve_at(WATCHER_PATH, Watcher { icon, host: host.subscribe() })
            .serve_at(
                "/org/freedesktop/Notifications",
                Daemon { show, close, last: AtomicU32::new(0), answers: answers.subscribe() },
            )
            .build()
            .await
            .unwrap();
        Self {
            connection,
            icons: Mutex::new(icons),
            shown: Mutex::new(shown),
            closed: Mutex::new(closed),
            answers,
            host,
        }
    }

    /// Takes the tray's host away, or brings it back: as when a panel ends or starts.
    pub async fn set_host(&self, there: bool) {
        self.host.send_replace(there);
        let emitter = SignalEmitter::new(&self.connection, WATCHER_PATH).unwrap();
        if there {
            Watcher::status_notifier_host_registered(&emitter).await.unwrap();
        } else {
            Watcher::status_notifier_host_unregistered(&emitter).await.unwrap();
        }
    }

    /// Sets when the daemon answers for the notifications that it gets from now on.
    pub fn set_answers(&self, answers: Answers) {
        self.answers.send_replace(answers);
    }

    /// Waits for the tray icon of an app that is still running.
    pub async fn tray(&self) -> Tray<'_> {
        loop {
            let (owner, path) = self.icons.lock().await.recv().await.unwrap();
            let item = self.proxy(&owner, &path, "org.kde.StatusNotifierItem").await;
            if let Ok(menu) = item.get_property::<OwnedObjectPath>("Menu").await {
                let menu = self.proxy(&owner, menu.as_str(), "com.canonical.dbusmenu").await;
                return Tray { menu };
            }
        }
    }

    /// All notifications that weren't read yet.
    pub async fn notifications(&self) -> Vec<ShownNotification> {
        let mut shown = self.shown.lock().await;
        std::iter::from_fn(|| shown.try_recv().ok()).collect()
    }

    /// The next notification.
    pub async fn notification(&self) -> ShownNotification {
        next("a notification", &self.shown).await
    }

    /// Waits for the number of the next notification that the app takes back.
    pub async fn closed(&self) -> u32 {
        next("a notification to be taken back", &self.closed).await
    }

    /// Sends the signal of a desktop that locks its screen.
    pub async fn lock_screen(&self) {
        let saver = "org.freedesktop.ScreenSaver";
        let path = "/org/freedesktop/ScreenSaver";
        self.connection
            .emit_signal(None::<&str>, path, saver, "ActiveChanged", &(true,))
            .await
            .unwrap();
    }

    /// Sends the signal that a button of a notification was pressed.
    pub async fn press(&self, shown: &ShownNotification, action: &str) {
        let emitter =
            SignalEmitter::new(&self.connection, "/org/freedesktop/Notifications").unwrap();
        Daemon::action_invoked(&emitter, shown.number, action).await.unwrap();
    }

    async fn proxy(&self, owner: &str, path: &str, interface: &str) -> Proxy<'_> {
        Proxy::new(&self.connection, owner.to_owned(), path.to_owned(), interface.to_owned())
            .await
            .unwrap()
    }
}

async fn next<T>(what: &str, of: &Mutex<UnboundedReceiver<T>>) -> T {
    let next = async { of.lock().await.recv().await.unwrap() };
    let came = tokio::time::timeout(PATIENCE, next).await;
    came.unwrap_or_else(|_| panic!("waited in vain for {what}"))
}

/// The app's icon in the tray, with its menu.
pub struct Tray<'a> {
    menu: Proxy<'a>,
}

impl Tray<'_> {
    /// The entries of the menu from top to bottom, without separators.
    pub async fn lines(&self) -> Vec<MenuItem> {
        let _: bool = self.menu.call("AboutToShow", &(0_i32,)).await.unwrap();
        let (_, (_, _, children)): (u32, Node) =
            self.menu.call("GetLayout", &(0_i32, -1_i32, Vec::<String>::new())).await.unwrap();
        children.into_iter().filter_map(line).collect()
    }

    /// Waits for an entry that begins with this text.
    pub async fn line(&self, start: &str) -> MenuItem {
        let wanted =
            async || self.lines().await.into_iter().find(|line| line.label.starts_with(start));
        eventually(format!("\"{start}\" in the tray"), wanted).await
    }

    /// Waits until the switch `label` is on, or off.
    pub async fn switched(&self, label: &str, on: bool) {
        let wanted = async || (self.line(label).await.on == on).then_some(());
        eventually(format!("\"{label}\" to be {on}"), wanted).await;
    }

    /// Waits for an entry that begins with this text, and clicks it.
    pub async fn click(&self, label: &str) {
        let clicked = async || {
            let line = self.line(label).await;
            let event = (line.number, "clicked", Variant::I32(0), 0_u32);
            match self.menu.call::<_, _, ()>("Event", &event).await {
                // The menu was drawn anew since it was read, and the line has another number now.
                Err(zbus::Error::MethodError(..)) => None,
                // Who quits may be gone before the answer.
                Ok(()) | Err(_) => Some(()),
            }
        };
        eventually(format!("a click on \"{label}\" in the tray"), clicked).await;
    }
}

type Node = (i32, HashMap<String, OwnedVariant>, Vec<OwnedVariant>);

fn line(child: OwnedVariant) -> Option<MenuItem> {
    let (number, properties, _) = Node::try_from(Structure::try_from(child).unwrap()).unwrap();
    // A single underscore marks a mnemonic; a doubled one is an underscore.
    let label = String::try_from(properties.get("label")?.clone()).unwrap().replace("__", "_");
    let enabled =
        properties.get("enabled").is_none_or(|value| bool::try_from(value.clone()).unwrap());
    let on = properties
        .get("toggle-state")
        .is_some_and(|value| i32::try_from(value.clone()).unwrap() == 1);
    Some(MenuItem { number, label, enabled, on })
}

const WATCHER_PATH: &str = "/StatusNotifierWatcher";

struct Watcher {
    icon: UnboundedSender<(String, String)>,
    host: watch::Receiver<bool>,
}

#[zbus::interface(name = "org.kde.StatusNotifierWatcher")]
impl Watcher {
    fn register_status_notifier_item(&self, service: String, #[zbus(header)] header: Header<'_>) {
        let owner = header.sender().unwrap().to_string();
        let path = if service.starts_with('/') { service } else { "/StatusNotifierItem".into() };
        let _ = self.icon.send((owner, path));
    }

    #[zbus(property)]
    fn is_status_notifier_host_registered(&self) -> bool {
        *self.host.borrow()
    }

    #[zbus(signal)]
    async fn status_notifier_host_registered(emitter: &SignalEmitter<'_>) -> zbus::Result<()>;

    #[zbus(signal)]
    async fn status_notifier_host_unregistered(emitter: &SignalEmitter<'_>) -> zbus::Result<()>;
}

struct Daemon {
    show: UnboundedSender<ShownNotification>,
    close: UnboundedSender<u32>,
    last: AtomicU32,
    answers: watch::Receiver<Answers>,
}

#[zbus::interface(name = "org.freedesktop.Notifications")]
impl Daemon {
    #[expect(clippy::too_many_arguments, reason = "the protocol's")]
    async fn notify(
        &self,
        _app: String,
        _replaces: u32,
        _icon: String,
        summary: String,
        body: String,
        actions: Vec<String>,
        _hints: HashMap<String, OwnedVariant>,
        _timeout_ms: i32,
    ) -> u32 {
        let number = self.last.fetch_add(1, Ordering::Relaxed) + 1;
        let mut answers = self.answers.clone();
        let when = *answers.borrow_and_update();
        let _ = self.show.send(ShownNotification { number, summary, body, actions });
        match when {
            Answers::AtOnce => {}
            Answers::Later => {
                let _ = answers.wait_for(|when| *when == Answers::AtOnce).await;
            }
            Answers::Never => std::future::pending().await,
        }
        number
    }

    fn get_capabilities(&self) -> Vec<String> {
        ["actions", "body", "body-markup"].map(String::from).to_vec()
    }

    fn get_server_information(&self) -> (String, String, String, String) {
        ("test".into(), "deskhand".into(), "1".into(), "1.2".into())
    }

    fn close_notification(&self, number: u32) {
        let _ = self.close.send(number);
    }

    #[zbus(signal)]
    async fn action_invoked(
        emitter: &SignalEmitter<'_>,
        number: u32,
        action: &str,
    ) -> zbus::Result<()>;
}
