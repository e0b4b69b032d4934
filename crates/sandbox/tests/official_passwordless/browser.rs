//! The makers' client for pages, in headless Chromium with a virtual authenticator.

use std::net::Ipv4Addr;

use axum::{Router, http::header, response::Html, routing::get};
use browser_tests::{Driver, add_passkey_device};
use fantoccini::Client;
use sandbox::passwordless::Passwordless;
use serde_json::{Value, json};
use serve::{Limits, Port, Server};

use crate::backend::{clients, installed};

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
        let browser = driver.browser("page", 1100, 900).await;
        add_passkey_device(&browser).await;
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
