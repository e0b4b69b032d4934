//! The file with the program's settings.

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    path::{Path, PathBuf},
};

use secrecy::SecretString;
use serde::{Deserialize, Deserializer};
use serve::process::LogFormat;
use url::Url;

use super::error::SettingsError;

/// The file with all defaults and comments, as `deskhand-broker config` prints it.
pub const DEFAULT_FILE: &str = include_str!("../default-config.toml");

/// The settings in the file. An unknown name is an error, since it is a typing mistake.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct File {
    pub listen: Option<SocketAddr>,
    pub public_url: Option<Url>,
    pub tls_cert: Option<PathBuf>,
    pub tls_key: Option<PathBuf>,
    pub data: Option<PathBuf>,
    pub store_key_file: Option<PathBuf>,
    pub trusted_proxies: Vec<String>,
    pub connections: Option<std::num::NonZeroUsize>,
    pub sessions: Option<std::num::NonZeroUsize>,
    pub compat_cors: bool,
    pub allow_loopback_hooks: Option<bool>,
    pub allow_private_hooks: Option<bool>,
    pub offline_grace_s: Option<u64>,
    pub pin_life_s: Option<u64>,
    pub chat_life_s: Option<u64>,
    pub stream_idle_s: Option<u64>,
    pub programs: Option<PathBuf>,
    pub allow_unattended: bool,
    pub control: Option<SocketAddr>,
    pub control_token_file: Option<PathBuf>,
    pub metrics: Option<SocketAddr>,
    pub log: Option<String>,
    pub log_format: Option<LogFormat>,
    pub smtp: Option<SmtpTable>,
    pub regions: Option<BTreeMap<String, u64>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SmtpTable {
    #[serde(deserialize_with = "secret")]
    pub url: SecretString,
    pub from: String,
}

impl File {
    pub fn read(path: &Path) -> Result<Self, SettingsError> {
        let text = std::fs::read_to_string(path)
            .map_err(|source| SettingsError::Unreadable { path: path.to_owned(), source })?;
        Self::parse(&text)
            .map_err(|reason| SettingsError::Malformed { path: path.to_owned(), reason })
    }

    /// Reads the file's text; the error is the line and the parser's message.
    pub fn parse(text: &str) -> Result<Self, String> {
        // The parser's message and the line number, but not the line itself, which may contain a password.
        toml::from_str(text).map_err(|error| {
            let line = error.span().map(|span| text[..span.start].matches('\n').count() + 1);
            let position = line.map_or(String::new(), |line| format!("line {line}: "));
            format!("{position}{}", error.message())
        })
    }
}

fn secret<'de, D: Deserializer<'de>>(deserializer: D) -> Result<SecretString, D::Error> {
    String::deserialize(deserializer).map(SecretString::from)
}
