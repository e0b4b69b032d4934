//! A redirect can take a PIN elsewhere or repeat what must happen once: few are followed.

use session::{Failure, Obstacle};
use wire::HookType;

use crate::{
    client, pin, region,
    server::{Answer, Server, json},
};

fn moved(to: &str) -> Answer {
    let head = format!("HTTP/1.1 307 Moved\r\nLocation: {to}\r\nContent-Length: 0\r\n\r\n");
    Answer::Send(head.into_bytes())
}

/// Redirects a GET this often within its own origin before it answers.
async fn redirecting(times: usize) -> Server {
    Server::start(move |request| async move {
        let hops = request.target.matches("hop").count();
        if hops < times {
            moved(&format!("/api/v1/{}", "hop".repeat(hops + 1)))
        } else {
            Answer::Send(json(r#"{"success":true,"session_pin":"7W2-97-8570"}"#))
        }
    })
    .await
}

#[tokio::test]
async fn a_get_is_followed_three_times_within_its_origin() {
    let server = redirecting(3).await;
    assert_eq!(client(&server.origin).session_pin(&region("a")).await, Ok(pin()));
    let server = redirecting(4).await;
    let error = client(&server.origin).session_pin(&region("a")).await.unwrap_err();
    assert_eq!(error.failure, Failure::Malformed);
    assert_eq!(server.requests().len(), 4);
}

#[tokio::test]
async fn no_call_is_sent_on_to_another_origin() {
    let other = Server::saying(json(r#"{"success":true,"chat":[]}"#)).await;
    let to = format!("{}/chat?session_pin={}", other.origin, crate::PIN);
    let server = Server::start(move |_| std::future::ready(moved(&to))).await;
    let error = client(&server.origin).chat(&pin()).await.unwrap_err();
    assert_eq!(error.failure, Failure::Blocked { by: Obstacle::Redirect });
    assert_eq!(error.to_string(), "fetch the chat: the service answered 307 and points elsewhere");
    assert!(other.requests().is_empty());
}

#[tokio::test]
async fn nothing_that_changes_something_is_sent_twice() {
    let server = Server::start(|_| std::future::ready(moved("/api/v1/hook"))).await;
    let client = client(&server.origin);
    let put = client.put_hook(&pin(), HookType::ViewerStarted, "http://a/").await;
    assert_eq!(put.unwrap_err().failure, Failure::Malformed);
    assert_eq!(client.report_abuse(&pin()).await.unwrap_err().failure, Failure::Malformed);
    assert_eq!(server.requests().len(), 2);
}
