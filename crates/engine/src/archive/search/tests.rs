use proptest::prelude::*;

use super::*;
use crate::archive::{
    Note, NoteKind, in_memory,
    messages::{self, sample as message},
    notes,
    sessions::sample,
};

const ONE: SessionId = SessionId::from_bytes([1; 16]);

fn filled() -> Connection {
    let connection = in_memory();
    sessions::save(&connection, &sample(1, "María López")).unwrap();
    let chat = vec![
        message("a", 10, "María", "my printer 😀 prints blank pages"),
        message("b", 30, "Tess", "which printer is it?"),
    ];
    messages::save(&connection, ONE, chat).unwrap();
    let text = "Printer driver replaced".to_owned();
    let note = Note { kind: NoteKind::Working, text, by: "tess".into(), at: Timestamp(20_000) };
    notes::set(&connection, ONE, &note).unwrap();
    connection
}

fn places(connection: &Connection, typed: &str) -> Vec<(FoundIn, i64)> {
    let page = find(connection, typed, None, 10).unwrap();
    page.rows.iter().map(|hit| (hit.place, hit.at.0 / 1000)).collect()
}

#[test]
fn finds_beginnings_of_words_everywhere_newest_first() {
    let connection = filled();
    let printer = [(FoundIn::Message, 30), (FoundIn::Note, 20), (FoundIn::Message, 10)];
    assert_eq!(places(&connection, "prin"), printer);
    assert_eq!(places(&connection, "PRINTER rep"), [(FoundIn::Note, 20)]);
    assert_eq!(places(&connection, "maria"), [(FoundIn::Message, 10), (FoundIn::Session, 1)]);
    assert_eq!(places(&connection, "inc-1"), [(FoundIn::Ticket, 1)]);
    assert_eq!(places(&connection, "nothing"), []);
    assert_eq!(places(&connection, " - "), [(FoundIn::Ticket, 1)]);
    assert_eq!(places(&connection, " \t "), [(FoundIn::Session, 1)]);
}

#[test]
fn marks_count_as_a_web_page_does() {
    let connection = filled();
    let page = find(&connection, "blank prints", None, 10).unwrap();
    let Snippet { text, marks } = &page.rows[0].snippet;
    let units: Vec<u16> = text.encode_utf16().collect();
    let marked: Vec<String> = marks
        .iter()
        .map(|&(from, to)| String::from_utf16(&units[from as usize..to as usize]).unwrap())
        .collect();
    assert_eq!(marked, ["prints", "blank"]);
}

/// A session whose name, ticket, tags, note and chat are `texts`, in this order; the rest is chat.
fn add(connection: &Connection, n: u8, texts: &[&str]) {
    let session = SessionId::from_bytes([n; 16]);
    let mut summary = sample(n, texts[0]);
    summary.about.ticket = texts[1].to_owned();
    sessions::save(connection, &summary).unwrap();
    super::super::tags::set(connection, session, &[texts[2].to_owned()]).unwrap();
    let (kind, by, at) = (NoteKind::Working, "tess".into(), Timestamp(i64::from(n) * 1000));
    notes::set(connection, session, &Note { kind, text: texts[3].into(), by, at }).unwrap();
    let chat = texts[4..]
        .iter()
        .enumerate()
        .map(|(at, text)| message(&at.to_string(), u64::from(n) * 1000 + at as u64, "Guest", text));
    messages::save(connection, session, chat.collect()).unwrap();
}

fn sessions_with(connection: &Connection, typed: &str) -> Vec<u8> {
    let page = find(connection, typed, None, 100).unwrap();
    let mut found: Vec<u8> =
        page.rows.iter().map(|hit| *hit.session.as_bytes().first().unwrap()).collect();
    found.dedup();
    found
}

#[test]
fn every_script_and_symbol_is_found_by_any_part() {
    let connection = in_memory();
    add(&connection, 1, &["王小明", "", "", "", "我的打印机坏了，请帮我修理"]);
    add(&connection, 2, &["佐藤", "", "", "", "プリンターが動きません"]);
    add(&connection, 3, &["김철수", "", "", "", "프린터가 고장났어요"]);
    add(&connection, 4, &["สมชาย", "", "", "", "เครื่องพิมพ์เสีย"]);
    add(&connection, 5, &["Ann", "", "", "", "it costs 5 € in C++ 👩‍💻"]);
    add(&connection, 6, &["Bob", "", "", "", "cats & dogs"]);
    for (typed, found) in [
        ("打印机", vec![1]),
        ("打印", vec![1]),
        ("机", vec![1]),
        ("小明", vec![1]),
        ("，", vec![1]),
        ("ター", vec![2]),
        ("ﾌﾟﾘﾝﾀ", vec![2]),
        ("린터", vec![3]),
        ("철", vec![3]),
        ("พิมพ์", vec![4]),
        ("€", vec![5]),
        ("C++", vec![5]),
        ("👩", vec![5]),
        ("c", vec![6, 5]),
        ("&", vec![6]),
        ("££", vec![]),
        ("打机", vec![]),
    ] {
        assert_eq!(sessions_with(&connection, typed), found, "{typed}");
    }
}

