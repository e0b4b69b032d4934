//! What the technician types in the app's own viewer window arrives as the same text, whatever both layouts are: a
//! part of the matrix that `./bench keyboard` prints.

use screen_tests::browser::{PageScreen, until};
use screen_tests::display::Display;
use screen_tests::keyboard::{Keyboards, check};

use crate::DESKHAND;
use crate::shared_screen::SharedScreen;
use desktop_tests::Desktop;
use desktop_tests::shell::Shell;

#[tokio::test(flavor = "multi_thread")]
async fn characters_and_shortcuts_arrive_from_the_viewer_window_whatever_both_layouts_are() {
    let mut desktop = Desktop::new(DESKHAND).await;
    let _shell = Shell::start(&desktop).await;
    let app = desktop.open_app().await;
    let customer = Display::xvfb(1280, 800);
    let _shared = SharedScreen::watched(&desktop, &app, &customer).await;
    let keyboards = Keyboards::new(desktop.display(), customer.name());
    PageScreen(&app).click((640, 400)).await;
    let script = "return document.hasFocus() && document.activeElement.id === 'typed'";
    until(&app, "the screen has the keyboard", script).await;
    let some = [("de", "us"), ("el", "de")];
    tokio::task::block_in_place(|| check(&keyboards, "Viewer window", &some));
}
