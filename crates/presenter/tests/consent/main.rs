//! The question and the banner on real X servers, with and without a window manager, by a person's hands.

#![allow(clippy::unwrap_used)]

mod screen;

use std::sync::mpsc::{self, Receiver, Sender};
use std::thread::JoinHandle;
use std::time::Duration;

use presenter::consent::{
    Banner, Choice, ClipboardState, ConsentUi, Cover, Question, Timing, Viewer, X11ConsentUi,
};
use presenter::screen::ScreenError;
use screen::{Person, SHARE, STOP, Screen};
use wire::shared_screen::{Requester, Role};

const TAB: u32 = 0xff09;
const ENTER: u32 = 0xff0d;
const ESCAPE: u32 = 0xff1b;
/// From a button's edge into the one beside it.
const BESIDE: i32 = 30;
/// From the left edge of Stop into the last button of a line below it, and into the one before that.
const LAST: i32 = -10;
const BEFORE_LAST: i32 = -80;
/// From the banner's bottom into the buttons of its last line.
const LAST_LINE: i32 = 25;

fn desk(screen: &Screen, guard: Duration) -> X11ConsentUi {
    desk_with(screen, guard, Cover::default())
}

fn desk_with(screen: &Screen, guard: Duration, cover: Cover) -> X11ConsentUi {
    let timing = Timing { guard, notice: Duration::from_millis(50), cover };
    X11ConsentUi::open(Some(&screen.name)).unwrap().with_timing(timing)
}

fn ask(screen: &Screen, guard: Duration) -> JoinHandle<Result<Choice, ScreenError>> {
    let mut desk = desk(screen, guard);
    let requester = Requester { technician: "Anna Kim".into(), company: "Example Support".into() };
    let question = Question {
        requester,
        pin: "12345678".into(),
        host: "support.example.com".into(),
        clipboard: true,
        open_to_readers: false,
    };
    std::thread::spawn(move || desk.ask(&question))
}

/// A banner on a screen.
struct Sharing {
    banner: Sender<Banner>,
    chosen: Receiver<Choice>,
    ended: JoinHandle<Result<(), ScreenError>>,
}

fn share(screen: &Screen) -> Sharing {
    share_at(desk(screen, Duration::ZERO))
}

fn share_at(mut desk: X11ConsentUi) -> Sharing {
    let (banner, banners) = mpsc::channel();
    let (choose, chosen) = mpsc::channel();
    let ended =
        std::thread::spawn(move || desk.share(banners, &mut |choice| choose.send(choice).unwrap()));
    Sharing { banner, chosen, ended }
}

fn viewers(viewers: &[(&str, Role)]) -> Banner {
    let viewer = |&(name, role): &(&str, Role)| Viewer { name: name.into(), role, words: None };
    Banner { viewers: viewers.iter().map(viewer).collect(), ..Banner::default() }
}

#[test]
fn a_click_on_a_button_is_the_choice() {
    let screen = Screen::new("1280x800");
    let person = Person::at(&screen);
    for (button, choice) in [(0, Choice::Share), (1, Choice::Decline)] {
        let asked = ask(&screen, Duration::ZERO);
        let window = person.window();
        let buttons = person.buttons(window, SHARE, BESIDE);
        // Pressed on one and let go on the other: nothing.
        person.drag(buttons[0], buttons[1]);
        person.click(buttons[button]);
        assert_eq!(asked.join().unwrap(), Ok(choice));
        person.wait_for_windows(0);
    }
}

#[test]
fn what_comes_at_once_does_not_share() {
    let screen = Screen::new("1280x800");
    let person = Person::at(&screen);
    let asked = ask(&screen, Duration::from_secs(3600));
    let window = person.window();
    person.wait_for_keyboard(window);
    [ENTER, TAB, ENTER, 0x20].into_iter().for_each(|key| person.key(key));
    person.click(person.buttons(window, SHARE, BESIDE)[0]);
    person.key(ESCAPE);
    assert_eq!(asked.join().unwrap(), Ok(Choice::Decline));
}

#[test]
fn enter_means_the_button_that_tab_came_to() {
    let screen = Screen::new("800x600");
    let person = Person::at(&screen);
    for (tabs, choice) in [(1, Choice::Share), (2, Choice::Decline)] {
        let asked = ask(&screen, Duration::ZERO);
        person.wait_for_keyboard(person.window());
        // Without Tab it means nothing.
        person.key(ENTER);
        (0..tabs).for_each(|_| person.key(TAB));
        person.key(ENTER);
        assert_eq!(asked.join().unwrap(), Ok(choice));
        person.wait_for_windows(0);
    }
}

/// The clipboard's switch is the third in the order of Tab, and pressed twice it is off again.
#[test]
fn what_is_copied_is_shared_only_by_its_switch() {
    let screen = Screen::new("800x600");
    let person = Person::at(&screen);
    let twice = [TAB, TAB, TAB, 0x20, 0x20, TAB, ENTER];
    for (keys, choice) in [
        (&[TAB, TAB, TAB, 0x20, TAB, ENTER][..], Choice::ShareWithClipboard),
        (&twice[..], Choice::Share),
    ] {
        let asked = ask(&screen, Duration::ZERO);
        person.wait_for_keyboard(person.window());
        keys.iter().for_each(|key| person.key(*key));
        assert_eq!(asked.join().unwrap(), Ok(choice));
        person.wait_for_windows(0);
    }
}

