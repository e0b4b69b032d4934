//! What comes in place of the service's answer, and answers that are read all the same.

use std::fmt::Write as _;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::{
    certificates,
    namespaces::inside,
    pages::Page,
    process::{Console, armed, pin_of},
    stand_in::{BASE_URL, Front, Hosted},
};

const BY_HAND: &str = "us-east-1";

#[test]
fn whatever_answers_in_place_of_the_service_is_told_as_what_it_is() {
    inside(async |mut hosted: Hosted| {
        let mut console = hosted.console(&[]).await;
        for (certificate, words) in [
            (certificates::EXPIRED, ["has expired", "date and time"]),
            (certificates::OF_ANOTHER, ["another name", "address"]),
            (certificates::UNTRUSTED, ["not from an issuer", "install"]),
        ] {
            hosted.serve(Front { certificate, ..Front::default() }).await;
            is_told(&mut console, &words).await;
        }
        let half = half_an_answer().await;
        for (answer, words) in [
            ("default_type text/html; return 403 '<html>Blocked</html>';", ["firewall", "403"]),
            ("default_type text/plain; return 403 'RBAC: access denied';", ["firewall", "403"]),
            ("types { } default_type ''; return 403 'denied';", ["firewall", "403"]),
            ("return 404;", ["404", "Check the service's address"]),
            ("return 405;", ["405", "let Deskhand through"]),
            ("return 401;", ["sign-in", "401"]),
            ("return 407;", ["proxy", "407"]),
            ("return 302 https://login.example/;", ["another server", "address"]),
            (&format!("proxy_pass {half};"), ["broke off", "Try again"]),
        ] {
            let locations = &format!("location = /api/v1/session_pin {{ {answer} }}");
            for protocol in ["http2", ""] {
                hosted.serve(Front { locations, protocol, ..Front::default() }).await;
                is_told(&mut console, &words).await;
            }
        }
        hosted.serve(Front::default()).await;
        console.new_session("Maria").await;
        console.quit().await;
    });
}

#[test]
fn an_address_that_leads_elsewhere_is_told_and_not_followed() {
    inside(async |hosted: Hosted| {
        for (base, words) in [
            ("https://moved.example/api/v1", ["another server", "address"]),
            ("http://service.example/api/v1", ["only over https", "Write https://"]),
        ] {
            let mut console = hosted.console(&["--base-url", base]).await;
            is_told(&mut console, &words).await;
            console.quit().await;
        }
    });
}

/// A session gets no PIN; why, and what to do, has these words.
async fn is_told(console: &mut Console, words: &[&str]) {
    let session = ordered(console).await;
    let failed = console.state(&session, "failed").await;
    let told = format!("{} {}", failed["failure"]["text"], failed["failure"]["remedy"]);
    assert!(words.iter().all(|word| told.contains(word)), "{words:?}: {told}");
}

/// Orders a session in a region chosen by hand, and puts it on screen.
async fn ordered(console: &mut Console) -> String {
    let new = json!({ "do": "new_session", "about": {}, "region": BY_HAND });
    let session = console.ask(new).await["session"].as_str().unwrap().to_owned();
    console.ask(json!({ "do": "show", "session": session })).await;
    session
}

/// A server that hangs up in the middle of its answer; its address.
async fn half_an_answer() -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let at = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut request = [0; 4 << 10];
            let _ = stream.read(&mut request).await;
            let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 48\r\n\r\n{\"success\":true,";
            let _ = stream.write_all(answer).await;
        }
    });
    at
}

#[test]
fn no_call_fails_by_connections_that_the_service_ends_after_a_few_requests() {
    const A_CONNECTION: usize = 20;
    const SESSIONS: usize = 4;
    const LINKS: usize = 30;
    inside(async |mut hosted: Hosted| {
        let mut console = hosted.console(&[]).await;
        for (protocol, named) in [("http2", "HTTP/2.0"), ("", "HTTP/1.1")] {
            let http = &format!("keepalive_requests {A_CONNECTION};");
            hosted.serve(Front { protocol, http, ..Front::default() }).await;
            for _ in 0..SESSIONS {
                let session = ordered(&mut console).await;
                console.detail(&session, "armed", armed).await;
                for _ in 0..LINKS {
                    let link =
                        json!({ "do": "viewer_link", "session": session, "read_only": true });
                    let answer = console.ask(link).await;
                    assert_eq!(answer["reply"], "link", "{answer}");
                }
            }
            hosted.connections(named, SESSIONS * LINKS / A_CONNECTION).await;
        }
        let lost =
            |line: &&Value| line["event"] == "hook_lost" || line["event"] == "allocation_failed";
        assert_eq!(console.said().iter().find(lost), None);
        console.quit().await;
    });
}

