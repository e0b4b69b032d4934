//! Certificates that a service must not have: the error says which is wrong and not that nobody is there.

use session::{Failure, Obstacle};

use crate::{client, pin};

/// What a call says where a server has the certificate of this name.
async fn told(fixture: &str) -> (Failure, String) {
    let file = |kind| format!("{}/tests/{fixture}.{kind}.pem", env!("CARGO_MANIFEST_DIR"));
    let tls = serve::TlsFiles::new(file("cert"), file("key")).load().await.unwrap();
    let bound = serve::bind([127, 0, 0, 1].into(), serve::Port::Any).unwrap();
    let origin = format!("https://localhost:{}", bound.addr().port());
    let routes = axum::Router::new();
    let server = serve::Server::start(bound, routes, serve::Limits::default(), Some(tls)).unwrap();
    let error = client(&origin).chat(&pin()).await.unwrap_err();
    server.shutdown().await;
    (error.failure, error.to_string())
}

#[tokio::test]
async fn a_certificate_that_has_expired_is_told_as_that() {
    let (failure, text) = told("fixtures/test-only-expired").await;
    assert_eq!(failure, Failure::Blocked { by: Obstacle::CertificateExpired });
    assert!(text.contains("has expired"), "{text}");
}

#[tokio::test]
async fn a_certificate_of_an_unknown_authority_is_told_as_that() {
    let (failure, text) = told("../../serve/tests/fixtures/test-only").await;
    assert_eq!(failure, Failure::Blocked { by: Obstacle::CertificateUntrusted });
    assert!(text.contains("not from an issuer"), "{text}");
}
