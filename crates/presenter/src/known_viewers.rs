//! The viewers whose key exchange was whole, so that who comes back has the words that were compared
//! already (docs/adr/0016).
//!
//! They are kept for the life of the PIN, with which of them are the technician's, and how many
//! exchanges were guesses of late (`exchanges.rs`). A program that is started again still knows them, if the
//! system has a folder that is in memory and this user's alone, such as `$XDG_RUNTIME_DIR`. They are
//! never on a disk.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, SystemTime},
};

use parking_lot::Mutex;
use ring::digest::{Context, SHA256};
use seal::{Pairing, PairingId};
use url::Url;
use wire::Pin;

use crate::{
    broker_connection::LONGEST_LIFE,
    exchanges::{Guess, WINDOW},
    kept_viewers::{KeptGuess, KeptViewers, MOST},
};

const FOLDER: &str = "deskhand-presenter";

/// The known viewers of one session. Clones share them.
#[derive(Debug, Clone)]
pub struct KnownViewers(Arc<Mutex<Known>>);

#[derive(Debug)]
struct Known {
    kept: KeptViewers,
    file: Option<PathBuf>,
}

/// An exchange that may have been a guess: whether it was with the technician's own console, and how
/// long ago it was.
pub(crate) type AgedGuess = (Guess, bool, Duration);

impl KnownViewers {
    /// Those of an earlier run of this session's program that were kept in `folder`, or none.
    pub fn open(folder: Option<&Path>, broker: &Url, pin: &Pin) -> Self {
        let folder = folder.and_then(|folder| match own_folder(folder) {
            Ok(folder) => Some(folder),
            Err(error) => {
                tracing::debug!(%error, "viewers stay known for this run only");
                None
            }
        });
        let file = folder.map(|folder| {
            remove_old_files(&folder);
            folder.join(file_name(broker, pin))
        });
        let kept = file.as_ref().and_then(|file| fs::read(file).ok()).unwrap_or_default();
        let kept = KeptViewers::from_bytes(&kept).unwrap_or_default();
        Self(Arc::new(Mutex::new(Known { kept, file })))
    }

    /// The guesses of an earlier run within the last hour.
    pub(crate) fn guesses(&self) -> Vec<AgedGuess> {
        let now = unix_ms();
        let known = self.0.lock();
        // One of later than now was kept before the clock was put back: it counts as new.
        let aged = known
            .kept
            .guesses
            .iter()
            .map(|one| (one.guess, one.own, Duration::from_millis(now.saturating_sub(one.at))));
        aged.filter(|(.., age)| *age < WINDOW).collect()
    }

    /// Keeps the guesses of the last hour for a later run.
    pub(crate) fn keep_guesses(&self, guesses: Vec<AgedGuess>) {
        let now = unix_ms();
        let at = |age: Duration| now.saturating_sub(u64::try_from(age.as_millis()).unwrap_or(0));
        let kept =
            guesses.into_iter().map(|(guess, own, age)| KeptGuess { guess, own, at: at(age) });
        let mut known = self.0.lock();
        known.kept.guesses = kept.collect();
        known.save_or_note();
    }

    /// The pairing with this name.
    pub fn recall(&self, id: PairingId) -> Option<Pairing> {
        self.0.lock().kept.pairings.iter().find(|pairing| pairing.id() == id).cloned()
    }

    /// Whether the technician's own console has signed this text. `id` is the name of its pairing.
    pub fn own_has_signed(&self, id: &str, text: &[u8], signature: &str) -> bool {
        let known = self.0.lock();
        let mut named = known.kept.pairings.iter().filter(|pairing| pairing.id().to_string() == id);
        named.any(|pairing| {
            known.kept.own.contains(&pairing.id()) && pairing.has_signed(text, signature)
        })
    }

    /// Remembers a pairing whose exchange was whole, and whether its viewer is the technician's
    /// own console.
    pub fn remember(&self, pairing: &Pairing, own: bool) {
        let mut known = self.0.lock();
        let is_new = !known.kept.pairings.contains(pairing);
        if is_new {
            if known.kept.pairings.len() >= MOST {
                known.drop_oldest();
            }
            known.kept.pairings.push_back(pairing.clone());
        }
        let is_newly_own = own && known.kept.own.insert(pairing.id());
        if is_new || is_newly_own {
            known.save_or_note();
        }
    }

