//! A service that answers nonsense, half, too much or nothing: each call fails by its remedy, says
//! nothing that is secret, and doesn't panic.

use std::sync::{Arc, Mutex};

use engine::remote::{CallError, Doing, DownloadTarget, LoginWithMe};
use port_tests::KeptPort;
use proptest::{prelude::*, test_runner::TestRunner};
use session::{Failure, Obstacle};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio_util::sync::CancellationToken;
use wire::{
    ConfText, HookType,
    shared_screen::{Requester, Role},
};

use crate::{
    PIN, client, impatient, pin, region,
    server::{Answer, Server, http, json},
};

const HOOK_TOKEN: &str = "hook-token-5e2f";
const CONF: &str = "eyJzZWNyZXQiOiJjb25mIn0";
const ADDRESS: &str = "ann@customer.example";
/// What the garbage itself says: an error must not repeat it either.
const MARK: &str = "m4rk-0f-th3-b0dy";

/// How each of the calls fails; none where it doesn't.
async fn every_call(client: &LoginWithMe) -> Vec<CallError> {
    let pin = pin();
    let url = format!("http://127.0.0.1:9/hook/{HOOK_TOKEN}");
    let folder = tempfile::tempdir().unwrap();
    let into = DownloadTarget::in_folder(folder.path(), "support");
    let conf = ConfText::from(CONF.to_owned());
    let (started, stop) = (HookType::ViewerStarted, CancellationToken::new());
    let results = [
        client.regions().await.err(),
        client.session_pin(&region("us-east-1")).await.err(),
        client.put_hook(&pin, HookType::ViewerOffline, &url).await.err(),
        client.session_url(&pin, true, Some("Ann")).await.err(),
        client.chat(&pin).await.err(),
        client.email(&pin, ADDRESS, started, "Ann").await.err(),
        client.session_parameters(&pin).await.err(),
        client.session_exe(&conf, true, true, &into, |_, _| {}, stop).await.err(),
        client.report_abuse(&pin).await.err(),
        client.capabilities().await.err(),
        client.revoke(&pin).await.err(),
        client.reach(&url.parse().unwrap()).await.err(),
        client.set_asker(&pin, &Requester::default(), false).await.err(),
        client.viewer_link(&pin, Role::Watch, "").await.err(),
        client.roster(&pin).await.err(),
    ];
    results.into_iter().flatten().collect()
}

const CALLS: usize = 15;

/// Holds for every error, whatever went wrong.
fn assert_discreet(error: &CallError, server: &Server) {
    let port = server.origin.rsplit(':').next().unwrap();
    let shown = format!("{error:?} {error} {error:#?}");
    for secret in [PIN, HOOK_TOKEN, CONF, "customer.example", MARK, port, "http:", "/api", "127.0"]
    {
        assert!(!shown.contains(secret), "{secret} in {shown}");
    }
    assert!(std::error::Error::source(error).is_none(), "{error:?}");
}

async fn assert_all_fail(server: &Server, client: &LoginWithMe, failure: Failure) {
    let errors = every_call(client).await;
    assert_eq!(errors.len(), CALLS, "{errors:?}");
    for error in errors {
        assert_eq!(error.failure, failure, "{error:?}");
        assert_discreet(&error, server);
    }
}

async fn assert_all_malformed(answer: Vec<u8>) {
    let server = Server::saying(answer).await;
    assert_all_fail(&server, &client(&server.origin), Failure::Malformed).await;
}

#[tokio::test]
async fn a_page_is_malformed() {
    let page = format!("<!doctype html><title>{MARK} {PIN}</title>");
    assert_all_malformed(http("200 OK", "text/html", page.as_bytes())).await;
}

#[tokio::test]
async fn an_empty_answer_is_malformed() {
    assert_all_malformed(http("200 OK", "application/json", b"")).await;
    assert_all_malformed(b"HTTP/1.1 204 No Content\r\n\r\n".to_vec()).await;
}

