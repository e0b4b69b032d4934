//! Both ends against each other, and against somebody in the middle.

#![allow(clippy::unwrap_used)]

use proptest::prelude::*;
use seal::{
    Access, AwaitingNonce, Initiator, MAX_PLAINTEXT, Offer, Pairing, Responder, SealError, Sealed,
};

#[test]
fn both_ends_agree_on_words_and_understand_each_other() {
    let (mut viewer, mut presenter) = pair();
    assert_eq!(viewer.words, presenter.words);
    assert_eq!(viewer.words.to_string().split(' ').count(), 3);
    for text in [&b"RFB 003.008\n"[..], b"", &[7; MAX_PLAINTEXT]] {
        assert_eq!(presenter.opener.open(&viewer.sealer.seal(text).unwrap()).unwrap(), text);
        assert_eq!(viewer.opener.open(&presenter.sealer.seal(text).unwrap()).unwrap(), text);
    }
}

#[test]
fn every_exchange_has_other_words() {
    assert_ne!(pair().0.words, pair().0.words);
}

#[test]
fn a_long_update_goes_in_pieces() {
    let (mut viewer, mut presenter) = pair();
    let update: Vec<u8> = (0..200_000u32).map(|i| i.to_le_bytes()[0]).collect();
    let pieces = presenter.sealer.seal_all(&update).unwrap();
    assert_eq!(pieces.len(), 4);
    let opened: Vec<u8> = pieces.iter().flat_map(|p| viewer.opener.open(p).unwrap()).collect();
    assert_eq!(opened, update);
    assert_eq!(presenter.sealer.seal(&update), Err(SealError::TooLong));
}

#[test]
fn a_middle_that_exchanges_with_both_gives_them_different_words() {
    let (viewer, first) = Initiator::start(Access::Control, Offer::default()).unwrap();
    let (towards_viewer, second) = respond(&first).unwrap();
    let (viewer, third) = viewer.finish(&second).unwrap();
    let middle = towards_viewer.finish(&third).unwrap();
    // It sees everything on its one side,
    assert_eq!(middle.words, viewer.words);
    // but towards the presenter it has to make an exchange of its own.
    let (_, presenter) = pair();
    assert_ne!(presenter.words, viewer.words);
}

#[test]
fn a_commitment_that_is_swapped_on_the_way_is_noticed() {
    let (viewer, first) = Initiator::start(Access::Control, Offer::default()).unwrap();
    let (_, others) = Initiator::start(Access::Control, Offer::default()).unwrap();
    // Message 1 is a key in the clear and then the commitment.
    let forged = [&first[..32], &others[32..]].concat();
    assert_eq!(respond(&forged).map(drop).unwrap_err(), SealError::Exchange);
    drop(viewer);
}

#[test]
fn ends_that_were_told_different_access_do_not_meet() {
    let (_, first) = Initiator::start(Access::Control, Offer::default()).unwrap();
    let presenter = Responder::new(Access::Watch).unwrap();
    assert_eq!(presenter.answer(&first, |_| None).map(drop).unwrap_err(), SealError::Exchange);
}

#[test]
fn ends_that_remember_each_other_keep_their_words() {
    let (before, presenters) = pair();
    assert_eq!(before.pairing, presenters.pairing);
    let (mut viewer, mut presenter) = again(&before.pairing, &presenters.pairing);
    for end in [&viewer, &presenter] {
        assert!(end.known_again);
        assert_eq!((end.words, &end.pairing), (before.words, &before.pairing));
    }
    assert!(!before.known_again && !presenters.known_again);
    // The keys themselves are new each time.
    let (mut once_more, _) = again(&before.pairing, &presenters.pairing);
    let text = viewer.sealer.seal(b"x").unwrap();
    assert_ne!(text, once_more.sealer.seal(b"x").unwrap());
    assert_eq!(presenter.opener.open(&text).unwrap(), b"x");
}

#[test]
fn one_end_that_has_forgotten_makes_new_words_at_both() {
    let (before, _) = pair();
    let (viewer, first) = Initiator::start(Access::Control, offer(&before.pairing)).unwrap();
    let (awaiting, second) = respond(&first).unwrap();
    let (viewer, third) = viewer.finish(&second).unwrap();
    let presenter = awaiting.finish(&third).unwrap();
    assert!(!viewer.known_again && !presenter.known_again);
    assert_eq!(viewer.words, presenter.words);
    assert_ne!(viewer.words, before.words);
}

