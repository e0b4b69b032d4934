//! What happened, in sentences: for the log, the timeline's dots and notifications. Never a PIN.

use session::{
    Event,
    mail::Template,
    program::{Broken, Gone},
    verification::{Cause, How, Who},
};

use super::{Setting, state, trouble::why};
use crate::{
    view::{Happening, LogLine, SideView},
    words::{LONGEST_NAME, capital, count, plain, size},
};

/// What happened to the session called `name`, as it is told once.
pub fn happening(of: &engine::journal::Happening, name: &str) -> Happening {
    let (text, notify) = told(&of.event, name);
    Happening {
        seq: of.seq,
        at: of.at.0,
        session: of.session.to_string(),
        name: name.to_owned(),
        event: kind(&of.event).to_owned(),
        text,
        notify,
    }
}

/// A line of the session's log; `by` asked for the session.
pub fn line(of: &engine::journal::Happening, by: &str, setting: &Setting<'_>) -> LogLine {
    let (text, bad) = logged(&of.event, by, setting);
    LogLine { seq: of.seq, at: of.at.0, text, bad }
}

/// The side that an event speaks of, if it is of one.
pub const fn side(event: &Event) -> Option<SideView> {
    match event {
        Event::PresenterOnline { .. } | Event::PresenterOffline => Some(SideView::Presenter),
        Event::ViewerJoined { .. } | Event::ViewersGone => Some(SideView::Viewers),
        Event::Created
        | Event::PinReady { .. }
        | Event::AllocationFailed { .. }
        | Event::StatusUnknown { .. }
        | Event::HookLost { .. }
        | Event::HookBack { .. }
        | Event::MailSent { .. }
        | Event::MailFailed { .. }
        | Event::ProgramAsked { .. }
        | Event::ProgramSaved { .. }
        | Event::ProgramNotSaved { .. }
        | Event::ProgramGone { .. }
        | Event::VerificationAsked { .. }
        | Event::VerificationApproved { .. }
        | Event::VerificationDenied { .. }
        | Event::VerificationTimedOut { .. }
        | Event::VerificationCancelled { .. }
        | Event::VerificationNoDevice { .. }
        | Event::VerificationFailed { .. }
        | Event::VerificationUnknown { .. }
        | Event::GateOverridden { .. }
        | Event::PictureSaved { .. }
        | Event::ChatArrived { .. }
        | Event::TranscriptSaved { .. }
        | Event::TranscriptFailed { .. }
        | Event::Closed { .. }
        | Event::PinOver { .. } => None,
    }
}

/// The kind's name, as scripts match on it.
pub const fn kind(event: &Event) -> &'static str {
    match event {
        Event::Created => "created",
        Event::PinReady { .. } => "pin_ready",
        Event::AllocationFailed { .. } => "allocation_failed",
        Event::PresenterOnline { .. } => "presenter_online",
        Event::PresenterOffline => "presenter_offline",
        Event::ViewerJoined { .. } => "viewer_joined",
        Event::ViewersGone => "viewers_gone",
        Event::StatusUnknown { .. } => "status_unknown",
        Event::HookLost { .. } => "hook_lost",
        Event::HookBack { .. } => "hook_back",
        Event::MailSent { .. } => "mail_sent",
        Event::MailFailed { .. } => "mail_failed",
        Event::ProgramAsked { .. } => "program_asked",
        Event::ProgramSaved { .. } => "program_saved",
        Event::ProgramNotSaved { .. } => "program_not_saved",
        Event::ProgramGone { .. } => "program_gone",
        Event::VerificationAsked { .. } => "verification_asked",
        Event::VerificationApproved { .. } => "verification_approved",
        Event::VerificationDenied { .. } => "verification_denied",
        Event::VerificationTimedOut { .. } => "verification_timed_out",
        Event::VerificationCancelled { .. } => "verification_cancelled",
        Event::VerificationNoDevice { .. } => "verification_no_device",
        Event::VerificationFailed { .. } => "verification_failed",
        Event::VerificationUnknown { .. } => "verification_unknown",
        Event::GateOverridden { .. } => "gate_overridden",
        Event::PictureSaved { .. } => "picture_saved",
        Event::ChatArrived { .. } => "chat_arrived",
        Event::TranscriptSaved { .. } => "transcript_saved",
        Event::TranscriptFailed { .. } => "transcript_failed",
        Event::Closed { .. } => "closed",
        Event::PinOver { .. } => "pin_over",
    }
}

