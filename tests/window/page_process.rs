//! A window whose page dies or hangs: it is loaded again, and nothing in the shell waits for it.

use std::process::Command;

use fantoccini::{Client, Locator};
use serde_json::json;

use crate::DESKHAND;
use crate::viewer::ViewerFixture;
use desktop_tests::page::run_command;
use desktop_tests::shell::Shell;
use desktop_tests::{Desktop, PATIENCE, eventually};

pub const LOADED: &str = "the page of the main window is loaded";
const LOADED_AGAIN: &str = "it is loaded again";

/// The app with a session of Maria Lopez and without a WebDriver, which ends the app when a page of it dies. Its page
/// is loaded; the number is how often the log says so.
async fn alone() -> (ViewerFixture, usize) {
    let mut fixture = ViewerFixture::logging("info").await;
    fixture.desktop.kill_app();
    let (_, loaded) = start_alone(&mut fixture.desktop).await;
    (fixture, loaded)
}

/// Starts the app without a WebDriver and waits until its page is loaded. Returns its process, and how often the log
/// says that a page is loaded: a WebDriver may have taken several starts.
pub async fn start_alone(desktop: &mut Desktop) -> (u32, usize) {
    desktop.forgotten().await;
    let loaded = desktop.count_logged(LOADED) + 1;
    let app = desktop.start(Command::new(DESKHAND));
    desktop.logged(LOADED, loaded).await;
    (app, loaded)
}

/// The only page's process.
async fn page(desktop: &Desktop) -> u32 {
    let only = async || {
        let pages = desktop.web_processes();
        (pages.len() == 1).then(|| pages[0])
    };
    eventually("the page's process", only).await
}

#[tokio::test]
async fn a_main_page_that_is_killed_is_loaded_again() {
    let (fixture, loaded) = alone().await;
    fixture.desktop.signal(page(&fixture.desktop).await, "KILL");
    fixture.desktop.logged(LOADED_AGAIN, 1).await;
    fixture.desktop.logged(LOADED, loaded + 1).await;
}

#[tokio::test]
async fn a_main_page_that_keeps_dying_is_asked_about_and_loaded_again_on_request() {
    let (fixture, loaded) = alone().await;
    let loaded = keeps_dying(&fixture, loaded).await;
    fixture.desktop.tool("xdotool", &["key", "Return"]);
    fixture.desktop.logged(LOADED, loaded + 1).await;
}

#[tokio::test]
async fn whoever_stays_though_the_page_keeps_dying_gets_it_back() {
    let (fixture, loaded) = alone().await;
    let loaded = keeps_dying(&fixture, loaded).await;
    fixture.desktop.tool("xdotool", &["key", "shift+Tab", "Return"]);
    fixture.desktop.window("Quit Deskhand?").await;
    fixture.desktop.tool("xdotool", &["key", "Return"]);
    fixture.desktop.logged(LOADED, loaded + 1).await;
}

/// Kills the main page until it isn't loaded again unasked, and gives the question about it the keyboard. Takes and
/// returns how often a page was loaded.
async fn keeps_dying(fixture: &ViewerFixture, mut loaded: usize) -> usize {
    for times in 1..=3 {
        fixture.desktop.signal(page(&fixture.desktop).await, "KILL");
        fixture.desktop.logged(LOADED_AGAIN, times).await;
        loaded += 1;
        fixture.desktop.logged(LOADED, loaded).await;
    }
    fixture.desktop.signal(page(&fixture.desktop).await, "KILL");
    fixture.desktop.logged("ended more than 3 times, each within a minute", 1).await;
    fixture.desktop.window("Deskhand's window keeps failing").await;
    assert_eq!(fixture.desktop.count_logged(LOADED), loaded, "it isn't loaded again unasked");
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
    fixture.app.wait().at_most(PATIENCE).for_element(heading).await.unwrap();
}

