//! A mail server that speaks just enough of SMTP.

#![allow(clippy::unwrap_used, clippy::missing_panics_doc)]

use std::sync::{Arc, Mutex};

use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader},
    net::{TcpListener, TcpStream},
    sync::mpsc,
};

/// What the server does with a mail.
#[derive(Debug, Clone, Copy)]
pub enum Does {
    /// Takes it.
    Take,
    /// Takes it, and says nothing to QUIT.
    TakeWithoutGoodbye,
    /// Answers RCPT TO with this.
    Answer(&'static str),
    /// Answers the whole mail with this.
    AnswerData(&'static str),
    /// Closes the connection after DATA.
    Drop,
}

/// Serves each connection by the next of these, the last one for ever. Returns the URL, and the lines that it was sent.
pub async fn server(
    extensions: &'static [&'static str],
    does: Vec<Does>,
) -> (String, mpsc::UnboundedReceiver<String>) {
    let (url, told, _) = serve(extensions, does).await;
    (url, told)
}

/// The same; returns the URL, and the mails that it took.
pub async fn counting_server(does: Vec<Does>) -> (String, Taken) {
    let (url, _, taken) = serve(&[], does).await;
    (url, taken)
}

/// The mails that a server took, by recipient.
#[derive(Debug, Clone, Default)]
pub struct Taken(Arc<Mutex<Vec<String>>>);

impl Taken {
    /// How many mails to this address were taken.
    pub fn times(&self, to: &str) -> usize {
        self.0.lock().unwrap().iter().filter(|taken| *taken == to).count()
    }
}

async fn serve(
    extensions: &'static [&'static str],
    does: Vec<Does>,
) -> (String, mpsc::UnboundedReceiver<String>, Taken) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("smtp://{}", listener.local_addr().unwrap());
    let (tell, told) = mpsc::unbounded_channel();
    let taken = Taken::default();
    let all = taken.clone();
    tokio::spawn(async move {
        for n in 0.. {
            let (socket, _) = listener.accept().await.unwrap();
            let now = does[n.min(does.len() - 1)];
            tokio::spawn(converse(socket, extensions, now, tell.clone(), all.clone()));
        }
    });
    (url, told, taken)
}

async fn converse(
    socket: TcpStream,
    extensions: &[&str],
    does: Does,
    tell: mpsc::UnboundedSender<String>,
    taken: Taken,
) {
    let mut socket = BufReader::new(socket);
    socket.write_all(b"220 test\r\n").await.unwrap();
    let (mut line, mut in_data, mut to) = (String::new(), false, String::new());
    while socket.read_line(&mut line).await.is_ok_and(|n| n > 0) {
        let said = line.trim_end().to_owned();
        line.clear();
        let answer = match (said.split([':', ' ']).next().unwrap_or_default(), does) {
            (_, Does::Drop) if in_data => return,
            (_, Does::AnswerData(text)) if in_data && said == "." => Some(text.to_owned()),
            _ if in_data && said != "." => None,
            ("DATA", _) => Some("354 go on".to_owned()),
            ("EHLO", _) => {
                let offers: String =
                    extensions.iter().map(|one| format!("250-{one}\r\n")).collect();
                Some(format!("250-test\r\n{offers}250 HELP"))
            }
            ("RCPT", Does::Answer(text)) => Some(text.to_owned()),
            ("QUIT", Does::TakeWithoutGoodbye) => None,
            ("QUIT", _) => Some("221 bye".to_owned()),
            _ => Some("250 ok".to_owned()),
        };
        if let Some(rest) = said.strip_prefix("RCPT TO:<").filter(|_| !in_data) {
            to = rest.split('>').next().unwrap_or_default().to_owned();
        }
        // Taken from here on, whether or not the answer arrives.
        if in_data && said == "." && answer.as_deref().is_some_and(|text| text.starts_with('2')) {
            taken.0.lock().unwrap().push(to.clone());
        }
        in_data = said == "DATA" || (in_data && said != ".");
        let _ = tell.send(said);
        if let Some(answer) = answer {
            let _ = socket.write_all(format!("{answer}\r\n").as_bytes()).await;
        }
    }
}
