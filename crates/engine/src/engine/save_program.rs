//! Saving the customer's program. The service may be asked only once, so everything that can be
//! checked beforehand is checked first.

use session::Program;
use tokio::sync::oneshot;

use super::Engine;
use crate::{
    SessionId,
    actor::message::SessionMessage,
    error::{CommandError, Misfit},
    remote::{CallError, Doing, DownloadTarget},
};

impl Engine {
    /// Begins to save the customer's program at `place`, for `by`, who has confirmed that the
    /// customer's own download stops working for this PIN; that it begins is on disk when
    /// this returns.
    ///
    /// # Errors
    /// [`CommandError`]; the service was not asked for the program then.
    pub async fn save_program(
        &self,
        id: SessionId,
        place: DownloadTarget,
        by: String,
    ) -> Result<(), CommandError> {
        self.access().permit()?;
        let actor = self.context.actor(id).ok_or(CommandError::NoSession(id))?;
        let snapshot = self.snapshot(id).ok_or(CommandError::NoSession(id))?;
        if let Some(obstacle) = snapshot.record.program_obstacle() {
            return Err(CommandError::DoesNotFit(Misfit::Program(obstacle)));
        }
        // The target before the service: a conf that is given once but can't be used would be lost.
        let checked = place.clone();
        tokio::task::spawn_blocking(move || checked.check())
            .await
            .map_err(|_| CommandError::Stopping)?
            .map_err(CommandError::DownloadTarget)?;
        if snapshot.record.program == Program::NotAsked {
            self.service_is_there().await?;
        }
        let (done, answer) = oneshot::channel();
        actor
            .cast(SessionMessage::SaveProgram { place, by, done })
            .map_err(|_| CommandError::Stopping)?;
        answer.await.map_err(|_| CommandError::Stopping)?
    }

    /// Checks that the service answers another call. The request for the conf may be made only
    /// once, and one that fails may have been received.
    async fn service_is_there(&self) -> Result<(), CommandError> {
        let answered = self.context.client.regions().await;
        self.context.service_answered(answered.as_ref().err().map(|error| error.failure));
        let instead = |error| CallError { doing: Doing::FetchParameters, ..error };
        answered.map(drop).map_err(|error| CommandError::Call(instead(error)))
    }
}
