//! The effects that ask a person's phone: a push or a code, its polls, and taking it back.

use std::sync::Arc;

use session::{Failure, Input, retry, verification::VerificationAnswer};

use super::{spawn_effect, spread, until_stopped};
use crate::{
    actor::message::{Mailbox, SessionMessage as Message},
    context::Context,
    remote::{
        LoginTc,
        logintc::{self, Attribute, Code, PushState, User},
    },
};

/// How often a push that can't be taken back is tried: for some three minutes.
const TAKE_BACK_TRIES: u32 = 12;

/// A request to the verification service.
pub(crate) struct PushRequest {
    pub user: User,
    pub shown: Vec<Attribute>,
    pub code: Option<Code>,
}

/// Sends a push to a person's phone, or submits a code, once.
pub(crate) fn ask_phone(
    context: &Arc<Context>,
    to: &Mailbox,
    id: u32,
    client: LoginTc,
    question: PushRequest,
) {
    let shared = context.clone();
    spawn_effect(context, to, async move {
        let PushRequest { user, shown, code } = question;
        // Cut short, it is found as "asking" at the next start: it may have been sent.
        let outcome = until_stopped(&shared, client.ask(&user, &shown, code.as_ref())).await?;
        Some(Message::PhoneAsked { id, outcome })
    });
}

pub(crate) fn poll_phone(
    context: &Arc<Context>,
    to: &Mailbox,
    id: u32,
    client: LoginTc,
    question: String,
) {
    let shared = context.clone();
    spawn_effect(context, to, async move {
        let answered = |answer| Input::VerificationAnswered { id, answer };
        let failed = |failure| Input::PollFailed { id, failure };
        Some(Message::Input(match until_stopped(&shared, client.poll(&question)).await? {
            Ok(PushState::Pending) => answered(VerificationAnswer::Pending),
            Ok(PushState::Approved) => answered(VerificationAnswer::Approved),
            Ok(PushState::Denied) => answered(VerificationAnswer::Denied),
            // Neither a yes nor a no.
            Ok(PushState::Other(_)) => failed(Failure::Malformed),
            Err(error) => failed(error.failure()),
        }))
    });
}

/// Takes a push back, unless somebody has answered it. A failure is said at once, and then it is tried
/// again, because the person may still answer.
pub(crate) fn cancel_phone(
    context: &Arc<Context>,
    to: &Mailbox,
    id: u32,
    client: LoginTc,
    question: String,
) {
    let (shared, mailbox) = (context.clone(), to.clone());
    spawn_effect(context, to, async move {
        for attempt in 1..=TAKE_BACK_TRIES {
            let input = until_stopped(&shared, take_back(&client, &question, id)).await?;
            let Input::PushTakenBack { left: Some(failure), .. } = input else {
                return Some(Message::Input(input));
            };
            if attempt == 1 {
                mailbox.tell(input);
            }
            let pause = tokio::time::sleep(spread(retry::wait(attempt, failure, false)));
            until_stopped(&shared, pause).await?;
        }
        None
    });
}

/// Looks whether somebody has answered a push, and has the service take it back if nobody has.
async fn take_back(client: &LoginTc, question: &str, id: u32) -> Input {
    let answered = |answer| Input::VerificationAnswered { id, answer };
    let unseen = match client.poll(question).await {
        Ok(PushState::Approved) => return answered(VerificationAnswer::Approved),
        Ok(PushState::Denied) => return answered(VerificationAnswer::Denied),
        Ok(PushState::Pending) => None,
        Ok(PushState::Other(_)) => Some(Failure::Malformed),
        Err(error) => Some(error.failure()),
    };
    let left = match client.cancel(question).await {
        Ok(()) | Err(logintc::Error::Gone(_)) => None,
        Err(error) => Some(error.failure()),
    };
    Input::PushTakenBack { id, unseen, left }
}
