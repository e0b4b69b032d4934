//! A broker in a process of its own, which can be killed; it is driven by its control API.

use std::{
    net::Ipv4Addr,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use broker::{Broker, Config, Control, Smtp};
use port_tests::KeptPort;
use serde_json::{Value, json};
use serve::{FaultRule, Port};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, BufReader},
    process::{Child, Command},
    task::JoinHandle,
    time::timeout,
};
use uuid::Uuid;
use wire::{Pin, session_events::SessionFacts};

use crate::process::PATIENCE;

/// Tells the test binary to be the broker; its value is the two ports, the mail server's URL if any, and the folder.
const ROLE: &str = "DESKHAND_TEST_BROKER";
/// What the broker says when it is there.
const READY: &str = "the broker is there";

#[tokio::test]
async fn the_broker_that_gets_killed() {
    // Without its role this is no test: it is the child of the others.
    let Ok(role) = std::env::var(ROLE) else { return };
    let mut parts = role.splitn(4, '|');
    let mut port = || Port::Exactly(parts.next().unwrap().parse().unwrap());
    let (port, control) = (port(), port());
    let mail_server = parts.next().filter(|url| !url.is_empty());
    let from = || "Support <support@example.org>".into();
    let smtp = mail_server.map(|url| Smtp { url: url.to_owned().into(), from: from() });
    let home = PathBuf::from(parts.next().unwrap());
    let ip = Ipv4Addr::LOCALHOST.into();
    let control = Control { ip, port: control, token_file: home.join("token") };
    let control = Some(control);
    let config = Config { port, control, smtp, ..Config::embedded(home.join("broker")) };
    let running = Broker::start(config).await.unwrap();
    println!("\n{READY}");
    // Until the parent wants it to end in good order.
    let _ = tokio::io::stdin().read_to_end(&mut Vec::new()).await;
    running.shutdown().await;
}

pub struct BrokerProcess {
    child: Child,
    place: Place,
    http: reqwest::Client,
}

/// Where it is, run after run.
struct Place {
    home: PathBuf,
    /// Its own and that of its control API.
    ports: [KeptPort; 2],
    mail_server: Option<String>,
}

impl BrokerProcess {
    pub async fn start(home: &Path) -> Self {
        Self::start_with(home, None).await
    }

    /// One that hands its e-mails to the mail server at this URL.
    pub async fn start_with_mail_server(home: &Path, url: String) -> Self {
        Self::start_with(home, Some(url)).await
    }

