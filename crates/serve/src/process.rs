//! What the programs that run servers have in common: how they say that they are ready, and what ends them or has
//! them read their settings again.

use std::{
    future::Future,
    io::{self, Write as _},
};

use serde_json::Value;

pub use crate::log::{LogFormat, change_log, log_filter, start_log};

/// Prints one line of JSON on stdout, for which a script can wait.
pub fn print_ready(line: &Value) {
    let mut out = io::stdout().lock();
    // The program runs even if nobody reads this.
    let _ = writeln!(out, "{line}").and_then(|()| out.flush());
}

/// What the system asks of a program that runs until it is told to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signal {
    /// Ctrl-C, SIGTERM, or the terminal was closed.
    Stop,
    /// SIGHUP while the terminal is there, or where there never was one: read the settings and certificates again.
    Reload,
}

/// The signals of a program that can read its settings again.
#[derive(Debug)]
pub struct Signals {
    #[cfg(unix)]
    caught: Caught,
}

#[cfg(unix)]
#[derive(Debug)]
struct Caught {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
    /// None where it is ignored, as `nohup` has it.
    hangup: Option<tokio::signal::unix::Signal>,
    had_terminal: bool,
}

impl Signals {
    /// Signals count from this call on, so make it before the servers start. A SIGHUP that was ignored from the start,
    /// as `nohup` has it, stays ignored.
    ///
    /// # Errors
    /// When the operating system refuses.
    #[cfg(unix)]
    pub fn listen() -> io::Result<Self> {
        Ok(Self { caught: Caught::listen()? })
    }

    /// Listens to Ctrl-C.
    ///
    /// # Errors
    /// Never on this system.
    #[cfg(not(unix))]
    pub fn listen() -> io::Result<Self> {
        Ok(Self {})
    }

    /// Waits for the next signal. It can be dropped without losing one.
    #[cfg(unix)]
    pub async fn next(&mut self) -> Signal {
        if self.caught.next().await != Came::Hangup {
            return Signal::Stop;
        }
        // A terminal that is closed sends SIGHUP as well: its programs end, as ever. One who had a terminal and has
        // none any more is told apart by that from a daemon, and from one whose owner ran `kill -HUP`.
        if self.caught.had_terminal && !has_terminal() { Signal::Stop } else { Signal::Reload }
    }

    /// Waits for Ctrl-C.
    #[cfg(not(unix))]
    pub async fn next(&mut self) -> Signal {
        let _ = tokio::signal::ctrl_c().await;
        Signal::Stop
    }
}

#[cfg(unix)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Came {
    End,
    Hangup,
}

#[cfg(unix)]
impl Caught {
    fn listen() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        let hangup = SignalKind::hangup();
        let ignored = is_ignored(hangup.as_raw_value());
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hangup: if ignored { None } else { Some(signal(hangup)?) },
            had_terminal: has_terminal(),
        })
    }

    async fn next(&mut self) -> Came {
        tokio::select! {
            _ = self.interrupt.recv() => Came::End,
            _ = self.terminate.recv() => Came::End,
            Some(_) = async { self.hangup.as_mut()?.recv().await } => Came::Hangup,
        }
    }
}

/// Whether this process belongs to a terminal that is still there.
#[cfg(unix)]
fn has_terminal() -> bool {
    std::fs::File::open("/dev/tty").is_ok()
}

/// Resolves at Ctrl-C, SIGTERM or SIGHUP, for a program that has nothing to read again. Signals count from this call
/// on; a SIGHUP that was ignored from the start stays ignored.
///
/// # Errors
/// When the operating system refuses.
#[cfg(unix)]
pub fn stop_signal() -> io::Result<impl Future<Output = ()>> {
    let mut caught = Caught::listen()?;
    Ok(async move {
        let _ = caught.next().await;
    })
}

/// Whether this process ignores a signal; false where the system doesn't say.
#[cfg(unix)]
fn is_ignored(signal: i32) -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or_default();
    mask & (1 << (signal - 1)) != 0
}

/// Resolves at Ctrl-C.
///
/// # Errors
/// Never on this system.
#[cfg(not(unix))]
pub fn stop_signal() -> io::Result<impl Future<Output = ()>> {
    Ok(async {
        let _ = tokio::signal::ctrl_c().await;
    })
}

#[cfg(all(test, unix))]
mod tests {
    use std::time::Duration;

    use super::*;

    fn send(signal: &str) {
        let pid = std::process::id().to_string();
        let sent = std::process::Command::new("kill").args(["-s", signal, &pid]).status();
        assert!(sent.is_ok_and(|status| status.success()));
    }

    #[tokio::test]
    async fn ctrl_c_a_request_to_end_and_a_closed_terminal_each_stop_a_server() {
        for signal in ["INT", "TERM", "HUP"] {
            let stop = stop_signal().unwrap();
            send(signal);
            tokio::time::timeout(Duration::from_secs(60), stop).await.expect(signal);
        }
    }

    #[tokio::test]
    async fn a_hangup_reloads_unless_the_terminal_is_gone() {
        let mut signals = Signals::listen().unwrap();
        for (had_terminal, expected) in [(false, Signal::Reload), (true, Signal::Stop)] {
            // As if the terminal had been closed, where there is none; where there is one, it is still there.
            signals.caught.had_terminal = had_terminal;
            let expected = if has_terminal() { Signal::Reload } else { expected };
            send("HUP");
            let came = tokio::time::timeout(Duration::from_secs(60), signals.next()).await;
            assert_eq!(came.expect("no signal"), expected);
        }
        send("TERM");
        assert_eq!(signals.next().await, Signal::Stop);
    }
}
