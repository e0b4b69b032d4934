//! The customer in front of the consent window, who uses the mouse of the display.

use std::time::Instant;

use x11rb::{
    connection::Connection as _,
    protocol::{
        xproto::{
            AtomEnum, BUTTON_PRESS_EVENT, BUTTON_RELEASE_EVENT, ConfigureWindowAux,
            ConnectionExt as _, CreateWindowAux, EventMask, MOTION_NOTIFY_EVENT, MapState,
            StackMode, Window, WindowClass,
        },
        xtest::ConnectionExt as _,
    },
    rust_connection::RustConnection,
    wrapper::ConnectionExt as _,
};

use crate::{PATIENCE, display::Display};

/// The window's title.
const TITLE: &[u8] = b"Support session";
/// The distance from the window's lower edge to the middle of its buttons.
const UP: i16 = 40;
/// The distance from the end of `Share my screen` to a point in `Decline`.
const ON: i16 = 30;
/// The least difference between the parts of a colour that counts as coloured; only the button's
/// is larger.
const COLOURFUL: u8 = 60;

/// Clicks on `Share my screen` until the window is gone.
pub fn agree(display: &Display) {
    click(display, |(from, to)| from + (to - from) / 2);
}

/// Clicks on `Decline` until the window is gone.
pub fn decline(display: &Display) {
    click(display, |(_, to)| to + ON);
}

/// Whether the consent window is open.
pub fn is_asked(display: &Display) -> bool {
    let look = display.connect();
    let root = look.setup().roots[0].root;
    asks(&look, root).is_some()
}

/// Clicks until the window is gone.
// More than once, because the window ignores clicks right after it opens: they could be meant for
// something else.
fn click(display: &Display, place: impl Fn((i16, i16)) -> i16) {
    let hand = display.connect();
    let root = hand.setup().roots[0].root;
    let window = wait_for(&hand, "the window that asks", || asks(&hand, root));
    let (y, button) = wait_for(&hand, "its button", || button(display, &hand, window));
    shield(&hand, window, (place(button), y));
    let fake = |kind, detail, x, y| {
        hand.xtest_fake_input(kind, detail, x11rb::CURRENT_TIME, root, x, y, 0).unwrap();
    };
    wait_for(&hand, "the answer taken", || {
        fake(MOTION_NOTIFY_EVENT, 0, place(button), y);
        fake(BUTTON_PRESS_EVENT, 1, 0, 0);
        fake(BUTTON_RELEASE_EVENT, 1, 0, 0);
        hand.sync().unwrap();
        asks(&hand, root).is_none().then_some(())
    });
}

/// Puts an invisible window behind the consent window, where it stays until the connection ends.
// It takes a click that comes just after the consent window has closed, which would otherwise reach
// the test window. Grabbing the server between look and click was tried and didn't prevent that.
fn shield(hand: &RustConnection, window: Window, (x, y): (i16, i16)) {
    let root = hand.setup().roots[0].root;
    let shield = hand.generate_id().unwrap();
    let presses = EventMask::BUTTON_PRESS | EventMask::BUTTON_RELEASE | EventMask::POINTER_MOTION;
    let looks = CreateWindowAux::new().override_redirect(1).do_not_propogate_mask(presses);
    let class = WindowClass::INPUT_ONLY;
    hand.create_window(0, shield, root, x - 1, y - 1, 3, 3, 0, class, 0, &looks).unwrap();
    let behind = ConfigureWindowAux::new().sibling(window).stack_mode(StackMode::BELOW);
    hand.configure_window(shield, &behind).unwrap();
    hand.map_window(shield).unwrap();
    hand.sync().unwrap();
}

/// Finds the consent window, if it is visible.
fn asks(display: &RustConnection, root: Window) -> Option<Window> {
    let tree = display.query_tree(root).unwrap().reply().unwrap();
    // A window may go while it is looked at.
    tree.children.into_iter().find(|window| {
        let title =
            display.get_property(false, *window, AtomEnum::WM_NAME, AtomEnum::ANY, 0, 64).unwrap();
        let looks = display.get_window_attributes(*window).unwrap();
        title.reply().is_ok_and(|title| title.value == TITLE)
            && looks.reply().is_ok_and(|looks| looks.map_state == MapState::VIEWABLE)
    })
}

/// The vertical position of the coloured button, and where it begins and ends horizontally.
fn button(
    display: &Display,
    connection: &RustConnection,
    window: Window,
) -> Option<(i16, (i16, i16))> {
    let area = connection.get_geometry(window).unwrap().reply().ok()?;
    let y = area.y + area.height as i16 - UP;
    let picture = display.picture();
    let coloured = |x: &i16| {
        let pixel = picture.at(*x as u16, y as u16);
        pixel.iter().max().unwrap() - pixel.iter().min().unwrap() > COLOURFUL
    };
    let mut row = (area.x.max(0)..area.x + area.width as i16).filter(coloured);
    let from = row.next()?;
    Some((y, (from, row.next_back()?)))
}

fn wait_for<T>(display: &RustConnection, what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let until = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < until, "waited in vain for {what}");
        // Each look is a round trip to the display, so this doesn't spin.
        display.sync().unwrap();
    }
}
