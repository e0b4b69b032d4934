//! The tray and the window: what brings it back, and how it comes back.

use fantoccini::Locator;
use serde_json::json;

use crate::desk::{Desk, eventually};
use crate::page::order;
use crate::shell::Shell;
use crate::viewer::Stage;

#[tokio::test]
async fn the_tray_starts_a_session_and_shows_it_though_the_window_was_hidden() {
    let mut desk = Desk::new().await;
    let shell = Shell::on(&desk).await;
    let app = desk.open_app().await;
    let tray = shell.tray().await;
    desk.hide_main().await;
    tray.click("New session").await;
    tray.line("New session ").await;
    eventually("the window to be back", async || main_is_visible(&desk)).await;
    let heading = Locator::XPath("//h1[starts-with(., 'New session ')]");
    app.wait().for_element(heading).await.unwrap();
}

#[tokio::test]
async fn a_live_session_in_the_tray_is_brought_to_the_hidden_window() {
    let stage = Stage::new().await;
    let tray = stage.shell.tray().await;
    order(&stage.app, json!({ "do": "new_session", "about": { "customer": "Ben Okafor" } })).await;
    for name in ["Maria Lopez", "Ben Okafor"] {
        stage.desk.hide_main().await;
        tray.click(&format!("{name} - ")).await;
        eventually("the window to be back", async || main_is_visible(&stage.desk)).await;
        let heading = format!("//h1[contains(., '{name}')]");
        stage.app.wait().for_element(Locator::XPath(&heading)).await.unwrap();
    }
}

#[tokio::test]
async fn the_window_comes_back_as_large_and_where_it_was() {
    let mut desk = Desk::new().await;
    let shell = Shell::on(&desk).await;
    let app = desk.open_app().await;
    eventually("the window on the screen", async || main_is_visible(&desk)).await;
    let wanted = "0,90,40,1010,640";
    let moved = async || {
        desk.tool("wmctrl", &["-F", "-r", "Deskhand", "-e", wanted]);
        geometry(&desk).filter(|geometry| geometry.contains("1010x640"))
    };
    let before = eventually("the window in its place", moved).await;
    shell.tray().await.click("Quit").await;
    eventually("the app to be gone", async || app.title().await.err()).await;
    desk.kill_app();

    let _app = desk.open_app().await;
    eventually("the window as it was", async || (geometry(&desk)? == before).then_some(())).await;
}

fn geometry(desk: &Desk) -> Option<String> {
    let found = desk.tool("xdotool", &["search", "--onlyvisible", "--name", "^Deskhand$"]);
    let window = String::from_utf8(found.stdout).unwrap().lines().next()?.to_owned();
    let told = desk.tool("xdotool", &["getwindowgeometry", &window]);
    let text = String::from_utf8(told.stdout).unwrap();
    Some(text.lines().skip(1).map(str::trim).collect::<Vec<_>>().join(" "))
}

fn main_is_visible(desk: &Desk) -> Option<()> {
    desk.visible_windows().contains(&"Deskhand".to_owned()).then_some(())
}
