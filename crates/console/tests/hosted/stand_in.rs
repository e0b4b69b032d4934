//! The stand-in, its customers, and the console's side of the network.

use std::{
    collections::HashSet,
    path::{Path, PathBuf},
    process::Command as Blocking,
    time::Duration,
};

use broker::{Broker, Config, Handle, ProgramFile, Running, TargetPolicy};
use serde_json::Value;
use serve::TrustedProxies;
use tokio::{net::UnixDatagram, process::Command, sync::watch, time::timeout};
use wire::{HookType, Pin};

use crate::{
    certificates::{self, AUTHORITY},
    namespaces::{CONSOLE, Network, SERVICE},
    nginx::Nginx,
    process::{Console, PATIENCE, deskhand},
};

pub const BASE_URL: &str = "https://service.example/api/v1";
const REGION_URL: &str = "https://{region}.service.example/";
/// Where the proxy on the console's side gives hooks on.
const LISTEN: &str = "127.0.0.1:47300";
const PUBLIC_URL: &str = "https://console.example/desk/hooks/";
/// The socket at which nginx tells what it has passed on, in the test's folder.
const SEEN: &str = "seen";
/// The proxy's configuration, as the page has it.
const PAGE: &str = include_str!("../../../../docs/headless.md");

/// The customer's program, which nobody runs here.
pub const PROGRAM: &[u8] = b"\x7fELF";

/// The headers that the hosted service's webhooks don't have.
const NO_EXTENSION: &str = "proxy_set_header Deskhand-Revision ''; proxy_set_header Webhook-Id ''; \
    proxy_set_header Webhook-Timestamp ''; proxy_set_header Webhook-Signature '';";

/// The names that both sides know.
pub fn hosts() -> String {
    let regions = broker::default_regions();
    let regions =
        regions.iter().map(|known| format!("{SERVICE} {}.service.example\n", known.region));
    format!(
        "127.0.0.1 localhost\n{SERVICE} service.example moved.example\n{CONSOLE} console.example\n{}",
        regions.collect::<String>()
    )
}

/// Directives that give a request on to the broker, in [`Front::locations`].
const PASS_ON: &str = "PASS_ON";

/// What the service's nginx does differently in a test.
pub struct Front<'a> {
    /// A name of `certificates`.
    pub certificate: &'a str,
    /// `http2`, or nothing for HTTP/1.
    pub protocol: &'a str,
    /// Directives for all servers.
    pub http: &'a str,
    /// Locations of the service that nginx itself answers; [`PASS_ON`] stands for giving a request on.
    pub locations: &'a str,
    /// Directives for its regions' servers, before their location.
    pub regions: &'a str,
}

impl Default for Front<'_> {
    fn default() -> Self {
        Self {
            certificate: certificates::GOOD,
            protocol: "http2",
            http: "",
            locations: "",
            regions: "",
        }
    }
}

pub struct Hosted {
    folder: PathBuf,
    broker: Running,
    front: Option<Nginx>,
    consoles_side: Network,
    proxy: Option<Nginx>,
    seen: watch::Receiver<Seen>,
}

/// What the service's nginx has passed on.
#[derive(Default)]
struct Seen {
    /// The bodies of the requests that put a hook, oldest first.
    puts: Vec<Value>,
    /// The connections of all requests: their protocol, and how nginx numbers them.
    connections: HashSet<String>,
}

impl Hosted {
    pub async fn start(folder: &Path) -> Self {
        let consoles_side = Network::join().await;
        let broker = Broker::start(config(folder)).await.unwrap();
        let seen = listen_to(&folder.join(SEEN));
        let mut hosted = Self {
            folder: folder.to_owned(),
            broker,
            front: None,
            consoles_side,
            proxy: None,
            seen,
        };
        hosted.serve(Front::default()).await;
        hosted.open_way().await;
        hosted
    }

    /// The broker behind it, whose clock the test moves.
    pub fn handle(&self) -> Handle {
        self.broker.handle()
    }

    /// The test's folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The certificate of the authority that all trust.
    pub fn authority(&self) -> PathBuf {
        self.folder.join(AUTHORITY)
    }

    /// Serves it by an nginx like this from now on; connections to the one before are cut.
    pub async fn serve(&mut self, front: Front<'_>) {
        if let Some(before) = self.front.take() {
            before.stop().await;
        }
        let http =
            front_configuration(&self.folder, &format!("http://{}", self.broker.addr()), &front);
        let nginx = Nginx::start(Command::new("nginx"), &self.folder, "service", &http).await;
        self.front = Some(nginx);
    }

    /// Starts the console's reverse proxy.
    pub async fn open_way(&mut self) {
        let page = documented_location();
        self.proxy_by(&page).await;
    }

    /// The console's reverse proxy answers every hook by itself.
    pub async fn break_way(&mut self, status: u16) {
        self.proxy_by(&format!("location / {{ return {status}; }}")).await;
    }

    /// Nothing answers where the proxy was.
    pub async fn end_way(&mut self) {
        if let Some(before) = self.proxy.take() {
            before.stop().await;
        }
    }

    async fn proxy_by(&mut self, locations: &str) {
        self.end_way().await;
        let certificate = certificate(&self.folder, certificates::GOOD);
        let http = format!(
            "server {{ listen 443 ssl http2; server_name console.example; {certificate}\n\
             ssl_protocols TLSv1.2 TLSv1.3;\n{NO_EXTENSION}\n{locations} }}"
        );
        let program = self.consoles_side.within("nginx");
        self.proxy = Some(Nginx::start(program, &self.folder, "proxy", &http).await);
    }

