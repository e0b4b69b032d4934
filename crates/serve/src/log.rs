//! The log of the programs that run servers: to standard error, as text or as one JSON object a line.
//!
//! At `info` it tells of starts, refusals, limits and deliveries. What is logged anywhere is fields of fixed names; no
//! PIN, token, URL with a token, or text of a person is among them.

use std::{io, str::FromStr, sync::OnceLock};

use serde::Deserialize;
use tracing_subscriber::{
    EnvFilter, Layer as _, Registry, layer::SubscriberExt as _, reload,
    util::SubscriberInitExt as _,
};

/// The form of the log's lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON object a line: `timestamp`, `level`, `target`, `message`, and the fields.
    Json,
}

/// A text that is no form of a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a log is `text` or `json`")]
pub struct LogFormatShape;

impl FromStr for LogFormat {
    type Err = LogFormatShape;

    fn from_str(text: &str) -> Result<Self, LogFormatShape> {
        match text {
            "text" => Ok(Self::Text),
            "json" => Ok(Self::Json),
            _ => Err(LogFormatShape),
        }
    }
}

/// Checks what is to be logged: a level, or a filter such as `info,engine=debug`.
///
/// # Errors
/// Why it is neither, for people.
pub fn log_filter(text: &str) -> Result<String, String> {
    const LEVELS: [&str; 6] = ["off", "error", "warn", "info", "debug", "trace"];
    let is_level = |part: &str| LEVELS.iter().any(|level| part.eq_ignore_ascii_case(level));
    // The parser takes any lone word for the name of a part of the program, and then logs nothing.
    let unknown = text
        .split(',')
        .map(str::trim)
        .find(|part| !is_level(part) && !part.contains(['=', '[', ']']));
    match (unknown, EnvFilter::try_new(text)) {
        (Some(word), _) => Err(format!(
            "`{word}` is no level; use off, error, warn, info, debug or trace, or name a part with its level, such as engine=debug"
        )),
        (None, Err(error)) => Err(error.to_string()),
        (None, Ok(_)) => Ok(text.to_owned()),
    }
}

/// The filter in force, to be exchanged when settings are read again.
static FILTER: OnceLock<reload::Handle<EnvFilter, Registry>> = OnceLock::new();

/// Logs to standard error from now on, unless a log is already set up. The filter is one that
/// [`log_filter`] has checked.
pub fn start_log(filter: &str, format: LogFormat) {
    let (filter, handle) = reload::Layer::new(EnvFilter::new(filter));
    let lines = tracing_subscriber::fmt::layer().with_writer(io::stderr);
    let lines = match format {
        LogFormat::Text => lines.boxed(),
        LogFormat::Json => lines.json().flatten_event(true).with_current_span(false).boxed(),
    };
    if tracing_subscriber::registry().with(filter).with(lines).try_init().is_ok() {
        let _ = FILTER.set(handle);
    }
}

/// Logs by another filter from now on, one that [`log_filter`] has checked.
pub fn change_log(filter: &str) {
    if let Some(handle) = FILTER.get() {
        let _ = handle.reload(EnvFilter::new(filter));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_that_would_log_nothing_or_anything_is_refused_in_words() {
        for good in
            ["info", "WARN", "off", "warn,engine=debug", "engine[turn]=trace", "info,broker=off"]
        {
            assert_eq!(log_filter(good).as_deref(), Ok(good));
        }
        for bad in
            ["verbose", "", "info,", "engine=loud", "loud,info", "=", "engine[=debug", "info debug"]
        {
            let why = log_filter(bad).expect_err(bad);
            assert!(!why.is_empty(), "{bad}");
        }
        assert!(log_filter("verbose").unwrap_err().contains("`verbose` is no level"));
    }
}
