//! The built program by itself: what its own file brings along, and its exit codes.

#![allow(clippy::unwrap_used)]

#[path = "sharing/broker.rs"]
#[allow(dead_code, reason = "this test needs no viewer")]
mod broker;

use std::{
    fs,
    io::{BufRead as _, BufReader},
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
};

use broker::Broker;
use futures_util::{SinkExt as _, StreamExt as _};
use ring::{
    digest::{SHA256, digest},
    signature::{Ed25519KeyPair, KeyPair as _},
};
use serde_json::json;
use tokio::sync::mpsc;
use tokio_tungstenite::tungstenite::Message;
use wire::{ConfText, loginwithme::Conf, shared_screen::Requester, trailer};

const PIN: &str = "7W2-97-8570";
const BUILT: &str = env!("CARGO_BIN_EXE_deskhand-presenter");

#[test]
fn a_changed_program_does_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let mut bytes = signed(&conf("http://127.0.0.1:1", true), true);
    // Near the end, where no loader looks.
    let at = bytes.len() - 100_000;
    bytes[at] ^= 1;
    let program = saved(folder.path(), &bytes);
    let output = run(&program, &["--yes"], None);
    assert_eq!(output.status.code(), Some(3));
    assert!(said(&output).contains("was changed"), "{}", said(&output));
    assert!(program.exists());
}

#[test]
fn the_manual_page_is_that_of_the_command_line() {
    let output = run(Path::new(BUILT), &["--manual"], None);
    let page = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success() && page.contains(".TH deskhand-presenter 1"), "{page}");
    assert!(page.contains("\\-\\-admit\\-all") && !page.contains("keep\\-clipboard"), "{page}");
}

#[test]
fn a_damaged_conf_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let program = saved(folder.path(), &signed(&ConfText::from("%".to_owned()), false));
    let output = run(&program, &[], None);
    assert_eq!(output.status.code(), Some(3));
    assert!(said(&output).contains("configuration is damaged"));
}

#[test]
fn yes_is_refused_where_somebody_may_be_there() {
    let folder = tempfile::tempdir().unwrap();
    let program = saved(folder.path(), &signed(&conf("http://127.0.0.1:1", false), false));
    assert_eq!(run(&program, &["--yes"], None).status.code(), Some(2));
}

#[test]
fn without_a_screen_it_says_so_and_stays() {
    let folder = tempfile::tempdir().unwrap();
    let program = saved(folder.path(), &signed(&conf("http://127.0.0.1:1", true), true));
    let output = run(&program, &["--yes"], None);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(said(&output).lines().count(), 1, "one sentence: {}", said(&output));
    assert!(program.exists());
}

