//! The real window, driven by WebDriver on a desktop of the test's own.
#![allow(clippy::unwrap_used)]

mod access;
mod browser;
mod chat;
mod ends;
mod keyboard;
mod notice;
mod page_process;
mod pictures;
mod restore;
mod screen;
mod secrets;
mod shared_screen;
mod tray;
mod typing;
mod viewer;

use desktop_tests::page::{invoke, is_refusal, run_command};
use desktop_tests::shell::Shell;
use desktop_tests::{Desktop, PATIENCE, eventually};
use fantoccini::Locator;
use serde_json::json;

/// The app under test. Only the tests of the root package are told its path.
const DESKHAND: &str = env!("CARGO_BIN_EXE_deskhand");

#[tokio::test]
async fn the_window_comes_up_with_the_new_session_button() {
    let mut desktop = Desktop::new(DESKHAND).await;
    let app = desktop.open_app().await;
    app.wait()
        .at_most(PATIENCE)
        .for_element(Locator::XPath("//button[contains(., 'New session')]"))
        .await
        .unwrap();
    eventually("the window on the screen", async || main_is_visible(&desktop)).await;
}

#[tokio::test]
async fn closing_hides_the_window_and_a_second_start_brings_it_back() {
    let mut desktop = Desktop::new(DESKHAND).await;
    let _shell = Shell::start(&desktop).await;
    let app = desktop.open_app().await;
    eventually("the window on the screen", async || main_is_visible(&desktop)).await;

    desktop.tool("wmctrl", &["-F", "-c", "Deskhand"]);
    eventually("the window to be gone", async || {
        desktop.visible_windows().is_empty().then_some(())
    })
    .await;
    assert_eq!(app.title().await.unwrap(), "Deskhand", "the app lives on behind its tray icon");

    let second = desktop.start_again().await;
    assert!(second.status.success(), "{second:?}");
    eventually("the window to be back", async || main_is_visible(&desktop)).await;
}

#[tokio::test]
async fn the_tray_brings_the_window_back_and_ends_the_app() {
    let mut desktop = Desktop::new(DESKHAND).await;
    let shell = Shell::start(&desktop).await;
    let app = desktop.open_app().await;
    let tray = shell.tray().await;
    eventually("the window on the screen", async || main_is_visible(&desktop)).await;
    desktop.tool("wmctrl", &["-F", "-c", "Deskhand"]);
    eventually("the window to be gone", async || {
        desktop.visible_windows().is_empty().then_some(())
    })
    .await;

    let labels: Vec<String> = tray.lines().await.into_iter().map(|line| line.label).collect();
    assert_eq!(labels, ["No live session", "New session", "Pause notifications", "Open", "Quit"]);
    tray.click("Open").await;
    eventually("the window to be back", async || main_is_visible(&desktop)).await;

    tray.click("Quit").await;
    eventually("the app to be gone", async || app.title().await.err()).await;
}

#[tokio::test]
async fn the_page_can_call_nothing_but_its_own_commands() {
    let mut desktop = Desktop::new(DESKHAND).await;
    let app = desktop.open_app().await;
    for refused in [
        "plugin:store|load",
        "plugin:window-state|save_window_state",
        "plugin:window|close",
        "plugin:webview|create_webview_window",
        "plugin:event|listen",
        "plugin:path|resolve_directory",
        "no_such_command",
    ] {
        let answer = invoke(&app, refused, json!({})).await;
        assert!(is_refusal(&answer), "{refused}: {answer:?}");
    }
    assert_eq!(run_command(&app, json!({ "do": "settings" })).await["reply"], "settings");
}

#[tokio::test]
async fn the_page_can_load_and_run_nothing_from_elsewhere() {
    let mut desktop = Desktop::new(DESKHAND).await;
    let app = desktop.open_app().await;
    let violations = app
        .execute_async(
            "const done = arguments[0]; const seen = [];
             addEventListener('securitypolicyviolation', e => {
               seen.push(e.effectiveDirective); if (seen.length === 3) done(seen.sort());
             });
             const script = document.createElement('script');
             script.textContent = 'window.injected = true'; document.head.append(script);
             const image = new Image(); image.src = 'http://127.0.0.1:9/x.png';
             fetch('http://127.0.0.1:9/').catch(() => {});",
            vec![],
        )
        .await
        .unwrap();
    assert_eq!(violations, json!(["connect-src", "img-src", "script-src-elem"]));
    assert_eq!(app.execute("return window.injected === undefined", vec![]).await.unwrap(), true);
}

#[tokio::test]
async fn the_pages_libraries_cannot_change_what_every_object_inherits() {
    let mut desktop = Desktop::new(DESKHAND).await;
    let app = desktop.open_app().await;
    let tried = app
        .execute(
            "const refused = change => { try { change(); return false } catch { return true } };
             Object.prototype.polluted = 1;
             const own = {}; own.constructor = 7; own.toString = () => 'own';
             return [
               ({}).polluted === undefined,
               refused(() => { Object.prototype.toString = 1; }),
               refused(() => Object.defineProperty(Object.prototype, 'polluted', { value: 1 })),
               own.constructor === 7 && String(own) === 'own' && ({}).constructor === Object,
             ];",
            vec![],
        )
        .await
        .unwrap();
    assert_eq!(tried, json!([true, true, true, true]));
}

fn main_is_visible(desktop: &Desktop) -> Option<()> {
    desktop.visible_windows().contains(&"Deskhand".to_owned()).then_some(())
}
