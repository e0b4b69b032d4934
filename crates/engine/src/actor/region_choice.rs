//! The regions: one race at a time, whose result goes to every session that asked meanwhile.

#[cfg(test)]
mod tests;

use std::sync::Arc;

use ractor::{Actor, ActorProcessingErr, ActorRef};
use session::{
    Failure, Timestamp,
    region::{Choice, Lane},
};
use tokio::sync::{oneshot, watch};
use wire::Region;

use crate::{
    clock::now,
    remote::{LoginWithMe, probe::probe},
};

/// A message to the regions' actor.
pub enum Message {
    /// Runs a race and sends the chosen region to the caller.
    Choose(oneshot::Sender<Result<Choice, Failure>>),
    /// Runs a race to show its results; nobody waits for the choice.
    Probe,
    /// A race is over.
    Raced(Result<Choice, Failure>),
}

/// The newest race, as it is now.
#[derive(Debug, Clone, PartialEq)]
pub struct Race {
    /// When it began.
    pub at: Timestamp,
    /// Every region's part so far.
    pub lanes: Vec<Lane>,
    /// The result; none while the race runs.
    pub result: Option<Result<Choice, Failure>>,
    /// When it was over; none while it runs.
    pub over_at: Option<Timestamp>,
}

/// The arguments with which the actor starts.
pub struct Start {
    /// The service.
    pub client: Arc<LoginWithMe>,
    /// Samples a region.
    pub rounds: usize,
    /// Where the newest race is shown.
    pub shown: watch::Sender<Option<Race>>,
}

/// The actor's kind.
pub struct Regions;

/// The actor's data.
pub struct RegionsState {
    start: Start,
    current: Option<Region>,
    running: bool,
    waiting: Vec<oneshot::Sender<Result<Choice, Failure>>>,
}

impl Actor for Regions {
    type Msg = Message;
    type State = RegionsState;
    type Arguments = Start;

    async fn pre_start(
        &self,
        _: ActorRef<Message>,
        start: Start,
    ) -> Result<RegionsState, ActorProcessingErr> {
        Ok(RegionsState { start, current: None, running: false, waiting: Vec::new() })
    }

    async fn handle(
        &self,
        myself: ActorRef<Message>,
        message: Message,
        state: &mut RegionsState,
    ) -> Result<(), ActorProcessingErr> {
        match message {
            Message::Choose(answer) => {
                state.waiting.push(answer);
                state.race(&myself);
            }
            Message::Probe => state.race(&myself),
            Message::Raced(result) => state.raced(result),
        }
        Ok(())
    }
}

impl RegionsState {
    fn race(&mut self, myself: &ActorRef<Message>) {
        // Two races at once would share the line and time each other.
        if std::mem::replace(&mut self.running, true) {
            return;
        }
        let (client, shown) = (self.start.client.clone(), self.start.shown.clone());
        let (rounds, current, myself) = (self.start.rounds, self.current.clone(), myself.clone());
        shown.send_replace(Some(Race {
            at: now(),
            lanes: Vec::new(),
            result: None,
            over_at: None,
        }));
        let racing = tokio::spawn(async move {
            let result = probe(&client, rounds, current.as_ref(), |lanes| {
                shown.send_modify(|race| {
                    if let Some(race) = race {
                        race.lanes = lanes.to_vec();
                    }
                });
            });
            result.await.map_err(|failed| failed.failure)
        });
        tokio::spawn(async move {
            // A race that panicked must end all the same: nobody could ask for another one.
            let result = racing.await.unwrap_or_else(|why| {
                tracing::error!(%why, "a race of the regions died");
                Err(Failure::Internal)
            });
            // Gone only when the engine stops.
            let _ = myself.cast(Message::Raced(result));
        });
    }

    fn raced(&mut self, result: Result<Choice, Failure>) {
        self.running = false;
        // A race that failed says nothing against the region that is in use.
        if let Ok(choice) = &result {
            self.current = Some(choice.region.clone());
        }
        for answer in self.waiting.drain(..) {
            // Whoever asked may have gone meanwhile.
            let _ = answer.send(result.clone());
        }
        self.start.shown.send_modify(|race| {
            if let Some(race) = race {
                if let Ok(choice) = &result {
                    race.lanes = choice.lanes.clone();
                }
                race.result = Some(result);
                race.over_at = Some(now());
            }
        });
    }
}
