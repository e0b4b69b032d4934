//! A `deskhand-console` process, and what it says.

use std::{
    path::Path,
    process::{Output, Stdio},
    time::Duration,
};

use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader},
    process::{Child, ChildStdin, Command},
    sync::mpsc,
    time::{Instant, timeout, timeout_at},
};
use wire::Pin;

/// Long enough for a loaded machine; only a failing test waits so long.
pub const PATIENCE: Duration = Duration::from_secs(120);

/// The program, in surroundings of its own: no desktop, no bus, no settings of whoever runs the test.
pub fn deskhand(home: &Path) -> Command {
    started_by(home, &[PROGRAM])
}

/// The program.
pub const PROGRAM: &str = env!("CARGO_BIN_EXE_deskhand-console");

/// A command whose environment is that of the tests.
pub fn started_by(home: &Path, by: &[&str]) -> Command {
    let mut command = Command::new(by[0]);
    command.args(&by[1..]);
    command.env_clear().env("HOME", home).env("USER", "anna").kill_on_drop(true);
    for kept in ["PATH", "TMPDIR"] {
        if let Some(value) = std::env::var_os(kept) {
            command.env(kept, value);
        }
    }
    command
}

/// Runs it to its end.
pub async fn run(home: &Path, words: &[&str]) -> Output {
    let mut command = deskhand(home);
    command.args(words).stdin(Stdio::null());
    timeout(PATIENCE, command.output()).await.expect("it did not end").unwrap()
}

/// A headless console that is spoken to.
pub struct Console {
    child: Child,
    input: Option<ChildStdin>,
    lines: mpsc::UnboundedReceiver<Value>,
    said: Vec<Value>,
    from: usize,
    next_id: u64,
}

impl Console {
    /// Starts one on `home/data` and waits until it is there.
    pub async fn start(home: &Path, words: &[&str]) -> Self {
        Self::start_by(deskhand(home), home, words).await
    }

    /// The same, where `program` runs [`deskhand`] in surroundings of the test's choice.
    pub async fn start_by(program: Command, home: &Path, words: &[&str]) -> Self {
        Self::started(Self::spawn(program, home, words, Stdio::inherit())).await
    }

    /// The same; its log goes to `home/log`.
    pub async fn start_logging(home: &Path, words: &[&str]) -> Self {
        let log = std::fs::File::create(home.join("log")).unwrap();
        Self::started(Self::spawn(deskhand(home), home, words, log.into())).await
    }

    async fn started(mut console: Self) -> Self {
        let hello = console.line().await;
        assert_eq!(hello["hello"], "deskhand", "{hello}");
        console
    }

    fn spawn(mut command: Command, home: &Path, words: &[&str], log: Stdio) -> Self {
        command.args(["headless", "--no-keyring", "--data"]).arg(home.join("data")).args(words);
        let piped = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(log).spawn();
        let mut child = piped.unwrap();
        let (tell, lines) = mpsc::unbounded_channel();
        let mut output = BufReader::new(child.stdout.take().unwrap()).lines();
        tokio::spawn(async move {
            while let Ok(Some(line)) = output.next_line().await {
                let value =
                    serde_json::from_str(&line).unwrap_or_else(|_| panic!("not JSON: {line}"));
                if tell.send(value).is_err() {
                    return;
                }
            }
        });
        Self { input: child.stdin.take(), child, lines, said: Vec::new(), from: 0, next_id: 0 }
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.child.id().unwrap()
    }

    /// Writes to its standard input.
    pub async fn write(&mut self, text: &[u8]) {
        let input = self.input.as_mut().unwrap();
        input.write_all(text).await.unwrap();
        input.flush().await.unwrap();
    }

    /// Gives a command and waits for its answer.
    pub async fn ask(&mut self, mut command: Value) -> Value {
        self.next_id += 1;
        let id = self.next_id;
        command["id"] = id.into();
        self.write(format!("{command}\n").as_bytes()).await;
        self.until("the answer", |line| line["id"] == id && line.get("push").is_none()).await
    }

