//! Desktop notifications, as a notification daemon gets and answers them.

use fantoccini::Locator;

use crate::viewer::ViewerFixture;
use desktop_tests::service::PIN;
use desktop_tests::shell::{Answers, ShownNotification};
use desktop_tests::{PATIENCE, eventually};

/// A log that says when it was stored that a notification was dealt with.
const SAYS_WHAT_IS_STORED: &str = "warn,deskhand_shell=debug";
const STORED: &str = "a notification was dealt with";
const JOINED: &str = "A viewer joined Maria Lopez's session";

#[tokio::test]
async fn the_customer_online_is_told_and_a_button_opens_the_viewer() {
    let fixture = ViewerFixture::new().await;
    fixture.service.fire("presenter_started").await;
    let shown = fixture.shell.notification().await;
    assert_eq!((shown.summary.as_str(), shown.body.as_str()), ("Maria Lopez is online", ""));
    assert_eq!(shown.actions, ["default", "Open", "open_viewer", "Open viewer", "chat", "Chat"]);
    assert!(!format!("{shown:?}").contains(PIN));

    let opened = async || press(&fixture, &shown, "open_viewer", "Maria Lopez - Deskhand").await;
    eventually("the viewer window", opened).await;
    fixture.windows_become(1).await;
}

#[tokio::test]
async fn clicking_a_notification_brings_the_hidden_window_to_the_front() {
    let fixture = ViewerFixture::new().await;
    let visible = || fixture.desktop.visible_windows().contains(&"Deskhand".to_owned());
    eventually("the window on the screen", async || visible().then_some(())).await;
    fixture.desktop.tool("wmctrl", &["-F", "-c", "Deskhand"]);
    eventually("the window to be gone", async || (!visible()).then_some(())).await;
    fixture.service.fire("presenter_started").await;
    let shown = fixture.shell.notification().await;
    let back = async || press(&fixture, &shown, "default", "Deskhand").await;
    eventually("the window to be back", back).await;
}

#[tokio::test]
async fn what_the_desktop_had_not_shown_when_the_app_was_killed_is_told_after_it_and_once() {
    let mut fixture = ViewerFixture::logging(SAYS_WHAT_IS_STORED).await;
    fixture.shell.set_answers(Answers::Never);
    fixture.service.fire("presenter_started").await;
    assert_eq!(fixture.shell.notification().await.summary, "Maria Lopez is online");
    fixture.restart_with(Answers::AtOnce).await;
    assert_eq!(fixture.shell.notification().await.summary, "Maria Lopez is online");
    fixture.desktop.logged(STORED, 1).await;

    fixture.shell.set_answers(Answers::Never);
    fixture.service.fire("viewer_started").await;
    assert_eq!(fixture.shell.notification().await.summary, JOINED);
    fixture.restart_with(Answers::AtOnce).await;
    assert_eq!(fixture.shell.notification().await.summary, JOINED, "and nothing that was shown");
    fixture.service.fire("presenter_offline").await;
    assert_eq!(fixture.shell.notification().await.summary, "Maria Lopez went offline");
}

#[tokio::test]
async fn one_that_the_desktop_never_answers_delays_no_other_and_is_told_again_alone_after_a_kill() {
    let mut fixture = ViewerFixture::logging(SAYS_WHAT_IS_STORED).await;
    fixture.shell.set_answers(Answers::Never);
    fixture.service.fire("presenter_started").await;
    assert_eq!(fixture.shell.notification().await.summary, "Maria Lopez is online");
    fixture.shell.set_answers(Answers::AtOnce);
    fixture.service.fire("viewer_started").await;
    assert_eq!(fixture.shell.notification().await.summary, JOINED);
    // The first is still without an answer: what is stored is the second.
    fixture.desktop.logged(STORED, 1).await;
    fixture.restart_with(Answers::AtOnce).await;
    assert_eq!(fixture.shell.notification().await.summary, "Maria Lopez is online");
    fixture.service.fire("presenter_offline").await;
    assert_eq!(fixture.shell.notification().await.summary, "Maria Lopez went offline");
}

#[tokio::test]
async fn paused_notifications_stay_paused_over_a_kill_and_what_came_meanwhile_stays_quiet() {
    let mut fixture = ViewerFixture::new().await;
    let tray = fixture.shell.tray().await;
    tray.switched(PAUSE, false).await;
    tray.click(PAUSE).await;
    tray.switched(PAUSE, true).await;
    fixture.service.fire("presenter_started").await;
    tray.line("Maria Lopez - Ready").await;
    fixture.restart_after_kill().await;

    let tray = fixture.shell.tray().await;
    tray.line("Maria Lopez").await;
    tray.switched(PAUSE, true).await;
    tray.click(PAUSE).await;
    tray.switched(PAUSE, false).await;
    fixture.service.fire("presenter_offline").await;
    assert_eq!(fixture.shell.notification().await.summary, "Maria Lopez went offline");
}

#[tokio::test]
async fn a_desktop_that_never_answers_delays_no_other_notification_and_stands_as_a_trouble() {
    let fixture = ViewerFixture::new().await;
    fixture.shell.set_answers(Answers::Later);
    fixture.service.fire("presenter_started").await;
    assert_eq!(fixture.shell.notification().await.summary, "Maria Lopez is online");
    fixture.service.fire("viewer_started").await;
    let joined = fixture.shell.notification().await.summary;
    assert_eq!(joined, JOINED, "without an answer to the first");
    let trouble = Locator::XPath("//*[contains(., 'Show a desktop notification: ')]");
    fixture.app.wait().at_most(PATIENCE).for_element(trouble).await.unwrap();

    fixture.shell.set_answers(Answers::AtOnce);
    fixture.service.fire("presenter_offline").await;
    assert_eq!(fixture.shell.notification().await.summary, "Maria Lopez went offline");
    let over = async || fixture.app.find(trouble).await.is_err().then_some(());
    eventually("the trouble to be over", over).await;
}

const PAUSE: &str = "Pause notifications";

/// Presses a notification's button and looks for a window. The app hears one press, from a moment
/// after it has shown the notification; an earlier one, which no person could make, is lost.
async fn press(
    fixture: &ViewerFixture,
    shown: &ShownNotification,
    action: &str,
    window: &str,
) -> Option<()> {
    fixture.shell.press(shown, action).await;
    fixture.desktop.visible_windows().iter().any(|title| title == window).then_some(())
}

#[tokio::test]
async fn the_tray_lists_the_live_session_and_its_quit_asks_first() {
    let fixture = ViewerFixture::new().await;
    let tray = fixture.shell.tray().await;
    fixture.service.fire("presenter_started").await;
    let listed = async || {
        tray.lines().await.into_iter().find(|line| line.label.starts_with("Maria Lopez - Ready"))
    };
    let line = eventually("the session in the tray", listed).await;
    assert!(line.enabled);

    tray.click("Quit").await;
    tray.click("Pause notifications").await;
    tray.switched(PAUSE, true).await;
    let asked = Locator::XPath("//*[@role='dialog'][contains(., '1 session is live')]");
    fixture.app.wait().at_most(PATIENCE).for_element(asked).await.unwrap();
}
