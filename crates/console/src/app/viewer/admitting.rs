//! The person here lets a viewer in that waits for it, or refuses it. The answer is signed with what
//! this console shares with the customer's program, so the broker that passes it on can't make one.

use std::{sync::Arc, time::Duration};

use engine::{Engine, SessionId, Subscription};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use session::{LiveFacts, text::plain_name, verification::Verdict};
use tokio::time::{Instant, sleep_until, timeout};
use wire::shared_screen::{AdmissionAnswer, WaitingViewer};

use super::{ViewerWindow, comparison::Presenter};
use crate::{
    app::{AuditEntry, Console},
    present::trouble::{self, sentence},
    view::Trouble,
};

/// What a page says of a viewer that waits, with everything that it showed.
#[derive(Debug, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum Said {
    Admit { viewer: WaitingViewer, lets_in: bool },
}

/// What a page's message says of a viewer that waits; none if it is about something else.
pub(super) fn said_by(text: &str) -> Option<Said> {
    serde_json::from_str(text).ok()
}

/// How long the customer's program may take until an answer shows in what it tells.
const TAKEN_WITHIN: Duration = Duration::from_secs(5);
/// Why an answer is not called done.
pub(crate) const UNHEEDED: &str =
    "the customer's program took no notice; it may be another than the one this console knows";
/// Why none can be signed.
pub(crate) const STRANGERS: &str =
    "this console and the customer's program don't know each other yet";

/// An answer of a page, as the broker is to get it. It was noted who gave it.
pub(super) struct Signed {
    pub message: String,
    pub given: Given,
}

/// An answer that was given, and of which it isn't known whether it was done.
pub(super) struct Given {
    challenge: String,
    /// Who gave it, and what the audit log says of it.
    by: String,
    announced: String,
    until: Instant,
}

/// An answer that counts for nothing, and why, for the page.
pub(super) struct NotDone {
    challenge: String,
    why: String,
}

impl NotDone {
    /// The message for the page.
    pub(super) fn told(&self) -> String {
        json!({ "type": NOT_ADMITTED, "challenge": self.challenge, "text": self.why }).to_string()
    }
}

/// The type of that message.
pub(super) const NOT_ADMITTED: &str = "not_admitted";

/// Signs a page's answer and notes it; the same is asked as of one that is given on the session's page.
pub(super) async fn answer(
    console: &Console,
    window: &ViewerWindow,
    said: &Said,
) -> Result<Signed, NotDone> {
    let Said::Admit { viewer, lets_in } = said;
    let (session, by) = (window.session, console.access.technician());
    let challenge = viewer.challenge.clone();
    let not_done = |trouble: Trouble| NotDone {
        challenge: challenge.clone(),
        why: format!("{} {}", trouble.text, trouble.remedy),
    };
    let engine = console.engine.require().await.map_err(not_done)?;
    let allowed = if *lets_in { engine.may_view(session).map(drop) } else { Ok(()) };
    // A slow exchange must not hold up a change of settings, which waits for this.
    drop(engine);
    allowed.map_err(|error| not_done(trouble::of_command(&error)))?;
    let signed = signed(console, session, &window.presenter, viewer, *lets_in).await;
    let answer = signed.ok_or_else(|| NotDone {
        challenge: challenge.clone(),
        why: sentence(&format!("{STRANGERS}: wait until you see the screen, then answer again")),
    })?;
    if *lets_in {
        let engine = console.engine.require().await.map_err(not_done)?;
        note_unverified(console, &engine, session, &by, "Let a viewer in").await;
    }
    let noted = entry(by.clone(), session, viewer, *lets_in);
    let announced = noted.text.clone();
    console.audit.record_or_warn(noted).await;
    let mut message = json!(answer);
    message["type"] = "admit".into();
    let given = Given { challenge, by, announced, until: Instant::now() + TAKEN_WITHIN };
    Ok(Signed { message: message.to_string(), given })
}

