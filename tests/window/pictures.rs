//! Pictures on the clipboard, both ways through the app's own viewer window.

use desktop_tests::Desktop;
use desktop_tests::shell::Shell;
use screen_tests::browser::{PageScreen, press, see, until};
use screen_tests::copied::{PIXEL, copies, is_png, pastes};
use screen_tests::display::Display;

use crate::DESKHAND;
use crate::shared_screen::SharedScreen;

/// Where the panel shows a picture.
const SHOWN: &str = "const e = document.getElementById('clip-picture');
    return !e.hidden && e.getAttribute('aria-label') === 'A picture of 1 by 1 pixels'";

#[tokio::test(flavor = "multi_thread")]
async fn a_picture_travels_both_ways_by_the_viewer_window() {
    let mut desktop = Desktop::new(DESKHAND).await;
    let _shell = Shell::start(&desktop).await;
    let app = desktop.open_app().await;
    let customer = Display::xvfb(1280, 800);
    let shared = SharedScreen::unattended(&desktop, &app, &customer).await;
    app.switch_to_window(shared.viewer.clone()).await.unwrap();
    PageScreen(&app).watch(1280).await;
    desktop.activate("Maria Lopez - Deskhand").await;

    let owner = copies(customer.name(), PIXEL, "image/png", desktop.home());
    until(&app, "the customer's picture is in the panel", SHOWN).await;
    press(&app, "clipboard").await;
    press(&app, "clip-copy").await;
    see(&app, "clip-told", "It is on your clipboard now.").await;
    let copied = tokio::task::block_in_place(|| pastes(desktop.display(), is_png));
    drop(owner);

    // Something else is in the panel before it is pasted there.
    let write = "const e = document.getElementById('clip'); e.value = 'a text';
        e.dispatchEvent(new Event('input')); e.select(); e.focus();
        return document.getElementById('clip-picture').hidden";
    until(&app, "a text is in the panel", write).await;
    let _owner = copies(desktop.display(), &copied, "image/png", desktop.home());
    let pasted = desktop.tool("xdotool", &["key", "--clearmodifiers", "ctrl+v"]);
    assert!(pasted.status.success(), "{pasted:?}");
    until(&app, "the pasted picture is in the panel", SHOWN).await;
    press(&app, "clip-send").await;
    see(&app, "clip-told", "on the customer's clipboard now").await;
    tokio::task::block_in_place(|| pastes(customer.name(), is_png));
}
