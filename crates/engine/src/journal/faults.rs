//! Makes the journal's writes fail on demand, for tests.

use std::sync::Arc;

use parking_lot::{Condvar, Mutex};
use store::StoreError;

/// Makes writes fail on demand. Clones switch the same fault.
#[derive(Debug, Clone, Default)]
pub struct Faults(Arc<(Mutex<Option<Fault>>, Condvar)>);

/// How writes fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// As on a full disk.
    DiskFull,
    /// As on a broken one.
    Io,
    /// They wait until the fault is over, as for a disk that is starting up.
    Hangs,
}

impl Faults {
    /// From now on every write fails so; none: writes succeed again.
    pub fn set(&self, fault: Option<Fault>) {
        let (current, changed) = &*self.0;
        *current.lock() = fault;
        changed.notify_all();
    }

    /// How writes fail at present.
    pub fn current(&self) -> Option<Fault> {
        *self.0.0.lock()
    }

    pub(super) fn check(&self, doing: &'static str) -> Result<(), StoreError> {
        let (current, changed) = &*self.0;
        let mut fault = current.lock();
        changed.wait_while(&mut fault, |fault| matches!(fault, Some(Fault::Hangs)));
        match *fault {
            None | Some(Fault::Hangs) => Ok(()),
            Some(Fault::DiskFull) => Err(StoreError::DiskFull { doing }),
            Some(Fault::Io) => Err(StoreError::Io { doing, why: "a fault was asked for".into() }),
        }
    }
}