#[tokio::test]
async fn json_of_another_shape_is_malformed() {
    assert_all_malformed(json(&format!("\"{MARK} {PIN}\""))).await;
}

#[tokio::test]
async fn half_a_body_broke_off() {
    let half = "HTTP/1.1 200 OK\r\nContent-Length: 400\r\n\r\n{\"success\":true,\"url\":\"m4rk";
    let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{\"suc\r\n";
    for answer in [half, chunked] {
        let server = Server::saying(answer).await;
        let broke_off = Failure::Blocked { by: Obstacle::BrokeOff };
        assert_all_fail(&server, &client(&server.origin), broke_off).await;
    }
}

#[tokio::test]
async fn what_stands_before_the_service_is_not_taken_for_it() {
    let elsewhere = "302 Found\r\nLocation: https://login.example/";
    let by_https = "301 Moved Permanently\r\nLocation: https://127.0.0.1/api/v1/";
    for (status, failure) in [
        ("400 Bad Request", Failure::Blocked { by: Obstacle::Gateway { status: 400 } }),
        ("403 Forbidden", Failure::Blocked { by: Obstacle::Gateway { status: 403 } }),
        ("405 Not Allowed", Failure::Blocked { by: Obstacle::Gateway { status: 405 } }),
        ("407 Proxy Authentication Required", Failure::Blocked { by: Obstacle::Proxy }),
        (elsewhere, Failure::Blocked { by: Obstacle::Redirect }),
        (by_https, Failure::Blocked { by: Obstacle::NeedsHttps }),
        ("401 Unauthorized", Failure::Unauthorized),
    ] {
        let page = format!("<h1>{MARK}</h1>");
        let server =
            Server::saying(http(status, "text/html; charset=utf-8", page.as_bytes())).await;
        assert_all_fail(&server, &client(&server.origin), failure).await;
    }
}

#[tokio::test]
async fn a_compressed_answer_is_told_as_that_and_was_not_asked_for() {
    for encoding in ["gzip", "br", "zstd"] {
        let status = format!("200 OK\r\nContent-Encoding: {encoding}");
        let server = Server::saying(http(&status, "application/json", b"\x1f\x8b\x08")).await;
        let encoded = Failure::Blocked { by: Obstacle::Encoded };
        assert_all_fail(&server, &client(&server.origin), encoded).await;
    }
}

#[tokio::test]
async fn marks_around_an_answer_that_say_nothing_are_forgiven() {
    let pin_in = "\u{feff} \r\n{\"success\":true,\"session_pin\":\" 7w2-97-8570\"}\0\n";
    let server = Server::saying(json(pin_in)).await;
    assert_eq!(client(&server.origin).session_pin(&region("a")).await, Ok(pin()));
    let server = Server::saying(json("\u{feff}[\" us-east-1 \",\"us-east-1\"]")).await;
    assert_eq!(client(&server.origin).regions().await, Ok(vec![region("us-east-1")]));
}

#[tokio::test]
async fn a_get_is_sent_again_where_its_idle_connection_was_just_closed() {
    let seen = Arc::<Mutex<Vec<u16>>>::default();
    let server = Server::start(move |request| {
        let mut seen = seen.lock().unwrap();
        let is_idle = seen.contains(&request.port);
        seen.push(request.port);
        let answer = json(&format!("{{\"success\":true,\"session_pin\":\"{PIN}\"}}"));
        std::future::ready(if is_idle {
            Answer::SendAndClose(Vec::new())
        } else {
            Answer::Send(answer)
        })
    })
    .await;
    let client = client(&server.origin);
    for _ in 0..2 {
        assert_eq!(client.session_pin(&region("a")).await, Ok(pin()));
    }
    assert_eq!(server.requests().len(), 3);
}

#[tokio::test]
async fn a_body_without_end_is_malformed_and_not_read() {
    let huge =
        "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 999999999999\r\n\r\n[";
    assert_all_malformed(huge.into()).await;
    let mut unannounced =
        b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n".to_vec();
    unannounced.resize(9 << 20, b' ');
    assert_all_malformed(unannounced).await;
}

#[tokio::test]
async fn a_chat_that_is_larger_than_what_is_read_of_it_is_said_to_be() {
    let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n";
    let announced = format!("{head}Content-Length: 40000000\r\n\r\n{{");
    let mut unannounced = format!("{head}Connection: close\r\n\r\n").into_bytes();
    unannounced.resize(33 << 20, b' ');
    for answer in [announced.into_bytes(), unannounced] {
        let server = Server::saying(answer).await;
        let error = client(&server.origin).chat(&pin()).await.unwrap_err();
        assert_eq!(error.failure, Failure::TooLarge { most: 32 << 20 });
        assert!(error.to_string().contains("more than 33.6 MB"), "{error}");
    }
}

#[tokio::test]
async fn a_fault_of_the_service_is_its_own() {
    let page = format!("<h1>{MARK}</h1>");
    let server = Server::saying(http("500 Oops", "text/html", page.as_bytes())).await;
    assert_all_fail(&server, &client(&server.origin), Failure::Faulty { status: 500 }).await;
}

#[tokio::test]
async fn a_refusal_is_a_refusal_and_its_prose_is_dropped() {
    let body = format!(r#"{{"success":false,"error":"{MARK}: no session {PIN}"}}"#);
    let refusal = http("400 Bad Request", "application/json", body.as_bytes());
    let server = Server::saying(refusal).await;
    assert_all_fail(&server, &client(&server.origin), Failure::Rejected { status: 400 }).await;
}

#[tokio::test]
async fn a_connection_closed_without_an_answer_is_no_proof_that_nobody_was_asked() {
    let server = Server::saying("").await;
    assert_all_fail(&server, &client(&server.origin), Failure::NoAnswer).await;
    let mut times = std::collections::BTreeMap::<String, usize>::new();
    for request in server.requests() {
        let path = request.target.split('?').next().unwrap().replace("/api/v1/", "");
        *times.entry(path).or_default() += 1;
    }
    let twice: Vec<&str> =
        times.iter().filter(|(_, times)| **times > 1).map(|(path, _)| path.as_str()).collect();
    let repeatable =
        ["chat", "hook/", "regions", "session_exe", "session_pin", "session_url", "x/capabilities"];
    assert_eq!(twice, repeatable, "what changes nothing, or the same, is sent twice");
    assert!(times.values().all(|times| *times <= 2), "{times:?}");
}

#[tokio::test]
async fn a_hook_is_put_on_a_new_connection_where_an_idle_one_was_just_closed() {
    let ports = Arc::<Mutex<Vec<u16>>>::default();
    let server = Server::start(move |request| {
        let mut ports = ports.lock().unwrap();
        let is_idle = ports.contains(&request.port);
        ports.push(request.port);
        let done = http("200 OK", "application/json", br#"{"success":true}"#);
        std::future::ready(if is_idle {
            Answer::SendAndClose(Vec::new())
        } else {
            Answer::Send(done)
        })
    })
    .await;
    let client = client(&server.origin);
    for _ in 0..2 {
        client.put_hook(&pin(), HookType::ViewerOffline, "http://127.0.0.1:9/hook").await.unwrap();
    }
    let ports: Vec<u16> = server.requests().iter().map(|request| request.port).collect();
    assert_eq!(ports.len(), 3);
    assert!(ports[0] == ports[1] && ports[1] != ports[2], "{ports:?}");
}

#[tokio::test]
async fn an_address_where_nothing_listens_is_unreachable() {
    let mut server = Server::silent().await;
    let nobody = KeptPort::new();
    server.origin = format!("http://{}", nobody.addr());
    assert_all_fail(&server, &client(&server.origin), Failure::Unreachable).await;
}

#[tokio::test]
async fn an_address_that_speaks_no_tls_is_unreachable_and_says_so() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let origin = format!("https://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut hello = [0; 1];
            let _ = stream.read_exact(&mut hello).await;
            let _ = stream.write_all(b"HTTP/1.1 400 Plain HTTP\r\n\r\n").await;
            let _ = tokio::io::copy(&mut stream, &mut tokio::io::sink()).await;
        }
    });
    let error = client(&origin).chat(&pin()).await.unwrap_err();
    assert_eq!(error.failure, Failure::Unreachable);
    assert!(error.to_string().contains("secure connection"), "{error}");
}

