//! The broker's self-signed certificate, and connections that trust it.

use std::{path::PathBuf, sync::Arc};

use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, pem::PemObject as _},
};
use serve::TlsFiles;
use tokio_tungstenite::{Connector, connect_async_tls_with_config};

use crate::live::Socket;

/// The certificate, PEM: of `localhost` and 127.0.0.1.
pub fn certificate() -> PathBuf {
    fixture("cert")
}

/// The certificate and its key.
pub fn files() -> TlsFiles {
    TlsFiles::new(certificate(), fixture("key"))
}

/// Opens a WebSocket; over TLS only to a server with this certificate.
pub(crate) async fn dial(url: &str) -> Socket {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(certificate()).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let connector = url.starts_with("wss:").then(|| Connector::Rustls(Arc::new(config)));
    let opened = connect_async_tls_with_config(url, None, false, connector).await;
    opened.unwrap().0
}

fn fixture(what: &str) -> PathBuf {
    let fixtures =
        PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../crates/serve/tests/fixtures");
    fixtures.join(format!("test-only.{what}.pem"))
}
