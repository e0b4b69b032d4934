//! The whole of a session by the keyboard alone: real keys, from the new session to its end with
//! outcome and note.

use fantoccini::{Client, Locator};

use crate::DESKHAND;
use desktop_tests::shell::Shell;
use desktop_tests::{Desktop, PATIENCE, eventually};

#[tokio::test]
async fn a_session_is_made_shared_opened_and_closed_without_the_mouse() {
    let mut desktop = Desktop::new(DESKHAND).await;
    let _shell = Shell::start(&desktop).await;
    let app = desktop.open_app().await;
    let main = app.window().await.unwrap();
    see(&app, "//button[contains(., 'New session')][not(@disabled)]").await;
    desktop.activate("Deskhand").await;

    press(&desktop, &["ctrl+n"]);
    see(&app, "//h1[starts-with(., 'New session ')]").await;
    let pin = see(&app, "//button[starts-with(@class, 'pin ')]").await;
    press(&desktop, &["ctrl+shift+c"]);

    press(&desktop, &["ctrl+o"]);
    let opened = async || app.windows().await.unwrap().into_iter().find(|window| *window != main);
    let viewer = eventually("the viewer window", opened).await;
    app.switch_to_window(viewer).await.unwrap();
    see(&app, "//*[@id='state-text'][. = 'Connected']").await;
    app.switch_to_window(main).await.unwrap();

    desktop.activate("Deskhand").await;
    press(&desktop, &["ctrl+f"]);
    let search = "return document.activeElement.matches(\"input[type='search'], [role='searchbox'], input[placeholder*='Search']\")";
    let ready = async || (app.execute(search, vec![]).await.ok()? == true).then_some(());
    eventually("the keyboard in the search field", ready).await;
    // The copied text is the text for the customer.
    press(&desktop, &["ctrl+v"]);
    under_the_keyboard(&app, &pin).await;
    press(&desktop, &["ctrl+a", "BackSpace", "Escape"]);
    see(&app, "//h1[starts-with(., 'New session ')]").await;

    press(&desktop, &["ctrl+shift+x"]);
    see(&app, "//*[@role='dialog']//input[@value='resolved'][@type='radio']").await;
    // Nobody came, so nothing was resolved: that outcome is chosen already.
    under_the_keyboard(&app, "unknown").await;
    press(&desktop, &["u"]);
    under_the_keyboard(&app, "unresolved").await;
    press(&desktop, &["Tab"]);
    desktop.tool("xdotool", &["type", "Waits for toner"]);
    under_the_keyboard(&app, "Waits for toner").await;
    press(&desktop, &["ctrl+Return"]);
    see(&app, "//header[contains(@class, 'header')]//*[contains(., 'Closed')]").await;
    see(&app, "//*[contains(., 'unresolved') or contains(., 'Unresolved')]").await;
}

fn press(desktop: &Desktop, keys: &[&str]) {
    let arguments: Vec<&str> = ["key", "--clearmodifiers"].iter().chain(keys).copied().collect();
    let pressed = desktop.tool("xdotool", &arguments);
    assert!(pressed.status.success(), "{pressed:?}");
}

/// Waits until the focused field contains this text.
async fn under_the_keyboard(app: &Client, text: &str) {
    let has = async || {
        let value = app.execute("return document.activeElement.value ?? ''", vec![]).await.unwrap();
        value.as_str()?.contains(text).then_some(())
    };
    // Not the text itself, which may be a secret.
    eventually(format!("{} letters under the keyboard", text.len()), has).await;
}

/// Waits for an element and returns its text.
async fn see(app: &Client, path: &str) -> String {
    app.wait()
        .at_most(PATIENCE)
        .for_element(Locator::XPath(path))
        .await
        .unwrap()
        .text()
        .await
        .unwrap()
}
