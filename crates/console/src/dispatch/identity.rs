//! Who is at this console: profile, sign-in, lock, passkeys, aliases.

use super::Answer;
use crate::app::Inner;

pub(super) async fn create_profile(_: &Inner, _name: &str, _email: &str) -> Answer {
    Err(super::refused("do this: it is being built", ""))
}
pub(super) async fn skip_profile(_: &Inner, _by: &str) -> Answer {
    Err(super::refused("do this: it is being built", ""))
}
pub(super) async fn sign_in(_: &Inner, _person: Option<&str>) -> Answer {
    Err(super::refused("do this: it is being built", ""))
}
pub(super) fn ceremony_link(_: &Inner) -> Answer {
    Err(super::refused("do this: it is being built", ""))
}
pub(super) fn cancel_ceremony(_: &Inner) -> Answer {
    Err(super::refused("do this: it is being built", ""))
}
pub(super) async fn lock(_: &Inner, _by: &str) -> Answer {
    Err(super::refused("do this: it is being built", ""))
}
pub(super) async fn passkeys(_: &Inner) -> Answer {
    Err(super::refused("do this: it is being built", ""))
}
pub(super) async fn add_passkey(_: &Inner, _nickname: &str) -> Answer {
    Err(super::refused("do this: it is being built", ""))
}
pub(super) async fn delete_passkey(_: &Inner, _id: &str, _confirmed: bool, _by: &str) -> Answer {
    Err(super::refused("do this: it is being built", ""))
}
pub(super) async fn set_aliases(
    _: &Inner,
    _aliases: &[String],
    _hashing: bool,
    _by: &str,
) -> Answer {
    Err(super::refused("do this: it is being built", ""))
}
pub(super) async fn override_gate(_: &Inner, _session: &str, _reason: &str) -> Answer {
    Err(super::refused("do this: it is being built", ""))
}
