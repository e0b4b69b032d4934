//! What is typed arrives as the text that it is, whatever the customer's keyboard is.

use x11rb::protocol::xproto::ConnectionExt as _;
use x11rb::rust_connection::RustConnection;

use crate::desk::ConsentUi;
use crate::typed::{ANNA, CONTROL, SHIFT, Told, Typed, keysym};

const ALT_GR: u32 = 0xfe03;
const RIGHT_ALT: u32 = 0xffea;
const CAPS_LOCK: u32 = 0xffe5;
const NUM_LOCK: u32 = 0xff7f;
const TAB: u32 = 0xff09;

#[test]
fn types_on_an_american_keyboard_what_it_has_and_what_it_has_not() {
    let mut typed = Typed::start(&["us"]);
    let text = "Grüße an Zoë: 5 € für 漢字, Ω und жук – \"ok\"? {a|b} ~^`\\ @#";
    typed.type_text(text);
    assert_eq!(typed.text(), text);
}

#[test]
fn types_on_a_german_keyboard() {
    let mut typed = Typed::start(&["de"]);
    let text = "Zypern: ß ÄÖÜ äöü @ € {[]}\\ |~ <> #'+*?=/&%$§\"! ²³µ жук 漢 yz";
    typed.type_text(text);
    assert_eq!(typed.text(), text);
}

#[test]
fn types_on_a_russian_keyboard() {
    let mut typed = Typed::start(&["ru"]);
    let text = "Съешь ещё этих мягких булок, да выпей же чаю; Latin too: €";
    typed.type_text(text);
    assert_eq!(typed.text(), text);
}

#[test]
fn types_with_two_layouts_and_leaves_the_chosen_one() {
    let mut typed = Typed::start(&["us,ru"]);
    let before = mapping(&typed.desk);
    let text = "a жЖ b Ёё c";
    typed.type_text(text);
    typed.tap_scancode(0x27);
    assert_eq!(typed.text(), format!("{text};"), "the American semicolon, not the Russian zhe");
    assert_eq!(mapping(&typed.desk), before, "both layouts were enough");
}

#[test]
fn knows_the_old_keysyms_as_well() {
    let mut typed = Typed::start(&["us"]);
    for keysym in [0x06d6, 0x20ac, 0x07d9, 0x01a1] {
        typed.tap(keysym);
    }
    // By name: how Xlib reads some of them depends on the languages that are installed.
    assert_eq!(typed.pressed(), ["Cyrillic_zhe", "EuroSign", "Greek_OMEGA", "Aogonek"]);
}

#[test]
fn takes_the_modifiers_that_the_viewer_holds() {
    let mut typed = Typed::start(&["de"]);
    typed.key(true, ALT_GR);
    typed.type_text("€@");
    typed.key(false, ALT_GR);
    typed.key(true, SHIFT);
    typed.type_text("A/");
    // On an American keyboard this one is under Shift, on a German one it is not.
    typed.type_text("#");
    typed.tap_scancode(0x1e);
    typed.key(false, SHIFT);
    typed.tap_scancode(0x1e);
    assert_eq!(typed.text(), "€@A/#Aa");
}

#[test]
fn types_capitals_and_small_letters_under_caps_lock() {
    let mut typed = Typed::start(&["de"]);
    typed.tap(CAPS_LOCK);
    let text = "aAzZäÄßéÉжЖ1!";
    typed.type_text(text);
    typed.tap_scancode(0x1e);
    assert_eq!(typed.text(), format!("{text}A"), "and Caps Lock is as it was");
}

#[test]
fn tells_the_keypads_digits_from_its_arrows() {
    let mut typed = Typed::start(&["us"]);
    let (home, seven) = (0xff95, 0xffb7);
    typed.tap(seven);
    typed.tap(home);
    typed.tap(NUM_LOCK);
    typed.tap(seven);
    typed.tap(home);
    assert_eq!(typed.pressed(), ["KP_7", "KP_Home", "Num_Lock", "KP_7", "KP_Home"]);
}

