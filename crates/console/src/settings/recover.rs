//! What can still be read of a damaged settings file.
//!
//! The file is read line by line: each line that keeps the whole from being TOML is left out. A
//! guard that such a line may have held is named, so that it can count as its strictest value.

use serde_json::{Map, Value};

use super::{check, declarations};

/// Larger files were not written by this program, and reading them line by line would take long.
pub(crate) const LARGEST: usize = 1 << 18;
/// The most lines that are left out; a file with more isn't settings.
const MOST_LOST: usize = 100;

/// A settings file that isn't sound as a whole.
pub(crate) struct Unsound {
    /// Why, in words for people.
    pub why: String,
    /// The settings that can be read.
    pub readable: Map<String, Value>,
    /// The guards that the unreadable part may have set.
    pub hidden_guards: Vec<&'static str>,
}

impl Unsound {
    /// A file of which nothing can be read.
    pub fn nothing(why: impl Into<String>) -> Self {
        Self { why: why.into(), readable: Map::new(), hidden_guards: guards().collect() }
    }
}

/// The settings in the text of a file, which may begin with a byte order mark.
pub(crate) fn parse(bytes: &[u8]) -> Result<Map<String, Value>, Unsound> {
    let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    if bytes.len() > LARGEST {
        return Err(Unsound::nothing("the file is too large to be settings"));
    }
    let text = match str::from_utf8(bytes) {
        Ok(text) => match toml::from_str(text) {
            Ok(settings) => return Ok(settings),
            Err(error) => why_not_toml(text, &error),
        },
        Err(error) => {
            let line = bytes[..error.valid_up_to()].split(|byte| *byte == b'\n').count();
            format!("line {line} is not text in UTF-8")
        }
    };
    Err(recovered(text, bytes))
}

/// The line and the parser's reason, without the text of the line.
fn why_not_toml(text: &str, error: &toml::de::Error) -> String {
    let line = error.span().map(|span| line_at(text, span.start) + 1);
    match line {
        Some(line) => format!("line {line}: {}", error.message()),
        None => error.message().to_owned(),
    }
}

fn line_at(text: &str, offset: usize) -> usize {
    text.bytes().take(offset).filter(|byte| *byte == b'\n').count()
}

fn recovered(why: String, bytes: &[u8]) -> Unsound {
    let ends_cleanly = bytes.ends_with(b"\n");
    let mut lost = Vec::new();
    let mut lines: Vec<String> = Vec::new();
    for line in bytes.split(|byte| *byte == b'\n') {
        match str::from_utf8(line) {
            Ok(line) => lines.push(line.to_owned()),
            Err(_) => {
                lines.push(String::new());
                lost.push(String::from_utf8_lossy(line).into_owned());
            }
        }
    }
    let last = lines.iter().rposition(|line| !line.trim().is_empty());
    let mut last_is_lost = false;
    let readable = loop {
        let text = lines.join("\n");
        let error = match toml::from_str(&text) {
            Ok(settings) => break settings,
            Err(error) => error,
        };
        let at = error.span().map_or(lines.len(), |span| line_at(&text, span.start));
        let before = at.saturating_add(1).min(lines.len());
        // At the end of the file, what is wrong is the last line that says anything.
        let Some(at) = lines[..before].iter().rposition(|line| !line.trim().is_empty()) else {
            return Unsound::nothing(why);
        };
        last_is_lost |= Some(at) == last;
        leave_out(&mut lines, at, &mut lost);
        if lost.len() > MOST_LOST {
            return Unsound::nothing(why);
        }
    };
    // In a file that was cut off, anything may have followed.
    let cut_off = last_is_lost && !ends_cleanly;
    let hidden_guards = hidden(&readable, &lost, cut_off);
    Unsound { why, readable, hidden_guards }
}

/// Leaves a line out; with the head of a table its lines too, which would otherwise count as settings.
fn leave_out(lines: &mut [String], at: usize, lost: &mut Vec<String>) {
    let is_head = |line: &str| line.trim_start().starts_with('[');
    let head = is_head(&lines[at]);
    lost.push(std::mem::take(&mut lines[at]));
    if head {
        for line in lines[at + 1..].iter_mut() {
            if is_head(line) {
                break;
            }
            lost.push(std::mem::take(line));
        }
    }
}

/// The guards that a lost line names, and those that are nowhere if a lost line says nothing of
/// which setting it held.
fn hidden(readable: &Map<String, Value>, lost: &[String], cut_off: bool) -> Vec<&'static str> {
    let unknown = cut_off || lost.iter().any(|line| !line.trim().is_empty() && !is_other(line));
    let named = |guard: &str| lost.iter().any(|line| line.contains(guard));
    guards().filter(|guard| named(guard) || (unknown && !readable.contains_key(*guard))).collect()
}

