//! A story that uses every kind of secret; then none of them is in a log, a push, a notice, a window's
//! title, an answer, an error or a file of the data folder.
//!
//! To add a secret: name it in [`Story::knows`] and give the command that uses it in the test.

use std::{path::Path, sync::Arc};

use console::{App, SettingsSource, app::Tell, commands::Command, reply::Reply};
use secrecy::SecretString;
use serde_json::{Value, json};

use crate::{
    log::Log,
    rig::{BY, Opened, Rig, Seen, options},
};

const PASSPHRASE: &str = "correct-horse-battery-stap1e";

struct Story {
    rig: Rig,
    log: Log,
    secrets: Vec<(&'static str, String)>,
    /// What was answered, refused, told: where, and what.
    said: Vec<(String, Vec<u8>)>,
}

impl Story {
    async fn start() -> Self {
        let log = Log::start("trace");
        let (folder, desktop) = (tempfile::tempdir().unwrap(), Arc::new(Opened::default()));
        let file = SettingsSource::file(folder.path().join("settings.toml"));
        let mut options = options(folder.path(), file, desktop.clone());
        options.passphrase = Some(SecretString::from(PASSPHRASE));
        let app = App::start(options).await.unwrap();
        let seen = Seen::new(app.subscribe());
        let secrets = vec![("passphrase", PASSPHRASE.to_owned())];
        Self { rig: Rig { app, seen, desktop, folder }, log, secrets, said: Vec::new() }
    }

    fn knows(&mut self, what: &'static str, secret: &str) {
        self.secrets.push((what, secret.to_owned()));
    }

    /// Gives a command, which may be refused; what is said is remembered, and a link in it is a secret.
    async fn give(&mut self, command: Value) {
        let doing = command["do"].to_string();
        let command: Command = serde_json::from_value(command).unwrap();
        match self.rig.app.command(command, BY).await {
            // These are the doors through which a link or the PIN is given on purpose.
            Ok(Reply::Link { url, .. }) => {
                let word = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
                for state in url.split(|c| !word(c)).filter(|part| part.len() >= 20) {
                    self.knows("one-time state of a link", state);
                }
                self.knows("link", &url);
            }
            Ok(Reply::Detail { .. } | Reply::Outbox { .. }) => {}
            Ok(reply) => self.said.push((doing, serde_json::to_vec(&reply).unwrap())),
            Err(trouble) => self.said.push((doing, serde_json::to_vec(&trouble).unwrap())),
        }
    }

    /// Takes in what was told and what is on the disk.
    async fn look_around(&mut self) {
        let texts: Vec<_> = self.rig.seen.texts.drain(..).collect();
        self.said.extend(texts.into_iter().map(|text| ("a push".to_owned(), text.into_bytes())));
        let titles: Vec<_> =
            self.rig.desktop.0.lock().unwrap().iter().map(|(name, _)| name.clone()).collect();
        assert!(!titles.is_empty(), "no window was opened");
        self.said
            .extend(titles.into_iter().map(|title| ("a title".to_owned(), title.into_bytes())));
        let mut notices = self.rig.app.notices("window");
        for told in notices.read().await {
            let text = match told {
                Tell::Happened(happening) => serde_json::to_string(&happening).unwrap(),
                Tell::Summary { text, .. } => text,
            };
            self.said.push(("a notice".into(), text.into_bytes()));
        }
        let folder = self.rig.folder.path().to_owned();
        read_all(&folder, &mut self.said);
    }

    fn finds_none(mut self) {
        self.said.push(("the log".into(), self.log.take()));
        let all: usize = self.said.iter().map(|(_, said)| said.len()).sum();
        assert!(all > 100_000, "there was too little to look through: {all}");
        assert!(self.said.iter().any(|(_, said)| holds(said, "Maria")), "it finds nothing at all");
        for (what, secret) in &self.secrets {
            for (place, said) in &self.said {
                assert!(!holds(said, secret), "the {what} is in {place}");
            }
        }
    }
}

fn read_all(folder: &Path, into: &mut Vec<(String, Vec<u8>)>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            read_all(&path, into);
        } else if let Ok(bytes) = std::fs::read(&path) {
            into.push((path.display().to_string(), bytes));
        }
    }
}

/// Whether `secret` is in `text`. Of digits it must be the whole number: others hold any six by chance.
fn holds(text: &[u8], secret: &str) -> bool {
    let alone = secret.bytes().all(|b| b.is_ascii_digit());
    let part = |at: Option<&u8>| at.is_some_and(u8::is_ascii_alphanumeric);
    text.windows(secret.len()).enumerate().any(|(at, window)| {
        let around = part(at.checked_sub(1).and_then(|before| text.get(before)))
            || part(text.get(at + secret.len()));
        window == secret.as_bytes() && !(alone && around)
    })
}

