//! A session's transcript as a file: text, JSON, or a table that no spreadsheet mistakes for
//! formulas. Without the PIN.

use jiff::tz::TimeZone;
use serde_json::json;
use session::Timestamp;

use crate::{
    parameters::Format,
    view::{
        ChatLine, DeviceView, OverrideView, PictureView, SessionDetail, VerificationState,
        VerificationView, Verified,
    },
    words,
};

/// The file's name and its text.
pub fn export(detail: &SessionDetail, format: Format, zone: &TimeZone) -> (String, String) {
    let (extension, text) = match format {
        Format::Text => ("txt", as_text(detail, zone)),
        Format::Json => ("json", as_json(detail)),
        Format::Csv => ("csv", as_csv(detail, zone)),
    };
    (format!("{}.{extension}", file_name(detail, zone)), text)
}

/// The file name for the session's picture with this number, counted from one.
pub fn picture_name(detail: &SessionDetail, number: usize, zone: &TimeZone) -> String {
    format!("{}-picture-{number}.png", file_name(detail, zone))
}

/// A cell that no spreadsheet takes for a formula (quality.md, Security).
pub fn cell(text: &str) -> String {
    // Follows OWASP's "CSV injection": a tab or a return counts like a sign, and some spreadsheets
    // skip blanks before it.
    let first = text.chars().find(|&c| c == '\t' || c == '\r' || !c.is_whitespace());
    match first {
        Some('=' | '+' | '-' | '@' | '＝' | '＋' | '－' | '＠' | '\t' | '\r') => {
            format!("'{text}")
        }
        Some(_) | None => text.to_owned(),
    }
}

/// The name and the day, in characters that every file system takes.
fn file_name(detail: &SessionDetail, zone: &TimeZone) -> String {
    let day = words::date_and_time(Timestamp(detail.created_at), zone);
    let day = day.split(' ').next().unwrap_or_default();
    let name = words::slug(&detail.row.name);
    format!("deskhand-{day}-{}", if name.is_empty() { "session" } else { &name })
}

fn as_text(detail: &SessionDetail, zone: &TimeZone) -> String {
    let when = |at| words::date_and_time(Timestamp(at), zone);
    let mut text = format!("{}\n", detail.row.name);
    let facts = [
        ("Started", when(detail.created_at)),
        ("By", detail.by.clone()),
        ("Customer", detail.customer.clone()),
        ("Ticket", detail.ticket.clone()),
        ("Contact", detail.contact.clone()),
        ("Region", detail.region.clone().unwrap_or_default()),
        ("State", state(detail)),
        ("Connected", format!("{} s", detail.connected_ms / 1000)),
        ("Tags", detail.tags.join(", ")),
    ];
    for (label, fact) in facts.iter().filter(|(_, fact)| !fact.is_empty()) {
        text.push_str(&format!("{label}: {fact}\n"));
    }
    for device in &detail.devices {
        text.push_str(&format!("Device: {}\n", device_line(device, zone)));
    }
    for PictureView { at, by, .. } in &detail.pictures {
        text.push_str(&format!("Picture of the screen: {}, saved by {by}\n", when(*at)));
    }
    if !detail.note.is_empty() {
        text.push_str(&format!("\n{}\n", detail.note));
    }
    if !detail.verifications.is_empty() {
        text.push('\n');
    }
    for line in detail.verifications.iter().map(|verification| verified(verification, zone)) {
        text.push_str(&format!("Verification: {line}\n"));
    }
    if let Some(over) = &detail.gate.overridden {
        let (at, OverrideView { by, reason, .. }) = (when(over.at), over);
        text.push_str(&format!("Verification gate overridden: {at}, by {by}: {reason}\n"));
    }
    text.push('\n');
    for ChatLine { at, from, text: said, .. } in &detail.chat {
        text.push_str(&format!("{}  {from}: {said}\n", when(*at)));
    }
    text
}

/// Person, device, address, and the time of the lookup.
fn device_line(device: &DeviceView, zone: &TimeZone) -> String {
    let when = |at: Option<i64>| at.map(|at| words::date_and_time(Timestamp(at), zone));
    let parts = [
        ("", Some(device.name.clone())),
        ("", Some(device.username.clone())),
        ("", Some(device.app.clone())),
        ("", Some(device.os.clone())),
        ("", Some(device.ip.clone())),
        ("logged in ", when(device.login_at)),
        ("login session ", Some(device.login_session.clone())),
        ("looked up ", when(device.looked_up_at)),
        ("by ", Some(device.by.clone())),
        ("", device.logged_out.then(|| "logged out from here".to_owned())),
    ];
    let said = parts.into_iter().filter_map(|(label, part)| {
        part.filter(|part| !part.is_empty()).map(|part| format!("{label}{part}"))
    });
    said.collect::<Vec<_>>().join(", ")
}

