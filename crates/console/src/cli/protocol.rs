//! The protocol of `deskhand headless`: a line in is a command, a line out is an answer or a push.
//!
//! Every line in, whatever it contains, gets exactly one answer, in the order of the lines.

use serde::{
    Deserialize, Deserializer, Serialize,
    de::{Error as _, MapAccess, Visitor},
};
use serde_json::{Map, Value};

use super::line_reader::{InputLine, MAX_LINE};
use crate::{
    commands::Command,
    present::trouble,
    reply::Reply,
    view::{Code, Trouble},
    words,
};

/// The version of this protocol; it grows whenever scripts have to be changed.
pub const PROTOCOL: u32 = 2;

/// A valid line.
pub struct Request {
    /// The script's own id, which the answer repeats.
    pub id: Value,
    /// The person who gave the command; none if it was the person who runs the program.
    pub by: Option<String>,
    /// What to do.
    pub command: Command,
}

/// An invalid line.
#[derive(Debug)]
pub struct BadLine {
    /// The script's own id, if at least that was readable.
    pub id: Value,
    pub trouble: Box<Trouble>,
}

#[derive(Deserialize)]
struct Envelope {
    #[serde(default)]
    id: Value,
    #[serde(default)]
    by: Value,
    #[serde(flatten)]
    command: Fields,
}

/// A command's fields. One that stands there twice could mean either, so the line is refused.
struct Fields(Map<String, Value>);

impl<'de> Deserialize<'de> for Fields {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(EachOnce)
    }
}

struct EachOnce;

impl<'de> Visitor<'de> for EachOnce {
    type Value = Fields;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut given: A) -> Result<Fields, A::Error> {
        let mut fields = Map::new();
        while let Some((name, value)) = given.next_entry::<String, Value>()? {
            if fields.contains_key(&name) {
                return Err(A::Error::custom(format!("duplicate field `{name}`")));
            }
            fields.insert(name, value);
        }
        Ok(Fields(fields))
    }
}

/// Parses a line; none if it is blank.
pub fn read(line: InputLine) -> Option<Result<Request, BadLine>> {
    let number = line.number;
    let Some(bytes) = line.bytes else {
        let why = format!("it is longer than {MAX_LINE} bytes");
        return Some(Err(bad(number, Value::Null, &why)));
    };
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return None;
    }
    Some(understand(number, &bytes))
}

fn understand(number: u64, bytes: &[u8]) -> Result<Request, BadLine> {
    let envelope: Envelope = serde_json::from_slice(bytes)
        .map_err(|error| bad(number, Value::Null, &why_no_envelope(&error)))?;
    let Envelope { id, by, command: Fields(command) } = envelope;
    if let Some(why) = unusable_id(&id) {
        return Err(bad(number, Value::Null, why));
    }
    if let Some(field) = needless_field(&command) {
        return Err(bad(
            number,
            id,
            &format!("unknown field `{field}`: this command has no fields"),
        ));
    }
    let by = match by {
        Value::Null => Ok(None),
        Value::String(by) => name_of(&by),
        Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => Err(NO_NAME),
    };
    let by = match by {
        Ok(by) => by,
        Err(why) => return Err(bad(number, id, &format!("its `by` {why}"))),
    };
    match read_command(command, &id) {
        Ok(command) => Ok(Request { id, by, command }),
        Err(error) => Err(bad(number, id, &error.to_string())),
    }
}

/// The longest name that goes on record, in characters.
const LONGEST_BY: usize = 64;
const NO_NAME: &str = "is no name of at most 64 characters";

/// Who gave a command, from what a script says; none if that is blank. It is refused rather than shortened: two
/// people must not become one in the records.
///
/// # Errors
/// Why nobody can go on record under it.
pub fn name_of(given: &str) -> Result<Option<String>, &'static str> {
    if given.chars().count() > LONGEST_BY {
        return Err(NO_NAME);
    }
    let name = words::plain(given, LONGEST_BY);
    if words::is_programs_name(given) {
        return Err("is the name of the program itself, which stands for what nobody asked for");
    }
    Ok(Some(name).filter(|name| !name.is_empty()))
}

fn why_no_envelope(error: &serde_json::Error) -> String {
    // serde names our type where another kind of JSON stands.
    let why = error.to_string().replace(", expected struct Envelope", "");
    if why.starts_with("duplicate field") { why } else { format!("it is not a JSON object: {why}") }
}

/// Why scripts couldn't match an answer by this id: it can't be compared, or not be given back as it came.
fn unusable_id(id: &Value) -> Option<&'static str> {
    match id {
        Value::Null | Value::String(_) => None,
        Value::Number(number) if number.is_f64() => {
            Some("its id is not a whole number of at most 64 bits")
        }
        Value::Number(_) => None,
        Value::Bool(_) | Value::Array(_) | Value::Object(_) => {
            Some("its id is neither a number nor a text")
        }
    }
}

