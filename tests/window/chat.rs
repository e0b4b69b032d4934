//! The notification's button "Reply" brings the viewer window's chat to the front, where the
//! technician can write.

use fantoccini::{Client, Locator};
use serde_json::json;

use crate::DESKHAND;
use desktop_tests::page::run_command;
use desktop_tests::shell::Shell;
use desktop_tests::{Desktop, PATIENCE, eventually};

#[tokio::test]
async fn reply_brings_the_open_viewers_chat_to_the_front_without_loading_it_again() {
    let mut desktop = Desktop::new(DESKHAND).await;
    let _shell = Shell::start(&desktop).await;
    let app = desktop.open_app().await;
    let main = app.window().await.unwrap();
    let about = json!({ "customer": "Maria Lopez" });
    let made = run_command(&app, json!({ "do": "new_session", "about": about })).await;
    let open = json!({ "do": "open_viewer", "session": made["id"], "read_only": true });
    let reply = Locator::XPath("//button[contains(., 'Reply')]");
    app.wait().at_most(PATIENCE).for_element(reply).await.unwrap();
    run_command(&app, open).await;
    desktop.activate("Maria Lopez (watching) - Deskhand").await;
    let viewer = app.windows().await.unwrap().into_iter().find(|window| *window != main).unwrap();
    app.switch_to_window(viewer.clone()).await.unwrap();
    see(&app, "state-text", "Connected").await;
    see(&app, "people", "(you)").await;
    app.execute("window.loadedOnce = true; document.activeElement.blur()", vec![]).await.unwrap();

    app.switch_to_window(main).await.unwrap();
    desktop.activate("Deskhand").await;
    app.find(reply).await.unwrap().click().await.unwrap();
    let front =
        async || (desktop.active_window() == "Maria Lopez (watching) - Deskhand").then_some(());
    eventually("the viewer at the front", front).await;
    app.switch_to_window(viewer).await.unwrap();
    let writes = async || {
        let script = "return document.hasFocus() && document.activeElement.id";
        (app.execute(script, vec![]).await.unwrap() == "text").then_some(())
    };
    eventually("the keyboard in the message field", writes).await;
    let loaded = app.execute("return window.loadedOnce === true", vec![]).await.unwrap();
    assert_eq!(loaded, true, "the page was loaded again");
    let address = app.current_url().await.unwrap();
    assert!(address.path().starts_with("/viewer/"), "a reload would lose the session");
    assert!(!address.as_str().contains("pin"), "no PIN is in the address of a window of ours");
    assert_eq!(app.windows().await.unwrap().len(), 2, "the window that was open will do");
    desktop.tool("xdotool", &["type", "Hello Maria"]);
    let typed = async || {
        let text = app.execute("return document.activeElement.value", vec![]).await.unwrap();
        (text == "Hello Maria").then_some(())
    };
    eventually("what was typed", typed).await;
    desktop.tool("xdotool", &["key", "Return"]);
    see(&app, "log", "Hello Maria").await;
}

#[tokio::test]
async fn reply_opens_a_viewer_at_its_chat_where_none_is_open() {
    let mut desktop = Desktop::new(DESKHAND).await;
    let _shell = Shell::start(&desktop).await;
    let app = desktop.open_app().await;
    let main = app.window().await.unwrap();
    run_command(&app, json!({ "do": "new_session", "about": { "customer": "Maria Lopez" } })).await;
    let reply = app
        .wait()
        .at_most(PATIENCE)
        .for_element(Locator::XPath("//button[contains(., 'Reply')]"))
        .await;
    reply.unwrap().click().await.unwrap();
    let opened = async || app.windows().await.unwrap().into_iter().find(|window| *window != main);
    let viewer = eventually("a viewer window", opened).await;
    app.switch_to_window(viewer).await.unwrap();
    see(&app, "state-text", "Connected").await;
    for (what, script) in [
        ("the keyboard in the message field", "return document.activeElement.id === 'text'"),
        ("the customer to see who writes", "return document.getElementById('name').value !== ''"),
    ] {
        let so = async || (app.execute(script, vec![]).await.ok()? == true).then_some(());
        eventually(what, so).await;
    }
}

#[tokio::test]
async fn the_message_box_grows_with_its_text_up_to_a_height_and_is_small_again_once_it_is_sent() {
    let mut desktop = Desktop::new(DESKHAND).await;
    let _shell = Shell::start(&desktop).await;
    let app = desktop.open_app().await;
    run_command(&app, json!({ "do": "new_session", "about": { "customer": "Maria Lopez" } })).await;
    let message = Locator::Css("textarea[aria-label='Message']");
    desktop.activate("Deskhand").await;
    app.wait().at_most(PATIENCE).for_element(message).await.unwrap().click().await.unwrap();
    let height = async || app.find(message).await.unwrap().rectangle().await.unwrap().3;
    let at_first = height().await;
    let a_line = async |text: &str| {
        desktop.tool("xdotool", &["type", text]);
        desktop.tool("xdotool", &["key", "shift+Return"]);
    };
    for line in ["One", "Two", "Three", "Four"] {
        a_line(line).await;
    }
    let grown = async || (height().await > at_first).then_some(());
    eventually("a higher box", grown).await;
    for _ in 0..12 {
        a_line("More").await;
    }
    let is_full = async || {
        let script =
            "const box = document.activeElement; return box.scrollHeight > box.clientHeight";
        (app.execute(script, vec![]).await.unwrap() == true).then_some(())
    };
    eventually("a box that scrolls", is_full).await;
    assert!(height().await <= 140.0, "it leaves room for the chat");
    desktop.tool("xdotool", &["type", "Last"]);
    desktop.tool("xdotool", &["key", "Return"]);
    let is_sent = async || {
        let shown = app.source().await.ok()?.contains("More");
        (shown && height().await == at_first).then_some(())
    };
    eventually("the message in the chat, and a small box", is_sent).await;
}

/// Waits until an element of the page shows this text.
async fn see(page: &Client, id: &str, text: &str) {
    let shown = async || {
        let found = page.find(Locator::Id(id)).await.ok()?.text().await.ok()?;
        found.contains(text).then_some(())
    };
    eventually(format!("{text:?} in #{id}"), shown).await;
}