    /// What is known of a session at this moment.
    pub async fn ask_detail(&mut self, session: &str) -> Value {
        self.forget();
        self.ask(json!({ "do": "detail", "session": session })).await["detail"].take()
    }

    /// A new session whose hooks are all armed: its id and its detail.
    pub async fn new_session(&mut self, customer: &str) -> (String, Value) {
        let about = json!({ "customer": customer });
        let answer = self.ask(json!({ "do": "new_session", "about": about })).await;
        let session = answer["session"].as_str().unwrap_or_else(|| panic!("{answer}")).to_owned();
        self.ask(json!({ "do": "show", "session": session })).await;
        let detail = self.detail(&session, "armed", armed).await;
        (session, detail)
    }

    /// Waits for a detail of `session`, since the last [`Console::forget`].
    pub async fn detail(
        &mut self,
        session: &str,
        what: &str,
        mut look: impl FnMut(&Value) -> bool,
    ) -> Value {
        let is =
            |line: &Value| line["push"] == "detail" && line["row"]["id"] == session && look(line);
        self.until(what, is).await
    }

    /// Waits until the session on screen is in this state.
    pub async fn state(&mut self, session: &str, kind: &str) -> Value {
        self.detail(session, kind, |detail| detail["row"]["state"]["kind"] == kind).await
    }

    /// Waits for something that happened in `session`.
    pub async fn happening(&mut self, session: &str, event: &str) -> Value {
        let is = |line: &Value| {
            line["push"] == "happening" && line["session"] == session && line["event"] == event
        };
        self.until(event, is).await
    }

    /// What was said so far doesn't count any more.
    pub fn forget(&mut self) {
        self.from = self.said.len();
    }

    /// All that was said.
    pub fn said(&self) -> &[Value] {
        &self.said
    }

    /// Waits for a line, since the last [`Console::forget`]. Others may come for as long as it doesn't.
    pub async fn until(&mut self, what: &str, mut look: impl FnMut(&Value) -> bool) -> Value {
        let mut at = self.from;
        let end = Instant::now() + PATIENCE;
        loop {
            while at < self.said.len() {
                if look(&self.said[at]) {
                    return self.said[at].clone();
                }
                at += 1;
            }
            let Ok(Some(line)) = timeout_at(end, self.lines.recv()).await else {
                let last = self.said.last();
                panic!("{what} did not come; the last line was {last:?}");
            };
            self.said.push(line);
        }
    }

    async fn line(&mut self) -> Value {
        let at = self.said.len();
        let mut seen = at;
        self.until("a line", |_| {
            seen += 1;
            seen > at
        })
        .await
    }

    /// Sends a signal such as `TERM` or `KILL`.
    pub fn signal(&self, name: &str) {
        signal(self.pid(), name);
    }

    /// Ends its input.
    pub fn close_input(&mut self) {
        drop(self.input.take());
    }

    /// Waits for its end; its exit code, none after a signal. What it still said is kept.
    pub async fn ended(&mut self) -> Option<i32> {
        while let Some(line) = timeout(PATIENCE, self.lines.recv()).await.expect("it did not end") {
            self.said.push(line);
        }
        timeout(PATIENCE, self.child.wait()).await.expect("it did not end").unwrap().code()
    }

    /// Ends it in good order.
    pub async fn quit(mut self) {
        self.close_input();
        assert_eq!(self.ended().await, Some(0));
    }
}

/// Sends a process a signal such as `TERM` or `KILL`.
pub fn signal(pid: u32, name: &str) {
    let words = [format!("-{name}"), pid.to_string()];
    assert!(std::process::Command::new("kill").args(words).status().unwrap().success());
}

/// A session's PIN, as a detail has it.
pub fn pin_of(detail: &Value) -> Pin {
    detail["pin"]["text"].as_str().unwrap().parse().unwrap()
}

/// Whether all four hooks are armed.
pub fn armed(detail: &Value) -> bool {
    let hooks = detail["hooks"].as_array().unwrap();
    hooks.len() == 4 && hooks.iter().all(|hook| hook["lamp"] == "armed")
}
