//! Reports when the desktop's screen is locked.
//!
//! What is absent: unlocking, which needs a passkey, and an error: on a desktop without such a
//! service nothing is reported.

use std::collections::HashMap;

use futures_util::StreamExt as _;
use futures_util::stream::select_all;
use zbus::message::Type;
use zbus::{Connection, MatchRule, Message, MessageStream, OwnedObjectPath, OwnedVariant, Proxy};

// Desktops differ in which of these they have: freedesktop's own, GNOME's, or logind alone.
/// The interfaces on the session bus that report it, all by the same signal.
const SAVERS: [&str; 2] = ["org.freedesktop.ScreenSaver", "org.gnome.ScreenSaver"];
const CHANGED: &str = "ActiveChanged";

/// The service on the system bus that reports it for each session of each user.
const LOGIND: &str = "org.freedesktop.login1";
const SESSION: &str = "org.freedesktop.login1.Session";
const PROPERTIES: &str = "org.freedesktop.DBus.Properties";

/// Calls `locked` whenever the screen is locked, possibly more than once for one lock.
pub async fn watch(locked: impl Fn() + Sync) {
    let (savers, logind) = tokio::join!(watch_screen_savers(&locked), watch_logind(&locked));
    for (ended, bus) in [(savers, "session"), (logind, "system")] {
        if let Err(error) = ended {
            tracing::debug!(%error, bus, "listen for the screen's lock");
        }
    }
}

async fn watch_screen_savers(locked: &(impl Fn() + Sync)) -> zbus::Result<()> {
    let bus = Connection::session().await?;
    let mut signals = Vec::new();
    for interface in SAVERS {
        signals.push(subscribe(&bus, None, interface, CHANGED).await?);
    }
    call_when_locked(signals, locked).await
}

async fn watch_logind(locked: &(impl Fn() + Sync)) -> zbus::Result<()> {
    let bus = Connection::system().await?;
    let own = own_session(&bus).await?;
    let lock = subscribe(&bus, Some(&own), SESSION, "Lock").await?;
    let hint = subscribe(&bus, Some(&own), PROPERTIES, "PropertiesChanged").await?;
    call_when_locked(vec![lock, hint], locked).await
}

/// The path of our own session.
// Others who are signed in to this computer lock screens of their own, which is none of
// our business.
async fn own_session(bus: &Connection) -> zbus::Result<OwnedObjectPath> {
    let path = "/org/freedesktop/login1";
    let manager = Proxy::new(bus, LOGIND, path, "org.freedesktop.login1.Manager").await?;
    let named = std::env::var("XDG_SESSION_ID").unwrap_or_else(|_| "auto".to_owned());
    manager.call("GetSession", &(named,)).await
}

async fn subscribe(
    bus: &Connection,
    path: Option<&OwnedObjectPath>,
    interface: &'static str,
    member: &'static str,
) -> zbus::Result<MessageStream> {
    let mut rule = MatchRule::builder().msg_type(Type::Signal).interface(interface).member(member);
    if let Some(path) = path {
        rule = rule.sender(LOGIND).path(path.as_ref());
    }
    MessageStream::for_match_rule(rule.build()?, bus, None).await
}

async fn call_when_locked(
    signals: Vec<MessageStream>,
    locked: &(impl Fn() + Sync),
) -> zbus::Result<()> {
    let mut signals = select_all(signals);
    while let Some(signal) = signals.next().await {
        if means_locked(&signal?) {
            locked();
        }
    }
    Ok(())
}

/// Whether a signal says that the screen is now locked.
// Any program on the bus can send any signal, so a body of another type is nothing unusual. A
// forged one only locks.
fn means_locked(signal: &Message) -> bool {
    let header = signal.header();
    let interface = header.interface().map_or("", |name| name.as_str());
    let member = header.member().map_or("", |name| name.as_str());
    match (interface, member) {
        (saver, CHANGED) if SAVERS.contains(&saver) => {
            signal.body().deserialize::<bool>().unwrap_or(false)
        }
        (SESSION, "Lock") => true,
        (PROPERTIES, "PropertiesChanged") => is_locked_hint(signal),
        _ => false,
    }
}

fn is_locked_hint(signal: &Message) -> bool {
    type Changed = (String, HashMap<String, OwnedVariant>, Vec<String>);
    let body = signal.body();
    let Ok((interface, mut changed, _)) = body.deserialize::<Changed>() else { return false };
    let hint = changed.remove("LockedHint").and_then(|hint| bool::try_from(hint).ok());
    interface == SESSION && hint == Some(true)
}

#[cfg(test)]
mod tests {
    use zbus::Variant;

    use super::*;

    fn signal(interface: &str, member: &str) -> zbus::message::Builder<'static> {
        Message::signal("/x", interface.to_owned(), member.to_owned())
    }

    #[test]
    fn a_screen_saver_that_begins_is_a_lock_and_one_that_ends_is_none() {
        for saver in SAVERS {
            for on in [true, false] {
                let message = signal(saver, CHANGED).build(&(on,)).unwrap();
                assert_eq!(means_locked(&message), on, "{saver}");
            }
        }
    }

    #[test]
    fn logind_tells_by_its_lock_signal_and_by_its_hint() {
        assert!(means_locked(&signal(SESSION, "Lock").build(&()).unwrap()));
        assert!(!means_locked(&signal(SESSION, "Unlock").build(&()).unwrap()));
        for (interface, property, value, locked) in [
            (SESSION, "LockedHint", Variant::from(true), true),
            (SESSION, "LockedHint", Variant::from(false), false),
            (SESSION, "LockedHint", Variant::from("yes"), false),
            (SESSION, "IdleHint", Variant::from(true), false),
            ("org.freedesktop.login1.User", "LockedHint", Variant::from(true), false),
        ] {
            let changed = HashMap::from([(property, value)]);
            let body = (interface, changed, Vec::<String>::new());
            let message = signal(PROPERTIES, "PropertiesChanged").build(&body).unwrap();
            assert_eq!(means_locked(&message), locked, "{interface} {property}");
        }
    }

    #[test]
    fn what_is_not_as_it_should_be_locks_nothing() {
        for message in [
            signal(SAVERS[0], CHANGED).build(&("true",)).unwrap(),
            signal(SAVERS[0], CHANGED).build(&()).unwrap(),
            signal("org.example.Saver", CHANGED).build(&(true,)).unwrap(),
            signal(PROPERTIES, "PropertiesChanged").build(&(true,)).unwrap(),
        ] {
            assert!(!means_locked(&message));
        }
    }
}
