//! Reading the settings' file and the certificate again, as SIGHUP asks for.

use serde_json::{Map, Value};

use super::SettingsCommand;
use crate::{
    app::{App, Console, StoredSettings},
    present::trouble,
    view::Trouble,
};

/// Who goes on record for what stands in the settings' file.
const BY: &str = "the settings' file";

impl App {
    /// Takes up what was changed in the settings' file, as if somebody had changed it here, so that it is refused while
    /// the console is locked and stands in the audit log. The certificate of the embedded broker's door to the network
    /// is read again in any case. What can't be used changes nothing; the log says what became of it.
    pub async fn reload(&self) {
        match self.take_up_settings().await {
            Ok(()) => tracing::info!("the settings were read again"),
            Err(trouble) => {
                let Trouble { text, remedy, .. } = trouble;
                tracing::error!(
                    why = text,
                    remedy,
                    "the settings were not taken up, those of before stay in force"
                );
            }
        }
        let console = self.console();
        match console.broker.renew_certificate(&console.settings.current()).await {
            Ok(false) => {}
            Ok(true) => tracing::info!("the certificate was read again"),
            Err(error) => {
                tracing::error!(%error, "the certificate was not taken up, the one of before is served");
            }
        }
    }

    async fn take_up_settings(&self) -> Result<(), Trouble> {
        let console = self.console();
        let Changes { open, decided_elsewhere } = changes(console).await?;
        say_decided_elsewhere(console, &decided_elsewhere);
        // Known before anything is saved, so that the file is left as somebody wrote it.
        remember(console, decided_elsewhere).await?;
        if open.is_empty() {
            return Ok(());
        }
        self.command(SettingsCommand::Configure { changes: open }, BY).await.map(drop)
    }
}

/// What stands in the file since it was read last.
struct Changes {
    /// What can be put in force.
    open: Map<String, Value>,
    /// What flags and variables decide, whatever the file says.
    decided_elsewhere: Map<String, Value>,
}

async fn changes(console: &Console) -> Result<Changes, Trouble> {
    let source = console.settings.source.clone();
    // Before the file is read: what is changed here meanwhile must not look like a change of the file.
    let before = console.settings.stored();
    // Reading the disk may block.
    let loaded = tokio::task::spawn_blocking(move || (source.is_missing(), source.load())).await;
    let (is_missing, loaded) = loaded.map_err(|_| trouble::stopping())?;
    // Without a file nobody has unset anything.
    if is_missing && !before.is_empty() {
        return Err(trouble::bad_input(
            "read the settings' file: it is gone",
            "put it back, or change any setting in Deskhand, which writes it anew",
        ));
    }
    let loaded = loaded.map_err(|e| trouble::of_setting(&e))?;
    if let Some(damage) = loaded.damage {
        return Err(trouble::bad_input(&damage.why, "correct the settings' file"));
    }
    let over = console.settings.source.over();
    let changes = differences(&before, &loaded.stored).into_iter();
    let (decided_elsewhere, open) = changes.partition(|(field, _)| over.contains_key(field));
    Ok(Changes { open, decided_elsewhere })
}

/// Names the settings whose new values in the file are of no effect. Their values may be secret.
fn say_decided_elsewhere(console: &Console, changes: &Map<String, Value>) {
    let over = console.settings.source.over();
    let other = changes
        .iter()
        .filter(|(field, value)| !value.is_null() && over.get(*field) != Some(*value));
    let settings: Vec<_> = other.map(|(field, _)| field.as_str()).collect();
    if !settings.is_empty() {
        let settings = settings.join(", ");
        tracing::warn!(
            settings,
            "these settings were changed in the file, but flags or environment variables decide them; \
             start without those to use the file's"
        );
    }
}

/// Takes what the file says of these fields for stored. What is in force stays.
async fn remember(console: &Console, changes: Map<String, Value>) -> Result<(), Trouble> {
    if changes.is_empty() {
        return Ok(());
    }
    let lifecycle = &console.lifecycle;
    let exclusive = lifecycle.watch.stopping.run_until_cancelled(lifecycle.exclusive.lock()).await;
    let _exclusive = exclusive.ok_or_else(trouble::stopping)?;
    let mut stored = console.settings.stored();
    for (field, value) in changes {
        match value {
            Value::Null => _ = stored.remove(&field),
            value => _ = stored.insert(field, value),
        }
    }
    let settings = console.settings.current();
    console.settings.replace(StoredSettings { stored, settings });
    Ok(())
}

/// The fields that have another value in `new`; null for those that are gone.
pub(super) fn differences(
    old: &Map<String, Value>,
    new: &Map<String, Value>,
) -> Map<String, Value> {
    let gone = old.keys().filter(|field| !new.contains_key(*field));
    let gone = gone.map(|field| (field.clone(), Value::Null));
    let other = new.iter().filter(|(field, value)| old.get(*field) != Some(*value));
    gone.chain(other.map(|(field, value)| (field.clone(), value.clone()))).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_what_differs_is_changed_and_what_is_gone_is_unset() {
        let map = |value: Value| value.as_object().unwrap().clone();
        let old = map(json!({ "lan": true, "theme": "dark", "technician": "Anna" }));
        let new = map(json!({ "lan": true, "theme": "light", "heartbeat_s": 60 }));
        let expected = map(json!({ "technician": null, "theme": "light", "heartbeat_s": 60 }));
        assert_eq!(differences(&old, &new), expected);
        assert!(differences(&new, &new).is_empty());
    }
}
