//! A viewer window of ours and the presenter's program, with the real broker between them.

use console::{reply::Reply, view::SharingKind};
use seal::Access;
use serde_json::{Value, json};

use crate::{
    rig::{Page, Rig, eventually},
    screen_ends::{Ends, Program, Window, base},
};

fn png() -> Vec<u8> {
    let mut bytes = Vec::new();
    let encoder = png::Encoder::new(&mut bytes, 3, 2);
    let mut writer = encoder.write_header().unwrap();
    writer.write_image_data(&[9; 6]).unwrap();
    writer.finish().unwrap();
    bytes
}

#[tokio::test(flavor = "multi_thread")]
async fn a_window_sees_and_steers_a_screen_through_a_broker_that_can_read_neither() {
    let mut rig = Rig::start().await;
    let Ends { pin, mut program, mut window, .. } = Ends::of(&mut rig, "Maria Lopez").await;
    assert_eq!(
        (&window.welcome["role"], &window.welcome["sealed"]),
        (&json!("control"), &json!(true))
    );
    assert!(!window.welcome.to_string().contains(&pin), "the PIN stays out of the page");
    assert_eq!(
        window.welcome["viewers"],
        json!([rig.app.settings().technician]),
        "named by the console, not by the page"
    );

    let mut screen = window.watch().await;
    let (mut stream, mut sealed) = program.stream(Access::Control).await;
    assert_eq!(screen.next_of("joined").await["role"], "control");
    let words = window.live.next_of("words").await;
    assert_eq!(words["words"], sealed.words.to_string());

    // More than one sealed message holds, either way.
    let picture: Vec<u8> = (0..200_000u32).map(|n| n.to_le_bytes()[0]).collect();
    for piece in sealed.sealer.seal_all(&picture).unwrap() {
        stream.send_bytes(piece).await;
    }
    let mut seen = Vec::new();
    while seen.len() < picture.len() {
        seen.extend(screen.bytes().await);
    }
    assert_eq!(seen, picture);
    screen.send_bytes(&picture[..100_000]).await;
    let mut got = Vec::new();
    while got.len() < 100_000 {
        let piece = stream.bytes().await;
        assert!(!picture.windows(64).any(|part| piece.starts_with(part)), "it went in the clear");
        got.extend(sealed.opener.open(&piece).unwrap());
    }
    assert_eq!(got, picture[..100_000]);
}

