//! Deleting sessions that are over, from the archive, the journal and the file of each.
//!
//! The archive comes first and remembers what it deleted. So a deletion that a crash cut short is finished at
//! the next start, and whatever of the session is on its way still finds no place.

use std::time::Duration;

use session::{Life, Record, Timestamp, state::Allocation};

use super::Engine;
use crate::{
    SessionId,
    clock::now,
    error::{CommandError, Misfit},
};

/// Between two tries to empty a log that somebody reads.
const READERS_NEED: Duration = Duration::from_millis(50);
/// After so many it is left to the next deletion, or to the end.
const TRIES: u32 = 100;

impl Engine {
    /// Why a session can't be deleted now; none if it can, be it known to the archive alone.
    pub fn why_not_deleted(&self, id: SessionId) -> Option<Misfit> {
        self.snapshot(id).and_then(|snapshot| obstacle(&snapshot.record, now()))
    }

    /// Deletes a session that is over, with everything that is kept of it, for good and from the disk.
    ///
    /// # Errors
    /// [`CommandError`]; after one of the disk, the same call goes on where it stopped.
    pub async fn delete_session(&self, id: SessionId) -> Result<(), CommandError> {
        self.access().permit()?;
        self.delete_by_rule(id).await?;
        self.empty_logs().await
    }

    /// As [`Self::delete_session`], but nobody asked for it, so it may be locked. What was deleted is in the
    /// files' logs until [`Self::empty_logs`].
    ///
    /// # Errors
    /// [`CommandError`]
    pub async fn delete_by_rule(&self, id: SessionId) -> Result<(), CommandError> {
        if let Some(misfit) = self.why_not_deleted(id) {
            return Err(CommandError::DoesNotFit(misfit));
        }
        let context = &self.context;
        let asked = context.people.of_session(id, now());
        context.archive.delete_asked(id, asked).await.map_err(CommandError::Archive)?;
        let actor = context.sessions.write().remove(&id);
        if let Some(actor) = actor {
            // Its last words are written before the journal erases it.
            let _ = actor.stop_and_wait(None, None).await;
        }
        context.routes.forget(id);
        context.journal.erase(id).await.map_err(CommandError::NotSaved)?;
        context.bus.forget(id);
        context.deletions.notify_one();
        Ok(())
    }

    /// Takes what was deleted out of the logs of journal and archive, too.
    ///
    /// # Errors
    /// [`CommandError::Archive`]
    pub async fn empty_logs(&self) -> Result<(), CommandError> {
        for _ in 0..TRIES {
            // The journal empties its own after each write, unless it is read just then.
            let emptied = self.context.archive.empty_log().await.map_err(CommandError::Archive)?;
            if emptied {
                return Ok(());
            }
            tokio::time::sleep(READERS_NEED).await;
        }
        tracing::warn!("what was deleted is still in the archive's log, which is being read");
        Ok(())
    }
}

/// Why a session can't be deleted at `at`; none if it can.
fn obstacle(record: &Record, at: Timestamp) -> Option<Misfit> {
    let is_good = |allocation: &Option<Allocation>| {
        allocation.as_ref().is_some_and(|allocation| allocation.end(at) > at)
    };
    match &record.life {
        Life::Over { .. } => None,
        Life::Failed { allocation, .. } => is_good(allocation).then_some(Misfit::NotOver),
        Life::Allocating | Life::Live(_) => Some(Misfit::NotOver),
        Life::Closed { allocation, revoked, .. } => {
            // Its actor tries to end the PIN for as long as it is good.
            (is_good(allocation) && revoked.is_none()).then_some(Misfit::PinNotEnded)
        }
    }
}

#[cfg(test)]
mod tests {
    use session::{About, Failure, Outcome, State};

    use super::*;

    const ENDS: Timestamp = Timestamp(90_000_000);

    fn why_not(life: Life, at: Timestamp) -> Option<Misfit> {
        let mut record = State::new(About::default(), "Anna".into(), Timestamp(0)).record;
        record.life = life;
        obstacle(&record, at)
    }

    #[test]
    fn a_session_whose_pin_may_still_be_ended_is_not_deleted() {
        let region = "us-east-1".parse().unwrap();
        let allocation = Allocation { region, at: Timestamp(0), expires: ENDS };
        let before = Timestamp(ENDS.0 - 1);
        let closed = |revoked| Life::Closed {
            at: Timestamp(1),
            outcome: Outcome::Unknown,
            allocation: Some(allocation.clone()),
            revoked,
        };
        assert_eq!(why_not(closed(None), before), Some(Misfit::PinNotEnded));
        for answer in [true, false] {
            assert_eq!(why_not(closed(Some(answer)), before), None, "the service has answered");
        }
        assert_eq!(why_not(closed(None), ENDS), None, "its life is over");

        let failed =
            |allocation| Life::Failed { at: Timestamp(1), failure: Failure::Internal, allocation };
        assert_eq!(why_not(failed(Some(allocation.clone())), before), Some(Misfit::NotOver));
        assert_eq!(why_not(failed(Some(allocation.clone())), ENDS), None);
        assert_eq!(why_not(failed(None), before), None);
        assert_eq!(why_not(Life::Live(allocation), ENDS), Some(Misfit::NotOver));
        assert_eq!(why_not(Life::Allocating, before), Some(Misfit::NotOver));
    }
}