/// The sentence, name first, and whether it is worth a notification (product.md, Notifications).
fn told(event: &Event, name: &str) -> (String, bool) {
    match event {
        Event::PresenterOnline { again: false } => (format!("{name} is online"), true),
        Event::PresenterOnline { again: true } => (format!("{name} started again"), false),
        Event::PresenterOffline => (format!("{name} went offline"), true),
        Event::ViewerJoined { again: false } => (format!("A viewer joined {name}'s session"), true),
        Event::ViewerJoined { again: true } => {
            (format!("Another viewer joined {name}'s session"), false)
        }
        Event::ViewersGone => (format!("All viewers left {name}'s session"), false),
        Event::TranscriptSaved { messages } => {
            let many = count(*messages, "message", "messages");
            (format!("Transcript of {name}'s session saved ({many})"), true)
        }
        Event::TranscriptFailed { .. } => ("Transcript not saved - will retry".into(), true),
        Event::HookLost { hook, .. } => {
            (format!("Hook {hook} could not be re-armed - status may be out of date"), true)
        }
        Event::HookBack { hook } => (format!("{name}: hook {hook} is armed again"), false),
        Event::Created => (format!("{name}: session started"), false),
        Event::PinReady { region } => (format!("{name}: PIN given out in {region}"), false),
        Event::AllocationFailed { failure } => {
            (format!("{name}: no PIN could be had: {}", why(*failure)), false)
        }
        Event::StatusUnknown { .. } => (format!("{name}: status unknown"), false),
        Event::MailSent { template, .. } => {
            (format!("{name}: e-mail to {} sent", addressee(*template)), false)
        }
        Event::MailFailed { maybe_sent: true, .. } => {
            (format!("{name}: an e-mail may have been sent"), false)
        }
        Event::MailFailed { failure, .. } => {
            (format!("{name}: an e-mail was not sent: {}", why(*failure)), false)
        }
        Event::ProgramAsked { by, again } => (format!("{name}: {}", asked(by, *again)), false),
        Event::ProgramSaved { by, bytes } => (format!("{name}: {}", saved(by, *bytes)), false),
        Event::ProgramNotSaved { why } => (format!("{name}: {}", not_saved(*why)), is_bad(*why)),
        Event::ProgramGone { why } => (format!("{name}: {}", gone(*why)), *why != Gone::Ended),
        Event::VerificationAsked { user, how, by, .. } => {
            (format!("{name}: {}", phone_asked(by, user, *how)), false)
        }
        Event::VerificationApproved { who, user, .. } => {
            (format!("{} approved", person(*who, user, name)), true)
        }
        Event::VerificationDenied { who, user, .. } => {
            (format!("{} denied", person(*who, user, name)), true)
        }
        Event::VerificationTimedOut { who, user, .. } => {
            (format!("{} did not answer in time", person(*who, user, name)), true)
        }
        Event::VerificationCancelled { who, user, .. } => {
            (format!("{}: verification cancelled", person(*who, user, name)), false)
        }
        Event::VerificationNoDevice { who, user, .. } => {
            (format!("{} has no device to be asked on", person(*who, user, name)), true)
        }
        Event::VerificationFailed { who, user, cause, .. } => {
            let why = no_answer(*cause);
            (format!("{} could not be verified: {why}", person(*who, user, name)), true)
        }
        Event::VerificationUnknown { who, user, .. } => {
            (format!("{}: {UNKNOWN}", person(*who, user, name)), true)
        }
        Event::GateOverridden { by, .. } => {
            (format!("{name}: {} overrode the verification gate", plain(by, LONGEST_NAME)), false)
        }
        Event::PictureSaved { by } => {
            let by = plain(by, LONGEST_NAME);
            (format!("{name}: {by} saved a picture of the screen"), false)
        }
        Event::ChatArrived { messages } => {
            (format!("{name}: {}", count(*messages, "new message", "new messages")), false)
        }
        Event::Closed { outcome, .. } => {
            (format!("{name}: session closed, {}", state::outcome(*outcome)), false)
        }
        Event::PinOver { .. } => (format!("{name}: the PIN's life is over"), false),
    }
}

