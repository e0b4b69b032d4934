//! The attestation object: CBOR, of which only the statement "none" is accepted.

use ciborium::Value;

use super::Refusal;

/// The nesting that is read: deeper than that of any attestation object that is accepted.
const DEPTH: usize = 6;

/// The authenticator data in an attestation object.
pub(super) fn authenticator_data(bytes: &[u8]) -> Result<Vec<u8>, Refusal> {
    let (value, rest) = item(bytes).ok_or(Refusal::AttestationObject)?;
    let Value::Map(fields) = value else { return Err(Refusal::AttestationObject) };
    if !rest.is_empty() {
        return Err(Refusal::AttestationObject);
    }
    let (mut format, mut statement, mut data) = (None, None, None);
    for (name, value) in fields {
        let slot = match name.as_text() {
            Some("fmt") => &mut format,
            Some("attStmt") => &mut statement,
            Some("authData") => &mut data,
            Some(_) => continue,
            None => return Err(Refusal::AttestationObject),
        };
        // Two fields of one name are refused, since readers differ in which of them counts.
        if slot.replace(value).is_some() {
            return Err(Refusal::AttestationObject);
        }
    }
    let (Some(Value::Text(format)), Some(Value::Map(statement)), Some(Value::Bytes(data))) =
        (format, statement, data)
    else {
        return Err(Refusal::AttestationObject);
    };
    if format != "none" || !statement.is_empty() {
        return Err(Refusal::Attestation);
    }
    Ok(data)
}

/// The first CBOR item, and what comes after it.
pub(super) fn item(bytes: &[u8]) -> Option<(Value, &[u8])> {
    let mut rest = bytes;
    // Nested deeper, a few bytes would make a value that costs stack and memory far beyond their own size.
    let value = ciborium::de::from_reader_with_recursion_limit(&mut rest, DEPTH).ok()?;
    Some((value, rest))
}
