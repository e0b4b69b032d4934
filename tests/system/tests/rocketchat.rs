//! The chat workspace's client: against the sandbox, and against bytes that no workspace
//! should send.
#![allow(clippy::unwrap_used)] // a test that can't go on has failed

use std::time::Duration;

use engine::remote::{
    RocketChat,
    rocketchat::{Factor, RocketChatConfig, Why},
};
use sandbox::{
    Config, Running, Sandbox,
    rocketchat::{PERMISSIONS, SecondFactor},
};
use secrecy::{ExposeSecret as _, SecretString};
use session::Failure;
use wire::rocketchat::DeviceSession;
use wiremock::{
    Mock, MockServer, ResponseTemplate,
    matchers::{any, header, path, query_param},
};

const ID: &str = "uBNL9dTjJ4s6Pjp4K";

async fn workspace() -> (Running, RocketChat, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let running = Sandbox::start(Config::embedded(folder.path())).await.unwrap();
    let chat = running.rocketchat();
    let client = client(&chat.base_url(), chat.user_id(), chat.token());
    let text = include_str!("../../../crates/wire/fixtures/rocketchat/info.admin.json");
    let session: DeviceSession = serde_json::from_str(text).unwrap();
    chat.put_sessions(vec![session]).await.unwrap();
    (running, client, folder)
}

fn client(base_url: &str, user_id: &str, token: SecretString) -> RocketChat {
    let base_url = base_url.parse().unwrap();
    RocketChat::new(RocketChatConfig { base_url, user_id: user_id.to_owned(), token }).unwrap()
}

fn factor(code: SecretString, method: Option<&str>) -> Factor {
    Factor { method: method.map(str::to_owned), code }
}

#[tokio::test]
async fn asks_lists_and_logs_out_at_the_sandbox() {
    let (running, client, _folder) = workspace().await;
    client.check().await.unwrap();
    let needed = client.info(ID, None).await.unwrap_err();
    assert!(matches!(&needed.why, Why::FactorNeeded(asked) if asked.method == "totp"), "{needed}");
    let code = factor(running.rocketchat().authenticator_code(), None);
    let found = client.info(ID, Some(&code)).await.unwrap();
    assert_eq!((found.session_id.as_str(), found.user.name.as_str()), (ID, "Rod"));
    let page = client.list_all(10, 0, "rod", None, None).await.unwrap();
    assert_eq!((page.total, page.sessions), (1, vec![found]));
    let other = client.info("uBNL9", None).await.unwrap_err();
    assert_eq!(other.why, Why::OtherSession);
    client.log_out(ID, None).await.unwrap();
    assert_eq!(client.log_out(ID, None).await.unwrap_err().why, Why::NotFound);
    assert_eq!(client.info(ID, None).await.unwrap_err().why, Why::NotFound);
    running.shutdown().await;
}

#[tokio::test]
async fn each_second_factor_is_sent_as_the_service_wants_it() {
    let (running, client, _folder) = workspace().await;
    let chat = running.rocketchat();
    let password = SecretString::from("correct horse");
    chat.set_second_factor(SecondFactor::Password, &password).await.unwrap();
    let asked = client.info(ID, None).await.unwrap_err();
    assert!(matches!(&asked.why, Why::FactorNeeded(asked) if asked.method == "password"));
    client.info(ID, Some(&factor(password, Some("password")))).await.unwrap();
    running.advance(Duration::from_secs(1801));
    chat.set_second_factor(SecondFactor::Email, &SecretString::default()).await.unwrap();
    let asked = client.info(ID, None).await.unwrap_err();
    assert!(
        matches!(&asked.why, Why::FactorNeeded(asked) if asked.method == "email" && asked.sent)
    );
    let code = chat.mailed_code().await.unwrap().unwrap();
    client.info(ID, Some(&factor(code, Some("email")))).await.unwrap();
    running.shutdown().await;
}

