//! What the console tells of what happened, counted.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::process::Console;

/// By what an event is told, in the order of `HookType::ALL`.
pub const HOOKS: [&str; 4] =
    ["presenter_online", "viewer_joined", "presenter_offline", "viewers_gone"];
/// By what the end of an e-mail is told, with the state that it then has.
const MAILS: [(&str, &str); 2] = [("handed_over", "mail_handed_over"), ("refused", "mail_refused")];

/// How often each event of each session is still to be told.
#[derive(Default, Clone)]
pub struct Told {
    left: BTreeMap<(String, String), u64>,
    all: u64,
}

impl Told {
    /// An event of a session is told so often, and never more often.
    pub fn expect(&mut self, session: &str, event: &str, times: u64) {
        self.left.insert((session.to_owned(), event.to_owned()), times);
        self.all += times;
    }

    /// Each end of an e-mail is told once. No e-mail is under way any more.
    pub fn mails(&mut self, session: &str, detail: &Value) {
        for (state, event) in MAILS {
            let mails = detail["mails"].as_array().unwrap().iter();
            let ended = mails.filter(|mail| mail["state"] == state).count() as u64;
            self.expect(session, event, ended);
        }
    }

    /// Waits until all of it was told by a console that tells everything from the beginning.
    pub async fn until_all(mut self, console: &mut Console) {
        console.said().iter().for_each(|line| self.hear(line));
        console.forget();
        if self.all > 0 {
            let what = format!("all of {:?}", self.missing());
            let is_all = |line: &Value| {
                self.hear(line);
                self.all == 0
            };
            console.until(&what, is_all).await;
        }
    }

    /// All of it is in these lines, and nothing twice.
    pub fn check_is_just(mut self, lines: &[Value]) {
        lines.iter().for_each(|line| self.hear(line));
        assert_eq!(self.all, 0, "never told: {:?}", self.missing());
    }

    fn hear(&mut self, line: &Value) {
        if line["push"] != "happening" {
            return;
        }
        let which =
            [&line["session"], &line["event"]].map(|text| text.as_str().unwrap_or_default());
        if let Some(left) = self.left.get_mut(&which.map(str::to_owned).into()) {
            *left = left.checked_sub(1).unwrap_or_else(|| panic!("told too often: {line}"));
            self.all -= 1;
        }
    }

    fn missing(&self) -> Vec<(&(String, String), &u64)> {
        self.left.iter().filter(|(_, left)| **left > 0).collect()
    }
}
