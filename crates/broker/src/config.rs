//! Everything that can be set about a broker.

use std::{
    net::{IpAddr, Ipv4Addr},
    path::PathBuf,
    time::Duration,
};

use secrecy::SecretString;
use serve::{Clock, Limits, Port, TlsFiles, TrustedProxies};
use url::Url;
use wire::Region;

pub use crate::hub::limits::{ByClient, Durations, Rates};
use crate::{hub::target::TargetPolicy, programs::ProgramFile, store::StoreKey};

/// A broker's settings. [`Config::embedded`] and [`Config::network`] are the two starting points.
#[derive(Debug)]
pub struct Config {
    /// The address to listen on.
    pub ip: IpAddr,
    /// The port to listen on.
    pub port: Port,
    /// Where the store lies. Made if missing; nobody else may read it.
    pub data: PathBuf,
    /// The store's key; without one the store is a plain SQLite file.
    pub store_key: Option<StoreKey>,
    /// The address under which others reach this broker; links are made of it.
    pub public_url: Option<Url>,
    /// Serve https.
    pub tls: Option<TlsFiles>,
    /// Answer `Access-Control-Allow-Origin: *` where the hosted service does, so that pages of any
    /// origin may call this broker.
    pub compat_cors: bool,
    /// Where hooks may go, by who minted their session.
    pub hook_targets: ByClient<TargetPolicy>,
    /// The regions that are offered, with how long each takes to answer.
    pub regions: Vec<RegionDelay>,
    /// How long things last.
    pub durations: Durations,
    /// How often things may be done.
    pub rates: ByClient<Rates>,
    /// How e-mail is sent. Without it mails stay in the outbox.
    pub smtp: Option<Smtp>,
    /// Proxies whose `X-Forwarded-For` is believed.
    pub trusted_proxies: TrustedProxies,
    /// The control listener. Absent unless asked for.
    pub control: Option<Control>,
    /// Size and time limits of requests.
    pub limits: Limits,
    /// The presenter's programs that are delivered; the first file that is there counts for its
    /// platform.
    pub programs: Vec<ProgramFile>,
    /// Whoever gives a session orders may have its conf say that nobody at the PC has to agree.
    pub allow_unattended: bool,
    /// Starts with hook delivery held, until `Running::release_deliveries`.
    pub hold_deliveries: bool,
    /// The clock; tests pass a frozen one.
    pub clock: Clock,
}

/// A region and its simulated distance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegionDelay {
    /// Its name.
    pub region: Region,
    /// How long its probe takes to answer at least.
    pub latency: Duration,
}

/// How e-mail is sent.
#[derive(Debug, Clone)]
pub struct Smtp {
    /// `smtps://user:password@host:465` or `smtp://host:587?tls=required`.
    pub url: SecretString,
    /// The sender, such as `Support <support@example.org>`.
    pub from: String,
}

/// Where the control API listens and where its token is written.
#[derive(Debug, Clone)]
pub struct Control {
    /// The address.
    pub ip: IpAddr,
    /// The port.
    pub port: Port,
    /// The token's file; made anew (mode 0600) at each start.
    pub token_file: PathBuf,
}

impl Config {
    /// The broker that comes with the console: loopback, where its own sessions' hooks may go. Whoever
    /// else it lets in later ([`crate::Running::open_to_network`]) is bound as on any network.
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
                here: TargetPolicy { loopback: true, private: false },
                elsewhere: TargetPolicy::default(),
            },
            regions: default_regions(),
            durations: Durations::default(),
            rates: ByClient { here: Rates::embedded(), elsewhere: Rates::network() },
            smtp: None,
            trusted_proxies: TrustedProxies::default(),
            control: None,
            limits: Limits::default(),
            programs: ProgramFile::beside_this_one(),
            allow_unattended: false,
            hold_deliveries: false,
            clock: Clock::system(),
        }
    }

    /// A broker of its own: loopback until told otherwise, hooks to public addresses only, strict
    /// rates.
    pub fn network(data: impl Into<PathBuf>) -> Self {
        Self {
            hook_targets: TargetPolicy::default().into(),
            rates: Rates::network().into(),
            ..Self::embedded(data)
        }
    }
}

/// The five regions that the hosted service lists, at distances of 24 to 205 ms.
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
