//! Verifications that are under way: the code that was typed, and the service's id of
//! each question.
//!
//! Invariant: both are in this actor's memory and nowhere else. A code is given away with its
//! question; whoever finds the question on the disk after a crash has neither, and so can't
//! ask again.

use session::{
    Failure, Input,
    push_brake::Brake,
    verification::{Cause, Method, VerificationAnswer, VerificationOutcome, VerificationRequest},
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

/// One verification at the service; only in memory.
pub(super) struct PhoneQuestion {
    /// The client that sent the request; polls use it too.
    client: LoginTc,
    /// The code, until it is sent.
    code: Option<Code>,
    /// The service's id of the push, once it is known.
    session: Option<String>,
}

impl Live {
    /// Somebody orders a verification.
    pub fn verify(&mut self, order: VerificationOrder, done: Reply) {
        let VerificationOrder { client, mut asked, code, wait } = order;
        if let Some(obstacle) = self.state.record.verification_obstacle(asked.who) {
            // Whoever asked may have gone away meanwhile.
            let _ = done.send(Err(CommandError::DoesNotFit(Misfit::Verification(obstacle))));
            return;
        }
        let (context, at) = (self.context.clone(), now());
        let _turn = context.people.one_at_a_time();
        if let Some(brake) = context.people.brake(self.id, &asked, at) {
            let _ = done.send(Err(CommandError::TooSoon { brake, at }));
            return;
        }
        asked.denied_before = context.people.denials(self.id, &asked, at);
        self.order(Input::Verify { asked, wait }, done);
        if let Some(new) = self.state.record.verifications.last() {
            self.questions.insert(new.id, PhoneQuestion { client, code, session: None });
        }
    }

    /// Why the person who was asked last may not be sent another push yet; none if they may.
    pub(super) fn next_push(&self) -> Option<Brake> {
        let last = self.state.record.verifications.last()?;
        let wanted = VerificationRequest { how: Method::Push, ..last.asked.clone() };
        self.context.people.brake(self.id, &wanted, now())
    }

    pub(super) fn ask_phone(&mut self, id: u32, user: User, shown: Vec<(String, String)>) {
        // A request that may be made only once starts only after it is recorded on the disk.
        if self.unsaved.is_some() {
            let end =
                VerificationOutcome::Failed { cause: Cause::Call { failure: Failure::Storage } };
            self.mailbox.tell(Input::VerificationFailed { id, end });
            return;
        }
        let Some(phone) = self.questions.get_mut(&id) else {
            tracing::error!(session = %self.id, "ask a phone: nobody has ordered this verification");
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
                    // Stored even if the verification has ended: a push can be cancelled only by
                    // this id.
                    phone.session = Some(session);
                }
                let answer = match state {
                    logintc::PushState::Approved => VerificationAnswer::Approved,
                    logintc::PushState::Denied => VerificationAnswer::Denied,
                    // The service accepted the request; the next poll brings its state.
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

    /// Takes a push back. One that has no id of the service yet is taken back when the id arrives.
    pub(super) fn cancel_phone(&mut self, id: u32) {
        if let Some((client, session)) = self.question(id) {
            self.questions.remove(&id);
            perform::cancel_phone(&self.context, &self.mailbox, id, client, session);
        }
    }

    fn question(&self, id: u32) -> Option<(LoginTc, String)> {
        let phone = self.questions.get(&id)?;
        Some((phone.client.clone(), phone.session.clone()?))
    }
}

/// The person in the form that the verification service expects.
pub(crate) fn user_of(name: String, by_id: bool) -> User {
    if by_id { User::Id(name) } else { User::Username(name) }
}

/// The outcome of a verification whose request the service refused.
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
