//! TLS from two PEM files.

use std::{
    io,
    path::{Path, PathBuf},
};

use axum_server::tls_rustls::RustlsConfig;

/// Where certificate and key lie.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsFiles {
    /// The certificate chain, PEM, the server's own first.
    pub cert: PathBuf,
    /// The private key, PEM.
    pub key: PathBuf,
}

/// The certificate or the key can't be used.
#[derive(Debug, thiserror::Error)]
#[error("use the TLS certificate {} and key {}: {source}", cert.display(), key.display())]
pub struct TlsError {
    /// The certificate's file.
    pub cert: PathBuf,
    /// The key's file.
    pub key: PathBuf,
    /// Why it failed.
    #[source]
    pub source: io::Error,
}

/// TLS that is ready to serve.
#[derive(Debug, Clone)]
pub struct Tls(pub(crate) RustlsConfig);

impl Tls {
    /// Has those who serve with this certificate serve with another one, from the next connection on.
    pub(crate) fn replace_by(&self, other: &Self) {
        self.0.reload_from_config(other.0.get_inner());
    }
}

impl TlsFiles {
    /// Reads both files. HTTP/1.1 alone is offered: WebSockets need it.
    ///
    /// # Errors
    /// [`TlsError`] when a file can't be read or the two don't fit each other.
    pub async fn load(&self) -> Result<Tls, TlsError> {
        // Only the first installation in a process counts; all of ours install the same one.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let failed = |source| TlsError { cert: self.cert.clone(), key: self.key.clone(), source };
        let config = RustlsConfig::from_pem_file(&self.cert, &self.key).await.map_err(failed)?;
        let mut inner = (*config.get_inner()).clone();
        inner.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Tls(RustlsConfig::from_config(inner.into())))
    }

    /// The two files' paths.
    pub fn new(cert: impl AsRef<Path>, key: impl AsRef<Path>) -> Self {
        Self { cert: cert.as_ref().to_owned(), key: key.as_ref().to_owned() }
    }
}
