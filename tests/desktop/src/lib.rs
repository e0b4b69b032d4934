//! A desktop for one test: a display, a window manager, a bus, folders and a WebDriver of its own, which all end with
//! the test. Programs are started on it by their path, so this crate is built without any of them.

#![allow(clippy::unwrap_used, clippy::missing_panics_doc)]

pub mod page;
pub mod service;
pub mod shell;

use std::fmt::Display;
use std::fs::OpenOptions;
use std::future::Future;
use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;

use fantoccini::{Client, ClientBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::time::Instant;

/// How long a test waits before it fails and says what it waited for: longer than any machine needs.
pub const PATIENCE: Duration = Duration::from_secs(60);
/// How many seconds the WebDriver may take to begin a session with an app, the first time and each further time.
const STARTS_WITHIN: [u64; 4] = [15, 20, 30, 60];

/// The private desktop. Dropping it ends every process that was started on it.
pub struct Desktop {
    app: &'static str,
    home: TempDir,
    display: String,
    bus: String,
    settings: Vec<(&'static str, String)>,
    groups: Vec<Child>,
}

impl Desktop {
    /// Starts a display, a bus and a window manager for the program at the path `app`.
    pub async fn new(app: &'static str) -> Self {
        let home = TempDir::new().unwrap();
        for folder in ["data", "config", "cache", "state", "run"] {
            std::fs::create_dir(home.path().join(folder)).unwrap();
        }
        private(&home.path().join("run"));
        catch_links(home.path());
        let mut desktop = Self {
            app,
            home,
            display: String::new(),
            bus: String::new(),
            settings: Vec::new(),
            groups: Vec::new(),
        };
        let mut screen = Command::new("Xvfb");
        // Without -noreset it starts anew whenever its last client leaves, under the feet of the next one.
        screen.args([
            "-displayfd",
            "1",
            "-screen",
            "0",
            "1280x800x24",
            "-nolisten",
            "tcp",
            "-noreset",
        ]);
        // What is on the screen can be read from a file, without asking for it.
        screen.arg("-fbdir").arg(desktop.home.path());
        desktop.display = format!(":{}", desktop.start_and_find(screen, ""));
        let mut bus = Command::new("dbus-daemon");
        bus.args(["--session", "--nofork", "--print-address=1"]);
        desktop.bus = desktop.start_and_find(bus, "");
        desktop.start(Command::new("openbox"));
        let managed = async || desktop.tool("wmctrl", &["-m"]).status.success().then_some(());
        eventually("a window manager", managed).await;
        desktop
    }

    /// The name of the display.
    pub fn display(&self) -> &str {
        &self.display
    }

    /// The folder that holds everything the app writes.
    pub fn home(&self) -> &Path {
        self.home.path()
    }

    /// Waits for a link that was opened in the desktop's browser.
    pub async fn opened_link(&self) -> String {
        let caught = self.home().join(OPENED);
        // Taken at once, or a newer link that comes while this one is read would be lost.
        let own = self.home().join("taken-link");
        let taken = async || {
            std::fs::rename(&caught, &own).ok()?;
            Some(std::fs::read_to_string(&own).unwrap())
        };
        eventually("a link to be opened", taken).await
    }

    /// Sets a variable for every app that is started from now on.
    pub fn set(&mut self, variable: &'static str, value: String) {
        self.settings.push((variable, value));
    }

    /// The bus's address.
    pub fn bus(&self) -> &str {
        &self.bus
    }

    /// Starts the app under a WebDriver of its own and waits for its main window.
    ///
    /// WebKit's driver sometimes never answers the first request when the machine is busy (it waits for a message that
    /// came before it listened), so that request alone has a deadline and is made again, with a new app.
    pub async fn open_app(&mut self) -> Client {
        self.open(self.app).await
    }

    /// Starts any program with a web view in the same way.
    pub async fn open(&mut self, program: &str) -> Client {
        for patience in STARTS_WITHIN.map(Duration::from_secs) {
            self.forgotten().await;
            let (host, port) = driver_address();
            let mut driver = Command::new("WebKitWebDriver");
            driver.args([format!("--host={host}"), format!("--port={port}")]);
            driver.env("TAURI_WEBVIEW_AUTOMATION", "true");
            self.start(driver);
            let listening = async || std::net::TcpStream::connect((host.as_str(), port)).ok();
            drop(eventually("the WebDriver", listening).await);
            let url = format!("http://{host}:{port}");
            match tokio::time::timeout(patience, connect(&url, program)).await {
                Ok(connected) => return connected.unwrap(),
                Err(_) => self.end_newest(),
            }
        }
        panic!("waited in vain for a WebDriver session with the app");
    }

    /// Waits until the bus has forgotten an app that was killed: one that still finds it there takes itself for a
    /// second start, and ends.
    pub async fn forgotten(&self) {
        const LIST: &str = "org.freedesktop.DBus.ListNames";
        let gone = async || {
            let list = ["--session", "--print-reply", "--dest=org.freedesktop.DBus", "/", LIST];
            let listed = self.tool("dbus-send", &list);
            let names = String::from_utf8_lossy(&listed.stdout);
            (listed.status.success() && !names.contains("SingleInstance")).then_some(())
        };
        eventually("the bus to forget the killed app", gone).await;
    }

    /// Ends the app as a power cut would: at once, and its WebDriver with it.
    pub fn kill_app(&mut self) {
        end(self.groups.pop().unwrap());
    }

    /// What apps and drivers have written to standard error.
    pub fn log(&self) -> PathBuf {
        self.home.path().join("stderr.log")
    }

    /// Starts the app a second time, as by a click on its icon, and waits for that start to end.
    pub async fn start_again(&self) -> Output {
        let command = self.inside(Command::new(self.app));
        tokio::process::Command::from(command).output().await.unwrap()
    }

    /// Runs a program on this desktop and waits for it.
    pub fn tool(&self, program: &str, arguments: &[&str]) -> Output {
        let mut command = Command::new(program);
        command.args(arguments);
        self.inside(command).output().unwrap_or_else(|error| panic!("{program}: {error}"))
    }

    /// The titles of the windows that can be seen.
    pub fn visible_windows(&self) -> Vec<String> {
        let listed = self.tool("wmctrl", &["-l"]);
        let text = String::from_utf8(listed.stdout).unwrap();
        text.lines()
            .filter_map(|line| line.splitn(4, char::is_whitespace).nth(3))
            .map(clean_title)
            .collect()
    }

    /// The title of the window that has the keyboard.
    pub fn active_window(&self) -> String {
        let named = self.tool("xdotool", &["getactivewindow", "getwindowname"]);
        String::from_utf8(named.stdout).unwrap().trim().to_owned()
    }

    /// Brings a window to the front, as a click on it would.
    pub async fn activate(&self, title: &str) {
        let active = async || {
            self.tool("wmctrl", &["-F", "-a", title]);
            (self.active_window() == title).then_some(())
        };
        eventually(format!("{title} at the front"), active).await;
    }

    /// The processes behind the pages of this desktop's windows.
    pub fn web_processes(&self) -> Vec<u32> {
        let here = self.home.path().to_str().unwrap().as_bytes().to_vec();
        let is_one = |number: &u32| {
            let folder = PathBuf::from(format!("/proc/{number}"));
            // Another process may end while it is looked at.
            let command = std::fs::read(folder.join("cmdline")).unwrap_or_default();
            let program = command.split(|byte| *byte == 0).next().unwrap_or_default();
            let environment = std::fs::read(folder.join("environ")).unwrap_or_default();
            program.ends_with(b"WebKitWebProcess")
                && environment.windows(here.len()).any(|part| part == here)
        };
        let entries = std::fs::read_dir("/proc").unwrap().flatten();
        let numbers = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
        numbers.filter(is_one).collect()
    }

    /// Sends a signal, such as `KILL`, to a process.
    pub fn signal(&self, process: u32, signal: &str) {
        let sent = self.tool("kill", &["-s", signal, &process.to_string()]);
        assert!(sent.status.success(), "{sent:?}");
    }

    /// Waits for a window of this title, and gives it the keyboard.
    pub async fn window(&self, title: &str) {
        let there =
            async || self.visible_windows().iter().any(|shown| shown == title).then_some(());
        eventually(format!("the window {title:?}"), there).await;
        self.activate(title).await;
    }

    /// Waits until the log has a text as often as this.
    pub async fn logged(&self, text: &str, times: usize) {
        let said = async || (self.count_logged(text) >= times).then_some(());
        eventually(format!("{text:?} in the log"), said).await;
    }

    /// How often the log has a text.
    pub fn count_logged(&self, text: &str) -> usize {
        std::fs::read_to_string(self.log()).unwrap_or_default().matches(text).count()
    }

    /// Hides the main window, by its close button.
    pub async fn hide_main(&self) {
        let main = || self.visible_windows().contains(&"Deskhand".to_owned());
        eventually("the window on the screen", async || main().then_some(())).await;
        self.tool("wmctrl", &["-F", "-c", "Deskhand"]);
        eventually("the window to be gone", async || (!main()).then_some(())).await;
    }

    /// Starts a program that ends with this desktop, and returns its process id.
    // In a process group of its own, so that all that it starts ends with it, and with a parent-death signal, so that it
    // ends even if the test is killed.
    pub fn start(&mut self, command: Command) -> u32 {
        self.start_with(command, Stdio::null())
    }

    fn start_with(&mut self, command: Command, out: Stdio) -> u32 {
        let mut bound = Command::new("setpriv");
        bound.args(["--pdeathsig", "KILL"]).arg(command.get_program()).args(command.get_args());
        for (name, value) in command.get_envs() {
            bound.env(name, value.unwrap());
        }
        let mut bound = self.inside(bound);
        let log = OpenOptions::new().create(true).append(true).open(self.log()).unwrap();
        // Nobody reads it, so a pipe would be full one day, and the program would wait for ever.
        bound.stdin(Stdio::null()).stdout(out).stderr(log).process_group(0);
        let child = bound.spawn().unwrap_or_else(|error| panic!("{bound:?}: {error}"));
        let number = child.id();
        self.groups.push(child);
        number
    }

    /// Waits for the program that was started last to end by itself.
    pub async fn ended(&mut self) -> ExitStatus {
        let mut newest = self.groups.pop().unwrap();
        let mut look = || newest.try_wait().unwrap();
        eventually("the program to end", || std::future::ready(look())).await
    }

    /// Ends the program that was started last, and all that it started.
    pub fn end_newest(&mut self) {
        end(self.groups.pop().unwrap());
    }

    /// Starts a program and returns what follows `mark` in the first line that it prints with it.
    pub fn start_and_find(&mut self, command: Command, mark: &str) -> String {
        self.start_with(command, Stdio::piped());
        let stdout = self.groups.last_mut().unwrap().stdout.take().unwrap();
        let mut lines = BufReader::new(stdout).lines().map_while(Result::ok);
        let found = lines.find_map(|line| Some(line.split_once(mark)?.1.trim().to_owned()));
        // A program whose output nobody takes any more may end of it.
        std::thread::spawn(move || lines.for_each(drop));
        found.unwrap_or_else(|| panic!("a program ended before it said {mark:?}"))
    }

    /// The environment of this desktop, and nothing of the one that the tests run in.
    fn inside(&self, mut command: Command) -> Command {
        let folder = |name: &str| -> PathBuf { self.home.path().join(name) };
        command
            .env_remove("WAYLAND_DISPLAY")
            .env("DISPLAY", &self.display)
            .env("DBUS_SESSION_BUS_ADDRESS", &self.bus)
            .env("HOME", self.home.path())
            .env("PATH", format!("{}:{}", folder("bin").display(), std::env::var("PATH").unwrap()))
            .env("XDG_DATA_HOME", folder("data"))
            .env("XDG_CONFIG_HOME", folder("config"))
            .env("XDG_CACHE_HOME", folder("cache"))
            .env("XDG_STATE_HOME", folder("state"))
            .env("XDG_RUNTIME_DIR", folder("run"))
            .envs(self.settings.iter().map(|(name, value)| (*name, value)))
            // A keyring would ask for a password on a screen where nobody is.
            .env("DESKHAND_NO_KEYRING", "1")
            .env("NO_AT_BRIDGE", "1")
            .env("LC_ALL", "C.UTF-8");
        command
    }
}

impl Drop for Desktop {
    fn drop(&mut self) {
        self.groups.drain(..).rev().for_each(end);
    }
}

/// Where `catch_links` keeps the newest link.
const OPENED: &str = "opened-link";

/// Puts a program in place of the browser that writes the link to a file, from which a test reads it.
fn catch_links(home: &Path) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::create_dir(home.join("bin")).unwrap();
    let program = home.join("bin/xdg-open");
    let script = format!(
        "#!/bin/sh\nprintf %s \"$1\" >\"$HOME/{OPENED}.new\" && mv \"$HOME/{OPENED}.new\" \"$HOME/{OPENED}\"\n"
    );
    std::fs::write(&program, script).unwrap();
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
}

/// Ends a program and all that it started.
fn end(mut child: Child) {
    let group = format!("-{}", child.id());
    let _ = Command::new("kill").args(["-KILL", "--", &group]).stderr(Stdio::null()).status();
    let _ = child.wait();
}

/// Calls `condition` until it returns something, and fails with `what` if it never does.
pub async fn eventually<T, F>(what: impl Display, mut condition: impl FnMut() -> F) -> T
where
    F: Future<Output = Option<T>>,
{
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = condition().await {
            return found;
        }
        assert!(Instant::now() < deadline, "waited in vain for {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn connect(url: &str, program: &str) -> Result<Client, fantoccini::error::NewSessionError> {
    let options = json!({ "binary": program, "args": [] });
    let Value::Object(capabilities) = json!({ "webkitgtk:browserOptions": options }) else {
        unreachable!()
    };
    ClientBuilder::new(HttpConnector::new()).capabilities(capabilities).connect(url).await
}

/// An address that no other test uses: host and port come from the process id, no two of which lead to the same, and
/// the port from a counter as well.
fn driver_address() -> (String, u16) {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let id = std::process::id();
    let [_, a, b, c] = id.to_be_bytes();
    // Neither 0 nor 255 may end an address, so half of the last byte goes into the port.
    let (last, half) = (1 + c % 128, u16::from(c / 128));
    let port = 4_444 + half * 10_000 + NEXT.fetch_add(1, Ordering::Relaxed);
    (format!("127.{}.{b}.{last}", 1 + a % 254), port)
}

fn private(folder: &Path) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o700)).unwrap();
}

/// `wmctrl -l` separates the host from the title by one space, of which the split leaves none or some.
fn clean_title(title: &str) -> String {
    title.trim().split_once(' ').map_or_else(String::new, |(_, title)| title.to_owned())
}
