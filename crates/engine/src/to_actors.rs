//! Passes the webhook listener's events on to the sessions' actors.

use std::sync::Arc;

use session::{Delivery, Input, Timestamp};
use wire::HookType;

use crate::{
    SessionId, actor::message::SessionMessage, clock::now, context::Context, hooks::Receiver,
    journal::JournalError,
};

pub(crate) struct ToActors(pub Arc<Context>);

impl Receiver for ToActors {
    fn received(&self, session: SessionId, hook: HookType) {
        self.0.look();
        self.0.way.hook_came(now());
        self.send(session, SessionMessage::Received(hook));
    }

    fn committed(
        &self,
        session: SessionId,
        hook: HookType,
        delivery: Delivery,
        seq: Option<u64>,
        at: Timestamp,
    ) {
        self.0.look();
        self.send(session, SessionMessage::Committed { hook, delivery, seq, at });
        // Where the service numbers its states, a late webhook is known to be late.
        if delivery.revision.is_none()
            && let Some(since) = self.0.awake.told(session, hook, at)
        {
            // Both are told: that it was reported, and that this needn't be the present state.
            self.send(session, SessionMessage::Input(Input::Missed { since }));
        }
    }

    fn written(&self, session: SessionId, seq: u64) {
        self.send(session, SessionMessage::Written { seq });
    }

    fn disk(&self, failure: Option<&JournalError>) {
        self.0.journal_wrote(failure.cloned());
    }
}

impl ToActors {
    fn send(&self, session: SessionId, message: SessionMessage) {
        if let Some(actor) = self.0.actor(session) {
            // An actor that just died gets the event from the journal when it starts again.
            let _ = actor.cast(message);
        }
    }
}