    /// A console in its own network, whose listener the service reaches by the proxy only.
    pub async fn console(&self, words: &[&str]) -> Console {
        let plain = deskhand(&self.folder);
        let mut program = self.consoles_side.within(plain.as_std().get_program().to_str().unwrap());
        copy_environment(plain.as_std(), &mut program);
        program.env("SSL_CERT_FILE", self.authority()).kill_on_drop(true);
        let usual =
            ["--region-url-template", REGION_URL, "--listen", LISTEN, "--public-url", PUBLIC_URL];
        let base = if words.contains(&"--base-url") { &[][..] } else { &["--base-url", BASE_URL] };
        Console::start_by(program, &self.folder, &[&usual, base, words].concat()).await
    }

    /// Where this hook of a session was put last, which only console and service know.
    pub async fn hook_url(&mut self, pin: &Pin, hook: HookType) -> String {
        let is_it =
            |put: &&Value| put["session_pin"] == pin.expose() && put["type"] == hook.to_string();
        let known = |seen: &Seen| seen.puts.iter().any(|put| is_it(&put));
        let seen = timeout(PATIENCE, self.seen.wait_for(known)).await;
        let seen = seen.expect("the hook is put").unwrap();
        seen.puts.iter().rev().find(is_it).unwrap()["url"].as_str().unwrap().to_owned()
    }

    /// Waits until requests have come on so many connections of this protocol, such as `HTTP/2.0`.
    pub async fn connections(&mut self, protocol: &str, number: usize) {
        let is_it = |connection: &&String| connection.starts_with(protocol);
        let many = |seen: &Seen| seen.connections.iter().filter(is_it).count() >= number;
        let seen = timeout(PATIENCE, self.seen.wait_for(many)).await;
        assert!(seen.is_ok(), "there were fewer than {number} connections of {protocol}");
    }
}

fn config(folder: &Path) -> Config {
    let mut config = Config::embedded(folder.join("broker"));
    config.public_url = Some("https://service.example/".parse().unwrap());
    config.trusted_proxies = TrustedProxies::new(["127.0.0.1".parse().unwrap()]);
    config.hook_targets = TargetPolicy { loopback: false, private: true }.into();
    config.rates.remote = config.rates.local;
    let program = folder.join("deskhand-presenter");
    std::fs::write(&program, PROGRAM).unwrap();
    config.programs = vec![ProgramFile { platform: "linux-x86_64".into(), path: program }];
    // A hook is sent once, however long the console takes to answer.
    config.durations.hook_timeout = Duration::from_secs(3_600);
    config
}

fn certificate(folder: &Path, name: &str) -> String {
    let folder = folder.display();
    format!("ssl_certificate {folder}/{name}.pem; ssl_certificate_key {folder}/{name}.key;")
}

fn front_configuration(folder: &Path, broker: &str, front: &Front<'_>) -> String {
    let Front { protocol, http, locations, regions, certificate: name } = front;
    let (certificate, seen) = (certificate(folder, name), folder.join(SEEN));
    let to = "proxy_set_header Host service.example; proxy_set_header X-Forwarded-For $remote_addr; \
              proxy_set_header Deskhand-Console ''; proxy_http_version 1.1; \
              proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection $connection_upgrade;";
    let locations = locations.replace(PASS_ON, &format!("{to} proxy_pass {broker};"));
    let seen = seen.display();
    format!(
        r#"
  map $http_upgrade $connection_upgrade {{ default upgrade; '' ''; }}
  log_format seen escape=json '{{"method":"$request_method","connection":"$server_protocol $pid $connection","body":"$request_body"}}';
  gzip on; gzip_min_length 1; gzip_proxied any; gzip_types application/json;
  {certificate}
  {http}
  server {{ listen 80; server_name service.example moved.example; return 301 https://$host$request_uri; }}
  server {{ listen 443 ssl {protocol}; server_name moved.example; return 301 https://service.example$request_uri; }}
  server {{
    listen 443 ssl {protocol} default_server; server_name service.example;
    {locations}
    location /api/v1/x/ {{ return 404; }}
    access_log syslog:server=unix:{seen},nohostname seen;
    location / {{ {to} proxy_pass {broker}; }}
  }}
  server {{
    listen 443 ssl {protocol}; server_name ~^(?<region>[a-z0-9-]+)\.service\.example$;
    {regions}
    location / {{ {to} proxy_pass {broker}/region/$region; }}
  }}"#
    )
}

/// The location that docs/headless.md gives for nginx.
fn documented_location() -> String {
    let from = PAGE.find("```nginx\n").expect("the page has one") + "```nginx\n".len();
    PAGE[from..from + PAGE[from..].find("```").unwrap()].to_owned()
}

/// Remembers what nginx tells at this socket of each request.
fn listen_to(path: &Path) -> watch::Receiver<Seen> {
    let socket = UnixDatagram::bind(path).unwrap();
    let (tell, seen) = watch::channel(Seen::default());
    tokio::spawn(async move {
        let mut message = vec![0; 8 << 10];
        while let Ok(length) = socket.recv(&mut message).await {
            let text = String::from_utf8_lossy(&message[..length]).into_owned();
            let line: Value = serde_json::from_str(&text[text.find('{').unwrap()..]).unwrap();
            tell.send_modify(|seen| {
                seen.connections.insert(line["connection"].as_str().unwrap().to_owned());
                if line["method"] == "PUT" {
                    seen.puts.push(serde_json::from_str(line["body"].as_str().unwrap()).unwrap());
                }
            });
        }
    });
    seen
}

fn copy_environment(from: &Blocking, to: &mut Command) {
    to.env_clear();
    for (name, value) in from.get_envs() {
        if let Some(value) = value {
            to.env(name, value);
        }
    }
}
