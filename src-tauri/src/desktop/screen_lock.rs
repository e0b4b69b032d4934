//! Hears from the desktop that its screen was locked.
//!
//! What is absent: an unlocking, which takes a passkey; and a failure: a desktop that has no such service tells nothing.

use std::collections::HashMap;

use futures_util::StreamExt as _;
use futures_util::stream::select_all;
use zbus::message::Type;
use zbus::{Connection, MatchRule, Message, MessageStream, OwnedObjectPath, OwnedVariant, Proxy};

/// Who tells it on the session's bus, by one signal of the same name.
const SAVERS: [&str; 2] = ["org.freedesktop.ScreenSaver", "org.gnome.ScreenSaver"];
const CHANGED: &str = "ActiveChanged";

/// Who tells it on the system's bus, of each session of each user.
const LOGIND: &str = "org.freedesktop.login1";
const SESSION: &str = "org.freedesktop.login1.Session";
const PROPERTIES: &str = "org.freedesktop.DBus.Properties";

/// Calls `locked` whenever the screen is locked; it may be told twice of one time.
pub async fn watch(locked: impl Fn() + Sync) {
    let (savers, logind) = tokio::join!(savers(&locked), logind(&locked));
    for (told, bus) in [(savers, "session"), (logind, "system")] {
        if let Err(error) = told {
            tracing::debug!(%error, bus, "nobody tells of the screen's lock");
        }
    }
}

async fn savers(locked: &(impl Fn() + Sync)) -> zbus::Result<()> {
    let bus = Connection::session().await?;
    let mut signals = Vec::new();
    for interface in SAVERS {
        signals.push(listen(&bus, None, interface, CHANGED).await?);
    }
    tell(signals, locked).await
}

async fn logind(locked: &(impl Fn() + Sync)) -> zbus::Result<()> {
    let bus = Connection::system().await?;
    let own = own_session(&bus).await?;
    let lock = listen(&bus, Some(&own), SESSION, "Lock").await?;
    let hint = listen(&bus, Some(&own), PROPERTIES, "PropertiesChanged").await?;
    tell(vec![lock, hint], locked).await
}

/// Ours alone: others on this computer lock their own screens.
async fn own_session(bus: &Connection) -> zbus::Result<OwnedObjectPath> {
    let path = "/org/freedesktop/login1";
    let manager = Proxy::new(bus, LOGIND, path, "org.freedesktop.login1.Manager").await?;
    let named = std::env::var("XDG_SESSION_ID").unwrap_or_else(|_| "auto".to_owned());
    manager.call("GetSession", &(named,)).await
}

async fn listen(
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

async fn tell(signals: Vec<MessageStream>, locked: &(impl Fn() + Sync)) -> zbus::Result<()> {
    let mut signals = select_all(signals);
    while let Some(signal) = signals.next().await {
        if says_locked(&signal?) {
            locked();
        }
    }
    Ok(())
}

/// Whether a signal says that the screen is locked now. Anybody on the bus may send anything.
fn says_locked(signal: &Message) -> bool {
    let header = signal.header();
    let interface = header.interface().map_or("", |name| name.as_str());
    let member = header.member().map_or("", |name| name.as_str());
    match (interface, member) {
        (saver, CHANGED) if SAVERS.contains(&saver) => {
            signal.body().deserialize::<bool>().unwrap_or(false)
        }
        (SESSION, "Lock") => true,
        (PROPERTIES, "PropertiesChanged") => hints_locked(signal),
        _ => false,
    }
}

fn hints_locked(signal: &Message) -> bool {
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
                let told = signal(saver, CHANGED).build(&(on,)).unwrap();
                assert_eq!(says_locked(&told), on, "{saver}");
            }
        }
    }

    #[test]
    fn logind_tells_by_its_lock_signal_and_by_its_hint() {
        assert!(says_locked(&signal(SESSION, "Lock").build(&()).unwrap()));
        assert!(!says_locked(&signal(SESSION, "Unlock").build(&()).unwrap()));
        for (interface, property, value, locked) in [
            (SESSION, "LockedHint", Variant::from(true), true),
            (SESSION, "LockedHint", Variant::from(false), false),
            (SESSION, "LockedHint", Variant::from("yes"), false),
            (SESSION, "IdleHint", Variant::from(true), false),
            ("org.freedesktop.login1.User", "LockedHint", Variant::from(true), false),
        ] {
            let changed = HashMap::from([(property, value)]);
            let body = (interface, changed, Vec::<String>::new());
            let told = signal(PROPERTIES, "PropertiesChanged").build(&body).unwrap();
            assert_eq!(says_locked(&told), locked, "{interface} {property}");
        }
    }

    #[test]
    fn what_is_not_as_it_should_be_locks_nothing() {
        for told in [
            signal(SAVERS[0], CHANGED).build(&("true",)).unwrap(),
            signal(SAVERS[0], CHANGED).build(&()).unwrap(),
            signal("org.example.Saver", CHANGED).build(&(true,)).unwrap(),
            signal(PROPERTIES, "PropertiesChanged").build(&(true,)).unwrap(),
        ] {
            assert!(!says_locked(&told));
        }
    }
}