/// The command of a line. A command that was once documented with a field `id` takes the line's own
/// where that field is missing: `delete_passkey`.
fn read_command(mut fields: Map<String, Value>, id: &Value) -> serde_json::Result<Command> {
    let read = |fields| serde_json::from_value(Value::Object(fields));
    read(fields.clone()).or_else(|error| {
        fields.insert("id".to_owned(), id.clone());
        read(fields).map_err(|_| error)
    })
}

/// A field of a command that has none. For those, serde doesn't refuse unknown fields.
fn needless_field(command: &Map<String, Value>) -> Option<&String> {
    let field = command.keys().find(|field| *field != "do")?;
    let name = command.get("do")?.as_str()?;
    Command::has_no_fields(name).then_some(field)
}

fn bad(number: u64, id: Value, why: &str) -> BadLine {
    let trouble = Trouble {
        code: Code::BadInput,
        text: trouble::sentence(&format!("read line {number}: {why}")),
        remedy: "Send one command a line, such as {\"id\":1,\"do\":\"settings\"}; docs/headless.md lists them."
            .to_owned(),
    };
    BadLine { id, trouble: Box::new(trouble) }
}

#[derive(Serialize)]
struct Answer<'a> {
    id: &'a Value,
    #[serde(flatten)]
    what: What<'a>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum What<'a> {
    // The answer's own `id` is the script's, so the session's id has another name here.
    Session { reply: &'static str, session: &'a str },
    Reply(&'a Reply),
    Error { error: &'a Trouble },
}

/// The line that answers a command.
pub fn answer(id: &Value, result: &Result<Reply, Trouble>) -> String {
    let what = match result {
        Ok(Reply::Session { id }) => What::Session { reply: "session", session: id },
        Ok(reply) => What::Reply(reply),
        Err(error) => What::Error { error },
    };
    line(&Answer { id, what })
}

/// One line of JSON.
pub fn line(value: &impl Serialize) -> String {
    // None of our values has keys that aren't text or numbers that aren't finite.
    let text = serde_json::to_string(value);
    text.unwrap_or_else(|error| format!("{{\"bug\":{}}}", Value::String(error.to_string()))) + "\n"
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::commands::{PasskeyCommand, SessionCommand};

    fn understood(text: &str) -> Option<Result<Request, BadLine>> {
        read(InputLine { number: 7, bytes: Some(text.into()) })
    }

    fn refused(text: &str) -> BadLine {
        match understood(text) {
            Some(Err(bad)) => bad,
            Some(Ok(_)) | None => panic!("{text} was taken"),
        }
    }

    #[test]
    fn a_command_carries_its_id_and_who_gave_it() {
        let text = r#"{"id":"a","by":"Ada","do":"new_session","about":{"customer":"Maria"}}"#;
        let request = understood(text).unwrap().unwrap_or_else(|bad| panic!("{bad:?}"));
        assert_eq!((request.id, request.by.as_deref()), (Value::from("a"), Some("Ada")));
        let Command::Session(SessionCommand::NewSession { about, region: None }) = request.command
        else {
            panic!()
        };
        assert_eq!(about.customer, "Maria");
    }

    #[test]
    fn who_gave_a_command_is_a_name_or_the_line_is_refused_with_its_id() {
        let long = format!("\"{}\"", "x".repeat(65));
        for by in
            ["7", "true", "[]", "{}", &long, "\"Deskhand\"", "\" deskHAND \"", "\"Desk hand\""]
        {
            let bad = refused(&format!(r#"{{"id":4,"by":{by},"do":"outbox"}}"#));
            assert_eq!((bad.id, bad.trouble.code), (Value::from(4), Code::BadInput), "{by}");
            assert!(bad.trouble.text.contains("its `by` is"), "{by}: {}", bad.trouble.text);
        }
        for by in ["null", "\"\"", "\" \\u202e \""] {
            let line = format!(r#"{{"by":{by},"do":"outbox"}}"#);
            let request = understood(&line).unwrap().unwrap_or_else(|bad| panic!("{bad:?}"));
            assert_eq!(request.by, None, "{by}");
        }
        assert_eq!(name_of(&"é".repeat(64)), Ok(Some("é".repeat(64))));
    }

    #[test]
    fn an_id_may_be_left_out_and_an_empty_line_says_nothing() {
        assert!(understood(r#"{"do":"outbox"}"#).unwrap().is_ok());
        assert!(understood("  \r").is_none());
    }

    #[test]
    fn a_bad_line_is_named_by_its_number_and_keeps_its_id_where_it_has_one() {
        let bad = refused(r#"{"id":3,"do":"dance"}"#);
        assert_eq!(bad.id, Value::from(3));
        assert!(
            bad.trouble.text.starts_with("Read line 7: unknown variant `dance`"),
            "{}",
            bad.trouble.text
        );
        for text in ["nonsense", "[1]", "{", "{\"id\":[1],\"do\":\"outbox\"}", "\u{1}"] {
            assert_eq!(refused(text).id, Value::Null, "{text}");
        }
        for id in ["1.5", "18446744073709551616", "1e3", "true", "[1]"] {
            let bad = refused(&format!(r#"{{"id":{id},"do":"outbox"}}"#));
            assert!(bad.trouble.text.contains("its id is n"), "{id}: {}", bad.trouble.text);
        }
        assert!(!refused("[1]").trouble.text.contains("Envelope"));
        for text in [r#"{"do":"outbox","extra":1}"#, r#"{"do":"read","session":"s","extra":1}"#] {
            assert!(refused(text).trouble.text.contains("unknown field `extra`"), "{text}");
        }
        assert!(refused("{}").trouble.text.contains("do"));
        for twice in [r#"{"do":"lock","do":"quit"}"#, r#"{"id":1,"do":"lock","id":2}"#] {
            let text = refused(twice).trouble.text;
            assert!(text.starts_with("Read line 7: duplicate field `"), "{text}");
        }
    }

    #[test]
    fn no_field_of_a_command_has_the_name_of_a_field_of_the_line() {
        for name in Command::names() {
            let fields = Command::fields(name);
            // The old name of the passkey, which the line's own id may stand for.
            let old = |field: &str| (name, field) == ("delete_passkey", "id");
            let taken =
                |field: &&String| ["id", "by", "do"].contains(&field.as_str()) && !old(field);
            assert_eq!(fields.iter().find(taken), None, "{name} has a field of the line");
        }
        let passkey = Command::fields("delete_passkey");
        assert_eq!(
            BTreeSet::from_iter(passkey),
            ["confirmed", "id", "passkey"].map(String::from).into()
        );
        assert_eq!(Command::fields("read"), ["session"]);
        assert!(Command::fields("outbox").is_empty());
    }

    #[test]
    fn a_passkey_is_named_beside_the_lines_id_or_by_it_as_it_once_was() {
        let passkey = |text: &str| {
            let request = understood(text).unwrap().unwrap_or_else(|bad| panic!("{bad:?}"));
            let Command::Passkey(PasskeyCommand::DeletePasskey { passkey, confirmed: true }) =
                request.command
            else {
                panic!("{text}")
            };
            (request.id, passkey)
        };
        let new = passkey(r#"{"id":1,"do":"delete_passkey","passkey":"abc","confirmed":true}"#);
        assert_eq!(new, (1.into(), "abc".to_owned()));
        let old = passkey(r#"{"do":"delete_passkey","id":"abc","confirmed":true}"#);
        assert_eq!(old, ("abc".into(), "abc".to_owned()));
        let neither = refused(r#"{"id":1,"do":"delete_passkey","confirmed":true}"#);
        assert!(neither.trouble.text.contains("missing field `passkey`"), "{neither:?}");
    }

    #[test]
    fn a_line_that_is_too_long_is_answered() {
        let Some(Err(bad)) = read(InputLine { number: 2, bytes: None }) else { panic!() };
        assert_eq!(bad.trouble.text, "Read line 2: it is longer than 1048576 bytes.");
    }

    #[test]
    fn answers_name_the_command_first() {
        let session = Ok(Reply::Session { id: "s".into() });
        assert_eq!(
            answer(&1.into(), &session),
            "{\"id\":1,\"reply\":\"session\",\"session\":\"s\"}\n"
        );
        assert_eq!(answer(&Value::Null, &Ok(Reply::Done)), "{\"id\":null,\"reply\":\"done\"}\n");
        let text = Ok(Reply::Text { file_name: "a.txt".into(), text: "x".into() });
        assert_eq!(
            answer(&"b".into(), &text),
            "{\"id\":\"b\",\"reply\":\"text\",\"file_name\":\"a.txt\",\"text\":\"x\"}\n"
        );
        let trouble = Trouble { code: Code::NotFound, text: "t".into(), remedy: "r".into() };
        assert_eq!(
            answer(&2.into(), &Err(trouble)),
            "{\"id\":2,\"error\":{\"code\":\"not_found\",\"text\":\"t\",\"remedy\":\"r\"}}\n"
        );
    }
}
