//! The chat: told by the broker or polled while the session lives, saved as its transcript when it ends.

use std::time::Duration;

use super::Turn;
use crate::{ChatEvent, Effect, Failure, Presenter, SavedChat, Timer, Transcript, Viewers, retry};

/// How often the chat on screen is fetched where the service doesn't tell of it.
const ON_SCREEN: Duration = Duration::from_secs(2);
/// How often, if somebody is present but the session isn't on screen.
const ACTIVE: Duration = Duration::from_secs(10);
/// How often, if nobody is known to be present: a customer who can't start the program can write on their page.
const NOBODY: Duration = Duration::from_secs(60);
/// How often where the broker itself tells of each message: the service forgets a message after a day.
const WELL_BEFORE_A_DAY: Duration = Duration::from_secs(6 * 3600);

impl Turn {
    pub(super) fn poll_chat(&mut self) {
        if self.state.record.is_live() {
            self.do_(Effect::FetchChat { transcript: false });
        }
    }

    /// Starts the timer for the next poll, by who is present and whether the session is on screen.
    pub(super) fn schedule_chat(&mut self) {
        if !self.state.record.is_live() {
            return;
        }
        let somebody = matches!(
            self.state.record.presenter,
            Presenter::Online { .. } | Presenter::Unknown { .. }
        ) || matches!(
            self.state.record.viewers,
            Viewers::Some { .. } | Viewers::Unknown { .. }
        );
        let after = match (self.state.on_screen, somebody) {
            (false, _) if self.state.record.observed.is_told => WELL_BEFORE_A_DAY,
            (true, true) if !self.state.record.observed.is_told => ON_SCREEN,
            // Where the broker tells of each message, it keeps "as of" true.
            (true, _) | (false, true) => ACTIVE,
            (false, false) => NOBODY,
        };
        self.do_(Effect::Start { timer: Timer::PollChat, after, spread: true });
    }

    /// The session has ended, as far as is known: the whole chat goes into the archive.
    pub(super) fn want_transcript(&mut self) {
        self.state.record.transcript = Transcript::Wanted { failed: 0 };
        self.fetch_transcript();
    }

    /// One fetch at a time: its answer tells whether there is anything newer than what it asked for.
    pub(super) fn fetch_transcript(&mut self) {
        self.do_(Effect::Stop { timer: Timer::RetryTranscript });
        if self.state.transcript_under_way {
            self.state.transcript_stale = true;
        } else {
            self.state.transcript_under_way = true;
            self.do_(Effect::FetchChat { transcript: true });
        }
    }

    /// The fetch of the transcript has ended. Whether it is fetched anew, because it was wanted again meanwhile.
    fn transcript_is_fetched_anew(&mut self, transcript: bool) -> bool {
        if !transcript {
            return false;
        }
        self.state.transcript_under_way = false;
        let is_stale = std::mem::take(&mut self.state.transcript_stale);
        let is_wanted = matches!(self.state.record.transcript, Transcript::Wanted { .. });
        if is_stale && is_wanted {
            self.fetch_transcript();
        }
        is_stale && is_wanted
    }

    pub(super) fn retry_transcript(&mut self) {
        match self.state.record.transcript {
            Transcript::Wanted { .. } => self.fetch_transcript(),
            Transcript::NotYet | Transcript::Saved { .. } => {}
        }
    }

    pub(super) fn chat_saved(&mut self, saved: SavedChat) {
        let SavedChat { new, total, transcript, from, last } = saved;
        self.state.chat_as_of = Some(self.now);
        self.state.chat_failure = None;
        if new > 0 {
            self.tell(ChatEvent::ChatArrived { messages: new, from });
        }
        let anew = self.transcript_is_fetched_anew(transcript);
        let record = &mut self.state.record;
        // Not the greatest: a broker whose store was put back from a copy gives numbers again.
        if let Some((number, guid)) = last {
            record.observed.chat_number = number;
            record.observed.chat_guid = Some(guid);
        }
        match &mut record.transcript {
            Transcript::Wanted { .. } if transcript && !anew => {
                record.transcript = Transcript::Saved { at: self.now, messages: total };
                // Saved again without a new message, such as when it is closed after it ended, it is no news.
                if record.transcript_told.replace(total) != Some(total) {
                    self.tell(ChatEvent::TranscriptSaved { messages: total });
                }
            }
            // Somebody may write after the end; the archive has it, so the count must not
            // stay behind.
            Transcript::Saved { messages, .. } => *messages = total,
            Transcript::NotYet | Transcript::Wanted { .. } => {}
        }
        self.schedule_chat();
    }

    pub(super) fn chat_failed(&mut self, failure: Failure, transcript: bool) {
        self.state.chat_failure = Some(failure);
        let anew = self.transcript_is_fetched_anew(transcript);
        match &mut self.state.record.transcript {
            Transcript::Wanted { failed } if transcript && !anew => {
                *failed = failed.saturating_add(1);
                let attempt = *failed;
                // Each further try would only say the same again.
                if attempt == 1 {
                    self.tell(ChatEvent::TranscriptFailed { failure });
                }
                let after = retry::wait(attempt, failure, self.state.on_screen);
                self.do_(Effect::Start { timer: Timer::RetryTranscript, after, spread: true });
            }
            Transcript::NotYet | Transcript::Wanted { .. } | Transcript::Saved { .. } => {}
        }
        self.schedule_chat();
    }
}
