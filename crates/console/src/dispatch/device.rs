//! Whose device it is: lookups in the chat workspace.

use super::Answer;
use crate::{app::Inner, command::SecondFactor};

/// A login session that is to be logged out.
pub(super) struct LogOut {
    pub session: Option<String>,
    pub login_session: String,
    pub confirmed: bool,
    pub factor: Option<SecondFactor>,
}

pub(super) async fn look_up(
    _: &Inner,
    _session: &str,
    _login_session: &str,
    _factor: Option<SecondFactor>,
    _by: &str,
) -> Answer {
    Err(super::refused("do this: it is being built", ""))
}
pub(super) async fn list(
    _: &Inner,
    _filter: &str,
    _offset: u32,
    _factor: Option<SecondFactor>,
) -> Answer {
    Err(super::refused("do this: it is being built", ""))
}
pub(super) async fn log_out(_: &Inner, asked: LogOut, _by: &str) -> Answer {
    let LogOut { session: _, login_session: _, confirmed: _, factor: _ } = asked;
    Err(super::refused("do this: it is being built", ""))
}
