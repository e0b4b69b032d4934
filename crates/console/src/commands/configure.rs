//! Changes the settings. All given values are checked first, then stored, then put in
//! force: at once if possible, with a new engine if necessary, else at the next start,
//! which the reply mentions.

use std::sync::Arc;

use engine::Engine;
use serde_json::{Map, Value};

mod file;

use self::file::Found;
use super::{CommandResult, refused};
use crate::{
    Settings, SettingsSource,
    app::{Console, StoredSettings, learn_of_service, restart_engine, set_up_services},
    present::trouble,
    reply::Reply,
    settings::{InForce, is_unset, name_of},
    view::{Code, Trouble},
};

/// The settings, with the defaults filled in.
pub(super) fn settings(console: &Console) -> Reply {
    Reply::Settings { settings: Value::Object(console.settings.current().to_map()) }
}

pub(super) async fn configure(
    console: &Arc<Console>,
    changes: Map<String, Value>,
    by: &str,
) -> CommandResult {
    let (console, by) = (console.clone(), by.to_owned());
    let tasks = console.lifecycle.watch.tasks.clone();
    // In a task of its own: the caller may go away, and a change must not stop halfway.
    let task = tasks.spawn(async move {
        let lifecycle = &console.lifecycle;
        // The console's end holds this lock while it waits for this task.
        let exclusive =
            lifecycle.watch.stopping.run_until_cancelled(lifecycle.exclusive.lock()).await;
        let _exclusive = exclusive.ok_or_else(trouble::stopping)?;
        change(&console, &changes, &by).await
    });
    match task.await {
        Ok(answer) => answer,
        Err(_) => Err(trouble::stopping()),
    }
}

async fn change(console: &Arc<Console>, changes: &Map<String, Value>, by: &str) -> CommandResult {
    let before = console.settings.current();
    let stored = console.settings.stored();
    let new = changed(&stored, changes, by);
    let mut after = check(&console.settings.source, &new, changes)?;
    let found = Found::read(console).await?;
    if after.licence_consent && after.licence_consent_at.is_none() {
        // A flag's consent is recorded outside of the stored settings.
        after.licence_consent_at = before.licence_consent_at.clone();
        after.licence_consent_by = before.licence_consent_by.clone();
    }
    let how = after.in_force(&before);
    let live = live(console.engine.get().await.as_deref());
    if before.base_url != after.base_url && live > 0 {
        return Err(refused(
            "change the service: live sessions belong to the one in use",
            "Close them first.",
        ));
    }
    // Stored before they are in force: with a full disk, settings must not take effect that would
    // be gone after the next start.
    let saved = found.save(console, &stored, &new, changes).await?;
    let restart = match how {
        InForce::NewEngine => true,
        InForce::WhenIdle => live == 0,
        InForce::AtOnce => false,
    };
    let begun = put_in_force(console, &before, &after, restart).await;
    if begun.is_ok() {
        let service = |s: &Settings| (s.passwordless_url.clone(), s.passwordless_key.clone());
        let moved = service(&before) != service(&after);
        console.settings.replace(StoredSettings { stored: new, settings: Arc::new(after) });
        console.access.apply_settings();
        console.updates.announce();
        if moved {
            say_new_passkeys(console);
        }
        set_up_services(console).await;
    }
    if restart {
        // Also needed if the old engine is back: what it knew of its service is gone.
        console.lifecycle.watch.tasks.spawn(learn_of_service(console.clone()));
    }
    if let Err(trouble) = begun {
        saved.undo(console).await?;
        return Err(trouble);
    }
    if how == InForce::WhenIdle && !restart {
        say_later(console);
    }
    Ok(settings(console))
}

/// Opens or closes the way in for customers and restarts the engine, if the change requires it. A
/// failure leaves both as they were.
async fn put_in_force(
    console: &Arc<Console>,
    before: &Settings,
    after: &Settings,
    restart: bool,
) -> Result<(), Trouble> {
    let doors = network(before) != network(after);
    console.broker.take_up(after).await;
    let opened = if doors { console.broker.set_network(after).await } else { Ok(()) };
    let begun = match opened {
        Ok(()) if restart => {
            restart_engine(console, after, before).await.map_err(|error| error.trouble())
        }
        Ok(()) => Ok(()),
        Err(trouble) => Err(trouble),
    };
    if begun.is_err() {
        console.broker.take_up(before).await;
        // The way in was open under these settings a moment ago; if it can't be opened again, that
        // stands as a trouble of its own.
        if doors && let Err(trouble) = console.broker.set_network(before).await {
            console.standing.add(trouble);
        }
    }
    begun
}