/// The log's sentence, and whether it is a failure.
fn logged(event: &Event, by: &str, setting: &Setting<'_>) -> (String, bool) {
    match event {
        Event::Created => (format!("{} started the session", plain(by, LONGEST_NAME)), false),
        Event::PinReady { region } => (format!("PIN given out in {region}"), false),
        Event::AllocationFailed { failure } => {
            (format!("No PIN could be had: {}", why(*failure)), true)
        }
        Event::PresenterOnline { again: false } => ("Presenter online".into(), false),
        Event::PresenterOnline { again: true } => ("Presenter started again".into(), false),
        Event::PresenterOffline => ("Presenter offline".into(), false),
        Event::ViewerJoined { again: false } => ("A viewer joined".into(), false),
        Event::ViewerJoined { again: true } => ("A viewer joined, or came again".into(), false),
        Event::ViewersGone => ("All viewers left".into(), false),
        Event::StatusUnknown { since } => {
            (format!("Events may have been missed: unknown since {}", setting.clock(*since)), true)
        }
        Event::HookLost { hook, failure } => {
            (format!("Hook {hook} could not be re-armed: {}", why(*failure)), true)
        }
        Event::HookBack { hook } => (format!("Hook {hook} is armed again"), false),
        Event::MailSent { template, .. } => {
            (format!("E-mail to {} sent", addressee(*template)), false)
        }
        Event::MailFailed { maybe_sent: true, .. } => {
            ("E-mail may have been sent; it is not repeated".into(), true)
        }
        Event::MailFailed { failure, .. } => (format!("E-mail not sent: {}", why(*failure)), true),
        Event::ProgramAsked { by, again } => (asked(by, *again), false),
        Event::ProgramSaved { by, bytes } => (saved(by, *bytes), false),
        Event::ProgramNotSaved { why } => (capital(&not_saved(*why)), is_bad(*why)),
        Event::ProgramGone { why } => (capital(&gone(*why)), *why != Gone::Ended),
        Event::VerificationAsked { user, how, by, .. } => (phone_asked(by, user, *how), false),
        Event::VerificationApproved { user, .. } => (format!("{} approved", named(user)), false),
        Event::VerificationDenied { user, .. } => (format!("{} denied", named(user)), true),
        Event::VerificationTimedOut { user, .. } => {
            (format!("{} did not answer in time", named(user)), true)
        }
        Event::VerificationCancelled { user, .. } => {
            (format!("Verification of {} cancelled", named(user)), false)
        }
        Event::VerificationNoDevice { user, .. } => {
            (format!("{} has no device to be asked on", named(user)), true)
        }
        Event::VerificationFailed { user, cause, .. } => {
            (format!("{} could not be verified: {}", named(user), no_answer(*cause)), true)
        }
        Event::VerificationUnknown { user, .. } => (format!("{}: {UNKNOWN}", named(user)), true),
        Event::GateOverridden { by, reason } => {
            let (by, reason) = (plain(by, LONGEST_NAME), plain(reason, 500));
            (format!("{by} overrode the verification gate: {reason}"), true)
        }
        Event::PictureSaved { by } => {
            (format!("{} saved a picture of the screen", plain(by, LONGEST_NAME)), false)
        }
        Event::ChatArrived { messages } => {
            (count(*messages, "chat message", "chat messages"), false)
        }
        Event::TranscriptSaved { messages } => {
            (format!("Transcript saved ({})", count(*messages, "message", "messages")), false)
        }
        Event::TranscriptFailed { failure } => {
            (format!("Transcript not saved, will retry: {}", why(*failure)), true)
        }
        Event::Closed { outcome, by } => {
            let by = plain(by, LONGEST_NAME);
            (format!("{by} closed the session: {}", state::outcome(*outcome)), false)
        }
        Event::PinOver { joined: true } => ("The PIN's life is over".into(), false),
        Event::PinOver { joined: false } => ("The PIN's life is over; nobody joined".into(), false),
    }
}

/// What became of it while the program was away.
const UNKNOWN: &str = "the verification may have been sent; what came of it is not known";

/// Who a notification speaks of: the customer has the session's name.
fn person(who: Who, user: &str, name: &str) -> String {
    match who {
        Who::Customer => name.to_owned(),
        Who::Technician => named(user),
    }
}

/// As the verification service names them.
fn named(user: &str) -> String {
    plain(user, LONGEST_NAME)
}

fn phone_asked(by: &str, user: &str, how: How) -> String {
    let (by, user) = (plain(by, LONGEST_NAME), named(user));
    match how {
        How::Push => format!("{by} sent a push to {user}"),
        How::Otp => format!("{by} entered a one-time password of {user}"),
        How::BypassCode => format!("{by} entered a bypass code of {user}"),
    }
}

