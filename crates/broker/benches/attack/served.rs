//! The broker that is measured, in a process of its own.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    net::{Ipv4Addr, Ipv6Addr, SocketAddr},
    process::{Child, ChildStdout, Command, Stdio},
};

use broker::{Broker, Config, Control, Rates};
use serve::Port;

use crate::{calls, waits::Waits};

/// The broker's address.
const HERE: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0xffff, 0, 0, 0, 0, 1);

/// A running broker.
pub struct Served {
    child: Child,
    told: BufReader<ChildStdout>,
    pub addr: SocketAddr,
    metrics: SocketAddr,
    control: SocketAddr,
    token: String,
    _folder: tempfile::TempDir,
}

/// Serves until its standard input ends. `network` has the limits of a broker that strangers reach; `open` has none that
/// are met by one machine's callers.
pub async fn serve(kind: &str) {
    let folder = tempfile::tempdir().unwrap();
    let token_file = folder.path().join("token");
    let control =
        Control { ip: Ipv4Addr::LOCALHOST.into(), port: Port::Any, token_file: token_file.clone() };
    let mut config = Config {
        ip: HERE.into(),
        control: Some(control),
        metrics: Some((Ipv4Addr::LOCALHOST, 0).into()),
        ..Config::network(folder.path().join("data"))
    };
    if kind == "open" {
        let rates = Rates::embedded();
        config.rates = Rates { viewers_by_pin: usize::MAX, ..rates }.into();
        // As many as there are files, but for the store's and the log's.
        config.limits.connections = calls::most_files() - 500;
        config.limits.per_address = Some(usize::MAX);
        config.limits.per_owner = Some(usize::MAX);
        config.limits.paces = None;
    }
    let running = Broker::start(config).await.unwrap();
    let token = std::fs::read_to_string(token_file).unwrap();
    let (metrics, control) = (running.metrics_addr().unwrap(), running.control_addr().unwrap());
    println!("{} {metrics} {control} {}", running.addr(), token.trim());
    std::io::stdout().flush().unwrap();
    let waits = Waits::start();
    // Each line asks for the waits since the last one.
    let ended = move || std::io::stdin().lines().for_each(|_| tell(waits.take()));
    tokio::task::spawn_blocking(ended).await.unwrap();
    running.shutdown().await;
}

fn tell(waits: [u64; 4]) {
    println!("{}", waits.map(|micros| micros.to_string()).join(" "));
    std::io::stdout().flush().unwrap();
}

impl Served {
    pub fn start(kind: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["serve", kind]).env("TMPDIR", folder.path());
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        let mut told = BufReader::new(child.stdout.take().unwrap());
        told.read_line(&mut line).unwrap();
        let words: Vec<&str> = line.split_whitespace().collect();
        let [addr, metrics, control, token] = words[..] else { panic!("the broker didn't start") };
        let (addr, metrics) = (addr.parse().unwrap(), metrics.parse().unwrap());
        let (control, token) = (control.parse().unwrap(), token.to_owned());
        Self { child, told, addr, metrics, control, token, _folder: folder }
    }

    /// The memory that it has in use, in bytes.
    pub fn memory(&self) -> f64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find(|line| line.starts_with("VmRSS")).unwrap();
        line.split_whitespace().nth(1).unwrap().parse::<f64>().unwrap() * 1_024.0
    }

    /// The processor's time that it has used, in seconds.
    pub fn computed(&self) -> f64 {
        calls::computed(self.child.id())
    }

    /// How long something new waited in it since this was asked last, in milliseconds: see [`Waits::take`].
    pub fn waits(&mut self) -> [f64; 4] {
        writeln!(self.child.stdin.as_mut().unwrap()).unwrap();
        let mut line = String::new();
        self.told.read_line(&mut line).unwrap();
        let mut micros = line.split_whitespace().map(|micros| micros.parse::<f64>().unwrap());
        std::array::from_fn(|_| micros.next().unwrap() / 1_000.0)
    }

    /// One of its figures.
    pub async fn figure(&self, name: &str) -> u64 {
        let text = calls::local(self.metrics, "GET", "/metrics", "", "").await.unwrap();
        let line = text.lines().find(|line| line.starts_with(name)).unwrap();
        line.split_whitespace().nth(1).unwrap().parse().unwrap()
    }

    /// All lines of one of its figures, without its name.
    pub async fn figures(&self, name: &str) -> Vec<String> {
        let text = calls::local(self.metrics, "GET", "/metrics", "", "").await.unwrap();
        text.lines().filter_map(|line| line.strip_prefix(name)).map(str::to_owned).collect()
    }

    /// The longest time for which one decision kept others waiting since this was asked last, in milliseconds.
    pub async fn longest_hold(&self) -> f64 {
        self.figure("deskhand_broker_longest_hold_microseconds").await as f64 / 1_000.0
    }

    /// Asks its control API.
    pub async fn control(&self, method: &str, path: &str, body: &str) -> String {
        let header = format!("authorization: Bearer {}\r\n", self.token);
        calls::local(self.control, method, path, &header, body).await.unwrap()
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}
