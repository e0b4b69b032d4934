//! How far a backup or a restore is, and its end before it is done.

/// How far a backup or a restore is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Bytes that are done.
    pub done: u64,
    /// All bytes.
    pub total: u64,
}

impl Progress {
    /// How far it is, from 0 to 100.
    pub fn percent(self) -> u8 {
        let percent = self.done.saturating_mul(100) / self.total.max(1);
        u8::try_from(percent.min(100)).unwrap_or(100)
    }
}

/// Learns of the progress, and stops the work by answering false.
pub type OnProgress<'a> = &'a mut dyn FnMut(Progress) -> bool;
