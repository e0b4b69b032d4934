//! The program's settings. A flag wins over the environment, that over the file, and that over the default.

mod args;
mod error;
mod file;
mod key;

use std::{
    collections::BTreeMap,
    net::{IpAddr, SocketAddr},
    path::{Path, PathBuf},
    time::Duration,
};

use clap::Parser as _;
use serve::{Port, TlsFiles, TrustedProxies, peer::Network, process::LogFormat};

pub use args::{Admin, AdminAct, Args, Command};
pub use error::SettingsError;
pub use file::DEFAULT_FILE;

use self::file::File;
use crate::{
    ByClient, Config, Control, ProgramFile, Rates, RegionDelay, Smtp, StoreKey, TargetPolicy,
    default_regions,
};

/// The address to listen on, unless it is set.
const LISTEN: SocketAddr = SocketAddr::new(IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 47211);

/// Everything that the program starts with.
#[derive(Debug)]
pub struct Settings {
    pub config: Config,
    /// A filter of `tracing`.
    pub log: String,
    pub log_format: LogFormat,
}

/// Combines flags, environment, file and defaults. Makes the data folder and the store's key if they are missing.
///
/// # Errors
/// [`SettingsError`], which names the setting.
pub fn settings(args: Args) -> Result<Settings, SettingsError> {
    let key_file = args.store_key_file.clone();
    let file = file_of(&args)?;
    let (mut settings, key_in_file) = combine(args, file)?;
    let store_key = store_key(&settings.config.data, key_file.or(key_in_file))?;
    settings.config.store_key = Some(store_key);
    Ok(settings)
}

/// As [`settings`], for a broker that runs already: its store is open, so nothing is made and no key is read.
///
/// # Errors
/// [`SettingsError`].
pub fn settings_again(args: Args) -> Result<Settings, SettingsError> {
    let file = file_of(&args)?;
    Ok(combine(args, file)?.0)
}

/// Reads a settings file's text, and combines it with the defaults.
pub(crate) fn read_text(text: &str) {
    let Ok(file) = File::parse(text) else { return };
    // The folder that it names may be any on this machine.
    let file = File { programs: None, ..file };
    if let Ok(args) = Args::try_parse_from(["deskhand-broker"]) {
        let _ = combine(args, file);
    }
}

/// Where a running broker's control API is, and where its token lies.
///
/// # Errors
/// [`SettingsError`], also if there is no control API.
pub fn control_of(args: Args) -> Result<(SocketAddr, PathBuf), SettingsError> {
    let file = file_of(&args)?;
    let control = combine(args, file)?.0.config.control.ok_or_else(|| {
        let why = "find the broker's control API: it is off; set `control` in the broker's settings file and name that \
                   file with --config, or give --control IP:PORT";
        SettingsError::Wrong(why.to_owned())
    })?;
    let Port::Exactly(port) = control.port else {
        let why = "find the broker's control API: with port 0 it has another port at each start; set a fixed one";
        return Err(SettingsError::Wrong(why.to_owned()));
    };
    Ok((SocketAddr::new(control.ip, port), control.token_file))
}

fn file_of(args: &Args) -> Result<File, SettingsError> {
    Ok(args.config.as_deref().map(File::read).transpose()?.unwrap_or_default())
}

