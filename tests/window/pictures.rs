//! Pictures on the clipboard, through the app's own viewer window.

use desktop_tests::Desktop;
use desktop_tests::shell::Shell;
use screen_tests::browser::{press, see, until};
use screen_tests::copied::{PIXEL, copies, is_png, pastes};
use screen_tests::display::Display;

use crate::DESKHAND;
use crate::shared_screen::SharedScreen;

/// Where the panel shows a picture.
const SHOWN: &str = "const e = document.getElementById('clip-picture');
    return !e.hidden && e.getAttribute('aria-label') === 'A picture of 1 by 1 pixels'";

#[tokio::test(flavor = "multi_thread")]
async fn a_pasted_picture_reaches_the_customer_by_the_viewer_window() {
    let mut desktop = Desktop::new(DESKHAND).await;
    let _shell = Shell::start(&desktop).await;
    let app = desktop.open_app().await;
    let customer = Display::xvfb(1280, 800);
    let _shared = SharedScreen::watched(&desktop, &app, &customer).await;

    press(&app, "clipboard").await;
    let focus = "const e = document.getElementById('clip'); e.focus();
        return document.activeElement === e";
    until(&app, "the panel has the keyboard", focus).await;
    let _owner = copies(desktop.display(), PIXEL, "image/png", desktop.home());
    tokio::task::block_in_place(|| pastes(desktop.display(), is_png));
    let pasted = desktop.tool("xdotool", &["key", "--clearmodifiers", "ctrl+v"]);
    assert!(pasted.status.success(), "{pasted:?}");
    until(&app, "the pasted picture is in the panel", SHOWN).await;
    press(&app, "clip-send").await;
    see(&app, "clip-told", "on the customer's clipboard now").await;
    tokio::task::block_in_place(|| pastes(customer.name(), is_png));
}
