//! The way of hooks to the listener: over a proxy that breaks and is mended, from senders that don't wait, and to a
//! console that was stopped.

use std::time::Duration;

use serde_json::{Value, json};
use wire::HookType;

use crate::{
    namespaces::inside,
    process::{Console, armed, pin_of},
    senders::{Leaving, fire_and_forget, send},
    stand_in::Hosted,
};

/// How long the console is stopped.
const AWAY: Duration = Duration::from_secs(65);

/// How often each of four sessions hears that its customer came.
const TIMES: usize = 50;

#[test]
fn two_hundred_senders_that_hang_up_at_once_are_all_counted_however_they_do_it() {
    inside(async |mut hosted: Hosted| {
        let mut console = hosted.console(&[]).await;
        let mut urls = Vec::new();
        for customer in ["Maria", "Ben", "Ines", "Tom"] {
            let (_, detail) = console.new_session(customer).await;
            let url = hosted.hook_url(&pin_of(&detail), HookType::PresenterStarted).await;
            urls.extend(std::iter::repeat_n(url, TIMES));
        }
        for leaving in [Leaving::Closes, Leaving::HalfCloses, Leaving::Resets] {
            console.forget();
            send(&hosted.authority(), &urls, leaving);
            let mut counted = 0;
            let all = |line: &Value| {
                counted += usize::from(line["event"] == "presenter_online");
                counted == urls.len()
            };
            console.until(&format!("two hundred customers, {leaving:?}"), all).await;
        }
        console.quit().await;
    });
}

#[test]
fn nothing_is_green_or_known_that_a_broken_way_would_have_to_tell() {
    inside(async |mut hosted: Hosted| {
        let mut console = hosted.console(&["--heartbeat-s", "5"]).await;
        let (session, detail) = console.new_session("Maria").await;
        let url = hosted.hook_url(&pin_of(&detail), HookType::PresenterStarted).await;
        let authority = hosted.authority();
        fire_and_forget(&authority, std::slice::from_ref(&url));
        let online = |d: &Value| d["presenter"]["is"] == "online" && armed(d);
        console
            .detail(&session, "ready", |d| online(d) && d["row"]["state"]["kind"] == "ready")
            .await;
        reach(&mut console, "reachable").await;
        // A call of its own that never came through would say nothing beside the hook.
        let tested = console.ask(json!({ "do": "test_reach" })).await;
        assert_eq!(tested["reach"], "reachable", "{tested}");

        // It is noticed without anybody's doing.
        hosted.break_way(502).await;
        console.forget();
        fire_and_forget(&authority, &vec![url.clone(); 3]);
        console.detail(&session, "unknown, and no lamp is green", in_the_dark).await;
        reach(&mut console, "unreachable").await;

        // A hook that arrives is proof enough.
        hosted.open_way().await;
        console.forget();
        fire_and_forget(&authority, std::slice::from_ref(&url));
        console.detail(&session, "green, and the customer is there", online).await;
        reach(&mut console, "reachable").await;

        // Nothing at all answers; somebody asks for a test.
        hosted.end_way().await;
        console.forget();
        let tested = console.ask(json!({ "do": "test_reach" })).await;
        assert_eq!(tested["reach"], "unreachable", "{tested}");
        console.detail(&session, "unknown, and no lamp is green", in_the_dark).await;
        hosted.open_way().await;
        console.forget();
        let tested = console.ask(json!({ "do": "test_reach" })).await;
        assert_eq!(tested["reach"], "reachable", "{tested}");
        let green = |d: &Value| d["presenter"]["is"] == "unknown" && armed(d);
        console.detail(&session, "green, and the customer is unknown", green).await;
        console.quit().await;
    });
}

fn in_the_dark(detail: &Value) -> bool {
    let hooks = detail["hooks"].as_array().unwrap();
    detail["row"]["state"]["kind"] == "unknown" && hooks.iter().all(|hook| hook["lamp"] != "armed")
}

async fn reach(console: &mut Console, is: &str) {
    let pushed = |line: &Value| line["push"] == "console" && line["listener"]["reach"] == is;
    console.until(is, pushed).await;
}

#[test]
fn what_waited_for_a_console_that_was_stopped_for_65_s_is_told_in_a_known_order_or_unknown() {
    inside(async |mut hosted: Hosted| {
        use HookType::{PresenterOffline, PresenterStarted};
        let mut console = hosted.console(&[]).await;
        let mut sessions = Vec::new();
        for customer in ["Maria", "Ben"] {
            let (session, detail) = console.new_session(customer).await;
            let pin = pin_of(&detail);
            let came = hosted.hook_url(&pin, PresenterStarted).await;
            let left = hosted.hook_url(&pin, PresenterOffline).await;
            fire_and_forget(&hosted.authority(), std::slice::from_ref(&came));
            let ready = |d: &Value| d["row"]["state"]["kind"] == "ready" && armed(d);
            console.detail(&session, "ready", ready).await;
            console.happening(&session, "presenter_online").await;
            sessions.push((session, came, left));
        }
        let [(scrambled, came, left), (clear, _, others_left)] = &sessions[..] else { panic!() };
        console.signal("STOP");
        for _ in 0..3 {
            fire_and_forget(&hosted.authority(), &[left.clone(), came.clone()]);
        }
        fire_and_forget(&hosted.authority(), std::slice::from_ref(others_left));
        // What is tested is time itself: the proxy gives each of them up after a minute.
        tokio::time::sleep(AWAY).await;
        console.forget();
        console.signal("CONT");
        for session in [scrambled, clear] {
            let is = |line: &Value| line["push"] == "happening" && line["session"] == **session;
            let first = console.until("what happened", is).await;
            assert_eq!(first["event"], "status_unknown", "before anything that waited is applied");
        }
        let mut told = 0;
        let all = |line: &Value| {
            let event = line["event"].as_str().unwrap_or_default();
            told += usize::from(line["session"] == **scrambled && event.starts_with("presenter_"));
            told == 6
        };
        console.until("six hooks that waited", all).await;
        let asked = console.ask(json!({ "do": "detail", "session": scrambled })).await;
        assert_eq!(asked["detail"]["presenter"]["is"], "unknown", "which was the last isn't known");
        console.happening(clear, "presenter_offline").await;
        let asked = console.ask(json!({ "do": "detail", "session": clear })).await;
        assert_eq!(
            asked["detail"]["presenter"]["is"], "offline",
            "it left, whatever else happened"
        );
        console.quit().await;
    });
}
