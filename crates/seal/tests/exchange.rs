//! Both ends against each other, and against somebody in the middle.

#![allow(clippy::unwrap_used)]

use proptest::prelude::*;
use seal::{Access, AwaitingNonce, Initiator, MAX_PLAINTEXT, Responder, SealError, Sealed};

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
    let (viewer, first) = Initiator::start(Access::Control).unwrap();
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
    let (viewer, first) = Initiator::start(Access::Control).unwrap();
    let (_, others) = Initiator::start(Access::Control).unwrap();
    // Message 1 is a key in the clear and then the commitment.
    let forged = [&first[..32], &others[32..]].concat();
    let (_, second) = respond(&forged).unwrap();
    assert_eq!(viewer.finish(&second).unwrap_err(), SealError::Exchange);
}

#[test]
fn ends_that_were_told_different_access_do_not_meet() {
    let (viewer, first) = Initiator::start(Access::Control).unwrap();
    let (_, second) = Responder::new(Access::Watch).unwrap().answer(&first).unwrap();
    assert_eq!(viewer.finish(&second).unwrap_err(), SealError::Exchange);
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
        let (viewer, mut first) = Initiator::start(Access::Watch).unwrap();
        flip(&mut first, 0);
        let Ok((awaiting, mut second)) = Responder::new(Access::Watch).unwrap().answer(&first)
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
        let _ = Initiator::start(Access::Watch).unwrap().0.finish(&bytes);
        let _ = Responder::new(Access::Watch).unwrap().answer(&bytes);
        let (_, first) = Initiator::start(Access::Control).unwrap();
        let _ = respond(&first).unwrap().0.finish(&bytes);
        let (mut viewer, _) = pair();
        let _ = viewer.opener.open(&bytes);
    }
}

#[test]
fn messages_longer_than_any_are_refused() {
    let huge = vec![0; 1 << 20];
    assert!(Responder::new(Access::Watch).unwrap().answer(&huge).is_err());
    let (mut viewer, _) = pair();
    assert_eq!(viewer.opener.open(&huge), Err(SealError::Damaged));
}

fn respond(first: &[u8]) -> Result<(AwaitingNonce, Vec<u8>), SealError> {
    Responder::new(Access::Control)?.answer(first)
}

fn pair() -> (Sealed, Sealed) {
    let (viewer, first) = Initiator::start(Access::Control).unwrap();
    let (awaiting, second) = respond(&first).unwrap();
    let (viewer, third) = viewer.finish(&second).unwrap();
    (viewer, awaiting.finish(&third).unwrap())
}