/// A server that says of everything that it isn't allowed.
async fn refusing() -> (String, tokio::task::JoinHandle<()>) {
    use axum::{Router, http::StatusCode};
    let routes = Router::new().fallback(|| async { (StatusCode::UNAUTHORIZED, "{}") });
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base_url = format!("http://{}", listener.local_addr().unwrap());
    (base_url, tokio::spawn(async move { axum::serve(listener, routes).await.unwrap() }))
}

#[tokio::test(flavor = "multi_thread")]
async fn no_secret_is_anywhere_that_it_was_not_given_to() {
    let mut story = Story::start().await;
    let (key, wrong) = ("k3Y9".repeat(16), "wR0n9".repeat(13));
    let secret = format!("desk:secret:{}", "0f1e2d3c".repeat(4));
    let token = "t0k_eN-9HqLlyZOugoStsXCUfD0YdwnNnunAJF8V47U";
    for (what, value) in [
        ("API key", key.as_str()),
        ("refused key", &wrong),
        ("API secret", &secret),
        ("access token", token),
        ("one-time password", "82345671"),
        ("bypass code", "912345678"),
        ("second factor", "271829"),
        ("passphrase of a backup", "staple battery horse"),
    ] {
        story.knows(what, value);
    }

    // A session, and everything that carries its PIN.
    let id = story.rig.session("Maria Lopez").await;
    let pin = story.rig.seen.pin(&id).await;
    story.knows("PIN", &pin);
    let page = story.rig.page(&pin, "presenter", "Maria").await;
    story.rig.seen.event("presenter_online").await;
    story.give(json!({ "do": "mail", "session": id, "to": "maria@example.com", "to_customer": true, "when": "now" })).await;
    story.rig.seen.event("mail_sent").await;
    story.give(json!({ "do": "viewer_link", "session": id, "read_only": true })).await;
    story.give(json!({ "do": "open_viewer", "session": id, "read_only": false })).await;
    story.give(json!({ "do": "report_abuse", "pin": pin })).await;

    // The services' secrets: in use, refused by the service, and of a wrong shape.
    let (server, task) = refusing().await;
    story
        .give(json!({ "do": "configure", "changes": {
        "logintc_url": server, "logintc_domain": "0a".repeat(20),
        "rocketchat_url": server, "rocketchat_user": "u1" } }))
        .await;
    for (name, value) in [
        ("logintc_key", key.as_str()),
        ("logintc_key", &wrong),
        ("passwordless_secret", &secret),
        ("passwordless_secret", token),
        ("rocketchat_token", token),
    ] {
        story.give(json!({ "do": "set_secret", "secret": name, "value": value })).await;
    }
    for service in ["logintc", "passwordless", "rocketchat"] {
        story.give(json!({ "do": "test_connection", "service": service })).await;
    }

    // Codes on their way in.
    for code in ["82345671", "912345678"] {
        story.give(json!({ "do": "verify", "session": id, "who": "customer", "user": "maria", "code": code })).await;
    }
    let factor = json!({ "code": "271829", "method": "totp" });
    story.give(json!({ "do": "look_up_device", "session": id, "login_session": "abc", "factor": factor })).await;
    story.give(json!({ "do": "devices", "filter": "", "offset": 0, "factor": factor })).await;

    // A backup, and one that is refused.
    let file = story.rig.folder.path().join("a.backup");
    for _ in 0..2 {
        story
            .give(json!({ "do": "backup", "passphrase": "staple battery horse", "path": file }))
            .await;
    }

    // All that can be read back.
    for command in ["services", "settings", "audit", "verify_audit", "export_audit"] {
        story.give(json!({ "do": command })).await;
    }
    for format in ["text", "json", "csv"] {
        story.give(json!({ "do": "export", "session": id, "format": format })).await;
    }
    story.give(json!({ "do": "search", "query": "Maria" })).await;
    story.look_around().await;

    // A step in the browser; its link and what is in it are secrets.
    story
        .give(json!({ "do": "create_profile", "name": "Anna Keller", "email": "anna@example.com" }))
        .await;
    story.give(json!({ "do": "cancel_ceremony" })).await;
    story.give(json!({ "do": "remove_secret", "secret": "logintc_key" })).await;
    story.give(json!({ "do": "close", "session": id, "outcome": "resolved" })).await;
    page.close().await;
    story.rig.app.stop().await;
    task.abort();
    let folder = story.rig.folder.path().to_owned();
    read_all(&folder, &mut story.said);
    story.finds_none();
}