/// Whether the line is a comment or one of a setting that guards nothing.
fn is_other(line: &str) -> bool {
    let line = line.trim();
    let name = line.split('=').next().unwrap_or_default().trim().trim_matches('"');
    line.starts_with('#')
        || declarations().iter().any(|known| known.name == name && known.strictest.is_none())
}

/// The names of the settings that guard the console.
pub(super) fn guards() -> impl Iterator<Item = &'static str> {
    declarations().iter().filter(|known| known.strictest.is_some()).map(|known| known.name)
}

/// Adds to `guards` those that an invalid setting may have been meant as: by its name, by a name within
/// its value, or by both together, each also where it is written a little differently.
pub(super) fn guards_meant(name: &str, value: &Value, guards: &mut Vec<&'static str>) {
    let near =
        |name: &str| check::nearest(name).filter(|near| self::guards().any(|guard| guard == *near));
    guards.extend(near(name));
    match value {
        Value::Object(inner) => {
            for (inside, value) in inner {
                guards.extend(near(inside));
                guards_meant(&format!("{name}_{inside}"), value, guards);
            }
        }
        Value::Array(inner) => {
            for value in inner {
                guards_meant(name, value, guards);
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unsound(bytes: impl AsRef<[u8]>) -> Unsound {
        parse(bytes.as_ref()).err().unwrap()
    }

    #[test]
    fn a_bad_line_costs_no_other_setting() {
        let bad = [
            "lan = maybe",
            "theme = \"dark",
            "probe_rounds 5",
            "lan = true\nlan = false",
            "= 3",
            "company = \"a\0b\"",
            "}{",
        ];
        for bad in bad {
            let text = format!("heartbeat_s = 60\n{bad}\nverify_gate = \"require\"\n");
            let found = unsound(&text);
            assert_eq!(found.readable["verify_gate"], "require", "{bad}");
            assert_eq!(found.readable["heartbeat_s"], 60, "{bad}");
            assert!(
                !found.hidden_guards.contains(&"verify_gate") && !found.why.is_empty(),
                "{bad}"
            );
        }
    }

    #[test]
    fn a_guard_in_a_bad_line_or_given_twice_is_hidden() {
        let bad = [
            "verify_gate = require",
            "verify_gate = \"require",
            "verify_gate = \"off\"\nverify_gate = \"require\"",
            "verify_gate =",
            "company = \"\"\"\nverify_gate = \"off\"",
        ];
        for bad in bad {
            let found = unsound(format!("lan = true\n{bad}\n"));
            assert!(found.hidden_guards.contains(&"verify_gate"), "{bad}");
        }
    }

    #[test]
    fn a_bad_line_of_another_setting_hides_no_guard_unless_the_file_was_cut_off() {
        assert_eq!(unsound("lan = maybe\ntheme = \"dark\"\n").hidden_guards, Vec::<&str>::new());
        assert!(unsound("theme = \"dark\"\nlan = may").hidden_guards.contains(&"verify_gate"));
        assert!(unsound("theme = \"dark\"\nve").hidden_guards.contains(&"verify_gate"));
        assert!(unsound("theme = \"dark\"\n??\n").hidden_guards.contains(&"verify_gate"));
    }

    #[test]
    fn a_table_with_a_broken_head_gives_no_settings() {
        let found = unsound("lan = true\n[other\nverify_gate = \"off\"\n");
        assert!(found.readable.get("verify_gate").is_none());
        assert!(found.hidden_guards.contains(&"verify_gate") && found.readable["lan"] == true);
    }

    #[test]
    fn other_bytes_are_survived_and_a_byte_order_mark_is_nothing() {
        assert_eq!(parse(b"\xEF\xBB\xBFlan = true\r\n").ok().unwrap()["lan"], true);
        let latin = unsound(b"company = \"M\xFCller\"\nverify_gate = \"require\"\n");
        assert_eq!(latin.readable["verify_gate"], "require");
        assert!(latin.why.contains("line 1"), "{}", latin.why);
        let utf16: Vec<u8> = "\u{FEFF}verify_gate = \"require\"\n"
            .encode_utf16()
            .flat_map(u16::to_le_bytes)
            .collect();
        for bytes in [utf16, vec![0; 4096], vec![0xFF; 100_000], vec![b'['; 200_000]] {
            let found = unsound(bytes);
            assert_eq!(found.hidden_guards.len(), guards().count());
        }
    }
}
