//! Regions that answer at once, and can't be used.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use axum::{Router, extract::Query, http::StatusCode, response::IntoResponse as _, routing::get};
use serde_json::{Value, json};
use tokio::{net::TcpListener, sync::mpsc};

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
        let (pins, mut asked) = all_but_the_first().await;
        let locations = &format!(
            "location = /api/v1/session_pin {{ proxy_pass {pins}; }}
             location /given/ {{ internal; rewrite ^/given(.*)$ $1 break; PASS_ON }}"
        );
        hosted.serve(Front { locations, ..Front::default() }).await;
        let mut console = hosted.console(&[]).await;
        let (session, detail) = console.new_session("Maria").await;
        let told = console.happening(&session, "region_failed").await;
        let (fastest, runner_up) = (asked.recv().await.unwrap(), asked.recv().await.unwrap());
        assert_ne!(runner_up, fastest);
        assert_eq!(detail["region"], runner_up);
        for named in [&*fastest, &*runner_up, "503"] {
            assert!(told["text"].as_str().unwrap().contains(named), "{told}");
        }
        console.quit().await;
    });
}

/// A server that has nginx give the asking for a PIN on to the broker, but not the first, whichever region is the fastest
/// on this machine: its address, and the regions that are asked for.
async fn all_but_the_first() -> (String, mpsc::UnboundedReceiver<String>) {
    let (tell, asked) = mpsc::unbounded_channel();
    let is_first = Arc::new(AtomicBool::new(true));
    let give = async move |Query(query): Query<HashMap<String, String>>| {
        let region = query["region"].clone();
        tell.send(region.clone()).unwrap();
        if is_first.swap(false, Ordering::SeqCst) {
            return StatusCode::SERVICE_UNAVAILABLE.into_response();
        }
        let to = format!("/given/api/v1/session_pin?region={region}");
        [("x-accel-redirect", to)].into_response()
    };
    let routes = Router::new().route("/api/v1/session_pin", get(give));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, routes).await });
    (origin, asked)
}
