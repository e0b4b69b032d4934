//! The one way in which a text that is a credential is wrapped.

/// Declares a wrapper whose text leaves only through `expose`: it has neither `Display` nor
/// `Serialize`, and its `Debug` shows the type's name alone.
macro_rules! secret_text {
    ($(#[$attribute:meta])* $name:ident) => {
        $(#[$attribute])*
        #[derive(Clone, serde::Deserialize)]
        #[serde(from = "String")]
        pub struct $name(secrecy::SecretString);

        impl $name {
            /// The text itself, for a message or a comparison.
            pub fn expose(&self) -> &str {
                secrecy::ExposeSecret::expose_secret(&self.0)
            }
        }

        impl From<String> for $name {
            fn from(text: String) -> Self {
                Self(text.into())
            }
        }

        impl PartialEq for $name {
            fn eq(&self, other: &Self) -> bool {
                self.expose() == other.expose()
            }
        }

        impl Eq for $name {}

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(concat!(stringify!($name), "(redacted)"))
            }
        }
    };
}

pub(crate) use secret_text;
