//! Settings from `DESKHAND_*` variables and flags: the same names, with values as texts.

use serde_json::{Map, Value};

use super::{SettingsError, check, declarations};

/// The prefix of every variable that is a setting: `DESKHAND_BASE_URL` is `base_url`.
pub const PREFIX: &str = "DESKHAND_";

/// The settings among `variables`; a variable that names no setting belongs to another program.
///
/// # Errors
/// The first field whose value is not valid.
pub fn from_environment(
    variables: impl IntoIterator<Item = (String, String)>,
) -> Result<Map<String, Value>, SettingsError> {
    let mut map = Map::new();
    for (name, text) in variables {
        let Some(field) = name.strip_prefix(PREFIX).map(str::to_ascii_lowercase) else { continue };
        if declarations().iter().any(|known| known.name == field) {
            map.insert(field.clone(), from_text(&field, &text)?);
        }
    }
    Ok(map)
}

/// A field's value from the text of a variable or flag: as text if the field is one, else as JSON
/// (`true`, `3`, `[{"to":"..."}]`).
///
/// # Errors
/// The field's [`SettingsError`] if neither fits.
pub fn from_text(field: &str, text: &str) -> Result<Value, SettingsError> {
    let as_text = Value::String(text.to_owned());
    // Tried as text first: a technician called 1234 would otherwise become a number, which no text
    // field accepts.
    match check::field(field, &as_text) {
        Ok(()) => Ok(as_text),
        Err(error) => match serde_json::from_str(text) {
            Ok(value) => check::field(field, &value).map(|()| value),
            Err(_) => Err(error),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Settings;

    #[test]
    fn takes_what_is_a_setting_and_leaves_the_rest() {
        let set = [
            ("DESKHAND_PROBE_ROUNDS", "5"),
            ("DESKHAND_TECHNICIAN", "1234"),
            ("DESKHAND_LOG", "debug"),
            ("HOME", "/"),
        ];
        let map = from_environment(set.map(|(n, v)| (n.into(), v.into()))).unwrap();
        assert_eq!(map.len(), 2);
        let settings = Settings::default().layer(&map).unwrap();
        assert_eq!((settings.probe_rounds, settings.technician.as_str()), (5, "1234"));
    }

    #[test]
    fn a_value_that_cannot_be_is_named_by_its_field() {
        let error = from_environment([("DESKHAND_LAN".into(), "maybe".into())]).unwrap_err();
        assert_eq!(error.field, "lan");
        assert!(error.to_string().contains("write true or false"), "{error}");
    }
}
