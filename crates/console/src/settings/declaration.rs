//! The declaration of a setting, and the macro that makes the struct and the table
//! of the declarations.

use std::ops::RangeInclusive;

use serde_json::Value;

use super::{
    Settings,
    form::{Field, FieldGroup, FieldKind},
};

/// Everything known about one setting; its only source is a line of `declared.rs`.
pub(crate) struct Declaration {
    /// The name in the settings file and in `configure`; flag and environment variable are derived
    /// from it.
    pub name: &'static str,
    /// The valid values; every error about the setting ends with this text.
    pub remedy: &'static str,
    /// None for settings that the console writes by itself.
    pub flag: Option<Flag>,
    /// The strictest value of a setting that decides how the console is guarded; none for the
    /// others. It counts where the stored one can't be read. A change of such a setting is audited
    /// first, and refused if that fails.
    pub strictest: Option<Value>,
    /// When a change takes effect.
    pub in_force: InForce,
    /// The allowed numbers.
    pub range: Option<RangeInclusive<u32>>,
    /// Whether the value, whose type is right, is valid.
    pub check: fn(&Settings) -> Result<(), Fault>,
    /// The setting's line in the window, and the group where it stands.
    pub field: Option<(FieldGroup, Field)>,
    unset: &'static str,
    meaning: Option<&'static str>,
}

/// A setting on the command line.
pub(crate) struct Flag {
    /// Without the two dashes.
    pub long: String,
    /// The placeholder of the value in the help.
    pub value: &'static str,
    pub help: &'static str,
}

/// When a change takes effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum InForce {
    AtOnce,
    /// When the engine next restarts while no session is live, so that no event is missed.
    WhenIdle,
    /// With a new engine: where it listens, or which service it speaks to.
    NewEngine,
}

/// What is wrong with a value that has the right type.
pub(crate) struct Fault {
    pub problem: String,
    /// Replaces the setting's own remedy.
    pub remedy: Option<String>,
}

/// Makes `struct Settings`, its `Default` and the table out of lines such as
/// `lan: bool = false => setting("write true or false").flag(...);`.
macro_rules! settings {
    ($($(#[$attribute:meta])* $name:ident: $type:ty = $default:expr => $declaration:expr;)*) => {
        /// All settings, valid.
        #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
        #[serde(default, deny_unknown_fields)]
        pub struct Settings {
            $($(#[$attribute])* pub $name: $type,)*
        }

        impl Default for Settings {
            fn default() -> Self {
                Self { $($name: $default,)* }
            }
        }

        static DECLARATIONS: LazyLock<Vec<Declaration>> =
            LazyLock::new(|| vec![$($declaration.named(stringify!($name)),)*]);
    };
}
pub(super) use settings;

/// The name of a setting, as text; a name that no setting has doesn't compile.
macro_rules! name_of {
    ($name:ident) => {{
        const _: fn(&$crate::Settings) = |settings| {
            let _ = &settings.$name;
        };
        stringify!($name)
    }};
}
pub(crate) use name_of;

/// Begins a declaration: without a flag, a check or a line in the window, and in force at once.
pub(super) fn setting(remedy: &'static str) -> Declaration {
    Declaration {
        name: "",
        remedy,
        flag: None,
        strictest: None,
        in_force: InForce::AtOnce,
        range: None,
        check: |_| Ok(()),
        field: None,
        unset: "none",
        meaning: None,
    }
}

impl Declaration {
    /// Offers it on the command line, and so in the docs.
    pub(super) fn flag(mut self, value: &'static str, help: &'static str) -> Self {
        self.flag = Some(Flag { long: String::new(), value, help });
        self
    }

    /// Makes it a guard, which counts as `strictest` where it can't be read.
    pub(super) fn guard(mut self, strictest: impl Into<Value>) -> Self {
        self.strictest = Some(strictest.into());
        self
    }

    pub(super) fn in_force(mut self, in_force: InForce) -> Self {
        self.in_force = in_force;
        self
    }

    pub(super) fn check(mut self, check: fn(&Settings) -> Result<(), Fault>) -> Self {
        self.check = check;
        self
    }

    /// The default in the docs, for settings whose default is no value.
    pub(super) fn unset(mut self, unset: &'static str) -> Self {
        self.unset = unset;
        self
    }

    /// The meaning in the docs, instead of the flag's help.
    pub(super) fn meaning(mut self, meaning: &'static str) -> Self {
        self.meaning = Some(meaning);
        self
    }

    /// Shows it in the window's settings.
    pub(super) fn field(mut self, group: FieldGroup, label: &'static str, kind: FieldKind) -> Self {
        self.field = Some((group, Field { key: "", label, hint: None, kind }));
        self
    }

    /// Shows it in the window's settings as a number, and allows only those of `range`.
    pub(super) fn number(
        mut self,
        range: RangeInclusive<u32>,
        group: FieldGroup,
        label: &'static str,
        unit: &'static str,
    ) -> Self {
        let (min, max) = (*range.start(), *range.end());
        self.range = Some(range);
        self.field(group, label, FieldKind::Number { unit, min, max })
    }

    /// Explains the line in the window.
    pub(super) fn hint(mut self, hint: &'static str) -> Self {
        if let Some((_, field)) = &mut self.field {
            field.hint = Some(hint);
        }
        self
    }

    pub(super) fn named(mut self, name: &'static str) -> Self {
        self.name = name;
        if let Some(flag) = &mut self.flag {
            flag.long = name.replace('_', "-");
        }
        if let Some((_, field)) = &mut self.field {
            field.key = name;
        }
        self
    }

    /// The row in the docs; none for settings without a flag.
    pub(super) fn docs(&self, default: &Value) -> Option<String> {
        let flag = self.flag.as_ref()?;
        let default = match default.as_str().map_or_else(|| default.to_string(), str::to_owned) {
            none if matches!(none.as_str(), "" | "null" | "[]") => self.unset.to_owned(),
            value => format!("`{value}`"),
        };
        let mut help = flag.help.chars();
        let small = help.next().map(|first| first.to_ascii_lowercase());
        let help: String = small.into_iter().chain(help).collect();
        Some(format!("| `{}` | {default} | {} |\n", self.name, self.meaning.unwrap_or(&help)))
    }
}

impl From<&str> for Fault {
    fn from(problem: &str) -> Self {
        Self { problem: problem.to_owned(), remedy: None }
    }
}
