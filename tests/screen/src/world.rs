//! A broker, the customer's program, and the link between them.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::Path,
    process::Command,
    time::Duration,
};

use broker::{Broker, Config, ProgramFile, Running};
use fantoccini::Client;
use port_tests::KeptPort;
use serde_json::Value;
use serve::{Clock, Port};
use tempfile::TempDir;

use crate::{
    browser::{Driver, PageScreen},
    display::Display,
    link::Link,
    live::LiveConnection,
    process::{Program, built},
    raw_viewer::RawViewer,
    service::Service,
    tls,
};

/// An embedded broker whose clock is moved by hand.
#[derive(Debug)]
pub struct World {
    /// The broker.
    pub broker: Running,
    /// The link over which the program reaches the broker.
    pub link: Link,
    /// Calls to the broker that don't go over the link.
    pub service: Service,
    folder: TempDir,
    address: BrokerAddress,
    /// The broker's on this computer, run after run.
    _kept: Option<KeptPort>,
}

/// The broker's address, and whether it is reached over TLS.
#[derive(Debug, Clone, Copy)]
struct BrokerAddress {
    ip: IpAddr,
    secured: bool,
}

/// On this computer, without TLS.
const HERE: BrokerAddress = BrokerAddress { ip: IpAddr::V4(Ipv4Addr::LOCALHOST), secured: false };

impl World {
    /// A fresh world.
    pub async fn new() -> Self {
        Self::at(HERE).await
    }

    /// A fresh world in which every connection uses TLS with the certificate of [`tls`].
    pub async fn secured() -> Self {
        Self::at(BrokerAddress { secured: true, ..HERE }).await
    }

    /// A fresh world whose broker is reached at an address of a network, without the link.
    pub async fn on_network(ip: IpAddr) -> Self {
        Self::at(BrokerAddress { ip, ..HERE }).await
    }

    async fn at(address: BrokerAddress) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let link = Link::new().await;
        let clock = Clock::frozen(Clock::system().now());
        let kept = (address.ip == HERE.ip).then(KeptPort::new);
        let port = kept.as_ref().map_or(Port::Any, |kept| Port::Exactly(kept.number()));
        let broker = broker_at(address, folder.path(), &link, port, clock).await;
        let service = Service::at(address.origin(broker.addr()));
        Self { broker, link, service, folder, address, _kept: kept }
    }

    /// Ends the broker and starts it again on the same folder and port.
    pub async fn restart_broker(self) -> Self {
        let (port, now) = (self.broker.addr().port(), self.broker.handle().now());
        self.broker.shutdown().await;
        let clock = Clock::frozen(now);
        let (folder, port) = (self.folder.path(), Port::Exactly(port));
        let broker = broker_at(self.address, folder, &self.link, port, clock).await;
        Self { broker, ..self }
    }

    /// Moves the broker's clock by more than the 60 s after which a side counts as offline, and
    /// waits until the hooks that fired have been delivered.
    pub async fn over_a_minute_passes(&self) {
        self.broker.handle().advance(Duration::from_secs(61)).await;
        self.broker.handle().idle().await;
    }

    /// The broker's own origin.
    pub fn origin(&self) -> String {
        self.service.origin().to_owned()
    }

    /// Starts the customer's program on a display, without the question for consent.
    pub async fn unattended(&self, pin: &str, display: &Display) -> Program {
        let conf = self.service.conf(pin, true, self.folder()).await;
        Program::start(unattended(display, &conf))
    }

    /// As [`World::unattended`], and waits until the screen is shared.
    pub async fn shares(&self, pin: &str, display: &Display) -> Program {
        let program = self.unattended(pin, display).await;
        self.companion(pin).await.until_sharing("shared").await;
        program
    }

    /// Starts the customer's program on a display, where it asks for consent. Web pages are let in without a question,
    /// since most viewers here are such pages; that they are asked about is tested with the program itself.
    pub async fn attended(&self, pin: &str, display: &Display) -> Program {
        let mut command = presenter(display);
        command
            .arg("--admit-all")
            .arg("--conf")
            .arg(self.service.conf(pin, false, self.folder()).await);
        Program::start(command)
    }

    /// Connects a page that gets the roster.
    pub async fn companion(&self, pin: &str) -> LiveConnection {
        LiveConnection::companion(&self.origin(), pin).await
    }

    /// Connects a viewer without a page.
    pub async fn raw_viewer(&self, pin: &str, name: &str, ro: bool) -> RawViewer {
        let live = LiveConnection::viewer(&self.origin(), pin, name, ro).await;
        RawViewer::on(&self.origin(), live).await
    }

    /// Checks that no program has come to a session whose roster `heard` gets.
    pub async fn has_no_presenter(&self, pin: &str, heard: &mut LiveConnection) {
        // The next roster has a viewer, so no presenter came before.
        LiveConnection::viewer(&self.origin(), pin, "Anna", false).await.stay();
        heard.until("the viewer is there", |roster| roster["viewers"][0] == "Anna").await;
        assert_eq!(heard.roster["presenter"], Value::Null);
    }

    /// A browser in which a technician sees a session's screen, which is so wide.
    pub async fn seen_in(&self, driver: &Driver, pin: &str, width: u16) -> Client {
        let browser = driver.browser("viewer", 1400, 1000).await;
        browser.goto(&self.service.viewer_url(pin, "Anna", false).await).await.unwrap();
        PageScreen(&browser).watch(width).await;
        browser
    }

    /// Calls to the broker that go over the link.
    pub fn over_the_link(&self) -> Service {
        Service::at(self.address.origin(self.link.addr()))
    }

    /// A folder of the test's own.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }
}

/// A command without a display, whatever display the test has.
pub fn plain(program: &Path) -> Command {
    let mut command = Command::new(program);
    let others = [
        "DISPLAY",
        "WAYLAND_DISPLAY",
        "XDG_SESSION_TYPE",
        "XAUTHORITY",
        "DESKHAND_PIN",
        "RUST_LOG",
    ];
    for other in others {
        command.env_remove(other);
    }
    command
}

/// The command for the customer's program on a display.
pub fn presenter(display: &Display) -> Command {
    let mut command = plain(&built("deskhand-presenter"));
    command.env("DISPLAY", display.name());
    command
}

/// The same command with a conf that needs no consent.
pub fn unattended(display: &Display, conf: &Path) -> Command {
    let mut command = presenter(display);
    command.args(["--yes", "--admit-all"]).arg("--conf").arg(conf);
    command
}

impl BrokerAddress {
    fn origin(self, addr: SocketAddr) -> String {
        format!("{}://{addr}", if self.secured { "https" } else { "http" })
    }
}

async fn broker_at(
    address: BrokerAddress,
    folder: &Path,
    link: &Link,
    port: Port,
    clock: Clock,
) -> Running {
    let config = Config {
        ip: address.ip,
        port,
        clock,
        tls: address.secured.then(tls::files),
        public_url: address.ip.is_loopback().then(|| address.origin(link.addr()).parse().unwrap()),
        allow_unattended: true,
        programs: vec![ProgramFile {
            platform: format!("{}-{}", std::env::consts::OS, std::env::consts::ARCH),
            path: built("deskhand-presenter"),
        }],
        ..Config::embedded(folder.join("broker"))
    };
    let broker = Broker::start(config).await.unwrap();
    link.leads_to(broker.addr());
    broker
}
