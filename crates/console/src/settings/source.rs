//! The place where settings are stored: a file, the window's store, or nowhere.
//!
//! Only values that somebody set are stored, so a default may change with the program. Unreadable
//! settings are set aside and reported, never overwritten.

use std::{
    fs,
    io::{self, Write as _},
    path::{Path, PathBuf},
    sync::Arc,
};

use serde_json::{Map, Value};

use super::{Settings, SettingsError, VERSION, check, name_of};

/// The source of settings, and the target of changes.
#[derive(Clone)]
pub struct SettingsSource {
    storage: Storage,
    /// The values of environment and flags, which win over stored ones and are never written.
    over: Map<String, Value>,
    /// A file that somebody wrote by hand: an error in it stops the start, instead of the file
    /// being set aside.
    by_hand: bool,
}

#[derive(Clone)]
enum Storage {
    Nowhere,
    File(PathBuf),
    Keeper(Arc<dyn Keep>),
}

/// Another store for settings, such as the window's.
pub trait Keep: Send + Sync {
    /// Reads the stored settings; none before the first write.
    ///
    /// # Errors
    /// The reason, in words for people. The store counts as damaged then.
    fn read(&self) -> Result<Option<Map<String, Value>>, String>;

    /// Stores all of `settings`, and nothing else, atomically.
    ///
    /// # Errors
    /// The reason, in words for people.
    fn write(&self, settings: &Map<String, Value>) -> Result<(), String>;

    /// Sets the stored settings aside for inspection, and returns their new place.
    ///
    /// # Errors
    /// The reason, in words for people.
    fn set_aside(&self) -> Result<String, String>;
}

/// Settings as they were loaded.
pub struct Loaded {
    /// The stored settings, without the invalid ones.
    pub stored: Map<String, Value>,
    /// The settings in force.
    pub settings: Settings,
    /// Why the stored settings were set aside; none if they were valid.
    pub damaged: Option<String>,
}

impl SettingsSource {
    /// The program's own file (TOML), created at the first change.
    pub fn file(path: impl Into<PathBuf>) -> Self {
        Self { storage: Storage::File(path.into()), over: Map::new(), by_hand: false }
    }

    /// A file (TOML) that somebody wrote and named: its mistakes are errors.
    pub fn file_by_hand(path: impl Into<PathBuf>) -> Self {
        Self { by_hand: true, ..Self::file(path) }
    }

    /// Nowhere: the defaults, and changes for this run only.
    pub fn nowhere() -> Self {
        Self { storage: Storage::Nowhere, over: Map::new(), by_hand: false }
    }

    /// Another store has them.
    pub fn kept_by(keep: Arc<dyn Keep>) -> Self {
        Self { storage: Storage::Keeper(keep), over: Map::new(), by_hand: false }
    }

    /// Lays `map` (from environment or flags) over the stored settings; a later call wins.
    #[must_use]
    pub fn with(mut self, map: Map<String, Value>) -> Self {
        self.over.extend(map);
        self
    }

    /// The fields that environment and flags decide.
    pub const fn over(&self) -> &Map<String, Value> {
        &self.over
    }

    /// Reads the settings. Blocks.
    ///
    /// # Errors
    /// An invalid field from environment, flags or a file written by hand.
    pub fn load(&self, now: jiff::Timestamp) -> Result<Loaded, SettingsError> {
        let (stored, damaged) = match self.read().and_then(migrated) {
            Ok(stored) => self.sound(stored, now)?,
            Err(why) if self.by_hand => {
                return Err(check::error("the file", &why, "correct it"));
            }
            Err(why) => (Map::new(), Some(self.set_aside(&why, now))),
        };
        let settings = Settings::default().layer(&stored)?.layer(&self.over)?;
        Ok(Loaded { stored, settings, damaged })
    }