/// The answers of one page of which it isn't known whether they were done.
#[derive(Default)]
pub(super) struct Pending(Vec<Given>);

impl Pending {
    pub(super) fn add(&mut self, given: Given) {
        self.0.push(given);
    }

    /// The broker says who is there: whoever waits no longer was answered.
    pub(super) fn heard(&mut self, said: &Map<String, Value>) {
        if said.get("type").and_then(Value::as_str) != Some("presence") {
            return;
        }
        let waiting = said.get("waiting").and_then(Value::as_array);
        let waits = |given: &Given| {
            let mut waiting = waiting.into_iter().flatten();
            waiting.any(|one| one["challenge"] == given.challenge.as_str())
        };
        self.0.retain(waits);
    }

    /// Waits until one of them should have been done.
    pub(super) async fn overdue(&mut self) -> Given {
        let Some(first) = self.0.first() else { return std::future::pending().await };
        // The oldest comes first: all have the same time.
        sleep_until(first.until).await;
        self.0.remove(0)
    }

    /// The page is gone: what is known of them later is noted by what the session's channel tells.
    pub(super) fn follow(self, console: &Arc<Console>, session: SessionId) {
        for given in self.0 {
            let shared = Arc::clone(console);
            console.lifecycle.watch.tasks.spawn(async move {
                let stopping = &shared.lifecycle.watch.stopping;
                stopping.run_until_cancelled(follow_one(&shared, session, given)).await
            });
        }
    }
}

impl Given {
    /// Notes that it wasn't done.
    pub(super) async fn note_unheeded(self, console: &Console, session: SessionId) -> NotDone {
        note_not_done(console, session, self.by, &self.announced, &sentence(UNHEEDED)).await;
        NotDone { challenge: self.challenge, why: format!("That had no effect: {UNHEEDED}.") }
    }
}

async fn follow_one(console: &Console, session: SessionId, given: Given) {
    let Some(mut changes) = console.engine.get().await.map(|engine| engine.subscribe()) else {
        return;
    };
    if taken(&mut changes, session, &given.challenge).await.is_some() {
        return;
    }
    let still_waits = console.engine.get().await.is_some_and(|engine| {
        let facts = engine.snapshot(session).and_then(|now| now.facts.clone());
        facts.is_some_and(|facts| waits(&facts, &given.challenge))
    });
    // Where nothing is known of the session, nothing is known of this either.
    if still_waits {
        given.note_unheeded(console, session).await;
    }
}

fn waits(facts: &LiveFacts, challenge: &str) -> bool {
    facts.waiting.iter().any(|one| one.challenge == challenge)
}

/// Waits until the customer's program tells of this viewer no longer, which is all that it says of an
/// answer; none if it still does after [`TAKEN_WITHIN`]. `changes` were subscribed to before.
pub(crate) async fn taken(
    changes: &mut Subscription,
    id: SessionId,
    challenge: &str,
) -> Option<()> {
    let taken = async {
        loop {
            let changed = changes.changed().await;
            // While nothing is known of the session, nothing is known of the viewer either.
            let told = changed.snapshots.iter().filter(|one| one.id == id);
            if told.filter_map(|one| one.facts.as_ref()).any(|facts| !waits(facts, challenge)) {
                return;
            }
        }
    };
    timeout(TAKEN_WITHIN, taken).await.ok()
}

/// Notes that what was noted before was not done, and why.
pub(crate) async fn note_not_done(
    console: &Console,
    session: SessionId,
    by: String,
    announced: &str,
    why: &str,
) {
    let text = format!("It was not done: {announced} {why}");
    let noted = AuditEntry { by, action: "not_done", text, session: Some(session) };
    console.audit.record_or_warn(noted).await;
}

