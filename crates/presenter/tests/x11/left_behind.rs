//! What a run that was killed has left, the next one puts right.

use x11rb::connection::Connection as _;
use x11rb::protocol::xproto::{AtomEnum, ConnectionExt as _};
use x11rb::protocol::xtest::ConnectionExt as _;
use x11rb::rust_connection::RustConnection;
use x11rb::wrapper::ConnectionExt as _;

use crate::keys::mapping;
use crate::typed::{ANNA, CONTROL, SHIFT, Typed, keysym};

/// Ends the input's connection, as the system does for a program that is killed.
fn kill(typed: &mut Typed) {
    let conn = typed.connect();
    let window = noted(&conn).expect("a run has a note");
    conn.kill_client(window).unwrap();
    conn.sync().unwrap();
    typed.input = None;
}

/// The window in the note.
fn noted(conn: &RustConnection) -> Option<u32> {
    let root = conn.setup().roots[0].root;
    let atom = conn.intern_atom(false, b"_DESKHAND_INPUT").unwrap().reply().unwrap().atom;
    let note = conn.get_property(false, root, atom, AtomEnum::WINDOW, 0, 1).unwrap();
    note.reply().unwrap().value32()?.next()
}

#[test]
fn keys_and_buttons_come_up_and_borrowed_keys_are_given_back() {
    let mut typed = Typed::start(&["us"]);
    let before = mapping(&typed.desk);
    typed.type_text("漢字ж");
    typed.key(true, CONTROL);
    typed.key(true, SHIFT);
    typed.key(true, 0xff51);
    typed.input().pointer(ANNA, 30, 40, 0b1_0000_0101).unwrap();
    kill(&mut typed);
    assert_eq!(typed.down().0, 3, "all three keys are down");
    assert_ne!(mapping(&typed.desk), before);

    typed.start_again();
    assert_eq!(typed.down(), (0, 0));
    assert_eq!(mapping(&typed.desk), before);
    typed.told();
    typed.type_text("ж c");
    assert_eq!(typed.text(), "ж c");
}

/// A viewer of another make sends them as keys.
#[test]
fn alt_gr_and_a_dead_key_come_up_too() {
    let mut typed = Typed::start(&["de"]);
    let (alt_gr, dead_circumflex) = (0xfe03, 0xfe52);
    typed.key(true, alt_gr);
    typed.key(true, dead_circumflex);
    typed.key(true, keysym('@'));
    kill(&mut typed);
    assert_ne!(typed.down().0, 0);
    typed.start_again();
    assert_eq!(typed.down(), (0, 0));
    typed.told();
    typed.type_text("e@q");
    assert!(typed.text().ends_with("@q"));
}

#[test]
fn a_layout_that_the_customer_has_chosen_since_stays() {
    let mut typed = Typed::start(&["us"]);
    typed.type_text("漢");
    kill(&mut typed);
    typed.desk.run("setxkbmap", &["de"]);
    let chosen = mapping(&typed.desk);
    typed.start_again();
    assert_eq!(mapping(&typed.desk), chosen);
}

#[test]
fn what_others_hold_down_stays_where_no_run_was_killed() {
    let mut typed = Typed::start(&["us"]);
    typed.key(true, keysym('x'));
    typed.input = None;
    assert_eq!(noted(&typed.connect()), None, "nothing is left to be put right");
    let other = typed.connect();
    let shift = 50;
    other.xtest_fake_input(2, shift, 0, x11rb::NONE, 0, 0, 0).unwrap();
    other.sync().unwrap();
    typed.start_again();
    assert_eq!(typed.down(), (1, 1), "Shift of another program");
}

#[test]
fn a_second_run_leaves_the_first_ones_keys_alone() {
    let mut typed = Typed::start(&["us"]);
    typed.key(true, CONTROL);
    let first = typed.input.take();
    typed.start_again();
    assert_eq!(typed.down().0, 1);
    typed.input = None;
    assert!(noted(&typed.connect()).is_some(), "the first run's note");
    drop(first);
    assert_eq!(noted(&typed.connect()), None);
    assert_eq!(typed.down().0, 0);
}
