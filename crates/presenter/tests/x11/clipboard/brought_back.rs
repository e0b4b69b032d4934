//! What was in the clipboard before a viewer's text took its place.

use std::io::Write as _;
use std::process::{Child, Stdio};
use std::time::Duration;

use presenter::screen::{ClipboardForm, ClipboardLoss, KeptScreen, SavedClipboard};

use super::{Owners, paste, png};
use crate::desk::ConsentUi;
use crate::keeper::{Form, Keeper};

/// More than is kept of a clipboard.
const TOO_LARGE: usize = 32 * 1024 * 1024 + 4;

/// A screen whose clipboard's owners may take as long as they need.
fn kept_screen(desk: &ConsentUi) -> KeptScreen {
    KeptScreen::new(Some(desk.display.clone())).told_within(Duration::from_secs(60))
}

/// A viewer's text takes the place of what is there. Returns why that doesn't come back as it was.
fn replaced(screen: &KeptScreen) -> Option<ClipboardLoss> {
    let (_, _, mut input) = screen.open().unwrap();
    input.clipboard("from a viewer".into(), &|| true).unwrap()
}

#[test]
fn a_viewers_text_outlives_the_viewer_and_what_was_there_before_comes_back() {
    let desk = ConsentUi::start("320x200x24", &[]);
    let screen = kept_screen(&desk);
    let _customers = Keeper::own(&desk, &["UTF8_STRING"], "before");
    let (_, _, mut input) = screen.open().unwrap();
    input.clipboard("from a viewer".into(), &|| true).unwrap();
    input.clipboard("once more".into(), &|| true).unwrap();
    drop(input);
    assert_eq!(paste(&desk, "UTF8_STRING"), b"once more");
    let (_, _, mut input) = screen.open().unwrap();
    input.clipboard("from another".into(), &|| true).unwrap();
    drop(input);
    assert_eq!(screen.end(), Some("before".into()));
    assert_eq!(paste(&desk, "UTF8_STRING"), b"");
    let _served = Served::start(&desk, &"before".into());
    assert_eq!(paste(&desk, "UTF8_STRING"), b"before");
    assert_eq!(screen.end(), None);
}

#[test]
fn what_the_customer_copied_meanwhile_stays() {
    let desk = ConsentUi::start("320x200x24", &[]);
    let screen = kept_screen(&desk);
    let (_, _, mut input) = screen.open().unwrap();
    input.clipboard("from a viewer".into(), &|| true).unwrap();
    let _customers = Keeper::own(&desk, &["UTF8_STRING"], "copied meanwhile");
    assert_eq!(screen.end(), None);
    assert_eq!(paste(&desk, "UTF8_STRING"), b"copied meanwhile");
}

/// The program that serves what was there before; it ends when something else is copied.
#[test]
fn the_program_that_serves_the_old_text_ends_by_itself() {
    let desk = ConsentUi::start("320x200x24", &[]);
    let mut served = Served::start(&desk, &"before".into());
    let _customers = Keeper::own(&desk, &["UTF8_STRING"], "something else");
    assert!(served.0.wait().unwrap().success());
}

struct Served(Child);

impl Served {
    /// Returns when the clipboard has its text.
    fn start(desk: &ConsentUi, what: &SavedClipboard) -> Self {
        let owners = Owners::watch(desk);
        let mut program = desk.program(env!("CARGO_BIN_EXE_deskhand-presenter"));
        program.arg("--keep-clipboard").stdin(Stdio::piped());
        let mut program = program.spawn().unwrap();
        program.stdin.take().unwrap().write_all(&what.encode()).unwrap();
        owners.wait();
        Self(program)
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _gone = self.0.kill();
        let _gone = self.0.wait();
    }
}

#[test]
fn a_picture_that_was_there_before_comes_back() {
    let desk = ConsentUi::start("320x200x24", &[]);
    let shared = kept_screen(&desk);
    let file = png(600, 500, &[]);
    let _customers = Keeper::offering(&desk, vec![Form::new("image/png", 8, &file)]);
    let (_, _, mut input) = shared.open().unwrap();
    input.clipboard("from a viewer".into(), &|| true).unwrap();
    drop(input);
    let saved = shared.end().unwrap();
    assert!(saved.forms[0].bytes == file);
    let _served = Served::start(&desk, &saved);
    assert!(paste(&desk, "image/png") == file);
}

