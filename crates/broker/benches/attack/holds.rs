//! For how long one decision keeps all others waiting, among many sessions.

use std::{sync::Arc, time::Instant};

use futures_util::{StreamExt as _, stream};
use uuid::Uuid;

use crate::{
    Size,
    calls::{Socket, mint, owner, say},
    served::Served,
};

/// One in this many sessions has a page connected.
const CONNECTED: usize = 5;

pub async fn measure(size: Size) {
    let served = Arc::new(Served::start("open"));
    println!("  Longest decision among {} sessions", size.sessions);
    let began = Instant::now();
    let pins = sessions(&served, size.sessions).await;
    told(&served, &format!("minting them, in {:.0} s", began.elapsed().as_secs_f64())).await;
    let connected = pins.iter().step_by(CONNECTED).cloned().collect();
    let pages = pages(&served, connected).await;
    told(&served, &format!("{} pages connect", pages.len())).await;
    for _ in 0..20 {
        let text = served.control("GET", "/control/sessions", "").await;
        assert!(text.matches("\"id\"").count() == pins.len(), "all are listed");
    }
    told(&served, "20 listings of all sessions").await;
    for _ in 0..19 {
        served.figure("deskhand_broker_sessions").await;
    }
    told(&served, "20 times the figures, the last time").await;
    served.control("POST", "/control/clock", r#"{"advance_s":86400}"#).await;
    told(&served, "all PINs expire at once").await;
    served.control("POST", "/control/clock", r#"{"advance_s":259200}"#).await;
    told(&served, "all sessions are forgotten at once").await;
    drop(pages);
}

async fn told(served: &Served, what: &str) {
    println!("  {what:<44} {:>7.2} ms", served.longest_hold().await);
}

/// Mints so many sessions.
pub async fn sessions(served: &Arc<Served>, many: usize) -> Vec<String> {
    let minted = stream::iter(0..many).map(|n| {
        let addr = served.addr;
        async move { mint(owner(u16::try_from(0x100 + n % 50_000).unwrap()), addr).await.unwrap() }
    });
    minted.buffer_unordered(32).collect().await
}

/// Connects a customer's page to each of these sessions, as far as there is room.
pub async fn pages(served: &Arc<Served>, pins: Vec<String>) -> Vec<Socket> {
    let opened = stream::iter(pins.into_iter().enumerate()).map(|(n, pin)| {
        let (addr, page) = (served.addr, Uuid::new_v4());
        let from = owner(u16::try_from(0x100 + n % 50_000).unwrap());
        let hello = format!(
            r#"{{"type":"hello","session_pin":"{pin}","side":"presenter","page":"{page}","companion":true}}"#
        );
        async move { say(from, addr, "/live", hello).await.map(|(socket, _)| socket) }
    });
    opened.buffer_unordered(32).filter_map(std::future::ready).collect().await
}
