//! The audit log for people: its entries, and the result of a check.

use engine::archive::{AuditEntry, AuditLink, AuditReport};

use crate::{
    view::{AuditCheck, AuditLine, BrokenLink},
    words,
};

/// The longest sentence that is shown, in characters.
const LONGEST: usize = 2_000;

/// The line of an entry.
pub fn line(entry: AuditLink) -> AuditLine {
    let AuditLink { seq, entry: AuditEntry { at, by, action, text, session }, prev: _, hash: _ } =
        entry;
    AuditLine {
        seq,
        at: at.0,
        by: words::plain(&by, words::LONGEST_NAME),
        action: words::plain(&action, words::LONGEST_NAME),
        text: words::plain(&text, LONGEST),
        session: session.map(|session| session.to_string()),
    }
}

/// The result of checking the whole log.
pub fn check(report: &AuditReport) -> AuditCheck {
    let head = report.head.map(|hash| hash.to_string()).unwrap_or_default();
    let entries = report.entries;
    let text = match (report.broken, entries) {
        (Some((seq, why)), 0) => format!("Entry {seq} is broken: {why}."),
        (Some((seq, why)), _) => {
            format!("Entry {seq} is broken: {why}. Up to entry {entries} the chain holds.")
        }
        (None, 0) => "The log has no entry yet.".to_owned(),
        (None, 1) => "The log has one entry, and it holds.".to_owned(),
        (None, _) => format!("All {entries} entries hold, each chained to the one before."),
    };
    let broken = report.broken.map(|(seq, why)| BrokenLink { seq, why: why.to_string() });
    AuditCheck { entries, broken, text, head }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_broken_link_is_named_with_what_holds_before_it() {
        let report = |entries, broken| AuditReport { entries, broken, head: None };
        let broken = check(&report(3, Some((4, engine::archive::BrokenLink::Missing))));
        assert_eq!(broken.text, "Entry 4 is broken: it is missing. Up to entry 3 the chain holds.");
        assert_eq!(broken.broken, Some(BrokenLink { seq: 4, why: "it is missing".into() }));
        assert_eq!(check(&report(0, None)).text, "The log has no entry yet.");
        assert!(check(&report(2, None)).broken.is_none());
    }
}
