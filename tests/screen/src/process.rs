//! Programs that a test runs: their output, their use of CPU and memory, and their end.

use std::{
    collections::HashMap,
    fs,
    io::{BufRead as _, BufReader, Read, Write as _},
    path::PathBuf,
    process::{Child, ChildStdin, Command, ExitStatus, Stdio},
    sync::mpsc::{Receiver, RecvTimeoutError, channel},
    time::{Duration, Instant},
};

use crate::PATIENCE;

/// The ticks of `/proc/PID/stat` in a second.
const TICKS: f64 = 100.0;
/// The bytes in a page of memory.
const PAGE: u64 = 4096;

/// A running program, which is killed when dropped.
#[derive(Debug)]
pub struct Program {
    name: String,
    child: Child,
    stdin: Option<ChildStdin>,
    said: Receiver<String>,
    complained: Receiver<String>,
}

impl Program {
    /// Starts it.
    pub fn start(mut command: Command) -> Self {
        let name = command.get_program().to_string_lossy().into_owned();
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command
            .spawn()
            .unwrap_or_else(|error| panic!("start {name}: {error}; ./test installs and builds it"));
        let said = lines(child.stdout.take().unwrap());
        let complained = lines(child.stderr.take().unwrap());
        Self { name, stdin: child.stdin.take(), child, said, complained }
    }

    /// Waits for a line on stdout for which `wanted` returns something.
    pub fn says<T>(&self, what: &str, wanted: impl FnMut(&str) -> Option<T>) -> T {
        self.next(&self.said, what, wanted)
    }

    /// Waits for a line on stderr for which `wanted` returns something.
    pub fn complains<T>(&self, what: &str, wanted: impl FnMut(&str) -> Option<T>) -> T {
        self.next(&self.complained, what, wanted)
    }

    fn next<T>(
        &self,
        lines: &Receiver<String>,
        what: &str,
        mut wanted: impl FnMut(&str) -> Option<T>,
    ) -> T {
        let until = Instant::now() + PATIENCE;
        let mut seen = Vec::new();
        loop {
            let left = until.saturating_duration_since(Instant::now());
            match lines.recv_timeout(left) {
                Ok(line) => match wanted(&line) {
                    Some(answer) => return answer,
                    None => seen.push(line),
                },
                Err(why) => panic!(
                    "{} never said {what} ({why}): {seen:?}; and {:?}, {:?}",
                    self.name,
                    self.said(),
                    self.complaints()
                ),
            }
        }
    }

    /// The lines on stdout that weren't read yet.
    pub fn said(&self) -> Vec<String> {
        self.said.try_iter().collect()
    }

    /// The lines on stderr that weren't read yet.
    pub fn complaints(&self) -> Vec<String> {
        self.complained.try_iter().collect()
    }

    /// Writes a line to stdin.
    pub fn tell(&mut self, line: &str) {
        writeln!(self.stdin.as_mut().unwrap(), "{line}").unwrap();
    }

    /// The process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Whether it still runs.
    pub fn runs(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// Waits until it ends by itself. Returns its status and all of stderr.
    pub fn ends(&mut self) -> (ExitStatus, String) {
        let mut complaints = Vec::new();
        loop {
            match self.complained.recv_timeout(PATIENCE) {
                Ok(line) => complaints.push(line),
                Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => {
                    panic!("{} did not end; it said {:?} {complaints:?}", self.name, self.said())
                }
            }
        }
        (self.child.wait().unwrap(), complaints.join("\n"))
    }

    /// Kills it, as a crash would.
    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Sends it a signal, such as `STOP`.
    pub fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        let sent = Command::new("kill").args(["-s", name, &pid]).status().unwrap();
        assert!(sent.success());
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn lines(from: impl Read + Send + 'static) -> Receiver<String> {
    let (tell, told) = channel();
    std::thread::spawn(move || {
        for line in BufReader::new(from).lines().map_while(Result::ok) {
            if tell.send(line).is_err() {
                return;
            }
        }
    });
    told
}

/// The command for `other`, such as `ip`, which replaces itself by `program` with its environment.
pub fn by(mut other: Command, program: &Command) -> Command {
    other.arg(program.get_program()).args(program.get_args());
    for (name, value) in program.get_envs() {
        match value {
            Some(value) => other.env(name, value),
            None => other.env_remove(name),
        };
    }
    other
}

/// A program that this workspace builds.
pub fn built(name: &str) -> PathBuf {
    let this = std::env::current_exe().unwrap();
    let folder = this.ancestors().nth(2).unwrap();
    let program = folder.join(name);
    assert!(program.exists(), "{} is not built: cargo build --bin {name}", program.display());
    program
}

/// The CPU time and memory that processes have used.
#[derive(Debug, Clone, Copy, Default)]
pub struct Cost {
    /// CPU time, user and system.
    pub cpu: Duration,
    /// The resident memory in bytes. Shared pages count in each process.
    pub rss: u64,
}

/// The use by these processes and all their descendants so far.
pub fn cost_of(roots: &[u32]) -> Cost {
    let all: HashMap<u32, (u32, f64, u64)> = fs::read_dir("/proc")
        .unwrap()
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .filter_map(|pid: u32| Some((pid, stat_of(pid)?)))
        .collect();
    let belongs = |mut pid: u32| {
        while let Some((parent, ..)) = all.get(&pid) {
            if roots.contains(&pid) {
                return true;
            }
            pid = *parent;
        }
        false
    };
    let mut cost = Cost::default();
    for (pid, (_, ticks, pages)) in &all {
        if belongs(*pid) {
            cost.cpu += Duration::from_secs_f64(ticks / TICKS);
            cost.rss += pages * PAGE;
        }
    }
    cost
}

/// The parent, the ticks of CPU time and the resident pages of a process.
fn stat_of(pid: u32) -> Option<(u32, f64, u64)> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name is in parentheses and may hold anything.
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let number = |place: usize| fields.get(place)?.parse::<u64>().ok();
    let ticks = number(11)? + number(12)?;
    Some((u32::try_from(number(1)?).ok()?, ticks as f64, number(21)?))
}
