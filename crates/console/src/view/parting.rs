//! What it would end to close a session, or to quit.

use serde::Serialize;
use ts_rs::TS;

/// What quitting would end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
pub struct QuittingView {
    /// Sessions that are live. Nobody need be asked while there are none.
    pub live: u32,
    /// What happens to them and to those who are connected, a sentence each. While the console is locked they name nobody.
    pub text: Vec<String>,
}

/// What closing a session would end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
pub struct ClosingView {
    /// What happens to the PIN and to those who are connected, a sentence each.
    pub text: Vec<String>,
    /// Whether it is known that the customer never came, so that nothing can have been resolved.
    pub nobody_came: bool,
}