    /// Stores `stored`. Blocks.
    ///
    /// # Errors
    /// The reason, in words for people.
    pub fn save(&self, stored: &Map<String, Value>) -> Result<(), String> {
        match &self.storage {
            Storage::Nowhere => Ok(()),
            Storage::Keeper(keep) => keep.write(&with_version(stored)),
            Storage::File(path) => {
                let text = as_file(stored)?;
                replace(path, text.as_bytes())
                    .map_err(|error| format!("write {}: {error}", path.display()))
            }
        }
    }

    /// Removes the invalid settings, after setting the whole aside.
    fn sound(
        &self,
        stored: Map<String, Value>,
        now: jiff::Timestamp,
    ) -> Result<(Map<String, Value>, Option<String>), SettingsError> {
        let defaults = Settings::default();
        let Err(error) = defaults.layer(&stored) else { return Ok((stored, None)) };
        if self.by_hand {
            return Err(error);
        }
        let mut sound = stored;
        sound.retain(|field, value| check::field(field, value).is_ok());
        // Removed one by one: some are valid only together, as consent and address or key and
        // certificate are, so adding fields to nothing would lose them.
        while let Err(error) = defaults.layer(&sound) {
            // A certificate without its key is reported at the key, which isn't there.
            let culprit = sound.remove(&error.field).or_else(|| sound.remove(name_of!(tls_cert)));
            if culprit.is_none() {
                sound.clear();
            }
        }
        Ok((sound, Some(self.set_aside(&error.to_string(), now))))
    }

    fn read(&self) -> Result<Map<String, Value>, String> {
        let stored = match &self.storage {
            Storage::Nowhere => None,
            Storage::Keeper(keep) => keep.read()?,
            Storage::File(path) => match fs::read_to_string(path) {
                Ok(text) => {
                    Some(toml::from_str(&text).map_err(|error| error.message().to_owned())?)
                }
                Err(error) if error.kind() == io::ErrorKind::NotFound && !self.by_hand => None,
                Err(error) => return Err(format!("read {}: {error}", path.display())),
            },
        };
        Ok(stored.unwrap_or_default())
    }

    fn set_aside(&self, why: &str, now: jiff::Timestamp) -> String {
        let kept = match &self.storage {
            Storage::Nowhere => return why.to_owned(),
            Storage::Keeper(keep) => keep.set_aside(),
            Storage::File(path) => {
                let aside = aside(path, now);
                fs::rename(path, &aside)
                    .map(|()| aside.display().to_string())
                    .map_err(|error| error.to_string())
            }
        };
        match kept {
            Ok(place) => format!("{why}. The settings as they were are kept in {place}"),
            Err(failed) => format!("{why}. They could not be kept aside: {failed}"),
        }
    }
}

/// The text of a file with these settings.
///
/// # Errors
/// A value that TOML doesn't have; no valid setting is one.
pub(crate) fn as_file(stored: &Map<String, Value>) -> Result<String, String> {
    toml::to_string_pretty(&with_version(stored)).map_err(|error| error.to_string())
}

fn with_version(stored: &Map<String, Value>) -> Map<String, Value> {
    let mut stored = stored.clone();
    stored.insert(name_of!(version).into(), VERSION.into());
    stored
}

/// Migrates settings of an older shape to this one. Migrations are frozen once released.
fn migrated(mut stored: Map<String, Value>) -> Result<Map<String, Value>, String> {
    match stored.remove(name_of!(version)).map(|version| version.as_u64()) {
        // Before the first release, settings had no version.
        None | Some(Some(1)) => Ok(stored),
        Some(Some(_)) => Err("a newer version of Deskhand wrote the settings".to_owned()),
        Some(None) => Err("the settings' version is not a number".to_owned()),
    }
}

fn aside(path: &Path, now: jiff::Timestamp) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".corrupt-{}", now.as_second()));
    path.with_file_name(name)
}

