//! Every command of docs/headless.md, as the page has it, through the real protocol.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use crate::process::{Console, pin_of};

const PAGE: &str = include_str!("../../../../docs/headless.md");
/// The page has it in a sentence: it needs a desktop.
const IN_A_SENTENCE: &str = "open_viewer";
/// A name that a field had once, which the page no longer has.
const OLD_FIELD: (&str, &str) = ("delete_passkey", "id");

/// A row of the page's tables of commands.
struct Row {
    name: String,
    fields: BTreeSet<String>,
    /// All words that the row has for the answer.
    answers: BTreeSet<String>,
}

/// The words in backticks.
fn quoted(text: &str) -> impl Iterator<Item = String> {
    text.split('`').skip(1).step_by(2).map(String::from)
}

/// The text outside of brackets, which hold values and parts of a field.
fn outside_of_brackets(text: &str) -> String {
    let mut depth = 0_usize;
    let mut outside = String::new();
    for letter in text.chars() {
        match letter {
            '(' | '{' => depth += 1,
            ')' | '}' => depth -= 1,
            _ if depth == 0 => outside.push(letter),
            _ => {}
        }
    }
    outside
}

fn rows() -> Vec<Row> {
    let mut rows = Vec::new();
    let mut in_table = false;
    for line in PAGE.lines() {
        in_table = line.starts_with("| `do` | Fields |") || in_table && line.starts_with('|');
        let cells: Vec<_> = line.split('|').map(str::trim).collect();
        let [_, names, fields, answer, ..] = cells[..] else { continue };
        // Some rows only say which section has the commands.
        if !in_table || !names.starts_with('`') || names == "`do`" || answer.starts_with("see [") {
            continue;
        }
        for name in quoted(names) {
            let fields = quoted(&outside_of_brackets(fields)).collect();
            rows.push(Row { name, fields, answers: quoted(answer).collect() });
        }
    }
    assert!(rows.len() > 40, "the page's tables were found: {}", rows.len());
    rows
}

/// A value of this field; a new field of a command needs one.
fn example(field: &str, session: &str, folder: &Value) -> Value {
    match field {
        "session" => json!(session),
        "about" => json!({ "customer": "Maria Lopez", "ticket": "T-1", "contact": "" }),
        "region" | "cursor" | "before" | "person" => Value::Null,
        "to" => json!("tess@example.org"),
        "to_customer" | "read_only" | "by_id" | "hashing" => json!(false),
        "when" => json!("next_event"),
        "mail" | "verification" | "picture" => json!(1),
        "confirmed" | "lets_in" => json!(true),
        "path" => folder.clone(),
        "who" => json!("customer"),
        "user" => json!("maria.lopez"),
        "reason" => json!("known by voice"),
        "code" => json!("123456"),
        "outcome" => json!("resolved"),
        "note" | "text" | "query" | "name" | "nickname" | "passkey" | "viewer" => json!("printer"),
        "tags" | "aliases" => json!(["printer"]),
        "format" => json!("csv"),
        "separator" => json!("semicolon"),
        "troubles" => json!(["0b0c7f5e-3f5c-4a52-9a3e-6f6d2f0b7a11"]),
        "changes" => json!({ "theme": "dark" }),
        "pin" => json!("AAA-AA-AAAA"),
        "login_session" => json!("uBNL9dTjJ4s6Pjp4K"),
        "factor" => json!({ "code": "123456", "method": "totp" }),
        "filter" => json!(""),
        "offset" => json!(0),
        "email" => json!("tess@example.org"),
        "secret" => json!("logintc_key"),
        "value" => json!("not a key"),
        "passphrase" => json!("long enough to be taken"),
        "replace" => json!(true),
        "service" => json!("logintc"),
        _ => panic!("say in this test what `{field}` may be"),
    }
}

