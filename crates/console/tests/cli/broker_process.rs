//! A broker in a process of its own, which can be killed; it is driven by its control API.

use std::{
    net::Ipv4Addr,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use broker::{Broker, Config, Control};
use port_tests::KeptPort;
use serde_json::{Value, json};
use serve::Port;
use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, BufReader},
    process::{Child, Command},
    time::timeout,
};
use uuid::Uuid;
use wire::{Pin, session_events::SessionFacts};

use crate::process::PATIENCE;

/// Tells the test binary to be the broker; its value is the folder and the two ports.
const ROLE: &str = "DESKHAND_TEST_BROKER";
/// What the broker says when it is there.
const READY: &str = "the broker is there";

#[tokio::test]
async fn the_broker_that_gets_killed() {
    // Without its role this is no test: it is the child of the others.
    let Ok(role) = std::env::var(ROLE) else { return };
    let mut parts = role.splitn(3, '|');
    let mut port = || Port::Exactly(parts.next().unwrap().parse().unwrap());
    let (port, control) = (port(), port());
    let home = PathBuf::from(parts.next().unwrap());
    let ip = Ipv4Addr::LOCALHOST.into();
    let control = Control { ip, port: control, token_file: home.join("token") };
    let config = Config { port, control: Some(control), ..Config::embedded(home.join("broker")) };
    let running = Broker::start(config).await.unwrap();
    println!("\n{READY}");
    // Until the parent wants it to end in good order.
    let _ = tokio::io::stdin().read_to_end(&mut Vec::new()).await;
    running.shutdown().await;
}

pub struct BrokerProcess {
    child: Child,
    home: PathBuf,
    /// Its own and that of its control API, over all its lives.
    ports: [KeptPort; 2],
    http: reqwest::Client,
}

impl BrokerProcess {
    pub async fn start(home: &Path) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let ports = [KeptPort::new(), KeptPort::new()];
        let http = reqwest::Client::builder().timeout(PATIENCE).pool_max_idle_per_host(0);
        let child = spawn(home, &ports).await;
        Self { child, home: home.to_owned(), ports, http: http.build().unwrap() }
    }

    pub fn base_url(&self) -> String {
        format!("http://127.0.0.1:{}/api/v1", self.ports[0].number())
    }

    /// Kills it and starts it again on what it has stored.
    pub async fn kill(&mut self) {
        self.child.kill().await.unwrap();
        self.child = spawn(&self.home, &self.ports).await;
    }

    /// Ends it in good order and starts it again.
    pub async fn restart(&mut self) {
        drop(self.child.stdin.take());
        let ended = timeout(PATIENCE, self.child.wait()).await.expect("it did not end");
        assert!(ended.unwrap().success());
        self.child = spawn(&self.home, &self.ports).await;
    }

    /// Kills it and starts it again without anything that it has stored.
    pub async fn lose_everything(&mut self) {
        self.child.kill().await.unwrap();
        std::fs::remove_dir_all(self.home.join("broker")).unwrap();
        self.child = spawn(&self.home, &self.ports).await;
    }

    pub async fn advance(&self, by: Duration) {
        self.control("clock", json!({ "advance_s": by.as_secs() })).await.unwrap();
    }

    pub async fn set_faults(&self, rules: Value) {
        let url = format!("http://127.0.0.1:{}/control/faults", self.ports[1].number());
        let call = self.http.put(url).bearer_auth(self.token()).json(&json!({ "rules": rules }));
        assert!(call.send().await.unwrap().status().is_success());
    }

    /// Somebody of this side comes or leaves.
    pub async fn presence(&self, pin: &Pin, side: &str, page: Uuid, online: bool) {
        let body = json!({
            "session_pin": pin.expose(), "side": side, "page": page, "name": side, "online": online,
        });
        self.control("presence", body).await.unwrap();
    }

    pub async fn says(&self, pin: &Pin, page: Uuid, text: &str) {
        let body = json!({
            "session_pin": pin.expose(), "page": page, "name": "Maria", "body": text,
        });
        self.control("chat", body).await.unwrap();
    }

    pub async fn facts(&self, pin: &Pin) -> SessionFacts {
        let facts = self.control("facts", json!({ "session_pin": pin.expose() })).await.unwrap();
        serde_json::from_value(facts).unwrap()
    }

    async fn control(&self, route: &str, body: Value) -> Result<Value, Value> {
        let url = format!("http://127.0.0.1:{}/control/{route}", self.ports[1].number());
        let call = self.http.post(url).bearer_auth(self.token()).json(&body);
        let answer = call.send().await.unwrap();
        let is_good = answer.status().is_success();
        let body = answer.json().await.unwrap_or(Value::Null);
        if is_good { Ok(body) } else { Err(body) }
    }

    fn token(&self) -> String {
        std::fs::read_to_string(self.home.join("token")).unwrap().trim().to_owned()
    }
}

async fn spawn(home: &Path, ports: &[KeptPort; 2]) -> Child {
    let [port, control] = ports.each_ref().map(KeptPort::number);
    let name = "broker_process::the_broker_that_gets_killed";
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", name, "--nocapture"])
        .env(ROLE, format!("{port}|{control}|{}", home.display()))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let ready = async {
        while lines.next_line().await.unwrap().expect("the broker did not start") != READY {}
    };
    timeout(PATIENCE, ready).await.expect("the broker did not start");
    // Read on, or its last words would end it.
    tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
    child
}
