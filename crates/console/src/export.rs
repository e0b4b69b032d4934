//! A session's transcript as a file: text, JSON, or a table that no spreadsheet mistakes for
//! formulas. Without the PIN.
//!
//! What somebody wrote never looks like a line of ours: in the text, each of its lines after the first is indented
//! behind a bar, and none of our own lines begins with a blank. All times have their offset (RFC 3339).

mod said;
#[cfg(test)]
mod tests;

use csv::Terminator;
use engine::{
    archive::{ListedSession, Message},
    clock::now,
};
use jiff::tz::TimeZone;
use serde_json::{Value, json};
use session::Timestamp;

use self::said::{Said, said};
use crate::{
    parameters::{Format, Separator},
    present::{Setting, state},
    view::{
        DeviceView, OverrideView, PictureView, SessionDetail, StateView, VerificationState,
        VerificationView, Verified,
    },
    words,
};

/// The file's name and its text. Of the chat it has `transcript`, as the detail has its newest page only; the detail is
/// made with a `dated` setting.
pub fn export(
    detail: &SessionDetail,
    transcript: &[Message],
    format: Format,
    separator: Separator,
    zone: &TimeZone,
) -> (String, String) {
    let chat = said(transcript);
    let (extension, text) = match format {
        Format::Text => ("txt", as_text(detail, &chat, zone)),
        Format::Json => ("json", as_json(detail, &chat, zone)),
        Format::Csv => ("csv", as_csv(detail, &chat, separator, zone)),
    };
    (format!("{}.{extension}", file_name(detail, zone)), text)
}

/// The file name for the session's picture with this number, counted from one.
pub fn picture_name(detail: &SessionDetail, number: usize, zone: &TimeZone) -> String {
    format!("{}-picture-{number}.png", file_name(detail, zone))
}

/// Signs with which a formula begins.
const SIGNS: [char; 8] = ['=', '+', '-', '@', '＝', '＋', '－', '＠'];

/// A cell that no spreadsheet takes for a formula (quality.md, Security), nor a part of it where one expects another
/// separator than `separator`: it ends a cell at its own, and knows no quotation marks in the middle of one.
fn cell(text: &str, separator: char) -> String {
    // Follows OWASP's "CSV injection": a tab or a return counts like a sign, and some spreadsheets
    // skip blanks before it.
    let first = text.chars().find(|&c| c == '\t' || c == '\r' || !c.is_whitespace());
    let is_risky = first.is_some_and(|c| c == '\t' || c == '\r' || SIGNS.contains(&c));
    let mut cell = String::from(if is_risky { "'" } else { "" });
    let mut begins = false;
    for c in text.chars() {
        if begins && SIGNS.contains(&c) {
            cell.push('\'');
        }
        let ends = matches!(c, '\n' | '\r' | ',' | ';' | '\t') && c != separator;
        begins = ends || (begins && (c.is_whitespace() || c == '"'));
        cell.push(c);
    }
    cell
}

/// The name and the day, in characters that every file system takes.
fn file_name(detail: &SessionDetail, zone: &TimeZone) -> String {
    let day = words::day(Timestamp(detail.created_at), zone);
    let name = words::slug(&detail.row.name);
    format!("deskhand-{day}-{}", if name.is_empty() { "session" } else { &name })
}