/// It knows the pairing's name from the first message, and not its secret.
#[test]
fn a_middle_that_comes_later_cannot_pass_for_an_end_that_is_known() {
    let (before, presenters) = pair();
    let (viewer, first) = Initiator::start(Access::Control, offer(&before.pairing)).unwrap();
    let stranger = pair().0.pairing;
    let middle = Responder::new(Access::Control).unwrap();
    let (_, second) = middle.answer(&first, |_| Some(stranger)).unwrap();
    assert_eq!(viewer.finish(&second).unwrap_err(), SealError::Exchange);

    // Towards the presenter it can repeat the viewer's message, and can't go on from there.
    let (_, first) = Initiator::start(Access::Control, offer(&before.pairing)).unwrap();
    let presenter = Responder::new(Access::Control).unwrap();
    let recall = |id| (id == presenters.pairing.id()).then(|| presenters.pairing.clone());
    let (awaiting, _) = presenter.answer(&first, recall).unwrap();
    let (other, _) = pair();
    let mut other = other.sealer;
    assert_eq!(awaiting.finish(&other.seal(&[0; 32]).unwrap()).unwrap_err(), SealError::Damaged);
}

/// Otherwise a middle could have the two ends show the words of different exchanges.
#[test]
fn a_presenter_that_is_made_out_to_have_forgotten_breaks_the_exchange() {
    let (before, presenters) = pair();
    for lie in [0, 2] {
        let (viewer, first) = Initiator::start(Access::Control, offer(&before.pairing)).unwrap();
        let presenter = Responder::new(Access::Control).unwrap();
        let (_, mut second) =
            presenter.answer(&first, |_| Some(presenters.pairing.clone())).unwrap();
        assert_eq!(second[0], 1);
        second[0] = lie;
        assert_eq!(viewer.finish(&second).unwrap_err(), SealError::Exchange);
    }
    let (viewer, first) = Initiator::start(Access::Control, Offer::default()).unwrap();
    let (_, mut second) = respond(&first).unwrap();
    second[0] = 1;
    assert_eq!(viewer.finish(&second).unwrap_err(), SealError::Exchange);
}

#[test]
fn a_viewer_that_only_watches_for_now_says_so_and_nobody_changes_it() {
    for only_watches in [false, true] {
        let offer = Offer { known: None, only_watches };
        let (_, first) = Initiator::start(Access::Control, offer).unwrap();
        let (awaiting, _) = respond(&first).unwrap();
        assert_eq!(awaiting.only_watches(), only_watches);
    }
}

#[test]
fn a_pairing_is_kept_as_bytes_and_never_printed() {
    let (viewer, _) = pair();
    let pairing = viewer.pairing;
    assert_eq!(Pairing::from_bytes(pairing.expose()).as_ref(), Some(&pairing));
    assert_eq!(Pairing::from_bytes(&pairing.expose()[1..]), None);
    assert_eq!(format!("{pairing:?}"), "Pairing { .. }");
}

#[test]
fn a_repeated_or_reordered_message_ends_the_stream() {
    let (mut viewer, mut presenter) = pair();
    let sent: Vec<_> = (0..3).map(|i| viewer.sealer.seal(&[i]).unwrap()).collect();
    presenter.opener.open(&sent[0]).unwrap();
    assert_eq!(presenter.opener.open(&sent[0]), Err(SealError::Damaged));
    assert_eq!(presenter.opener.open(&sent[1]), Err(SealError::Damaged), "for good");

    let (mut viewer, mut presenter) = pair();
    let sent: Vec<_> = (0..2).map(|i| viewer.sealer.seal(&[i]).unwrap()).collect();
    assert_eq!(presenter.opener.open(&sent[1]), Err(SealError::Damaged));
}

#[test]
fn a_message_of_ones_own_is_not_taken_for_the_others() {
    let (mut viewer, _) = pair();
    let own = viewer.sealer.seal(b"own").unwrap();
    assert_eq!(viewer.opener.open(&own), Err(SealError::Damaged));
}

