//! A service that answers nonsense, half, too much or nothing: each call fails, says nothing that is
//! secret, approves nothing, and doesn't panic.

use std::sync::{Arc, Mutex};

use engine::remote::{
    CallError, LoginTc,
    logintc::{Code, Error, PushState},
};
use proptest::{prelude::*, test_runner::TestRunner};
use session::Failure;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
};

use crate::{KEY, SESSION, USER, attribute, client, impatient, user};

const OTP: &str = "73519284";
/// What the garbage itself says: an error must not repeat it.
const MARK: &str = "m4rk-0f-th3-b0dy";

/// Answers every connection with the bytes of the moment, and closes it; holds it open without any.
async fn server(bytes: Arc<Mutex<Vec<u8>>>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let bytes = bytes.lock().unwrap().clone();
            tokio::spawn(async move {
                // A request fits into one read here; what is left of it goes with the connection.
                let mut request = [0; 4096];
                let _ = stream.read(&mut request).await;
                if bytes.is_empty() {
                    while stream.read(&mut request).await.is_ok_and(|read| read > 0) {}
                }
                let _ = stream.write_all(&bytes).await;
                let _ = stream.shutdown().await;
                while stream.read(&mut request).await.is_ok_and(|read| read > 0) {}
            });
        }
    });
    origin
}

async fn saying(bytes: &[u8]) -> String {
    server(Arc::new(Mutex::new(bytes.to_vec()))).await
}

fn http(status: &str, body: &[u8]) -> Vec<u8> {
    let head = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\n\r\n", body.len());
    [head.as_bytes(), body].concat()
}

/// How the calls fail whose answer is read; an approval among them is one of the garbage's own making.
async fn every_reading_call(client: &LoginTc) -> Vec<Error> {
    let code = Code::from_typed(OTP).unwrap();
    let shown = [attribute("Reason", "screen")];
    let results = [
        client.ping().await.err(),
        client.ask(&user(), &shown, None).await.err(),
        client.ask(&user(), &[], Some(&code)).await.err(),
        client.poll(SESSION).await.err(),
    ];
    results.into_iter().flatten().collect()
}

async fn every_call(client: &LoginTc) -> Vec<Error> {
    let mut errors = every_reading_call(client).await;
    errors.extend(client.cancel(SESSION).await.err());
    errors.extend(client.mail_code(USER).await.err());
    errors
}

fn assert_discreet(error: &Error) {
    let shown = format!("{error:?} {error} {error:#?}");
    for secret in [KEY, OTP, SESSION, USER, MARK, "http:", "/api", "127.0"] {
        assert!(!shown.contains(secret), "{secret} in {shown}");
    }
}

fn assert_all_are(errors: &[Error], expected: usize, failure: Failure) {
    assert_eq!(errors.len(), expected, "{errors:?}");
    for error in errors {
        assert!(
            matches!(error, Error::Call(CallError { failure: f, .. }) if *f == failure),
            "{error:?}"
        );
        assert_discreet(error);
    }
}

#[tokio::test]
async fn a_page_and_an_empty_answer_are_malformed_and_no_denial() {
    for body in [format!("<!doctype html>{MARK} denied"), String::new(), format!("\"{MARK}\"")] {
        let origin = saying(&http("200 OK", body.as_bytes())).await;
        assert_all_are(&every_reading_call(&client(&origin)).await, 4, Failure::Malformed);
        let origin = saying(&http("400 Bad Request", body.as_bytes())).await;
        assert_all_are(&every_call(&client(&origin)).await, 6, Failure::Malformed);
    }
}

#[tokio::test]
async fn a_body_without_end_is_malformed_and_not_read() {
    let huge = b"HTTP/1.1 200 OK\r\nContent-Length: 999999999999\r\n\r\n{";
    assert_all_are(&every_call(&client(&saying(huge).await)).await, 6, Failure::Malformed);
    let mut unannounced = b"HTTP/1.1 404 No\r\nConnection: close\r\n\r\n".to_vec();
    unannounced.resize(1 << 20, b' ');
    assert_all_are(&every_call(&client(&saying(&unannounced).await)).await, 6, Failure::Malformed);
}

#[tokio::test]
async fn a_service_that_never_answers_times_out() {
    let origin = saying(b"").await;
    assert_all_are(&every_call(&impatient(&origin)).await, 6, Failure::TimedOut);
}

#[tokio::test]
async fn an_address_where_nothing_listens_is_unreachable() {
    // A port that was bound a moment ago and is free again.
    let taken = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let origin = format!("http://{}", taken.local_addr().unwrap());
    drop(taken);
    assert_all_are(&every_call(&client(&origin)).await, 6, Failure::Unreachable);
}

#[test]
fn the_key_prints_nowhere() {
    assert!(!format!("{:?}", client("http://127.0.0.1:1")).contains(KEY));
}

/// Bytes that are near enough to an answer to reach every reader.
fn body() -> impl Strategy<Value = Vec<u8>> {
    let near = prop::sample::select(vec![
        r#"{"id":"fcbdc4c271c889825d8338d2d8f10b6e5e95c171","state":"#,
        r#"{"errors":[{"code":"api.error."#,
        r#"{"status":"#,
        "",
    ]);
    let piece = prop_oneof![
        prop::collection::vec(any::<u8>(), 0..40),
        "[\\[\\]{}:,\"a-z0-9\\\\.-]{0,40}".prop_map(String::into_bytes),
    ];
    let end = prop::sample::select(vec!["\"}]}", "\"}", "}", "]", ""]);
    (near, piece, end)
        .prop_map(|(near, piece, end)| [near.as_bytes(), &piece, end.as_bytes()].concat())
}

#[test]
fn no_bytes_make_a_call_panic_tell_or_approve() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let answer = Arc::<Mutex<Vec<u8>>>::default();
    let origin = runtime.block_on(server(Arc::clone(&answer)));
    let config = ProptestConfig { cases: 96, failure_persistence: None, ..Default::default() };
    let status = prop::sample::select(vec!["200 OK", "401 No", "403 No", "404 No", "500 No"]);
    let framed = prop_oneof![
        4 => (status, body()).prop_map(|(status, body)| http(status, &body)),
        1 => prop::collection::vec(any::<u8>(), 1..60),
    ];
    TestRunner::new(config)
        .run(&framed, |bytes| {
            let says_so = bytes.windows(8).any(|eight| eight == b"approved");
            *answer.lock().unwrap() = bytes;
            let client = client(&origin);
            for error in runtime.block_on(every_call(&client)) {
                assert_discreet(&error);
            }
            let state = runtime.block_on(client.poll(SESSION));
            prop_assert!(says_so || state != Ok(PushState::Approved));
            Ok(())
        })
        .unwrap();
}