/// The names in a refusal's list of what was expected.
fn expected(refusal: &Value) -> BTreeSet<String> {
    let text = refusal["error"]["text"].as_str().unwrap();
    let list = text.split_once("expected").map(|(_, list)| list);
    list.map(|list| quoted(list).collect()).unwrap_or_default()
}

#[tokio::test]
async fn the_page_has_every_command_with_all_its_fields_and_each_is_understood() {
    let home = tempfile::tempdir().unwrap();
    let mut console = Console::start(home.path(), &[]).await;
    let (session, _) = console.new_session("Maria Lopez").await;
    let rows = rows();
    let mut named: BTreeSet<_> = rows.iter().map(|row| row.name.clone()).collect();
    named.insert(IN_A_SENTENCE.to_owned());
    let unknown = console.ask(json!({ "do": "dance" })).await;
    assert_eq!(named, expected(&unknown), "the page's commands and the program's");

    let folder = json!(home.path());
    // What ends the session or the program comes last.
    let late = |row: &&Row| ["close", "lock", "quit"].contains(&row.name.as_str());
    for row in rows.iter().filter(|row| !late(row)).chain(rows.iter().filter(late)) {
        let Row { name, fields, answers } = row;
        let mut declared = expected(&console.ask(json!({ "do": name, "": null })).await);
        if name == OLD_FIELD.0 {
            declared.remove(OLD_FIELD.1);
        }
        assert_eq!(*fields, declared, "the fields of {name}: the page's and the program's");
        let line = |all: &BTreeSet<String>| {
            let mut line: Map<_, _> = all
                .iter()
                .map(|field| (field.clone(), example(field, &session, &folder)))
                .collect();
            line.insert("do".into(), name.as_str().into());
            line.insert("by".into(), "Ada".into());
            Value::Object(line)
        };
        let answer = console.ask(line(fields)).await;
        match answer.get("reply") {
            Some(reply) => {
                let reply = reply.as_str().unwrap();
                assert!(answers.contains(reply), "{name} answers {reply}, says the program");
            }
            None => {
                let text = answer["error"]["text"].as_str().unwrap_or_else(|| panic!("{answer}"));
                assert!(!text.starts_with("Read line"), "{name} was not understood: {text}");
            }
        }
    }
    assert_eq!(console.ended().await, Some(0), "quit came last");
}

#[tokio::test]
async fn a_first_line_may_begin_with_a_byte_order_mark() {
    let home = tempfile::tempdir().unwrap();
    let mut console = Console::start(home.path(), &[]).await;
    console.write("\u{feff}{\"id\":\"first\",\"do\":\"settings\"}\n".as_bytes()).await;
    console.until("the answer", |line| line["id"] == "first" && line["reply"] == "settings").await;
    console.quit().await;
}

/// Every event that a session may tell, by its name; the session crate checks that none is left out.
const EVENTS: &str = include_str!("../../../session/tests/fixtures/events.jsonl");

#[test]
fn the_page_has_every_event_and_no_other() {
    let (_, list) = PAGE.split_once("\n`event` is one of ").unwrap();
    let (list, _) = list.split_once("\n\n").unwrap();
    let written: BTreeSet<_> = quoted(list).collect();
    let name = |line| {
        let event: Value = serde_json::from_str(line).unwrap();
        event["event"].as_str().unwrap().to_owned()
    };
    let told: BTreeSet<String> = EVENTS.lines().map(name).collect();
    assert_eq!(written, told);
}

/// The fields in the table below this heading.
fn fields_below(heading: &str) -> BTreeSet<String> {
    let (_, section) = PAGE.split_once(&format!("### {heading}\n")).expect(heading);
    let table = section.lines().skip_while(|line| !line.starts_with('|'));
    let rows = table.take_while(|line| line.starts_with('|'));
    rows.flat_map(|row| quoted(row.split('|').nth(1).unwrap()).collect::<Vec<_>>()).collect()
}