#[test]
fn leaves_shortcuts_as_they_are() {
    let mut typed = Typed::start(&["us"]);
    typed.key(true, SHIFT);
    typed.tap(TAB);
    typed.key(false, SHIFT);
    typed.key(true, CONTROL);
    typed.type_text("c");
    typed.key(false, CONTROL);
    let told = typed.told();
    let pressed: Vec<_> = told.iter().filter(|one| one.event == "KeyPress").collect();
    let names: Vec<_> = pressed.iter().map(|one| one.detail.as_str()).collect();
    assert_eq!(names, ["Shift_L", "ISO_Left_Tab", "Control_L", "c"]);
    assert_eq!(pressed[3].text, "\u{3}");
}

#[test]
fn takes_the_left_alt_where_the_right_one_is_alt_gr() {
    let mut typed = Typed::start(&["de"]);
    typed.key(true, RIGHT_ALT);
    typed.type_text("q");
    typed.key(false, RIGHT_ALT);
    let told = typed.told();
    let pressed: Vec<_> = told.iter().filter(|one| one.event == "KeyPress").collect();
    let names: Vec<_> = pressed.iter().map(|one| one.detail.as_str()).collect();
    assert_eq!(names, ["Alt_L", "q"]);
}

/// Whatever the customer's own locks are.
#[test]
fn leaves_shortcuts_as_they_are_under_the_customers_locks() {
    let mut typed = Typed::start(&["us"]);
    typed.tap(CAPS_LOCK);
    typed.tap(NUM_LOCK);
    typed.told();
    typed.key(true, CONTROL);
    typed.input().key(ANNA, true, keysym('c'), Some(0x2e)).unwrap();
    typed.input().key(ANNA, false, keysym('c'), Some(0x2e)).unwrap();
    typed.key(false, CONTROL);
    let told = typed.told();
    let c = told.iter().find(|one| one.event == "KeyPress" && one.detail != "Control_L").unwrap();
    assert_eq!((c.detail.as_str(), c.text.as_str()), ("c", "\u{3}"));
    typed.type_text("aA1");
    assert_eq!(typed.text(), "aA1");
}

#[test]
fn lets_go_of_a_key_whose_layout_was_changed_meanwhile() {
    let mut typed = Typed::start(&["us"]);
    for layout in ["fr", "de", "ru"] {
        typed.key(true, keysym('q'));
        typed.key(true, CONTROL);
        typed.desk.run("setxkbmap", &[layout]);
        typed.key(false, CONTROL);
        typed.key(false, keysym('q'));
        assert_eq!(typed.down(), (0, 0), "{layout}");
        typed.desk.run("setxkbmap", &["us"]);
    }
    typed.told();
    // A program reads a key by the layout that there is when it gets to it, so each is read before the next comes.
    for layout in ["fr", "us"] {
        typed.desk.run("setxkbmap", &[layout]);
        typed.type_text("aq@ж€");
        assert_eq!(typed.text(), "aq@ж€", "{layout}");
    }
}

#[test]
fn presses_the_key_that_the_scancode_means() {
    let mut typed = Typed::start(&["de"]);
    for scancode in [0x2c, 0x1a, 0x56, 0xe048, 0xc8, 0x48, 0xe01c, 0x58, 0xe05b] {
        typed.tap_scancode(scancode);
    }
    // F12 is the test's own mark.
    let wanted = ["y", "udiaeresis", "less", "Up", "Up", "KP_Up", "KP_Enter"];
    assert_eq!(typed.pressed(), wanted);
}

#[test]
fn types_what_stands_on_the_technicians_keys_whatever_stands_on_the_customers() {
    let mut typed = Typed::start(&["de"]);
    // As an American keyboard sends them: y and z stand elsewhere, and @ needs no AltGr there.
    for (keysym, scancode) in [('y', 0x15), ('z', 0x2c), ('@', 0x03), ('H', 0x23), ('a', 0x1e)] {
        let keysym = crate::typed::keysym(keysym);
        typed.input().key(ANNA, true, keysym, Some(scancode)).unwrap();
        typed.input().key(ANNA, false, keysym, Some(scancode)).unwrap();
    }
    assert_eq!(typed.text(), "yz@Ha");
}

#[test]
fn lets_go_of_a_key_whose_shift_came_up_first() {
    let mut typed = Typed::start(&["us"]);
    typed.key(true, SHIFT);
    typed.key(true, keysym('A'));
    typed.key(false, SHIFT);
    typed.key(false, keysym('a'));
    let released: Vec<_> =
        typed.told().into_iter().filter(|one| one.event == "KeyRelease").collect();
    assert_eq!(released.len(), 2, "{released:?}");
}

