//! Senders of webhooks that wait for nothing: they send their POST and are gone.

use std::{io::Write as _, net::TcpStream, path::Path, sync::Arc};

use rustls::{
    ClientConfig, ClientConnection, RootCertStore, StreamOwned,
    pki_types::{CertificateDer, pem::PemObject as _},
    version::TLS12,
};
use url::Url;

/// Sends all of these POSTs at once, each on a connection of its own that is closed when the last byte is written.
pub fn fire_and_forget(authority: &Path, urls: &[String]) {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(authority).unwrap()).unwrap();
    // With TLS 1.3 the server says something more after the handshake. Unread, it would make a reset of the close.
    let config = ClientConfig::builder_with_protocol_versions(&[&TLS12]);
    let config = Arc::new(config.with_root_certificates(roots).with_no_client_auth());
    std::thread::scope(|senders| {
        for url in urls {
            let config = config.clone();
            senders.spawn(move || post(config, &url.parse().unwrap()));
        }
    });
}

fn post(config: Arc<ClientConfig>, url: &Url) {
    let (host, path) = (url.host_str().unwrap(), url.path());
    let socket = TcpStream::connect((host, 443)).unwrap();
    let connection = ClientConnection::new(config, host.to_owned().try_into().unwrap()).unwrap();
    let mut stream = StreamOwned::new(connection, socket);
    let head = format!("POST {path} HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json");
    stream.write_all(format!("{head}\r\nContent-Length: 2\r\n\r\n{{}}").as_bytes()).unwrap();
    stream.flush().unwrap();
}
