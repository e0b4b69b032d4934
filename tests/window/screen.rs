//! The customer's real screen in the app's own viewer window: from the question for consent to
//! a key.

use screen_tests::browser::{PageScreen, until};
use screen_tests::display::Display;
use screen_tests::subject::{SQUARE, Subject};
use serde_json::json;

use crate::DESKHAND;
use crate::shared_screen::SharedScreen;
use desktop_tests::page::run_command;
use desktop_tests::shell::Shell;
use desktop_tests::{Desktop, eventually};

/// The subject's first two colours.
const RED: [u8; 3] = [0xd0, 0x30, 0x30];
const GREEN: [u8; 3] = [0x20, 0xa0, 0x40];

#[tokio::test(flavor = "multi_thread")]
async fn the_viewer_window_shows_the_customers_screen_sealed_and_a_key_in_it_reaches_their_pc() {
    let mut desktop = Desktop::new(DESKHAND).await;
    let _shell = Shell::start(&desktop).await;
    let app = desktop.open_app().await;
    let choose = |theme| json!({ "do": "configure", "changes": { "theme": theme } });
    run_command(&app, choose("dark")).await;
    let display = Display::xvfb(1280, 800);
    let subject = Subject::on(&display);
    let shared = SharedScreen::open(&desktop, &app, &display).await;
    let (main, viewer) = (&shared.main, &shared.viewer);
    app.switch_to_window(viewer.clone()).await.unwrap();
    let is = |theme| format!("return matchMedia('(prefers-color-scheme: {theme})').matches");
    until(&app, "it is dark, as was chosen", &is("dark")).await;
    app.switch_to_window(main.clone()).await.unwrap();
    run_command(&app, choose("light")).await;
    app.switch_to_window(viewer.clone()).await.unwrap();
    until(&app, "it is light, as was just chosen", &is("light")).await;
    let shown = PageScreen(&app);
    shown.watch(1280).await;
    // What the question covered is drawn again once it is gone.
    let drawn = async || (display.picture().at(SQUARE.0, SQUARE.1) == RED).then_some(());
    eventually("the square on the customer's own screen", drawn).await;
    shown.becomes(SQUARE, RED).await;
    let shown_words = "return document.getElementById('words-text').textContent";
    let words = app.execute(shown_words, vec![]).await.unwrap();
    assert_eq!(words.as_str().unwrap().split_whitespace().count(), 3, "{words}");
    shown.click((600, 700)).await;
    subject.gets("button");
    shown.becomes(SQUARE, GREEN).await;
    shown.types("k").await;
    assert!(subject.gets("key").contains("down"));

    // Said once, it holds for a page that comes back with other connections and the same words.
    let is_compared = "return !document.getElementById('compared').hidden && \
                       document.getElementById('words').hidden";
    // Said again until it is taken: a click right after the words appeared counts for nothing.
    let says_so = "const compared = !document.getElementById('compared').hidden; \
                   if (!compared) document.getElementById('words-done').click(); \
                   return compared";
    until(&app, "the words are known to match", says_so).await;
    until(&app, "the strip is gone", is_compared).await;
    app.refresh().await.unwrap();
    until(&app, "they still are after it came back", is_compared).await;
    assert_eq!(app.execute(shown_words, vec![]).await.unwrap(), words);

    app.switch_to_window(main.clone()).await.unwrap();
    let sealed = async || {
        let watchers = shared.detail().await["screen"]["watchers"].clone();
        (watchers[0]["sealed"] == true && watchers[0]["controls"] == true).then_some(())
    };
    eventually("the console to know that it is encrypted end to end", sealed).await;
}