#[test]
fn a_session_is_found_by_terms_in_whichever_of_its_rows() {
    let connection = in_memory();
    add(
        &connection,
        1,
        &["María López", "INC-77", "vip", "driver replaced", "paper jam", "blank pages"],
    );
    add(&connection, 2, &["Bob", "INC-78", "new", "driver lost", "paper jam blank", "nothing"]);
    for (typed, found) in [
        ("lopez jam", vec![1]),
        ("77 vip driver paper pages", vec![1]),
        ("paper blank", vec![2, 1]),
        ("bob pages", vec![]),
        ("ver replac", vec![1]),
        ("\"paper jam\" inc", vec![2, 1]),
        ("\"jam blank\"", vec![2]),
        ("\"vip driver\"", vec![]),
    ] {
        assert_eq!(sessions_with(&connection, typed), found, "{typed}");
    }
    // Where no row has all, one is shown: the newest of those with the most terms.
    let page = find(&connection, "lopez jam", None, 10).unwrap();
    let shown: Vec<_> =
        page.rows.iter().map(|hit| (hit.place, hit.snippet.text.as_str())).collect();
    assert_eq!(shown, [(FoundIn::Message, "paper jam")]);
}

#[test]
fn pages_of_several_terms_follow_each_other_too() {
    let connection = in_memory();
    for n in 1..=9 {
        // In every third session two rows have both terms; in the others no row has.
        let chat = [["a jam", "paper"], ["paper jam", "paper jam"]][usize::from(n % 3 == 0)];
        add(&connection, n, &["x", "", "", "", chat[0], chat[1]]);
    }
    let (mut seen, mut before) = (Vec::new(), None);
    loop {
        let page = find(&connection, "jam paper", before, 2).unwrap();
        seen.extend(page.rows.iter().map(|hit| *hit.session.as_bytes().first().unwrap()));
        before = page.next;
        if before.is_none() {
            break;
        }
    }
    assert_eq!(seen, [9, 9, 8, 7, 6, 6, 5, 4, 3, 3, 2, 1]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn pages_have_each_session_with_all_terms_and_no_other(
        chats in prop::collection::vec(["[abc]{1,2}( [abcd]{1,3}){0,2}", "[abc]{1,3}"], 1..40),
        typed in prop::collection::vec("[abcd]{1,3}", 1..4),
        limit in 1u32..7,
    ) {
        let connection = in_memory();
        for (n, [first, second]) in (1..).zip(&chats) {
            add(&connection, n, &["x", "", "", "", first, second]);
        }
        let has = |chat: &[String; 2]| {
            typed.iter().all(|term| chat.iter().any(|text| text.contains(term)))
        };
        let expected = (1u8..).zip(&chats).filter(|(_, chat)| has(chat)).map(|(n, _)| n);
        let (mut seen, mut before) = (Vec::new(), None);
        loop {
            let page = find(&connection, &typed.join(" "), before, limit).unwrap();
            seen.extend(page.rows.iter().map(|hit| hit.session.as_bytes()[0]));
            before = page.next;
            if before.is_none() {
                break;
            }
        }
        seen.dedup();
        prop_assert_eq!(seen, expected.collect::<Vec<_>>().into_iter().rev().collect::<Vec<_>>());
    }
}

#[test]
fn what_an_older_version_archived_is_indexed_batch_by_batch() {
    let mut connection = Connection::open_in_memory().unwrap();
    let migrations = rusqlite_migration::Migrations::from_slice(super::super::STEPS);
    migrations.to_version(&mut connection, 12).unwrap();
    let old = "INSERT INTO sessions VALUES(1048576, zeroblob(16), 1, 'tess', 'María', 'INC-1', '', '{\"is\":\"expired\"}',
             NULL, NULL, NULL, 0, NULL);
         INSERT INTO search(rowid, subject, ticket, text) VALUES(1048576, 'María', 'INC-1', '');
         INSERT INTO messages VALUES(2621440, zeroblob(16), 'a', 2, 'María', '打印机坏了');
         INSERT INTO search(rowid, subject, ticket, text) VALUES(2621440, 'María', '', '打印机坏了');
         INSERT INTO notes VALUES(3407872, zeroblob(16), 'working', 'driver', 'tess', 3);
         INSERT INTO tags VALUES('vip', zeroblob(16));";
    connection.execute_batch(old).unwrap();
    migrations.to_latest(&mut connection).unwrap();
    let found = |typed| find(&connection, typed, None, 10).unwrap().rows.len();
    assert_eq!((found("印机"), found("driver")), (0, 0));
    assert_eq!(index::indexed(&connection).unwrap(), Some(0));
    assert!(index_pending(&connection, 1).unwrap());
    assert_eq!(index::indexed(&connection).unwrap(), Some(33));
    assert_eq!((found("印机"), found("driver")), (0, 1), "the newest row is the first");
    while index_pending(&connection, 1).unwrap() {}
    assert_eq!(index::indexed(&connection).unwrap(), None);
    assert_eq!((found("印机"), found("maria vip 打印"), found("driver")), (1, 1, 1));
}