/// The settings without the store's key, and where the file says that it is.
fn combine(args: Args, file: File) -> Result<(Settings, Option<PathBuf>), SettingsError> {
    let data = args.data.or(file.data).unwrap_or_else(default_data);
    let listen = args.listen.or(file.listen).unwrap_or(LISTEN);
    let public_url = args.public_url.or(file.public_url);
    // With a public URL a proxy passes strangers on to the loopback address.
    let local_only = listen.ip().is_loopback() && public_url.is_none();

    let mut config = Config::network(&data);
    config.ip = listen.ip();
    config.port = Port::from_number(listen.port());
    config.public_url = public_url;
    let (cert, key) = (args.tls_cert.or(file.tls_cert), args.tls_key.or(file.tls_key));
    let tls = both(cert, key, "TLS needs both a certificate and a key")?;
    config.tls = tls.map(|(cert, key)| TlsFiles { cert, key });
    config.compat_cors = args.compat_cors || file.compat_cors;
    // The same for all clients: behind a proxy on this machine a stranger's address looks local.
    config.hook_targets = ByClient::from(TargetPolicy {
        loopback: args.allow_loopback_hooks.or(file.allow_loopback_hooks).unwrap_or(local_only),
        private: args.allow_private_hooks.or(file.allow_private_hooks).unwrap_or(false),
    });
    config.rates = if local_only { Rates::embedded() } else { Rates::network() }.into();
    if let Some(sessions) = args.sessions.or(file.sessions) {
        for rates in [&mut config.rates.local, &mut config.rates.remote] {
            rates.sessions_in_all = sessions.get();
        }
    }
    config.regions = regions(args.regions, file.regions)?;
    let lasting = &mut config.durations;
    set_seconds(&mut lasting.offline_grace, args.offline_grace_s.or(file.offline_grace_s));
    set_seconds(&mut lasting.pin_life, args.pin_life_s.or(file.pin_life_s));
    set_seconds(&mut lasting.chat_life, args.chat_life_s.or(file.chat_life_s));
    set_seconds(&mut lasting.stream_idle, args.stream_idle_s.or(file.stream_idle_s));
    let (smtp_url, smtp_from) = file.smtp.map(|smtp| (smtp.url, smtp.from)).unzip();
    let (url, from) = (args.smtp_url.or(smtp_url), args.smtp_from.or(smtp_from));
    let smtp = both(url, from, "e-mail needs both an SMTP URL and a sender")?;
    config.smtp = smtp.map(|(url, from)| Smtp { url, from });
    let flags = Some(args.trusted_proxies).filter(|flags| !flags.is_empty());
    config.trusted_proxies = proxies(flags.unwrap_or(file.trusted_proxies))?;
    if let Some(connections) = args.connections.or(file.connections) {
        config.limits.connections = connections.get();
    }
    if let Some(folder) = args.programs.or(file.programs) {
        config.programs = programs(&folder)?;
    }
    config.allow_unattended = args.allow_unattended || file.allow_unattended;
    let token_file = args.control_token_file.or(file.control_token_file);
    config.control = args.control.or(file.control).map(|listen| Control {
        ip: listen.ip(),
        port: Port::from_number(listen.port()),
        token_file: token_file.unwrap_or_else(|| data.join("control-token")),
    });
    config.metrics = args.metrics.or(file.metrics);
    let log = args.log.or(file.log).unwrap_or_else(|| "info".to_owned());
    let log = serve::process::log_filter(&log)
        .map_err(|why| SettingsError::Wrong(format!("choose what to log: {why}")))?;
    let log_format = args.log_format.or(file.log_format).unwrap_or_default();
    Ok((Settings { config, log, log_format }, file.store_key_file))
}

fn default_data() -> PathBuf {
    let home = || std::env::home_dir().unwrap_or_default().join(".local/share");
    let shared = std::env::var_os("XDG_DATA_HOME").filter(|dir| !dir.is_empty());
    shared.map_or_else(home, PathBuf::from).join("deskhand-broker")
}

fn store_key(data: &Path, key_file: Option<PathBuf>) -> Result<StoreKey, SettingsError> {
    let make_folder = std::fs::create_dir_all(data);
    let failed = |reason: String| SettingsError::Key { path: data.to_owned(), reason };
    make_folder.map_err(|error| failed(format!("make the data folder: {error}")))?;
    let store_exists = data.join("broker.db").exists();
    key::read_or_make(&key_file.unwrap_or_else(|| data.join("store.key")), store_exists)
}

/// Two settings of which each needs the other.
fn both<A, B>(
    one: Option<A>,
    other: Option<B>,
    why: &str,
) -> Result<Option<(A, B)>, SettingsError> {
    match (one, other) {
        (None, None) => Ok(None),
        (Some(one), Some(other)) => Ok(Some((one, other))),
        (Some(_), None) | (None, Some(_)) => Err(SettingsError::Wrong(why.to_owned())),
    }
}

fn set_seconds(duration: &mut Duration, seconds: Option<u64>) {
    if let Some(seconds) = seconds {
        // A century means "never" and still leaves room to reckon with.
        *duration = Duration::from_secs(seconds.min(u32::MAX.into()));
    }
}

fn regions(
    flags: Vec<(String, u64)>,
    table: Option<BTreeMap<String, u64>>,
) -> Result<Vec<RegionDelay>, SettingsError> {
    let given: Vec<(String, u64)> = match (&flags[..], table) {
        ([], None) => return Ok(default_regions()),
        ([], Some(table)) => table.into_iter().collect(),
        ([_, ..], _) => flags,
    };
    let delay = |(name, ms): (String, u64)| {
        let region = name
            .parse()
            .map_err(|error| SettingsError::Wrong(format!("region {name}: {error}")))?;
        Ok(RegionDelay { region, latency: Duration::from_millis(ms) })
    };
    given.into_iter().map(delay).collect()
}

fn programs(folder: &Path) -> Result<Vec<ProgramFile>, SettingsError> {
    ProgramFile::in_folder(folder).map_err(|error| {
        SettingsError::Wrong(format!("read the programs' folder {}: {error}", folder.display()))
    })
}

