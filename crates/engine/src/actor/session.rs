//! One actor per support session: it owns the state, the PIN, the hooks' tokens and the timers.
//!
//! A turn is: input, step, one transaction (record, applied sequence, events), effects, snapshot.
//! The actor doesn't wait for the disk: turns that come meanwhile go into the next transaction, and
//! a hook that was just received is armed again before anything else.

mod download_under_way;
mod effects;
mod live;
mod phone_questions;
mod program_download;
mod refused;

#[cfg(test)]
mod tests;

use ractor::{Actor, ActorProcessingErr, ActorRef};
use session::Input;

use self::live::Live;
pub use self::live::Start;
pub(crate) use self::phone_questions::user_of;
use crate::{actor::message::SessionMessage as Message, clock::now, journal::Committed};

/// The actor's kind; its data is `Live`.
pub struct Session;

impl Actor for Session {
    type Msg = Message;
    type State = Live;
    type Arguments = Start;

    async fn pre_start(
        &self,
        myself: ActorRef<Message>,
        start: Start,
    ) -> Result<Live, ActorProcessingErr> {
        Ok(Live::begin(myself.into(), start).await)
    }

    async fn handle(
        &self,
        _: ActorRef<Message>,
        message: Message,
        live: &mut Live,
    ) -> Result<(), ActorProcessingErr> {
        match message {
            Message::Input(input) => live.turn(input, now()),
            Message::Command(input, done) => {
                live.order(input, done);
            }
            Message::Elapsed { timer, generation } => live.elapsed(timer, generation),
            Message::Received(hook) => live.turn(Input::Received(hook), now()),
            Message::Committed { hook, delivery, seq, at } => {
                live.committed(Committed { seq: seq.unwrap_or(0), hook, at, delivery });
            }
            Message::Written { seq } => live.written(seq),
            Message::Saved(outcome) => live.saved(outcome).await,
            Message::PinGiven { region, pin } => {
                live.pin_given(region, pin);
                live.doubt_hooks_that_cannot_arrive();
            }
            Message::SaveProgram { place, by, done } => live.save_program(place, by, done),
            Message::ParametersGiven(conf) => live.parameters_given(conf),
            Message::Progressed(progress) => live.progressed(progress),
            Message::Verify { order, done } => live.verify(*order, done),
            Message::PhoneAsked { id, outcome } => live.phone_asked(id, outcome),
            // Only a bug gets here. The journal has every effect that was requested, so the session
            // is restarted from it instead of waiting for ever.
            Message::EffectDied { why } => return Err(why.into()),
        }
        live.write_or_finish().await;
        Ok(())
    }

    async fn post_stop(
        &self,
        _: ActorRef<Message>,
        live: &mut Live,
    ) -> Result<(), ActorProcessingErr> {
        live.end().await;
        Ok(())
    }
}
