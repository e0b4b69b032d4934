//! A viewer on a touch screen, and input methods: Chromium is told of fingers and of what a keyboard on the screen
//! composes, as a device tells it, and xev on the customer's screen says what arrived.
#![cfg(unix)]
#![allow(clippy::unwrap_used)]

use screen_tests::{
    browser::{PageScreen, devtools, until},
    keyboard::{MARK, Recorder, run},
    shared::SharedScreen,
};
use serde_json::json;

/// What the customer's computer has got since the last call, once its Backspaces have done their work.
fn typed(shared: &SharedScreen, recorder: &Recorder) -> String {
    tokio::task::block_in_place(|| {
        run(shared.technician.name(), "xdotool", &["key", MARK]);
        let mut text = String::new();
        for character in recorder.strokes(1).remove(0).text.chars() {
            if character == '\u{8}' {
                text.pop();
            } else {
                text.push(character);
            }
        }
        text
    })
}

async fn commits(shared: &SharedScreen, text: &str) {
    devtools(&shared.browser, "Input.insertText", json!({ "text": text })).await;
}

async fn composes(shared: &SharedScreen, text: &str) {
    let at = text.encode_utf16().count();
    let now = json!({ "text": text, "selectionStart": at, "selectionEnd": at });
    devtools(&shared.browser, "Input.imeSetComposition", now).await;
}

/// A finger on this place of the page, for a moment.
async fn taps(shared: &SharedScreen, x: f64, y: f64) {
    let down = json!({ "type": "touchStart", "touchPoints": [{ "x": x, "y": y }] });
    devtools(&shared.browser, "Input.dispatchTouchEvent", down).await;
    let up = json!({ "type": "touchEnd", "touchPoints": [] });
    devtools(&shared.browser, "Input.dispatchTouchEvent", up).await;
}

async fn taps_on(shared: &SharedScreen, id: &str) {
    let script = format!(
        "const e = document.getElementById('{id}').getBoundingClientRect();
         return e.width > 0 && [e.x + e.width / 2, e.y + e.height / 2]"
    );
    let place = until(&shared.browser, &format!("#{id} can be pressed"), &script).await;
    let [x, y] = serde_json::from_value(place).unwrap();
    taps(shared, x, y).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_input_method_composes_arrives_once_it_is_done() {
    let shared = SharedScreen::in_a_window().await;
    let recorder = Recorder::on(shared.customer.name());
    shared.takes_the_keyboard().await;
    for unfinished in ["n", "ni", "nih", "ni hao", "你好"] {
        composes(&shared, unfinished).await;
    }
    // Meanwhile nothing may arrive: it would stand before what was meant.
    commits(&shared, "你好").await;
    commits(&shared, "😀").await;
    commits(&shared, "👩‍💻é").await;
    assert_eq!(typed(&shared, &recorder), "你好😀👩‍💻é");
    // Given up, with the letters gone.
    composes(&shared, "zh").await;
    composes(&shared, "").await;
    assert_eq!(typed(&shared, &recorder), "");
    shared.ends().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_finger_calls_up_the_keyboard_of_its_device_and_types_with_it() {
    let shared = SharedScreen::in_a_window().await;
    let recorder = Recorder::on(shared.customer.name());
    let page = &shared.browser;
    let hidden = "return document.getElementById('touch-keyboard').hidden";
    until(page, "there is no button without a touch screen", hidden).await;
    let touch = json!({ "enabled": true, "maxTouchPoints": 5 });
    devtools(page, "Emulation.setTouchEmulationEnabled", touch).await;
    let phone = json!({ "width": 412, "height": 915, "deviceScaleFactor": 1, "mobile": true });
    devtools(page, "Emulation.setDeviceMetricsOverride", phone).await;
    page.refresh().await.unwrap();
    PageScreen(page).watch(1280).await;
    let ready = "return !document.getElementById('typed').readOnly && document.getElementById('notice').hidden";
    until(page, "the page controls", ready).await;

    taps_on(&shared, "touch-keyboard").await;
    let called = "const field = document.activeElement;
        return field.id === 'typed' && field.inputMode === 'text' && !field.readOnly
            && document.getElementById('touch-keyboard').getAttribute('aria-pressed') === 'true'";
    until(page, "the keyboard of the device is called", called).await;
    // Each word is composed, as keyboards on screens do it, and grows where it stands.
    for word in ["G", "Gr", "Grü", "Grüs", "Grüße"] {
        composes(&shared, word).await;
    }
    commits(&shared, "Grüße ").await;
    commits(&shared, "😀").await;
    assert_eq!(typed(&shared, &recorder), "Grüße 😀");
    let delete = "document.execCommand('delete'); return true";
    commits(&shared, "ab").await;
    until(page, "its Backspace was pressed", delete).await;
    assert_eq!(typed(&shared, &recorder), "a");
    // More often than there are letters.
    until(page, "and once more", delete).await;
    commits(&shared, "c").await;
    assert_eq!(typed(&shared, &recorder), "c");

    taps_on(&shared, "touch-keyboard").await;
    let gone = "return document.activeElement.id !== 'typed' || document.activeElement.inputMode === 'none'";
    until(page, "the keyboard is sent away", gone).await;
    taps_on(&shared, "touch-keyboard").await;
    until(page, "and called again", called).await;
    commits(&shared, "again").await;
    assert_eq!(typed(&shared, &recorder), "again");
    shared.ends().await;
}