/// The settings that need the way in for customers on this network to be opened anew.
fn network(settings: &Settings) -> Value {
    let Settings { lan, lan_listen, lan_url, tls_cert, tls_key, .. } = settings;
    if *lan { serde_json::json!([lan_listen, lan_url, tls_cert, tls_key]) } else { Value::Null }
}

/// The stored settings with the changes; records who accepted the licence terms, and when.
fn changed(
    stored: &Map<String, Value>,
    changes: &Map<String, Value>,
    by: &str,
) -> Map<String, Value> {
    let mut new = stored.clone();
    for (field, value) in changes {
        if is_unset(value) {
            new.remove(field);
        } else {
            new.insert(field.clone(), value.clone());
        }
    }
    let consents =
        |map: &Map<String, Value>| map.get(name_of!(licence_consent)) == Some(&Value::Bool(true));
    if consents(&new) && !consents(stored) {
        new.insert(name_of!(licence_consent_at).into(), jiff::Timestamp::now().to_string().into());
        new.insert(name_of!(licence_consent_by).into(), by.into());
    }
    if !consents(&new) {
        // Who once did speaks for nobody who does later.
        new.remove(name_of!(licence_consent_at));
        new.remove(name_of!(licence_consent_by));
    }
    new
}

fn check(
    source: &SettingsSource,
    new: &Map<String, Value>,
    changes: &Map<String, Value>,
) -> Result<Settings, Trouble> {
    if let Some(field) = changes.keys().find(|field| source.over().contains_key(*field)) {
        return Err(trouble::bad_input(
            &format!("set {field}: an environment variable or a flag decides it"),
            "start Deskhand without it",
        ));
    }
    // Unset fields are checked too, so that a wrong name isn't accepted silently.
    let settings = Settings::check_fields(changes)
        .and_then(|()| Settings::default().layer(new))
        .and_then(|settings| settings.layer(source.over()));
    settings.map_err(|error| trouble::of_setting(&error))
}

fn live(engine: Option<&Engine>) -> usize {
    let snapshots = engine.map(Engine::snapshots).unwrap_or_default();
    snapshots.iter().filter(|snapshot| snapshot.record.is_live()).count()
}

/// Warns that the people here have passkeys only at the previous service.
fn say_new_passkeys(console: &Console) {
    if console.access.people.lock().is_empty() {
        return;
    }
    say(
        console,
        Trouble {
            code: Code::SetUp,
            text: "The passkeys of this console belong to the previous passkey service.".into(),
            remedy: "Add a passkey at the new service before you lock Deskhand.".into(),
        },
    );
}

fn say_later(console: &Console) {
    let later = Trouble {
        code: Code::TryAgain,
        text: "Some changed settings are saved, but not in force yet.".into(),
        remedy: "Start Deskhand again.".into(),
    };
    say(console, later);
}

fn say(console: &Console, trouble: Trouble) {
    console.standing.add(trouble);
    console.updates.announce();
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(text: &str) -> Map<String, Value> {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn a_change_is_in_force_as_soon_as_it_can_be() {
        let with = |text| Settings::default().layer(&map(text)).unwrap();
        let before = Settings::default();
        let how = |text| with(text).in_force(&before);
        assert_eq!(how(r#"{"technician":"Anna Keller","theme":"dark"}"#), InForce::AtOnce);
        assert_eq!(how(r#"{"listen":"127.0.0.1:4000"}"#), InForce::NewEngine);
        assert_eq!(how(r#"{"heartbeat_s":60}"#), InForce::WhenIdle);
        assert_eq!(how(r#"{"heartbeat_s":30}"#), InForce::AtOnce);
        assert_eq!(how(r#"{"lan":true}"#), InForce::AtOnce);
    }

    #[test]
    fn consent_is_recorded_with_who_gave_it_once() {
        let first = changed(&Map::new(), &map(r#"{"licence_consent":true}"#), "Anna");
        assert_eq!(first["licence_consent_by"], "Anna");
        let later = changed(&first, &map(r#"{"licence_consent":true,"theme":"dark"}"#), "Bo");
        assert_eq!(later["licence_consent_by"], "Anna");
        let withdrawn = changed(&later, &map(r#"{"licence_consent":false}"#), "Bo");
        assert_eq!(withdrawn, map(r#"{"licence_consent":false,"theme":"dark"}"#));
    }

    #[test]
    fn what_a_flag_decides_is_not_changed_here() {
        let source = SettingsSource::nowhere().with(map(r#"{"probe_rounds":5}"#));
        let changes = map(r#"{"probe_rounds":2}"#);
        let refused = check(&source, &changes, &changes).unwrap_err();
        assert_eq!(refused.code, Code::BadInput);
        let changes = map(r#"{"no_such":""}"#);
        let refused = check(&SettingsSource::nowhere(), &Map::new(), &changes).unwrap_err();
        assert!(refused.text.contains("no_such"), "{}", refused.text);
    }
}