#[test]
fn every_form_of_what_was_there_before_comes_back() {
    let desk = ConsentUi::start("320x200x24", &[]);
    let screen = kept_screen(&desk);
    let wide: Vec<u8> = (0..70_000_u32).flat_map(u32::to_ne_bytes).collect();
    let files = "copy\nfile:///home/maria/Rechnung%20Juli.pdf";
    let forms = [
        ("text/rtf", 8, &b"{\\rtf1 {\\b total}}"[..]),
        ("text/html", 8, b"<b>total</b>"),
        ("x-special/gnome-copied-files", 8, files.as_bytes()),
        ("text/uri-list", 8, b"file:///home/maria/Rechnung%20Juli.pdf\r\n"),
        ("UTF8_STRING", 8, b"total"),
        ("image/jpeg", 8, &[0xff; 200_000]),
        ("application/x-numbers", 32, &wide),
        ("application/x-shorts", 16, &[1, 2, 3, 4]),
        ("application/x-nothing", 8, b""),
    ];
    let offered = forms.map(|(name, unit, bytes)| Form::new(name, unit, bytes)).to_vec();
    let _customers = Keeper::offering(&desk, offered);
    assert_eq!(replaced(&screen), None, "nothing is lost");
    let saved = screen.end().unwrap();
    let order: Vec<&str> = saved.forms.iter().map(|form| form.name.as_str()).collect();
    assert_eq!(order, forms.map(|(name, ..)| name), "as they were offered");
    let _served = Served::start(&desk, &saved);
    for (name, unit, bytes) in forms {
        let form = saved.forms.iter().find(|form| form.name == name).unwrap();
        assert!((form.unit, &form.bytes[..]) == (unit, bytes), "{name}");
        // xclip makes a text of other units.
        assert!(unit != 8 || paste(&desk, name) == bytes, "{name}");
    }
    // Once more, from the program that serves it, in pieces as well.
    let again = kept_screen(&desk);
    assert_eq!(replaced(&again), None);
    assert!(again.end() == Some(saved));
}

/// To ask for one of these forms would delete the customer's selection, or paste into it.
#[test]
fn nothing_is_asked_that_makes_the_owner_do_something() {
    let desk = ConsentUi::start("320x200x24", &[]);
    let screen = kept_screen(&desk);
    let names =
        ["TARGETS", "DELETE", "INSERT_SELECTION", "INSERT_PROPERTY", "SAVE_TARGETS", "text/html"];
    let customers = Keeper::offering(&desk, names.map(|name| Form::new(name, 8, b"x")).to_vec());
    assert_eq!(replaced(&screen), None);
    assert_eq!(customers.asked(), ["TARGETS", "text/html"]);
}

#[test]
fn what_is_too_large_is_said_and_what_is_not_comes_back() {
    let large = || Form::new("application/x-film", 8, &vec![b'x'; TOO_LARGE]);
    let html = || Form::new("text/html", 8, b"<b>total</b>");
    let cases = [
        (vec![large()], Some(ClipboardLoss::TooLarge), None),
        (vec![large(), html()], Some(ClipboardLoss::Part), Some("text/html")),
        // Another picture of the same is there.
        (
            vec![
                Form::new("image/bmp", 8, &vec![b'x'; TOO_LARGE]),
                Form::new("image/png", 8, b"png"),
            ],
            None,
            Some("image/png"),
        ),
    ];
    for (forms, loss, comes_back) in cases {
        let desk = ConsentUi::start("320x200x24", &["-maxbigreqsize", "127"]);
        let screen = kept_screen(&desk);
        let _customers = Keeper::offering(&desk, forms);
        assert_eq!(replaced(&screen), loss);
        let saved = screen.end();
        let names = saved.iter().flat_map(|saved| &saved.forms).map(|form| form.name.as_str());
        assert_eq!(names.collect::<Vec<_>>(), Vec::from_iter(comes_back));
    }
}

