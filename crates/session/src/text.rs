//! What texts of events are made of: names and reasons, counts and sizes.
//!
//! Names and reasons come from strangers: [`plain`] removes control characters and those that
//! change the reading direction, so that a text can't disguise itself in a notification or in the
//! log. Markup is escaped where it is rendered, not here.

pub use wire::text::is_hidden;

/// The longest name that is shown, in characters.
pub const LONGEST_NAME: usize = 80;

/// `text` in one line, without control and direction characters, of at most `most` characters.
pub fn plain(text: &str, most: usize) -> String {
    let mut out = String::new();
    let mut length = 0;
    for c in text.chars() {
        let c = if c.is_whitespace() { ' ' } else { c };
        let doubled = c == ' ' && (out.is_empty() || out.ends_with(' '));
        if doubled || is_hidden(c) {
            continue;
        }
        if length == most {
            break;
        }
        out.push(c);
        length += 1;
    }
    out.truncate(out.trim_end().len());
    out
}

/// A person's name as it is shown.
pub fn plain_name(name: &str) -> String {
    plain(name, LONGEST_NAME)
}

/// `one window`, `2 windows`.
pub fn count(n: u32, one: &str, many: &str) -> String {
    if n == 1 { format!("1 {one}") } else { format!("{n} {many}") }
}

/// With its first letter in upper case.
pub fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

/// `640 B`, `12 kB`, `12.3 MB`.
pub fn size(bytes: u64) -> String {
    #[allow(clippy::cast_precision_loss)] // shown with three digits
    let of = |unit: f64| bytes as f64 / unit;
    match bytes {
        0..1_000 => format!("{bytes} B"),
        1_000..999_500 => format!("{:.0} kB", of(1e3)),
        _ => format!("{:.1} MB", of(1e6)),
    }
}
