//! A server that answers with bytes of the test's choosing, so that they needn't be HTTP at all.

use std::{
    future::Future,
    sync::{Arc, Mutex},
};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    sync::mpsc,
    task::JoinHandle,
};

/// What the server does with a request.
pub enum Answer {
    /// Sends these bytes and waits for the next request.
    Send(Vec<u8>),
    /// Sends these bytes and closes the connection.
    SendAndClose(Vec<u8>),
    /// Sends these bytes and then nothing until the client goes away.
    SendAndHold(Vec<u8>),
}

/// A request as it came.
#[derive(Clone, Debug)]
pub struct Request {
    /// The path with its query.
    pub target: String,
    /// The client's port: which connection it is.
    pub port: u16,
}

pub struct Server {
    /// `http://127.0.0.1:PORT`.
    pub origin: String,
    requests: Arc<Mutex<Vec<Request>>>,
    /// A held client went away.
    pub gone: mpsc::UnboundedReceiver<()>,
    accepting: JoinHandle<()>,
}

impl Server {
    /// Serves every request by `answer`.
    pub async fn start<F>(answer: impl Fn(Request) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Answer> + Send + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let origin = format!("http://{}", listener.local_addr().unwrap());
        let requests = Arc::<Mutex<Vec<Request>>>::default();
        let (left, gone) = mpsc::unbounded_channel();
        let (answer, seen) = (Arc::new(answer), requests.clone());
        let accepting = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (answer, seen, left) = (answer.clone(), seen.clone(), left.clone());
                tokio::spawn(async move { converse(stream, &*answer, &seen, &left).await });
            }
        });
        Self { origin, requests, gone, accepting }
    }

    /// Answers every request with these bytes and closes the connection.
    pub async fn saying(bytes: impl Into<Vec<u8>>) -> Self {
        let bytes = bytes.into();
        Self::start(move |_| std::future::ready(Answer::SendAndClose(bytes.clone()))).await
    }

    /// Takes every request and never answers.
    pub async fn silent() -> Self {
        Self::start(|_| std::future::ready(Answer::SendAndHold(Vec::new()))).await
    }

    pub fn requests(&self) -> Vec<Request> {
        self.requests.lock().unwrap().clone()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

/// A whole HTTP answer.
pub fn http(status: &str, kind: &str, body: &[u8]) -> Vec<u8> {
    let length = body.len();
    let head =
        format!("HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\n\r\n");
    [head.as_bytes(), body].concat()
}

/// An answer of 200 with JSON.
pub fn json(body: &str) -> Vec<u8> {
    http("200 OK", "application/json; charset=utf-8", body.as_bytes())
}

async fn converse<F: Future<Output = Answer>>(
    mut stream: TcpStream,
    answer: &(impl Fn(Request) -> F + Send + Sync),
    seen: &Mutex<Vec<Request>>,
    left: &mpsc::UnboundedSender<()>,
) {
    let port = stream.peer_addr().unwrap().port();
    while let Some(target) = read_request(&mut stream).await {
        let request = Request { target, port };
        seen.lock().unwrap().push(request.clone());
        // A client that goes away ends the wait for an answer too.
        let mut byte = [0];
        let bytes = tokio::select! {
            bytes = answer(request) => bytes,
            _ = stream.read(&mut byte) => {
                let _ = left.send(());
                return;
            }
        };
        match bytes {
            Answer::Send(bytes) => {
                let _ = stream.write_all(&bytes).await;
            }
            Answer::SendAndClose(bytes) => {
                let _ = stream.write_all(&bytes).await;
                return;
            }
            Answer::SendAndHold(bytes) => {
                let _ = stream.write_all(&bytes).await;
                while stream.read(&mut byte).await.is_ok_and(|read| read > 0) {}
                let _ = left.send(());
                return;
            }
        }
    }
}

/// Reads a request with its body; gives its target.
async fn read_request(stream: &mut TcpStream) -> Option<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.ok()?);
    }
    let head = String::from_utf8(head).unwrap();
    let length = head
        .lines()
        .filter_map(|line| line.split_once(':'))
        .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
        .map_or(0, |(_, length)| length.trim().parse().unwrap());
    stream.read_exact(&mut vec![0; length]).await.ok()?;
    Some(head.split(' ').nth(1)?.to_owned())
}
