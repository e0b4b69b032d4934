//! What it would end to close a session.

use session::{Life, Presenter, Record};

use super::{Connected, Customer, named, people};
use crate::{present::Setting, view::ClosingView};

/// What becomes of a session's PIN when the session is closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EndOfPin {
    /// The service ends it when asked.
    AtOnce,
    /// The service ends it, but didn't answer when it was last asked something.
    WhenItAnswers,
    /// The service ends none: it ends by itself.
    ByItself,
    /// It isn't known yet what the service can do.
    NotKnown,
}

/// What closing `record`'s session would end.
pub fn closing(
    record: &Record,
    connected: &Connected,
    wrote: bool,
    end: EndOfPin,
    setting: &Setting<'_>,
) -> ClosingView {
    // It can't be closed again, and its state says what is left of it.
    if matches!(record.life, Life::Closed { .. }) {
        return ClosingView { text: Vec::new(), nobody_came: false };
    }
    let there = [Connected { name: None, ..connected.clone() }];
    let mut text = vec!["A closed session can't be opened again.".to_owned()];
    let expires = connected.expires.filter(|at| *at > setting.now);
    match (expires.map(|at| setting.clock(at)), end) {
        // The broker hasn't said so yet.
        (None, _) if record.is_live() && connected.expires.is_some() => {
            text.push("By this computer's clock its PIN is no longer valid.".into());
        }
        (None, _) => text.push("Its PIN is no longer valid.".into()),
        (Some(_), EndOfPin::AtOnce) => {
            text.push("Its PIN ends at once.".into());
            text.extend(people(&there).map(|are| format!("{are} connected and will be cut off.")));
            text.extend(on_their_way(connected.customer));
            if connected.unknown {
                text.push("It isn't known who else is connected.".into());
            }
        }
        (Some(until), EndOfPin::WhenItAnswers) => {
            text.push(format!(
                "The PIN ends as soon as the service answers again, or by itself at about {until}."
            ));
            text.extend(named(&there).map(|(people, is_one)| {
                let stay = if is_one { "stays" } else { "stay" };
                format!("{people} {stay} connected until then.")
            }));
        }
        (Some(until), end @ (EndOfPin::ByItself | EndOfPin::NotKnown)) => {
            let may = if end == EndOfPin::NotKnown { "may stay" } else { "stays" };
            text.push(format!("Its PIN {may} valid until about {until}."));
            // The chat is fetched once more when it is closed, and then no more.
            text.push("What is written in its chat after it is closed isn't saved here.".into());
            if connected.customer == Customer::Connected {
                text.push("Ask the customer to quit the program.".into());
            }
        }
    }
    ClosingView { text, nobody_came: record.presenter == Presenter::Never && !wrote }
}

/// What a customer who isn't connected yet loses when the PIN ends.
fn on_their_way(customer: Customer) -> Option<String> {
    let text = match customer {
        Customer::AtPage => "The customer has their page open, which ends with the PIN.",
        Customer::BeingAsked => {
            "The customer is being asked whether they agree, which ends with the PIN."
        }
        Customer::Connected | Customer::Away => return None,
    };
    Some(text.to_owned())
}

#[cfg(test)]
mod tests {
    use session::{About, State, Timestamp};

    use super::*;
    use crate::present::parting::tests::{SETTING, connected};

    #[test]
    fn closing_says_what_becomes_of_the_pin_and_of_who_is_there() {
        let mut record = State::new(About::default(), "Anna".into(), Timestamp(0)).record;
        let close = |record: &Record, there: &Connected, end| {
            closing(record, there, false, end, &SETTING).text.join(" ")
        };
        let (there, nobody) = (connected("Maria Lopez", true, 1), connected("", false, 0));
        assert_eq!(
            close(&record, &there, EndOfPin::AtOnce),
            "A closed session can't be opened again. Its PIN ends at once. \
             The customer and 1 viewer are connected and will be cut off."
        );
        assert_eq!(
            close(&record, &there, EndOfPin::WhenItAnswers),
            "A closed session can't be opened again. \
             The PIN ends as soon as the service answers again, or by itself at about 14:00. \
             The customer and 1 viewer stay connected until then."
        );
        let alone = close(&record, &connected("", true, 0), EndOfPin::WhenItAnswers);
        assert!(alone.ends_with("The customer stays connected until then."), "{alone}");
        let stays = "A closed session can't be opened again. Its PIN stays valid until about 14:00. \
                     What is written in its chat after it is closed isn't saved here.";
        assert_eq!(
            close(&record, &there, EndOfPin::ByItself),
            format!("{stays} Ask the customer to quit the program.")
        );
        assert_eq!(close(&record, &nobody, EndOfPin::ByItself), stays);
        assert!(
            close(&record, &there, EndOfPin::NotKnown)
                .contains("Its PIN may stay valid until about 14:00.")
        );
        let over = Connected { expires: None, ..connected("", false, 0) };
        assert!(close(&record, &over, EndOfPin::AtOnce).ends_with("Its PIN is no longer valid."));
        let ran_out = Connected { expires: Some(SETTING.now), ..connected("", false, 0) };
        assert_eq!(
            close(&record, &ran_out, EndOfPin::AtOnce),
            close(&record, &over, EndOfPin::AtOnce)
        );

        let at_page = Connected { customer: Customer::AtPage, unknown: true, ..nobody.clone() };
        assert!(close(&record, &at_page, EndOfPin::AtOnce).ends_with(
            "Its PIN ends at once. The customer has their page open, which ends with the PIN. \
             It isn't known who else is connected."
        ));

        let nobody_came = |record: &Record, wrote| {
            closing(record, &over, wrote, EndOfPin::NotKnown, &SETTING).nobody_came
        };
        assert!(nobody_came(&record, false));
        assert!(!nobody_came(&record, true), "somebody wrote");
        record.presenter = Presenter::Unknown { since: Timestamp(0) };
        assert!(!nobody_came(&record, false), "nobody knows");
    }
}
