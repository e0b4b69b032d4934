//! Saving the customer's program: the target file, the conf that the service gave, and
//! the progress.
//!
//! Invariant: the conf is in the secrets, and so on the disk, only while the record is `Kept`. Once
//! the program is saved or abandoned, no copy of the conf is left.

use session::{Input, Program, program::DownloadFailure};
use wire::ConfText;

use super::{download_under_way::ProgramDownload, live::Live, refused::GivenUp};
use crate::{
    actor::message::Reply,
    bus::Progress,
    clock::now,
    error::{CommandError, Misfit},
    perform,
    remote::DownloadTarget,
};

impl Live {
    /// A person wants the program and has confirmed the consequence.
    pub fn save_program(&mut self, place: DownloadTarget, by: String, done: Reply) {
        if let Some(obstacle) = self.state.record.program_obstacle() {
            // Whoever asked may have gone away meanwhile.
            let _ = done.send(Err(CommandError::DoesNotFit(Misfit::Program(obstacle))));
            return;
        }
        // A child: the engine's end ends the download, and no download's end ends the engine.
        let cancel = self.context.watch.stopping.child_token();
        self.program_download = Some(ProgramDownload {
            place,
            conf: self.secrets.as_ref().and_then(|secrets| secrets.conf.clone()),
            progress: None,
            ends_with_it: cancel.clone().drop_guard(),
            cancel,
        });
        self.order(Input::SaveProgram { by }, done);
    }

    /// The service gave the conf. It is dropped if no saving waits for it.
    pub fn parameters_given(&mut self, conf: ConfText) {
        let waiting = match self.state.record.program {
            Program::Asking { .. } => self.program_download.as_mut(),
            // Given up by a command that the disk may still refuse.
            _ => self.undo.download(),
        };
        if let Some(program_download) = waiting {
            program_download.conf = Some(conf);
            self.turn(Input::ParametersGiven, now());
        }
    }

    /// The download has come further.
    pub fn progressed(&mut self, progress: Progress) {
        if let Some(program_download) = &mut self.program_download {
            program_download.progress = Some(progress);
            self.next.at.get_or_insert_with(now);
        }
    }

    /// How far the download is; none if there is none.
    pub(super) fn progress(&self) -> Option<Progress> {
        self.program_download.as_ref().and_then(|program_download| program_download.progress)
    }

    pub(super) fn download_program(&self) {
        let ready = self
            .program_download
            .as_ref()
            .and_then(|program_download| Some((program_download, program_download.conf.clone()?)));
        let Some((program_download, conf)) = ready else {
            tracing::error!(session = %self.id, "download the program: nobody has asked for it");
            return;
        };
        perform::download(
            &self.context,
            &self.mailbox,
            conf,
            program_download.place.clone(),
            program_download.cancel.clone(),
        );
    }

    pub(super) fn cancel_program(&self) {
        if let Some(program_download) = &self.program_download {
            program_download.cancel.cancel();
        }
    }

    /// After a turn: seals the conf beside the record if the record keeps it, and otherwise
    /// drops it.
    pub(super) fn settle_program(&mut self) {
        match self.state.record.program {
            Program::Asking { .. } | Program::Downloading { .. } => {}
            Program::Kept { .. } => {
                let conf =
                    self.program_download.take().and_then(|program_download| program_download.conf);
                if let (Some(conf), Some(secrets)) = (conf, &mut self.secrets) {
                    secrets.conf = Some(conf);
                    self.secrets_changed = true;
                }
            }
            Program::NotAsked | Program::Saved { .. } | Program::Gone { .. } => {
                let download = self.program_download.take();
                let conf = self.secrets.as_mut().and_then(|secrets| secrets.conf.take());
                self.secrets_changed |= conf.is_some();
                self.undo.give_up(GivenUp { download, conf });
            }
        }
    }

    /// Has the program again that a refused command gave up; the next settling drops it where the state
    /// doesn't have it.
    pub(super) fn take_program_back(&mut self, given_up: GivenUp) {
        self.program_download = self.program_download.take().or(given_up.download);
        if let (Some(conf), Some(secrets)) = (given_up.conf, &mut self.secrets) {
            secrets.conf.get_or_insert(conf);
            self.secrets_changed = true;
        }
    }

    /// The engine ends in order: stores the conf of a running download for the next start.
    pub(super) fn stop_program(&mut self) {
        if let Program::Downloading { .. } = self.state.record.program {
            self.cancel_program();
            self.turn(Input::ProgramBroken(DownloadFailure::Stopped), now());
        }
    }
}