/// What is pasted most is kept also if it is offered late.
#[test]
fn the_text_is_kept_of_too_many_forms_and_the_loss_of_others_is_said() {
    let desk = ConsentUi::start("320x200x24", &[]);
    let screen = kept_screen(&desk);
    let names: Vec<String> = (1..=70)
        .map(|at| if at == 66 { "UTF8_STRING".to_owned() } else { format!("application/x-{at}") })
        .collect();
    let forms = names.iter().map(|name| Form::new(name, 8, b"total")).collect();
    let _customers = Keeper::offering(&desk, forms);
    assert_eq!(replaced(&screen), Some(ClipboardLoss::Part));
    let saved = screen.end().unwrap();
    let kept: Vec<&String> = saved.forms.iter().map(|form| &form.name).collect();
    let expected: Vec<&String> = names[..63].iter().chain([&names[65]]).collect();
    assert_eq!(kept, expected);
}

#[test]
fn what_is_marked_as_secret_is_never_read_and_its_loss_is_said() {
    let desk = ConsentUi::start("320x200x24", &[]);
    let screen = kept_screen(&desk);
    let mark = "x-kde-passwordManagerHint";
    let manager = Keeper::own(&desk, &["UTF8_STRING", mark], "geheim");
    assert_eq!(replaced(&screen), Some(ClipboardLoss::Secret));
    assert_eq!(manager.asked(), ["TARGETS"]);
    assert_eq!(screen.end(), None);
}

#[test]
fn an_owner_that_never_answers_holds_nothing_up_and_its_loss_is_said() {
    let desk = ConsentUi::start("320x200x24", &[]);
    let screen = KeptScreen::new(Some(desk.display.clone())).told_within(Duration::ZERO);
    let _customers = Keeper::silent(&desk);
    assert_eq!(replaced(&screen), Some(ClipboardLoss::Unread));
    assert_eq!(paste(&desk, "UTF8_STRING"), b"from a viewer");
    assert_eq!(screen.end(), None);
}

/// Control is paused while the owner is asked for a form that it never gives.
#[test]
fn what_is_there_stays_if_control_is_paused_before_it_is_read() {
    let desk = ConsentUi::start("320x200x24", &[]);
    let screen = kept_screen(&desk);
    let forms = vec![Form::new("UTF8_STRING", 8, b"before"), Form::withheld("image/png")];
    let customers = Keeper::offering(&desk, forms);
    let may_go_on = || customers.asked().iter().all(|form| form != "image/png");
    let (_, _, mut input) = screen.open().unwrap();
    assert_eq!(input.clipboard("from a viewer".into(), &may_go_on).unwrap(), None);
    assert_eq!(customers.asked(), ["TARGETS", "UTF8_STRING", "image/png"]);
    assert_eq!(paste(&desk, "UTF8_STRING"), b"before");
    assert_eq!(screen.end(), None);
}

#[test]
fn where_nothing_was_there_nothing_is_lost() {
    let desk = ConsentUi::start("320x200x24", &[]);
    let screen = kept_screen(&desk);
    assert_eq!(replaced(&screen), None);
    // A viewer's own text is no loss either.
    assert_eq!(replaced(&screen), None);
    // A history of clipboards has taken the viewer's text over.
    let _history = Keeper::own(&desk, &["UTF8_STRING"], "from a viewer");
    assert_eq!(replaced(&screen), None);
    assert_eq!(screen.end(), None);
}

/// Of an older version, or of another program: it serves nothing, and ends.
#[test]
fn what_is_no_saved_clipboard_is_not_served() {
    let desk = ConsentUi::start("320x200x24", &[]);
    let mut program = desk.program(env!("CARGO_BIN_EXE_deskhand-presenter"));
    let mut program = program.arg("--keep-clipboard").stdin(Stdio::piped()).spawn().unwrap();
    let form = ClipboardForm {
        name: "text/html".to_owned(),
        kind: "text/html".to_owned(),
        unit: 8,
        bytes: vec![1; 100],
    };
    let whole = SavedClipboard { forms: vec![form] }.encode();
    program.stdin.take().unwrap().write_all(&whole[..whole.len() - 1]).unwrap();
    assert!(program.wait().unwrap().success());
}
