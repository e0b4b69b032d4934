//! Signing in with a passkey in the system's browser, and locking by a locked screen or the tray.

use serde_json::json;

use crate::DESKHAND;
use crate::browser::Browser;
use crate::viewer::ViewerFixture;
use desktop_tests::page::{invoke, run_command};
use desktop_tests::shell::{Shell, Tray};
use desktop_tests::{Desktop, eventually};

const MADE: &str = "Your passkey is made";
const RIGHT: &str = "Your passkey is right";

#[tokio::test]
async fn a_passkey_in_the_systems_browser_signs_in_and_a_locked_screen_locks() {
    let mut desktop = Desktop::new(DESKHAND).await;
    let shell = Shell::start(&desktop).await;
    let browser = Browser::start().await;
    let app = desktop.open_app().await;
    let tray = shell.tray().await;

    run_command(&app, anna()).await;
    browser.go_through(&desktop.opened_link().await, MADE).await;
    tray.line("Lock").await;
    run_command(&app, json!({ "do": "new_session", "about": { "customer": "Maria Lopez" } })).await;
    tray.line("Maria Lopez - ").await;
    // The page as it is made, not as it looks: a name that is cut short on the screen is
    // there, too.
    let on_screen = async || app.source().await.ok();
    let named = async || on_screen().await?.contains("Maria Lopez").then_some(());
    eventually("the session in the window", named).await;

    shell.lock_screen().await;
    tray.line("Locked - ").await;
    let locked = async || (!on_screen().await?.contains("Maria Lopez")).then_some(());
    eventually("the session to leave the window", locked).await;
    assert_eq!(labels(&tray).await[1..], ["Pause notifications", "Open to sign in", "Quit"]);
    let refused = invoke(&app, "command", json!({ "command": { "do": "settings" } })).await;
    assert_eq!(refused.unwrap_err()["code"], "locked");

    run_command(&app, json!({ "do": "sign_in" })).await;
    browser.go_through(&desktop.opened_link().await, RIGHT).await;
    tray.line("Maria Lopez - ").await;
    assert_eq!(run_command(&app, json!({ "do": "settings" })).await["reply"], "settings");
    let log = std::fs::read_to_string(desktop.log()).unwrap();
    assert!(!log.contains("http://localhost"), "no link is logged: {log}");
}

#[tokio::test]
async fn a_lock_hides_viewer_windows_takes_back_names_and_the_customers_session_goes_on() {
    let fixture = ViewerFixture::new().await;
    let browser = Browser::start().await;
    run_command(&fixture.app, anna()).await;
    browser.go_through(&fixture.desktop.opened_link().await, MADE).await;
    fixture.open_viewer(false).await;
    fixture.windows_become(1).await;
    fixture.service.fire("presenter_started").await;
    let shown = fixture.shell.notification().await;
    assert_eq!(shown.summary, "Maria Lopez is online");

    let tray = fixture.shell.tray().await;
    tray.click("Lock").await;
    assert_eq!(fixture.shell.closed().await, shown.number);
    let hidden = async || (!named(&fixture.desktop)).then_some(());
    eventually("the viewer window to be gone", hidden).await;
    fixture.service.fire("presenter_offline").await;
    let told = fixture.shell.notification().await;
    assert!(!format!("{told:?}").contains("Maria"), "{told:?}");
    assert_eq!(told.actions, ["default", "Open"]);

    fixture.look_at_main().await;
    run_command(&fixture.app, json!({ "do": "sign_in" })).await;
    browser.go_through(&fixture.desktop.opened_link().await, RIGHT).await;
    eventually("the viewer window", async || named(&fixture.desktop).then_some(())).await;
    fixture.windows_become(1).await;
    let viewed =
        fixture.service.requests().iter().filter(|line| line.starts_with("GET /view?")).count();
    assert_eq!(viewed, 1, "the window was hidden, not closed and opened again");
}

fn anna() -> serde_json::Value {
    json!({ "do": "create_profile", "name": "Anna Keller", "email": "anna@a.example" })
}

async fn labels(tray: &Tray<'_>) -> Vec<String> {
    tray.lines().await.into_iter().map(|line| line.label).collect()
}

fn named(desktop: &Desktop) -> bool {
    desktop.visible_windows().iter().any(|title| title.contains("Maria Lopez"))
}
