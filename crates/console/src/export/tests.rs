use engine::{
    SessionId,
    archive::{ChatPage, LookedUp, Note, NoteKind, Picture, SessionContents, Summary, Writer},
};
use session::{
    About, Outcome, SessionStatus,
    push_brake::Denials,
    verification::{
        Method, Override, Status, Subject, Verification, VerificationOutcome, VerificationRequest,
    },
};
use wire::rocketchat::DeviceSession;

use super::*;
use crate::{
    present::{
        chat_box::Sends,
        detail::{Around, Beside, archived},
    },
    view::Reach,
};

const CREATED: Timestamp = Timestamp(1_795_315_906_830);
const LATER: Timestamp = Timestamp(CREATED.0 + 3_600_000);

fn zone() -> TimeZone {
    TimeZone::fixed(jiff::tz::offset(-4))
}

/// A session that nobody gave a name.
fn summary(word: SessionStatus) -> Summary {
    Summary {
        session: SessionId::from_bytes([1; 16]),
        created: CREATED,
        by: "Anna".into(),
        about: About::default(),
        word,
        outcome: None,
        region: None,
        first_joined: None,
        active_ms: 0,
        closed_at: None,
    }
}

fn detail(word: SessionStatus) -> SessionDetail {
    let nothing = SessionContents {
        chat: ChatPage::default(),
        notes: Vec::new(),
        tags: Vec::new(),
        choice: None,
        verifications: Vec::new(),
        overridden: None,
        devices: Vec::new(),
        pictures: Vec::new(),
    };
    detail_with(word, nothing)
}

fn detail_with(word: SessionStatus, contents: SessionContents) -> SessionDetail {
    let beside = Beside { happenings: Vec::new(), contents, screen: None, unread: 0 };
    let around = Around {
        reach: Reach::Unknown,
        join_template: None,
        join_page: None,
        can_revoke: None,
        answers: true,
        sends: Sends::Unknown,
        revision: 0,
    };
    let setting = Setting { now: LATER, zone: &zone(), dated: true };
    archived(&summary(word), &beside, &around, &setting)
}

fn message(subject: &str, writer: Option<Writer>) -> Message {
    Message { guid: "a".into(), at: LATER, subject: subject.into(), body: "hi".into(), writer }
}

/// One of everything that a session can have, all of it at [`LATER`].
fn full() -> SessionContents {
    let found = include_str!("../../../wire/fixtures/rocketchat/info.admin.json");
    let found: DeviceSession = serde_json::from_str(found).unwrap();
    let login_at = jiff::Timestamp::from_millisecond(LATER.0).unwrap().to_string();
    let device = LookedUp {
        found: DeviceSession { login_at, ..found },
        at: LATER,
        by: "Anna".into(),
        logged_out_at: Some(LATER),
    };
    SessionContents {
        chat: ChatPage { messages: vec![message("Maria", None)], earlier: 0 },
        notes: vec![Note {
            kind: NoteKind::Closing,
            text: "toner".into(),
            by: "Anna".into(),
            at: LATER,
        }],
        tags: vec!["printer".into()],
        choice: None,
        verifications: vec![approved_after_denials()],
        overridden: Some(Override { by: "Anna".into(), at: LATER, reason: "a call".into() }),
        devices: vec![device],
        pictures: vec![Picture { id: 1, at: LATER, by: "Anna".into(), bytes: 1 }],
    }
}

fn approved_after_denials() -> Verification {
    let asked = VerificationRequest {
        who: Subject::Customer,
        user: "maria".into(),
        by_id: false,
        how: Method::Push,
        by: "Anna".into(),
        reason: "printer".into(),
        shown: Vec::new(),
        denied_before: Some(Denials { times: 2, last: LATER }),
    };
    let status = Status::Ended { at: LATER, end: VerificationOutcome::Approved };
    Verification { id: 1, asked, at: LATER, status }
}

/// Whether it has what looks like `14:03`.
fn has_clock(text: &str) -> bool {
    let digits = |at: &[u8]| at.iter().all(u8::is_ascii_digit);
    text.as_bytes().windows(5).any(|at| digits(&at[..2]) && at[2] == b':' && digits(&at[3..]))
}

#[test]
fn no_export_has_a_time_without_its_date_and_offset() {
    assert!(has_clock("until about 14:01;") && !has_clock("1:1, 14: 01"));
    let [created, later] = [CREATED, LATER].map(|at| words::date_and_time(at, &zone()));
    let closed = SessionStatus::Closed {
        at: LATER,
        outcome: Outcome::Resolved,
        pin_valid_until: Some(LATER),
        ending: false,
    };
    for word in [closed, SessionStatus::Unknown { since: LATER }] {
        let listed = ListedSession {
            summary: summary(word.clone()),
            tags: Vec::new(),
            notes: Vec::new(),
            messages: 0,
        };
        let detail = detail_with(word, full());
        let chat = [message("Maria", None)];
        let formats = [Format::Text, Format::Json, Format::Csv];
        let mut files = formats
            .map(|format| export(&detail, &chat, format, Separator::Comma, &zone()).1)
            .to_vec();
        let [text, json, _] = &files[..] else { panic!() };
        for part in ["Device: ", "Picture of", "Note:", "Verification: ", "overridden: "] {
            assert!(text.contains(part), "{part} in {text}");
        }
        assert!(json.contains("This came after 2 denials"), "{json}");
        files.push(all_sessions(&[listed], Separator::Comma, &zone()).1);
        for file in files {
            assert!(file.contains(&later), "{file}");
            assert!(!has_clock(&file.replace(&created, "").replace(&later, "")), "{file}");
        }
    }
}