/// A place in a button of the banner's last line, so far beside Stop's left edge.
fn in_last_line(person: &Person, window: u32, beside: i32) -> [i32; 2] {
    let [x, _] = person.buttons(window, STOP, beside)[1];
    let [_, y, _, h] = person.place(window);
    [x, y + h - LAST_LINE]
}

/// The banner shows a button for the clipboard only where there is something to choose.
#[test]
fn the_banner_asks_about_the_clipboard() {
    let screen = Screen::new("1280x800");
    let person = Person::at(&screen);
    let sharing = share(&screen);
    let window = person.window();
    let plain = person.place(window)[3];
    let asked = ClipboardState::Asked { by: "Anna".into(), question: 7 };
    for (state, choice) in
        [(asked, Choice::SendClipboard(7)), (ClipboardState::Shared, Choice::KeepClipboard)]
    {
        sharing.banner.send(Banner { clipboard: state, ..viewers(&[]) }).unwrap();
        person.until("its button", || person.place(window)[3] != plain);
        person.click(in_last_line(&person, window, LAST));
        assert_eq!(sharing.chosen.recv().unwrap(), choice);
        sharing.banner.send(viewers(&[])).unwrap();
        person.until("no button", || person.place(window)[3] == plain);
    }
    drop(sharing.banner);
    assert_eq!(sharing.ended.join().unwrap(), Ok(()));
}

/// The buttons that move the sharing are there only while another program is asked about.
#[test]
fn the_banner_asks_about_another_program() {
    let screen = Screen::new("1280x800");
    let person = Person::at(&screen);
    let sharing = share(&screen);
    let window = person.window();
    let plain = person.place(window)[3];
    for (beside, choice) in [(LAST, Choice::Stay(7)), (BEFORE_LAST, Choice::Move(7))] {
        sharing.banner.send(Banner { other_program: Some(7), ..viewers(&[]) }).unwrap();
        person.until("its buttons", || person.place(window)[3] != plain);
        let [x, y, w, h] = person.place(window);
        assert!(x >= 0 && y >= 0 && x + w <= 1280 && y + h <= 800, "{x} {y} {w} {h}");
        person.click(in_last_line(&person, window, beside));
        assert_eq!(sharing.chosen.recv().unwrap(), choice);
        sharing.banner.send(viewers(&[])).unwrap();
        person.until("no buttons", || person.place(window)[3] == plain);
    }
    drop(sharing.banner);
    assert_eq!(sharing.ended.join().unwrap(), Ok(()));
}

#[test]
fn closing_its_window_declines() {
    let screen = Screen::new("1280x800").managed();
    let person = Person::at(&screen);
    let asked = ask(&screen, Duration::ZERO);
    let window = person.window();
    assert_eq!(person.title(window), "Support session");
    let [x, y, w, h] = person.place(window);
    assert!((x * 2 + w - 1280).abs() < 40 && (y * 2 + h - 800).abs() < 60, "{x} {y} {w} {h}");
    person.close(window);
    assert_eq!(asked.join().unwrap(), Ok(Choice::Decline));
}

#[test]
fn is_seen_whole_on_a_small_and_dense_screen() {
    let screen = Screen::new("640x480");
    let person = Person::at(&screen);
    person.set_resources("Xft.dpi:\t288\n");
    let asked = ask(&screen, Duration::ZERO);
    let [x, y, w, h] = person.place(person.window());
    assert!(x >= 0 && y >= 0 && x + w <= 640 && y + h <= 480, "{x} {y} {w} {h}");
    person.key(ESCAPE);
    assert_eq!(asked.join().unwrap(), Ok(Choice::Decline));
}

#[test]
fn tells_until_it_was_read() {
    let screen = Screen::new("1280x800").managed();
    let person = Person::at(&screen);
    let mut desk = desk(&screen, Duration::ZERO);
    let told = std::thread::spawn(move || desk.tell("This session has ended", "Its time is up."));
    let window = person.window();
    assert_eq!(person.title(window), "This session has ended");
    assert!(!told.is_finished());
    person.close(window);
    assert_eq!(told.join().unwrap(), Ok(()));
}

