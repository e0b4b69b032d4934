//! Runs this binary in another role, in a process of its own.

use std::{
    io::{BufRead as _, BufReader},
    os::unix::process::CommandExt as _,
    process::{ChildStdout, Command, Stdio},
};

/// The variable that names the role; arguments of the role follow, separated by bars.
const ROLE: &str = "DESKHAND_BENCH_ROLE";

/// Plays the role that the environment names; false if it names none.
pub async fn plays_a_role() -> bool {
    let Ok(role) = std::env::var(ROLE) else { return false };
    let parts: Vec<&str> = role.split('|').collect();
    match parts[..] {
        ["service"] => crate::service::serve().await,
        ["engine", folder, origin, telling] => {
            crate::trace::engine(folder, origin, telling == "telling").await;
        }
        ["listener", folder] => crate::listener::with_journal(folder).await,
        ["axum"] => crate::listener::bare_axum().await,
        ["sessions", folder, origin] => crate::sessions::restored(folder, origin).await,
        ["actors", holding, count] => crate::sessions::bare(holding == "holding", count).await,
        _ => panic!("no such role: {role}"),
    }
    true
}

/// Prints that the role is ready, and its details.
pub fn say(line: impl std::fmt::Display) {
    println!("{line}");
}

/// A process; it ends, with all that it started, when dropped.
pub struct Child {
    process: std::process::Child,
    lines: BufReader<ChildStdout>,
}

impl Child {
    /// This binary in a role.
    pub fn playing(role: &str) -> Self {
        Self::starting(Command::new(std::env::current_exe().unwrap()), role)
    }

    /// Another program, which may start this binary in a role.
    pub fn starting(mut command: Command, role: &str) -> Self {
        command.env(ROLE, role).stdin(Stdio::null()).stdout(Stdio::piped()).process_group(0);
        let mut process =
            command.spawn().unwrap_or_else(|error| panic!("start {command:?}: {error}"));
        let lines = BufReader::new(process.stdout.take().unwrap());
        Self { process, lines }
    }

    /// The next line that it says.
    pub fn says(&mut self) -> String {
        let mut line = String::new();
        self.lines.read_line(&mut line).unwrap();
        assert!(!line.is_empty(), "the process ended before it was ready");
        line.trim().to_owned()
    }

    pub fn id(&self) -> u32 {
        self.process.id()
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        let group = format!("-{}", self.process.id());
        let _ = Command::new("kill").args(["-KILL", "--", &group]).stderr(Stdio::null()).status();
        let _ = self.process.wait();
    }
}
