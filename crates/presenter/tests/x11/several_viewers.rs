//! Keys and buttons belong to the viewer who pressed them.

use crate::typed::{ANNA, BEN, CONTROL, SHIFT, Typed, keysym};
use presenter::screen::ViewerId;

const LEFT: u32 = 0xff51;
const SHIFT_MASK: u16 = 1;
const CONTROL_MASK: u16 = 4;
const BUTTON_MASK: u16 = 1 << 8;

fn key(typed: &mut Typed, viewer: ViewerId, down: bool, keysym: u32) {
    typed.input().key(viewer, down, keysym, None).unwrap();
}

fn tap(typed: &mut Typed, viewer: ViewerId, keysym: u32) {
    key(typed, viewer, true, keysym);
    key(typed, viewer, false, keysym);
}

/// What came up, by name.
fn ups(typed: &mut Typed) -> Vec<String> {
    let told = typed.told().into_iter().filter(|one| one.event.ends_with("Release"));
    told.map(|one| one.detail).collect()
}

#[test]
fn a_key_that_one_holds_another_does_not_let_go_of() {
    let mut typed = Typed::start(&["us"]);
    key(&mut typed, ANNA, true, SHIFT);
    tap(&mut typed, BEN, SHIFT);
    key(&mut typed, BEN, false, SHIFT);
    assert_eq!(ups(&mut typed), [""; 0]);
    key(&mut typed, ANNA, false, SHIFT);
    assert_eq!(ups(&mut typed), ["Shift_L"]);

    // The first to press it may be the first to let go of it.
    key(&mut typed, ANNA, true, SHIFT);
    key(&mut typed, BEN, true, SHIFT);
    key(&mut typed, ANNA, false, SHIFT);
    assert_eq!(typed.down(), (1, SHIFT_MASK));
    key(&mut typed, BEN, false, SHIFT);
    assert_eq!(typed.down(), (0, 0));
}

#[test]
fn who_leaves_lets_go_of_their_own() {
    let mut typed = Typed::start(&["us"]);
    typed.input().pointer(ANNA, 30, 40, 1).unwrap();
    key(&mut typed, ANNA, true, SHIFT);
    key(&mut typed, BEN, true, CONTROL);
    key(&mut typed, BEN, true, LEFT);
    typed.told();
    assert_eq!(typed.down(), (3, SHIFT_MASK | CONTROL_MASK | BUTTON_MASK));
    typed.input().release_keys(BEN).unwrap();
    assert_eq!(typed.down(), (1, SHIFT_MASK | BUTTON_MASK));
    typed.input().release_keys(ANNA).unwrap();
    assert_eq!(typed.down(), (0, BUTTON_MASK));
    typed.input().release_buttons().unwrap();
    assert_eq!(typed.down(), (0, 0));
}

#[test]
fn a_key_is_not_pressed_together_with_anothers_modifiers() {
    let mut typed = Typed::start(&["us"]);
    key(&mut typed, ANNA, true, CONTROL);
    for letter in "Weg".chars() {
        tap(&mut typed, BEN, keysym(letter));
    }
    tap(&mut typed, ANNA, keysym('c'));
    assert_eq!(typed.text(), "Weg\u{3}", "Ben's letters, and Anna's Ctrl+C");
    key(&mut typed, ANNA, false, CONTROL);
    tap(&mut typed, ANNA, keysym('c'));
    assert_eq!(typed.text(), "c");
}

#[test]
fn the_same_key_of_two_is_pressed_twice() {
    let mut typed = Typed::start(&["us"]);
    key(&mut typed, ANNA, true, keysym('x'));
    key(&mut typed, BEN, true, keysym('x'));
    key(&mut typed, ANNA, false, keysym('x'));
    assert_eq!(typed.text(), "xx");
    key(&mut typed, BEN, false, keysym('x'));
    assert_eq!(ups(&mut typed), ["x"]);
}

#[test]
fn one_with_too_many_keys_down_loses_none_but_their_own() {
    let mut typed = Typed::start(&["us"]);
    key(&mut typed, ANNA, true, SHIFT);
    for scancode in 1..=0x58 {
        typed.input().key(BEN, true, 0, Some(scancode)).unwrap();
    }
    for scancode in 0xe001..=0xe06d {
        typed.input().key(BEN, true, 0, Some(scancode)).unwrap();
    }
    typed.input().release_keys(BEN).unwrap();
    // Ben has pressed the locks too.
    assert_eq!((typed.down().0, typed.down().1 & SHIFT_MASK), (1, SHIFT_MASK));
}
