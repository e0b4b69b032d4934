//! Rust source as tokens: enough of the language to see what a file uses, declares and contains. A
//! real parser gives no line numbers without features that nothing else here needs, and doesn't
//! look into macros.

/// A word, a number, a literal or a sign. Comments are left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    pub text: String,
    pub line: usize,
}

impl Token {
    pub fn is_word(&self) -> bool {
        self.text.starts_with(|c: char| c.is_alphabetic() || c == '_')
    }
}

pub fn tokens(source: &str) -> Vec<Token> {
    let mut found = Vec::new();
    let (mut rest, mut line) = (source, 1);
    while !rest.is_empty() {
        let (length, kept) = next_token(rest);
        let (text, after) = rest.split_at(length);
        if kept {
            found.push(Token { text: text.to_owned(), line });
        }
        line += text.matches('\n').count();
        rest = after;
    }
    found
}

/// How long the next token or gap is, and whether it is a token.
fn next_token(rest: &str) -> (usize, bool) {
    let first = rest.chars().next().unwrap();
    if first.is_whitespace() {
        return (first.len_utf8(), false);
    }
    if rest.starts_with("//") {
        return (rest.find('\n').unwrap_or(rest.len()), false);
    }
    if rest.starts_with("/*") {
        return (block_comment(rest), false);
    }
    if let Some(length) = raw_string(rest) {
        return (length, true);
    }
    let length = match first {
        '"' => quoted(rest, '"'),
        '\'' => character_or_lifetime(rest),
        '_' => word(rest),
        other if other.is_alphanumeric() => word(rest),
        ':' if rest.starts_with("::") => 2,
        '=' if rest.starts_with("=>") => 2,
        '-' if rest.starts_with("->") => 2,
        other => other.len_utf8(),
    };
    (length, true)
}

fn word(rest: &str) -> usize {
    rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len())
}

fn block_comment(rest: &str) -> usize {
    let (mut depth, mut at) = (0, 0);
    while at < rest.len() {
        if rest[at..].starts_with("/*") {
            (depth, at) = (depth + 1, at + 2);
        } else if rest[at..].starts_with("*/") {
            (depth, at) = (depth - 1, at + 2);
            if depth == 0 {
                return at;
            }
        } else {
            at += rest[at..].chars().next().unwrap().len_utf8();
        }
    }
    rest.len()
}

fn raw_string(rest: &str) -> Option<usize> {
    let prefix = ["r", "br", "cr"].into_iter().find(|prefix| {
        rest.strip_prefix(prefix)
            .is_some_and(|after| after.trim_start_matches('#').starts_with('"'))
    })?;
    let hashes = rest[prefix.len()..].find('"').unwrap();
    let start = prefix.len() + hashes + 1;
    let end = format!("\"{}", "#".repeat(hashes));
    Some(rest[start..].find(&end).map_or(rest.len(), |at| start + at + end.len()))
}

fn quoted(rest: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, c) in rest.char_indices().skip(1) {
        if !escaped && c == quote {
            return at + 1;
        }
        escaped = !escaped && c == '\\';
    }
    rest.len()
}

fn character_or_lifetime(rest: &str) -> usize {
    let mut after = rest.chars().skip(1);
    let (first, second) = (after.next(), after.next());
    if first == Some('\\') || second == Some('\'') {
        quoted(rest, '\'')
    } else {
        1 + word(&rest[1..])
    }
}

/// A file's tokens without what only tests see.
pub struct Production {
    pub tokens: Vec<Token>,
    /// How many lines the tests have.
    pub test_lines: usize,
    /// The modules with files of their own that only tests see.
    pub test_modules: Vec<String>,
}

pub fn without_tests(all: &[Token]) -> Production {
    let mut production = Production { tokens: vec![], test_lines: 0, test_modules: vec![] };
    let mut at = 0;
    while at < all.len() {
        if !starts_with(&all[at..], &["#", "[", "cfg", "(", "test", ")", "]"]) {
            production.tokens.push(all[at].clone());
            at += 1;
            continue;
        }
        let end = at + 7 + item_length(&all[at + 7..]);
        let item = &all[at..end.min(all.len())];
        production.test_lines += item[item.len() - 1].line - item[0].line + 1;
        let module = item.iter().position(|token| token.text == "mod");
        if let (Some(module), Some(";")) = (module, item.last().map(|t| t.text.as_str())) {
            production.test_modules.push(item[module + 1].text.clone());
        }
        at = end;
    }
    production
}

pub fn starts_with(tokens: &[Token], texts: &[&str]) -> bool {
    tokens.len() >= texts.len() && tokens.iter().zip(texts).all(|(token, text)| token.text == *text)
}

/// Up to the `;`, `,` or closing brace that ends the item or field at the start of `tokens`.
fn item_length(tokens: &[Token]) -> usize {
    let mut depth = 0;
    for (at, token) in tokens.iter().enumerate() {
        match token.text.as_str() {
            "(" | "[" | "{" => depth += 1,
            ")" | "]" => depth -= 1,
            "}" => {
                depth -= 1;
                if depth <= 0 {
                    return at + 1;
                }
            }
            ";" | "," if depth == 0 => return at + 1,
            _ => {}
        }
    }
    tokens.len()
}

#[test]
fn comments_and_texts_are_no_code() {
    let source = r##"a /* x /* y */ z */ "b \" c" 'd' '\'' 'e r#"f " g"# :: // h"##;
    let texts: Vec<_> = tokens(source).into_iter().map(|token| token.text).collect();
    assert_eq!(texts, ["a", r#""b \" c""#, "'d'", r"'\''", "'e", r##"r#"f " g"#"##, "::"]);
}

#[test]
fn what_only_tests_see_is_left_out() {
    let source = "fn a() {}\n#[cfg(test)]\nmod tests {\n fn b() { c(); }\n}\n#[cfg(test)]\nmod rig;\nfn d() {}";
    let production = without_tests(&tokens(source));
    let texts: Vec<_> = production.tokens.iter().map(|token| token.text.as_str()).collect();
    assert_eq!(texts.concat(), "fna(){}fnd(){}");
    assert_eq!((production.test_lines, production.test_modules), (6, vec!["rig".to_owned()]));
}
