//! Why a screen can't be shared.

use std::process::Command;

use presenter::screen::{self, ScreenError};

use crate::desk::ConsentUi;

#[test]
fn finds_no_screen_where_none_is() {
    for display in [":4711", "unix:4711", "no display's name"] {
        assert_eq!(screen::open(Some(display)).err(), Some(ScreenError::NoDisplay), "{display}");
    }
}

#[test]
fn names_what_the_display_lacks() {
    for (extension, lacks) in [
        ("DAMAGE", "the DAMAGE extension"),
        ("XFIXES", "the XFIXES extension"),
        ("XTEST", "the XTEST extension"),
        ("RANDR", "the RANDR extension"),
    ] {
        let desk = ConsentUi::start("320x200x24", &["-extension", extension]);
        let refused = screen::open(Some(&desk.display)).err();
        assert_eq!(refused, Some(ScreenError::Lacks(lacks)));
    }
}

/// A display that wants a cookie which this person hasn't.
#[test]
fn says_when_the_display_refuses() {
    let files = tempfile::tempdir().unwrap();
    let secret = files.path().join("secret");
    let cookie = "0123456789abcdef0123456789abcdef";
    let written = Command::new("xauth")
        .args(["-f", secret.to_str().unwrap(), "add", ":0", ".", cookie])
        .output()
        .unwrap();
    assert!(written.status.success());
    let desk = ConsentUi::start("320x200x24", &["-auth", secret.to_str().unwrap()]);
    assert_eq!(screen::open(Some(&desk.display)).err(), Some(ScreenError::NoPermission));
}
