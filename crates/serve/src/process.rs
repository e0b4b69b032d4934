//! What the programs that run servers have in common: how they say that they are ready, and what ends them.

use std::{
    future::Future,
    io::{self, Write as _},
};

use serde_json::Value;
use tracing_subscriber::EnvFilter;

/// Prints one line of JSON on stdout, for which a script can wait.
pub fn print_ready(line: &Value) {
    let mut out = io::stdout().lock();
    // The program runs even if nobody reads this.
    let _ = writeln!(out, "{line}").and_then(|()| out.flush());
}

/// Checks what is to be logged: a level, or a filter such as `info,engine=debug`.
///
/// # Errors
/// Why it is neither, for people.
pub fn log_filter(text: &str) -> Result<String, String> {
    const LEVELS: [&str; 6] = ["off", "error", "warn", "info", "debug", "trace"];
    let is_level = |part: &str| LEVELS.iter().any(|level| part.eq_ignore_ascii_case(level));
    // The parser takes any lone word for the name of a part of the program, and then logs nothing.
    let unknown = text
        .split(',')
        .map(str::trim)
        .find(|part| !is_level(part) && !part.contains(['=', '[', ']']));
    match (unknown, EnvFilter::try_new(text)) {
        (Some(word), _) => Err(format!(
            "`{word}` is no level; use off, error, warn, info, debug or trace, or name a part with its level, such as engine=debug"
        )),
        (None, Err(error)) => Err(error.to_string()),
        (None, Ok(_)) => Ok(text.to_owned()),
    }
}

/// Logs to standard error from now on, unless a log is already set up. The filter is one that
/// [`log_filter`] has checked.
pub fn start_log(filter: &str) {
    let filter = EnvFilter::new(filter);
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(io::stderr);
    let _ = log.try_init();
}

/// Resolves at Ctrl-C, SIGTERM or SIGHUP (the terminal was closed). Signals count from this call on, so make it before the servers start.
/// A SIGHUP that was ignored from the start, as `nohup` has it, stays ignored.
///
/// # Errors
/// When the operating system refuses.
#[cfg(unix)]
pub fn stop_signal() -> io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let kind = SignalKind::hangup();
    let mut hangup = if is_ignored(kind.as_raw_value()) { None } else { Some(signal(kind)?) };
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            Some(_) = async { hangup.as_mut()?.recv().await } => {}
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[tokio::test]
    async fn ctrl_c_a_request_to_end_and_a_closed_terminal_each_stop_a_server() {
        for signal in ["INT", "TERM", "HUP"] {
            let stop = stop_signal().unwrap();
            let pid = std::process::id().to_string();
            let sent = std::process::Command::new("kill").args(["-s", signal, &pid]).status();
            assert!(sent.unwrap().success());
            tokio::time::timeout(std::time::Duration::from_secs(60), stop).await.expect(signal);
        }
    }

    #[test]
    fn a_filter_that_would_log_nothing_or_anything_is_refused_in_words() {
        for good in
            ["info", "WARN", "off", "warn,engine=debug", "engine[turn]=trace", "info,broker=off"]
        {
            assert_eq!(log_filter(good).as_deref(), Ok(good));
        }
        for bad in
            ["verbose", "", "info,", "engine=loud", "loud,info", "=", "engine[=debug", "info debug"]
        {
            let why = log_filter(bad).expect_err(bad);
            assert!(!why.is_empty(), "{bad}");
        }
        assert!(log_filter("verbose").unwrap_err().contains("`verbose` is no level"));
    }
}