#[test]
fn no_credential_shows_in_what_it_says() {
    let folder = tempfile::tempdir().unwrap();
    let pin = folder.path().join("pin");
    fs::write(&pin, "0LL-7L-8WY?").unwrap();
    let file = ["--broker", "http://127.0.0.1:1", "--pin-file", pin.to_str().unwrap()];
    for given in [&file[..], &["--broker", "http://127.0.0.1:1", "--pin", "0LL-7L-8WY?"]] {
        let output = run(Path::new(BUILT), given, None);
        assert_eq!(output.status.code(), Some(2));
        assert!(!said(&output).contains("0LL"), "{}", said(&output));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unattended_program_shares_and_removes_itself_at_the_end() {
    let (display, _server) = display();
    let mut broker = Broker::start().await;
    let folder = tempfile::tempdir().unwrap();
    let text = conf(&broker.origin(), true);
    let program = saved(folder.path(), &signed(&text, true));
    let started = program.clone();
    let running = tokio::task::spawn_blocking(move || run(&started, &["--yes"], Some(&display)));
    let (mut live, hello) = broker.welcomed().await;
    assert_eq!(hello["program"]["conf"], text.expose());
    assert!(program.exists());
    live.tell(&json!({"type": "bye", "code": "revoked"})).await;
    let output = running.await.unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    assert_eq!(said(&output).lines().count(), 1, "no progress, as it was told: {}", said(&output));
    assert!(!program.exists());
    assert!(Path::new(BUILT).exists());
}

/// How many sockets this process listens at.
fn listening(pid: u32) -> usize {
    let sockets = fs::read_dir(format!("/proc/{pid}/fd")).unwrap();
    let open: Vec<String> = sockets
        .filter_map(|fd| Some(fs::read_link(fd.unwrap().path()).ok()?.to_str()?.to_owned()))
        .collect();
    let listed = ["tcp", "tcp6"].map(|kind| fs::read_to_string(format!("/proc/{pid}/net/{kind}")));
    let lines = listed.iter().flatten().flat_map(|list| list.lines());
    let fields = lines.map(|line| line.split_whitespace().collect::<Vec<_>>());
    // 0A is LISTEN; the tenth field is the socket's inode.
    let listens = |line: &Vec<&str>| {
        line.get(3) == Some(&"0A") && open.contains(&format!("socket:[{}]", line[9]))
    };
    fields.filter(listens).count()
}

/// At the finest setting, with a viewer that comes and is refused, and an end by the broker.
#[tokio::test(flavor = "multi_thread")]
async fn no_port_is_opened_and_no_log_has_a_pin_a_name_or_a_key() {
    let (display, _server) = display();
    let mut broker = Broker::start().await;
    let folder = tempfile::tempdir().unwrap();
    let text = conf(&broker.origin(), true);
    let program = saved(folder.path(), &signed(&text, false));
    let mut started = command(&program, &["--yes", "--name", "Maria"], Some(&display));
    let mut started =
        started.env("RUST_LOG", "presenter=trace").stderr(Stdio::piped()).spawn().unwrap();
    let pid = started.id();
    let mut log = Log::of(&mut started);
    let (mut live, _) = broker.welcomed().await;
    assert_eq!(listening(pid), 0, "nobody dials it");
    live.viewer("Str3amSecret", "control", true).await;
    // The stream is dialled, its exchange fails, and the sharing goes on.
    let (mut socket, stream) = broker.screen().await;
    assert_eq!(stream, "Str3amSecret");
    let joined = json!({ "type": "joined", "role": "control" }).to_string();
    socket.send(Message::text(joined)).await.unwrap();
    socket.send(Message::binary(b"no exchange".to_vec())).await.unwrap();
    while let Some(Ok(_)) = socket.next().await {}
    // That it is over is logged after its socket is closed; an end of the sharing would overtake it.
    log.has("a viewer's stream is over").await;
    live.tell(&json!({"type": "bye", "code": "revoked"})).await;
    let log = log.whole().await;
    tokio::task::spawn_blocking(move || started.wait()).await.unwrap().unwrap();
    for secret in [PIN, text.expose(), "Str3amSecret", "Anna", "Maria"] {
        assert!(!log.contains(secret), "{secret} is in the log: {log}");
    }
}

/// What a running program says on its standard error.
struct Log {
    lines: mpsc::UnboundedReceiver<String>,
    seen: String,
}

impl Log {
    fn of(program: &mut Child) -> Self {
        let (tell, lines) = mpsc::unbounded_channel();
        let error = BufReader::new(program.stderr.take().unwrap());
        std::thread::spawn(move || {
            error.lines().map_while(Result::ok).all(|line| tell.send(line).is_ok())
        });
        Self { lines, seen: String::new() }
    }

    /// Waits for a line with this text.
    async fn has(&mut self, text: &str) {
        while !self.seen.contains(text) {
            let line = self.lines.recv().await;
            self.seen += &line.unwrap_or_else(|| panic!("{text:?} is not in {}", self.seen));
            self.seen.push('\n');
        }
    }

    /// All of it, once the program has ended.
    async fn whole(mut self) -> String {
        while let Some(line) = self.lines.recv().await {
            self.seen += &line;
            self.seen.push('\n');
        }
        self.seen
    }
}

fn run(program: &Path, given: &[&str], display: Option<&str>) -> Output {
    command(program, given, display).output().unwrap()
}

fn command(program: &Path, given: &[&str], display: Option<&str>) -> Command {
    let mut command = Command::new(program);
    command.args(given).stdin(Stdio::null());
    for name in ["DISPLAY", "WAYLAND_DISPLAY", "XDG_SESSION_TYPE", "DESKHAND_PIN", "RUST_LOG"] {
        command.env_remove(name);
    }
    command.envs(display.map(|display| ("DISPLAY", display)));
    command
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn saved(folder: &Path, bytes: &[u8]) -> PathBuf {
    let path = folder.join("support");
    fs::write(&path, bytes).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o700)).unwrap();
    path
}

/// The built program with a conf, as the broker hands it out.
fn signed(conf: &ConfText, self_delete: bool) -> Vec<u8> {
    let program = fs::read(BUILT).unwrap();
    let key = Ed25519KeyPair::from_seed_unchecked(&[5; 32]).unwrap();
    let payload = trailer::Payload { conf: conf.clone(), hide_progress: true, self_delete };
    let payload = payload.to_json();
    let hash = digest(&SHA256, &program);
    let said = trailer::signed_bytes(hash.as_ref().try_into().unwrap(), &payload);
    let signature = key.sign(&said).as_ref().try_into().unwrap();
    let public = key.public_key().as_ref().try_into().unwrap();
    [program, trailer::append(&payload, &signature, &public)].concat()
}

fn conf(origin: &str, unattended: bool) -> ConfText {
    Conf {
        ttl: 1,
        session_host: "127.0.0.1".to_owned(),
        ssh_port: 443,
        sftp_user: String::new(),
        sftp_pass: String::new(),
        rfb_port: 1,
        rfb_enc_key: String::new(),
        pulseaudio_port: 1,
        sftp_port: 1,
        session_pin: PIN.to_owned(),
        host_key: String::new(),
        version: String::new(),
        origin: Some(origin.to_owned()),
        requester: Requester::default(),
        unattended,
    }
    .encode()
}

/// An X server of this test's own; it ends with the guard.
fn display() -> (String, Guard) {
    let (reader, writer) = std::io::pipe().unwrap();
    let server = Command::new("Xvfb")
        // Without -noreset it starts anew whenever its last client leaves, as the program does after it has looked
        // whether it can share the screen.
        .args(["-displayfd", "1", "-screen", "0", "320x240x24", "-nolisten", "tcp", "-noreset"])
        .stdout(writer)
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let guard = Guard(server);
    let mut number = String::new();
    BufReader::new(reader).read_line(&mut number).unwrap();
    (format!(":{}", number.trim()), guard)
}

struct Guard(Child);

impl Drop for Guard {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
