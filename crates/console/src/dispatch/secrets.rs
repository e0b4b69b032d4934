//! The three services: where each is, their secrets, a test of the connection.

use super::Answer;
use crate::{
    app::Inner,
    command::Secret,
    view::{Identity, SecretName},
};

pub(super) async fn services(_: &Inner) -> Answer {
    Err(super::refused("do this: it is being built", ""))
}
pub(super) async fn set(_: &Inner, _secret: SecretName, _value: Secret, _by: &str) -> Answer {
    Err(super::refused("do this: it is being built", ""))
}
pub(super) async fn remove(_: &Inner, _secret: SecretName, _by: &str) -> Answer {
    Err(super::refused("do this: it is being built", ""))
}
pub(super) async fn test(_: &Inner, _service: Identity) -> Answer {
    Err(super::refused("do this: it is being built", ""))
}
