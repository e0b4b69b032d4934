//! Each call sends exactly what is documented, once, and reads what is documented.

use engine::remote::{
    Doing, LoginTc, ServiceError,
    logintc::{Code, Error, InputError, PushState, User},
};
use secrecy::SecretString;
use session::{Failure, Obstacle};
use wiremock::{
    Mock, MockServer, Request, ResponseTemplate,
    matchers::{any, method, path},
};

use crate::{DOMAIN, KEY, SESSION, USER, attribute, client, service, user};

const MEDIA_TYPE: &str = "application/vnd.logintc.v1+json";
const PENDING: &str = include_str!("../../../wire/fixtures/logintc/session_documented.json");
const NO_DEVICE: &str = include_str!("../../../wire/fixtures/logintc/no_device.json");

/// A server that answers every request with this.
async fn saying(status: u16, body: &str) -> MockServer {
    let server = MockServer::start().await;
    let answer = ResponseTemplate::new(status).set_body_raw(body.to_owned(), MEDIA_TYPE);
    Mock::given(any()).respond_with(answer).mount(&server).await;
    server
}

async fn only_request(server: &MockServer) -> Request {
    let mut requests = server.received_requests().await.unwrap();
    assert_eq!(requests.len(), 1, "it was sent once");
    requests.remove(0)
}

fn header<'a>(request: &'a Request, name: &str) -> Vec<&'a str> {
    request.headers.get_all(name).iter().map(|value| value.to_str().unwrap()).collect()
}