fn proxies(given: Vec<String>) -> Result<TrustedProxies, SettingsError> {
    let network = |text: &String| {
        text.parse::<Network>()
            .map_err(|error| SettingsError::Wrong(format!("trusted proxy {text}: {error}")))
    };
    let networks: Vec<Network> = given.iter().map(network).collect::<Result<_, _>>()?;
    Ok(TrustedProxies::new(networks))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(folder: &Path, file: &str, flags: &[&str]) -> Result<Settings, SettingsError> {
        let path = folder.join("broker.toml");
        std::fs::write(&path, file).unwrap();
        let data = folder.join("data");
        let fixed = ["deskhand-broker", "--config", path.to_str().unwrap()];
        let data = ["--data", data.to_str().unwrap()];
        let all = fixed.iter().chain(&data).chain(flags);
        settings(Args::try_parse_from(all).unwrap())
    }

    #[test]
    fn the_compiled_in_file_is_valid_and_its_values_are_the_defaults() {
        let uncommented: String = DEFAULT_FILE
            .lines()
            .filter_map(|line| line.strip_prefix("# "))
            .filter(|line| line.starts_with('[') || line.contains(" = "))
            .map(|line| format!("{line}\n"))
            .collect();
        let file: File = toml::from_str(&uncommented).unwrap();
        assert_eq!(file.listen, Some(LISTEN));
        assert_eq!(file.regions.unwrap().len(), default_regions().len());
        assert!(toml::from_str::<File>(DEFAULT_FILE).is_ok());
    }

    #[test]
    fn a_flag_wins_over_the_file_and_the_file_over_the_default() {
        let dir = tempfile::tempdir().unwrap();
        let file = "listen = \"127.0.0.1:5000\"\noffline_grace_s = 10\n";
        let config = with(dir.path(), file, &["--listen", "127.0.0.1:6000"]).unwrap().config;
        assert_eq!(config.port, Port::Exactly(6000));
        assert_eq!(config.durations.offline_grace, Duration::from_secs(10));
        assert_eq!(config.durations.pin_life, Duration::from_secs(86_400));
    }

    #[test]
    fn the_connections_are_set_by_flag_and_file_and_are_many_by_default() {
        let dir = tempfile::tempdir().unwrap();
        let of = |file: &str, flags: &[&str]| {
            with(dir.path(), file, flags).unwrap().config.limits.connections
        };
        assert_eq!(of("connections = 300", &["--connections", "400"]), 400);
        assert_eq!(of("connections = 300", &[]), 300);
        assert_eq!(of("", &[]), serve::Limits::default().connections);
    }

    #[test]
    fn the_sessions_that_are_kept_are_set_by_flag_and_file() {
        let dir = tempfile::tempdir().unwrap();
        let of = |file: &str, flags: &[&str]| {
            let rates = with(dir.path(), file, flags).unwrap().config.rates;
            assert_eq!(rates.local.sessions_in_all, rates.remote.sessions_in_all);
            rates.remote.sessions_in_all
        };
        assert_eq!(of("sessions = 300", &["--sessions", "400"]), 400);
        assert_eq!(of("sessions = 300", &[]), 300);
        assert_eq!(of("", &["--listen", "0.0.0.0:47211"]), Rates::network().sessions_in_all);
    }

    #[test]
    fn a_broker_that_others_can_reach_refuses_hooks_to_its_own_machine() {
        let dir = tempfile::tempdir().unwrap();
        let policy =
            |flags: &[&str]| with(dir.path(), "", flags).unwrap().config.hook_targets.remote;
        assert!(policy(&[]).loopback);
        assert!(!policy(&["--listen", "0.0.0.0:47211"]).loopback);
        assert!(!policy(&["--public-url", "https://support.example.org"]).loopback);
        assert!(policy(&["--listen", "0.0.0.0:47211", "--allow-loopback-hooks", "true"]).loopback);
    }

    #[test]
    fn a_wrong_setting_is_named() {
        let dir = tempfile::tempdir().unwrap();
        for (file, named) in [
            ("lisen = \"127.0.0.1:1\"", "lisen"),
            ("tls_cert = \"a.pem\"", "certificate and a key"),
            ("trusted_proxies = [\"10.0.0.0/99\"]", "10.0.0.0/99"),
            ("connections = 0", "nonzero"),
            ("sessions = 0", "nonzero"),
            ("programs = \"/nonexistent/programs\"", "/nonexistent/programs"),
            ("[regions]\n\"Not A Region\" = 5", "Not A Region"),
            ("[smtp]\nurl = \"smtp://x\"", "from"),
        ] {
            let error = with(dir.path(), file, &[]).unwrap_err().to_string();
            assert!(error.contains(named), "{error}");
        }
    }

    #[test]
    fn the_key_is_made_once_and_never_for_a_store_that_is_there_already() {
        let dir = tempfile::tempdir().unwrap();
        with(dir.path(), "", &[]).unwrap();
        let key = dir.path().join("data/store.key");
        let first = std::fs::read(&key).unwrap();
        with(dir.path(), "", &[]).unwrap();
        assert_eq!(std::fs::read(&key).unwrap(), first);
        std::fs::write(dir.path().join("data/broker.db"), "x").unwrap();
        std::fs::remove_file(&key).unwrap();
        let error = with(dir.path(), "", &[]).unwrap_err().to_string();
        assert!(error.contains("there is a store already"), "{error}");
    }
}
