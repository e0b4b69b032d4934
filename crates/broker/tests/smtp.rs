//! E-mail by SMTP, against a server that speaks just enough of it.
#![allow(clippy::unwrap_used)]

mod common;

use broker::{MailState, Smtp};
use common::broker_with;
use serde_json::json;
use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader},
    net::TcpListener,
    sync::mpsc,
};

/// Takes one mail, or refuses its recipient. Answers the URL, and the lines that it was sent.
async fn server(takes: bool) -> (String, mpsc::UnboundedReceiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("smtp://{}", listener.local_addr().unwrap());
    let (tell, told) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        let (socket, _) = listener.accept().await.unwrap();
        let mut socket = BufReader::new(socket);
        socket.write_all(b"220 test\r\n").await.unwrap();
        let (mut line, mut in_data) = (String::new(), false);
        while socket.read_line(&mut line).await.is_ok_and(|n| n > 0) {
            let said = line.trim_end().to_owned();
            line.clear();
            let answer = match said.split(':').next().unwrap_or_default() {
                _ if in_data && said != "." => None,
                "DATA" => Some("354 go on"),
                "RCPT TO" if !takes => Some("550 no such user"),
                "QUIT" => Some("221 bye"),
                _ => Some("250 ok"),
            };
            in_data = said == "DATA" || (in_data && said != ".");
            let _ = tell.send(said);
            if let Some(answer) = answer {
                socket.write_all(format!("{answer}\r\n").as_bytes()).await.unwrap();
            }
        }
    });
    (url, told)
}

async fn send(url: String) -> MailState {
    let smtp = Smtp { url: url.into(), from: "Support <support@example.org>".into() };
    let rig = broker_with(|config| config.smtp = Some(smtp)).await;
    let pin = rig.mint().await;
    let body = json!({ "type": "viewer_started", "name": "Åsa", "session_pin": pin });
    assert_eq!(rig.post("/email/john@example.com", &body).await.status(), 200);
    rig.handle().idle().await;
    rig.handle().outbox()[0].state.clone()
}

#[tokio::test]
async fn a_mail_goes_to_the_smtp_server_and_is_marked_as_sent() {
    let (url, mut told) = server(true).await;
    assert_eq!(send(url).await, MailState::Sent);
    let mut lines = Vec::new();
    while let Ok(line) = told.try_recv() {
        lines.push(line);
    }
    for expected in [
        "MAIL FROM:<support@example.org>",
        "RCPT TO:<john@example.com>",
        "Subject: Your remote support session is ready",
    ] {
        assert!(lines.iter().any(|line| line.starts_with(expected)), "{expected}: {lines:?}");
    }
}

#[tokio::test]
async fn a_mail_that_the_server_refuses_is_marked_as_failed_with_the_reason() {
    let (url, _told) = server(false).await;
    let state = send(url).await;
    assert!(matches!(&state, MailState::Failed(why) if why.contains("no such user")), "{state:?}");
}

#[tokio::test]
async fn a_mail_server_that_is_not_there_fails_the_mail_and_not_the_call() {
    let gone = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    assert!(matches!(send(format!("smtp://{gone}")).await, MailState::Failed(_)));
}