fn refused(code: &str) -> String {
    format!(r#"{{"errors":[{{"code":"{code}","message":"m4rk"}}],"more":1}}"#)
}

#[tokio::test]
async fn asks_by_id_as_documented() {
    let server = saying(200, PENDING).await;
    let asked = client(&server.uri()).ask(&user(), &[], None).await.unwrap();
    assert_eq!((asked.id.as_str(), asked.state), (SESSION, PushState::Pending));
    let request = only_request(&server).await;
    assert_eq!(request.method, "POST");
    assert_eq!(request.url.path(), format!("/api/domains/{DOMAIN}/sessions"));
    assert_eq!(header(&request, "authorization"), [format!("LoginTC key=\"{KEY}\"")]);
    assert_eq!(header(&request, "accept"), [MEDIA_TYPE]);
    assert_eq!(header(&request, "content-type"), [MEDIA_TYPE]);
    assert!(header(&request, "user-agent")[0].starts_with("Deskhand/"));
    let documented = include_str!("../../../wire/fixtures/logintc/create_by_id.json");
    assert_eq!(String::from_utf8_lossy(&request.body), documented);
}

#[tokio::test]
async fn asks_by_name_with_attributes_as_documented() {
    let server = saying(200, PENDING).await;
    let attributes = [attribute("IP Address", "10.0.10.142"), attribute("username", "root")];
    let user = User::Username("john.doe".to_owned());
    client(&server.uri()).ask(&user, &attributes, None).await.unwrap();
    let documented = include_str!("../../../wire/fixtures/logintc/create_with_attributes.json");
    assert_eq!(String::from_utf8_lossy(&only_request(&server).await.body), documented);
}

#[tokio::test]
async fn has_a_code_checked_as_documented() {
    let approved = format!(r#"{{"id":"{SESSION}","state":"approved"}}"#);
    let server = saying(200, &approved).await;
    let code = Code::from_typed("123 456").unwrap();
    let asked = client(&server.uri()).ask(&user(), &[], Some(&code)).await.unwrap();
    assert_eq!(asked.state, PushState::Approved);
    let documented = include_str!("../../../wire/fixtures/logintc/create_with_otp.json");
    assert_eq!(String::from_utf8_lossy(&only_request(&server).await.body), documented);

    let server = saying(200, &approved).await;
    let bypass = Code::from_typed("123456789").unwrap();
    client(&server.uri()).ask(&user(), &[], Some(&bypass)).await.unwrap();
    let body = only_request(&server).await.body;
    assert!(String::from_utf8(body).unwrap().ends_with(r#","bypasscode":"123456789"}"#));
}

#[tokio::test]
async fn polls_and_cancels_as_documented() {
    let place = format!("/api/domains/{DOMAIN}/sessions/{SESSION}");
    let server = MockServer::start().await;
    let denied = ResponseTemplate::new(200).set_body_string(r#"{"state":"denied"}"#);
    Mock::given(method("GET"))
        .and(path(&place))
        .respond_with(denied)
        .expect(1)
        .mount(&server)
        .await;
    let done = ResponseTemplate::new(200);
    Mock::given(method("DELETE"))
        .and(path(&place))
        .respond_with(done)
        .expect(1)
        .mount(&server)
        .await;
    let client = client(&server.uri());
    assert_eq!(client.poll(SESSION).await, Ok(PushState::Denied));
    assert_eq!(client.cancel(SESSION).await, Ok(()));
    for request in server.received_requests().await.unwrap() {
        assert!(request.body.is_empty() && header(&request, "content-type").is_empty());
    }
}

#[tokio::test]
async fn has_a_code_mailed_and_pings_as_documented() {
    let server = saying(200, "").await;
    client(&server.uri()).mail_code(USER).await.unwrap();
    let request = only_request(&server).await;
    assert_eq!(request.url.path(), format!("/api/domains/{DOMAIN}/users/{USER}/otp"));
    assert_eq!(request.body, include_bytes!("../../../wire/fixtures/logintc/mail_code.json"));

    let server = saying(200, r#"{"status":"OK"}"#).await;
    client(&server.uri()).ping().await.unwrap();
    assert_eq!(only_request(&server).await.url.path(), "/api/ping");
    let server = saying(200, r#"{"status":"DOWN"}"#).await;
    let error = client(&server.uri()).ping().await.unwrap_err();
    assert!(matches!(error, Error::Call(call) if call.failure == Failure::Malformed));
}

#[tokio::test]
async fn an_unknown_state_is_no_approval() {
    let server = saying(200, &format!(r#"{{"id":"{SESSION}","state":"Approved"}}"#)).await;
    let state = client(&server.uri()).poll(SESSION).await.unwrap();
    assert_eq!(state, PushState::Other("Approved".to_owned()));
}

#[tokio::test]
async fn an_answer_for_another_verification_is_refused() {
    let server = saying(200, &format!(r#"{{"id":"{USER}","state":"approved"}}"#)).await;
    let error = client(&server.uri()).poll(SESSION).await.unwrap_err();
    assert!(matches!(error, Error::Call(call) if call.failure == Failure::Malformed));
}

#[tokio::test]
async fn a_session_id_that_could_leave_its_path_is_refused() {
    for id in ["", "..", "a/b", "a?b"] {
        let server = saying(200, &format!(r#"{{"id":"{id}","state":"pending"}}"#)).await;
        let error = client(&server.uri()).ask(&user(), &[], None).await.unwrap_err();
        assert!(matches!(error, Error::Call(call) if call.failure == Failure::Malformed), "{id}");
    }
}

#[tokio::test]
async fn each_refusal_is_told_by_its_remedy() {
    let ask = async |status, body: &str| {
        let server = saying(status, body).await;
        let error = client(&server.uri()).ask(&user(), &[], None).await.unwrap_err();
        assert!(!format!("{error:?} {error}").contains("m4rk"), "{error:?}");
        assert_eq!(server.received_requests().await.unwrap().len(), 1, "nothing is sent twice");
        error
    };
    assert_eq!(ask(404, NO_DEVICE).await, Error::NoDevice);
    let doing = Doing::AskPhone;
    let user = refused("api.error.notfound.user");
    assert_eq!(ask(404, &user).await, Error::UnknownUser(doing));
    let domain = refused("api.error.notfound.domain");
    assert_eq!(ask(404, &domain).await, Error::WrongDomain(doing));
    let key = refused("api.error.unauthorized");
    assert_eq!(ask(401, &key).await, Error::Unauthorized(doing));
    assert_eq!(ask(401, "<html>").await, Error::Unauthorized(doing));
    assert_eq!(ask(403, &refused("api.error.other")).await, Error::Unauthorized(doing));
    let failure = async |status, body: &str| match ask(status, body).await {
        Error::Call(call) => call.failure,
        other => panic!("{other:?}"),
    };
    assert_eq!(failure(400, &refused("api.error.other")).await, Failure::Rejected { status: 400 });
    assert_eq!(failure(429, "slow").await, Failure::RateLimited { retry_after_ms: None });
    assert_eq!(failure(500, NO_DEVICE).await, Failure::Faulty { status: 500 });
    for no_json in ["<html>denied</html>", "", "{", "[]", r#"{"errors":[]}"#, r#"{"errors":"x"}"#] {
        assert_eq!(failure(404, no_json).await, Failure::Malformed, "{no_json}");
    }
}

#[tokio::test]
async fn a_domain_without_mailed_codes_says_so() {
    for code in ["api.error.forbidden.otp.email", "api.error.something"] {
        let server = saying(403, &refused(code)).await;
        assert_eq!(client(&server.uri()).mail_code(USER).await, Err(Error::NotEnabled), "{code}");
    }
    assert!(Error::NotEnabled.to_string().contains("not enabled in this domain"));
}

#[tokio::test]
async fn a_verification_that_is_gone_says_so() {
    let server = saying(404, &refused("api.error.notfound.session")).await;
    let client = client(&server.uri());
    assert_eq!(client.poll(SESSION).await, Err(Error::Gone(Doing::PollPhone)));
    assert_eq!(client.cancel(SESSION).await, Err(Error::Gone(Doing::CancelPhone)));
}

#[tokio::test]
async fn a_redirect_takes_the_key_nowhere() {
    let elsewhere = saying(200, PENDING).await;
    let server = MockServer::start().await;
    let moved = ResponseTemplate::new(307).insert_header("location", elsewhere.uri().as_str());
    Mock::given(any()).respond_with(moved).mount(&server).await;
    for error in [
        client(&server.uri()).poll(SESSION).await.unwrap_err(),
        client(&server.uri()).ask(&user(), &[], None).await.unwrap_err(),
    ] {
        let blocked = Failure::Blocked { by: Obstacle::Redirect };
        assert!(matches!(error, Error::Call(call) if call.failure == blocked));
    }
    assert!(elsewhere.received_requests().await.unwrap().is_empty());
}

#[tokio::test]
async fn what_cannot_be_sent_is_not() {
    let server = saying(200, PENDING).await;
    let client = client(&server.uri());
    let why = async |user: User, attributes: &[_]| match client.ask(&user, attributes, None).await {
        Err(Error::Input(Doing::AskPhone, why)) => why,
        other => panic!("{other:?}"),
    };
    for id in ["", "..", ".*", "a b", "ä", &"a".repeat(65)] {
        assert_eq!(why(User::Id(id.to_owned()), &[]).await, InputError::Id, "{id}");
        let mailed = client.mail_code(id).await;
        assert_eq!(mailed, Err(Error::Input(Doing::MailCode, InputError::Id)));
        assert!(matches!(client.poll(id).await, Err(Error::Input(..))));
    }
    for name in ["", "a\nb", &"ä".repeat(256)] {
        assert_eq!(why(User::Username(name.to_owned()), &[]).await, InputError::Username);
    }
    assert_eq!(why(user(), &[attribute("", "x")]).await, InputError::Key);
    assert_eq!(why(user(), &[attribute(&"k".repeat(65), "x")]).await, InputError::Key);
    assert_eq!(why(user(), &[attribute("k", &"v".repeat(256))]).await, InputError::Value);
    assert_eq!(why(user(), &[attribute("k", "\u{1b}[2J")]).await, InputError::Value);
    assert_eq!(why(user(), &vec![attribute("k", "v"); 17]).await, InputError::Attributes);
    assert!(server.received_requests().await.unwrap().is_empty());
    // Names in any script, as long as allowed.
    let longest = attribute(&"ß".repeat(64), &"漢".repeat(255));
    client.ask(&User::Username("мария.лопес".to_owned()), &[longest], None).await.unwrap();
}

#[test]
fn a_service_of_another_shape_is_refused() {
    let with = |change: fn(&mut engine::remote::logintc::LoginTcConfig)| {
        let mut service = service("http://127.0.0.1:1");
        change(&mut service);
        LoginTc::new(service).map(drop)
    };
    assert_eq!(with(|_| ()), Ok(()));
    assert_eq!(
        with(|s| s.base_url = "http://logintc.example/api".parse().unwrap()),
        Err(ServiceError::BaseUrl),
        "a key does not go over plain http"
    );
    assert_eq!(with(|s| s.domain = "9120".to_owned()), Err(ServiceError::VerificationDomain));
    assert_eq!(
        with(|s| s.key = SecretString::from("short\r\nX: y")),
        Err(ServiceError::VerificationKey)
    );
}
