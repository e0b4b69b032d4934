//! Who keeps the key, and what happens when its keeper doesn't give it.
#![allow(clippy::unwrap_used)]

use std::{
    collections::BTreeMap,
    fs,
    num::NonZeroU32,
    path::Path,
    sync::{Arc, Condvar, Mutex},
    time::Duration,
};

use engine::vault::{Keeper, Keyring, KeyringFault, Options, VAULT_FILE, Vault, VaultError};
use secrecy::{ExposeSecret as _, zeroize::Zeroizing};

/// A keyring in memory that can be locked, taken away, or made to hang.
#[derive(Default)]
struct Fake {
    entries: Mutex<BTreeMap<String, Vec<u8>>>,
    fault: Mutex<Option<KeyringFault>>,
    hang: Mutex<bool>,
    wake: Condvar,
}

impl Fake {
    fn check(&self) -> Result<(), KeyringFault> {
        let mut hang = self.hang.lock().unwrap();
        while *hang {
            hang = self.wake.wait(hang).unwrap();
        }
        self.fault.lock().unwrap().clone().map_or(Ok(()), Err)
    }

    fn fails(&self, fault: Option<KeyringFault>) {
        *self.fault.lock().unwrap() = fault;
    }
}

impl Keyring for Fake {
    fn get(&self, entry: &str) -> Result<Option<Zeroizing<Vec<u8>>>, KeyringFault> {
        self.check()?;
        Ok(self.entries.lock().unwrap().get(entry).cloned().map(Zeroizing::new))
    }

    fn set(&self, entry: &str, secret: &[u8]) -> Result<(), KeyringFault> {
        self.check()?;
        self.entries.lock().unwrap().insert(entry.to_owned(), secret.to_owned());
        Ok(())
    }

    fn erase(&self, entry: &str) -> Result<(), KeyringFault> {
        self.check()?;
        self.entries.lock().unwrap().remove(entry);
        Ok(())
    }
}

fn without_keyring(passphrase: Option<&str>) -> Options {
    Options {
        keyring: None,
        passphrase: passphrase.map(Into::into),
        iterations: NonZeroU32::new(2).unwrap(),
        ..Options::default()
    }
}

fn with_keyring(keyring: &Arc<Fake>) -> Options {
    let keyring = Arc::clone(keyring) as Arc<dyn Keyring>;
    Options { keyring: Some(keyring), ..without_keyring(None) }
}

fn bits(vault: &Vault) -> [u8; 32] {
    *vault.subkey("archive").expose_secret()
}

fn with_database(folder: &Path) {
    fs::write(folder.join("journal.db"), "").unwrap();
}

/// The error of opening, which must not have made a second key.
fn refused(folder: &Path, options: Options) -> VaultError {
    let before = fs::read(folder.join(VAULT_FILE)).ok();
    let Err(error) = Vault::open(folder, options) else { panic!("it opened") };
    assert_eq!(fs::read(folder.join(VAULT_FILE)).ok(), before);
    error
}

#[test]
fn without_a_keyring_the_key_is_in_a_private_file_and_the_same_next_time() {
    let dir = tempfile::tempdir().unwrap();
    let first = Vault::open(dir.path(), without_keyring(None)).unwrap();
    assert_eq!(first.keeper(), Keeper::KeyFile);
    with_database(dir.path());
    let second = Vault::open(dir.path(), without_keyring(None)).unwrap();
    assert_eq!(bits(&first), bits(&second));
    #[cfg(unix)]
    for entry in fs::read_dir(dir.path()).unwrap() {
        use std::os::unix::fs::PermissionsExt as _;
        let entry = entry.unwrap();
        let mode = entry.metadata().unwrap().permissions().mode() & 0o777;
        assert!(entry.file_name() == "journal.db" || mode == 0o600, "{entry:?} {mode:o}");
    }
}

