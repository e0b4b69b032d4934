//! Headless Chromium, driven by chromedriver, for the tests of every page.
#![allow(clippy::unwrap_used)]

use std::{
    io::{BufRead as _, BufReader},
    process::{Child, Command, Stdio},
    time::Duration,
};

use fantoccini::{Client, ClientBuilder, wd::WebDriverCompatibleCommand};
use http::Method;
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};
use url::{ParseError, Url};

/// How long a script in a page may take: long enough for a loaded machine.
const SCRIPT: Duration = Duration::from_secs(60);
/// How often it is started: see [`Driver::start`].
const STARTS: usize = 10;

/// A chromedriver and its browsers' profiles, ended with its test.
#[derive(Debug)]
pub struct Driver {
    child: Child,
    url: String,
    profiles: tempfile::TempDir,
    /// The display that its windows are on, if they can be seen.
    display: Option<String>,
}

impl Driver {
    /// Starts one. It takes a free port of one address and then the same port of another; where that is
    /// taken, it ends, and another is started.
    ///
    /// # Panics
    /// Where none starts.
    pub fn start() -> Self {
        Self::start_with(None)
    }

    /// One whose browsers have windows on a display, with that one's keyboard.
    ///
    /// # Panics
    /// Where none starts.
    pub fn start_on(display: &str) -> Self {
        Self::start_with(Some(display))
    }

    fn start_with(display: Option<&str>) -> Self {
        (0..STARTS).find_map(|_| Self::try_start(display)).expect("chromedriver found no port")
    }

    fn try_start(display: Option<&str>) -> Option<Self> {
        let child = Command::new("chromedriver")
            .arg("--port=0")
            .envs(display.map(|name| ("DISPLAY", name)))
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("chromedriver is missing: run ./test, which installs it");
        let profiles = tempfile::tempdir().unwrap();
        let display = display.map(str::to_owned);
        let mut driver = Self { child, url: String::new(), profiles, display };
        let out = BufReader::new(driver.child.stdout.take()?);
        let port = out.lines().map_while(Result::ok).find_map(|line| {
            let (_, rest) = line.split_once("started successfully on port ")?;
            rest.trim_end_matches('.').parse::<u16>().ok()
        });
        driver.url = format!("http://127.0.0.1:{}", port?);
        Some(driver)
    }

    /// A browser with a profile of its own, into which it downloads, and a window of this size.
    ///
    /// # Panics
    /// Where it can't be started.
    pub async fn browser(&self, name: &str, width: u16, height: u16) -> Client {
        let profile = self.profiles.path().join(name);
        let headless = self.display.is_none().then(|| "--headless=new".to_owned());
        let args = [
            "--no-sandbox".to_owned(),
            "--disable-gpu".into(),
            "--disable-dev-shm-usage".into(),
            "--disable-background-networking".into(),
            // A page that nobody looks at goes on as if somebody did.
            "--disable-background-timer-throttling".into(),
            "--disable-renderer-backgrounding".into(),
            "--disable-backgrounding-occluded-windows".into(),
            "--no-first-run".into(),
            format!("--window-size={width},{height}"),
            format!("--user-data-dir={}", profile.display()),
        ];
        let args: Vec<String> = headless.into_iter().chain(args).collect();
        let options = json!({
            "args": args,
            "prefs": { "download.default_directory": profile },
        });
        let wanted = json!({
            "goog:chromeOptions": options,
            "timeouts": { "script": SCRIPT.as_millis() as u64 },
            // The tests' own are signed by nobody.
            "acceptInsecureCerts": true,
        });
        let Value::Object(wanted) = wanted else { unreachable!("it is an object") };
        let mut client = ClientBuilder::new(HttpConnector::new());
        client.capabilities(wanted).connect(&self.url).await.unwrap()
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Calls a method of Chromium's DevTools, for what WebDriver lacks.
///
/// # Panics
/// Where the browser knows no such method.
pub async fn devtools(browser: &Client, method: &str, parameters: Value) -> Value {
    let call = DevTools { method: method.to_owned(), parameters };
    browser.issue_cmd(call).await.unwrap()
}

/// Chromedriver's "Execute a Chrome DevTools command".
#[derive(Debug)]
struct DevTools {
    method: String,
    parameters: Value,
}

impl WebDriverCompatibleCommand for DevTools {
    fn endpoint(&self, base: &Url, session: Option<&str>) -> Result<Url, ParseError> {
        base.join(&format!("session/{}/goog/cdp/execute", session.unwrap_or_default()))
    }

    fn method_and_body(&self, _: &Url) -> (Method, Option<String>) {
        let call = json!({ "cmd": self.method, "params": self.parameters });
        (Method::POST, Some(call.to_string()))
    }
}

/// Gives the browser a passkey device of this computer, whose owner always agrees.
///
/// # Panics
/// Where the browser takes none.
pub async fn add_passkey_device(browser: &Client) {
    browser.issue_cmd(AddAuthenticator).await.unwrap();
}

/// WebDriver's "Add Virtual Authenticator".
#[derive(Debug)]
struct AddAuthenticator;

impl WebDriverCompatibleCommand for AddAuthenticator {
    fn endpoint(&self, base: &Url, session: Option<&str>) -> Result<Url, ParseError> {
        base.join(&format!("session/{}/webauthn/authenticator", session.unwrap_or_default()))
    }

    fn method_and_body(&self, _: &Url) -> (Method, Option<String>) {
        let device = json!({
            "protocol": "ctap2", "transport": "internal", "hasResidentKey": true,
            "hasUserVerification": true, "isUserVerified": true, "isUserConsenting": true,
        });
        (Method::POST, Some(device.to_string()))
    }
}