/// A policy that only warns lets somebody see the screen, and the log records that.
pub(crate) async fn note_unverified(
    console: &Console,
    engine: &Engine,
    id: SessionId,
    by: &str,
    what: &str,
) {
    if !matches!(engine.verdict(id), Some(Verdict::Shut { .. })) {
        return;
    }
    let text = format!("{what} though the customer is not verified.");
    let noted =
        AuditEntry { by: by.to_owned(), action: "viewer_unverified", text, session: Some(id) };
    if let Err(trouble) = console.audit.record(noted).await {
        tracing::warn!(text = trouble.text, "note an unverified viewer in the audit log");
    }
}

/// The answer, signed of the session's page and without a viewer window: the key is the console's.
/// It is for the caller to note.
pub(crate) async fn answer_without_window(
    console: &Console,
    session: SessionId,
    viewer: &WaitingViewer,
    lets_in: bool,
) -> Option<AdmissionAnswer> {
    let presenter = console.viewers.presenters.of(session);
    signed(console, session, &presenter, viewer, lets_in).await
}

/// Who gave an answer, for the audit log.
pub(crate) fn entry(
    by: String,
    session: SessionId,
    viewer: &WaitingViewer,
    lets_in: bool,
) -> AuditEntry {
    let name = Some(plain_name(&viewer.name)).filter(|name| !name.is_empty());
    let name = name.unwrap_or_else(|| "somebody without a name".to_owned());
    let (action, text) = match lets_in {
        true => ("viewer_let_in", format!("Let {name} see the screen.")),
        false => ("viewer_refused", format!("Refused {name} as a viewer.")),
    };
    AuditEntry { by, action, text, session: Some(session) }
}

/// Whether this console has what an answer about a session's viewers is signed with.
pub(crate) async fn can_answer(engine: &Engine, session: SessionId) -> bool {
    // What was kept, and no lock: an exchange holds that for as long as the other end takes.
    matches!(engine.pairing(session).await, Ok(Some(_)))
}

async fn signed(
    console: &Console,
    session: SessionId,
    presenter: &tokio::sync::Mutex<Presenter>,
    viewer: &WaitingViewer,
    lets_in: bool,
) -> Option<AdmissionAnswer> {
    let (pairing, signature) = {
        let mut presenter = presenter.lock().await;
        // A viewer may wait before a window has had a stream, which would have looked it up.
        presenter.look_up(console, session).await;
        presenter.sign(&viewer.answer_bytes(lets_in))?
    };
    let challenge = viewer.challenge.clone();
    Some(AdmissionAnswer { challenge, lets_in, pairing, signature })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pending(challenges: &[&str]) -> Pending {
        let given = |challenge: &&str| Given {
            challenge: (*challenge).to_owned(),
            by: "anna".into(),
            announced: "Let Ben see the screen.".into(),
            until: Instant::now() + TAKEN_WITHIN,
        };
        Pending(challenges.iter().map(given).collect())
    }

    fn heard(pending: &mut Pending, said: Value) {
        let Value::Object(said) = said else { panic!("{said}") };
        pending.heard(&said);
    }

    #[tokio::test(start_paused = true)]
    async fn only_an_answer_whose_viewer_waits_on_had_no_effect() {
        let mut pending = pending(&["a", "b", "c"]);
        heard(&mut pending, json!({ "type": "chat", "body": "waiting" }));
        let waiting = json!([{ "challenge": "c" }, { "challenge": "b" }]);
        heard(&mut pending, json!({ "type": "presence", "waiting": waiting }));
        assert_eq!(pending.overdue().await.challenge, "b");
        assert_eq!(pending.overdue().await.challenge, "c");
    }

    #[tokio::test(start_paused = true)]
    async fn nothing_is_overdue_where_all_was_done() {
        let mut pending = pending(&["a"]);
        heard(&mut pending, json!({ "type": "presence", "present": true }));
        assert!(timeout(TAKEN_WITHIN * 2, pending.overdue()).await.is_err());
    }
}
