//! The tray and the window: what brings it back, and how it comes back.

use fantoccini::Locator;
use serde_json::json;

use crate::DESKHAND;
use crate::viewer::ViewerFixture;
use desktop_tests::page::run_command;
use desktop_tests::shell::Shell;
use desktop_tests::{Desktop, PATIENCE, eventually};

#[tokio::test]
async fn the_tray_starts_a_session_and_shows_it_though_the_window_was_hidden() {
    let mut desktop = Desktop::new(DESKHAND).await;
    let shell = Shell::start(&desktop).await;
    let app = desktop.open_app().await;
    let tray = shell.tray().await;
    desktop.hide_main().await;
    tray.click("New session").await;
    tray.line("New session ").await;
    eventually("the window to be back", async || main_is_visible(&desktop)).await;
    let heading = Locator::XPath("//h1[starts-with(., 'New session ')]");
    app.wait().at_most(PATIENCE).for_element(heading).await.unwrap();
}

#[tokio::test]
async fn a_live_session_in_the_tray_is_brought_to_the_hidden_window() {
    let fixture = ViewerFixture::new().await;
    let tray = fixture.shell.tray().await;
    run_command(
        &fixture.app,
        json!({ "do": "new_session", "about": { "customer": "Ben Okafor" } }),
    )
    .await;
    for name in ["Maria Lopez", "Ben Okafor"] {
        fixture.desktop.hide_main().await;
        tray.click(&format!("{name} - ")).await;
        eventually("the window to be back", async || main_is_visible(&fixture.desktop)).await;
        let heading = format!("//h1[contains(., '{name}')]");
        fixture.app.wait().at_most(PATIENCE).for_element(Locator::XPath(&heading)).await.unwrap();
    }
}

#[tokio::test]
async fn the_window_comes_back_as_large_and_where_it_was() {
    let mut desktop = Desktop::new(DESKHAND).await;
    let shell = Shell::start(&desktop).await;
    let app = desktop.open_app().await;
    eventually("the window on the screen", async || main_is_visible(&desktop)).await;
    let wanted = "0,90,40,1010,640";
    let moved = async || {
        desktop.tool("wmctrl", &["-F", "-r", "Deskhand", "-e", wanted]);
        geometry(&desktop).filter(|geometry| geometry.contains("1010x640"))
    };
    let before = eventually("the window in its place", moved).await;
    shell.tray().await.click("Quit").await;
    eventually("the app to be gone", async || app.title().await.err()).await;
    desktop.kill_app();

    let _app = desktop.open_app().await;
    eventually("the window as it was", async || (geometry(&desktop)? == before).then_some(()))
        .await;
}

#[tokio::test]
async fn without_a_tray_closing_the_window_asks_whether_to_quit_and_a_hidden_one_comes_back() {
    let fixture = ViewerFixture::new().await;
    fixture.desktop.hide_main().await;
    fixture.shell.set_host(false).await;
    eventually("the window to be back", async || main_is_visible(&fixture.desktop)).await;

    fixture.desktop.tool("wmctrl", &["-F", "-c", "Deskhand"]);
    let asked = Locator::XPath("//*[@role='dialog'][contains(., '1 session is live')]");
    fixture.app.wait().at_most(PATIENCE).for_element(asked).await.unwrap();
    assert!(main_is_visible(&fixture.desktop).is_some());
    let stay = Locator::XPath("//*[@role='dialog']//button[contains(., 'Stay')]");
    fixture.app.find(stay).await.unwrap().click().await.unwrap();

    fixture.shell.set_host(true).await;
    let hidden = async || {
        fixture.desktop.tool("wmctrl", &["-F", "-c", "Deskhand"]);
        main_is_visible(&fixture.desktop).is_none().then_some(())
    };
    eventually("the window to be hidden", hidden).await;
}

fn geometry(desktop: &Desktop) -> Option<String> {
    let found = desktop.tool("xdotool", &["search", "--onlyvisible", "--name", "^Deskhand$"]);
    let window = String::from_utf8(found.stdout).unwrap().lines().next()?.to_owned();
    let told = desktop.tool("xdotool", &["getwindowgeometry", &window]);
    let text = String::from_utf8(told.stdout).unwrap();
    Some(text.lines().skip(1).map(str::trim).collect::<Vec<_>>().join(" "))
}

fn main_is_visible(desktop: &Desktop) -> Option<()> {
    desktop.visible_windows().contains(&"Deskhand".to_owned()).then_some(())
}