#[tokio::test]
async fn a_service_that_never_answers_times_out() {
    let server = Server::silent().await;
    assert_all_fail(&server, &impatient(&server.origin), Failure::TimedOut).await;
}

#[tokio::test]
async fn a_service_that_stops_in_the_middle_times_out() {
    let start = b"HTTP/1.1 200 OK\r\nContent-Length: 400\r\n\r\n{\"success\":true";
    let server = Server::start(|_| std::future::ready(Answer::SendAndHold(start.to_vec()))).await;
    assert_all_fail(&server, &impatient(&server.origin), Failure::TimedOut).await;
}

#[tokio::test]
async fn a_cancelled_call_is_hung_up() {
    let (asked, mut was_asked) = tokio::sync::mpsc::unbounded_channel();
    let mut server = Server::start(move |_| {
        asked.send(()).unwrap();
        std::future::ready(Answer::SendAndHold(Vec::new()))
    })
    .await;
    let client = client(&server.origin);
    let pin = pin();
    let call = client.chat(&pin);
    tokio::select! {
        _ = call => unreachable!("it was never answered"),
        asked = was_asked.recv() => asked.unwrap(),
    }
    server.gone.recv().await.unwrap();
}

#[test]
fn a_doing_reads_on_from_could_not() {
    let text = Doing::ArmHook(HookType::PresenterStarted).to_string();
    assert_eq!(text, "arm the hook presenter_started");
}

