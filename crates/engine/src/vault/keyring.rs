//! The operating system's keyring behind a trait, and the ways in which it can fail.

use std::{
    sync::{Arc, mpsc},
    time::Duration,
};

use secrecy::zeroize::Zeroizing;

/// The name under which the keyring shows our entries.
const SERVICE: &str = "deskhand";

/// Where secrets are kept by name: the system's keyring, or a test's.
pub trait Keyring: Send + Sync {
    /// The secret called `entry`; none if there is none.
    ///
    /// # Errors
    /// [`KeyringFault`].
    fn get(&self, entry: &str) -> Result<Option<Zeroizing<Vec<u8>>>, KeyringFault>;

    /// Keeps `secret` as `entry`.
    ///
    /// # Errors
    /// [`KeyringFault`].
    fn set(&self, entry: &str, secret: &[u8]) -> Result<(), KeyringFault>;

    /// Erases `entry`; one that isn't there is erased already.
    ///
    /// # Errors
    /// [`KeyringFault`].
    fn erase(&self, entry: &str) -> Result<(), KeyringFault>;
}

/// Why a keyring didn't answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyringFault {
    /// There is none.
    #[error("there is no keyring")]
    Absent,
    /// It is locked and asks nobody to unlock it.
    #[error("the keyring is locked")]
    Locked,
    /// It is locked and waits for somebody to unlock it.
    #[error("the keyring waits to be unlocked")]
    Waiting,
    /// It failed.
    #[error("the keyring failed: {0}")]
    Failed(String),
}

/// The keyring of the operating system: Secret Service, Keychain or Credential Manager.
#[derive(Debug, Clone, Copy)]
pub struct OsKeyring;

impl Keyring for OsKeyring {
    fn get(&self, entry: &str) -> Result<Option<Zeroizing<Vec<u8>>>, KeyringFault> {
        match keyring::Entry::new(SERVICE, entry).and_then(|entry| entry.get_secret()) {
            Ok(secret) => Ok(Some(Zeroizing::new(secret))),
            Err(keyring::Error::NoEntry) => Ok(None),
            Err(error) => Err(fault(&error)),
        }
    }

    fn set(&self, entry: &str, secret: &[u8]) -> Result<(), KeyringFault> {
        keyring::Entry::new(SERVICE, entry)
            .and_then(|entry| entry.set_secret(secret))
            .map_err(|error| fault(&error))
    }

    fn erase(&self, entry: &str) -> Result<(), KeyringFault> {
        match keyring::Entry::new(SERVICE, entry).and_then(|entry| entry.delete_credential()) {
            Ok(()) | Err(keyring::Error::NoEntry) => Ok(()),
            Err(error) => Err(fault(&error)),
        }
    }
}

fn fault(error: &keyring::Error) -> KeyringFault {
    match error {
        keyring::Error::NoDefaultStore | keyring::Error::NotSupportedByStore(_) => {
            KeyringFault::Absent
        }
        keyring::Error::NoStorageAccess(_) => KeyringFault::Locked,
        // The texts of other errors may contain the secret.
        keyring::Error::PlatformFailure(why) => KeyringFault::Failed(why.to_string()),
        _ => KeyringFault::Failed("its answer makes no sense".to_owned()),
    }
}

/// Asks a keyring on a thread of its own: one that hangs waits behind a prompt.
pub(super) fn ask<T: Send + 'static>(
    keyring: &Arc<dyn Keyring>,
    timeout: Duration,
    question: impl FnOnce(&dyn Keyring) -> Result<T, KeyringFault> + Send + 'static,
) -> Result<T, KeyringFault> {
    let (tell, answer) = mpsc::channel();
    let keyring = Arc::clone(keyring);
    std::thread::Builder::new()
        .name("keyring".to_owned())
        .spawn(move || {
            let _ = tell.send(question(&*keyring));
        })
        .map_err(|error| KeyringFault::Failed(error.to_string()))?;
    answer.recv_timeout(timeout).unwrap_or_else(|error| match error {
        mpsc::RecvTimeoutError::Timeout => Err(KeyringFault::Waiting),
        mpsc::RecvTimeoutError::Disconnected => {
            Err(KeyringFault::Failed("it ended without an answer".to_owned()))
        }
    })
}
