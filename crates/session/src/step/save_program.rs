//! The customer's program: asked for, downloaded, kept, given up. Its conf is asked for at
//! most once.

use super::Turn;
use crate::{
    Effect, Failure, ProgramEvent,
    program::{DownloadFailure, Gone, Program},
};

impl Turn {
    /// A person confirmed that the customer's own download ends.
    pub(super) fn save_program(&mut self, by: String) {
        if self.state.record.program_obstacle().is_some() {
            return;
        }
        let at = self.now;
        match self.state.record.program {
            Program::NotAsked => {
                self.tell(ProgramEvent::ProgramAsked { by: by.clone(), again: false });
                self.state.record.program = Program::Asking { by, at, cancelled: false };
                self.do_(Effect::AskParameters);
            }
            Program::Kept { .. } => {
                self.tell(ProgramEvent::ProgramAsked { by: by.clone(), again: true });
                self.state.record.program = Program::Downloading { by, at, kept: true };
                self.do_(Effect::DownloadProgram);
            }
            // Excluded above: each is an obstacle.
            Program::Asking { .. }
            | Program::Downloading { .. }
            | Program::Saved { .. }
            | Program::Gone { .. } => {}
        }
    }

    pub(super) fn cancel_program(&mut self) {
        match &mut self.state.record.program {
            // The call goes on, since the service gives the conf only once.
            Program::Asking { cancelled, .. } => *cancelled = true,
            Program::Downloading { .. } => self.do_(Effect::CancelProgram),
            Program::NotAsked
            | Program::Kept { .. }
            | Program::Saved { .. }
            | Program::Gone { .. } => {}
        }
    }

    /// The conf is in the actor's memory.
    pub(super) fn parameters_given(&mut self) {
        let at = self.now;
        match std::mem::take(&mut self.state.record.program) {
            Program::Asking { by, cancelled: false, .. } => {
                self.state.record.program = Program::Downloading { by, at, kept: false };
                self.do_(Effect::DownloadProgram);
            }
            Program::Asking { cancelled: true, .. } => {
                self.keep_program(DownloadFailure::Cancelled)
            }
            other @ (Program::NotAsked
            | Program::Downloading { .. }
            | Program::Kept { .. }
            | Program::Saved { .. }
            | Program::Gone { .. }) => self.state.record.program = other,
        }
    }

    pub(super) fn parameters_failed(&mut self, failure: Failure) {
        match (&self.state.record.program, failure) {
            // The disk refused the record, so no request was sent.
            (Program::Asking { .. }, Failure::Storage) => {
                self.state.record.program = Program::NotAsked;
            }
            // The request reached no service.
            (Program::Asking { .. }, failure) if reached_no_service(failure) => {
                self.state.record.program = Program::NotAsked;
                self.tell(ProgramEvent::ProgramNotSaved {
                    why: DownloadFailure::Failed { failure },
                });
            }
            (
                Program::Asking { .. },
                Failure::Unauthorized | Failure::RateLimited { .. } | Failure::Rejected { .. },
            ) => self.give_program_up(Gone::Refused { failure }),
            // The service may have given the conf before it failed or the connection closed.
            (
                Program::Asking { .. },
                Failure::NoAnswer
                | Failure::TimedOut
                | Failure::Faulty { .. }
                | Failure::Malformed
                | Failure::Blocked { .. }
                | Failure::Unreachable
                | Failure::TooLarge { .. }
                | Failure::NoRegion
                | Failure::Internal,
            ) => self.give_program_up(Gone::MaybeTaken),
            (
                Program::NotAsked
                | Program::Downloading { .. }
                | Program::Kept { .. }
                | Program::Saved { .. }
                | Program::Gone { .. },
                _,
            ) => {}
        }
    }

    pub(super) fn program_saved(&mut self, bytes: u64, path: String) {
        if let Program::Downloading { by, .. } = &self.state.record.program {
            let by = by.clone();
            self.tell(ProgramEvent::ProgramSaved { by: by.clone(), bytes });
            self.state.record.program = Program::Saved { at: self.now, by, bytes, path };
        }
    }

    pub(super) fn program_broken(&mut self, why: DownloadFailure) {
        if let Program::Downloading { .. } = self.state.record.program {
            self.keep_program(why);
        }
    }

    /// After a start: a requested conf may have been given, and one that was only in memory
    /// is gone.
    pub(super) fn interrupted_program(&mut self) {
        match self.state.record.program {
            Program::Asking { .. } => self.give_program_up(Gone::MaybeTaken),
            Program::Downloading { kept: false, .. } => self.give_program_up(Gone::Lost),
            Program::Downloading { kept: true, .. } => self.keep_program(DownloadFailure::Stopped),
            Program::NotAsked
            | Program::Kept { .. }
            | Program::Saved { .. }
            | Program::Gone { .. } => {}
        }
    }

    /// The session is over here: nobody will carry the program to anyone.
    pub(super) fn end_program(&mut self) {
        match self.state.record.program {
            Program::Asking { .. } | Program::Downloading { .. } | Program::Kept { .. } => {
                self.give_program_up(Gone::Ended);
            }
            Program::NotAsked | Program::Saved { .. } | Program::Gone { .. } => {}
        }
    }

    fn keep_program(&mut self, why: DownloadFailure) {
        self.state.record.program = Program::Kept { at: self.now, why };
        self.tell(ProgramEvent::ProgramNotSaved { why });
    }

    fn give_program_up(&mut self, why: Gone) {
        self.state.record.program = Program::Gone { at: self.now, why };
        self.tell(ProgramEvent::ProgramGone { why });
    }
}

const fn reached_no_service(failure: Failure) -> bool {
    match failure {
        Failure::Unreachable => true,
        Failure::Blocked { by } => !by.let_it_through(),
        Failure::Unauthorized
        | Failure::RateLimited { .. }
        | Failure::NoAnswer
        | Failure::TimedOut
        | Failure::Rejected { .. }
        | Failure::Faulty { .. }
        | Failure::Malformed
        | Failure::TooLarge { .. }
        | Failure::NoRegion
        | Failure::Storage
        | Failure::Internal => false,
    }
}
