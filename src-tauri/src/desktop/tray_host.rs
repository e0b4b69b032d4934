//! Says whether the desktop shows tray icons. Without such a host a hidden window would have no way back.

use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::stream::select_all;
use tokio::time::timeout;
use zbus::fdo::DBusProxy;
use zbus::message::Type;
use zbus::proxy::{Builder, CacheProperties};
use zbus::{Connection, MatchRule, MessageStream, Proxy};

/// Knows the hosts; a desktop without a tray has none of this name.
const WATCHER: &str = "org.kde.StatusNotifierWatcher";
const WATCHER_PATH: &str = "/StatusNotifierWatcher";

/// How long the watcher may take to answer.
const ANSWERS_WITHIN: Duration = Duration::from_secs(5);

/// Calls `known` with whether there is a host: as soon as that is known, and whenever it changes.
pub async fn watch(known: impl Fn(bool)) {
    if let Err(error) = follow(&known).await {
        tracing::warn!(%error, "look for the desktop's tray: closing the window quits instead of hiding it");
    }
    known(false);
}

async fn follow(known: &impl Fn(bool)) -> zbus::Result<()> {
    let bus = Connection::session().await?;
    let of_watcher = MatchRule::builder().msg_type(Type::Signal).interface(WATCHER).build()?;
    let of_owner = MatchRule::builder()
        .msg_type(Type::Signal)
        .interface("org.freedesktop.DBus")
        .member("NameOwnerChanged")
        .arg(0, WATCHER)
        .build()?;
    let mut signals = Vec::new();
    for rule in [of_watcher, of_owner] {
        signals.push(MessageStream::for_match_rule(rule, &bus, None).await?);
    }
    let mut signals = select_all(signals);
    let mut last = None;
    loop {
        let now = is_there(&bus).await;
        if last.replace(now) != Some(now) {
            known(now);
        }
        match signals.next().await {
            Some(signal) => drop(signal?),
            None => return Ok(()),
        }
    }
}

/// Whether there is a host now; one that doesn't answer shows nothing either.
async fn is_there(bus: &Connection) -> bool {
    let asked = async {
        // Asking an absent watcher could have the bus start one.
        let owned = DBusProxy::new(bus).await?.name_has_owner(WATCHER.try_into()?).await?;
        if !owned {
            return Ok(false);
        }
        let watcher: Proxy<'_> = Builder::new(bus)
            .destination(WATCHER)
            .path(WATCHER_PATH)
            .interface(WATCHER)
            .cache_properties(CacheProperties::No)
            .build()
            .await?;
        watcher.get_property::<bool>("IsStatusNotifierHostRegistered").await
    };
    let there: Result<zbus::Result<bool>, _> = timeout(ANSWERS_WITHIN, asked).await;
    matches!(there, Ok(Ok(true)))
}
