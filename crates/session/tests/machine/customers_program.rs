//! The customer's program: asked for once, and saved in the name of who confirmed it.

use crate::*;

#[test]
fn the_customers_program_is_asked_for_once_and_saved_in_the_name_of_who_confirmed_it() {
    let mut told = Told::live();
    assert_eq!(told.tell(save()), [Effect::AskParameters]);
    assert_eq!(told.tell(save()), [], "a second click changes nothing");
    assert_eq!(told.tell(Input::ParametersGiven), [Effect::DownloadProgram]);
    told.tell(Input::ProgramSaved { bytes: 7, path: "/x/y.exe".into() });
    assert!(
        matches!(&told.state.record.program, Program::Saved { by, bytes: 7, .. } if by == "anna")
    );
    assert!(
        told.events.contains(&Event::Program(ProgramEvent::ProgramAsked {
            by: "anna".into(),
            again: false
        }))
    );
    assert!(
        told.events
            .contains(&Event::Program(ProgramEvent::ProgramSaved { by: "anna".into(), bytes: 7 }))
    );
    assert_eq!(told.tell(save()), []);
    assert_eq!(told.state.record.program_obstacle(), Some(ProgramObstacle::Saved));
}

#[test]
fn a_session_without_a_pin_saves_no_program() {
    let mut told = Told::new();
    assert_eq!(told.tell(save()), []);
    told.tell(Input::Created { region: None });
    assert_eq!(told.tell(save()), []);
    let mut told = Told::live();
    told.tell(Input::Close { outcome: Outcome::Unknown, by: "anna".into() });
    assert_eq!(told.tell(save()), []);
    assert_eq!(told.state.record.program_obstacle(), Some(ProgramObstacle::NoPin));
}

#[test]
fn a_broken_download_is_tried_again_by_hand_with_what_was_given_before() {
    for broken in
        [DownloadFailure::Failed { failure: Failure::TimedOut }, DownloadFailure::Cancelled]
    {
        let mut told = Told::live();
        told.tell(save());
        told.tell(Input::ParametersGiven);
        assert_eq!(told.tell(Input::ProgramBroken(broken)), [], "nothing tries again by itself");
        assert!(matches!(told.state.record.program, Program::Kept { why, .. } if why == broken));
        assert_eq!(told.tell(save()), [Effect::DownloadProgram]);
    }
}

#[test]
fn cancelling_while_the_service_is_asked_keeps_what_it_gives() {
    let mut told = Told::live();
    told.tell(save());
    assert_eq!(told.tell(Input::CancelProgram), []);
    assert_eq!(told.tell(Input::ParametersGiven), []);
    let kept = Program::Kept { at: told.now, why: DownloadFailure::Cancelled };
    assert_eq!(told.state.record.program, kept);
}

#[test]
fn an_unclear_end_of_the_question_is_never_followed_by_a_second_one() {
    for unclear in [Failure::TimedOut, Failure::NoAnswer, Failure::Faulty { status: 500 }] {
        let mut told = Told::live();
        told.tell(save());
        told.tell(Input::ParametersFailed(unclear));
        assert!(matches!(told.state.record.program, Program::Gone { why: Gone::MaybeTaken, .. }));
        assert_eq!(told.tell(save()), []);
        assert_eq!(told.tell(Input::ParametersGiven), [], "too late to be taken for it");
    }
}

#[test]
fn a_question_that_reached_nobody_was_not_asked_and_may_be_asked() {
    let mut told = Told::live();
    told.tell(save());
    told.tell(Input::ParametersFailed(Failure::Unreachable));
    assert_eq!(told.state.record.program, Program::NotAsked);
    let why = DownloadFailure::Failed { failure: Failure::Unreachable };
    assert!(
        told.events.contains(&Event::Program(ProgramEvent::ProgramNotSaved { why })),
        "it says so"
    );
    assert_eq!(asks(&told.tell(save())), 1);
}

#[test]
fn what_the_disk_did_not_take_was_not_asked_and_may_be_asked() {
    let mut told = Told::live();
    told.tell(save());
    told.tell(Input::ParametersFailed(Failure::Storage));
    assert_eq!(told.state.record.program, Program::NotAsked);
    assert_eq!(asks(&told.tell(save())), 1);
}

#[test]
fn a_program_found_half_asked_after_a_crash_may_be_taken_and_is_never_asked_for_again() {
    let mut told = Told::live();
    told.tell(save());
    assert_eq!(asks(&told.restart()), 0);
    assert!(matches!(told.state.record.program, Program::Gone { why: Gone::MaybeTaken, .. }));
    assert_eq!(told.tell(save()), []);
}

#[test]
fn a_crash_during_a_download_loses_only_what_was_never_on_disk() {
    let mut told = Told::live();
    told.tell(save());
    told.tell(Input::ParametersGiven);
    told.restart();
    assert!(matches!(told.state.record.program, Program::Gone { why: Gone::Lost, .. }));

    let mut told = Told::live();
    told.tell(save());
    told.tell(Input::ParametersGiven);
    told.tell(Input::ProgramBroken(DownloadFailure::Cancelled));
    told.tell(save());
    told.restart();
    assert!(matches!(
        told.state.record.program,
        Program::Kept { why: DownloadFailure::Stopped, .. }
    ));
}

#[test]
fn what_a_program_needs_is_given_up_with_its_session() {
    let over: [fn(&mut Told); 2] = [
        |told| {
            told.tell(Input::Close { outcome: Outcome::Resolved, by: "anna".into() });
        },
        |told| {
            told.now = T0.plus(DAY);
            told.tell(Input::Elapsed(Timer::PinOver));
        },
    ];
    for end in over {
        let mut told = Told::live();
        told.tell(save());
        told.tell(Input::ParametersGiven);
        told.tell(Input::ProgramBroken(DownloadFailure::Cancelled));
        end(&mut told);
        assert!(matches!(told.state.record.program, Program::Gone { why: Gone::Ended, .. }));
        assert!(!told.state.record.program.needs_conf());
    }
}

#[test]
fn a_record_of_before_the_program_could_be_saved_is_read() {
    let told = Told::live();
    let mut stored = serde_json::to_value(&told.state.record).unwrap();
    stored.as_object_mut().unwrap().remove("program").unwrap();
    let read: session::Record = serde_json::from_value(stored).unwrap();
    assert_eq!(read.program, Program::NotAsked);
}
