//! Senders of webhooks that wait for nothing: they send their POST and are gone.

use std::{
    io::{Read as _, Write as _},
    net::{Shutdown, SocketAddr, TcpStream},
    path::Path,
    sync::Arc,
};

use rustls::{
    ClientConfig, ClientConnection, RootCertStore, StreamOwned,
    pki_types::{CertificateDer, pem::PemObject as _},
    version::{TLS12, TLS13},
};
use url::Url;

/// How a sender goes when it has sent its POST.
#[derive(Debug, Clone, Copy)]
pub enum Leaving {
    /// It closes the connection.
    Closes,
    /// It says that it sends no more, and waits until the other side ends the connection.
    HalfCloses,
    /// It waits until the other side has all bytes and has said something, and resets the connection instead of reading that.
    Resets,
}

/// Sends all of these POSTs at once, each on a connection of its own that is closed when the last byte is written.
pub fn fire_and_forget(authority: &Path, urls: &[String]) {
    send(authority, urls, Leaving::Closes);
}

/// The same, by senders that go like this.
pub fn send(authority: &Path, urls: &[String], leaving: Leaving) {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(authority).unwrap()).unwrap();
    // With TLS 1.3 the server says something more after the handshake. Unread, it makes a reset of the close.
    let version = if matches!(leaving, Leaving::Resets) { &TLS13 } else { &TLS12 };
    let config = ClientConfig::builder_with_protocol_versions(&[version]);
    let config = Arc::new(config.with_root_certificates(roots).with_no_client_auth());
    std::thread::scope(|senders| {
        for url in urls {
            let config = config.clone();
            senders.spawn(move || post(config, &url.parse().unwrap(), leaving));
        }
    });
}

fn post(config: Arc<ClientConfig>, url: &Url, leaving: Leaving) {
    let (host, path) = (url.host_str().unwrap(), url.path());
    let socket = TcpStream::connect((host, 443)).unwrap();
    let connection = ClientConnection::new(config, host.to_owned().try_into().unwrap()).unwrap();
    let mut stream = StreamOwned::new(connection, socket);
    let head = format!("POST {path} HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json");
    stream.write_all(format!("{head}\r\nContent-Length: 2\r\n\r\n{{}}").as_bytes()).unwrap();
    stream.flush().unwrap();
    match leaving {
        Leaving::Closes => {}
        Leaving::HalfCloses => {
            stream.conn.send_close_notify();
            stream.conn.write_tls(&mut stream.sock).unwrap();
            stream.sock.shutdown(Shutdown::Write).unwrap();
            // Whatever it says, or that it says nothing.
            let _ = stream.read_to_end(&mut Vec::new());
        }
        Leaving::Resets => {
            while !matches!(queues(&stream.sock), (0, 1..)) {
                std::thread::yield_now();
            }
        }
    }
}

/// How many bytes of a connection the other side doesn't have yet, and how many of its bytes nobody has read.
fn queues(socket: &TcpStream) -> (u64, u64) {
    let port = |at: SocketAddr| format!(":{:04X}", at.port());
    let (here, there) = (port(socket.local_addr().unwrap()), port(socket.peer_addr().unwrap()));
    let all = std::fs::read_to_string("/proc/thread-self/net/tcp").unwrap();
    let line = all.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
    let mut its = line.filter(|fields| fields[1].ends_with(&here) && fields[2].ends_with(&there));
    let (sent, came) = its.next().expect("it is open")[4].split_once(':').unwrap();
    let count = |bytes| u64::from_str_radix(bytes, 16).unwrap();
    (count(sent), count(came))
}