#[test]
fn what_is_taken_out_leaves_nothing_in_the_index() {
    let connection = in_memory();
    add(&connection, 1, &["María", "INC-1", "vip", "driver", "打印机 €"]);
    let docs: Vec<i64> = connection
        .prepare("SELECT doc FROM places")
        .unwrap()
        .query_map([], |row| row.get(0))
        .unwrap()
        .map(Result::unwrap)
        .collect();
    for doc in docs {
        remove(&connection, doc).unwrap();
    }
    let vocabulary = "CREATE VIRTUAL TABLE temp.remaining USING fts5vocab(main, search, row);";
    connection.execute_batch(vocabulary).unwrap();
    let left: u32 =
        connection.query_row("SELECT count(*) FROM temp.remaining", [], |row| row.get(0)).unwrap();
    assert_eq!(left, 0);
    connection.execute_batch("INSERT INTO search(search) VALUES('integrity-check')").unwrap();
}

#[test]
fn the_pieces_of_the_index_are_merged_until_few_are_left() {
    let connection = in_memory();
    for n in 1..=15 {
        add(&connection, n, &["María", "INC-1", "", "driver", "打印机坏了"]);
    }
    let pieces = || -> u32 {
        let sql = "SELECT count(DISTINCT rowid >> 37) FROM search_data WHERE rowid >> 37 > 0";
        connection.query_row(sql, [], |row| row.get(0)).unwrap()
    };
    let (before, found) = (pieces(), sessions_with(&connection, "打印 maria"));
    while index::merge(&connection, 64).unwrap() {}
    assert!(pieces() <= 4 && pieces() < before, "{before} before, {} after", pieces());
    assert_eq!(sessions_with(&connection, "打印 maria"), found);
    assert_eq!(found.len(), 15);
    connection.execute_batch("INSERT INTO search(search) VALUES('integrity-check')").unwrap();
}

#[test]
fn pages_follow_each_other_without_gap_or_repetition() {
    let connection = in_memory();
    let chat = (0..25).map(|n| message(&n.to_string(), n, "x", "word")).collect();
    messages::save(&connection, ONE, chat).unwrap();
    let (mut seen, mut before) = (Vec::new(), None);
    loop {
        let page = find(&connection, "word", before, 10).unwrap();
        seen.extend(page.rows.iter().map(|hit| hit.at.0 / 1000));
        before = page.next;
        if before.is_none() {
            break;
        }
    }
    assert_eq!(seen, (0..25).rev().collect::<Vec<_>>());
}

#[test]
fn what_fts5_takes_for_syntax_is_only_text() {
    let connection = filled();
    for typed in [
        "\"",
        "a\"b",
        "NOT",
        "AND OR",
        "text:printer",
        "{subject}: x",
        "prin*",
        "^prin",
        "-prin",
        "NEAR(a b)",
        "(",
        "'",
        "a\0b",
        "\u{1}",
        "…",
        "\u{0301}",
        "prin) OR (x",
    ] {
        find(&connection, typed, None, 10).unwrap();
    }
    assert_eq!(places(&connection, "prin*").len(), 3);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]
    #[test]
    fn any_text_is_a_valid_query(typed: String) {
        let connection = filled();
        prop_assert!(find(&connection, &typed, None, 10).is_ok());
    }

    #[test]
    fn any_message_is_found_by_its_first_word(word in "[a-zA-Z0-9äöüéñ]{1,12}", rest: String) {
        let connection = in_memory();
        messages::save(&connection, ONE, vec![message("a", 1, "x", &format!("{word} {rest}"))])
            .unwrap();
        prop_assert_eq!(find(&connection, &word, None, 10).unwrap().rows.len(), 1);
    }
}
