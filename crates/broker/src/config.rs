//! The settings of a broker, with two starting points: embedded in the console, or on a network.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::PathBuf,
    time::Duration,
};

use secrecy::SecretString;
pub use serve::control::Control;
use serve::{Clock, Limits, Port, TlsFiles, TrustedProxies};
use url::Url;
use wire::Region;

pub use crate::hub::limits::{ByClient, Durations, Rates};
use crate::{hub::target::TargetPolicy, programs::ProgramFile, store::StoreKey};

/// A broker's settings. [`Config::embedded`] and [`Config::network`] are the two starting points.
#[derive(Debug)]
pub struct Config {
    pub ip: IpAddr,
    pub port: Port,
    /// The folder of the store. It is made if it is missing, and nobody else may read it.
    pub data: PathBuf,
    /// The store's key; without one the store is a plain SQLite file.
    pub store_key: Option<StoreKey>,
    /// The address under which others reach this broker. Links begin with it.
    pub public_url: Option<Url>,
    /// The certificate and key of https; without them http is served.
    pub tls: Option<TlsFiles>,
    /// Answer `Access-Control-Allow-Origin: *` where the hosted service does, so that pages of any
    /// origin may call this broker.
    pub compat_cors: bool,
    /// Where hooks may go, by who minted their session.
    pub hook_targets: ByClient<TargetPolicy>,
    /// The regions that are offered, with how long each takes to answer.
    pub regions: Vec<RegionDelay>,
    pub durations: Durations,
    pub rates: ByClient<Rates>,
    /// The server that sends e-mail. Without it e-mails stay in the outbox.
    pub smtp: Option<Smtp>,
    /// Proxies whose `X-Forwarded-For` is believed.
    pub trusted_proxies: TrustedProxies,
    /// The control API, which tests and demos use. There is none otherwise.
    pub control: Option<Control>,
    /// Where metrics and health are told to whoever watches over the broker. Nowhere unless set.
    pub metrics: Option<SocketAddr>,
    pub limits: Limits,
    /// The presenter's programs that are delivered: for each platform the first file that exists.
    pub programs: Vec<ProgramFile>,
    /// A session's conf may say that nobody at the customer's computer has to agree.
    pub allow_unattended: bool,
    /// Holds hooks back from the start, until [`crate::Handle::release_deliveries`].
    pub hold_deliveries: bool,
    /// The clock. Tests pass a frozen one.
    pub clock: Clock,
}

/// A region and its simulated distance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegionDelay {
    pub region: Region,
    /// The shortest time in which its probe answers.
    pub latency: Duration,
}

/// The server that sends e-mail.
#[derive(Debug, Clone)]
pub struct Smtp {
    /// `smtps://user:password@host:465` or `smtp://host:587?tls=required`.
    pub url: SecretString,
    /// The sender, such as `Support <support@example.org>`.
    pub from: String,
}

impl Config {
    /// The broker that is part of the console. It listens on loopback, where its own sessions' hooks may go. Whoever
    /// else it lets in later ([`crate::Running::open_to_network`]) is limited as on any network.
    pub fn embedded(data: impl Into<PathBuf>) -> Self {
        Self {
            ip: Ipv4Addr::LOCALHOST.into(),
            port: Port::Any,
            data: data.into(),
            store_key: None,
            public_url: None,
            tls: None,
            compat_cors: false,
            hook_targets: ByClient {
                local: TargetPolicy { loopback: true, private: false },
                remote: TargetPolicy::default(),
            },
            regions: default_regions(),
            durations: Durations::default(),
            rates: ByClient { local: Rates::embedded(), remote: Rates::network() },
            smtp: None,
            trusted_proxies: TrustedProxies::default(),
            control: None,
            metrics: None,
            limits: Limits::default(),
            programs: ProgramFile::beside_this_one(),
            allow_unattended: false,
            hold_deliveries: false,
            clock: Clock::system(),
        }
    }

    /// A broker that is a program of its own. It listens on loopback unless set otherwise, delivers hooks to public
    /// addresses only, and limits everybody as on a network.
    pub fn network(data: impl Into<PathBuf>) -> Self {
        Self {
            hook_targets: TargetPolicy::default().into(),
            rates: Rates::network().into(),
            ..Self::embedded(data)
        }
    }
}

/// The five regions that the hosted service lists, with simulated distances of 24 to 205 ms.
pub fn default_regions() -> Vec<RegionDelay> {
    let regions = [
        ("ap-southeast-2", 205),
        ("us-east-1", 24),
        ("us-west-2", 71),
        ("eu-west-2", 98),
        ("ca-central-1", 31),
    ];
    let delay = |(name, ms): (&str, u64)| {
        let region = name.parse().ok()?;
        Some(RegionDelay { region, latency: Duration::from_millis(ms) })
    };
    regions.into_iter().filter_map(delay).collect()
}
