//! The keys that a stand-in gives out: created at the first start and then never changed.

use rusqlite::{OptionalExtension as _, Transaction};

/// Hex digits, as LoginTC's domain ids and Passwordless.dev's keys have them.
pub(crate) const HEX: &[u8] = b"0123456789abcdef";
/// Digits, as codes that people type have them.
pub(crate) const DIGITS: &[u8] = b"0123456789";
/// Digits and letters, as LoginTC's keys and Rocket.Chat's tokens and ids have them.
pub(crate) const ALPHANUMERIC: &[u8] =
    b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// Loads a value from `table(name, value)`; creates it of `length` letters of `alphabet` if it isn't there.
pub(crate) fn load_or_create(
    tx: &Transaction<'_>,
    table: &'static str,
    name: &'static str,
    alphabet: &'static [u8],
    length: usize,
) -> rusqlite::Result<String> {
    let select = format!("SELECT value FROM {table} WHERE name = ?1");
    if let Some(value) = tx.query_row(&select, [name], |row| row.get(0)).optional()? {
        return Ok(value);
    }
    let value = random(alphabet, length);
    tx.execute(&format!("INSERT INTO {table}(name, value) VALUES (?1, ?2)"), (name, &value))?;
    Ok(value)
}

/// `length` letters of `alphabet`, each as likely as the others.
///
/// # Panics
/// If the operating system has no random bytes: nothing that is made here would be a key.
pub(crate) fn random(alphabet: &[u8], length: usize) -> String {
    let mut text = String::with_capacity(length);
    // Bytes above the last whole multiple are thrown away, or the first letters would be likelier.
    let fair = 256 - 256 % alphabet.len();
    let mut bytes = [0u8; 64];
    while text.len() < length {
        getrandom::fill(&mut bytes).expect("the operating system gives random bytes");
        let letters = bytes.iter().filter(|&&byte| usize::from(byte) < fair);
        let left = length - text.len();
        text.extend(
            letters.take(left).map(|&b| char::from(alphabet[usize::from(b) % alphabet.len()])),
        );
    }
    text
}