fn no_answer(cause: Cause) -> String {
    match cause {
        Cause::UnknownUser => "the verification service knows no such person".into(),
        Cause::WrongCode => "the code was not accepted".into(),
        Cause::WrongDomain => "the verification service knows no such domain".into(),
        Cause::Call { failure } => why(failure),
    }
}

fn asked(by: &str, again: bool) -> String {
    let by = plain(by, LONGEST_NAME);
    if again {
        format!("{by} tried the download of the customer's program again")
    } else {
        format!("{by} asked for the customer's program; the customer's own download stops working")
    }
}

fn saved(by: &str, bytes: u64) -> String {
    format!("{} saved the customer's program ({})", plain(by, LONGEST_NAME), size(bytes))
}

fn not_saved(broken: Broken) -> String {
    let why = match broken {
        Broken::Failed { failure } => why(failure),
        Broken::Cancelled => "cancelled".into(),
        Broken::Stopped => "Deskhand was ended".into(),
    };
    format!("the customer's program was not saved: {why}")
}

const fn is_bad(why: Broken) -> bool {
    match why {
        Broken::Failed { .. } => true,
        Broken::Cancelled | Broken::Stopped => false,
    }
}

fn gone(gone: Gone) -> String {
    match gone {
        Gone::Refused { failure } => {
            format!("the service did not give the customer's program: {}", why(failure))
        }
        Gone::MaybeTaken => {
            "the customer's program may have been taken; it is not asked for again".into()
        }
        Gone::Lost => "the customer's program was cut short when Deskhand ended".into(),
        Gone::Ended => "what was kept of the customer's program was erased".into(),
    }
}

const fn addressee(template: Template) -> &'static str {
    match template {
        Template::ToCustomer => "the customer",
        Template::ToColleague => "a colleague",
    }
}

#[cfg(test)]
mod tests {
    use wire::HookType;

    use super::*;

    #[test]
    fn notifications_read_as_the_product_has_them() {
        let failure = session::Failure::TimedOut;
        let told = |event| {
            let (text, notify) = told(&event, "Maria Lopez");
            assert!(notify, "{text}");
            text
        };
        assert_eq!(told(Event::PresenterOnline { again: false }), "Maria Lopez is online");
        assert_eq!(told(Event::PresenterOffline), "Maria Lopez went offline");
        let denied = |who| Event::VerificationDenied { id: 1, who, user: "maria.lopez".into() };
        assert_eq!(told(denied(Who::Customer)), "Maria Lopez denied");
        assert_eq!(told(denied(Who::Technician)), "maria.lopez denied");
        assert_eq!(
            told(Event::ViewerJoined { again: false }),
            "A viewer joined Maria Lopez's session"
        );
        assert_eq!(
            told(Event::TranscriptSaved { messages: 12 }),
            "Transcript of Maria Lopez's session saved (12 messages)"
        );
        assert_eq!(told(Event::TranscriptFailed { failure }), "Transcript not saved - will retry");
        assert_eq!(
            told(Event::HookLost { hook: HookType::ViewerOffline, failure }),
            "Hook viewer_offline could not be re-armed - status may be out of date"
        );
    }

    #[test]
    fn a_kind_is_named_as_it_is_stored() {
        let events = [
            Event::Created,
            Event::PresenterOnline { again: true },
            Event::ViewersGone,
            Event::HookBack { hook: HookType::ViewerStarted },
            Event::PinOver { joined: false },
            Event::ChatArrived { messages: 1 },
            Event::ProgramAsked { by: "anna".into(), again: false },
            Event::ProgramNotSaved { why: Broken::Cancelled },
            Event::ProgramGone { why: Gone::Lost },
            Event::VerificationAsked {
                id: 1,
                who: Who::Customer,
                user: "maria".into(),
                how: How::Push,
                by: "anna".into(),
            },
            Event::VerificationDenied { id: 1, who: Who::Customer, user: "maria".into() },
            Event::VerificationTimedOut { id: 1, who: Who::Customer, user: "maria".into() },
            Event::VerificationNoDevice { id: 1, who: Who::Customer, user: "maria".into() },
            Event::GateOverridden { by: "anna".into(), reason: "known".into() },
            Event::PictureSaved { by: "anna".into() },
        ];
        for event in events {
            assert_eq!(serde_json::to_value(&event).unwrap()["event"], kind(&event));
        }
    }
}
