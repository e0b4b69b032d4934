//! Which effects are the actor's own, because they need its memory, and which are done in tasks.
//!
//! Invariant: an effect that may happen only once starts only after it is recorded on the disk.

use std::time::Duration;

use session::{Effect, Failure, Input, Timer, mail::Template};

use super::{live::Live, phone_questions::user_of};
use crate::{clock::now, perform};

impl Live {
    /// Hooks that can't arrive tell nothing of a new session either, not even that nobody is there.
    pub fn doubt_hooks_that_cannot_arrive(&mut self) {
        if self.context.way.now().is_broken() {
            self.turn(Input::Missed { since: now() }, now());
        }
    }

    /// Begins `effects` in their order. The actor's own are done here, the others in tasks.
    pub(super) fn perform(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            match effect {
                Effect::Start { timer, after, spread } => {
                    let after = if spread { perform::spread(after) } else { after };
                    self.start(timer, after);
                }
                Effect::Heartbeat { hurried } => {
                    let after = perform::heartbeat(&self.context, hurried);
                    self.start(Timer::Heartbeat, after);
                }
                Effect::Stop { timer } => {
                    self.generations.remove(&timer);
                    self.context.timers.stop(self.id, timer);
                }
                // An effect that may happen only once starts only after it is recorded on the disk.
                Effect::SendMail { id, .. } if self.unsaved.is_some() => {
                    let refused = Input::MailFailed { id, failure: Failure::Storage };
                    self.mailbox.tell(refused);
                }
                // The settings may have become stricter while the disk wrote.
                Effect::SendMail { id, template: Template::ToColleague, .. }
                    if self.holds_mails() =>
                {
                    self.mailbox.tell(Input::MailHeld { id });
                }
                Effect::AskParameters if self.unsaved.is_some() => {
                    let refused = Input::ParametersFailed(Failure::Storage);
                    self.mailbox.tell(refused);
                }
                Effect::AskPhone { id, user, by_id, shown } => {
                    self.ask_phone(id, user_of(user, by_id), shown);
                }
                Effect::PollPhone { id } => self.poll_phone(id),
                Effect::CancelPhone { id } => self.cancel_phone(id),
                Effect::DownloadProgram => self.download_program(),
                Effect::CancelProgram => self.cancel_program(),
                effect @ (Effect::ChooseRegion
                | Effect::Allocate { .. }
                | Effect::PutHook { .. }
                | Effect::FetchChat { .. }
                | Effect::AskState
                | Effect::SendMail { .. }
                | Effect::AskParameters
                | Effect::RevokePin) => {
                    perform::effect(
                        &self.context,
                        self.id,
                        self.secrets.as_ref(),
                        &self.mailbox,
                        effect,
                    );
                }
            }
        }
    }

    fn holds_mails(&self) -> bool {
        self.context.gate().holds_mails(&self.state.record, now()).is_some()
    }

    fn start(&mut self, timer: Timer, after: Duration) {
        self.next_generation += 1;
        self.generations.insert(timer, self.next_generation);
        self.context.timers.set(self.id, timer, self.next_generation, after, self.mailbox.clone());
    }
}
