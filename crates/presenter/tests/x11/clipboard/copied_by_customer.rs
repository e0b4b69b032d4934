//! What the customer copies is told to the technician, where it is something that travels.

use presenter::screen::{Contents, NotCarried};
use rfb::Png;

use super::{Shared, png};
use crate::keeper::Keeper;

#[test]
fn tells_what_the_customer_copies() {
    let mut shared = Shared::start();
    for text in ["Grüße, 漢字\nund 5 €", "", "second"] {
        let _owner = shared.copy(text, &[]);
        assert_eq!(shared.told(), text);
    }
}

#[test]
fn tells_a_long_text_that_comes_in_pieces() {
    let mut shared = Shared::start();
    let text = "0123456789abcdé\n".repeat(60_000);
    let _owner = shared.copy(&text, &[]);
    assert!(shared.told() == text);
}

#[test]
fn leaves_out_a_text_beyond_a_mebibyte_and_tells_the_next() {
    let mut shared = Shared::start();
    let _owner = shared.copy("x".repeat(3 * 1024 * 1024), &[]);
    assert_eq!(shared.told_until("short"), ["short"]);
}

#[test]
fn tells_what_an_old_program_copies_without_unicode() {
    let mut shared = Shared::start();
    let _owner = shared.copy("plain", &["-target", "STRING"]);
    assert_eq!(shared.told(), "plain");
}

#[test]
fn leaves_out_what_is_no_text() {
    let mut shared = Shared::start();
    let _owner = shared.copy("not really a picture", &["-target", "image/png"]);
    assert_eq!(shared.told_until("text"), ["text"]);
}

/// What a password manager has copied is marked by one of these forms.
#[test]
fn never_reads_what_is_marked_as_secret() {
    let mut shared = Shared::start();
    for mark in ["x-kde-passwordManagerHint", "ExcludeClipboardContentFromMonitorProcessing"] {
        let _manager = Keeper::own(&shared.desk, &["UTF8_STRING", "STRING", mark], "geheim");
        assert_eq!(shared.told_until("plain"), ["plain"], "{mark}");
    }
    let _program = Keeper::own(&shared.desk, &["UTF8_STRING"], "no secret");
    assert_eq!(shared.told(), "no secret");
}

#[test]
fn says_what_is_not_carried() {
    let mut shared = Shared::start();
    let _picture = shared.copy("not really a picture", &["-target", "image/png"]);
    assert_eq!(shared.not_carried(), NotCarried::OtherPicture);
    let _jpeg = shared.copy("\u{ff}", &["-target", "image/jpeg"]);
    assert_eq!(shared.not_carried(), NotCarried::OtherPicture);
    let _large = shared.copy(vec![0; Png::LONGEST + 1], &["-target", "image/png"]);
    assert_eq!(shared.not_carried(), NotCarried::LargePicture);
    let _file = shared.copy("file:///etc/hosts", &["-target", "text/uri-list"]);
    assert_eq!(shared.not_carried(), NotCarried::Other);
    let _long = shared.copy("x".repeat(1024 * 1024 + 1), &[]);
    assert_eq!(shared.not_carried(), NotCarried::LongText);
}

#[test]
fn tells_a_picture_that_the_customer_copies_without_what_is_written_in_it() {
    let mut shared = Shared::start();
    // At once, and in pieces.
    for (width, height) in [(3, 2), (600, 500)] {
        let png = png(width, height, &[(b"tEXt", b"Author\0Zoe, at home")]);
        let _owner = shared.copy(&png, &["-target", "image/png"]);
        let Contents::Picture(told) = shared.told_contents() else { panic!("it is a picture") };
        assert!(told.bytes() == super::png(width, height, &[]));
    }
}

#[test]
fn takes_the_text_where_there_is_a_picture_beside_it() {
    let mut shared = Shared::start();
    let forms = ["image/png", "text/plain;charset=utf-8"];
    let _owner = Keeper::own(&shared.desk, &forms, "of a table");
    assert_eq!(shared.told(), "of a table");
}
