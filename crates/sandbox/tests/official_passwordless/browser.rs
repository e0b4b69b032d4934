//! The makers' client for pages, in headless Chromium with a virtual authenticator.

use std::{
    io::{BufRead as _, BufReader},
    net::Ipv4Addr,
    process::{Child, Command, Stdio},
};

use axum::{
    Router,
    http::{Method, header},
    response::Html,
    routing::get,
};
use fantoccini::{Client, ClientBuilder, wd::WebDriverCompatibleCommand};
use hyper_util::client::legacy::connect::HttpConnector;
use sandbox::passwordless::Passwordless;
use serde_json::{Value, json};
use serve::{Limits, Port, Server};
use url::{ParseError, Url};

use crate::backend::{clients, installed};

/// A chromedriver, ended with its test.
pub(crate) struct Driver {
    child: Child,
    url: String,
    profile: tempfile::TempDir,
}

impl Driver {
    pub(crate) fn start() -> Self {
        let mut child = Command::new("chromedriver")
            .arg("--port=0")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("chromedriver is missing: run ./test, which installs it");
        let out = BufReader::new(child.stdout.take().unwrap());
        let mark = "started successfully on port ";
        let port = out.lines().map_while(Result::ok).find_map(|line| {
            let (_, rest) = line.split_once(mark)?;
            rest.trim_end_matches('.').parse::<u16>().ok()
        });
        let url = format!("http://127.0.0.1:{}", port.expect("chromedriver did not start"));
        Self { child, url, profile: tempfile::tempdir().unwrap() }
    }

    async fn browser(&self) -> Client {
        let args = [
            "--headless=new".to_owned(),
            "--no-sandbox".into(),
            "--disable-gpu".into(),
            "--disable-dev-shm-usage".into(),
            "--disable-background-networking".into(),
            "--no-first-run".into(),
            format!("--user-data-dir={}", self.profile.path().display()),
        ];
        let capabilities = json!({ "goog:chromeOptions": { "args": args } });
        let browser = ClientBuilder::new(HttpConnector::new())
            .capabilities(capabilities.as_object().unwrap().clone())
            .connect(&self.url)
            .await
            .unwrap();
        browser.issue_cmd(AddAuthenticator).await.unwrap();
        browser
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// WebDriver's "Add Virtual Authenticator": a device of this computer, whose owner always agrees.
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

/// A page on `http://localhost:PORT` that has the makers' client.
pub(crate) struct Page {
    browser: Client,
    _server: Server,
    config: Value,
}

impl Page {
    pub(crate) async fn open(driver: &Driver, service: &Passwordless) -> Self {
        Self::open_with(driver, &service.base_url(), service.api_key()).await
    }

    pub(crate) async fn open_with(driver: &Driver, api_url: &str, api_key: &str) -> Self {
        let dist = clients().join("node_modules/@passwordlessdev/passwordless-client/dist");
        let script = installed(dist.join("esm/passwordless.min.mjs"));
        let script = std::fs::read_to_string(script).unwrap();
        let kind = [(header::CONTENT_TYPE, "text/javascript")];
        let routes = Router::new()
            .route("/", get(|| async { Html("<!doctype html><title>A page</title>") }))
            .route("/client.mjs", get(move || async move { (kind, script) }));
        let bound = serve::bind(Ipv4Addr::LOCALHOST.into(), Port::Any).unwrap();
        let origin = format!("http://localhost:{}", bound.addr().port());
        let server = Server::start(bound, routes, Limits::default(), None).unwrap();
        let browser = driver.browser().await;
        browser.goto(&origin).await.unwrap();
        let config = json!({ "apiUrl": api_url, "apiKey": api_key });
        Self { browser, _server: server, config }
    }

    /// The token that a call of the client ends with.
    pub(crate) async fn token(&self, call: &str, args: Value) -> String {
        let ended = self.call(call, args).await;
        ended["token"].as_str().unwrap_or_else(|| panic!("{call}: {ended}")).to_owned()
    }

    /// The error that a call of the client ends with.
    pub(crate) async fn error(&self, call: &str, args: Value) -> Value {
        let mut ended = self.call(call, args).await;
        assert!(ended["error"].is_object(), "{call}: {ended}");
        ended["error"].take()
    }

    async fn call(&self, call: &str, args: Value) -> Value {
        let script = "const [config, call, args, done] = arguments;
            import('/client.mjs')
              .then(({ Client }) => new Client(config)[call](...args))
              .then(done, (error) => done({ threw: String(error) }));";
        let args = vec![self.config.clone(), call.into(), args];
        self.browser.execute_async(script, args).await.unwrap()
    }

    pub(crate) async fn close(self) {
        self.browser.close().await.unwrap();
    }
}