#[test]
fn the_banner_says_who_watches_and_takes_what_is_chosen() {
    let screen = Screen::new("1280x800");
    let person = Person::at(&screen);
    let sharing = share(&screen);
    let window = person.window();
    person.wait_for_title(window, "Nobody is watching right now");
    let both = viewers(&[("Anna Kim", Role::Control), ("Ben\u{202e}\u{2067}jamin", Role::Watch)]);
    sharing.banner.send(both.clone()).unwrap();
    person.wait_for_title(window, "Anna Kim controls this computer · Benjamin watches");
    let [x, y, w, _] = person.place(window);
    assert!(y == 0 && (x * 2 + w - 1280).abs() <= 2, "{x} {y} {w}");

    let [stop, pause] = person.buttons(window, STOP, -BESIDE);
    person.click(pause);
    assert_eq!(sharing.chosen.recv().unwrap(), Choice::Pause);
    sharing.banner.send(Banner { paused: true, ..both.clone() }).unwrap();
    person.wait_for_title(window, "Control is paused · Anna Kim and Benjamin watch");
    person.click(person.buttons(window, STOP, -BESIDE)[1]);
    assert_eq!(sharing.chosen.recv().unwrap(), Choice::Resume);
    sharing.banner.send(both).unwrap();
    person.wait_for_title(window, "Anna Kim controls this computer · Benjamin watches");
    person.click(stop);
    assert_eq!(sharing.chosen.recv().unwrap(), Choice::Stop);
    drop(sharing.banner);
    assert_eq!(sharing.ended.join().unwrap(), Ok(()));
}

#[test]
fn a_notice_goes_by_itself() {
    let screen = Screen::new("1280x800");
    let person = Person::at(&screen);
    let sharing = share(&screen);
    let window = person.window();
    let plain = person.place(window)[3];
    let notice = Some("Anna Kim saved a picture of your screen".to_owned());
    sharing.banner.send(Banner { notice, ..viewers(&[]) }).unwrap();
    person.wait_for_height("notice", window, |height| height > plain);
    person.wait_for_height("end of it", window, |height| height == plain);
    drop(sharing.banner);
    assert_eq!(sharing.ended.join().unwrap(), Ok(()));
}

#[test]
fn a_covered_banner_comes_to_the_front_again() {
    for screen in [Screen::new("1280x800"), Screen::new("1280x800").managed()] {
        let person = Person::at(&screen);
        let sharing = share(&screen);
        let window = person.window();
        sharing.banner.send(viewers(&[("Anna Kim", Role::Control)])).unwrap();
        person.wait_for_title(window, "Anna Kim controls this computer");
        let cover = person.cover([0, 0, 1280, 800]);
        person.wait_for_order(window, cover);
        for _ in 0..3 {
            person.raise(cover);
            person.wait_for_order(window, cover);
        }
        assert!(person.find(window, STOP).is_some());
        drop(sharing.banner);
        assert_eq!(sharing.ended.join().unwrap(), Ok(()));
    }
}

#[test]
fn a_window_that_keeps_covering_the_banner_pauses_control_and_then_ends_the_sharing() {
    let never = Duration::from_secs(3600);
    let pauses = Cover { pauses: Duration::from_millis(200), ends: never };
    // One after the other: a computer that is slow enough looks only when it is time for both.
    let ends = Cover { pauses: never, ends: Duration::from_secs(1) };
    for (most, choice) in [(pauses, Choice::Pause), (ends, Choice::Covered)] {
        let screen = Screen::new("1280x800");
        let person = Person::at(&screen);
        let sharing = share_at(desk_with(&screen, Duration::ZERO, most));
        person.window();
        let cover = person.cover([0, 0, 1280, 800]);
        let chosen = loop {
            person.raise(cover);
            if let Ok(choice) = sharing.chosen.recv_timeout(Duration::from_millis(5)) {
                break choice;
            }
        };
        assert_eq!(chosen, choice);
        drop(sharing.banner);
        assert_eq!(sharing.ended.join().unwrap(), Ok(()));
    }
}

#[test]
fn the_banner_can_be_moved_but_not_away() {
    let screen = Screen::new("1280x800");
    let person = Person::at(&screen);
    let sharing = share(&screen);
    let window = person.window();
    let [x, y, w, h] = person.place(window);
    person.drag([x + 8, y + h / 2], [0, 5000]);
    let corner = [0, 800 - h, w, h];
    person.until("move", || person.place(window) == corner);
    // Whoever moves or hides it otherwise finds it where it was.
    let aux = x11rb::protocol::xproto::ConfigureWindowAux::new().x(5000);
    person.configure(window, &aux);
    person.until("way back", || person.place(window) == corner);
    person.hide(window);
    assert_eq!(person.window(), window);
    drop(sharing.banner);
    assert_eq!(sharing.ended.join().unwrap(), Ok(()));
}

#[test]
fn without_a_screen_nothing_is_asked_or_shared() {
    let mut screen = Screen::new("640x480");
    let (asked, sharing) = (ask(&screen, Duration::ZERO), share(&screen));
    // One that isn't open yet would find no display.
    Person::at(&screen).wait_for_windows(2);
    screen.end();
    assert_eq!(asked.join().unwrap(), Err(ScreenError::Gone));
    assert_eq!(sharing.ended.join().unwrap(), Err(ScreenError::Gone));
    // The number of the one that has ended may be another test's by now.
    assert_eq!(X11ConsentUi::open(Some(":4711")).err(), Some(ScreenError::NoDisplay));
}

#[test]
fn somebody_who_destroys_the_banner_ends_the_sharing() {
    let screen = Screen::new("640x480");
    let person = Person::at(&screen);
    let sharing = share(&screen);
    person.destroy(person.window());
    assert_eq!(sharing.ended.join().unwrap(), Err(ScreenError::Gone));
}
