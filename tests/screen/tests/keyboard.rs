//! What the technician's keyboard types arrives as the same text, whatever both layouts are: a part of the matrix that
//! `./bench keyboard` prints. And what happens to it when the customer's program is killed.
#![cfg(unix)]
#![allow(clippy::unwrap_used)]

use screen_tests::{
    keyboard::{Keyboards, check, run},
    shared::SharedScreen,
};
use x11rb::{connection::Connection as _, protocol::xproto::ConnectionExt as _};

#[tokio::test(flavor = "multi_thread")]
async fn characters_and_shortcuts_arrive_from_chromium_whatever_both_layouts_are() {
    let shared = SharedScreen::in_a_window().await;
    let keyboards = Keyboards::new(shared.technician.name(), shared.customer.name());
    shared.takes_the_keyboard().await;
    let some = [("de", "us"), ("us-intl", "ru"), ("ru", "us"), ("he", "fr")];
    tokio::task::block_in_place(|| check(&keyboards, "Chromium", &some));
    shared.ends().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_was_held_when_the_customers_program_was_killed_comes_up_at_its_next_start() {
    let mut shared = SharedScreen::in_a_window().await;
    shared.takes_the_keyboard().await;
    let customer = shared.customer.connect();
    let root = customer.setup().roots[0].root;
    let keyboard = || customer.get_keyboard_mapping(8, 248).unwrap().reply().unwrap().keysyms;
    let before = keyboard();
    let held = || u16::from(customer.query_pointer(root).unwrap().reply().unwrap().mask);
    tokio::task::block_in_place(|| {
        let technician = shared.technician.name();
        run(technician, "setxkbmap", &["ru"]);
        run(technician, "xdotool", &["key", "38", "39"]);
        run(technician, "xdotool", &["keydown", "37"]);
        while held() & 4 == 0 || keyboard() == before {}
    });
    shared.kill_presenter();
    assert_eq!(held() & 4, 4, "Ctrl stays down");

    shared.start_presenter().await;
    let until = std::time::Instant::now() + screen_tests::PATIENCE;
    while held() != 0 || keyboard() != before {
        assert!(std::time::Instant::now() < until, "Ctrl or the borrowed keys stay as they were");
    }
    shared.ends().await;
}
