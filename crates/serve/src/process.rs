//! What the programs that run servers have in common: how they say that they are ready, and what ends them.

use std::{
    future::Future,
    io::{self, Write as _},
};

use serde_json::Value;

/// Prints one line of JSON on stdout, for which a script can wait.
pub fn print_ready(line: &Value) {
    let mut out = io::stdout().lock();
    // The program runs even if nobody reads this.
    let _ = writeln!(out, "{line}").and_then(|()| out.flush());
}

/// Resolves at Ctrl-C or SIGTERM. Signals count from this call on, so make it before the servers start.
///
/// # Errors
/// When the operating system refuses.
#[cfg(unix)]
pub fn stop_signal() -> io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let (mut interrupt, mut terminate) =
        (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
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