    /// Forgets all viewers: the session is over.
    pub fn forget(&self) {
        let mut known = self.0.lock();
        known.kept.pairings.clear();
        known.kept.own.clear();
        // Not the guesses: whoever gets the customer to start the program again would have more of them.
        if !known.kept.guesses.is_empty() {
            known.save_or_note();
        } else if let Some(file) = known.file.take() {
            let _ = fs::remove_file(file);
        }
    }
}

impl Known {
    fn drop_oldest(&mut self) {
        // The technician's own go last: many of somebody else's must not push them out.
        let stranger = self.kept.pairings.iter().position(|one| !self.kept.own.contains(&one.id()));
        if let Some(oldest) = self.kept.pairings.remove(stranger.unwrap_or(0)) {
            self.kept.own.remove(&oldest.id());
        }
    }

    fn save_or_note(&self) {
        // A short file that no disk is waited for.
        if let Err(error) = self.save() {
            tracing::debug!(%error, "what is known of viewers holds for this run only");
        }
    }

    fn save(&self) -> io::Result<()> {
        let Some(file) = &self.file else { return Ok(()) };
        let bytes = self.kept.to_bytes();
        // Whole or not at all, whoever reads it meanwhile.
        let new = file.with_extension("new");
        let _ = fs::remove_file(&new);
        write_private(&new, &bytes)?;
        fs::rename(new, file)
    }
}

fn unix_ms() -> u64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// Two sessions, or two servers, never share a file. The name gives the PIN away to those only who
/// could read the file as well.
fn file_name(broker: &Url, pin: &Pin) -> String {
    let mut context = Context::new(&SHA256);
    for piece in ["deskhand presenter knows viewers of ", broker.as_str(), " ", pin.expose()] {
        context.update(piece.as_bytes());
    }
    context.finish().as_ref()[..16].iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Those of sessions whose program was killed.
fn remove_old_files(folder: &Path) {
    let Ok(files) = fs::read_dir(folder) else { return };
    for file in files.flatten() {
        let written = file.metadata().and_then(|about| about.modified());
        let age = written.ok().and_then(|at| SystemTime::now().duration_since(at).ok());
        if age.is_some_and(|age| age > LONGEST_LIFE) {
            let _ = fs::remove_file(file.path());
        }
    }
}

/// This program's folder in `folder`, which must be the user's alone.
#[cfg(unix)]
fn own_folder(folder: &Path) -> io::Result<PathBuf> {
    use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
    let own = folder.join(FOLDER);
    match fs::DirBuilder::new().mode(0o700).create(&own) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
        Ok(()) | Err(_) => {}
    }
    for folder in [folder, &own] {
        let about = fs::symlink_metadata(folder)?;
        if !about.is_dir() || about.permissions().mode() & 0o077 != 0 {
            return Err(io::Error::other("others may look into the folder"));
        }
    }
    Ok(own)
}

#[cfg(unix)]
fn write_private(file: &Path, bytes: &[u8]) -> io::Result<()> {
    use std::{io::Write as _, os::unix::fs::OpenOptionsExt as _};
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true).mode(0o600).open(file)?.write_all(bytes)
}

/// Where it isn't known whose a folder is, nothing is kept.
#[cfg(not(unix))]
fn own_folder(_: &Path) -> io::Result<PathBuf> {
    Err(io::Error::other("this system has no such folder"))
}

