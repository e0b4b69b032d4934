//! Each call sends exactly what the service documents.

use engine::remote::{Capabilities, Download, DownloadTarget, USER_AGENT};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;
use wire::{
    ConfText, HookType,
    shared_screen::{Requester, Role},
};
use wiremock::{Mock, MockServer, Request, ResponseTemplate, matchers::any};

use crate::{client, pin, region};

const CHAT: &str = include_str!("../../../wire/fixtures/loginwithme/chat.json");
const REGIONS: &str = include_str!("../../../wire/fixtures/loginwithme/regions.json");
const PARAMETERS: &str = include_str!("../../../wire/fixtures/loginwithme/session_parameters.json");
const SESSION_PIN: &str = include_str!("../../../wire/fixtures/loginwithme/session_pin.json");
const SESSION_URL: &str = include_str!("../../../wire/fixtures/loginwithme/session_url.json");
const SUCCESS: &str = include_str!("../../../wire/fixtures/loginwithme/hook.json");

async fn answering(body: &str) -> MockServer {
    let server = MockServer::start().await;
    let answer = ResponseTemplate::new(200)
        .insert_header("Set-Cookie", "tracked=yes; Path=/")
        .set_body_raw(body, "application/json; charset=utf-8");
    Mock::given(any()).respond_with(answer).mount(&server).await;
    server
}

async fn only_request(server: &MockServer) -> Request {
    let mut requests = server.received_requests().await.unwrap();
    assert_eq!(requests.len(), 1);
    requests.remove(0)
}

/// Method, path and query of the only request.
async fn line(server: &MockServer) -> String {
    let request = only_request(server).await;
    let query = request.url.query().map(|query| format!("?{query}")).unwrap_or_default();
    format!("{} {}{query}", request.method, request.url.path())
}

/// The only request's JSON.
async fn sent(server: &MockServer) -> Value {
    let request = only_request(server).await;
    assert_eq!(request.headers["content-type"], "application/json");
    serde_json::from_slice(&request.body).unwrap()
}

#[tokio::test]
async fn lists_the_regions() {
    let server = answering(REGIONS).await;
    let regions = client(&server.uri()).regions().await.unwrap();
    let names: Vec<_> = regions.iter().map(wire::Region::as_str).collect();
    assert_eq!(names, ["ap-southeast-2", "us-east-1", "us-west-2", "eu-west-2", "ca-central-1"]);
    assert_eq!(line(&server).await, "GET /api/v1/regions");
}

#[tokio::test]
async fn says_who_it_is_and_keeps_no_cookie() {
    let server = answering(REGIONS).await;
    let client = client(&server.uri());
    client.regions().await.unwrap();
    client.regions().await.unwrap();
    for request in server.received_requests().await.unwrap() {
        assert_eq!(request.headers["user-agent"], USER_AGENT);
        assert!(!request.headers.contains_key("cookie"));
        assert!(!request.headers.contains_key("referer"));
    }
}

#[tokio::test]
async fn allocates_a_pin_in_the_region() {
    let server = answering(SESSION_PIN).await;
    let pin = client(&server.uri()).session_pin(&region("us-east-1")).await.unwrap();
    assert_eq!(pin.expose(), "7W2-97-8570");
    assert_eq!(line(&server).await, "GET /api/v1/session_pin?region=us-east-1");
}

#[tokio::test]
async fn puts_a_hook_with_the_trailing_slash() {
    let server = answering(SUCCESS).await;
    let url = "https://console.example/hook/secret-token";
    client(&server.uri()).put_hook(&pin(), HookType::ViewerOffline, url).await.unwrap();
    assert_eq!(line(&server).await, "PUT /api/v1/hook/");
    let expected = json!({"type": "viewer_offline", "url": url, "session_pin": "7W2-97-8570"});
    assert_eq!(sent(&server).await, expected);
}

#[tokio::test]
async fn asks_for_a_viewers_link() {
    let server = answering(SESSION_URL).await;
    let url = client(&server.uri()).session_url(&pin(), false, None).await.unwrap();
    assert!(url.expose().starts_with("https://connect.tier2.tech/view?session_pin=7W2-97-8570"));
    assert_eq!(url.origin().ascii_serialization(), "https://connect.tier2.tech");
    assert_eq!(line(&server).await, "GET /api/v1/session_url?session_pin=7W2-97-8570&ro=false");
}

