//! A remote-support service whose viewer page wants out: it answers the calls, and its page tries everything.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Read as _, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use serde_json::{Value, json};

use crate::eventually;

/// The PIN that it gives out.
pub const PIN: &str = "7W2-97-8570";

/// A server on loopback that remembers what it was asked for.
pub struct Service {
    address: SocketAddr,
    requests: Arc<Mutex<Vec<Request>>>,
}

/// A request: `GET /path?query`, and its body.
#[derive(Clone)]
struct Request {
    line: String,
    body: Vec<u8>,
}

impl Service {
    /// Starts it. It ends with the process.
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let requests = Arc::new(Mutex::new(Vec::new()));
        let remembered = Arc::clone(&requests);
        thread::spawn(move || {
            for connection in listener.incoming().flatten() {
                let remembered = Arc::clone(&remembered);
                thread::spawn(move || serve(connection, address, &remembered));
            }
        });
        Self { address, requests }
    }

    /// Its origin.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// What it was asked for, as `GET /path?query`.
    pub fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().iter().map(|request| request.line.clone()).collect()
    }

    /// Forgets what it was asked for, hooks as well.
    pub fn clear_requests(&self) {
        self.requests.lock().unwrap().clear();
    }

    /// The secret parts of the hooks' URLs.
    pub fn hook_tokens(&self) -> BTreeSet<String> {
        let requests = self.requests.lock().unwrap();
        let hooks = requests.iter().filter(|request| request.line == "PUT /api/v1/hook/");
        let url = |hook: &Request| {
            let hook: Value = serde_json::from_slice(&hook.body).unwrap();
            hook["url"].as_str().unwrap().rsplit('/').next().unwrap().to_owned()
        };
        hooks.map(url).collect()
    }

    /// Where a hook of this type goes, once it is armed.
    pub async fn hook(&self, kind: &str) -> String {
        let armed = || {
            let requests = self.requests.lock().unwrap();
            let hooks = requests.iter().filter(|request| request.line == "PUT /api/v1/hook/");
            let mut hooks =
                hooks.map(|request| serde_json::from_slice::<Value>(&request.body).unwrap());
            Some(hooks.find(|hook| hook["type"] == kind)?["url"].as_str()?.to_owned())
        };
        eventually(format!("the hook {kind}"), async || armed()).await
    }

    /// Makes what a hook of this type is for happen, once the hook is armed: its URL is called.
    pub async fn fire(&self, kind: &str) {
        let answer = call(&self.hook(kind).await);
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    }
}

/// Posts to a hook and returns what came back.
pub fn call(url: &str) -> String {
    let (host, path) = url.strip_prefix("http://").unwrap().split_once('/').unwrap();
    let mut connection = TcpStream::connect(host).unwrap();
    let post = format!(
        "POST /{path} HTTP/1.1\r\nHost: {host}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    );
    connection.write_all(post.as_bytes()).unwrap();
    let mut answer = String::new();
    connection.read_to_string(&mut answer).unwrap();
    answer
}

fn serve(mut connection: TcpStream, address: SocketAddr, asked: &Mutex<Vec<Request>>) {
    let mut reader = BufReader::new(connection.try_clone().unwrap());
    while let Some(request) = read(&mut reader) {
        let answer = answer(&request.line, address);
        asked.lock().unwrap().push(request);
        if connection.write_all(answer.as_bytes()).is_err() {
            return;
        }
    }
}

/// The next request, without its headers.
fn read(reader: &mut impl BufRead) -> Option<Request> {
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    let line = line.rsplit_once(' ')?.0.to_owned();
    let mut length = 0;
    loop {
        let mut header = String::new();
        reader.read_line(&mut header).ok()?;
        let Some((name, value)) = header.trim().split_once(':') else { break };
        if name.eq_ignore_ascii_case("content-length") {
            length = value.trim().parse().ok()?;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some(Request { line, body })
}

fn answer(request: &str, address: SocketAddr) -> String {
    let path = request.split([' ', '?']).nth(1).unwrap_or_default();
    match path {
        "/api/v1/regions" => ok("application/json", &json!(["here"]).to_string()),
        "/api/v1/session_pin" => ok("application/json", &json!({"success": true, "session_pin": PIN}).to_string()),
        "/api/v1/hook/" => ok("application/json", &json!({"success": true}).to_string()),
        "/api/v1/chat" => ok("application/json", &json!({"success": true, "chat": []}).to_string()),
        "/api/v1/session_url" => {
            let url = format!("http://{address}/view?session_pin={PIN}&un=&ro=false");
            ok("application/json", &json!({"success": true, "url": url}).to_string())
        }
        "/view" => ok("text/html", "<!doctype html><title>Deskhand settings</title><h1>Viewer</h1>"),
        "/file" => "HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\nContent-Disposition: attachment; filename=x.exe\r\nContent-Length: 2\r\n\r\nMZ".into(),
        "/redirect" => {
            let target = request.split_once("to=").map_or("", |(_, target)| target);
            format!("HTTP/1.1 302 Found\r\nLocation: {target}\r\nContent-Length: 0\r\n\r\n")
        }
        _ => ok("text/plain", "here"),
    }
}

/// As the services answer: a viewer window that is driven by a test isn't ephemeral, and would keep the address.
fn ok(kind: &str, body: &str) -> String {
    format!(
        "HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nCache-Control: no-store\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
}
