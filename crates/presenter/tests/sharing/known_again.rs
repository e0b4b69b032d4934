//! Who compared the words once needn't again: the keys are remembered, and only a changed key changes
//! the words.

use std::{fs, os::unix::fs::PermissionsExt as _};

use presenter::{consent::Choice, end_reason::EndReason};
use seal::{Offer, Pairing};
use serde_json::json;
use wire::shared_screen::Role;

use crate::{
    broker::{Broker, Live},
    customer::{Customer, Done},
    invitation, joins, sharing,
    viewer::Viewer,
};

#[tokio::test(flavor = "multi_thread")]
async fn a_viewer_that_comes_back_after_any_outage_has_the_same_words() {
    let mut broker = Broker::start().await;
    let (mut customer, mut live) = sharing(&mut broker).await;
    let first = joins(&mut broker, &mut live, "control").await;
    let (words, pairing) = (shown(&mut customer).await, first.pairing());
    assert_eq!(words, first.words());
    drop(first);
    customer.banner(|banner| banner.viewers.is_empty()).await;
    // Its own connection was lost, and then the program's.
    let again = back(&mut broker, &mut live, "watch", pairing.clone()).await;
    assert_eq!((shown(&mut customer).await, again.words()), (words.clone(), words.clone()));
    drop(live);
    customer.banner(|banner| banner.reconnecting && banner.viewers.is_empty()).await;
    again.ends().await;
    let (mut live, _) = broker.welcomed().await;
    let again = back(&mut broker, &mut live, "control", pairing).await;
    assert_eq!((shown(&mut customer).await, again.words()), (words.clone(), words.clone()));
    // Somebody else who is at the same viewer's place.
    drop(again);
    customer.banner(|banner| banner.viewers.is_empty()).await;
    let other = joins(&mut broker, &mut live, "control").await;
    assert_ne!(shown(&mut customer).await, words);
    assert_ne!(other.words(), words);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_that_is_started_again_keeps_the_words_until_the_session_is_over() {
    let folder = tempfile::tempdir().unwrap();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o700)).unwrap();
    let mut broker = Broker::start().await;
    let mut pairing = None;
    let mut words = Vec::new();
    for ends in [EndReason::Stopped, EndReason::Revoked, EndReason::Stopped] {
        let private = folder.path().to_owned();
        let mut customer = Customer::start_with_folder(invitation(&broker), private);
        customer.agrees().await;
        let (mut live, _) = broker.welcomed().await;
        let viewer = match pairing.take() {
            Some(pairing) => back(&mut broker, &mut live, "control", pairing).await,
            None => joins(&mut broker, &mut live, "control").await,
        };
        assert_eq!(shown(&mut customer).await, viewer.words());
        words.push(viewer.words());
        pairing = Some(viewer.pairing());
        match ends {
            EndReason::Revoked => live.tell(&json!({"type": "bye", "code": "revoked"})).await,
            _ => customer.choose(Choice::Stop),
        }
        assert_eq!(customer.ended().await, ends);
    }
    assert_eq!(words[0], words[1], "after a restart");
    assert_ne!(words[1], words[2], "after the end of the session nothing is left of it");
}

/// Without a folder of the user's own nothing is kept, and the changed key shows at both ends.
#[tokio::test(flavor = "multi_thread")]
async fn a_program_with_another_key_shows_other_words_at_both_ends() {
    let mut broker = Broker::start().await;
    let (mut customer, mut live) = sharing(&mut broker).await;
    let before = joins(&mut broker, &mut live, "control").await;
    customer.choose(Choice::Stop);
    customer.ended().await;
    let (mut customer, mut live) = sharing(&mut broker).await;
    let after = back(&mut broker, &mut live, "control", before.pairing()).await;
    assert_eq!(shown(&mut customer).await, after.words());
    assert_ne!(before.words(), after.words());
}

/// The broker says that the viewer controls, and the viewer itself that it doesn't yet.
#[tokio::test(flavor = "multi_thread")]
async fn a_viewer_that_waits_for_the_words_to_be_compared_controls_nothing() {
    let mut broker = Broker::start().await;
    let (mut customer, mut live) = sharing(&mut broker).await;
    live.viewer("s", "control", true).await;
    let (socket, _) = broker.screen().await;
    let offer = Offer { known: None, only_watches: true };
    let mut waits = Viewer::offers(socket, "control", offer).await;
    let banner = customer.banner(|banner| !banner.viewers.is_empty()).await;
    assert_eq!(banner.viewers[0].role, Role::Watch);
    waits.key(true, 0x61).await;
    waits.click(5, 6).await;
    waits.cuts("text").await;
    waits.sees(0).await;
    let words = waits.words();
    let mut controls = back(&mut broker, &mut live, "control", waits.pairing()).await;
    assert_eq!(controls.words(), words);
    controls.key(true, 0x62).await;
    assert_eq!(customer.deeds.recv().await, Some(Done::Key(true, 0x62)), "and nothing before");
}

/// A viewer that was there before comes back.
async fn back(broker: &mut Broker, live: &mut Live, role: &str, pairing: Pairing) -> Viewer {
    live.viewer("s", role, true).await;
    let (socket, _) = broker.screen().await;
    Viewer::comes_back(socket, role, pairing).await
}

/// The words in the customer's banner.
async fn shown(customer: &mut Customer) -> String {
    let banner = customer.banner(|banner| !banner.viewers.is_empty()).await;
    banner.viewers[0].words.clone().unwrap()
}
