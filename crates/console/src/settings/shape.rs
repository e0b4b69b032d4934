//! The shape of stored settings: their version, and the way from older ones.

use serde_json::{Map, Value};

use super::{VERSION, name_of, recover::Unsound, source::Damage};

/// The text of a file with these settings.
///
/// # Errors
/// A value that TOML doesn't have; no valid setting is one.
pub(crate) fn as_file(stored: &Map<String, Value>) -> Result<String, String> {
    let mut stored = stored.clone();
    stored.insert(name_of!(version).into(), VERSION.into());
    toml::to_string_pretty(&stored).map_err(|error| error.to_string())
}

/// Migrates settings of an older shape to this one. Migrations are frozen once released.
pub(super) fn migrated(mut stored: Map<String, Value>) -> Result<Map<String, Value>, Unsound> {
    let version = stored.get(name_of!(version)).and_then(Value::as_u64);
    match version {
        // Before the first release, settings had no version. One that is no number is invalid like
        // any other setting.
        None => Ok(stored),
        Some(1) => {
            stored.remove(name_of!(version));
            Ok(stored)
        }
        Some(_) => Err(Unsound::nothing("a newer version of Deskhand wrote the settings")),
    }
}

impl Unsound {
    /// The readable settings in this version's shape, and what was wrong.
    pub(super) fn migrated(self) -> (Map<String, Value>, Option<Damage>) {
        let Self { why, readable, hidden_guards: guards } = self;
        match migrated(readable) {
            Ok(readable) => (readable, Some(Damage { why, guards })),
            Err(newer) => {
                (Map::new(), Some(Damage { why: newer.why, guards: newer.hidden_guards }))
            }
        }
    }
}
