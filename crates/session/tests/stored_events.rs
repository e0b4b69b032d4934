//! Events as earlier versions stored them. The fixture is frozen: a line is added for a new event, and
//! none is ever changed or taken away, for journals and archives out there hold such lines.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;

use serde_json::Value;
use session::Event;

const STORED: &str = include_str!("fixtures/events.jsonl");

#[test]
fn every_event_ever_written_is_read_and_written_as_it_was() {
    for line in STORED.lines() {
        let event: Event = serde_json::from_str(line).unwrap_or_else(|why| panic!("{line}: {why}"));
        let stored: Value = serde_json::from_str(line).unwrap();
        assert_eq!(serde_json::to_value(&event).unwrap(), stored, "{event:?}");
        assert_eq!(event.facts().name(), stored["event"], "a kind is named as it is stored");
    }
}

#[test]
fn the_fixture_has_every_kind_of_event() {
    let kind = |line| serde_json::from_str::<Value>(line).unwrap()["event"].to_string();
    let kinds: BTreeSet<String> = STORED.lines().map(kind).collect();
    assert_eq!(kinds.len(), 48, "{kinds:?}");
}

#[test]
fn an_event_of_a_later_version_is_refused_in_words() {
    let error = serde_json::from_str::<Event>(r#"{"event":"tea_ready"}"#).unwrap_err();
    assert_eq!(error.to_string(), "no event that this version knows");
}
