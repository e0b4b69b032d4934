//! The program's settings. A flag wins over the environment, that over the file, and that over the default.

mod args;
mod error;
mod file;
mod key;

use std::{
    net::{IpAddr, SocketAddr},
    path::{Path, PathBuf},
    time::Duration,
};

use broker::{
    ByClient, Config, Control, Durations, ProgramFile, Rates, RegionDelay, Smtp, StoreKey,
    TargetPolicy, default_regions,
};
use serve::{Port, TlsFiles, TrustedProxies, peer::Network};

pub use args::{Args, Command};
pub use file::DEFAULT_FILE;

use self::{error::SettingsError, file::File};

/// The address to listen on, unless it is set.
const LISTEN: SocketAddr = SocketAddr::new(IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 47211);

/// Everything that the program starts with.
#[derive(Debug)]
pub struct Settings {
    pub config: Config,
    /// A filter of `tracing`.
    pub log: String,
}

/// Combines flags, environment, file and defaults. Makes the data folder and the store's key if they are missing.
///
/// # Errors
/// [`SettingsError`], which names the setting.
pub fn settings(args: Args) -> Result<Settings, SettingsError> {
    let file = args.config.as_deref().map(File::read).transpose()?.unwrap_or_default();
    let data = args.data.clone().or_else(|| file.data.clone()).unwrap_or_else(default_data);
    let listen = args.listen.or(file.listen).unwrap_or(LISTEN);
    let public_url = args.public_url.clone().or_else(|| file.public_url.clone());
    // With a public URL a proxy passes strangers on to the loopback address.
    let local_only = listen.ip().is_loopback() && public_url.is_none();
    let key_file = args.store_key_file.clone().or_else(|| file.store_key_file.clone());
    let store_key = store_key(&data, key_file)?;

    let mut config = Config::network(&data);
    config.ip = listen.ip();
    config.port = Port::from_number(listen.port());
    config.store_key = Some(store_key);
    config.public_url = public_url;
    config.tls = tls(&args, &file)?;
    config.compat_cors = args.compat_cors || file.compat_cors;
    // The same for all clients: where a proxy on this machine passes strangers on, their address says little.
    config.hook_targets = ByClient::from(TargetPolicy {
        loopback: args.allow_loopback_hooks.or(file.allow_loopback_hooks).unwrap_or(local_only),
        private: args.allow_private_hooks.or(file.allow_private_hooks).unwrap_or(false),
    });
    config.rates = if local_only { Rates::embedded() } else { Rates::network() }.into();
    config.regions = regions(&args, &file)?;
    config.durations = durations(&args, &file);
    config.smtp = smtp(&args, &file)?;
    config.trusted_proxies = proxies(&args, &file)?;
    if let Some(folder) = args.programs.as_ref().or(file.programs.as_ref()) {
        config.programs = programs(folder)?;
    }
    config.allow_unattended = args.allow_unattended || file.allow_unattended;
    config.control = control(&args, &file, &data);
    let log = args.log.or(file.log).unwrap_or_else(|| "info".to_owned());
    Ok(Settings { config, log })
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

fn tls(args: &Args, file: &File) -> Result<Option<TlsFiles>, SettingsError> {
    let cert = args.tls_cert.as_ref().or(file.tls_cert.as_ref());
    match (cert, args.tls_key.as_ref().or(file.tls_key.as_ref())) {
        (None, None) => Ok(None),
        (Some(cert), Some(key)) => Ok(Some(TlsFiles::new(cert, key))),
        (Some(_), None) | (None, Some(_)) => {
            Err(SettingsError::Wrong("TLS needs both a certificate and a key".into()))
        }
    }
}

fn regions(args: &Args, file: &File) -> Result<Vec<RegionDelay>, SettingsError> {
    let given: Vec<(String, u64)> = match (&args.regions[..], &file.regions) {
        ([], None) => return Ok(default_regions()),
        ([], Some(table)) => table.iter().map(|(name, ms)| (name.clone(), *ms)).collect(),
        (flags, _) => flags.to_vec(),
    };
    let delay = |(name, ms): (String, u64)| {
        let region = name
            .parse()
            .map_err(|error| SettingsError::Wrong(format!("region {name}: {error}")))?;
        Ok(RegionDelay { region, latency: Duration::from_millis(ms) })
    };
    given.into_iter().map(delay).collect()
}

fn durations(args: &Args, file: &File) -> Durations {
    let usual = Durations::default();
    let seconds = |flag: Option<u64>, file: Option<u64>, usual| {
        flag.or(file).map_or(usual, Duration::from_secs)
    };
    Durations {
        offline_grace: seconds(args.offline_grace_s, file.offline_grace_s, usual.offline_grace),
        pin_life: seconds(args.pin_life_s, file.pin_life_s, usual.pin_life),
        chat_life: seconds(args.chat_life_s, file.chat_life_s, usual.chat_life),
        stream_idle: seconds(args.stream_idle_s, file.stream_idle_s, usual.stream_idle),
        ..usual
    }
}

fn programs(folder: &Path) -> Result<Vec<ProgramFile>, SettingsError> {
    ProgramFile::in_folder(folder).map_err(|error| {
        SettingsError::Wrong(format!("read the programs' folder {}: {error}", folder.display()))
    })
}

fn smtp(args: &Args, file: &File) -> Result<Option<Smtp>, SettingsError> {
    let from_file = file.smtp.as_ref();
    let url = args.smtp_url.clone().or_else(|| from_file.map(|smtp| smtp.url.clone()));
    let from = args.smtp_from.clone().or_else(|| from_file.map(|smtp| smtp.from.clone()));
    match (url, from) {
        (None, None) => Ok(None),
        (Some(url), Some(from)) => Ok(Some(Smtp { url, from })),
        (Some(_), None) | (None, Some(_)) => {
            Err(SettingsError::Wrong("e-mail needs both an SMTP URL and a sender".into()))
        }
    }
}

fn proxies(args: &Args, file: &File) -> Result<TrustedProxies, SettingsError> {
    let given =
        if args.trusted_proxies.is_empty() { &file.trusted_proxies } else { &args.trusted_proxies };
    let network = |text: &String| {
        text.parse::<Network>()
            .map_err(|error| SettingsError::Wrong(format!("trusted proxy {text}: {error}")))
    };
    let networks: Vec<Network> = given.iter().map(network).collect::<Result<_, _>>()?;
    Ok(TrustedProxies::new(networks))
}

fn control(args: &Args, file: &File, data: &Path) -> Option<Control> {
    let listen = args.control.or(file.control)?;
    let given = args.control_token_file.clone().or_else(|| file.control_token_file.clone());
    let token_file = given.unwrap_or_else(|| data.join("control-token"));
    Some(Control { ip: listen.ip(), port: Port::from_number(listen.port()), token_file })
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

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
