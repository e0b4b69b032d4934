//! Turns on their way to the disk: one transaction at a time, and what it wanted once it has been written or refused.

use std::sync::Arc;

use session::Record;
use tokio::task::JoinHandle;

use super::{Live, Wanted};
use crate::{
    actor::{message::SessionMessage, session::refused::TakenBack},
    journal::{JournalError, SessionTurn},
};

/// A transaction on its way to the disk.
pub(super) struct Saving {
    wanted: Wanted,
    record: Arc<Record>,
    /// How many of the unwritten events are in it.
    events: usize,
    secrets: bool,
    /// What the disk answers, where nobody waits for it.
    answer: Option<JoinHandle<Result<(), JournalError>>>,
}

impl Live {
    /// Writes the newest turns to the disk, or performs their effects at once if nothing changed.
    pub async fn write_or_finish(&mut self) {
        if self.next.at.is_none() {
            return;
        }
        if self.saving.is_some() {
            // Lamps are never written: they are true at once, however long the disk takes.
            self.publish(false);
            return;
        }
        if !self.has_to_be_saved() {
            let wanted = std::mem::take(&mut self.next);
            self.undo.forget();
            self.finish(wanted, self.record.clone(), false).await;
            return;
        }
        let (turns, mut saving) = self.begin_transaction();
        let (to, written) = (self.mailbox.clone(), self.context.journal.save_turn(turns));
        // Not awaited: a slow disk must not keep the session from putting a hook that fires meanwhile.
        saving.answer = Some(self.context.watch.tasks.spawn(async move {
            let outcome = written.await.map(drop);
            to.send(SessionMessage::Saved(outcome.clone()));
            outcome
        }));
        self.saving = Some(saving);
    }

    /// Writes what the disk hasn't got, and waits for it.
    pub(super) async fn save_now(&mut self) {
        let (turns, saving) = self.begin_transaction();
        self.saving = Some(saving);
        let outcome = self.context.journal.save_turn(turns).await.map(drop);
        self.saved(outcome).await;
    }

    /// The disk has answered.
    pub async fn saved(&mut self, outcome: Result<(), JournalError>) {
        let Some(saving) = self.saving.take() else { return };
        let happened = saving.events > 0 && outcome.is_ok();
        let (wanted, record) = self.note_outcome(saving, outcome);
        self.finish(wanted, record, happened).await;
    }

    /// Notes what is on the disk now; answers what was wanted with it, and the record.
    fn note_outcome(
        &mut self,
        mut saving: Saving,
        outcome: Result<(), JournalError>,
    ) -> (Wanted, Arc<Record>) {
        match outcome {
            Ok(()) => {
                self.unwritten.drain(..saving.events);
                self.undo.saved(saving.events);
                self.unsaved = None;
                self.context.journal_wrote(None);
            }
            Err(error) => {
                if let Some(back) = self.undo.refused() {
                    saving.record = self.take_back(back, &mut saving.wanted);
                }
                // What stays is tried again with the next turn.
                self.changed = true;
                self.secrets_changed |= saving.secrets;
                self.context.journal_wrote(Some(error.clone()));
                self.unsaved = Some(error);
            }
        }
        (saving.wanted, saving.record)
    }

    /// Takes the refused commands back; answers the record as it is without them.
    fn take_back(&mut self, back: TakenBack, wanted: &mut Wanted) -> Arc<Record> {
        let TakenBack { kept_state, kept, state, next, effects, events, given_up } = back;
        wanted.effects.truncate(effects);
        wanted.effects.extend(kept.effects);
        self.next.effects = next.effects;
        self.unwritten.truncate(events);
        self.unwritten.extend(kept.events.into_iter().chain(next.events));
        self.state = state;
        self.take_program_back(given_up);
        self.note_change();
        Arc::new(kept_state.record)
    }

    /// The actor ends in order: writes what the disk hasn't got yet.
    pub async fn end(&mut self) {
        // A timer that ran out from here on would start work whose result nobody receives.
        self.context.timers.forget(self.id);
        self.stop_program();
        // The answer to what is on its way comes to nobody any more, and it may have been refused.
        if let Some(mut saving) = self.saving.take() {
            let outcome = match saving.answer.take() {
                Some(answer) => answer.await.ok(),
                None => None,
            };
            match outcome {
                Some(outcome) => drop(self.note_outcome(saving, outcome)),
                None => self.changed = true,
            }
        }
        if self.has_to_be_saved() {
            let (turns, _) = self.begin_transaction();
            if let Err(error) = self.context.journal.save_turn(turns).await {
                tracing::warn!(session = %self.id, %error, "the last turn wasn't saved");
            }
        }
    }

    pub(super) fn has_to_be_saved(&self) -> bool {
        let in_flight = self.saving.as_ref().map_or(0, |saving| saving.events);
        self.changed || self.secrets_changed || self.unwritten.len() > in_flight
    }

    /// One transaction: the record with its applied sequence, and the events.
    pub(super) fn begin_transaction(&mut self) -> (SessionTurn, Saving) {
        let record = self.record.clone();
        let secrets = std::mem::take(&mut self.secrets_changed);
        self.changed = false;
        let in_flight = self.saving.as_ref().map_or(0, |saving| saving.events);
        let turns = SessionTurn {
            session: self.id,
            record: record.clone(),
            secrets: self.secrets.clone().filter(|_| secrets),
            applied_seq: self.applied_seq,
            events: self.unwritten[in_flight..].to_vec(),
        };
        self.undo.on_its_way();
        let wanted = std::mem::take(&mut self.next);
        (turns, Saving { wanted, record, events: self.unwritten.len(), secrets, answer: None })
    }
}
