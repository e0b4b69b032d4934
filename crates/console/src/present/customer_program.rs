//! The customer's program, saved to be carried by hand: its progress, and the effects to confirm.

use engine::Snapshot;
use session::{
    Failure, Program, Record,
    program::{DownloadFailure, Gone},
};

use super::{Setting, trouble};
use crate::{
    view::{Code, ProgramState, ProgramView, Trouble},
    words,
};

const DOING: &str = "save the customer's program";
/// The text that a person confirms before the service is asked.
const CONSEQUENCE: &str = "The customer's own download stops working for this PIN: what their \
    program needs is given only once, and this console takes it. Only the file that is saved here \
    will work. It carries the session's secrets, so give it to the customer and to nobody else.";
/// The text that a person confirms before a download is tried again.
const AGAIN: &str = "The download is tried again with what the service gave before; it is not \
    asked a second time.";

/// The view; none if the program plays no part in this session.
pub fn view(snapshot: &Snapshot, setting: &Setting<'_>) -> Option<ProgramView> {
    let record = &snapshot.record;
    if record.program == Program::NotAsked && !record.is_live() {
        return None;
    }
    let (state, text) = match &record.program {
        Program::NotAsked => (ProgramState::NotAsked, "Not saved here".to_owned()),
        Program::Asking { cancelled: false, .. } => {
            (ProgramState::Asking, "Asking the service for it".to_owned())
        }
        Program::Asking { cancelled: true, .. } => (
            ProgramState::Asking,
            "Being cancelled, as soon as the service has answered".to_owned(),
        ),
        Program::Downloading { .. } => {
            let progress = snapshot.progress.unwrap_or_default();
            let text = match progress.total {
                Some(total) => {
                    format!("{} of {}", words::size(progress.bytes), words::size(total))
                }
                None => words::size(progress.bytes),
            };
            (ProgramState::Downloading { bytes: progress.bytes, total: progress.total }, text)
        }
        Program::Kept { why, .. } => {
            let trouble = broken(*why);
            (ProgramState::Kept { trouble: trouble.clone() }, trouble.text)
        }
        Program::Saved { at, by, bytes, path } => {
            let by = words::plain(by, words::LONGEST_NAME);
            let text = format!("Saved by {by} at {}, {}", setting.clock(*at), words::size(*bytes));
            let path = words::plain(path, 4096);
            (ProgramState::Saved { at: at.0, by, bytes: *bytes, path }, text)
        }
        Program::Gone { why, .. } => {
            let trouble = gone(*why);
            (ProgramState::Gone { trouble: trouble.clone() }, trouble.text)
        }
    };
    Some(ProgramView { state, text, ask: ask(record).map(str::to_owned) })
}

/// What a person has to confirm before the program is saved; none while that is impossible.
pub fn ask(record: &Record) -> Option<&'static str> {
    if record.program_obstacle().is_some() {
        return None;
    }
    match record.program {
        Program::NotAsked => Some(CONSEQUENCE),
        Program::Kept { .. } => Some(AGAIN),
        // These are obstacles, which were excluded above.
        Program::Asking { .. }
        | Program::Downloading { .. }
        | Program::Saved { .. }
        | Program::Gone { .. } => None,
    }
}

fn broken(why: DownloadFailure) -> Trouble {
    const KEPT: &str = "What the service gave is kept, encrypted.";
    match why {
        // Elsewhere the remedy for a full disk names the data folder; this file goes to the folder
        // that the person chose.
        DownloadFailure::Failed { failure: Failure::Storage } => Trouble {
            code: Code::FreeSpace,
            text: trouble::sentence(&format!("{DOING}: {}", Failure::Storage.reason())),
            remedy: format!("Free some space, or choose another folder; then try again. {KEPT}"),
        },
        DownloadFailure::Failed { failure } => {
            let trouble = trouble::of_failure(DOING, failure);
            Trouble { remedy: format!("Try the download again. {KEPT}"), ..trouble }
        }
        DownloadFailure::Cancelled => Trouble {
            code: Code::TryAgain,
            text: trouble::sentence(&format!("{DOING}: it was cancelled, and no file is left")),
            remedy: format!("Try the download again. {KEPT}"),
        },
        DownloadFailure::Stopped => Trouble {
            code: Code::TryAgain,
            text: trouble::sentence(&format!("{DOING}: Deskhand was ended before it was complete")),
            remedy: format!("Try the download again. {KEPT}"),
        },
    }
}

fn gone(why: Gone) -> Trouble {
    const INSTEAD: &str =
        "Invite the customer with the join link or by e-mail, or start a new session.";
    let said = |why: &str| trouble::sentence(&format!("{DOING}: {why}"));
    match why {
        Gone::Refused { failure } => Trouble {
            remedy: format!("The service gives it once per PIN. {INSTEAD}"),
            ..trouble::of_failure(DOING, failure)
        },
        Gone::MaybeTaken => Trouble {
            code: Code::Refused,
            text: said(
                "it may have been taken, for no clear answer came. It is not asked for a second time",
            ),
            remedy: format!("The customer's own download may have stopped working. {INSTEAD}"),
        },
        Gone::Lost => Trouble {
            code: Code::Refused,
            text: said("Deskhand ended before the file was known to be complete"),
            remedy: format!("If it is in its folder, it is complete. Else: {INSTEAD}"),
        },
        Gone::Ended => Trouble {
            code: Code::Refused,
            text: said("the session was over first, so what it needs was erased"),
            remedy: "Start a new session.".into(),
        },
    }
}

#[cfg(test)]
mod tests {
    use session::{About, Life, State, Timestamp, state::Allocation};

    use super::*;

    const AT: Timestamp = Timestamp(1_000);

    fn record(program: Program) -> Record {
        let record = State::new(About::default(), "anna".into(), AT).record;
        let region = "us-east-1".parse().unwrap();
        let life = Life::Live(Allocation { region, at: AT, expires: Timestamp(9_000) });
        Record { life, program, ..record }
    }

    #[test]
    fn what_a_person_confirms_says_the_consequence_or_that_there_is_no_new_one() {
        assert!(ask(&record(Program::NotAsked)).unwrap().contains("stops working for this PIN"));
        let kept = Program::Kept { at: AT, why: DownloadFailure::Cancelled };
        assert!(ask(&record(kept)).unwrap().contains("not asked a second time"));
        let gone = Program::Gone { at: AT, why: Gone::MaybeTaken };
        assert_eq!(ask(&record(gone)), None);
    }

    #[test]
    fn every_end_without_a_file_has_a_reason_and_a_remedy() {
        let failures = [Failure::Storage, Failure::TimedOut, Failure::Rejected { status: 409 }];
        let broken_ones = failures
            .map(|failure| DownloadFailure::Failed { failure })
            .into_iter()
            .chain([DownloadFailure::Cancelled, DownloadFailure::Stopped])
            .map(broken);
        let refused = Gone::Refused { failure: Failure::Rejected { status: 409 } };
        let gone_ones = [refused, Gone::MaybeTaken, Gone::Lost, Gone::Ended].map(gone);
        for trouble in broken_ones.chain(gone_ones) {
            assert!(trouble.text.starts_with("Save the customer's program: "), "{trouble:?}");
            assert!(trouble.remedy.ends_with('.'), "{trouble:?}");
        }
    }
}
