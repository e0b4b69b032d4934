//! Every button and text of the banner is on the monitor, whatever is asked.

use wire::shared_screen::Role;

use super::*;
use crate::consent::screen_rect::{BANNER_SHARE, ScreenRect, fitted};
use crate::consent::theme::Theme;
use crate::consent::typesetting::Typesetter;
use crate::consent::{Newcomer, Viewer};

const SHORT: &str = "Anna Kim";
const NAMES: [&str; 4] = [
    SHORT,
    "Bundesanstalt für Materialforschung und -prüfung, Empfang",
    "مريم الخالدي من قسم الدعم الفني في المكتب الرئيسي",
    "WWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWW",
];

/// A banner with all questions at once.
fn all(name: &str, clipboard: ClipboardState) -> Banner {
    let viewer = |role, words: Option<&str>| Viewer {
        name: name.to_owned(),
        role,
        words: words.map(str::to_owned),
    };
    Banner {
        viewers: vec![
            viewer(Role::Control, Some("maple otter thunder")),
            viewer(Role::Watch, Some("lemon river stone")),
            viewer(Role::Watch, None),
        ],
        newcomer: Some(Newcomer {
            id: 3,
            name: name.to_owned(),
            role: Role::Control,
            sealed: false,
            invited: false,
        }),
        other_program: Some(7),
        open_to_readers: true,
        clipboard,
        ..Banner::default()
    }
}

/// Every name and state of a banner with all questions at once.
fn banners() -> Vec<Banner> {
    let mut banners = vec![Banner::default()];
    for name in NAMES {
        let asked = ClipboardState::Asked { by: name.to_owned(), question: 9 };
        for clipboard in [asked, ClipboardState::Shared] {
            for (paused, reconnecting) in [(false, false), (true, false), (false, true)] {
                banners.push(Banner { paused, reconnecting, ..all(name, clipboard.clone()) });
            }
        }
    }
    banners
}

/// What is wrong with a scene on a monitor, if anything.
fn wrong(scene: &Scene, monitor: ScreenRect) -> Option<String> {
    let texts = scene.texts.iter().map(|(x, y, text)| {
        let area = Area { x: *x, y: *y, w: text.width, h: text.height };
        (text.lines().join("|"), area)
    });
    let buttons = scene.buttons.iter().map(|it| (it.label.lines().join("|"), it.area));
    let parts: Vec<_> = texts.chain(buttons).collect();
    if scene.width > monitor.w as f32 || scene.height > monitor.h as f32 {
        return Some(format!("{} by {} pixels", scene.width, scene.height));
    }
    for (i, (what, area)) in parts.iter().enumerate() {
        let (right, bottom) = (area.x + area.w, area.y + area.h);
        if area.x < 0.0 || area.y < 0.0 || right > scene.width || bottom > scene.height {
            return Some(format!("{what} is outside"));
        }
        // Lines whose fonts differ may touch.
        let own = area.grown(-1.5);
        let meets = |it: &Area| {
            own.x < it.x + it.w
                && it.x < own.x + own.w
                && own.y < it.y + it.h
                && it.y < own.y + own.h
        };
        if let Some((other, _)) = parts[i + 1..].iter().find(|(_, it)| meets(&it.grown(-1.5))) {
            return Some(format!("{what} covers {other}"));
        }
    }
    let mut lines = scene.texts.iter().flat_map(|(_, _, text)| text.lines());
    let odd = lines.find(|line| line.starts_with([' ', '·']));
    let cut = scene.texts.iter().find(|(_, _, text)| text.cut);
    odd.or_else(|| cut.map(|(_, _, text)| text.lines().join("|")))
}

#[test]
fn whatever_is_asked_every_button_and_text_is_on_the_monitor_and_none_covers_another() {
    let mut fonts = Typesetter::new().unwrap();
    for (w, h) in [(640, 480), (800, 600), (1280, 800), (1920, 1080)] {
        let monitor = ScreenRect { x: 0, y: 0, w, h };
        for scale in [1.0, 2.0] {
            let scale = fitted(scale, monitor);
            for banner in banners() {
                let mut builder = SceneBuilder { fonts: &mut fonts, theme: Theme::dark(), scale };
                let notice = Some("Anna Kim saved a picture of your screen");
                let scene = builder.banner(&banner, notice, w as f32 * BANNER_SHARE);
                assert_eq!(wrong(&scene, monitor), None, "{w}x{h}, {scale}: {banner:?}");
                let first: Vec<_> = scene.buttons.iter().map(|it| it.choice).take(2).collect();
                let toggle = if banner.paused { Choice::Resume } else { Choice::Pause };
                assert_eq!(first, [toggle, Choice::Stop]);
            }
        }
    }
}

#[test]
fn a_long_name_is_shortened_and_not_what_its_bearer_does() {
    let mut fonts = Typesetter::new().unwrap();
    for name in NAMES {
        let banner = Banner { other_program: None, ..all(name, ClipboardState::Kept) };
        let mut builder = SceneBuilder { fonts: &mut fonts, theme: Theme::dark(), scale: 1.0 };
        // As little room as on the narrowest monitor.
        let scene = builder.banner(&banner, None, 557.0);
        let said: Vec<_> = scene.texts.iter().flat_map(|(_, _, text)| text.lines()).collect();
        let said = said.join(" ").split_whitespace().collect::<Vec<_>>().join(" ");
        for verb in ["controls this computer", "watch", "Let them in only if you expect them."] {
            assert!(said.contains(verb), "{verb} in {said}");
        }
    }
}

#[test]
fn each_question_has_its_buttons_in_a_line_of_its_own() {
    let mut fonts = Typesetter::new().unwrap();
    let mut builder = SceneBuilder { fonts: &mut fonts, theme: Theme::dark(), scale: 1.0 };
    let scene = builder.banner(&all(SHORT, ClipboardState::Shared), None, 1200.0);
    let choices: Vec<_> = scene.buttons.iter().map(|it| it.choice).collect();
    let expected = [
        Choice::Pause,
        Choice::Stop,
        Choice::LetIn(3),
        Choice::Refuse(3),
        Choice::Move(7),
        Choice::Stay(7),
        Choice::KeepClipboard,
    ];
    assert_eq!(choices, expected);
    let tops: Vec<_> = scene.buttons.iter().map(|it| it.area.y).collect();
    assert!(tops[0] == tops[1] && tops[1] < tops[2] && tops[2] == tops[3], "{tops:?}");
    assert!(tops[3] < tops[4] && tops[4] == tops[5] && tops[5] < tops[6], "{tops:?}");
}