#[tokio::test]
async fn asks_for_a_read_only_link_in_somebodys_name() {
    let server = answering(SESSION_URL).await;
    client(&server.uri()).session_url(&pin(), true, Some("Téa & Ü")).await.unwrap();
    assert_eq!(
        line(&server).await,
        "GET /api/v1/session_url?session_pin=7W2-97-8570&ro=true&un=T%C3%A9a+%26+%C3%9C"
    );
}

#[tokio::test]
async fn fetches_the_chat() {
    let server = answering(CHAT).await;
    let chat = client(&server.uri()).chat(&pin()).await.unwrap();
    assert_eq!(chat.len(), 3);
    assert_eq!((chat[1].subject.as_str(), chat[1].timestamp), ("space man@¿", 1_628_259_992));
    assert_eq!(line(&server).await, "GET /api/v1/chat?session_pin=7W2-97-8570");
}

#[tokio::test]
async fn sends_an_email_that_names_somebody() {
    let server = answering(SUCCESS).await;
    let client = client(&server.uri());
    let hook = HookType::PresenterStarted;
    client.email(&pin(), "john+1/x@example.com", hook, "Jöhn").await.unwrap();
    assert_eq!(line(&server).await, "POST /api/v1/email/john+1%2Fx@example.com");
    let expected =
        json!({"type": "presenter_started", "name": "Jöhn", "session_pin": "7W2-97-8570"});
    assert_eq!(sent(&server).await, expected);
}

#[tokio::test]
async fn fetches_the_parameters() {
    let server = answering(PARAMETERS).await;
    let answer = client(&server.uri()).session_parameters(&pin()).await.unwrap();
    assert_eq!(answer.version, "21.12.9.41372");
    let conf = wire::loginwithme::Conf::decode(&answer.conf).unwrap();
    assert_eq!(conf.session_pin, "72F-35-1709");
    assert_eq!(line(&server).await, "GET /api/v1/session_parameters?session_pin=7W2-97-8570");
}

#[tokio::test]
async fn downloads_the_program_for_a_conf() {
    let server = MockServer::start().await;
    let answer = ResponseTemplate::new(200).set_body_raw("MZ\0\u{1}", "application/octet-stream");
    Mock::given(any()).respond_with(answer).mount(&server).await;
    let folder = tempfile::tempdir().unwrap();
    let into = folder.path().join("support.exe");
    let (conf, place) = (ConfText::from("ey+J/0".to_owned()), DownloadTarget::file(&into).unwrap());
    let done = client(&server.uri())
        .session_exe(&conf, false, true, &place, |_, _| {}, CancellationToken::new())
        .await
        .unwrap();
    assert_eq!(done, Download::Complete { bytes: 4, path: into.clone() });
    assert_eq!(std::fs::read(into).unwrap(), b"MZ\0\x01");
    assert_eq!(
        line(&server).await,
        "GET /api/v1/session_exe?hide_progress=false&self_delete=true&conf=ey%2BJ%2F0"
    );
}

#[tokio::test]
async fn reports_abuse_and_reads_the_answer_that_is_sent_as_html() {
    let server = MockServer::start().await;
    let answer = ResponseTemplate::new(200).set_body_raw(SUCCESS, "text/html; charset=UTF-8");
    Mock::given(any()).respond_with(answer).mount(&server).await;
    client(&server.uri()).report_abuse(&pin()).await.unwrap();
    assert_eq!(line(&server).await, "POST /api/v1/report_abuse");
    let expected = json!({"user_agent": USER_AGENT, "session_pin": "7W2-97-8570"});
    assert_eq!(sent(&server).await, expected);
}

