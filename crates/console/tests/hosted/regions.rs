//! Regions that answer at once, and can't be used.

use serde_json::{Value, json};

use crate::{
    namespaces::inside,
    stand_in::{Front, Hosted},
};

/// The one that would be chosen.
const NEAREST: &str = "us-east-1";

#[test]
fn a_region_that_fails_or_leads_elsewhere_at_once_does_not_win() {
    inside(async |mut hosted: Hosted| {
        let mut console = hosted.console(&[]).await;
        for answer in ["503", "522", "302 https://login.example/"] {
            let regions = &format!("if ($region = {NEAREST}) {{ return {answer}; }}");
            hosted.serve(Front { regions, ..Front::default() }).await;
            console.forget();
            assert_eq!(console.ask(json!({ "do": "probe_regions" })).await["reply"], "done");
            let over = |line: &Value| line["push"] == "regions" && line["took_ms"].is_number();
            let race = console.until("the race's end", over).await;
            let lanes = race["lanes"].as_array().unwrap();
            let nearest = lanes.iter().find(|lane| lane["region"] == NEAREST).unwrap();
            assert!(nearest["failure"].is_string() && race["chosen"].is_string(), "{race}");
            assert_ne!(race["chosen"], NEAREST, "{answer}");
        }
        console.quit().await;
    });
}

#[test]
fn where_the_fastest_region_gives_no_pin_the_next_one_is_tried_and_named() {
    inside(async |mut hosted: Hosted| {
        let regions = &format!("if ($region = {NEAREST}) {{ return 404; }}");
        let locations = &format!(
            "location = /api/v1/session_pin {{ if ($arg_region = {NEAREST}) {{ return 503; }} PASS_ON }}"
        );
        hosted.serve(Front { regions, locations, ..Front::default() }).await;
        let mut console = hosted.console(&[]).await;
        let (session, detail) = console.new_session("Maria").await;
        let told = console.happening(&session, "region_failed").await;
        let runner_up = detail["region"].as_str().unwrap();
        assert_ne!(runner_up, NEAREST);
        for named in [NEAREST, runner_up, "503"] {
            assert!(told["text"].as_str().unwrap().contains(named), "{told}");
        }
        console.quit().await;
    });
}
