//! The settings' file at a change: what somebody wrote into it by hand since it was read last stays there, to be taken
//! up by a reload or the next start.

use serde_json::{Map, Value};

use super::super::reload::differences;
use crate::{
    Settings, SettingsSource,
    app::{Console, keep_settings_aside, remember_settings},
    present::trouble,
    settings::{Damage, LARGEST, as_file},
    view::{Code, Trouble},
    words,
};

/// What the file has before a change.
#[derive(Default)]
pub(super) struct Found {
    /// None where there is no file, or nothing can be kept in one.
    stored: Option<Map<String, Value>>,
    damage: Option<Damage>,
    /// Byte for byte; none where there is no file, or it can't be read.
    bytes: Option<Vec<u8>>,
}

/// What was written.
pub(super) enum Saved {
    Now {
        /// What the file had.
        before: Before,
    },
    /// The file said so already: somebody changed it by hand, whose comments stay.
    Before,
}

/// A file's contents before a change.
pub(super) enum Before {
    /// With its comments, and with what was damaged in it.
    Bytes(Vec<u8>),
    /// There was no file, or it couldn't be read as a whole.
    Known(Map<String, Value>),
}

impl Found {
    /// Reads the file.
    ///
    /// # Errors
    /// Somebody wrote it by hand, and it has an error.
    pub async fn read(console: &Console) -> Result<Self, Trouble> {
        let source = console.settings.source.clone();
        if !source.is_kept() {
            return Ok(Self::default());
        }
        // Reading the disk may block.
        let read = move || (source.is_missing(), source.bytes(), source.load());
        let read = tokio::task::spawn_blocking(read).await;
        let (is_missing, bytes, loaded) = read.map_err(|_| trouble::stopping())?;
        let loaded = loaded.map_err(|error| {
            trouble::bad_input(
                &format!("change the settings: their file has an error ({error})"),
                "correct it first",
            )
        })?;
        let stored = (!is_missing).then_some(loaded.stored);
        Ok(Self { stored, damage: loaded.damage, bytes })
    }

    /// Writes the `new` settings with what somebody wrote into the file since it had the `known` ones. A damaged file
    /// is kept aside first.
    ///
    /// # Errors
    /// They can't be kept, or not together with what somebody wrote.
    pub async fn save(
        self,
        console: &Console,
        known: &Map<String, Value>,
        new: &Map<String, Value>,
        changes: &Map<String, Value>,
    ) -> Result<Saved, Trouble> {
        let after = self.with(known, new, changes);
        check_size(&after)?;
        if self.damage.is_none() && self.stored.as_ref() == Some(&after) {
            return Ok(Saved::Before);
        }
        Settings::default().layer(&after).map_err(|error| {
            trouble::bad_input(
                &format!(
                    "change the settings: with what was written into their file since, {error}"
                ),
                "correct that file first",
            )
        })?;
        // Nothing is refused any more but by the disk.
        if let Some(damage) = &self.damage {
            keep_settings_aside(console, damage).await?;
        }
        write(console, after).await?;
        remember_settings(console).await;
        let before = match self.bytes {
            Some(bytes) => Before::Bytes(bytes),
            None => Before::Known(self.stored.unwrap_or_else(|| known.clone())),
        };
        Ok(Saved::Now { before })
    }

    fn with(
        &self,
        known: &Map<String, Value>,
        new: &Map<String, Value>,
        changes: &Map<String, Value>,
    ) -> Map<String, Value> {
        let mut after = new.clone();
        let Some(stored) = &self.stored else { return after };
        for (field, value) in differences(known, stored) {
            match value {
                _ if changes.contains_key(&field) => {}
                // In a damaged file it may stand where nothing can be read.
                Value::Null if self.damage.is_some() => {}
                Value::Null => _ = after.remove(&field),
                value => _ = after.insert(field, value),
            }
        }
        after
    }
}

impl Saved {
    /// Puts back what the file had.
    ///
    /// # Errors
    /// It can't be written.
    pub async fn undo(self, console: &Console) -> Result<(), Trouble> {
        match self {
            Self::Now { before: Before::Known(before) } => write(console, before).await,
            Self::Now { before: Before::Bytes(bytes) } => {
                on_disk(console, move |source| source.put_back(&bytes)).await
            }
            Self::Before => Ok(()),
        }
    }
}

/// Refuses settings that no start would read.
fn check_size(stored: &Map<String, Value>) -> Result<(), Trouble> {
    let size = as_file(stored).map_or(0, |text| text.len());
    if size <= LARGEST {
        return Ok(());
    }
    let [size, most] = [size, LARGEST].map(|bytes| words::size(bytes as u64));
    Err(trouble::bad_input(
        &format!("change the settings: together they have {size}, and at most {most} are kept"),
        "shorten the longest, such as the list of e-mails",
    ))
}

async fn write(console: &Console, stored: Map<String, Value>) -> Result<(), Trouble> {
    on_disk(console, move |source| source.save(&stored)).await
}

async fn on_disk(
    console: &Console,
    work: impl FnOnce(&SettingsSource) -> Result<(), String> + Send + 'static,
) -> Result<(), Trouble> {
    let source = console.settings.source.clone();
    // Writing the disk may block.
    let saved = tokio::task::spawn_blocking(move || work(&source)).await;
    saved.unwrap_or_else(|error| Err(error.to_string())).map_err(|why| Trouble {
        code: Code::FreeSpace,
        text: trouble::sentence(&format!("save the settings: {why}")),
        remedy: "Free some space and check the folder's permissions.".into(),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn map(value: Value) -> Map<String, Value> {
        value.as_object().unwrap().clone()
    }

    fn with(damaged: bool, stored: Option<Value>) -> Map<String, Value> {
        let damage = Damage { why: "line 2".into(), guards: Vec::new() };
        let found =
            Found { stored: stored.map(map), damage: damaged.then_some(damage), bytes: None };
        let known = map(json!({ "theme": "light", "lan": true, "company": "ACME" }));
        let new = map(json!({ "theme": "dark", "lan": true, "company": "ACME" }));
        found.with(&known, &new, &map(json!({ "theme": "dark" })))
    }

    #[test]
    fn what_somebody_wrote_into_the_file_since_stays_there() {
        let file = json!({ "theme": "system", "lan": true, "verify_gate": "require" });
        let expected = map(json!({ "theme": "dark", "lan": true, "verify_gate": "require" }));
        assert_eq!(with(false, Some(file)), expected);
    }

    #[test]
    fn nothing_is_unset_by_a_file_that_is_damaged_or_gone() {
        let all = map(json!({ "theme": "dark", "lan": true, "company": "ACME" }));
        assert_eq!(with(true, Some(json!({ "lan": true }))), all);
        assert_eq!(with(false, None), all);
        let gate = json!({ "lan": true, "verify_gate": "require" });
        assert_eq!(with(true, Some(gate))["verify_gate"], "require");
    }

    #[test]
    fn settings_that_no_start_would_read_are_refused() {
        let rules: Vec<_> = (0..8000).map(|_| json!({ "to": "a@example.com" })).collect();
        let refused = check_size(&map(json!({ "mail_rules": rules }))).unwrap_err();
        assert_eq!(refused.code, Code::BadInput);
        assert!(refused.text.contains("262"), "{}", refused.text);
        assert!(check_size(&map(json!({ "company": "ACME" }))).is_ok());
    }
}
