//! What the technician types in the app's own viewer window arrives as the same text, whatever both layouts are: a
//! part of the matrix that `./bench keyboard` prints.

use screen_tests::browser::{PageScreen, until};
use screen_tests::consent;
use screen_tests::display::Display;
use screen_tests::keyboard::{Keyboards, check};
use screen_tests::process::Program;
use screen_tests::service::Service as Broker;
use screen_tests::world::presenter;
use serde_json::json;

use crate::DESKHAND;
use desktop_tests::page::run_command;
use desktop_tests::shell::Shell;
use desktop_tests::{Desktop, eventually};

#[tokio::test(flavor = "multi_thread")]
async fn characters_and_shortcuts_arrive_from_the_viewer_window_whatever_both_layouts_are() {
    let mut desktop = Desktop::new(DESKHAND).await;
    let _shell = Shell::start(&desktop).await;
    let app = desktop.open_app().await;
    let main = app.window().await.unwrap();
    let about = json!({ "customer": "Maria Lopez" });
    let made = run_command(&app, json!({ "do": "new_session", "about": about })).await;
    let session = json!({ "do": "detail", "session": made["id"] });
    let detail = async || run_command(&app, session.clone()).await["detail"].clone();
    let link = async || detail().await["pin"]["join_link"].as_str().map(str::to_owned);
    let link = eventually("the customer's link", link).await;
    let (origin, pin) = link.split_once("/join#").unwrap();

    let customer = Display::xvfb(1280, 800);
    let conf = Broker::at(origin.to_owned()).conf(pin, false, desktop.home()).await;
    let mut command = presenter(&customer);
    command.arg("--conf").arg(conf);
    let _presenter = Program::start(command);
    consent::agree(&customer);
    let shared = async || (detail().await["screen"]["sharing"] == "shared").then_some(());
    eventually("the console to know that the screen is shared", shared).await;

    run_command(&app, json!({ "do": "open_viewer", "session": made["id"], "read_only": false }))
        .await;
    let viewer = app.windows().await.unwrap().into_iter().find(|window| *window != main).unwrap();
    app.switch_to_window(viewer).await.unwrap();
    PageScreen(&app).watch(1280).await;
    let keyboards = Keyboards::new(desktop.display(), customer.name());
    desktop.activate("Maria Lopez - Deskhand").await;
    PageScreen(&app).click((640, 400)).await;
    let script = "return document.hasFocus() && document.activeElement.id === 'typed'";
    until(&app, "the screen has the keyboard", script).await;
    let some = [("de", "us"), ("el", "de")];
    tokio::task::block_in_place(|| check(&keyboards, "Viewer window", &some));
}
