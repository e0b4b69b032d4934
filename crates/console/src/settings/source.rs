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

    /// As [`Self::load`], of a file that is gone though there was one: the guards count as their strictest values.
    ///
    /// # Errors
    /// As for [`Self::load`].
    pub fn load_lost(&self) -> Result<Loaded, SettingsError> {
        let (stored, damage) = self.sound(Err(Unsound::nothing("the settings' file is gone")))?;
        let settings = Settings::default().layer(&stored)?.layer(&self.over)?;
        Ok(Loaded { stored, settings, damage })
    }

    /// Whether the program's own file isn't there, or is a link to one that isn't. Blocks.
    pub fn is_missing(&self) -> bool {
        self.own_file().is_some_and(|path| !is_there(path))
    }

    /// Whether the program's own file is there. Blocks.
    pub fn is_made(&self) -> bool {
        self.own_file().is_some_and(is_there)
    }

    /// Whether changes are kept in a file at all.
    pub const fn is_kept(&self) -> bool {
        matches!(self.storage, Storage::File(_))
    }

    fn own_file(&self) -> Option<&Path> {
        match &self.storage {
            Storage::File(path) if !self.by_hand => Some(path),
            Storage::File(_) | Storage::Nowhere => None,
        }
    }

    /// Stores `stored`. Blocks.
    ///
    /// # Errors
    /// The reason, in words for people.
    pub fn save(&self, stored: &Map<String, Value>) -> Result<(), String> {
        let Storage::File(_) = &self.storage else { return Ok(()) };
        self.put_back(as_file(stored)?.as_bytes())
    }

    /// The file as it is; none where there is none, or it can't be read. Blocks.
    pub fn bytes(&self) -> Option<Vec<u8>> {
        let Storage::File(path) = &self.storage else { return None };
        // To read a pipe would take for ever.
        fs::metadata(path).is_ok_and(|found| found.is_file()).then(|| fs::read(path).ok()).flatten()
    }

    /// Makes the file what [`Self::bytes`] answered. Blocks.
    ///
    /// # Errors
    /// The reason, in words for people.
    pub fn put_back(&self, bytes: &[u8]) -> Result<(), String> {
        let Storage::File(path) = &self.storage else { return Ok(()) };
        replace(path, bytes).map_err(|error| format!("write {}: {error}", path.display()))
    }

    /// Keeps the stored settings as they are under another name, for inspection; answers that name. A
    /// file stays where it is, too. Blocks.
    ///
    /// # Errors
    /// The reason, in words for people.
    pub fn keep_aside(&self, now: jiff::Timestamp) -> Result<Option<PathBuf>, String> {
        let Storage::File(path) = &self.storage else { return Ok(None) };
        let found = fs::symlink_metadata(path);
        if found.as_ref().is_err_and(|error| error.kind() == io::ErrorKind::NotFound) {
            return Ok(None);
        }
        let aside = free_name(path, now);
        let is_file = found.is_ok_and(|found| found.is_file());
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
        self.sound(self.read())
    }

    fn sound(
        &self,
        read: Result<Map<String, Value>, Unsound>,
    ) -> Result<(Map<String, Value>, Option<Damage>), SettingsError> {
        let (stored, unsound) = match read.and_then(migrated) {
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

/// Whether there is something at `path`, be it unreadable.
fn is_there(path: &Path) -> bool {
    !fs::metadata(path).is_err_and(|error| error.kind() == io::ErrorKind::NotFound)
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
mod tests;
