//! What is logged, at the finest setting: never what a hook carried, never a PIN, never a hook's address.

use serde_json::json;

use crate::{
    process::Console,
    service::{PIN, Service},
};

#[tokio::test]
async fn a_surprising_body_counts_by_its_token_and_stays_out_of_the_log() {
    let home = tempfile::tempdir().unwrap();
    let service = Service::start();
    let words = ["--log", "trace", "--base-url", service.base_url()];
    let mut console = Console::start_logging(home.path(), &words).await;
    let (id, _) = console.new_session("Maria").await;
    let url = service.hook("presenter_started").await;
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = reqwest::Client::builder().no_proxy().tls_certs_only([]).build().unwrap();
    let odd = format!(
        "{{\"type\":\"viewer_offline\",\"name\":\"m4rk-0f-th3-b0dy\",\"session_pin\":\"{PIN}\""
    );
    let answer = client.post(&url).body(odd).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    console.happening(&id, "presenter_online").await;
    let unknown = url.replace("/hook/", "/hook/A");
    assert_eq!(client.post(&unknown).send().await.unwrap().status(), 404);
    console.ask(json!({ "do": "search", "query": "" })).await;
    console.quit().await;

    let log = std::fs::read_to_string(home.path().join("log")).unwrap();
    assert!(!log.is_empty(), "it was logged");
    let token = url.rsplit('/').next().unwrap();
    for secret in ["m4rk-0f-th3-b0dy", PIN, token] {
        let line = log.lines().find(|line| line.contains(secret));
        assert!(line.is_none(), "{secret} is in the log: {line:?}");
    }
}
