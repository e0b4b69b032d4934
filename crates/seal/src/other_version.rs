//! Two ends of different versions: each says which of them has to be updated.
//!
//! The exchange of another version can't be read, so its messages are told apart by their length. A
//! presenter tells its own version then, in the clear, instead of the second message. Whoever is in
//! between can tell a version too, which only keeps the stream from coming about.

use crate::SealError;

/// The version of the exchange. A later one needs a first message of another length.
const VERSION: u8 = 2;
/// The bytes of the first message: a key, the payload and a tag.
const FIRST: usize = 32 + 49 + 16;
/// Those of version 1, which was the same without the pairing.
const FIRST_OF_1: usize = 64;
/// How a presenter's word about its version begins; no second message is as short.
const REFUSAL: u8 = 0xfe;

/// What a presenter sends instead of the second message to a viewer of another version.
pub const fn refusal() -> [u8; 2] {
    [REFUSAL, VERSION]
}

/// Whether a first message is of this version, by its length.
pub(crate) const fn check_first(first: &[u8]) -> Result<(), SealError> {
    match first.len() {
        FIRST => Ok(()),
        FIRST_OF_1 => Err(SealError::Older),
        length if length > FIRST => Err(SealError::Later),
        _ => Err(SealError::Exchange),
    }
}

/// Whether a second message is none, but the presenter's word that it is of another version.
pub(crate) const fn check_second(second: &[u8]) -> Result<(), SealError> {
    match second {
        [REFUSAL, theirs] if *theirs < VERSION => Err(SealError::Older),
        [REFUSAL, theirs] if *theirs > VERSION => Err(SealError::Later),
        [REFUSAL, _] => Err(SealError::Exchange),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Access, Initiator, Offer, Responder};

    #[test]
    fn ends_of_different_versions_know_which_is_the_older() {
        let (viewer, first) = Initiator::start(Access::Watch, Offer::default()).unwrap();
        assert_eq!(check_first(&first), Ok(()));
        assert_eq!(viewer.finish(&[REFUSAL, 1]).unwrap_err(), SealError::Older);
        for (length, error) in
            [(64, SealError::Older), (98, SealError::Later), (0, SealError::Exchange)]
        {
            let presenter = Responder::new(Access::Watch).unwrap();
            assert_eq!(presenter.answer(&vec![1; length], |_| None).map(drop), Err(error));
        }
        for (theirs, error) in
            [(1, SealError::Older), (3, SealError::Later), (VERSION, SealError::Exchange)]
        {
            assert_eq!(check_second(&[REFUSAL, theirs]), Err(error));
        }
        assert_eq!(refusal(), [REFUSAL, 2]);
    }
}
