//! The way through a proxy, over real sockets.

#![allow(clippy::unwrap_used)]

use std::net::SocketAddr;

use presenter::{
    dial::{DialError, Dialler},
    end_reason::EndReason,
};
use tokio::{
    io::{
        AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader, copy_bidirectional,
    },
    net::{TcpListener, TcpSocket, TcpStream},
    sync::mpsc,
};

/// A name that no computer can look up: only the proxy knows where it is.
const NOWHERE: &str = "broker.invalid";

#[tokio::test]
async fn every_variable_leads_through_the_proxy_with_name_and_password() {
    let broker = broker().await;
    for variable in ["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"] {
        let (proxy, mut asked) = proxy(broker).await;
        let value = format!("http://d%5Cme:p%40ss@{proxy}");
        let dialler = dialler(&format!("http://{NOWHERE}"), &[(variable, &value)]);
        let (status, body) = dialler.get("/").await.unwrap();
        assert_eq!((status.as_u16(), &body[..]), (200, &b"{}"[..]), "{variable}");
        let asked = asked.recv().await.unwrap();
        assert!(asked.starts_with(&format!("CONNECT {NOWHERE}:80 HTTP/1.1\r\n")), "{asked}");
        // d\me:p@ss
        let authorization = "proxy-authorization: basic zfxtztpwqhnz\r\n";
        assert!(asked.to_lowercase().contains(authorization), "{asked}");
    }
}

#[tokio::test]
async fn a_server_that_no_proxy_lists_is_dialled_directly() {
    let broker = broker().await;
    for exempt in
        ["127.0.0.1", "127.0.0.0/8", "*", &format!("10.0.0.1,127.0.0.1:{}", broker.port())]
    {
        let environment = [("http_proxy", "http://127.0.0.1:1"), ("no_proxy", exempt)];
        let direct = dialler(&format!("http://{broker}"), &environment).get("/").await;
        assert_eq!(direct.unwrap().0, 200, "{exempt}");
    }
    let other = [("http_proxy", "http://127.0.0.1:1"), ("NO_PROXY", "127.0.0.1:1")];
    let met = dialler(&format!("http://{broker}"), &other).get("/").await;
    assert!(matches!(met, Err(DialError::Proxy(_))), "{met:?}");
}

#[tokio::test]
async fn a_proxy_that_does_not_help_is_named_without_its_password() {
    for (said, sentence) in [
        ("HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n", "(407)"),
        ("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n", "(403)"),
        ("HTTP/1.0 502 Bad Gateway\r\n\r\n<html>", "can't reach the server (502)"),
        ("HTTP/1.1 302 Found\r\nLocation: http://login.example\r\n\r\n", "(302)"),
        ("SSH-2.0-OpenSSH\r\n", "isn't one"),
        ("", "isn't one"),
        ("HTTP/1.1 200 OK\r\n\r\nnot a broker", "(through the proxy 127.0.0.1"),
    ] {
        let proxy = sayer(said).await;
        let value = format!("me:geheim@{proxy}");
        let met = dialler(&format!("http://{NOWHERE}"), &[("http_proxy", &value)]).get("/").await;
        let told = EndReason::from(met.unwrap_err()).to_string();
        assert!(told.contains(sentence) && told.contains(&proxy.to_string()), "{told}");
        assert!(!told.contains("geheim"), "{told}");
    }
}

#[tokio::test]
async fn a_proxy_that_is_not_there_or_wrongly_written_is_named() {
    // Held, so that nobody else gets the port and answers.
    let gone = TcpSocket::new_v4().unwrap();
    gone.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let addr = gone.local_addr().unwrap();
    for scheme in ["http", "https", "socks5h"] {
        let value = format!("{scheme}://{addr}");
        let met = dialler(&format!("https://{NOWHERE}"), &[("https_proxy", &value)]).get("/").await;
        let told = met.unwrap_err().to_string();
        assert!(told.contains(&addr.to_string()) && told.contains("can't be reached"), "{told}");
    }
    let wrong = |_: &str| Some("gopher://me:geheim@p".to_owned());
    let refused = Dialler::within(&"http://a".parse().unwrap(), None, wrong).err().unwrap();
    assert!(refused.to_string().contains("http_proxy"), "{refused}");
    assert!(!refused.to_string().contains("geheim"), "{refused}");
}

#[tokio::test(start_paused = true)]
async fn a_proxy_that_is_silent_is_named() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    let value = format!("http://{addr}");
    let dialler = dialler(&format!("http://{NOWHERE}"), &[("http_proxy", &value)]);
    let told = dialler.get("/").await.unwrap_err().to_string();
    assert!(told.contains(&addr.to_string()) && told.contains("doesn't answer"), "{told}");
}

#[tokio::test]
async fn a_socks_proxy_leads_there_too() {
    let broker = broker().await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    let serving = async {
        let (mut client, _) = listener.accept().await.unwrap();
        let mut greeting = [0; 3];
        client.read_exact(&mut greeting).await.unwrap();
        client.write_all(&[5, 0]).await.unwrap();
        let mut request = vec![0; 5 + NOWHERE.len() + 2];
        client.read_exact(&mut request).await.unwrap();
        assert_eq!(&request[5..5 + NOWHERE.len()], NOWHERE.as_bytes());
        client.write_all(&[5, 0, 0, 1, 0, 0, 0, 0, 0, 0]).await.unwrap();
        let mut server = TcpStream::connect(broker).await.unwrap();
        let _ = copy_bidirectional(&mut client, &mut server).await;
    };
    let value = format!("socks5h://{addr}");
    let dialler = dialler(&format!("http://{NOWHERE}"), &[("ALL_PROXY", &value)]);
    let ((), answer) = tokio::join!(serving, dialler.get("/"));
    assert_eq!(answer.unwrap().0, 200);
}

fn dialler(broker: &str, environment: &[(&str, &str)]) -> Dialler {
    let given = |name: &str| {
        let found = environment.iter().find(|(key, _)| *key == name);
        found.map(|(_, value)| (*value).to_owned())
    };
    Dialler::within(&broker.parse().unwrap(), None, given).unwrap()
}

/// Somebody who answers each request with an empty object.
async fn broker() -> SocketAddr {
    sayer("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}").await
}

/// Somebody who says this to each request and hangs up.
async fn sayer(said: &str) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (addr, said) = (listener.local_addr().unwrap(), said.to_owned());
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let _ = head(&mut stream).await;
            let _ = stream.write_all(said.as_bytes()).await;
        }
    });
    addr
}

/// A proxy that leads to `broker` whatever it is asked for; tells what it was asked.
async fn proxy(broker: SocketAddr) -> (SocketAddr, mpsc::UnboundedReceiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    let (tell, asked) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        while let Ok((mut client, _)) = listener.accept().await {
            tell.send(head(&mut client).await).unwrap();
            client.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").await.unwrap();
            let mut server = TcpStream::connect(broker).await.unwrap();
            let _ = copy_bidirectional(&mut client, &mut server).await;
        }
    });
    (addr, asked)
}

/// A request's head.
async fn head(stream: &mut TcpStream) -> String {
    let mut lines = BufReader::new(stream);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") && lines.read_line(&mut head).await.unwrap_or(0) > 0 {}
    head
}