#[tokio::test]
async fn the_page_has_every_field_of_what_is_pushed() {
    let home = tempfile::tempdir().unwrap();
    let mut console = Console::start(home.path(), &[]).await;
    console.new_session("Maria Lopez").await;
    console.ask(json!({ "do": "probe_regions" })).await;
    for (push, heading) in [
        ("console", "What a `console` has"),
        ("detail", "What a `detail` has"),
        ("regions", "What `regions` have"),
    ] {
        let pushed = console.until(push, |line| line["push"] == push).await;
        let mut fields: BTreeSet<_> = pushed.as_object().unwrap().keys().cloned().collect();
        fields.remove("push");
        assert_eq!(fields_below(heading), fields, "{heading}");
    }
    console.quit().await;
}

#[tokio::test]
async fn a_long_chat_is_pushed_piece_by_piece_and_given_page_by_page() {
    const MESSAGES: usize = 450;
    let home = tempfile::tempdir().unwrap();
    let broker = broker::Broker::start(broker::Config::embedded(home.path().join("broker"))).await;
    let broker = broker.unwrap();
    let mut console = Console::start(home.path(), &["--base-url", &broker.base_url()]).await;
    let (session, detail) = console.new_session("Maria Lopez").await;
    let pin = pin_of(&detail);
    let (handle, page) = (broker.handle(), uuid::Uuid::new_v4());
    handle.page_arrives(&pin, wire::Side::Presenter, page, "Maria").await.unwrap();
    for n in 0..MESSAGES {
        // The broker lets nobody write faster than people do.
        handle.advance(std::time::Duration::from_secs(2)).await;
        handle.page_says(&pin, page, "Maria", &format!("message {n}")).await.unwrap();
    }
    console.detail(&session, "all", |detail| detail["chat_total"] == MESSAGES).await;
    handle.page_says(&pin, page, "Maria", "one more").await.unwrap();
    console.detail(&session, "one more", |detail| detail["chat_total"] == MESSAGES + 1).await;

    // A reader that does what the page says.
    let mut known: Vec<Value> = Vec::new();
    let mut most = 0;
    for line in console.said() {
        let Some(chat) = line["chat"].as_array().filter(|_| line["push"] == "detail") else {
            continue;
        };
        let after = known.iter().position(|message| message["guid"] == line["chat_after"]);
        assert_eq!(after.is_none(), line["chat_after"].is_null());
        known.truncate(after.map_or(0, |at| at + 1));
        known.extend(chat.iter().cloned());
        most = most.max(chat.len());
    }
    assert!(most <= 200, "{most} messages were pushed at once");
    let last = console.said().iter().rfind(|line| line["push"] == "detail").unwrap();
    assert!(last["chat"].as_array().unwrap().len() <= 1, "only what is new was pushed");
    assert_eq!(known.last().unwrap()["text"], "one more");
    let mut earlier = u64::MAX;
    while earlier > 0 {
        let before = known[0]["guid"].clone();
        let answer =
            console.ask(json!({ "do": "chat", "session": session, "before": before })).await;
        earlier = answer["earlier"].as_u64().unwrap_or_else(|| panic!("{answer}"));
        known.splice(0..0, answer["chat"].as_array().unwrap().iter().cloned());
    }
    let texts: Vec<_> = known.iter().map(|message| message["text"].as_str().unwrap()).collect();
    let mut all: Vec<_> = (0..MESSAGES).map(|n| format!("message {n}")).collect();
    all.push("one more".into());
    assert_eq!(texts, all);
    let export = console.ask(json!({ "do": "export", "session": session, "format": "text" })).await;
    assert!(export["text"].as_str().unwrap().contains("message 0"), "an export has all");
    let unknown = console.ask(json!({ "do": "chat", "session": session, "before": "x" })).await;
    assert_eq!(unknown["error"]["code"], "not_found");
    console.quit().await;
    broker.shutdown().await;
}