#[tokio::test]
async fn asks_what_the_service_can_do() {
    let server = answering(
        r#"{"success":true,"revoke":true,"join_path":"/join#{pin}","version":"1","new":[1]}"#,
    )
    .await;
    let able = client(&server.uri()).capabilities().await.unwrap();
    assert!(able.can_revoke());
    assert_eq!((able.join_path.as_deref(), able.region_path), (Some("/join#{pin}"), None));
    assert_eq!(line(&server).await, "GET /api/v1/x/capabilities");
}

#[tokio::test]
async fn a_service_without_extensions_can_nothing_more() {
    let server = MockServer::start().await; // answers 404 to all
    let client = client(&server.uri());
    assert_eq!(client.capabilities().await.unwrap(), Capabilities::default());
    assert!(!client.revoke(&pin()).await.unwrap());
}

#[tokio::test]
async fn revokes_a_pin() {
    let server = answering(SUCCESS).await;
    assert!(client(&server.uri()).revoke(&pin()).await.unwrap());
    assert_eq!(line(&server).await, "POST /api/v1/x/revoke");
    assert_eq!(sent(&server).await, json!({"session_pin": "7W2-97-8570"}));
}

#[tokio::test]
async fn asks_the_service_to_call_the_listener() {
    let server = answering(r#"{"success":true,"answered":true}"#).await;
    let url = "https://console.example.org/reach/0123456789abcdef0123456789abcdef";
    assert!(client(&server.uri()).reach(&url.parse().unwrap()).await.unwrap());
    assert_eq!(line(&server).await, "POST /api/v1/x/reach");
    assert_eq!(sent(&server).await, json!({ "url": url }));
}

#[tokio::test]
async fn tells_who_asks() {
    let server = answering(SUCCESS).await;
    let asker = Requester { technician: "Anna".into(), company: "Lopez & Sons".into() };
    client(&server.uri()).set_asker(&pin(), &asker, false).await.unwrap();
    assert_eq!(line(&server).await, "PUT /api/v1/x/asker");
    let told = json!({"session_pin": "7W2-97-8570", "technician": "Anna",
        "company": "Lopez & Sons", "unattended": false});
    assert_eq!(sent(&server).await, told);
}

#[tokio::test]
async fn asks_for_a_link_that_is_held_to_its_role() {
    let server = answering(r#"{"success":true,"url":"http://a.example/view#ticket=x"}"#).await;
    let link = client(&server.uri()).viewer_link(&pin(), Role::Watch, "").await.unwrap();
    assert_eq!(link.expose(), "http://a.example/view#ticket=x");
    assert_eq!(line(&server).await, "POST /api/v1/x/viewer_link");
    let asked = json!({"session_pin": "7W2-97-8570", "role": "watch", "name": ""});
    assert_eq!(sent(&server).await, asked);
}

#[tokio::test]
async fn a_roster_has_no_more_watchers_than_a_session_can() {
    let one = r#"{"page":"p","name":"Ben","role":"watch","watching":true,"sealed":false}"#;
    let many = vec![one; 500].join(",");
    let server = answering(&format!(r#"{{"success":true,"watchers":[{many}]}}"#)).await;
    let roster = client(&server.uri()).roster(&pin()).await.unwrap();
    assert_eq!((roster.watchers.len(), roster.presenter), (64, None));
    assert_eq!(line(&server).await, "POST /api/v1/x/roster");
}

#[tokio::test]
async fn a_message_is_written_in_the_technicians_name() {
    let server = answering(r#"{"success":true,"guid":"5f1c","number":3}"#).await;
    let said = client(&server.uri()).say(&pin(), "Anna Keller", "Hello\nMaria").await.unwrap();
    assert_eq!(said.as_deref(), Some("5f1c"));
    assert_eq!(line(&server).await, "POST /api/v1/x/chat");
    let asked =
        json!({"session_pin": "7W2-97-8570", "name": "Anna Keller", "body": "Hello\nMaria"});
    assert_eq!(sent(&server).await, asked);
}

#[tokio::test]
async fn a_message_is_written_whatever_the_answer_has_for_its_identity() {
    for answer in [r#"{"success":true}"#, r#"{"success":true,"guid":7}"#] {
        let said = client(&answering(answer).await.uri()).say(&pin(), "Anna", "hello").await;
        assert_eq!(said.unwrap(), None, "{answer}");
    }
}
