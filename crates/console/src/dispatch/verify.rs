//! Whether this is the person: pushes, codes, the gate.

use super::Answer;
use crate::{app::Inner, command::Secret, view::Verified};

/// What was asked.
pub(super) struct Asked {
    pub who: Verified,
    pub user: String,
    pub by_id: bool,
    pub reason: String,
    pub code: Option<Secret>,
}

pub(super) async fn verify(_: &Inner, _session: &str, asked: Asked, _by: &str) -> Answer {
    let Asked { who: _, user: _, by_id: _, reason: _, code: _ } = asked;
    Err(super::refused("do this: it is being built", ""))
}
pub(super) async fn cancel(_: &Inner, _session: &str, _verification: u32, _by: &str) -> Answer {
    Err(super::refused("do this: it is being built", ""))
}
pub(super) async fn mail_code(_: &Inner, _user: &str) -> Answer {
    Err(super::refused("do this: it is being built", ""))
}