#[test]
fn presses_once_what_a_viewer_repeats() {
    let mut typed = Typed::start(&["us"]);
    for _ in 0..5 {
        typed.key(true, keysym('x'));
    }
    typed.key(false, keysym('x'));
    assert_eq!(typed.text(), "x");
}

#[test]
fn lets_go_of_everything() {
    let mut typed = Typed::start(&["us"]);
    typed.key(true, CONTROL);
    typed.key(true, keysym('x'));
    typed.input().key(ANNA, true, 0, Some(0xe01d)).unwrap();
    typed.input().pointer(ANNA, 30, 40, 0b101).unwrap();
    typed.input().release_all().unwrap();
    let told = typed.told();
    let ups: Vec<_> = told
        .iter()
        .filter(|one| one.event.ends_with("Release"))
        .map(|one| one.detail.as_str())
        .collect();
    assert_eq!(ups, ["Control_R", "x", "Control_L", "1", "3"]);
    typed.type_text("x");
    assert_eq!(typed.text(), "x");
}

#[test]
fn points_and_clicks_with_every_button() {
    let mut typed = Typed::start(&["us"]);
    for button in 0..9u16 {
        let x = 10 * (button + 1);
        typed.input().pointer(ANNA, x, 5, 0).unwrap();
        typed.input().pointer(ANNA, x, 5, 1 << button).unwrap();
        typed.input().pointer(ANNA, x + 1, 6, 0).unwrap();
    }
    let told = typed.told();
    let mut wanted = Vec::new();
    for button in 1..=9 {
        for (event, x, y) in
            [("ButtonPress", 10 * button, 5), ("ButtonRelease", 10 * button + 1, 6)]
        {
            let (event, detail) = (event.to_owned(), button.to_string());
            wanted.push(Told { event, detail, text: format!("{x},{y}") });
        }
    }
    assert_eq!(told, wanted);
}

#[test]
fn types_more_foreign_characters_than_there_are_spare_keys() {
    let mut typed = Typed::start(&["us"]);
    let (keysyms, width) = mapping(&typed.desk);
    let spare = keysyms.chunks(width.into()).filter(|key| key.iter().all(|sym| *sym == 0)).count();
    assert!(spare > 10, "{spare}");
    // In bursts that need each of these keys once: what comes faster than programs read it is typed, as long
    // as no key needs a second meaning before they got to its first.
    let text: Vec<char> = ('\u{4e00}'..'\u{4f00}').collect();
    for burst in text.chunks(spare).take(3) {
        let burst: String = burst.iter().collect();
        typed.type_text(&burst);
        assert_eq!(typed.text(), burst);
    }
}

#[test]
fn types_nothing_for_what_is_no_key() {
    let mut typed = Typed::start(&["us"]);
    for keysym in [0, 1, 0x0100_0009, 0x0100_d800, 0x0111_0000, 0xdead_beef, u32::MAX] {
        typed.tap(keysym);
    }
    for scancode in [0xe000, 0x0001_0000, u32::MAX] {
        typed.input().key(ANNA, true, 0, Some(scancode)).unwrap();
    }
    assert_eq!(typed.told(), []);
}

#[test]
fn leaves_the_keyboard_as_it_was() {
    let mut typed = Typed::start(&["us"]);
    let before = mapping(&typed.desk);
    typed.type_text("漢字ж");
    assert_ne!(mapping(&typed.desk), before);
    typed.key(true, SHIFT);
    typed.input = None;
    assert_eq!(mapping(&typed.desk), before);
    typed.start_again();
    let told = typed.told();
    let last = told.last().map(|one| (one.event.as_str(), one.detail.as_str()));
    assert_eq!(last, Some(("KeyRelease", "Shift_L")));
}

pub fn mapping(desk: &ConsentUi) -> (Vec<u32>, u8) {
    let (conn, _) = RustConnection::connect(Some(&desk.display)).unwrap();
    let mapping = conn.get_keyboard_mapping(8, 248).unwrap().reply().unwrap();
    (mapping.keysyms, mapping.keysyms_per_keycode)
}