/// The broker may be the one in between: the picture ends without its doing.
#[tokio::test(flavor = "multi_thread")]
async fn words_that_differ_end_the_session_and_are_noted() {
    let mut rig = Rig::start().await;
    let Ends { id, mut program, mut window, .. } = Ends::of(&mut rig, "Maria Lopez").await;
    let mut screen = window.watch().await;
    let (mut stream, _) = program.stream(Access::Control).await;
    screen.next_of("joined").await;
    window.live.send(json!({ "type": "words_differ" })).await;
    window.live.is_sent_away().await;
    screen.is_sent_away().await;
    stream.is_sent_away().await;
    program.live.next_of("bye").await;
    let noted = async || {
        let Reply::Audit { entries, .. } = rig.ask(json!({ "do": "audit" })).await else {
            return None;
        };
        entries.into_iter().find(|entry| entry.action == "words_differ")
    };
    let entry = eventually("the entry in the audit log", noted).await;
    assert_eq!(
        (entry.by, entry.session),
        (rig.app.settings().technician.clone(), Some(id.clone()))
    );
    assert_eq!(window.get("").await.status(), reqwest::StatusCode::NOT_FOUND);
    let noted = async || {
        let Reply::Detail { detail } = rig.ask(json!({ "do": "detail", "session": id })).await
        else {
            return None;
        };
        (detail.note == "The words to compare were not the same.").then_some(())
    };
    eventually("the note that says why it was closed", noted).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_window_to_watch_has_the_role_whatever_its_page_says() {
    let mut rig = Rig::start().await;
    let id = rig.session("Maria Lopez").await;
    let pin = rig.seen.pin(&id).await;
    let mut program = Program::start(&rig, &pin).await;
    let window = Window::open(&rig, &id, true).await;
    assert_eq!(window.welcome["role"], "watch");
    let mut screen = window.watch().await;
    let _stream = program.stream(Access::Watch).await;
    assert_eq!(screen.next_of("joined").await["role"], "watch");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_windows_address_is_good_for_it_alone_and_ends_with_it() {
    let mut rig = Rig::start().await;
    let id = rig.session("Maria Lopez").await;
    let pin = rig.seen.pin(&id).await;
    let mut window = Window::open(&rig, &id, false).await;
    assert!(!window.url.expose().contains(&pin));
    assert!(window.url.expose().contains("/?un="), "the page knows who writes");
    let page = window.get("").await;
    let policy = page.headers()["content-security-policy"].to_str().unwrap().to_owned();
    assert!(policy.starts_with("default-src 'none'; script-src 'self';"), "{policy}");
    assert_eq!(
        (page.status().as_u16(), window.get("nothing.js").await.status().as_u16()),
        (200, 404)
    );

    let again = Window::open(&rig, &id, false).await;
    assert_eq!(again.url.expose(), window.url.expose(), "it is the same window");
    let other = Window::open(&rig, &id, true).await;
    assert_ne!(other.url.expose(), window.url.expose());
    let guessed = base(&window.url).replace("/viewer/", "/viewer/x");
    assert_eq!(reqwest::get(&guessed).await.unwrap().status().as_u16(), 404);
    assert!(Page::dial(&format!("{guessed}live")).await.is_err());

    rig.app.viewer_closed(id.parse().unwrap(), false);
    window.live.is_sent_away().await;
    assert_eq!(window.get("").await.status().as_u16(), 404);
    assert!(Page::dial(&format!("{}live", base(&window.url))).await.is_err());
    assert_eq!(other.get("").await.status().as_u16(), 200, "the other window goes on");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_foreign_page_can_open_neither_line() {
    use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
    let mut rig = Rig::start().await;
    let id = rig.session("Maria Lopez").await;
    let window = Window::open(&rig, &id, false).await;
    for line in ["live", "screen"] {
        let url = format!("{}{line}", base(&window.url)).replacen("http", "ws", 1);
        let mut request = url.into_client_request().unwrap();
        request.headers_mut().insert("origin", "https://evil.example".parse().unwrap());
        assert!(tokio_tungstenite::connect_async(request).await.is_err(), "{line}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_picture_is_kept_in_the_session_and_its_log() {
    let mut rig = Rig::start().await;
    let id = rig.session("Maria Lopez").await;
    let window = Window::open(&rig, &id, false).await;
    for (wrong, why) in [(b"GIF89a".to_vec(), "no picture"), (png()[..40].to_vec(), "half of one")]
    {
        assert_eq!(window.post_picture(wrong).await.unwrap().as_u16(), 409, "{why}");
    }
    // Refused before it is read, so the connection may end before the answer is heard.
    if let Ok(status) = window.post_picture(vec![0; (32 << 20) + 1]).await {
        assert_eq!(status.as_u16(), 413);
    }
    assert_eq!(window.post_picture(png()).await.unwrap().as_u16(), 204);
    let kept = rig.seen.detail(&id, "the picture", |detail| detail.pictures.first().cloned()).await;
    let technician = rig.app.settings().technician;
    assert_eq!((kept.by, kept.bytes), (technician, png().len() as u64));
    rig.seen.event("picture_saved").await;
    let asked = rig.ask(json!({ "do": "picture", "session": id, "picture": kept.id })).await;
    let Reply::Picture { file_name, png: text } = asked else { panic!("no picture") };
    let bytes = base64::Engine::decode(&base64::prelude::BASE64_STANDARD, text).unwrap();
    assert_eq!(bytes, png());
    assert!(file_name.ends_with("-Maria-Lopez-picture-1.png"), "{file_name}");
    rig.refused(json!({ "do": "picture", "session": id, "picture": kept.id + 1 })).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_session_says_who_watches_and_how_well() {
    let mut rig = Rig::start().await;
    let id = rig.session("Maria Lopez").await;
    let pin = rig.seen.pin(&id).await;
    let none = |detail: &console::view::SessionDetail| {
        detail.screen.clone().filter(|screen| screen.current)
    };
    assert_eq!(rig.seen.detail(&id, "the channel's word", none).await.sharing, SharingKind::None);

    let mut program = Program::start(&rig, &pin).await;
    let mut window = Window::open(&rig, &id, false).await;
    let _screen = window.watch().await;
    let _stream = program.stream(Access::Control).await;
    window.live.send(json!({ "type": "quality", "latency_ms": 12, "fps": 24 })).await;
    program.live.send(json!({ "type": "sharing", "state": "paused" })).await;
    let shown = rig
        .seen
        .detail(&id, "the viewer and its quality", |detail| {
            let screen = detail.screen.clone()?;
            let paused = screen.sharing == SharingKind::Paused;
            (paused && screen.watchers.first()?.fps.is_some()).then_some(screen)
        })
        .await;
    assert_eq!(shown.platform.as_deref(), Some("linux-x86_64"));
    let one = &shown.watchers[0];
    assert_eq!(one.name, rig.app.settings().technician);
    assert_eq!((one.controls, one.watching, one.sealed), (true, true, true));
    assert_eq!((one.latency_ms, one.fps), (Some(12), Some(24)));
    assert!(shown.current && one.since.is_some());
    assert_eq!(shown.presenter.map(|one| one.since.is_some()), Some(true));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_there_is_told_and_not_asked_for() {
    let mut rig = Rig::start().await;
    let id = rig.session("Maria Lopez").await;
    let pin = rig.seen.pin(&id).await;
    let told = |detail: &console::view::SessionDetail| {
        detail.screen.as_ref().is_some_and(|screen| screen.current).then_some(())
    };
    rig.seen.detail(&id, "the channel's word", told).await;
    let _customer = rig.page(&pin, "presenter", "Maria").await;
    let viewer = rig.page(&pin, "viewers", "Ben").await;
    let watchers = |count: usize| {
        move |detail: &console::view::SessionDetail| {
            let screen = detail.screen.clone()?;
            (screen.watchers.len() == count && screen.presenter.is_some()).then_some(screen)
        }
    };
    let shown = rig.seen.detail(&id, "one viewer", watchers(1)).await;
    let customer = shown.presenter.unwrap();
    assert_eq!((customer.name.as_str(), shown.watchers[0].name.as_str()), ("Maria", "Ben"));
    assert!(customer.since.is_some() && shown.watchers[0].since.is_some());
    viewer.close().await;
    rig.seen.detail(&id, "no viewer", watchers(0)).await;
    // Nobody has a picture, so there is nothing to measure either.
    let counts = rig.app.broker().unwrap().handle().faults().counts();
    let asked = counts.iter().filter(|(route, _)| route.contains("roster")).count();
    assert_eq!(asked, 0, "{counts:?}");
    rig.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_customer_is_told_who_asks() {
    let mut rig = Rig::start().await;
    let company = json!({ "company": "Lopez & Sons" });
    rig.ask(json!({ "do": "configure", "changes": company })).await;
    let id = rig.session("Maria Lopez").await;
    let pin = rig.seen.pin(&id).await;
    let broker = rig.app.broker().unwrap().base_url().to_owned();
    let asked = async || -> Value {
        let url = format!("{broker}/x/asker?session_pin={pin}");
        reqwest::get(url).await.unwrap().json().await.unwrap()
    };
    let technician = rig.app.settings().technician;
    crate::rig::eventually("the technician's name", async || {
        let told = asked().await;
        (told["technician"] == technician && told["company"] == "Lopez & Sons").then_some(())
    })
    .await;
    let changes = json!({ "technician": "Ben Okafor" });
    rig.ask(json!({ "do": "configure", "changes": changes })).await;
    crate::rig::eventually("the other name", async || {
        (asked().await["technician"] == "Ben Okafor").then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_colleagues_link_is_held_to_its_role_and_has_no_pin() {
    let mut rig = Rig::start().await;
    let id = rig.session("Maria Lopez").await;
    let pin = rig.seen.pin(&id).await;
    for (read_only, role) in [(true, "watch"), (false, "control")] {
        let command = json!({ "do": "viewer_link", "session": id, "read_only": read_only });
        let Reply::Link { url, by_role } = rig.ask(command).await else { panic!("no link") };
        assert_eq!(by_role, Some(true));
        assert!(!url.contains(&pin), "{url}");
        let ticket = url.split("#ticket=").nth(1).unwrap().split('&').next().unwrap().to_owned();
        let origin = rig.app.broker().unwrap().origin().to_owned();
        let mut page = Page::dial(&format!("{origin}/live")).await.unwrap();
        page.send(json!({
            "type": "hello", "ticket": ticket, "side": "viewers", "ro": false, "name": "Ben",
            "page": uuid::Uuid::new_v4(),
        }))
        .await;
        assert_eq!(page.next_of("welcome").await["role"], role);
    }
}

/// Whatever stands in the place of the customer's program, and whatever the broker says of it.
#[tokio::test(flavor = "multi_thread")]
async fn a_stream_that_nobody_seals_shows_nothing() {
    let mut rig = Rig::start().await;
    let Ends { mut program, window, .. } = Ends::of(&mut rig, "Maria Lopez").await;
    for answer in [&b"RFB 003.008\n"[..], b"a picture in the clear", &[0; 64], &[]] {
        let screen = window.watch().await;
        let told = program.live.next_of("viewer").await;
        let mut stream = Page::dial(&format!("{}/screen", program.origin)).await.unwrap();
        stream.send(json!({ "type": "present", "stream": told["stream"] })).await;
        stream.next_of("joined").await;
        stream.bytes().await;
        stream.send_bytes(answer).await;
        let (said, bytes) = screen.rest().await;
        assert_eq!(bytes, 0, "{said:?}");
        let [refused] = &said[..] else { panic!("{said:?}") };
        assert_eq!(refused["type"], "refused", "{refused}");
    }
}
