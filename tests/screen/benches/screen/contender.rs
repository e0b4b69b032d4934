//! A measured server: a display with the test window, and the programs that bring it into a page.

use std::{path::Path, process::Command};

use broker::{Broker, Config};
use screen_tests::{
    display::{Display, free_port},
    live::LiveConnection,
    process::{Cost, Program, cost_of},
    service::Service,
    subject::Subject,
    world::unattended,
};

/// Makes this binary the broker, in a process of its own; its value is the broker's folder.
const ROLE: &str = "DESKHAND_BENCH_BROKER";

/// The size of each screen.
pub const SIZE: (u16, u16) = (1920, 1080);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Ours,
    TigerVnc,
    X11Vnc,
}

impl Kind {
    pub const ALL: [Self; 3] = [Self::Ours, Self::TigerVnc, Self::X11Vnc];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Ours => "ours",
            Self::TigerVnc => "tigervnc",
            Self::X11Vnc => "x11vnc",
        }
    }

    pub async fn start(self) -> Contender {
        match self {
            Self::Ours => ours().await,
            Self::TigerVnc => tigervnc(),
            Self::X11Vnc => x11vnc(),
        }
    }
}

/// A running server with its programs.
pub struct Contender {
    pub subject: Subject,
    /// The page that shows the screen.
    pub url: String,
    display: Display,
    servers: Vec<Program>,
    _folder: tempfile::TempDir,
}

impl Contender {
    /// The CPU time and memory of the server's side so far. The display's server always counts,
    /// because Xtigervnc is display and VNC server in one; the subject and the browser don't count.
    pub fn cost(&self) -> Cost {
        let servers = self.servers.iter().chain([&self.display.server]);
        cost_of(&servers.map(Program::id).collect::<Vec<_>>())
    }
}

/// The broker, if this binary was started as one.
pub async fn plays_the_broker() -> bool {
    let Some(folder) = std::env::var_os(ROLE) else { return false };
    let config = Config { allow_unattended: true, ..Config::embedded(folder) };
    let broker = Broker::start(config).await.unwrap();
    println!("{}", broker.origin());
    std::future::pending().await
}

/// Xvfb, the customer's program, the broker, and the broker's own page.
async fn ours() -> Contender {
    let display = Display::xvfb(SIZE.0, SIZE.1);
    let subject = Subject::on(&display);
    let folder = tempfile::tempdir().unwrap();
    let mut broker = Command::new(std::env::current_exe().unwrap());
    broker.env(ROLE, folder.path().join("broker"));
    let broker = Program::start(broker);
    let origin =
        broker.says("its address", |line| line.starts_with("http").then(|| line.to_owned()));
    let service = Service::at(origin);
    let pin = service.mint().await;
    let conf = service.conf(&pin, true, folder.path()).await;
    let presenter = Program::start(unattended(&display, &conf));
    LiveConnection::companion(service.origin(), &pin).await.until_sharing("shared").await;
    let url = service.viewer_url(&pin, "Anna", false).await;
    Contender { subject, url, display, servers: vec![broker, presenter], _folder: folder }
}

fn tigervnc() -> Contender {
    let (display, port) = Display::xtigervnc(SIZE.0, SIZE.1);
    behind_websockify(display, port, Vec::new())
}

fn x11vnc() -> Contender {
    let display = Display::xvfb(SIZE.0, SIZE.1);
    let port = free_port();
    let mut command = Command::new("x11vnc");
    command.args(["-display", display.name(), "-rfbport", &port.to_string()]);
    command.args(["-localhost", "-forever", "-shared", "-nopw", "-norc"]);
    let server = Program::start(command);
    server.says("its port", |line| line.starts_with("PORT=").then_some(()));
    behind_websockify(display, port, vec![server])
}

/// Debian's websockify, with a page that does nothing but show the screen by the noVNC that our own
/// viewer's page has.
fn behind_websockify(display: Display, rfb: u16, mut servers: Vec<Program>) -> Contender {
    let folder = tempfile::tempdir().unwrap();
    let novnc = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../ui/node_modules/@novnc/novnc");
    let novnc = novnc.canonicalize().expect("noVNC is missing: ./bench screen installs it");
    std::os::unix::fs::symlink(novnc, folder.path().join("novnc")).unwrap();
    std::fs::write(folder.path().join("index.html"), include_str!("peer.html")).unwrap();
    let port = free_port();
    let mut command = Command::new("websockify");
    command.arg("--web").arg(folder.path()).arg(format!("127.0.0.1:{port}"));
    let server = Program::start({
        command.arg(format!("127.0.0.1:{rfb}"));
        command
    });
    server.complains("that it serves", |line| line.contains("proxying from").then_some(()));
    servers.push(server);
    Contender {
        subject: Subject::on(&display),
        url: format!("http://127.0.0.1:{port}/index.html"),
        display,
        servers,
        _folder: folder,
    }
}
