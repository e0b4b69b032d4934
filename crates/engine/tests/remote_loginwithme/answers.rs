//! What answers mean: by status and `success`, never by prose, and nothing more is taken from them
//! than what is documented.

use engine::remote::CallError;
use session::{Failure, Obstacle};
use wire::HookType;

use crate::{
    client, pin, region,
    server::{Server, http, json},
};

async fn arming(answer: Vec<u8>) -> Result<(), CallError> {
    let server = Server::saying(answer).await;
    client(&server.origin).put_hook(&pin(), HookType::ViewerOffline, "http://a/b").await
}

async fn regions(body: &str) -> Result<Vec<String>, Failure> {
    let server = Server::saying(json(body)).await;
    let regions = client(&server.origin).regions().await.map_err(|error| error.failure)?;
    Ok(regions.iter().map(ToString::to_string).collect())
}

#[tokio::test]
async fn a_status_is_named_by_its_remedy() {
    let limited = |retry_after_ms| Failure::RateLimited { retry_after_ms };
    for (status, failure) in [
        ("400 Bad Request", Failure::Rejected { status: 400 }),
        ("401 Unauthorized", Failure::Unauthorized),
        ("403 Forbidden", Failure::Rejected { status: 403 }),
        ("404 Not Found", Failure::Rejected { status: 404 }),
        ("429 Too Many Requests", limited(None)),
        ("429 Too Many Requests\r\nRetry-After: 7", limited(Some(7_000))),
        ("500 Internal Server Error", Failure::Faulty { status: 500 }),
        ("503 Service Unavailable", Failure::Faulty { status: 503 }),
        ("503 Service Unavailable\r\nRetry-After: 3", limited(Some(3_000))),
        ("304 Not Modified", Failure::Malformed),
    ] {
        // The body claims a success, and its prose claims more.
        let answer = http(status, "application/json", br#"{"success":true,"error":"200 OK"}"#);
        assert_eq!(arming(answer).await.unwrap_err().failure, failure, "{status}");
    }
}

#[tokio::test]
async fn a_refusal_is_the_services_own_if_it_is_json() {
    let own = Failure::Rejected { status: 403 };
    let gateway = Failure::Blocked { by: Obstacle::Gateway { status: 403 } };
    for (kind, body, failure) in [
        ("text/plain", "RBAC: access denied", gateway),
        ("text/plain", "", gateway),
        ("", "<html>", gateway),
        ("text/html", "<html>", gateway),
        // The service declares some of its answers as pages.
        ("text/html; charset=UTF-8", " \n{\"success\":false}", own),
        ("application/problem+json; charset=utf-8", "", own),
    ] {
        let answer = http("403 Forbidden", kind, body.as_bytes());
        assert_eq!(arming(answer).await.unwrap_err().failure, failure, "{kind}: {body}");
    }
    let bare = b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n".to_vec();
    assert_eq!(arming(bare).await.unwrap_err().failure, gateway);
}

#[tokio::test]
async fn its_text_says_what_was_being_done_and_why_it_failed() {
    let error = arming(http("503 Gone fishing", "text/plain", b"")).await.unwrap_err();
    assert_eq!(error.to_string(), "arm the hook viewer_offline: the service answered 503");
    let error = arming(json(r#"{"success":false,"error":"no"}"#)).await.unwrap_err();
    assert_eq!(error.to_string(), "arm the hook viewer_offline: the service refused it");
}

#[tokio::test]
async fn only_success_that_is_true_is_a_success() {
    assert_eq!(arming(json(r#"{"success":true,"new":{"field":1}}"#)).await, Ok(()));
    for body in [r#"{"success":false}"#, r#"{"success":"true"}"#, r#"{"success":1}"#] {
        let failure = arming(json(body)).await.unwrap_err().failure;
        assert_eq!(failure, Failure::Rejected { status: 200 }, "{body}");
    }
    for body in ["{}", "[]", "null", r#""success""#, r#"{"Success":true}"#] {
        let failure = arming(json(body)).await.unwrap_err().failure;
        assert_eq!(failure, Failure::Malformed, "{body}");
    }
}

#[tokio::test]
async fn names_that_are_no_regions_are_left_out() {
    let body = r#"["us-east-1","evil.example/","US",7,null,"eu-west-2","us-east-1"]"#;
    assert_eq!(regions(body).await.unwrap(), ["us-east-1", "eu-west-2"]);
    for body in ["[]", r#"["evil.example"]"#, r#"{"regions":[]}"#] {
        assert_eq!(regions(body).await, Err(Failure::Malformed), "{body}");
    }
}

#[tokio::test]
async fn a_flood_of_regions_is_cut() {
    let names: Vec<String> = (0..5_000).map(|n| format!("\"r{n}\"")).collect();
    assert_eq!(regions(&format!("[{}]", names.join(","))).await.unwrap().len(), 64);
}

#[tokio::test]
async fn a_pin_of_another_shape_is_none() {
    for wrong in ["", "7W2978570", "7ä2-97-8570", "7W2-97-85700"] {
        let body = format!(r#"{{"success":true,"session_pin":"{wrong}"}}"#);
        let server = Server::saying(json(&body)).await;
        let error = client(&server.origin).session_pin(&region("a")).await.unwrap_err();
        assert_eq!(error.failure, Failure::Malformed, "{wrong}");
        assert!(wrong.is_empty() || !format!("{error:?}{error}").contains(wrong));
    }
}

/// Marks that say nothing around every value, and values of another type where nothing depends on them.
#[tokio::test]
async fn what_is_meant_is_clear_whatever_stands_around_it() {
    let around = |text: &str| format!("\\ufeff \\u200b{text}\\u0000\\r\\n\\ufeff");
    let names = format!(r#"["{}"]"#, around("us-east-1"));
    assert_eq!(regions(&names).await.unwrap(), ["us-east-1"]);

    let said = |fields: String| async move {
        Server::saying(json(&format!(r#"{{"success":true,"error":false,{fields}}}"#))).await
    };
    let server = said(format!(r#""session_pin":"{}""#, around("7w2-97-8570"))).await;
    let given = client(&server.origin).session_pin(&region("a")).await.unwrap();
    assert_eq!(given.expose(), "7W2-97-8570");
    let server = said(format!(r#""url":"{}""#, around("https://a.example/v"))).await;
    let link = client(&server.origin).session_url(&pin(), true, None).await.unwrap();
    assert_eq!(link.expose(), "https://a.example/v");
    // It is given only once.
    for version in ["null", "7", "{}", r#""1.2""#] {
        let server = said(format!(r#""conf":"e30","version":{version}"#)).await;
        let given = client(&server.origin).session_parameters(&pin()).await;
        assert!(given.is_ok(), "{version}");
    }
    for error in ["null", "[]", "0", "{}", r#""""#] {
        assert_eq!(arming(json(&format!(r#"{{"success":true,"error":{error}}}"#))).await, Ok(()));
    }
}

#[tokio::test]
async fn a_message_is_read_whatever_type_its_fields_have() {
    let body = r#"{"success":true,"chat":[
        {"guid":7,"subject":42,"body":112,"timestamp":"1699913600"},
        {"guid":"b","subject":{"name":"x"},"body":"help","timestamp":" 5.5 "}
    ]}"#;
    let server = Server::saying(json(body)).await;
    let chat = client(&server.origin).chat(&pin()).await.unwrap();
    let read: Vec<_> = chat
        .iter()
        .map(|m| (m.guid.as_str(), m.subject.as_str(), m.body.as_str(), m.timestamp))
        .collect();
    assert_eq!(read, [("7", "42", "112", 1_699_913_600), ("b", "", "help", 5)]);
}

#[tokio::test]
async fn a_link_that_no_browser_should_open_is_none() {
    for wrong in ["javascript:alert(1)", "file:///etc/passwd", "", "//x", "https://u:p@x/"] {
        let body = format!(r#"{{"success":true,"url":"{wrong}"}}"#);
        let server = Server::saying(json(&body)).await;
        let error = client(&server.origin).session_url(&pin(), true, None).await.unwrap_err();
        assert_eq!(error.failure, Failure::Malformed, "{wrong}");
    }
}

#[tokio::test]
async fn each_message_comes_once_and_a_broken_one_costs_no_other() {
    let body = r#"{"success":true,"chat":[
        {"guid":"a","body":"first","subject":null,"timestamp":5},
        {"guid":"a","body":"again"},
        {"body":"no identity"}, 7, null, {"guid":""}, {"guid":["x"]},
        {"guid":"b","body":"second","timestamp":-1}
    ]}"#;
    let server = Server::saying(json(body)).await;
    let chat = client(&server.origin).chat(&pin()).await.unwrap();
    let texts: Vec<_> = chat.iter().map(|m| (m.guid.as_str(), m.body.as_str())).collect();
    assert_eq!(texts, [("a", "first"), ("b", "second")]);
}

#[tokio::test]
async fn a_chat_of_which_nothing_can_be_read_is_not_an_empty_one() {
    let server = Server::saying(json(r#"{"success":true,"chat":[{"text":"hi"}]}"#)).await;
    let error = client(&server.origin).chat(&pin()).await.unwrap_err();
    assert_eq!(error.failure, Failure::Malformed);
    let server = Server::saying(json(r#"{"success":true,"chat":[]}"#)).await;
    assert_eq!(client(&server.origin).chat(&pin()).await, Ok(Vec::new()));
}

#[tokio::test]
async fn an_email_that_makes_no_sense_is_refused_without_a_call() {
    let server = Server::silent().await;
    let client = client(&server.origin);
    for (address, hook) in [
        ("a@b.example", HookType::ViewerOffline),
        ("a@b.example", HookType::PresenterOffline),
        ("nobody", HookType::ViewerStarted),
        ("a@b.example\r\n", HookType::ViewerStarted),
    ] {
        let error = client.email(&pin(), address, hook, "Ann").await.unwrap_err();
        assert_eq!(error.failure, Failure::Rejected { status: 400 });
        assert!(!error.to_string().contains("b.example"));
    }
    assert!(server.requests().is_empty());
}