/// Bytes that are near enough to an answer to reach every reader.
fn body() -> impl Strategy<Value = Vec<u8>> {
    let near = prop::sample::select(vec![
        r#"{"success":true,"chat":["#,
        r#"{"success":true,"session_pin":"#,
        r#"{"success":true,"url":"#,
        r#"{"success":true,"conf":"a","version":"#,
        r#"["us-east-1","#,
        "",
    ]);
    let piece = prop_oneof![
        prop::collection::vec(any::<u8>(), 0..40),
        "[\\[\\]{}:,\"a-z0-9\\\\.-]{0,40}".prop_map(String::into_bytes),
    ];
    let end = prop::sample::select(vec!["]}", "\"}", "}", "]", ""]);
    (near, piece, end)
        .prop_map(|(near, piece, end)| [near.as_bytes(), &piece, end.as_bytes()].concat())
}

#[test]
fn no_bytes_make_a_call_panic_or_tell() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let answer = Arc::<Mutex<Vec<u8>>>::default();
    let now = answer.clone();
    let server = runtime.block_on(Server::start(move |_| {
        std::future::ready(Answer::SendAndClose(now.lock().unwrap().clone()))
    }));
    let config = ProptestConfig { cases: 96, failure_persistence: None, ..Default::default() };
    let framed = prop_oneof![
        3 => body().prop_map(|body| http("200 OK", "application/json", &body)),
        1 => prop::collection::vec(any::<u8>(), 0..60).prop_map(|body| http("200 OK", "x/y", &body)),
        1 => prop::collection::vec(any::<u8>(), 0..60),
    ];
    TestRunner::new(config)
        .run(&framed, |bytes| {
            *answer.lock().unwrap() = bytes;
            for error in runtime.block_on(every_call(&client(&server.origin))) {
                assert_discreet(&error, &server);
            }
            Ok(())
        })
        .unwrap();
}