#[cfg(not(unix))]
fn write_private(_: &Path, _: &[u8]) -> io::Result<()> {
    Err(io::Error::other("this system has no such folder"))
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;
    use crate::kept_viewers::{BYTES, GUESS_BYTES};

    fn known(folder: &Path, pin: &str) -> KnownViewers {
        let broker = "https://support.example.org".parse().unwrap();
        KnownViewers::open(Some(folder), &broker, &pin.parse().unwrap())
    }

    fn private() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o700)).unwrap();
        folder
    }

    fn pairing(byte: u8) -> Pairing {
        Pairing::from_bytes(&[byte; BYTES]).unwrap()
    }

    #[test]
    fn a_program_that_is_started_again_knows_the_viewers_of_its_session_alone() {
        let folder = private();
        let first = known(folder.path(), "7W2-97-8570");
        first.remember(&pairing(1), true);
        first.remember(&pairing(2), true);
        let again = known(folder.path(), "7W2-97-8570");
        assert_eq!(again.recall(pairing(1).id()), Some(pairing(1)));
        assert_eq!(again.recall(pairing(3).id()), None);
        let other = known(folder.path(), "7W2-97-8571");
        assert_eq!(other.recall(pairing(1).id()), None);
        again.forget();
        assert_eq!(known(folder.path(), "7W2-97-8570").recall(pairing(1).id()), None);
    }

    #[test]
    fn it_is_kept_where_nobody_else_can_look_and_nowhere_else() {
        let folder = private();
        known(folder.path(), "7W2-97-8570").remember(&pairing(1), true);
        let own = folder.path().join(FOLDER);
        let file = fs::read_dir(&own).unwrap().next().unwrap().unwrap();
        assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        assert!(!file.file_name().to_string_lossy().contains("8570"));

        let open = private();
        fs::set_permissions(open.path(), fs::Permissions::from_mode(0o755)).unwrap();
        let kept = known(open.path(), "7W2-97-8570");
        kept.remember(&pairing(1), true);
        assert_eq!(kept.recall(pairing(1).id()), Some(pairing(1)), "for this run");
        assert_eq!(known(open.path(), "7W2-97-8570").recall(pairing(1).id()), None);
    }

    #[test]
    fn a_file_of_another_form_counts_as_none() {
        let folder = private();
        known(folder.path(), "7W2-97-8570").remember(&pairing(1), true);
        let own = folder.path().join(FOLDER);
        let file = fs::read_dir(own).unwrap().next().unwrap().unwrap().path();
        let whole = fs::read(&file).unwrap();
        let with = |at: usize, byte: u8| {
            let mut bytes = whole.clone();
            bytes[at] = byte;
            bytes
        };
        let cut = whole[..whole.len() - 1].to_vec();
        let longer = [&whole[..], &[0; GUESS_BYTES + 1]].concat();
        // Of the form before this one; of a later one; more or less than it says; neither yes nor no.
        let old = vec![1; BYTES];
        for bytes in [vec![], old, cut, longer, with(0, 3), with(1, 0), with(1, 255), with(2, 2)] {
            fs::write(&file, bytes).unwrap();
            assert_eq!(known(folder.path(), "7W2-97-8570").recall(pairing(1).id()), None);
        }
    }

    #[test]
    fn whose_they_are_and_what_was_counted_outlive_the_program() {
        let folder = private();
        let first = known(folder.path(), "7W2-97-8570");
        first.remember(&pairing(1), false);
        first.remember(&pairing(2), false);
        // The technician's console comes back, and only now is it said to be theirs.
        first.remember(&pairing(2), true);
        let guesses = vec![
            (Guess::BrokenOff, true, Duration::from_secs(60)),
            (Guess::NewKey, false, Duration::from_secs(7200)),
        ];
        first.keep_guesses(guesses);
        let again = known(folder.path(), "7W2-97-8570");
        let signs =
            |by: &Pairing| again.own_has_signed(&by.id().to_string(), b"text", &by.sign(b"text"));
        assert!(signs(&pairing(2)) && !signs(&pairing(1)));
        let kept: Vec<_> = again.guesses().iter().map(|(guess, own, _)| (*guess, *own)).collect();
        assert_eq!(kept, [(Guess::BrokenOff, true)], "the other is older than an hour");
    }

    #[test]
    fn no_more_are_remembered_than_there_may_be() {
        let folder = private();
        let known = known(folder.path(), "7W2-97-8570");
        for byte in 0..=64 {
            known.remember(&pairing(byte), true);
        }
        assert_eq!(known.recall(pairing(0).id()), None);
        assert_eq!(known.recall(pairing(64).id()), Some(pairing(64)));
    }

    #[test]
    fn viewers_of_others_never_push_the_technicians_own_out() {
        let folder = private();
        let known = known(folder.path(), "7W2-97-8570");
        known.remember(&pairing(0), true);
        for byte in 1..=200 {
            known.remember(&pairing(byte), false);
        }
        assert_eq!(known.recall(pairing(1).id()), None);
        assert_eq!(known.recall(pairing(200).id()), Some(pairing(200)));
        let signed =
            |by: &Pairing| known.own_has_signed(&by.id().to_string(), b"text", &by.sign(b"text"));
        assert!(signed(&pairing(0)));
        assert!(!signed(&pairing(200)), "it is not the technician's");
    }
}