/// Writes a file whole or not at all: beside the old one, synced to the disk, then renamed over it.
pub(crate) fn replace(path: &Path, text: &[u8]) -> io::Result<()> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".new");
    let new = path.with_file_name(name);
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let mut file = fs::File::create(&new)?;
    file.write_all(text)?;
    // Before the rename: after a power cut the name must not lead to an empty file.
    file.sync_all()?;
    fs::rename(&new, path)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: jiff::Timestamp = jiff::Timestamp::UNIX_EPOCH;

    #[test]
    fn only_what_was_set_is_kept_and_comes_back() {
        let folder = tempfile::tempdir().unwrap();
        let source = SettingsSource::file(folder.path().join("deep/settings.toml"));
        assert_eq!(source.load(NOW).unwrap().settings, Settings::default());
        let rules = serde_json::json!([{ "to": "a@b.c", "when": "every_event" }]);
        let stored =
            Map::from_iter([("mail_rules".to_owned(), rules), ("lan".to_owned(), true.into())]);
        source.save(&stored).unwrap();
        let loaded = source.load(NOW).unwrap();
        assert_eq!(loaded.stored, stored);
        assert_eq!((loaded.settings.lan, loaded.settings.mail_rules.len()), (true, 1));
    }

    #[test]
    fn what_is_sound_in_a_damaged_file_stays_in_force() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("settings.toml");
        fs::write(&path, "probe_rounds = 99\nlan = true\n").unwrap();
        let loaded = SettingsSource::file(&path).load(NOW).unwrap();
        assert!(loaded.settings.lan && loaded.settings.probe_rounds == 3);
        assert!(loaded.damaged.unwrap().contains("probe_rounds"));
        assert!(folder.path().join("settings.toml.corrupt-0").exists() && !path.exists());
    }

    #[test]
    fn what_is_sound_only_together_stays_in_force_together() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("settings.toml");
        let hosted = "https://www.loginwith.me/api/v1";
        let text = format!(
            "base_url = \"{hosted}\"\nlicence_consent = true\nprobe_rounds = 99\n\
             tls_cert = \"/c.pem\"\ntls_key = \"/k.pem\"\ncolour = 1\n"
        );
        fs::write(&path, text).unwrap();
        let settings = SettingsSource::file(&path).load(NOW).unwrap().settings;
        assert_eq!((settings.base_url.as_deref(), settings.probe_rounds), (Some(hosted), 3));
        assert!(settings.tls_cert.is_some() && settings.tls_key.is_some());
        fs::write(&path, "tls_cert = \"/c.pem\"\nlan = true\n").unwrap();
        let settings = SettingsSource::file(&path).load(NOW).unwrap().settings;
        assert!(settings.tls_cert.is_none() && settings.lan);
        fs::write(&path, format!("base_url = \"{hosted}\"\nlan = true\n")).unwrap();
        let settings = SettingsSource::file(&path).load(NOW).unwrap().settings;
        assert!(settings.base_url.is_none() && settings.lan, "without consent it isn't asked");
    }

    #[test]
    fn a_newer_versions_file_is_set_aside_and_not_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("settings.toml");
        fs::write(&path, "version = 2\nlan = true\n").unwrap();
        let loaded = SettingsSource::file(&path).load(NOW).unwrap();
        assert!(!loaded.settings.lan && loaded.damaged.unwrap().contains("newer version"));
        assert!(folder.path().join("settings.toml.corrupt-0").exists());
    }

    #[test]
    fn flags_win_over_what_is_kept_and_are_never_written() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("settings.toml");
        fs::write(&path, "probe_rounds = 5\n").unwrap();
        let over = Map::from_iter([("probe_rounds".to_owned(), 2.into())]);
        let source = SettingsSource::file(&path).with(over);
        let loaded = source.load(NOW).unwrap();
        assert_eq!((loaded.settings.probe_rounds, &loaded.stored["probe_rounds"]), (2, &5.into()));
    }
}
