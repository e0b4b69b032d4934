//! The four hooks of a session: which are armed, and what is delivered when one fires.

use data_encoding::HEXLOWER;
use serve::Client;
use wire::{HookType, Pin};

use super::credential::{KeyHash, sha256};

/// The armed hooks. Firing consumes a hook, so it fires at most once for each time that it was put.
#[derive(Debug, Clone, Default)]
pub(crate) struct ArmedHooks([Option<String>; 4]);

/// A hook that has just been consumed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FiredHook {
    /// Which one.
    pub hook: HookType,
    /// Where its POST goes.
    pub url: String,
    /// The name that the side's last page gave itself.
    pub name: String,
}

/// A consumed hook that has to be delivered.
#[derive(Debug, Clone)]
pub(crate) struct HookDelivery {
    pub pin: Pin,
    pub fired: FiredHook,
    /// Who minted the session: that decides where its hooks may go.
    pub minter: Client,
    /// The hash of the key of the console that asked for the session, with whose secret the delivery is signed.
    pub console: Option<KeyHash>,
    /// The session's revision after the change for which the hook fired.
    pub revision: u64,
}

impl HookDelivery {
    /// Tells this delivery from all others. It is the same each time that it is tried.
    pub fn id(&self) -> String {
        // A session has at most one hook of a type in one revision. Hashed, since a header is no place for a PIN.
        let what = format!("{}/{}/{}", self.pin.expose(), self.fired.hook, self.revision);
        format!("msg_{}", HEXLOWER.encode(&sha256(&what)[..16]))
    }
}

impl ArmedHooks {
    /// Arms a hook, or changes where it goes.
    pub fn put(&mut self, hook: HookType, url: String) {
        self.0[hook.index()] = Some(url);
    }

    /// Consumes a hook and returns where it goes; `None` if it isn't armed.
    pub const fn take(&mut self, hook: HookType) -> Option<String> {
        self.0[hook.index()].take()
    }
}
