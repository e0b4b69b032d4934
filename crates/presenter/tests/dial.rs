//! Calls over real sockets: who asks, and whom a certificate is believed.

#![allow(clippy::unwrap_used)]

use std::{net::SocketAddr, path::Path, sync::Arc};

use presenter::{
    dial::{DialError, Dialler},
    end_reason::EndReason,
    requester,
};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpSocket},
};
use tokio_rustls::TlsAcceptor;

#[tokio::test]
async fn the_broker_says_who_asks() {
    let body = r#"{"success":true,"technician":"Anna","company":"Example","new":1}"#;
    let (asked, answer) = ask(&answer("200 OK", body)).await;
    let asker = answer.unwrap();
    assert_eq!((asker.technician.as_str(), asker.company.as_str()), ("Anna", "Example"));
    assert!(asked.starts_with("GET /api/v1/x/asker?session_pin=7W2-97-8570 HTTP/1.1\r\n"));
}

#[tokio::test]
async fn a_refusal_says_what_to_do() {
    for (status, ended) in [
        ("404 Not Found", EndReason::UnknownPin),
        ("410 Gone", EndReason::PinOver),
        ("403 Forbidden", EndReason::Blocked),
        ("429 Too Many Requests", EndReason::TooMany),
    ] {
        let refused = answer(status, r#"{"success":false,"error":"prose"}"#);
        assert_eq!(ask(&refused).await.1, Err(ended));
    }
}

#[tokio::test]
async fn what_is_no_broker_is_said_to_be_none() {
    let html = answer("200 OK", "<html>");
    let endless = answer("200 OK", &"x".repeat(100_000));
    for said in [html, endless, b"SSH-2.0-OpenSSH\r\n".to_vec(), Vec::new()] {
        let met = ask(&said).await.1;
        assert!(matches!(met, Err(EndReason::Unreachable(DialError::Answer(_)))), "{met:?}");
    }
}

#[tokio::test]
async fn nobody_there_is_unreachable() {
    // Held, so that nobody else gets the port and answers.
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let addr = socket.local_addr().unwrap();
    let met = dialler(addr, "http", None).get("/").await;
    assert_eq!(met, Err(DialError::Unreachable(addr.to_string())));
}

#[tokio::test]
async fn a_certificate_is_believed_only_if_it_is_trusted() {
    let addr = tls().await;
    let untrusted = dialler(addr, "https", None).get("/").await;
    assert_eq!(untrusted, Err(DialError::Certificate(addr.to_string())));
    let (status, _) = dialler(addr, "https", Some(&fixture("cert"))).get("/").await.unwrap();
    assert_eq!(status, 200);
    let refused = Dialler::new(&url(addr, "https"), Some(&fixture("key")));
    assert_eq!(refused.err(), Some(DialError::Ca));
}

#[test]
fn only_web_addresses_are_dialled_and_only_their_origin() {
    for wrong in ["ftp://a", "data:text/plain,a", "file:///tmp"] {
        assert_eq!(Dialler::new(&wrong.parse().unwrap(), None).err(), Some(DialError::Address));
    }
    let dialler = Dialler::new(&"http://me:secret@a.example:81/b?c".parse().unwrap(), None);
    let dialler = dialler.unwrap();
    assert_eq!((dialler.host().as_str(), dialler.is_open_to_readers()), ("a.example:81", true));
}

/// Asks somebody who says `said`, whatever is asked.
async fn ask(said: &[u8]) -> (String, Result<wire::shared_screen::Requester, EndReason>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let dialler = dialler(listener.local_addr().unwrap(), "http", None);
    let pin = "7W2-97-8570".parse().unwrap();
    let answering = async {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut asked = vec![0; 4096];
        let length = stream.read(&mut asked).await.unwrap();
        let _ = stream.write_all(said).await;
        String::from_utf8_lossy(&asked[..length]).into_owned()
    };
    tokio::join!(answering, requester::fetch(&dialler, &pin))
}

fn answer(status: &str, body: &str) -> Vec<u8> {
    format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\n\r\n{body}", body.len()).into_bytes()
}

/// Somebody who answers with TLS, by a certificate that no computer trusts by itself.
async fn tls() -> SocketAddr {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let certificates = CertificateDer::pem_file_iter(fixture("cert")).unwrap();
    let key = PrivateKeyDer::from_pem_file(fixture("key")).unwrap();
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(certificates.map(Result::unwrap).collect(), key)
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let Ok(mut stream) = acceptor.accept(stream).await else { continue };
            let mut asked = vec![0; 4096];
            let _ = stream.read(&mut asked).await;
            let _ = stream.write_all(&answer("200 OK", "{}")).await;
        }
    });
    addr
}

fn fixture(what: &str) -> std::path::PathBuf {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../serve/tests/fixtures");
    fixtures.join(format!("test-only.{what}.pem"))
}

fn dialler(addr: SocketAddr, scheme: &str, ca: Option<&Path>) -> Dialler {
    Dialler::new(&url(addr, scheme), ca).unwrap()
}

fn url(addr: SocketAddr, scheme: &str) -> url::Url {
    format!("{scheme}://{addr}").parse().unwrap()
}
