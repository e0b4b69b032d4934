//! A backup that is restored from the settings page: the window comes back by itself, with what the backup has.

use fantoccini::Locator;
use serde_json::json;

use crate::page_process::LOADED;
use crate::viewer::ViewerFixture;
use desktop_tests::page::run_command;
use desktop_tests::{PATIENCE, eventually};

const PASSPHRASE: &str = "seven otters read old maps";

#[tokio::test]
async fn a_restored_backup_brings_the_window_back_with_the_sessions_that_it_has() {
    let fixture = ViewerFixture::logging("info").await;
    let app = &fixture.app;
    let written = run_command(app, json!({ "do": "backup", "passphrase": PASSPHRASE })).await;
    assert_eq!(written["reply"], "backup", "{written}");
    // The backup doesn't have this one.
    run_command(app, json!({ "do": "new_session", "about": { "customer": "Ben Ode" } })).await;
    fixture.shell.tray().await.line("Ben Ode").await;
    let loaded = fixture.desktop.count_logged(LOADED);

    let click = async |what: &str| {
        let there = app.wait().at_most(PATIENCE).for_element(Locator::XPath(what)).await.unwrap();
        there.click().await.unwrap();
    };
    click("//button[@aria-label='Settings']").await;
    let field = "//section[.//h2[.='Restore']]//input[@type='password']";
    let field = app.wait().at_most(PATIENCE).for_element(Locator::XPath(field)).await.unwrap();
    field.send_keys(PASSPHRASE).await.unwrap();
    click("//button[contains(., 'Restore …')]").await;
    click("//button[contains(., 'Restore and start again')]").await;

    fixture.desktop.logged(LOADED, loaded + 1).await;
    let back =
        async || fixture.desktop.visible_windows().contains(&"Deskhand".into()).then_some(());
    eventually("the window to be back", back).await;
    let tray = fixture.shell.tray().await;
    tray.line("Maria Lopez").await;
    let lines = tray.lines().await;
    assert!(!lines.iter().any(|line| line.label.starts_with("Ben Ode")), "it isn't in the backup");
}