#[test]
fn a_customer_with_the_technicians_name_is_told_apart_in_every_export() {
    let detail = detail(SessionStatus::Expired);
    let chat = [
        message("Anna", Some(Writer::Customer)),
        message("Anna", None),
        message("Anna (customer)", None),
        message("Anna", Some(Writer::Console)),
    ];
    let file = |format| export(&detail, &chat, format, Separator::Comma, &zone()).1;
    let text = file(Format::Text);
    let told_apart = [
        "  Anna (customer): hi\n",
        "  Anna: hi\n",
        "  \"Anna (customer)\": hi\n",
        "  Anna (technician): hi\n",
    ];
    for line in told_apart {
        assert_eq!(text.matches(line).count(), 1, "{line} in {text}");
    }
    let json: Value = serde_json::from_str(&file(Format::Json)).unwrap();
    let messages = &json["messages"];
    assert_eq!((&messages[0]["from"], &messages[0]["side"]), (&json!("Anna"), &json!("customer")));
    assert_eq!((&messages[1]["from"], &messages[1]["side"]), (&json!("Anna"), &Value::Null));
    assert_eq!(messages[3]["side"], "technician");
    let csv = file(Format::Csv);
    let rows =
        [",sent,from,side,text,", ",Anna,customer,hi,", ",Anna,,hi,", ",Anna,technician,hi,"];
    for part in rows {
        assert!(csv.contains(part), "{part} in {csv}");
    }
}

#[test]
fn a_line_of_a_message_or_note_is_none_of_ours() {
    let said = words::plain_lines("first line\r2026-11-29\u{2028}Verification: x\u{85}y", 100);
    assert_eq!(below(&said), "first line\n    | 2026-11-29\n    | Verification: x\n    | y");
}

#[test]
fn a_table_has_a_byte_order_mark_and_ends_its_lines_as_rfc_4180_says() {
    let rows = [vec!["a\nb".to_owned(), "\"q\", €".to_owned()]];
    let text = table(&["one", "two"], rows.into_iter(), Separator::Comma);
    assert_eq!(text, "\u{FEFF}one,two\r\n\"a\nb\",\"\"\"q\"\", €\"\r\n");
}

#[test]
fn a_table_is_read_back_with_each_separator_as_it_was() {
    let said = ["Doe, Jane", "a; b", "a\tb", "\"q\"", "1,5", "line\nline", ""];
    let rows = [said.map(str::to_owned).to_vec(), vec!["x".to_owned(); said.len()]];
    for separator in [Separator::Comma, Separator::Semicolon, Separator::Tab] {
        let text = table(&["c"; 7], rows.clone().into_iter(), separator);
        let delimiter = u8::try_from(separator.as_char()).unwrap();
        let plain = text.strip_prefix('\u{FEFF}').unwrap();
        let mut reader =
            csv::ReaderBuilder::new().delimiter(delimiter).from_reader(plain.as_bytes());
        let read: Vec<Vec<String>> =
            reader.records().map(|row| row.unwrap().iter().map(str::to_owned).collect()).collect();
        assert_eq!(read, rows, "{separator:?}");
    }
}

#[test]
fn a_file_that_is_split_at_another_separator_has_no_formula_either() {
    let said = [
        "a;=1+1",
        "a,\t=1",
        "a\n@x",
        "b; -1",
        "; +1",
        "a\r\n=1",
        "a\t=1;,=2",
        "a;\"=1",
        "a\n\"\"=1",
    ];
    for separator in [Separator::Comma, Separator::Semicolon, Separator::Tab] {
        let rows = said.map(|text| vec!["x".to_owned(), text.to_owned()]);
        let text = table(&["one", "two"], rows.into_iter(), separator);
        // As a spreadsheet that knows nothing of this separator or its quotation marks has it.
        for other in [',', ';', '\t'].into_iter().filter(|c| *c != separator.as_char()) {
            for part in text.split([other, '\n', '\r']) {
                let begins =
                    part.trim_start_matches(|c: char| c.is_whitespace() || c == '"').chars().next();
                assert!(!begins.is_some_and(|c| SIGNS.contains(&c)), "{part:?} at {other:?}");
            }
        }
    }
}

#[test]
fn times_of_json_are_said_with_their_offset_and_other_numbers_stay() {
    let mut value =
        json!({ "at": 0, "waited_ms": 5, "all": [{ "login_at": 1000, "until": null }] });
    say_times(&mut value, &TimeZone::UTC);
    let (at, login_at) = ("1970-01-01T00:00:00+00:00", "1970-01-01T00:00:01+00:00");
    assert_eq!(
        value,
        json!({ "at": at, "waited_ms": 5, "all": [{ "login_at": login_at, "until": null }] })
    );
}

#[test]
fn no_cell_is_a_formula() {
    for formula in ["=1+1", "+1", "-1", "@a", " =1", "＝1", "\t1", "\r1", "  \t"] {
        assert_eq!(cell(formula, ','), format!("'{formula}"));
    }
    for text in ["", "a=1", "1-1", "x", "Maria, +49 170 1", "a, b; c"] {
        assert_eq!(cell(text, ','), text);
    }
}