#[tokio::test]
async fn a_main_page_that_hangs_when_something_is_asked_of_it_is_loaded_again_and_does_it() {
    let (fixture, _) = alone().await;
    let tray = fixture.shell.tray().await;
    fixture.desktop.signal(page(&fixture.desktop).await, "STOP");
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
    // The web view may have begun with a process of its own, which ends by itself.
    let pages: Vec<u32> = after.into_iter().filter(|page| !before.contains(page)).collect();
    assert!(!pages.is_empty(), "the viewer has a page");
    for page in pages {
        fixture.desktop.tool("kill", &["-s", "KILL", &page.to_string()]);
    }
    fixture.desktop.logged("the page of the viewer window ended", 1).await;
    eventually("the viewer's page", async || (loads() > loaded).then_some(())).await;
}

#[tokio::test]
async fn what_was_typed_and_saved_is_there_after_the_page_was_killed() {
    const NOTE: &str = "Waits for toner";
    const REPLY: &str = "Is it out?";
    let mut desktop = Desktop::new(DESKHAND).await;
    desktop.set("DESKHAND_LOG", "info,deskhand_shell=debug".into());
    let _shell = Shell::start(&desktop).await;
    let app = desktop.open_app().await;
    let about = json!({ "customer": "Maria Lopez" });
    let made = run_command(&app, json!({ "do": "new_session", "about": about })).await;
    let session = &made["id"];
    let (reply, note) = (field(&app, "Message").await, field(&app, "Note").await);
    desktop.kill_app();
    let (_, loaded) = start_alone(&mut desktop).await;
    desktop.window("Deskhand").await;

    type_into(&desktop, reply, REPLY).await;
    let place = json!({
        "page": "sessions", "section": "general", "tab": "chat",
        "selected": session, "reads": session, "drafts": { session.as_str().unwrap(): REPLY },
        "notes": {},
    });
    desktop.logged(&format!("{} bytes of the page", place.to_string().len()), 1).await;
    // Once: what is saved in between would be one of several.
    click(&desktop, note);
    desktop.tool("xdotool", &["type", NOTE]);
    let saved = json!({ "do": "note", "session": session, "text": NOTE }).to_string().len();
    desktop.logged(&format!("\"note\" of {saved} bytes was carried out"), 1).await;
    desktop.signal(page(&desktop).await, "KILL");
    desktop.logged(LOADED, loaded + 1).await;

    desktop.activate("Deskhand").await;
    for (place, text) in [(note, NOTE), (reply, REPLY)] {
        let there = async || (text_at(&desktop, place) == text).then_some(());
        eventually(format!("{text:?} in its field"), there).await;
    }
}

/// Where the middle of a field is in the main window.
async fn field(app: &Client, label: &str) -> (i64, i64) {
    let path = format!("//textarea[@aria-label='{label}' or @id=//label[.='{label}']/@for]");
    let there = app.wait().at_most(PATIENCE).for_element(Locator::XPath(&path)).await.unwrap();
    let (x, y, width, height) = there.rectangle().await.unwrap();
    ((x + width / 2.0) as i64, (y + height / 2.0) as i64)
}

fn click(desktop: &Desktop, (x, y): (i64, i64)) {
    let found = desktop.tool("xdotool", &["search", "--onlyvisible", "--name", "^Deskhand$"]);
    let window = String::from_utf8(found.stdout).unwrap().lines().next().unwrap().to_owned();
    let (x, y) = (x.to_string(), y.to_string());
    desktop.tool("xdotool", &["mousemove", "--window", &window, &x, &y, "click", "1"]);
}

/// Types a text into the field at this place, once it is there.
async fn type_into(desktop: &Desktop, place: (i64, i64), text: &str) {
    let typed = async || {
        click(desktop, place);
        desktop.tool("xdotool", &["key", "ctrl+a", "BackSpace"]);
        desktop.tool("xdotool", &["type", text]);
        (text_at(desktop, place) == text).then_some(())
    };
    eventually(format!("{text:?} in its field"), typed).await;
}

/// The text of the field at this place, by way of the clipboard.
fn text_at(desktop: &Desktop, place: (i64, i64)) -> String {
    click(desktop, place);
    desktop.tool("xdotool", &["key", "ctrl+a", "ctrl+c"]);
    let copied = desktop.tool("xclip", &["-selection", "clipboard", "-o"]);
    String::from_utf8(copied.stdout).unwrap()
}
