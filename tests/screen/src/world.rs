//! A broker, the line that the customer's program dials over, and that program.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::Path,
    process::Command,
    time::Duration,
};

use broker::{Broker, Config, ProgramFile, Running};
use serve::{Clock, Port};
use tempfile::TempDir;

use crate::{
    display::Display,
    line::Line,
    live::Live,
    process::{Program, built},
    service::Service,
    tls,
};

/// An embedded broker whose clock is moved by hand.
#[derive(Debug)]
pub struct World {
    /// The broker.
    pub broker: Running,
    /// Over which the program reaches it.
    pub line: Line,
    /// The calls of the broker, past the line.
    pub service: Service,
    folder: TempDir,
    site: Site,
}

/// Where the broker is, and how it is spoken to.
#[derive(Debug, Clone, Copy)]
struct Site {
    ip: IpAddr,
    secured: bool,
}

/// Reached over the line, in the clear.
const HERE: Site = Site { ip: IpAddr::V4(Ipv4Addr::LOCALHOST), secured: false };

impl World {
    /// A fresh world.
    pub async fn new() -> Self {
        Self::at(HERE).await
    }

    /// A fresh world in which everything goes over TLS, by the certificate of [`tls`].
    pub async fn secured() -> Self {
        Self::at(Site { secured: true, ..HERE }).await
    }

    /// A fresh world whose broker is reached at this address of a network, and not over the line.
    pub async fn on_network(ip: IpAddr) -> Self {
        Self::at(Site { ip, ..HERE }).await
    }

    async fn at(site: Site) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let line = Line::new().await;
        let clock = Clock::frozen(Clock::system().now());
        let broker = broker_at(site, folder.path(), &line, Port::Any, clock).await;
        let service = Service::at(site.origin(broker.addr()));
        Self { broker, line, service, folder, site }
    }

    /// Ends the broker and starts it again on the same folder and port.
    pub async fn restart_broker(self) -> Self {
        let (port, now) = (self.broker.addr().port(), self.broker.handle().now());
        self.broker.shutdown().await;
        let clock = Clock::frozen(now);
        let (folder, port) = (self.folder.path(), Port::Exactly(port));
        let broker = broker_at(self.site, folder, &self.line, port, clock).await;
        Self { broker, ..self }
    }

    /// Moves the broker's clock by more than the 60 s after which a side counts as offline, and waits
    /// until what fell due has been delivered.
    pub async fn over_a_minute_passes(&self) {
        self.broker.handle().advance(Duration::from_secs(61)).await;
        self.broker.handle().idle().await;
    }

    /// The broker's own address, past the line.
    pub fn origin(&self) -> String {
        self.service.origin().to_owned()
    }

    /// The customer's program on a display, where nobody needs to agree.
    pub async fn unattended(&self, pin: &str, display: &Display) -> Program {
        let conf = self.service.conf(pin, true, self.folder()).await;
        Program::start(unattended(display, &conf))
    }

    /// The customer's program on a display, where it asks.
    pub async fn attended(&self, pin: &str, display: &Display) -> Program {
        let mut command = presenter(display);
        command.arg("--conf").arg(self.service.conf(pin, false, self.folder()).await);
        Program::start(command)
    }

    /// Hears who is there.
    pub async fn companion(&self, pin: &str) -> Live {
        Live::companion(&self.origin(), pin).await
    }

    /// The broker's calls as they are made over the line.
    pub fn over_the_line(&self) -> Service {
        Service::at(self.site.origin(self.line.addr()))
    }

    /// A folder of the test's own.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }
}

/// A program without a display, whatever the test has.
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

/// The customer's program on a display, with nothing said yet.
pub fn presenter(display: &Display) -> Command {
    let mut command = plain(&built("deskhand-presenter"));
    command.env("DISPLAY", display.name());
    command
}

/// The same, with a conf by which nobody needs to agree.
pub fn unattended(display: &Display, conf: &Path) -> Command {
    let mut command = presenter(display);
    command.arg("--yes").arg("--conf").arg(conf);
    command
}

impl Site {
    fn origin(self, addr: SocketAddr) -> String {
        format!("{}://{addr}", if self.secured { "https" } else { "http" })
    }
}

async fn broker_at(site: Site, folder: &Path, line: &Line, port: Port, clock: Clock) -> Running {
    let config = Config {
        ip: site.ip,
        port,
        clock,
        tls: site.secured.then(tls::files),
        public_url: site.ip.is_loopback().then(|| site.origin(line.addr()).parse().unwrap()),
        allow_unattended: true,
        programs: vec![ProgramFile {
            platform: format!("{}-{}", std::env::consts::OS, std::env::consts::ARCH),
            path: built("deskhand-presenter"),
        }],
        ..Config::embedded(folder.join("broker"))
    };
    let broker = Broker::start(config).await.unwrap();
    line.leads_to(broker.addr());
    broker
}
