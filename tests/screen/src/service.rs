//! The calls of a broker, as a console makes them.

use std::path::{Path, PathBuf};

use reqwest::Response;
use serde_json::{Value, json};

use crate::{PATIENCE, tls};

/// A broker at an address.
#[derive(Debug, Clone)]
pub struct Service {
    origin: String,
    http: reqwest::Client,
}

impl Service {
    /// The broker at this origin.
    pub fn at(origin: String) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let certificate =
            reqwest::Certificate::from_pem(&std::fs::read(tls::certificate()).unwrap());
        // No idle connections: the broker may close one at the moment when it is used again.
        let http =
            reqwest::Client::builder().no_proxy().pool_max_idle_per_host(0).timeout(PATIENCE);
        let http = http.tls_certs_only([certificate.unwrap()]).build().unwrap();
        Self { origin, http }
    }

    /// The broker's origin.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// The answer to a GET.
    pub async fn get(&self, path: &str) -> Value {
        answer(self.http.get(format!("{}/api/v1{path}", self.origin)).send().await.unwrap()).await
    }

    /// The bytes that a GET delivers.
    pub async fn download(&self, path: &str) -> Vec<u8> {
        let given = self.http.get(format!("{}/api/v1{path}", self.origin)).send().await.unwrap();
        assert!(given.status().is_success(), "{}", given.status());
        given.bytes().await.unwrap().to_vec()
    }

    /// The answer to a POST.
    pub async fn post(&self, path: &str, body: &Value) -> Value {
        let call = self.http.post(format!("{}/api/v1{path}", self.origin));
        answer(call.body(body.to_string()).send().await.unwrap()).await
    }

    /// The answer to a PUT.
    pub async fn put(&self, path: &str, body: &Value) -> Value {
        let call = self.http.put(format!("{}/api/v1{path}", self.origin));
        answer(call.body(body.to_string()).send().await.unwrap()).await
    }

    /// Makes a session and returns its PIN.
    pub async fn mint(&self) -> String {
        let answer = self.get("/session_pin?region=us-east-1").await;
        answer["session_pin"].as_str().unwrap().to_owned()
    }

    /// Writes the session's conf to a file. Anna of Example Support requests the screen.
    pub async fn conf(&self, pin: &str, unattended: bool, folder: &Path) -> PathBuf {
        let asker = json!({
            "session_pin": pin, "technician": "Anna Kim", "company": "Example Support",
            "unattended": unattended,
        });
        self.put("/x/asker", &asker).await;
        let given = self.get(&format!("/session_parameters?session_pin={pin}")).await;
        let file = folder.join(format!("{pin}.conf"));
        std::fs::write(&file, given["conf"].as_str().unwrap()).unwrap();
        file
    }

    /// The viewers' link by the PIN, at the broker's own address.
    pub async fn viewer_url(&self, pin: &str, name: &str, ro: bool) -> String {
        let given = self.get(&format!("/session_url?session_pin={pin}&ro={ro}&un={name}")).await;
        self.direct(given["url"].as_str().unwrap())
    }

    /// A viewer's link with a ticket, so that its role can't be changed.
    pub async fn ticket_url(&self, pin: &str, name: &str, role: &str) -> String {
        let wish = json!({ "session_pin": pin, "role": role, "name": name });
        let given = self.post("/x/viewer_link", &wish).await;
        self.direct(given["url"].as_str().unwrap())
    }

    /// The same link, but to the broker itself instead of the test's link to it.
    fn direct(&self, url: &str) -> String {
        let path = url.match_indices('/').nth(2).unwrap().0;
        format!("{}{}", self.origin, &url[path..])
    }
}

async fn answer(response: Response) -> Value {
    let status = response.status();
    let text = response.text().await.unwrap();
    assert!(status.is_success(), "{status}: {text}");
    serde_json::from_str(&text).unwrap()
}