#[test]
fn a_keyring_keeps_the_key_and_no_file_does() {
    let (dir, keyring) = (tempfile::tempdir().unwrap(), Arc::new(Fake::default()));
    let first = Vault::open(dir.path(), with_keyring(&keyring)).unwrap();
    assert_eq!(first.keeper(), Keeper::Keyring);
    let files: Vec<_> = fs::read_dir(dir.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert_eq!(files, [VAULT_FILE]);
    assert_eq!(bits(&first), bits(&Vault::open(dir.path(), with_keyring(&keyring)).unwrap()));
}

#[test]
fn an_absent_broken_or_locked_keyring_means_a_key_file_for_a_new_folder() {
    for fault in [KeyringFault::Absent, KeyringFault::Locked, KeyringFault::Failed("no bus".into())]
    {
        let (dir, keyring) = (tempfile::tempdir().unwrap(), Arc::new(Fake::default()));
        keyring.fails(Some(fault));
        let vault = Vault::open(dir.path(), with_keyring(&keyring)).unwrap();
        assert_eq!(vault.keeper(), Keeper::KeyFile);
    }
}

#[test]
fn with_databases_a_key_that_cannot_be_had_is_named_by_its_remedy() {
    let (dir, keyring) = (tempfile::tempdir().unwrap(), Arc::new(Fake::default()));
    let key = bits(&Vault::open(dir.path(), with_keyring(&keyring)).unwrap());
    with_database(dir.path());

    keyring.fails(Some(KeyringFault::Locked));
    let error = refused(dir.path(), with_keyring(&keyring));
    assert!(matches!(error, VaultError::KeyringLocked { .. }), "{error}");
    keyring.fails(Some(KeyringFault::Absent));
    let error = refused(dir.path(), with_keyring(&keyring));
    assert!(matches!(error, VaultError::KeyringGone { .. }), "{error}");
    let error = refused(dir.path(), without_keyring(Some("a passphrase")));
    assert!(matches!(error, VaultError::KeyringGone { .. }), "{error}");

    keyring.fails(None);
    assert_eq!(bits(&Vault::open(dir.path(), with_keyring(&keyring)).unwrap()), key);
    keyring.entries.lock().unwrap().values_mut().for_each(|secret| secret[0] ^= 1);
    let error = refused(dir.path(), with_keyring(&keyring));
    assert!(matches!(error, VaultError::WrongKey), "{error}");
    keyring.entries.lock().unwrap().clear();
    let error = refused(dir.path(), with_keyring(&keyring));
    assert!(matches!(error, VaultError::KeyringGone { .. }), "{error}");
}

#[test]
fn a_keyring_that_waits_behind_a_prompt_is_waited_for_and_no_key_is_made_elsewhere() {
    let (dir, keyring) = (tempfile::tempdir().unwrap(), Arc::new(Fake::default()));
    *keyring.hang.lock().unwrap() = true;
    let options = Options { keyring_timeout: Duration::ZERO, ..with_keyring(&keyring) };
    let error = refused(dir.path(), options);
    assert!(matches!(error, VaultError::KeyringLocked { .. }), "{error}");
    *keyring.hang.lock().unwrap() = false;
    keyring.wake.notify_all();
    assert_eq!(Vault::open(dir.path(), with_keyring(&keyring)).unwrap().keeper(), Keeper::Keyring);
}

#[test]
fn a_lost_key_file_or_record_is_never_replaced_once_there_are_databases() {
    let dir = tempfile::tempdir().unwrap();
    let vault = Vault::open(dir.path(), without_keyring(None)).unwrap();
    with_database(dir.path());
    let key = dir.path().join(format!("vault-{}.key", vault.key_id()));
    let record = dir.path().join(VAULT_FILE);
    let (kept_key, kept_record) = (fs::read(&key).unwrap(), fs::read(&record).unwrap());

    fs::remove_file(&key).unwrap();
    let error = refused(dir.path(), without_keyring(None));
    assert!(matches!(error, VaultError::KeyFileMissing { .. }), "{error}");
    fs::write(&key, &kept_key).unwrap();
    fs::remove_file(&record).unwrap();
    let error = refused(dir.path(), without_keyring(None));
    assert!(matches!(error, VaultError::RecordMissing { .. }), "{error}");
    fs::write(&record, "{").unwrap();
    let error = refused(dir.path(), without_keyring(None));
    assert!(matches!(error, VaultError::RecordDamaged { .. }), "{error}");
    fs::write(&record, r#"{"version":9}"#).unwrap();
    let error = refused(dir.path(), without_keyring(None));
    assert!(matches!(error, VaultError::TooNew { .. }), "{error}");
    fs::write(&record, kept_record).unwrap();
    assert_eq!(bits(&Vault::open(dir.path(), without_keyring(None)).unwrap()), bits(&vault));
}

#[test]
fn a_key_lost_before_there_was_a_database_is_made_anew() {
    let dir = tempfile::tempdir().unwrap();
    let first = Vault::open(dir.path(), without_keyring(None)).unwrap();
    fs::remove_file(dir.path().join(format!("vault-{}.key", first.key_id()))).unwrap();
    let second = Vault::open(dir.path(), without_keyring(None)).unwrap();
    assert_ne!(first.key_id(), second.key_id());
}

#[test]
fn a_passphrase_wraps_the_same_key_and_erases_it_elsewhere() {
    let (dir, keyring) = (tempfile::tempdir().unwrap(), Arc::new(Fake::default()));
    let mut vault = Vault::open(dir.path(), with_keyring(&keyring)).unwrap();
    let key = bits(&vault);
    with_database(dir.path());
    vault.set_passphrase(Some("correct horse".into())).unwrap();
    assert_eq!((vault.keeper(), bits(&vault)), (Keeper::Passphrase, key));
    assert!(keyring.entries.lock().unwrap().is_empty());

    let error = refused(dir.path(), with_keyring(&keyring));
    assert!(matches!(error, VaultError::PassphraseNeeded), "{error}");
    let error = refused(dir.path(), without_keyring(Some("wrong horse")));
    assert!(matches!(error, VaultError::WrongPassphrase), "{error}");
    let mut again = Vault::open(dir.path(), without_keyring(Some("correct horse"))).unwrap();
    assert_eq!(bits(&again), key);

    again.set_passphrase(None).unwrap();
    assert_eq!(again.keeper(), Keeper::KeyFile);
    assert_eq!(bits(&Vault::open(dir.path(), without_keyring(None)).unwrap()), key);
}

#[test]
fn a_keyring_that_does_not_erase_is_told_and_tried_again_at_the_next_start() {
    let (dir, keyring) = (tempfile::tempdir().unwrap(), Arc::new(Fake::default()));
    let mut vault = Vault::open(dir.path(), with_keyring(&keyring)).unwrap();
    keyring.fails(Some(KeyringFault::Locked));
    let error = vault.set_passphrase(Some("correct horse".into())).unwrap_err();
    assert!(matches!(error, VaultError::OldKeyLeft { .. }), "{error}");
    assert_eq!(vault.keeper(), Keeper::Passphrase);
    keyring.fails(None);
    let options = Options { passphrase: Some("correct horse".into()), ..with_keyring(&keyring) };
    Vault::open(dir.path(), options).unwrap();
    assert!(keyring.entries.lock().unwrap().is_empty());
}

#[test]
fn each_purpose_has_a_key_of_its_own_and_no_file_shows_one() {
    let dir = tempfile::tempdir().unwrap();
    let vault = Vault::open(dir.path(), without_keyring(Some("correct horse"))).unwrap();
    assert_ne!(bits(&vault), *vault.broker_store_key().expose_secret());
    let text = fs::read_to_string(dir.path().join(VAULT_FILE)).unwrap();
    assert!(!text.contains("correct horse"));
    assert!(text.contains("pbkdf2-hmac-sha256") && text.contains("\"iterations\": 2"), "{text}");
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
}

#[test]
fn a_new_passphrase_is_hashed_600_000_times_by_default() {
    assert_eq!(Options::default().iterations.get(), 600_000);
}
