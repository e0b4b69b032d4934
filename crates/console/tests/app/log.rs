//! What all tasks of this process log.

use std::{
    io::Write,
    sync::{Arc, Mutex},
};

/// Everything that is logged since it was started. A process has one.
#[derive(Clone, Default)]
pub struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, text: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(text);
        Ok(text.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Log {
    /// Starts it with a filter such as `info`.
    pub fn start(filter: &str) -> Self {
        let log = Self::default();
        let to = log.clone();
        // Without the time: its digits would be taken for a code's.
        let _ = tracing_subscriber::fmt()
            .with_env_filter(filter)
            .with_ansi(false)
            .without_time()
            .with_writer(move || to.clone())
            .try_init();
        log
    }

    /// What was logged since this was asked last.
    pub fn take(&self) -> Vec<u8> {
        std::mem::take(&mut *self.0.lock().unwrap())
    }
}
