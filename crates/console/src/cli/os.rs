//! Who is at this computer, as far as the operating system says.

/// The user's name, which goes on record as who gave a command.
pub fn user() -> String {
    ["USER", "LOGNAME", "USERNAME"]
        .into_iter()
        .filter_map(|name| std::env::var(name).ok())
        .find(|name| !name.trim().is_empty())
        .unwrap_or_else(|| "technician".to_owned())
}
