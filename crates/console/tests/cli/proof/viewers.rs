//! Who watches, by the console's own look at who is there.

use std::time::Instant;

use serde_json::{Value, json};
use uuid::Uuid;

use super::{Run, truth::Truth};
use crate::process::PATIENCE;

/// So many sessions are looked at.
const SOME: usize = 6;

impl Run<'_> {
    /// Waits until the console shows who watches.
    pub async fn until_viewers_are_counted(&mut self) {
        for people in self.sessions.iter().take(SOME) {
            let watching = people.viewers.len();
            self.console.forget();
            self.console.ask(json!({ "do": "show", "session": people.session })).await;
            let what = format!("{watching} viewers");
            let is = |detail: &Value| {
                detail["screen"]["watchers"].as_array().is_some_and(|all| all.len() == watching)
            };
            self.console.detail(&people.session, &what, is).await;
        }
    }

    /// Viewers who leave a session that isn't on screen are soon no longer counted.
    pub async fn nobody_is_counted_who_left(&mut self) {
        let [people, .., shown] = &mut self.sessions[..] else { unreachable!() };
        let page = Uuid::new_v4();
        self.broker.presence(&people.pin, "viewers", page, true).await;
        people.viewers.push(page);
        self.console.forget();
        self.console.ask(json!({ "do": "show", "session": people.session })).await;
        let count = |detail: &Value| detail["screen"]["watchers"].as_array().map(Vec::len);
        let all = Some(people.viewers.len());
        self.console.detail(&people.session, "one more", |detail| count(detail) == all).await;
        self.console.ask(json!({ "do": "show", "session": shown.session })).await;
        for page in people.viewers.drain(..) {
            self.broker.presence(&people.pin, "viewers", page, false).await;
        }
        let mut last = Value::Null;
        let end = Instant::now() + PATIENCE;
        while Instant::now() < end {
            last = self.console.ask_detail(&people.session).await;
            if count(&last) == Some(0) {
                return;
            }
            // The rosters are asked for in rounds, each of which shows at the session on screen, among other things.
            self.console.detail(&shown.session, "the next round", |_| true).await;
        }
        let truth = Truth::of(people, &self.broker, &[]).await;
        panic!("they are still counted: {} and {}, for {truth:?}", last["screen"], last["row"]);
    }
}