#[test]
fn debug_shows_no_key() {
    let (viewer, presenter) = pair();
    for text in [format!("{:?}", viewer.sealer), format!("{:?}", presenter.opener)] {
        assert!(text.len() < 40, "{text}");
    }
}

#[test]
fn a_signature_is_good_for_its_text_and_its_pairing_alone() {
    let (viewer, presenter) = pair();
    let signature = viewer.pairing.sign(b"let Ben in");
    assert!(presenter.pairing.has_signed(b"let Ben in", &signature));
    assert!(!presenter.pairing.has_signed(b"let Cem in", &signature));
    assert!(!pair().1.pairing.has_signed(b"let Ben in", &signature));
    for forged in ["", "0", "zz", &signature[2..], &format!("{signature}00"), "é"] {
        assert!(!presenter.pairing.has_signed(b"let Ben in", forged), "{forged}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_flipped_bit_or_a_cut_is_noticed(
        text in proptest::collection::vec(any::<u8>(), 0..300),
        at in any::<prop::sample::Index>(),
        bit in 0..8u8,
        cut in any::<bool>(),
    ) {
        let (mut viewer, mut presenter) = pair();
        let mut sealed = viewer.sealer.seal(&text).unwrap();
        let at = at.index(sealed.len());
        if cut { sealed.truncate(at) } else { sealed[at] ^= 1 << bit }
        prop_assert_eq!(presenter.opener.open(&sealed), Err(SealError::Damaged));
    }

    #[test]
    fn a_changed_exchange_never_ends_in_equal_words(
        which in 0..3usize,
        at in any::<prop::sample::Index>(),
        bit in 0..8u8,
    ) {
        let flip = |message: &mut Vec<u8>, i: usize| {
            let at = at.index(message.len());
            if i == which { message[at] ^= 1 << bit }
        };
        let (viewer, mut first) = Initiator::start(Access::Watch, Offer::default()).unwrap();
        flip(&mut first, 0);
        let Ok((awaiting, mut second)) = Responder::new(Access::Watch).unwrap().answer(&first, |_| None)
        else { return Ok(()) };
        flip(&mut second, 1);
        let Ok((viewer, mut third)) = viewer.finish(&second) else { return Ok(()) };
        flip(&mut third, 2);
        if let Ok(presenter) = awaiting.finish(&third) {
            prop_assert_ne!(presenter.words, viewer.words);
        }
    }

    #[test]
    fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = Initiator::start(Access::Watch, Offer::default()).unwrap().0.finish(&bytes);
        let _ = Responder::new(Access::Watch).unwrap().answer(&bytes, |_| None);
        let (_, first) = Initiator::start(Access::Control, Offer::default()).unwrap();
        let _ = respond(&first).unwrap().0.finish(&bytes);
        let (mut viewer, _) = pair();
        let _ = viewer.opener.open(&bytes);
    }
}

#[test]
fn messages_longer_than_any_are_refused() {
    let huge = vec![0; 1 << 20];
    assert!(Responder::new(Access::Watch).unwrap().answer(&huge, |_| None).is_err());
    let (mut viewer, _) = pair();
    assert_eq!(viewer.opener.open(&huge), Err(SealError::Damaged));
}

fn respond(first: &[u8]) -> Result<(AwaitingNonce, Vec<u8>), SealError> {
    Responder::new(Access::Control)?.answer(first, |_| None)
}

fn pair() -> (Sealed, Sealed) {
    let (viewer, first) = Initiator::start(Access::Control, Offer::default()).unwrap();
    let (awaiting, second) = respond(&first).unwrap();
    let (viewer, third) = viewer.finish(&second).unwrap();
    (viewer, awaiting.finish(&third).unwrap())
}

fn offer(known: &Pairing) -> Offer {
    Offer { known: Some(known.clone()), only_watches: false }
}

/// An exchange of two ends that remember an earlier one.
fn again(viewers: &Pairing, presenters: &Pairing) -> (Sealed, Sealed) {
    let (viewer, first) = Initiator::start(Access::Control, offer(viewers)).unwrap();
    let presenter = Responder::new(Access::Control).unwrap();
    let recall = |id| (id == presenters.id()).then(|| presenters.clone());
    let (awaiting, second) = presenter.answer(&first, recall).unwrap();
    let (viewer, third) = viewer.finish(&second).unwrap();
    (viewer, awaiting.finish(&third).unwrap())
}
