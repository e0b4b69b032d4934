//! Whether this is the person: ordering a verification, and the one gate before every viewer.

use std::time::Duration;

use session::{
    Gate, Input,
    verification::{Verdict, VerificationRequest},
};
use tokio::sync::oneshot;

use super::Engine;
use crate::{
    SessionId,
    actor::{
        message::{SessionMessage, VerificationOrder},
        session::user_of,
    },
    clock::now,
    error::{CommandError, Misfit},
    remote::{
        LoginTc,
        logintc::{Attribute, Code, check_request},
    },
};

impl Engine {
    /// Asks a person's phone, or tries a code, at most once. The request is on disk when this
    /// returns; the outcome appears in the session's record.
    ///
    /// # Errors
    /// [`CommandError`]; nobody was asked then.
    pub async fn verify(
        &self,
        id: SessionId,
        asked: VerificationRequest,
        code: Option<Code>,
        wait: Duration,
    ) -> Result<(), CommandError> {
        self.access().permit()?;
        let actor = self.context.actor(id).ok_or(CommandError::NoSession(id))?;
        let snapshot = self.snapshot(id).ok_or(CommandError::NoSession(id))?;
        if let Some(obstacle) = snapshot.record.verification_obstacle(asked.who) {
            return Err(CommandError::DoesNotFit(Misfit::Verification(obstacle)));
        }
        let client = self.logintc("verify the person")?;
        let shown: Vec<_> = asked.shown.iter().cloned().map(attribute).collect();
        // Before it is on the disk as asked: a request that can't be sent is refused.
        check_request(&user_of(asked.user.clone(), asked.by_id), &shown)
            .map_err(CommandError::Verification)?;
        let order = Box::new(VerificationOrder { client, asked, code, wait });
        let (done, answer) = oneshot::channel();
        actor.cast(SessionMessage::Verify { order, done }).map_err(|_| CommandError::Stopping)?;
        answer.await.map_err(|_| CommandError::Stopping)?
    }

    /// Has a one-time password sent by e-mail to the person with this id.
    ///
    /// # Errors
    /// [`CommandError`].
    pub async fn mail_code(&self, user_id: &str) -> Result<(), CommandError> {
        self.access().permit()?;
        let client = self.logintc("have a code sent by e-mail")?;
        let at = now();
        let person = self.context.people.mail(user_id, at);
        let person = person.map_err(|brake| CommandError::TooSoon { brake, at })?;
        // Without the disk it counts until the next start.
        let noted = self.context.archive.note_mailed_code(person, at).await;
        self.context.archive_wrote(noted.err());
        client.mail_code(user_id).await.map_err(CommandError::Verification)
    }

    /// Sets what is asked for before a viewer is opened, or a link to one mailed.
    pub fn set_gate(&self, gate: Gate) {
        *self.context.gate.write() = gate;
        self.context.tell_all(&Input::GateSet(gate));
    }

    /// Whether a viewer of this session may be opened now, and why; none if there is no
    /// such session.
    pub fn verdict(&self, id: SessionId) -> Option<Verdict> {
        Some(self.context.gate().verdict(&self.snapshot(id)?.record, now()))
    }

    /// Opens a session's gate without a verification, for as long as one would. Whoever calls this
    /// has had `by` sign in afresh for it, and has noted it; it is on disk when this returns.
    ///
    /// # Errors
    /// [`CommandError`].
    pub async fn override_gate(
        &self,
        id: SessionId,
        by: String,
        reason: String,
    ) -> Result<(), CommandError> {
        let snapshot = self.snapshot(id).ok_or(CommandError::NoSession(id))?;
        if !snapshot.record.is_live() {
            return Err(CommandError::DoesNotFit(Misfit::OverrideWithoutPin));
        }
        self.order(id, Input::GateOverridden { by, reason }).await
    }

    /// Whether the gate keeps viewers of this session shut now; none if there is no such session.
    pub fn keeps_shut(&self, id: SessionId) -> Option<bool> {
        let snapshot = self.snapshot(id)?;
        Some(self.context.gate().keeps_shut(&snapshot.record, now()).is_some())
    }

    /// The gate's only check for viewers, their links and the mails that contain one.
    pub(super) fn pass_gate(&self, id: SessionId, doing: &'static str) -> Result<(), CommandError> {
        let snapshot = self.snapshot(id).ok_or(CommandError::NoSession(id))?;
        match self.context.gate().keeps_shut(&snapshot.record, now()) {
            None => Ok(()),
            Some(why) => Err(CommandError::Gate { doing, why }),
        }
    }

    fn logintc(&self, doing: &'static str) -> Result<LoginTc, CommandError> {
        self.services().logintc.ok_or(CommandError::NotSetUp {
            doing,
            what: "the verification service is not set up: its address, domain or key is missing",
        })
    }
}

fn attribute((key, value): (String, String)) -> Attribute {
    Attribute { key, value }
}