#[tokio::test]
async fn each_refusal_is_told_from_the_others() {
    let (running, client, _folder) = workspace().await;
    let chat = running.rocketchat();
    let wrong = client.info(ID, Some(&factor("12345".into(), None))).await.unwrap_err();
    assert!(matches!(wrong.why, Why::FactorWrong(_)), "{wrong}");
    chat.grant(PERMISSIONS[0], false).await.unwrap();
    assert_eq!(client.info(ID, None).await.unwrap_err().why, Why::NoPermission);
    for _ in 0..8 {
        client.info(ID, None).await.unwrap_err();
    }
    let limited = client.info(ID, None).await.unwrap_err();
    let Why::RateLimited { retry_after: Some(wait) } = limited.why else { panic!("{limited}") };
    assert!(wait > Duration::ZERO && wait <= Duration::from_secs(61), "{wait:?}");
    let stranger = self::client(&chat.base_url(), chat.user_id(), "wrong".into());
    assert_eq!(stranger.check().await.unwrap_err().why, Why::NotLoggedIn);
    let odd = self::client(&chat.base_url(), chat.user_id(), "a\nb".into());
    assert_eq!(odd.check().await.unwrap_err().why, Why::NotLoggedIn);
    running.shutdown().await;
}

#[tokio::test]
async fn sends_exactly_what_is_documented_and_believes_an_older_not_found() {
    let server = MockServer::start().await;
    let not_found = r#"{"success":false,"error":"Session not found"}"#;
    Mock::given(path("/chat/api/v1/sessions/info.admin"))
        .and(query_param("sessionId", "a.b"))
        .and(header("x-user-id", "user"))
        .and(header("x-auth-token", "token"))
        .and(header("x-2fa-code", "148750"))
        .respond_with(ResponseTemplate::new(400).set_body_string(not_found))
        .expect(1)
        .mount(&server)
        .await;
    let client = client(&format!("{}/chat/", server.uri()), "user", "token".into());
    let factor = factor("148750".into(), None);
    assert_eq!(client.info("a.b", Some(&factor)).await.unwrap_err().why, Why::NotFound);
}

#[tokio::test]
async fn no_answer_makes_it_panic_or_tells_what_the_other_side_wrote() {
    let cases: [(u16, &str); 12] = [
        (200, ""),
        (200, "<html>secret-prose</html>"),
        (200, "[]"),
        (200, r#"{"success":true}"#),
        (200, r#"{"success":false,"error":"secret-prose"}"#),
        (200, r#"{"success":true,"sessionId":7}"#),
        (302, ""),
        (403, "<html>secret-prose</html>"),
        (404, "<html>secret-prose</html>"),
        (400, r#"{"error":["secret-prose"],"errorType":{}}"#),
        (500, r#"{"success":false,"error":"secret-prose"}"#),
        (503, "\u{0}"),
    ];
    for (status, body) in cases {
        let server = MockServer::start().await;
        let template = ResponseTemplate::new(status).set_body_string(body);
        Mock::given(any())
            .respond_with(template.insert_header("location", "https://elsewhere.example/"))
            .expect(1)
            .mount(&server)
            .await;
        let client = client(&server.uri(), "user", "token".into());
        let error = client.info(ID, None).await.unwrap_err();
        assert!(matches!(error.why, Why::Call(..)), "{status} {body}: {error:?}");
        assert!(!format!("{error} {error:?}").contains("secret-prose"), "{error:?}");
    }
}

#[tokio::test]
async fn too_large_an_answer_and_no_service_are_failures_of_a_call() {
    let server = MockServer::start().await;
    let huge = format!("{{\"a\":\"{}\"}}", "x".repeat(1 << 21));
    Mock::given(any())
        .respond_with(ResponseTemplate::new(200).set_body_string(huge))
        .mount(&server)
        .await;
    let large = client(&server.uri(), "user", "token".into()).info(ID, None).await.unwrap_err();
    assert!(matches!(large.why, Why::Call(Failure::Malformed, _)), "{large:?}");
    let nobody = client("http://127.0.0.1:9", "user", "token".into()).check().await.unwrap_err();
    assert!(matches!(nobody.why, Why::Call(Failure::Unreachable, _)), "{nobody:?}");
    let factor = factor("s3cret-code".into(), Some("totp"));
    assert!(!format!("{factor:?}").contains(factor.code.expose_secret()));
}
