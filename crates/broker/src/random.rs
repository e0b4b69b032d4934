//! Random bytes, which the hub takes as arguments.

use crate::hub::{credential::Credential, refusal::Refused};

/// Random bytes that nobody can guess.
pub(crate) fn bytes<const N: usize>() -> Result<[u8; N], Refused> {
    let mut random = [0; N];
    getrandom::fill(&mut random).map_err(|error| {
        tracing::error!(%error, "the system has no random numbers");
        Refused::NotSaved
    })?;
    Ok(random)
}

/// A credential that nobody can guess.
pub(crate) fn credential() -> Result<Credential, Refused> {
    Ok(Credential::from_random(bytes()?))
}