    async fn start_with(home: &Path, mail_server: Option<String>) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let ports = [KeptPort::new(), KeptPort::new()];
        let http = reqwest::Client::builder().timeout(PATIENCE).pool_max_idle_per_host(0);
        let place = Place { home: home.to_owned(), ports, mail_server };
        Self { child: spawn(&place).await, place, http: http.build().unwrap() }
    }

    pub fn base_url(&self) -> String {
        format!("http://127.0.0.1:{}/api/v1", self.place.ports[0].number())
    }

    /// Kills it and starts it again on what it has stored.
    pub async fn kill(&mut self) {
        self.child.kill().await.unwrap();
        self.child = spawn(&self.place).await;
    }

    /// Ends it in good order and starts it again.
    pub async fn restart(&mut self) {
        drop(self.child.stdin.take());
        let ended = timeout(PATIENCE, self.child.wait()).await.expect("it did not end");
        assert!(ended.unwrap().success());
        self.child = spawn(&self.place).await;
    }

    /// Kills it and starts it again without anything that it has stored.
    pub async fn lose_everything(&mut self) {
        self.child.kill().await.unwrap();
        std::fs::remove_dir_all(self.place.home.join("broker")).unwrap();
        self.child = spawn(&self.place).await;
    }

    /// Its process id in this run of it.
    pub fn pid(&self) -> u32 {
        self.child.id().unwrap()
    }

    pub async fn advance(&self, by: Duration) {
        self.control("clock", json!({ "advance_s": by.as_secs() })).await.unwrap();
    }

    pub async fn set_faults(&self, rules: &[FaultRule]) {
        let url = self.control_url("faults");
        let call = self.http.put(url).bearer_auth(self.token()).json(&json!({ "rules": rules }));
        assert!(call.send().await.unwrap().status().is_success());
    }

    /// How many faults were made on a route so far.
    pub async fn faults_on(&self, route: &str) -> u64 {
        self.look("faults").await["counts"][route]["faults"].as_u64().unwrap_or_default()
    }

    /// How many requests or deliveries there were on a route so far.
    pub async fn seen_on(&self, route: &str) -> u64 {
        self.look("faults").await["counts"][route]["seen"].as_u64().unwrap_or_default()
    }

    /// How many faults of the plan have not been made yet.
    pub async fn faults_left(&self) -> u64 {
        let plan = self.look("faults").await;
        plan["rules"].as_array().unwrap().iter().filter_map(|rule| rule["times"].as_u64()).sum()
    }

    /// Deliveries of webhooks wait from now on.
    pub async fn hold_deliveries(&self) {
        self.control("deliveries", json!({ "hold": true })).await.unwrap();
    }

    /// Lets them go; the task ends when they have been made. Whoever kills the broker meanwhile ends it, too.
    pub fn let_deliveries_go(&self) -> JoinHandle<()> {
        let call = self.http.post(self.control_url("deliveries")).bearer_auth(self.token());
        let call = call.json(&json!({ "hold": false })).send();
        tokio::spawn(async move {
            let _ = call.await;
        })
    }

    /// Somebody of this side comes or leaves.
    pub async fn presence(&self, pin: &Pin, side: &str, page: Uuid, online: bool) {
        let body = json!({
            "session_pin": pin.expose(), "side": side, "page": page, "name": side, "online": online,
        });
        self.control("presence", body).await.unwrap();
    }

    /// The customer's page opens.
    pub async fn page_opens(&self, pin: &Pin, page: Uuid) {
        let body = json!({
            "session_pin": pin.expose(), "side": "presenter", "page": page, "online": true,
            "companion": true,
        });
        self.control("presence", body).await.unwrap();
    }

    /// A page or a program leaves.
    pub async fn leaves(&self, pin: &Pin, page: Uuid) {
        self.presence(pin, "presenter", page, false).await;
    }

    /// The customer downloads the program.
    pub async fn downloads(&self, pin: &Pin) {
        self.control("download", json!({ "session_pin": pin.expose() })).await.unwrap();
    }

    /// A program asks the customer.
    pub async fn asks(&self, pin: &Pin, program: Uuid) {
        let body = json!({
            "session_pin": pin.expose(), "side": "presenter", "page": program, "online": true,
            "asking": true,
        });
        self.control("presence", body).await.unwrap();
    }

    /// The customer answers such a program.
    pub async fn is_answered(&self, pin: &Pin, program: Uuid, agrees: bool) {
        let body = json!({ "session_pin": pin.expose(), "page": program, "agrees": agrees });
        self.control("answer", body).await.unwrap();
    }

    /// A page writes; whether the broker took it.
    pub async fn says(&self, pin: &Pin, page: Uuid, text: &str) -> bool {
        let body = json!({
            "session_pin": pin.expose(), "page": page, "name": "Maria", "body": text,
        });
        self.control("chat", body).await.is_ok()
    }

    /// The e-mails that it was asked to send: to whom, and how far each has come.
    pub async fn mails(&self) -> Vec<(String, String)> {
        let outbox = self.look("outbox").await;
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let mails = outbox["outbox"].as_array().unwrap().iter();
        mails.map(|mail| (text(&mail["to"]), text(&mail["state"]))).collect()
    }

    pub async fn facts(&self, pin: &Pin) -> SessionFacts {
        let facts = self.control("facts", json!({ "session_pin": pin.expose() })).await.unwrap();
        serde_json::from_value(facts).unwrap()
    }

    async fn control(&self, route: &str, body: Value) -> Result<Value, Value> {
        let call = self.http.post(self.control_url(route)).bearer_auth(self.token()).json(&body);
        let answer = call.send().await.unwrap();
        let is_good = answer.status().is_success();
        let body = answer.json().await.unwrap_or(Value::Null);
        if is_good { Ok(body) } else { Err(body) }
    }

    async fn look(&self, route: &str) -> Value {
        let call = self.http.get(self.control_url(route)).bearer_auth(self.token());
        call.send().await.unwrap().json().await.unwrap()
    }

    fn control_url(&self, route: &str) -> String {
        format!("http://127.0.0.1:{}/control/{route}", self.place.ports[1].number())
    }

    fn token(&self) -> String {
        std::fs::read_to_string(self.place.home.join("token")).unwrap().trim().to_owned()
    }
}

async fn spawn(place: &Place) -> Child {
    let Place { home, ports, mail_server } = place;
    let [port, control] = ports.each_ref().map(KeptPort::number);
    let mail_server = mail_server.as_deref().unwrap_or_default();
    let name = "broker_process::the_broker_that_gets_killed";
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", name, "--nocapture"])
        .env(ROLE, format!("{port}|{control}|{mail_server}|{}", home.display()))
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
