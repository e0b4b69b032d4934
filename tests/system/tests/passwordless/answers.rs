//! The client against bytes that the sandbox doesn't send: the service's older forms, and garbage.

use engine::remote::passwordless::{PasskeyError, Passwordless, PasswordlessConfig};
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};
use wire::passwordless::SignInKind;
use wiremock::{Mock, MockServer, Request, ResponseTemplate, matchers::any};

use crate::{ANNA, asked, secret};

const SECRET: &str = "app:secret:11f8dd7733744f2596f2a28544b5fbc4";
const VERIFIED: &str =
    include_str!("../../../../crates/wire/fixtures/passwordless/signin_verify.json");
const LISTED: &str =
    include_str!("../../../../crates/wire/fixtures/passwordless/credentials_list.json");

async fn answering(status: u16, body: &str, kind: &str) -> (MockServer, Passwordless) {
    let server = MockServer::start().await;
    let answer = ResponseTemplate::new(status).set_body_raw(body, kind);
    Mock::given(any()).respond_with(answer).mount(&server).await;
    let service = PasswordlessConfig {
        base_url: format!("{}/base/", server.uri()).parse().unwrap(),
        api_key: "app:public:1".into(),
        api_secret: secret(SECRET),
    };
    let client = Passwordless::new(service).unwrap();
    (server, client)
}

async fn only_request(server: &MockServer) -> (String, Value) {
    let mut requests: Vec<Request> = server.received_requests().await.unwrap();
    assert_eq!(requests.len(), 1, "nothing is sent twice");
    let request = requests.remove(0);
    assert_eq!(request.headers["apisecret"], SECRET);
    assert_eq!(request.headers["content-type"], "application/json");
    let line = format!("{} {}", request.method, request.url.path());
    (line, serde_json::from_slice(&request.body).unwrap())
}

#[tokio::test]
async fn reads_the_documents_answers_and_sends_its_calls() {
    let (server, client) = answering(200, VERIFIED, "application/json").await;
    let signed_in = client.verify(&secret("verify_x")).await.unwrap();
    assert_eq!((signed_in.rp_id.as_str(), signed_in.country.as_str()), ("localhost", "SE"));
    assert_eq!(signed_in.kind, SignInKind::PasskeySignin);
    let sent = ("POST /base/signin/verify".to_owned(), json!({ "token": "verify_x" }));
    assert_eq!(only_request(&server).await, sent);

    let (server, client) = answering(200, LISTED, "application/json").await;
    let listed = client.credentials(ANNA).await.unwrap();
    assert_eq!(listed[0].nickname, "Fred's Macbook Pro 2");
    assert_eq!(listed[0].created_at, "2023-04-21T13:33:50.0764103Z".parse().ok());
    let sent = ("POST /base/credentials/list".to_owned(), json!({ "userId": ANNA }));
    assert_eq!(only_request(&server).await, sent);

    let (server, client) = answering(201, r#"{"token":"register_x"}"#, "text/plain").await;
    let token = client.register_token(&asked(ANNA)).await.unwrap();
    assert_eq!(token.expose_secret(), "register_x");
    assert_eq!(only_request(&server).await.0, "POST /base/register/token");

    for status in [200, 201, 204] {
        let (server, client) = answering(status, "", "text/plain").await;
        client.set_aliases(ANNA, &["a".into()], true).await.unwrap();
        let sent = json!({ "userId": ANNA, "aliases": ["a"], "hashing": true });
        assert_eq!(only_request(&server).await, ("POST /base/alias".to_owned(), sent));
        let (server, client) = answering(status, "", "text/plain").await;
        client.delete_credential("qgB2").await.unwrap();
        let sent = json!({ "credentialId": "qgB2" });
        assert_eq!(only_request(&server).await, ("POST /base/credentials/delete".to_owned(), sent));
    }
}

#[tokio::test]
async fn a_damaged_row_does_not_cost_the_others() {
    let body = r#"{"values":[1,{"descriptor":{}},{"descriptor":{"id":"a"},"nickname":null}]}"#;
    let (_server, client) = answering(200, body, "application/json").await;
    let listed = client.credentials(ANNA).await.unwrap();
    assert_eq!(listed.iter().map(|one| one.id.as_str()).collect::<Vec<_>>(), ["a"]);
}

#[tokio::test]
async fn garbage_signs_nobody_in_is_asked_for_once_and_is_never_quoted() {
    let hush = "hush hush";
    let failed = format!(r#"{{"success":true,"userId":"{hush}"}}"#);
    let mismatched = VERIFIED.replace("\"rpid\": \"localhost\"", r#""rpid":"a","rpId":"b""#);
    let no_time = VERIFIED.replace("3023-08-01T14:43:03Z", hush);
    let page = format!("<html>{hush}</html>");
    let problem =
        format!(r#"{{"errorCode":"{hush}","title":"{hush}","errors":{{"{hush}":["{hush}"]}}}}"#);
    for (status, body) in [
        (200, ""),
        (200, page.as_str()),
        (200, "[]"),
        (200, "null"),
        (200, failed.as_str()),
        (200, &mismatched),
        (200, &no_time),
        (204, ""),
        (302, ""),
        (400, &problem),
        (400, &page),
        (404, &page),
        (500, &problem),
        (503, ""),
        (429, &problem),
    ] {
        let (server, client) = answering(status, body, "application/json").await;
        let error = client.verify(&secret("verify_quiet")).await.unwrap_err();
        let told = format!("{error} {error:?}");
        for secret in [hush, "quiet", SECRET] {
            assert!(!told.contains(secret), "{status} {body}: {told}");
        }
        assert!(told.starts_with("check the sign-in: "), "{told}");
        only_request(&server).await;
    }
}

#[tokio::test]
async fn a_sign_in_without_success_says_so() {
    let body = VERIFIED.replace("\"success\": true", "\"success\": false");
    let (_server, client) = answering(200, &body, "application/json").await;
    assert!(!client.verify(&secret("verify_x")).await.unwrap().success);
}

#[tokio::test]
async fn refusals_are_named_by_their_remedy() {
    let is = |status, code: &str| {
        let body = json!({ "errorCode": code, "status": status }).to_string();
        async move {
            let (_server, client) = answering(status, &body, "application/problem+json").await;
            client.delete_credential("x").await.unwrap_err()
        }
    };
    assert!(matches!(is(401, "").await, PasskeyError::Unauthorized(_)));
    assert!(matches!(is(403, "expired_token").await, PasskeyError::ExpiredToken(_)));
    assert!(matches!(is(409, "alias_conflict").await, PasskeyError::AliasConflict(_)));
    assert!(matches!(is(400, "unknown_credential").await, PasskeyError::UnknownCredential(_)));
    for code in ["invalid_token", "missing_token", "invalid_token_format"] {
        assert!(matches!(is(400, code).await, PasskeyError::InvalidToken(_)), "{code}");
    }
    assert!(matches!(is(403, "forbidden").await, PasskeyError::Call(_)));
}

#[tokio::test]
async fn its_debug_holds_no_secret_and_bad_addresses_are_refused() {
    let (_server, client) = answering(200, "", "").await;
    assert!(!format!("{client:?}").contains(SECRET));
    for base in ["ftp://a/", "https://u:p@a/", "https://a/?q", "https://a/#f", "data:,x"] {
        let service = PasswordlessConfig {
            base_url: base.parse().unwrap(),
            api_key: String::new(),
            api_secret: secret("x"),
        };
        assert!(Passwordless::new(service).is_err(), "{base}");
    }
}
