//! Verifications that are under way: the code that was typed, and the service's id of each question.
//!
//! Invariant: both are in this actor's memory and nowhere else. A code is given away with its question;
//! whoever finds the question on the disk after a crash has neither, and so can't ask again.

use session::{
    Failure, Input,
    verification::{Cause, VerificationAnswer, VerificationOutcome},
};

use super::live::Live;
use crate::{
    actor::message::{Reply, VerificationOrder},
    clock::now,
    error::{CommandError, Misfit},
    perform::{self, PushRequest},
    remote::{
        LoginTc,
        logintc::{self, Attribute, Code, User},
    },
};

/// One question at the service. None of it is stored.
pub(super) struct PhoneQuestion {
    /// As it was set up when it was asked: where it is looked after, too.
    client: LoginTc,
    /// Until it is sent.
    code: Option<Code>,
    /// The service's own name of the question, once it has one.
    session: Option<String>,
}

impl Live {
    /// Somebody wants to know whether this is the person.
    pub fn verify(&mut self, order: VerificationOrder, done: Reply) {
        let VerificationOrder { client, asked, code, wait } = order;
        if let Some(obstacle) = self.state.record.verification_obstacle(asked.who) {
            // Whoever asked may have gone away meanwhile.
            let _ = done.send(Err(CommandError::DoesNotFit(Misfit::Verification(obstacle))));
            return;
        }
        self.turn(Input::Verify { asked, wait }, now());
        if let Some(new) = self.state.record.verifications.last() {
            self.questions.insert(new.id, PhoneQuestion { client, code, session: None });
        }
        self.answer_once_saved(done);
    }

    pub(super) fn ask_phone(&mut self, id: u32, user: User, shown: Vec<(String, String)>) {
        // What may happen only once is not begun unless the disk knows of it.
        if self.unsaved.is_some() {
            let end =
                VerificationOutcome::Failed { cause: Cause::Call { failure: Failure::Storage } };
            self.mailbox.tell(Input::VerificationFailed { id, end });
            return;
        }
        let Some(phone) = self.questions.get_mut(&id) else {
            tracing::error!(session = %self.id, "a phone is to be asked that nobody ordered");
            return;
        };
        let (client, code) = (phone.client.clone(), phone.code.take());
        let shown: Vec<_> =
            shown.into_iter().map(|(key, value)| Attribute { key, value }).collect();
        perform::ask_phone(
            &self.context,
            &self.mailbox,
            id,
            client,
            PushRequest { user, shown, code },
        );
    }

    /// The service has taken the question, or hasn't.
    pub fn phone_asked(
        &mut self,
        id: u32,
        outcome: Result<logintc::StartedVerification, logintc::Error>,
    ) {
        let input = match outcome {
            Ok(logintc::StartedVerification { id: session, state }) => {
                if let Some(phone) = self.questions.get_mut(&id) {
                    // Kept even where it is over already: only with it a push can be taken back.
                    phone.session = Some(session);
                }
                let answer = match state {
                    logintc::PushState::Approved => VerificationAnswer::Approved,
                    logintc::PushState::Denied => VerificationAnswer::Denied,
                    // Taken it was; the next look tells more.
                    logintc::PushState::Pending | logintc::PushState::Other(_) => {
                        VerificationAnswer::Pending
                    }
                };
                Input::VerificationAnswered { id, answer }
            }
            Err(error) => {
                self.questions.remove(&id);
                tracing::info!(session = %self.id, %error, "a verification was not begun");
                Input::VerificationFailed { id, end: end_of(&error) }
            }
        };
        self.turn(input, now());
    }

    pub(super) fn poll_phone(&self, id: u32) {
        if let Some((client, session)) = self.question(id) {
            perform::poll_phone(&self.context, &self.mailbox, id, client, session);
        }
    }

    /// A question that the service has no name for yet is taken back when it has.
    pub(super) fn cancel_phone(&mut self, id: u32) {
        if let Some((client, session)) = self.question(id) {
            self.questions.remove(&id);
            perform::cancel_phone(&self.context, client, session);
        }
    }

    fn question(&self, id: u32) -> Option<(LoginTc, String)> {
        let phone = self.questions.get(&id)?;
        Some((phone.client.clone(), phone.session.clone()?))
    }
}

/// How the service is told who is asked.
pub(crate) fn user_of(name: String, by_id: bool) -> User {
    if by_id { User::Id(name) } else { User::Username(name) }
}

/// What a question comes to that the service didn't take.
fn end_of(error: &logintc::Error) -> VerificationOutcome {
    let failed = |cause| VerificationOutcome::Failed { cause };
    let call = |failure| failed(Cause::Call { failure });
    match error {
        logintc::Error::NoDevice => VerificationOutcome::NoDevice,
        logintc::Error::UnknownUser(_) => failed(Cause::UnknownUser),
        logintc::Error::WrongDomain(_) => failed(Cause::WrongDomain),
        logintc::Error::Unauthorized(_)
        | logintc::Error::NotEnabled
        | logintc::Error::Gone(_)
        | logintc::Error::Input(..)
        | logintc::Error::Call(_) => call(error.failure()),
    }
}