fn as_json(detail: &SessionDetail) -> String {
    let value = json!({
        "session": detail.row.id,
        "name": detail.row.name,
        "state": detail.row.state,
        "by": detail.by,
        "created_at": detail.created_at,
        "customer": detail.customer,
        "ticket": detail.ticket,
        "contact": detail.contact,
        "region": detail.region,
        "waited_ms": detail.waited_ms,
        "connected_ms": detail.connected_ms,
        "note": detail.note,
        "tags": detail.tags,
        "verifications": detail.verifications,
        "gate_overridden": detail.gate.overridden,
        "devices": detail.devices,
        "pictures": detail.pictures,
        "messages": detail.chat,
    });
    format!("{value:#}\n")
}

const COLUMNS: [&str; 16] = [
    "session",
    "customer",
    "ticket",
    "contact",
    "technician",
    "started",
    "region",
    "state",
    "waited_s",
    "connected_s",
    "tags",
    "note",
    "sent",
    "from",
    "text",
    "verifications",
];

fn as_csv(detail: &SessionDetail, zone: &TimeZone) -> String {
    let when = |at| words::date_and_time(Timestamp(at), zone);
    let session = [
        detail.row.id.clone(),
        detail.customer.clone(),
        detail.ticket.clone(),
        detail.contact.clone(),
        detail.by.clone(),
        when(detail.created_at),
        detail.region.clone().unwrap_or_default(),
        state(detail),
        (detail.waited_ms / 1000).to_string(),
        (detail.connected_ms / 1000).to_string(),
        detail.tags.join(", "),
        detail.note.clone(),
    ];
    let all = detail.verifications.iter().map(|verification| verified(verification, zone));
    let verifications = all.collect::<Vec<_>>().join("; ");
    let said = detail.chat.iter().map(|line| [when(line.at), line.from.clone(), line.text.clone()]);
    // A session without chat has a row all the same, because the time is billed.
    let none = detail.chat.is_empty().then(<[String; 3]>::default);
    let mut writer = csv::Writer::from_writer(Vec::new());
    let mut written = writer.write_record(COLUMNS);
    for message in said.chain(none) {
        let row = session.iter().chain(&message).chain([&verifications]).map(|text| cell(text));
        written = written.and_then(|()| writer.write_record(row));
    }
    // Writing to memory doesn't fail.
    let bytes = written.ok().and_then(|()| writer.into_inner().ok()).unwrap_or_default();
    String::from_utf8(bytes).unwrap_or_default()
}

/// Who was verified, when, by whom, and with which result.
fn verified(verification: &VerificationView, zone: &TimeZone) -> String {
    let at = words::date_and_time(Timestamp(verification.at), zone);
    let VerificationView { user, by, .. } = verification;
    let who = match verification.who {
        Verified::Customer => "customer",
        Verified::Technician => "technician",
    };
    format!("{at}, {who} {user}, asked by {by}: {}", came_of(verification.state))
}

const fn came_of(state: VerificationState) -> &'static str {
    match state {
        VerificationState::Asking | VerificationState::NoAnswerYet => "no answer yet",
        VerificationState::Approved => "approved",
        VerificationState::Denied => "denied",
        VerificationState::TimedOut => "timed out",
        VerificationState::Cancelled => "cancelled",
        VerificationState::NoDevice => "no device",
        VerificationState::Failed => "failed",
        VerificationState::Unknown => "not known",
    }
}

fn state(detail: &SessionDetail) -> String {
    let state = &detail.row.state;
    if state.detail.is_empty() {
        state.label.clone()
    } else {
        format!("{}, {}", state.label, state.detail)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cell_is_a_formula() {
        for formula in ["=1+1", "+1", "-1", "@a", " =1", "＝1", "\t1", "\r1", "  \t"] {
            assert_eq!(cell(formula), format!("'{formula}"));
        }
        for text in ["", "a=1", "1-1", "x"] {
            assert_eq!(cell(text), text);
        }
    }
}
