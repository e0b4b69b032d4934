//! A window whose page dies or hangs: it is loaded again, and nothing in the shell waits for it.

use std::time::Duration;

use fantoccini::Locator;

use crate::viewer::ViewerFixture;
use desktop_tests::eventually;

const LOADED_AGAIN: &str = "it is loaded again";

#[tokio::test]
async fn a_main_page_that_is_killed_is_loaded_again_at_the_same_place() {
    let fixture = ViewerFixture::new().await;
    look_at_the_log(&fixture).await;
    let [page] = fixture.desktop.web_processes()[..] else { panic!("one page is open") };
    fixture.desktop.signal(page, "KILL");
    fixture.desktop.logged(LOADED_AGAIN, 1).await;
    see_the_log(&fixture).await;
}

#[tokio::test]
async fn a_main_page_that_keeps_dying_is_asked_about_and_loaded_again_on_request() {
    let fixture = ViewerFixture::new().await;
    look_at_the_log(&fixture).await;
    keeps_dying(&fixture).await;
    fixture.desktop.tool("xdotool", &["key", "Return"]);
    see_the_log(&fixture).await;
}

#[tokio::test]
async fn whoever_stays_though_the_page_keeps_dying_gets_it_back() {
    let fixture = ViewerFixture::new().await;
    look_at_the_log(&fixture).await;
    keeps_dying(&fixture).await;
    fixture.desktop.tool("xdotool", &["key", "shift+Tab", "Return"]);
    fixture.desktop.window("Quit Deskhand?").await;
    fixture.desktop.tool("xdotool", &["key", "Return"]);
    see_the_log(&fixture).await;
}

/// Kills the main page until it isn't loaded again unasked, and gives the question about it the keyboard.
async fn keeps_dying(fixture: &ViewerFixture) {
    let mut killed = 0;
    for times in 1..=4 {
        let another = async || {
            let pages = fixture.desktop.web_processes();
            pages.into_iter().find(|page| *page != killed)
        };
        killed = eventually("the page's process", another).await;
        fixture.desktop.signal(killed, "KILL");
        let said = if times < 4 { LOADED_AGAIN } else { "ended more than 3 times in a minute" };
        fixture.desktop.logged(said, if times < 4 { times } else { 1 }).await;
    }
    let before = fixture.desktop.web_processes();
    assert!(before.is_empty() || before == [killed], "it isn't loaded again unasked: {before:?}");
    fixture.desktop.window("Deskhand's window keeps failing").await;
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
    let fixture = ViewerFixture::new().await;
    let tray = fixture.shell.tray().await;
    look_at_the_log(&fixture).await;
    for page in fixture.desktop.web_processes() {
        fixture.desktop.signal(page, "STOP");
    }
    tray.click("Maria Lopez").await;
    fixture.desktop.logged("it hung and was ended", 1).await;
    see_the_log(&fixture).await;
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
    fixture.windows_become(1).await;
}

async fn look_at_the_log(fixture: &ViewerFixture) {
    let tab = Locator::XPath("//button[@role='tab'][contains(., 'Log')]");
    fixture.app.wait().for_element(tab).await.unwrap().click().await.unwrap();
    see_the_log(fixture).await;
}

/// Waits for the session with its log open, whatever became of the page before.
async fn see_the_log(fixture: &ViewerFixture) {
    let open = Locator::XPath(
        "//main//h1[contains(., 'Maria Lopez')]/ancestor::*[.//button[@role='tab'][contains(., \
         'Log')][@aria-selected='true']]",
    );
    let seen = async || {
        // A page that just died may never answer.
        let look = tokio::time::timeout(Duration::from_secs(5), fixture.app.find(open)).await;
        look.ok()?.ok().map(|_| ())
    };
    eventually("the session with its log", seen).await;
}
