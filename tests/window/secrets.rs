//! Searches for secrets in everything that the app writes, logs and shows.

use std::path::{Path, PathBuf};

use fantoccini::Locator;
use serde_json::json;

use crate::viewer::ViewerFixture;
use desktop_tests::page::run_command;
use desktop_tests::service::PIN;
use desktop_tests::{PATIENCE, eventually};

#[tokio::test]
async fn no_secret_is_in_the_log_a_notification_a_title_the_tray_or_a_file() {
    let fixture = ViewerFixture::logging("trace").await;
    let shown = Locator::XPath("//button[starts-with(@class, 'pin ')]");
    let pin = fixture
        .app
        .wait()
        .at_most(PATIENCE)
        .for_element(shown)
        .await
        .unwrap()
        .text()
        .await
        .unwrap();
    assert_eq!(pin, PIN, "the page is what the PIN is for");
    let mut places = what_is_shown(&fixture).await;
    for SearchedText { name, text } in &places {
        assert!(finds(text, "Maria Lopez"), "{name} shows nothing of the session");
    }
    // What is written at the end counts too. Nobody waits for an answer of an app that ends.
    let quit = "window.__TAURI_INTERNALS__.invoke('command', { command: { do: 'quit' } })";
    let _ = fixture.app.execute(quit, vec![]).await;
    eventually("the app to be gone", async || fixture.app.title().await.err()).await;

    let files = files_in(fixture.desktop.home());
    for name in ["journal.db", "archive.db", "stderr.log"] {
        assert!(files.iter().any(|file| file.ends_with(name)), "{name} is missing in {files:?}");
    }
    let log = std::fs::read(fixture.desktop.log()).unwrap();
    assert!(finds(&log, "DEBUG"), "the log says nothing");
    let key = files.iter().find(|file| file.extension().is_some_and(|kind| kind == "key")).unwrap();
    let mut secrets: Vec<String> = fixture.service.hook_tokens().into_iter().collect();
    assert_eq!(secrets.len(), 4, "one a hook");
    secrets.extend([PIN.to_owned(), PIN.replace('-', "")]);
    secrets.push(std::fs::read_to_string(key).unwrap().trim().to_owned());

    places.extend(files.iter().filter(|file| *file != key).map(|file| SearchedText {
        name: file.display().to_string(),
        text: std::fs::read(file).unwrap_or_default(),
    }));
    for SearchedText { name, text } in &places {
        for (number, secret) in secrets.iter().enumerate() {
            // The message has the secret's number only; its text would be a leak itself.
            assert!(!finds(text, secret), "secret {number} is in {name}");
        }
        let database = name.contains("journal.db") || name.contains("archive.db");
        assert!(!database || !finds(text, "Maria Lopez"), "a customer's name is open in {name}");
    }
}

/// A text in which a secret could be.
struct SearchedText {
    name: String,
    text: Vec<u8>,
}

/// Everything that the app shows outside of its pages while a customer joins and a
/// technician watches.
async fn what_is_shown(fixture: &ViewerFixture) -> Vec<SearchedText> {
    let tray = fixture.shell.tray().await;
    fixture.service.fire("presenter_started").await;
    tray.line("Maria Lopez - Ready").await;
    fixture.open_viewer(false).await;
    fixture.service.fire("viewer_started").await;
    tray.line("Maria Lopez - Active").await;
    let menu: Vec<String> = tray.lines().await.into_iter().map(|line| line.label).collect();
    let titled = async || {
        let titles = fixture.desktop.visible_windows();
        titles.iter().any(|title| title.contains("Maria Lopez")).then_some(titles)
    };
    let titles = eventually("the viewer window on the screen", titled).await;
    fixture.look_at_main().await;
    let export = json!({ "do": "export", "session": fixture.session(), "format": "json" });
    let export = run_command(&fixture.app, export).await;
    let told = eventually("a notification", async || {
        let told = fixture.shell.notifications().await;
        (!told.is_empty()).then_some(told)
    })
    .await;
    let place =
        |name: &str, text: String| SearchedText { name: name.into(), text: text.into_bytes() };
    vec![
        place("a notification", format!("{told:?}")),
        place("a title", titles.join("\n")),
        place("the tray", menu.join("\n")),
        place("an export", export.to_string()),
    ]
}

/// Whether `text` contains `wanted`, also as UTF-16 or percent-encoded.
fn finds(text: &[u8], wanted: &str) -> bool {
    let wide: Vec<u8> = wanted.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let lower = wanted.to_lowercase();
    [wanted.as_bytes(), lower.as_bytes(), &wide]
        .iter()
        .any(|wanted| text.windows(wanted.len()).any(|window| window == *wanted))
}

fn files_in(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let list = |entry: std::fs::DirEntry| {
        let kind = entry.file_type().unwrap();
        match (kind.is_dir(), kind.is_file()) {
            (true, _) => files_in(&entry.path()),
            (false, true) => vec![entry.path()],
            (false, false) => Vec::new(),
        }
    };
    entries.flat_map(list).collect()
}

#[test]
fn a_secret_is_found_however_it_is_written() {
    let wide: Vec<u8> = "a 7W2-97-8570".encode_utf16().flat_map(u16::to_le_bytes).collect();
    for text in [&b"x 7W2-97-8570."[..], b"7w2-97-8570", &wide] {
        assert!(finds(text, PIN));
    }
    assert!(!finds(b"7W2-97-857", PIN));
}
