//! What it would end to quit.

use super::{Connected, Customer, people};
use crate::{
    present::Setting,
    view::{QuittingView, ServiceKind},
    words::count,
};

/// What quitting would end; `sessions` are those that are live.
pub fn quitting(
    kind: ServiceKind,
    host: &str,
    sessions: &[Connected],
    setting: &Setting<'_>,
) -> QuittingView {
    if sessions.is_empty() {
        return QuittingView { live: 0, text: vec!["No session is live.".into()] };
    }
    let live = u32::try_from(sessions.len()).unwrap_or(u32::MAX);
    let mut text = vec![format!("{} live.", count(live, "session is", "sessions are"))];
    let kept = if live == 1 { "The session is kept." } else { "The sessions are kept." };
    let kept = format!("{kept} Until Deskhand runs again,");
    match kind {
        ServiceKind::Embedded => {
            let runs = if live == 1 { "it runs" } else { "these sessions run" };
            text.push(format!(
                "Quitting also stops the broker inside Deskhand, through which {runs}."
            ));
            text.extend(there(sessions, "connected and will be cut off at once", ""));
            let pins = if live == 1 { "its PIN" } else { "their PINs" };
            text.push(format!("{kept} nobody can join with {pins}."));
        }
        ServiceKind::Configured => {
            let stay = format!("connected at {host} and will stay connected");
            text.extend(there(sessions, &stay, ", as far as is known"));
            text.push(match sessions.iter().filter_map(|session| session.expires).max() {
                Some(last) => {
                    let stay = if live == 1 {
                        "PIN stays valid until"
                    } else {
                        "PINs stay valid, the last one until"
                    };
                    format!("The {stay} about {}.", setting.clock(last))
                }
                None => "No PIN is valid.".into(),
            });
            let them = if live == 1 { "it" } else { "them" };
            text.push(format!("{kept} it isn't told what happens in {them}."));
        }
    }
    QuittingView { live, text }
}

/// Who is there, a sentence each: of those who are connected it says `fate`, and that nobody is only where that is
/// known, `doubt` aside.
fn there(sessions: &[Connected], fate: &str, doubt: &str) -> Vec<String> {
    let number = |is: &dyn Fn(&Connected) -> bool| {
        let all = sessions.iter().filter(|session| is(session)).count();
        u32::try_from(all).unwrap_or(u32::MAX)
    };
    let people = people(sessions);
    let or_else = if people.is_some() { "somebody else" } else { "somebody" };
    let mut text: Vec<String> =
        people.map(|people| format!("{people} {fate}.")).into_iter().collect();
    let at_page = number(&|session| session.customer == Customer::AtPage);
    if at_page > 0 {
        let have = count(at_page, "customer has", "customers have");
        text.push(format!("{have} their page open."));
    }
    let asked = number(&|session| session.customer == Customer::BeingAsked);
    if asked > 0 {
        let are = count(asked, "customer is", "customers are");
        text.push(format!("{are} being asked whether they agree."));
    }
    let unknown = number(&|session| session.unknown);
    if unknown > 0 {
        let of = count(unknown, "session", "sessions");
        text.push(format!("Of {of} it isn't known whether {or_else} is connected."));
    }
    if text.is_empty() {
        text.push(format!("Nobody is connected{doubt}."));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::present::parting::tests::{SETTING, connected};

    fn told(kind: ServiceKind, sessions: &[Connected]) -> String {
        quitting(kind, "broker.example", sessions, &SETTING).text.join(" ")
    }

    #[test]
    fn quitting_with_the_broker_inside_cuts_off_who_is_connected() {
        let sessions = [connected("Maria Lopez", true, 2), connected("Ben", false, 0)];
        assert_eq!(
            told(ServiceKind::Embedded, &sessions),
            "2 sessions are live. \
             Quitting also stops the broker inside Deskhand, through which these sessions run. \
             Maria Lopez and 2 viewers are connected and will be cut off at once. \
             The sessions are kept. Until Deskhand runs again, nobody can join with their PINs."
        );
        assert_eq!(
            told(ServiceKind::Embedded, &sessions[1..]),
            "1 session is live. \
             Quitting also stops the broker inside Deskhand, through which it runs. \
             Nobody is connected. \
             The session is kept. Until Deskhand runs again, nobody can join with its PIN."
        );
    }

    #[test]
    fn quitting_at_a_service_elsewhere_leaves_everybody_connected_and_says_until_when() {
        let text = told(ServiceKind::Configured, &[connected("Maria Lopez", true, 0)]);
        assert_eq!(
            text,
            "1 session is live. Maria Lopez is connected at broker.example and will stay connected. \
             The PIN stays valid until about 14:00. \
             The session is kept. Until Deskhand runs again, it isn't told what happens in it."
        );
        let sessions = [connected("Maria Lopez", true, 0), connected("Ben", false, 0)];
        let text = told(ServiceKind::Configured, &sessions);
        assert!(text.contains("The PINs stay valid, the last one until about 14:00."), "{text}");
        assert!(text.ends_with("it isn't told what happens in them."), "{text}");
    }

    #[test]
    fn without_a_live_session_nothing_is_said_of_any() {
        for kind in [ServiceKind::Embedded, ServiceKind::Configured] {
            assert_eq!(told(kind, &[]), "No session is live.");
        }
    }

    #[test]
    fn nobody_is_connected_is_said_only_where_it_is_known() {
        let nobody = connected("", false, 0);
        let hidden = Connected { unknown: true, ..nobody.clone() };
        let at_page = Connected { customer: Customer::AtPage, ..nobody.clone() };
        let asked = Connected { customer: Customer::BeingAsked, ..nobody.clone() };
        let maria = connected("Maria Lopez", true, 0);
        let of = |sessions: &[&Connected]| {
            let sessions: Vec<_> = sessions.iter().map(|&session| session.clone()).collect();
            there(&sessions, "connected", "").join(" ")
        };
        assert_eq!(of(&[&nobody]), "Nobody is connected.");
        let one = "Of 1 session it isn't known whether somebody is connected.";
        assert_eq!(of(&[&hidden, &nobody]), one);
        assert_eq!(
            of(&[&maria, &hidden, &hidden]),
            "Maria Lopez is connected. \
             Of 2 sessions it isn't known whether somebody else is connected."
        );
        assert_eq!(of(&[&at_page]), "1 customer has their page open.");
        assert_eq!(
            of(&[&at_page, &asked, &at_page, &hidden]),
            format!(
                "2 customers have their page open. \
                 1 customer is being asked whether they agree. {one}"
            )
        );
        assert_eq!(of(&[&asked, &asked]), "2 customers are being asked whether they agree.");
        for kind in [ServiceKind::Embedded, ServiceKind::Configured] {
            assert!(told(kind, std::slice::from_ref(&nobody)).contains("Nobody is connected"));
            for there in [&hidden, &at_page, &asked] {
                assert!(!told(kind, std::slice::from_ref(there)).contains("Nobody"), "{there:?}");
            }
        }
    }
}
