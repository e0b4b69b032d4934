//! A window whose page dies or hangs: it is loaded again, and nothing in the shell waits for it.

use std::process::Command;

use fantoccini::Locator;

use crate::DESKHAND;
use crate::viewer::ViewerFixture;
use desktop_tests::eventually;

const LOADED: &str = "the page of the main window is loaded";
const LIST_NAMES: &str = "org.freedesktop.DBus.ListNames";
const LOADED_AGAIN: &str = "it is loaded again";

/// The app with a session of Maria Lopez and without a WebDriver, which ends the app when a page of it dies. Its page
/// is loaded, for the second time in the log.
async fn alone() -> ViewerFixture {
    let mut fixture = ViewerFixture::logging("info").await;
    fixture.desktop.kill_app();
    // One that still finds the killed one on the bus takes itself for a second start, and ends.
    let forgotten = async || {
        let list = ["--session", "--print-reply", "--dest=org.freedesktop.DBus", "/", LIST_NAMES];
        let names = fixture.desktop.tool("dbus-send", &list).stdout;
        (!String::from_utf8_lossy(&names).contains("SingleInstance")).then_some(())
    };
    eventually("the bus to forget the killed app", forgotten).await;
    fixture.desktop.start(Command::new(DESKHAND));
    fixture.desktop.logged(LOADED, 2).await;
    fixture
}

/// The only page's process.
async fn page(fixture: &ViewerFixture) -> u32 {
    let only = async || {
        let pages = fixture.desktop.web_processes();
        (pages.len() == 1).then(|| pages[0])
    };
    eventually("the page's process", only).await
}

#[tokio::test]
async fn a_main_page_that_is_killed_is_loaded_again() {
    let fixture = alone().await;
    fixture.desktop.signal(page(&fixture).await, "KILL");
    fixture.desktop.logged(LOADED_AGAIN, 1).await;
    fixture.desktop.logged(LOADED, 3).await;
}

#[tokio::test]
async fn a_main_page_that_keeps_dying_is_asked_about_and_loaded_again_on_request() {
    let fixture = alone().await;
    let loaded = keeps_dying(&fixture).await;
    fixture.desktop.tool("xdotool", &["key", "Return"]);
    fixture.desktop.logged(LOADED, loaded + 1).await;
}

#[tokio::test]
async fn whoever_stays_though_the_page_keeps_dying_gets_it_back() {
    let fixture = alone().await;
    let loaded = keeps_dying(&fixture).await;
    fixture.desktop.tool("xdotool", &["key", "shift+Tab", "Return"]);
    fixture.desktop.window("Quit Deskhand?").await;
    fixture.desktop.tool("xdotool", &["key", "Return"]);
    fixture.desktop.logged(LOADED, loaded + 1).await;
}

/// Kills the main page until it isn't loaded again unasked, and gives the question about it the keyboard. Returns how
/// often the page was loaded.
async fn keeps_dying(fixture: &ViewerFixture) -> usize {
    let mut loaded = 2;
    for times in 1..=3 {
        fixture.desktop.signal(page(fixture).await, "KILL");
        fixture.desktop.logged(LOADED_AGAIN, times).await;
        loaded += 1;
        fixture.desktop.logged(LOADED, loaded).await;
    }
    fixture.desktop.signal(page(fixture).await, "KILL");
    fixture.desktop.logged("ended more than 3 times in a minute", 1).await;
    fixture.desktop.window("Deskhand's window keeps failing").await;
    let log = std::fs::read_to_string(fixture.desktop.log()).unwrap();
    assert_eq!(log.matches(LOADED).count(), loaded, "it isn't loaded again unasked");
    loaded
}

#[tokio::test]
async fn quit_is_asked_by_a_dialog_when_the_page_hangs() {
    let mut fixture = ViewerFixture::new().await;
    let tray = fixture.shell.tray().await;
    for page in fixture.desktop.web_processes() {
        fixture.desktop.signal(page, "STOP");
    }
    tray.click("Quit").await;
    fixture.desktop.window("Quit Deskhand?").await;
    // The key Enter alone is "Stay".
    fixture.desktop.tool("xdotool", &["key", "Return"]);
    let gone = async || {
        let asked = fixture.desktop.visible_windows().contains(&"Quit Deskhand?".to_owned());
        (!asked).then_some(())
    };
    eventually("the question to be gone", gone).await;
    tray.line("Maria Lopez").await;

    tray.click("Quit").await;
    fixture.desktop.window("Quit Deskhand?").await;
    fixture.desktop.tool("xdotool", &["key", "Tab", "Return"]);
    let ended = async || fixture.desktop.visible_windows().is_empty().then_some(());
    eventually("the app to be gone", ended).await;
    fixture.restart_after_kill().await;
    let heading = Locator::XPath("//h1[contains(., 'Maria Lopez')]");
    fixture.app.wait().for_element(heading).await.unwrap();
}

#[tokio::test]
async fn a_main_page_that_hangs_when_something_is_asked_of_it_is_loaded_again_and_does_it() {
    let fixture = alone().await;
    let tray = fixture.shell.tray().await;
    fixture.desktop.signal(page(&fixture).await, "STOP");
    tray.click("Maria Lopez").await;
    fixture.desktop.logged("it hung and was ended", 1).await;
    fixture.desktop.logged("has taken what it was asked", 1).await;
}

#[tokio::test]
async fn a_viewers_page_that_is_killed_is_loaded_again() {
    let fixture = ViewerFixture::new().await;
    let before = fixture.desktop.web_processes();
    fixture.open_viewer(false).await;
    let loads = || {
        let requests = fixture.service.requests();
        requests.iter().filter(|request| request.starts_with("GET /view")).count()
    };
    let loaded = loads();
    let after = fixture.desktop.web_processes();
    let page = after.into_iter().find(|page| !before.contains(page)).unwrap();
    fixture.desktop.signal(page, "KILL");
    fixture.desktop.logged("the page of the viewer window ended", 1).await;
    eventually("the viewer's page", async || (loads() > loaded).then_some(())).await;
}