fn as_text(detail: &SessionDetail, chat: &[Said], zone: &TimeZone) -> String {
    let when = |at| words::date_and_time(Timestamp(at), zone);
    let mut text = String::new();
    let facts = [
        ("Session", detail.row.name.clone()),
        ("Started", when(detail.created_at)),
        ("By", detail.by.clone()),
        ("Customer", detail.customer.clone()),
        ("Ticket", detail.ticket.clone()),
        ("Contact", detail.contact.clone()),
        ("Region", detail.region.clone().unwrap_or_default()),
        ("State", state_text(&detail.row.state)),
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
        text.push_str(&format!("\nNote:{BELOW}{}\n", below(&detail.note)));
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
    for said in chat {
        let (at, body) = (when(said.line.at), below(&said.line.text));
        text.push_str(&format!("{at}  {}: {body}\n", said.sender()));
    }
    text
}

/// Where a line of ours goes on with what somebody wrote.
const BELOW: &str = "\n    | ";

/// `text` with its further lines indented, so that none can pass for one of ours.
fn below(text: &str) -> String {
    text.replace('\n', BELOW)
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

fn as_json(detail: &SessionDetail, chat: &[Said], zone: &TimeZone) -> String {
    let mut value = json!({
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
        "messages": chat,
    });
    say_times(&mut value, zone);
    format!("{value:#}\n")
}

/// The views' times are numbers, in milliseconds since 1970; a file says them with their offset.
fn say_times(value: &mut Value, zone: &TimeZone) {
    match value {
        Value::Array(all) => all.iter_mut().for_each(|value| say_times(value, zone)),
        Value::Object(fields) => {
            for (name, value) in fields {
                let time = name == "at"
                    || name.ends_with("_at")
                    || matches!(name.as_str(), "since" | "until");
                match value.as_i64().filter(|_| time) {
                    Some(at) => *value = words::date_and_time(Timestamp(at), zone).into(),
                    None => say_times(value, zone),
                }
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

const COLUMNS: [&str; 17] = [
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
    "side",
    "text",
    "verifications",
];

fn as_csv(detail: &SessionDetail, chat: &[Said], separator: Separator, zone: &TimeZone) -> String {
    let when = |at| words::date_and_time(Timestamp(at), zone);
    let session = [
        detail.row.id.clone(),
        detail.customer.clone(),
        detail.ticket.clone(),
        detail.contact.clone(),
        detail.by.clone(),
        when(detail.created_at),
        detail.region.clone().unwrap_or_default(),
        state_text(&detail.row.state),
        (detail.waited_ms / 1000).to_string(),
        (detail.connected_ms / 1000).to_string(),
        detail.tags.join(", "),
        detail.note.clone(),
    ];
    let all = detail.verifications.iter().map(|verification| verified(verification, zone));
    let verifications = all.collect::<Vec<_>>().join("; ");
    let said = chat.iter().map(|said| {
        let (line, side) = (&said.line, said.side().unwrap_or_default().to_owned());
        [when(line.at), line.from.clone(), side, line.text.clone()]
    });
    // A session without chat has a row all the same, because the time is billed.
    let none = chat.is_empty().then(<[String; 4]>::default);
    let rows = said
        .chain(none)
        .map(|message| session.iter().chain(&message).chain([&verifications]).cloned().collect());
    table(&COLUMNS, rows, separator)
}

const ALL_COLUMNS: [&str; 14] = [
    "session",
    "customer",
    "ticket",
    "contact",
    "technician",
    "started",
    "closed",
    "region",
    "state",
    "waited_s",
    "connected_s",
    "messages",
    "tags",
    "note",
];

/// All sessions as a table, a row for each: the file's name and its text.
pub fn all_sessions(
    sessions: &[ListedSession],
    separator: Separator,
    zone: &TimeZone,
) -> (String, String) {
    let name = format!("deskhand-sessions-{}.csv", words::day(now(), zone));
    let rows = sessions.iter().map(|session| listed(session, zone).to_vec());
    (name, table(&ALL_COLUMNS, rows, separator))
}

fn listed(session: &ListedSession, zone: &TimeZone) -> [String; 14] {
    let ListedSession { summary, tags, notes, messages } = session;
    let when = |at| words::date_and_time(at, zone);
    let setting = Setting { now: now(), zone, dated: true };
    let plain = |text: &str| words::plain(text, usize::MAX);
    let note = notes.iter().map(|note| words::plain_lines(&note.text, usize::MAX));
    [
        summary.session.to_string(),
        plain(&summary.about.customer),
        plain(&summary.about.ticket),
        plain(&summary.about.contact),
        plain(&summary.by),
        when(summary.created),
        summary.closed_at.map(when).unwrap_or_default(),
        summary.region.as_ref().map(ToString::to_string).unwrap_or_default(),
        state_text(&state::view(&summary.word, 0, None, &setting)),
        summary.waited_ms().map(|ms| (ms / 1000).to_string()).unwrap_or_default(),
        (summary.active_ms / 1000).to_string(),
        messages.to_string(),
        tags.iter().map(|tag| plain(tag)).collect::<Vec<_>>().join(", "),
        note.collect::<Vec<_>>().join("\n"),
    ]
}

/// A table as RFC 4180 has it. It begins with a byte order mark, without which Excel reads another encoding.
fn table(
    columns: &[&str],
    rows: impl Iterator<Item = Vec<String>>,
    separator: Separator,
) -> String {
    let to = "\u{FEFF}".as_bytes().to_vec();
    let separator = separator.as_char();
    let mut writer = csv::WriterBuilder::new()
        .terminator(Terminator::CRLF)
        // Each of them is one byte.
        .delimiter(u8::try_from(separator).unwrap_or(b','))
        .from_writer(to);
    let mut written = writer.write_record(columns);
    for row in rows {
        let cells = row.iter().map(|text| cell(text, separator));
        written = written.and_then(|()| writer.write_record(cells));
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

fn state_text(state: &StateView) -> String {
    if state.detail.is_empty() {
        return state.label.clone();
    }
    // A detail can begin with the label's word, as "unknown since 14:03" does.
    match state.detail.strip_prefix(&state.label.to_lowercase()) {
        Some(rest) => format!("{}{rest}", state.label),
        None => format!("{}, {}", state.label, state.detail),
    }
}
