//! Waits and actions in a page of a browser, and the screen that a page shows.

use std::time::{Duration, Instant};

pub use browser_tests::{Driver, devtools};
use fantoccini::{
    Client, Locator,
    actions::{
        InputSource as _, KeyAction, KeyActions, MOUSE_BUTTON_LEFT, MouseActions, PointerAction,
    },
};
use serde_json::{Value, json};

use crate::PATIENCE;

/// Calls `look` until it finds something, or for [`PATIENCE`].
// Each call is a round trip to the browser, so this needs no pause.
async fn look<T>(mut look: impl AsyncFnMut() -> Option<T>) -> Option<T> {
    let until = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = look().await {
            return Some(found);
        }
        if Instant::now() > until {
            return None;
        }
    }
}

/// Waits until a script in the page returns something that is neither null nor false.
pub async fn until(browser: &Client, what: &str, script: &str) -> Value {
    let found = look(async || {
        let found = browser.execute(script, Vec::new()).await.unwrap();
        (!matches!(found, Value::Null | Value::Bool(false))).then_some(found)
    });
    if let Some(found) = found.await {
        return found;
    }
    let page = browser.execute("return document.body.innerText", Vec::new()).await;
    panic!("waited in vain until {what}; the page says {page:?}");
}

/// Waits until the text of an element contains this.
pub async fn see(browser: &Client, id: &str, text: &str) {
    let script = format!(
        "const e = document.getElementById({}); return e && e.innerText.includes({})",
        json!(id),
        json!(text)
    );
    until(browser, &format!("#{id} shows {text:?}"), &script).await;
}

/// Clicks on an element.
pub async fn press(browser: &Client, id: &str) {
    browser.find(Locator::Id(id)).await.unwrap().click().await.unwrap();
}

/// The screen that a page shows on its canvas.
///
/// A probe hooks into the one call by which noVNC draws on its visible canvas. So a measurement
/// costs the same for every server, and nothing is polled.
#[derive(Debug)]
pub struct PageScreen<'b>(pub &'b Client);

impl PageScreen<'_> {
    /// Waits for a screen of this width and installs the probe.
    pub async fn watch(&self, width: u16) {
        self.is_wide(width).await;
        self.0.execute(include_str!("probe.js"), Vec::new()).await.unwrap();
    }

    /// Waits for a screen of this width.
    pub async fn is_wide(&self, width: u16) {
        let script = format!(
            "return [...document.querySelectorAll('canvas')].some(c => c.width === {width} && c.id !== 'still')"
        );
        until(self.0, &format!("there is a screen {width} wide"), &script).await;
    }

    /// Converts a position on the screen into one in the page.
    async fn in_page(&self, (x, y): (u16, u16)) -> (i64, i64) {
        let script = "return window.probe.inPage(...arguments)";
        let place = self.0.execute(script, vec![json!(x), json!(y)]).await.unwrap();
        serde_json::from_value(place).unwrap()
    }

    /// Clicks with the mouse at a place of the screen.
    pub async fn click(&self, place: (u16, u16)) {
        let (x, y) = self.in_page(place).await;
        let mouse = MouseActions::new("mouse".into())
            .then(PointerAction::MoveTo { duration: None, x: x as f64, y: y as f64 })
            .then(PointerAction::Down { button: MOUSE_BUTTON_LEFT })
            .then(PointerAction::Up { button: MOUSE_BUTTON_LEFT });
        self.0.perform_actions(mouse).await.unwrap();
    }

    /// Types a text on the keyboard.
    pub async fn types(&self, text: &str) {
        let keys = text.chars().fold(KeyActions::new("keyboard".into()), |keys, value| {
            keys.then(KeyAction::Down { value }).then(KeyAction::Up { value })
        });
        self.0.perform_actions(keys).await.unwrap();
    }

    /// The colour at a place of the screen.
    pub async fn colour(&self, (x, y): (u16, u16)) -> [u8; 3] {
        let script = "return window.probe.colour(...arguments)";
        let seen = self.0.execute(script, vec![json!(x), json!(y)]).await.unwrap();
        serde_json::from_value(seen).unwrap()
    }

    /// Waits until the colour at a place is this one.
    pub async fn becomes(&self, place: (u16, u16), wanted: [u8; 3]) {
        let mut seen = [0; 3];
        let found = look(async || {
            seen = self.colour(place).await;
            seen.iter().zip(wanted).all(|(a, b)| a.abs_diff(b) < 24).then_some(())
        });
        let found = found.await.is_some();
        assert!(found, "{place:?} stays {seen:?}, not {wanted:?}");
    }

    /// The number of the visible frame of the test window.
    pub async fn frame(&self) -> u64 {
        let seen = self.0.execute("return window.probe.frame()", Vec::new()).await.unwrap();
        seen.as_u64().unwrap()
    }

    /// Waits for a frame other than `last` and returns its number.
    pub async fn frame_after(&self, last: u64) -> u64 {
        let script = format!("const f = window.probe.frame(); return f === {last} ? null : f + 1");
        until(self.0, "another frame is shown", &script).await.as_u64().unwrap() - 1
    }

    /// Presses a key in the page and returns the milliseconds until the colour at a position
    /// has changed.
    pub async fn key_to_pixel(&self, (x, y): (u16, u16)) -> f64 {
        let script =
            "const done = arguments[2]; window.probe.press(arguments[0], arguments[1]).then(done)";
        let took = self.0.execute_async(script, vec![json!(x), json!(y)]).await.unwrap();
        took.as_f64().unwrap()
    }

    /// Measures for a while how many frames of the test window become visible in a second.
    pub async fn frames_a_second(&self, time: Duration) -> f64 {
        let script = "const done = arguments[1]; window.probe.frames(arguments[0]).then(done)";
        let rate = self.0.execute_async(script, vec![json!(time.as_millis() as u64)]).await;
        rate.unwrap().as_f64().unwrap()
    }
}
