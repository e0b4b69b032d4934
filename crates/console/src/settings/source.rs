//! The place where settings are stored: a file, or nowhere.
//!
//! Only values that somebody set are stored, so a default may change with the program. A damaged
//! file is read as far as it can be, kept beside, and only then replaced by what was sound in it.

use std::{
    fs,
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use serde_json::{Map, Value};

use super::{
    Settings, SettingsError, check, declarations, name_of,
    recover::{self, Unsound},
    shape::{as_file, migrated},
};

/// The source of settings, and the target of changes.
#[derive(Clone)]
pub struct SettingsSource {
    storage: Storage,
    /// The values of environment and flags, which win over stored ones and are never written.
    over: Map<String, Value>,
    /// A file that somebody wrote by hand: an error in it stops the start, instead of the file
    /// being mended.
    by_hand: bool,
}

#[derive(Clone)]
enum Storage {
    Nowhere,
    File(PathBuf),
}

/// Settings as they were loaded.
pub struct Loaded {
    /// The stored settings without the invalid ones, and with the guards that could not be read.
    pub stored: Map<String, Value>,
    /// The settings in force.
    pub settings: Settings,
    /// What was wrong with the stored settings; none if they were valid.
    pub damage: Option<Damage>,
}

/// What is wrong with stored settings.
#[derive(Debug, PartialEq, Eq)]
pub struct Damage {
    /// In words for people.
    pub why: String,
    /// The guards that could not be read and count as their strictest values.
    pub guards: Vec<&'static str>,
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

    /// Reads the settings, and changes nothing on the disk. Blocks.
    ///
    /// # Errors
    /// An invalid field from environment, flags or a file written by hand.
    pub fn load(&self) -> Result<Loaded, SettingsError> {
        let (stored, damage) = self.stored()?;
        let settings = Settings::default().layer(&stored)?.layer(&self.over)?;
        Ok(Loaded { stored, settings, damage })
    }

    /// Stores `stored`. Blocks.
    ///
    /// # Errors
    /// The reason, in words for people.
    pub fn save(&self, stored: &Map<String, Value>) -> Result<(), String> {
        let Storage::File(path) = &self.storage else { return Ok(()) };
        let text = as_file(stored)?;
        replace(path, text.as_bytes()).map_err(|error| format!("write {}: {error}", path.display()))
    }

    /// Keeps the stored settings as they are under another name, for inspection; answers that name. A
    /// file stays where it is, too. Blocks.
    ///
    /// # Errors
    /// The reason, in words for people.
    pub fn keep_aside(&self, now: jiff::Timestamp) -> Result<Option<PathBuf>, String> {
        let Storage::File(path) = &self.storage else { return Ok(None) };
        let aside = free_name(path, now);
        let is_file = fs::symlink_metadata(path).is_ok_and(|found| found.is_file());
        let kept = if is_file {
            // A file that may not be read can still have a second name.
            fs::copy(path, &aside).map(drop).or_else(|_| fs::hard_link(path, &aside))
        } else {
            fs::rename(path, &aside)
        };
        kept.map(|()| Some(aside)).map_err(|error| format!("keep {}: {error}", path.display()))
    }

    /// The stored settings as far as they are sound, with the strictest values of guards that are not.
    fn stored(&self) -> Result<(Map<String, Value>, Option<Damage>), SettingsError> {
        let (stored, unsound) = match self.read().and_then(migrated) {
            Ok(stored) => (stored, None),
            Err(unsound) if self.by_hand => {
                return Err(check::error("the file", &unsound.why, "correct it"));
            }
            Err(unsound) => unsound.migrated(),
        };
        let mut meant = Vec::new();
        let (mut sound, invalid) = without_invalid(stored, &mut meant);
        let damage = match (invalid.first(), unsound) {
            (None, None) => return Ok((sound, None)),
            (Some(error), None) if self.by_hand => return Err(error.clone()),
            (_, unsound) => damage(&invalid, unsound, meant),
        };
        for guard in declarations().iter().filter(|known| damage.guards.contains(&known.name)) {
            sound.extend(guard.strictest.clone().map(|value| (guard.name.to_owned(), value)));
        }
        Ok((sound, Some(damage)))
    }

    fn read(&self) -> Result<Map<String, Value>, Unsound> {
        let Storage::File(path) = &self.storage else { return Ok(Map::new()) };
        let failed =
            |error: io::Error| Unsound::nothing(format!("read {}: {error}", path.display()));
        let found = match fs::metadata(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound && !self.by_hand => {
                return Ok(Map::new());
            }
            found => found.map_err(failed)?,
        };
        if !self.by_hand {
            // To read a pipe would take for ever.
            if !found.is_file() {
                return Err(Unsound::nothing(format!("{} is not a file", path.display())));
            }
            // This program writes a version at least.
            if found.len() == 0 {
                return Err(Unsound::nothing("the file is empty, as after a failed disk"));
            }
        }
        recover::parse(&fs::read(path).map_err(failed)?)
    }
}

/// Removes the invalid settings, and says why each had to go; adds to `guards` those that were meant.
fn without_invalid(
    stored: Map<String, Value>,
    guards: &mut Vec<&'static str>,
) -> (Map<String, Value>, Vec<SettingsError>) {
    let mut sound = stored;
    let mut invalid = Vec::new();
    sound.retain(|field, value| match check::field(field, value) {
        Ok(()) => true,
        Err(error) => {
            recover::guards_meant(field, value, guards);
            invalid.push(error);
            false
        }
    });
    // Removed one by one: some are valid only together, as consent and address or key and
    // certificate are, so adding fields to nothing would lose them.
    while let Err(error) = Settings::default().layer(&sound) {
        // A certificate without its key is reported at the key, which isn't there.
        let culprit = sound.remove(&error.field).or_else(|| sound.remove(name_of!(tls_cert)));
        if culprit.is_none() {
            sound.clear();
        }
        recover::guards_meant(&error.field, &Value::Null, guards);
        invalid.push(error);
    }
    (sound, invalid)
}

/// The most mistakes that are told one by one.
const MOST_TOLD: usize = 5;

fn damage(invalid: &[SettingsError], unsound: Option<Damage>, meant: Vec<&'static str>) -> Damage {
    let Damage { why, mut guards } =
        unsound.unwrap_or_else(|| Damage { why: String::new(), guards: Vec::new() });
    let told = invalid.iter().take(MOST_TOLD).map(ToString::to_string);
    let why = Some(why).into_iter().filter(|why| !why.is_empty()).chain(told);
    let why = why.collect::<Vec<_>>().join(". ");
    guards.extend(meant);
    guards.sort_unstable();
    guards.dedup();
    Damage { why, guards }
}

/// A name beside `path` that nothing has yet.
fn free_name(path: &Path, now: jiff::Timestamp) -> PathBuf {
    let name = |more: u32| {
        let mut name = path.file_name().unwrap_or_default().to_owned();
        name.push(format!(".corrupt-{}", now.as_second()));
        if more > 0 {
            name.push(format!("-{more}"));
        }
        path.with_file_name(name)
    };
    (0..).map(name).find(|name| name.symlink_metadata().is_err()).unwrap_or_else(|| name(0))
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

    fn loaded(text: impl AsRef<[u8]>) -> Loaded {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("settings.toml");
        fs::write(&path, text.as_ref()).unwrap();
        let loaded = SettingsSource::file(&path).load().unwrap();
        assert_eq!(fs::read(&path).unwrap(), text.as_ref(), "reading changes nothing");
        loaded
    }

    #[test]
    fn only_what_was_set_is_kept_and_comes_back() {
        let folder = tempfile::tempdir().unwrap();
        let source = SettingsSource::file(folder.path().join("deep/settings.toml"));
        assert_eq!(source.load().unwrap().settings, Settings::default());
        let rules = serde_json::json!([{ "to": "a@b.c", "when": "every_event" }]);
        let stored =
            Map::from_iter([("mail_rules".to_owned(), rules), ("lan".to_owned(), true.into())]);
        source.save(&stored).unwrap();
        let loaded = source.load().unwrap();
        assert_eq!((loaded.damage, &loaded.stored), (None, &stored));
        assert_eq!((loaded.settings.lan, loaded.settings.mail_rules.len()), (true, 1));
    }

    #[test]
    fn what_is_sound_in_a_damaged_file_stays_in_force() {
        let loaded = loaded("probe_rounds = 99\nlan = true\ncolour = 1\n");
        assert!(loaded.settings.lan && loaded.settings.probe_rounds == 3);
        let damage = loaded.damage.unwrap();
        assert!(damage.why.contains("probe_rounds") && damage.why.contains("colour"), "{damage:?}");
        assert!(damage.guards.is_empty(), "no guard was in what could not be read");
    }

    #[test]
    fn a_guard_that_cannot_be_read_counts_as_its_strictest_value() {
        use crate::view::GatePolicy;
        let bad = [
            "verify_gate = require\n",
            "verify_gate = \"requir\"\n",
            "verify_gate = 1\n",
            "verify-gate = \"require\"\n",
            "Verify_Gate = \"require\"\n",
            "verify_gat = \"require\"\n",
            "verifiy_gate = \"require\"\n",
            "verify.gate = \"require\"\n",
            "[settings]\nverify_gate = \"require\"\n",
            "[[profile]]\nverify_gate = \"require\"\n",
            "verify_gate = \"off\"\nverify_gate = \"require\"\n",
            "version = 2\nverify_gate = \"off\"\n",
            "\0\0\0\0",
            "",
        ];
        for bad in bad {
            let loaded = loaded(bad);
            assert_eq!(loaded.settings.verify_gate, GatePolicy::Require, "{bad}");
            assert_eq!(loaded.stored["verify_gate"], "require", "{bad}");
            assert!(loaded.damage.unwrap().guards.contains(&"verify_gate"), "{bad}");
        }
        let minutes = loaded("lock_after_min = 9999\n");
        assert_eq!(minutes.settings.lock_after_min, 1);
    }

    #[test]
    fn a_strictest_value_is_a_valid_one() {
        let strict = declarations().iter().filter_map(|known| {
            known.strictest.clone().map(|value| (known.name.to_owned(), value))
        });
        Settings::default().layer(&strict.collect()).unwrap();
    }

    #[test]
    fn what_is_sound_beside_a_bad_line_comes_back_at_each_start_and_the_file_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("settings.toml");
        let text = "verify_gate = \"require\"\nlan = maybe\ncompany = \"ACME\"\n";
        fs::write(&path, text).unwrap();
        let source = SettingsSource::file(&path);
        let first = source.load().unwrap();
        assert!(first.damage.unwrap().why.contains("line 2"));
        let aside = source.keep_aside(NOW).unwrap().unwrap();
        source.save(&first.stored).unwrap();
        let second = source.load().unwrap();
        assert_eq!((second.damage, &second.settings), (None, &first.settings));
        assert_eq!(second.settings.company, "ACME");
        assert_eq!(fs::read_to_string(&aside).unwrap(), text);
        // A second one of the same moment replaces nothing.
        fs::write(&path, "?").unwrap();
        assert_ne!(source.keep_aside(NOW).unwrap().unwrap(), aside);
        assert_eq!(fs::read_to_string(&aside).unwrap(), text);
    }

    #[test]
    fn a_folder_in_its_place_is_moved_away_and_guards_hold() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("settings.toml");
        fs::create_dir(&path).unwrap();
        fs::write(path.join("inside"), "x").unwrap();
        let source = SettingsSource::file(&path);
        let loaded = source.load().unwrap();
        assert!(loaded.settings.require_sign_in && loaded.damage.is_some());
        let aside = source.keep_aside(NOW).unwrap().unwrap();
        source.save(&loaded.stored).unwrap();
        assert!(aside.join("inside").exists() && source.load().unwrap().damage.is_none());
    }

    #[test]
    fn what_is_sound_only_together_stays_in_force_together() {
        let hosted = "https://www.loginwith.me/api/v1";
        let settings = loaded(format!(
            "base_url = \"{hosted}\"\nlicence_consent = true\nprobe_rounds = 99\n\
             tls_cert = \"/c.pem\"\ntls_key = \"/k.pem\"\ncolour = 1\n"
        ))
        .settings;
        assert_eq!((settings.base_url.as_deref(), settings.probe_rounds), (Some(hosted), 3));
        assert!(settings.tls_cert.is_some() && settings.tls_key.is_some());
        let settings = loaded("tls_cert = \"/c.pem\"\nlan = true\n").settings;
        assert!(settings.tls_cert.is_none() && settings.lan);
        let settings = loaded(format!("base_url = \"{hosted}\"\nlan = true\n")).settings;
        assert!(settings.base_url.is_none() && settings.lan, "without consent it isn't asked");
    }

    #[test]
    fn nothing_is_taken_from_a_newer_versions_file() {
        let loaded = loaded("version = 2\nlan = true\n");
        assert!(!loaded.settings.lan && loaded.damage.unwrap().why.contains("newer version"));
    }

    #[test]
    fn a_version_that_is_no_number_costs_no_other_setting() {
        let loaded = loaded("version = \"one\"\nlan = true\n");
        assert!(loaded.settings.lan && loaded.damage.unwrap().why.contains("version"));
    }

    #[test]
    fn flags_win_over_what_is_kept_and_are_never_written() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("settings.toml");
        fs::write(&path, "probe_rounds = 5\n").unwrap();
        let over = Map::from_iter([("probe_rounds".to_owned(), 2.into())]);
        let source = SettingsSource::file(&path).with(over);
        let loaded = source.load().unwrap();
        assert_eq!((loaded.settings.probe_rounds, &loaded.stored["probe_rounds"]), (2, &5.into()));
    }
}