/// The edge itself, every time: the second call on each connection finds it ended, without a word. With HTTP/2 that is
/// GOAWAY, for which see the engine's own server of frames.
#[test]
fn a_call_that_a_kept_connection_is_too_late_for_is_made_once_more() {
    const SESSIONS: usize = 3;
    const LINKS: usize = 20;
    inside(async |mut hosted: Hosted| {
        let http =
            "map \"$request_method $connection_requests\" $is_too_late { \"GET 2\" 1; default 0; }";
        // Hooks leave no connection behind, so that the call that is made once more gets one of its own.
        let locations = "location /api/v1/hook { keepalive_timeout 0; PASS_ON }
                         location /api/v1/ { if ($is_too_late) { return 444; } PASS_ON }";
        hosted.serve(Front { protocol: "", http, locations, ..Front::default() }).await;
        let mut console = hosted.console(&[]).await;
        for _ in 0..SESSIONS {
            // It isn't on screen, where its chat would be fetched beside the other calls.
            let new = json!({ "do": "new_session", "about": {}, "region": BY_HAND });
            let made = console.ask(new).await;
            let session = made["session"].as_str().unwrap().to_owned();
            console.happening(&session, "pin_ready").await;
            for _ in 0..LINKS {
                let link = json!({ "do": "viewer_link", "session": session, "read_only": true });
                let answer = console.ask(link).await;
                assert_eq!(answer["reply"], "link", "{answer}");
            }
        }
        // Each of them had to go on a new connection.
        hosted.connections("HTTP/1.1", SESSIONS * LINKS).await;
        let failed = |line: &&Value| line["event"] == "allocation_failed";
        assert_eq!(console.said().iter().find(failed), None);
        console.quit().await;
    });
}

#[test]
fn blanks_a_byte_order_mark_and_lower_case_are_forgiven() {
    inside(async |mut hosted: Hosted| {
        let client = reqwest::Client::new();
        let minted = client.get(format!("{BASE_URL}/session_pin?region={BY_HAND}")).send().await;
        let minted: Value = serde_json::from_str(&minted.unwrap().text().await.unwrap()).unwrap();
        let pin = minted["session_pin"].as_str().unwrap();
        let lower = pin.to_lowercase();
        let locations = &format!(
            "location = /api/v1/regions {{ return 200 '\u{feff} [ \" {BY_HAND} \" ] \\n'; }}\n\
             location = /api/v1/session_pin \
             {{ return 200 '\u{feff}\\n {{\"success\": true, \"session_pin\": \" {lower} \"}}\\n\\n'; }}"
        );
        hosted.serve(Front { locations, ..Front::default() }).await;
        let mut console = hosted.console(&[]).await;
        let (_, detail) = console.new_session("Maria").await;
        assert_eq!(detail["pin"]["text"], pin);
        assert_eq!(detail["region"], BY_HAND);
        console.quit().await;
    });
}

#[test]
fn a_chat_of_thousands_comes_whole_and_a_compressed_one_is_named() {
    const MESSAGES: usize = 5_000;
    inside(async |mut hosted: Hosted| {
        let file = hosted.folder().join("chat.json");
        std::fs::write(&file, chat_of(MESSAGES)).unwrap();
        let zipped = std::process::Command::new("gzip").arg("--keep").arg(&file).status().unwrap();
        assert!(zipped.success());
        let chat = |how: &str| {
            let file = file.display();
            format!(
                "location = /api/v1/chat {{ default_type application/json; alias {file}; {how} }}"
            )
        };
        hosted.serve(Front { locations: &chat("gzip_static always;"), ..Front::default() }).await;
        let mut console = hosted.console(&[]).await;
        let (session, detail) = console.new_session("Maria").await;
        // While somebody is there the chat is fetched more often.
        let _customer = Page::open(&pin_of(&detail), "presenter", "Maria").await;
        let said = |d: &Value| {
            d["chat_trouble"]["text"].as_str().is_some_and(|t| t.contains("compressed"))
        };
        console.detail(&session, "that it is compressed", said).await;

        hosted.serve(Front { locations: &chat(""), ..Front::default() }).await;
        console.detail(&session, "the whole chat", |d| d["chat_total"] == MESSAGES).await;
        let close = json!({ "do": "close", "session": session, "outcome": "resolved" });
        assert_eq!(console.ask(close).await["reply"], "done");
        let saved = |d: &Value| d["transcript"]["messages"] == MESSAGES;
        console.detail(&session, "the transcript", saved).await;
        console.quit().await;
    });
}

fn chat_of(messages: usize) -> String {
    let mut chat = String::from("{\"success\":true,\"chat\":[");
    for number in 0..messages {
        let comma = if number == 0 { "" } else { "," };
        let message = json!({
            "guid": format!("message-{number}"), "timestamp": 1_700_000_000 + number,
            "subject": "Maria", "body": format!("The printer says {number}"),
        });
        write!(chat, "{comma}{message}").unwrap();
    }
    chat + "]}"
}
