//! The command line and its help.

use std::{net::SocketAddr, path::PathBuf};

use clap::{Parser, Subcommand};
use secrecy::SecretString;
use serve::{
    peer::{Network, NetworkShape},
    process::LogFormat,
};
use url::Url;

/// A self-hosted remote-support broker that speaks the loginwith.me API.
///
/// It mints session PINs, delivers webhooks when a customer or a technician comes or goes, carries
/// the screen and the chat, delivers the customer's program, and serves the pages where both meet.
/// With no flag it listens on this machine only.
///
/// When it is ready it prints one line of JSON on stdout with base_url, the address that clients
/// are set to. Ctrl-C or SIGTERM ends it cleanly; sessions and hooks survive. SIGHUP has it read its
/// settings and certificate again.
#[derive(Debug, Clone, Parser)]
#[command(name = "deskhand-broker", version, max_term_width = 100, after_long_help = EXAMPLES)]
pub struct Args {
    /// What to do instead of serving.
    #[command(subcommand)]
    pub command: Option<Command>,

    /// Read settings from this file; `deskhand-broker config` prints one with comments.
    #[arg(long, env = "DESKHAND_BROKER_CONFIG", value_name = "FILE")]
    pub config: Option<PathBuf>,

    /// Listen here; port 0 takes any free one. [default: 127.0.0.1:47211]
    #[arg(long, env = "DESKHAND_BROKER_LISTEN", value_name = "IP:PORT")]
    pub listen: Option<SocketAddr>,

    /// The address under which others reach this broker; links are made of it.
    #[arg(long, env = "DESKHAND_BROKER_PUBLIC_URL", value_name = "URL")]
    pub public_url: Option<Url>,

    /// Serve https: the certificate chain (PEM).
    #[arg(long, env = "DESKHAND_BROKER_TLS_CERT", value_name = "FILE")]
    pub tls_cert: Option<PathBuf>,

    /// Serve https: the private key (PEM).
    #[arg(long, env = "DESKHAND_BROKER_TLS_KEY", value_name = "FILE")]
    pub tls_key: Option<PathBuf>,

    /// Keep sessions, hooks, chats and outbox here. [default: ~/.local/share/deskhand-broker]
    #[arg(long, env = "DESKHAND_BROKER_DATA", value_name = "FOLDER")]
    pub data: Option<PathBuf>,

    /// The store's key, made if it is missing. [default: store.key in the data folder]
    #[arg(long, env = "DESKHAND_BROKER_STORE_KEY_FILE", value_name = "FILE")]
    pub store_key_file: Option<PathBuf>,

    /// Let pages of any origin call this broker, as the hosted service does.
    #[arg(long, env = "DESKHAND_BROKER_COMPAT_CORS")]
    pub compat_cors: bool,

    /// Deliver hooks to this machine. [default: true on loopback without a public URL]
    #[arg(long, env = "DESKHAND_BROKER_ALLOW_LOOPBACK_HOOKS", value_name = "BOOL")]
    pub allow_loopback_hooks: Option<bool>,

    /// Deliver hooks to private and link-local addresses. [default: false]
    #[arg(long, env = "DESKHAND_BROKER_ALLOW_PRIVATE_HOOKS", value_name = "BOOL")]
    pub allow_private_hooks: Option<bool>,

    /// Believe this proxy's X-Forwarded-For; an address or network, may be repeated.
    #[arg(
        long = "trusted-proxy",
        env = "DESKHAND_BROKER_TRUSTED_PROXIES",
        value_delimiter = ',',
        value_name = "NETWORK"
    )]
    pub trusted_proxies: Vec<String>,

    /// Take so many connections at once, of which one owner of addresses (an IPv4 address, an IPv6
    /// /48) gets a quarter. [default: half of the files that the process may open, at most 16384]
    #[arg(long, env = "DESKHAND_BROKER_CONNECTIONS", value_name = "NUMBER")]
    pub connections: Option<std::num::NonZeroUsize>,

    /// Keep so many sessions at once, of which one owner of addresses gets a quarter; one counts
    /// until it is forgotten, two days after its PIN's life. [default: 100000]
    #[arg(long, env = "DESKHAND_BROKER_SESSIONS", value_name = "NUMBER")]
    pub sessions: Option<std::num::NonZeroUsize>,

    /// Offer this region, answering after so many milliseconds; may be repeated, replaces the five.
    #[arg(long = "region", value_parser = region, value_name = "NAME=MS")]
    pub regions: Vec<(String, u64)>,

    /// Offline hooks fire after more than so many seconds. [default: 60]
    #[arg(long, env = "DESKHAND_BROKER_OFFLINE_GRACE_S", value_name = "SECONDS")]
    pub offline_grace_s: Option<u64>,

    /// A PIN lives so many seconds. [default: 86400]
    #[arg(long, env = "DESKHAND_BROKER_PIN_LIFE_S", value_name = "SECONDS")]
    pub pin_life_s: Option<u64>,

    /// A chat message can be fetched for so many seconds. [default: 86400]
    #[arg(long, env = "DESKHAND_BROKER_CHAT_LIFE_S", value_name = "SECONDS")]
    pub chat_life_s: Option<u64>,

    /// A stream of the screen that carried nothing for so many seconds ends. [default: 1800]
    #[arg(long, env = "DESKHAND_BROKER_STREAM_IDLE_S", value_name = "SECONDS")]
    pub stream_idle_s: Option<u64>,

    /// Deliver the customer's programs of this folder, named deskhand-presenter-PLATFORM, such as
    /// deskhand-presenter-linux-x86_64. [default: the deskhand-presenter beside this program]
    #[arg(long, env = "DESKHAND_BROKER_PROGRAMS", value_name = "FOLDER")]
    pub programs: Option<PathBuf>,

    /// Let a session's conf say that its screen is shared without anybody there agreeing.
    #[arg(long, env = "DESKHAND_BROKER_ALLOW_UNATTENDED")]
    pub allow_unattended: bool,

    /// Send e-mail by this server, such as smtps://user:password@host:465. Better given by
    /// environment or file, since others can see command lines.
    #[arg(long, env = "DESKHAND_BROKER_SMTP_URL", hide_env_values = true, value_name = "URL")]
    pub smtp_url: Option<SecretString>,

    /// The sender of e-mail, such as "Support <support@example.org>".
    #[arg(long, env = "DESKHAND_BROKER_SMTP_FROM", value_name = "MAILBOX")]
    pub smtp_from: Option<String>,

    /// Start the control API here: clock, faults, stand-in pages, outbox. For tests and demos.
    #[arg(long, env = "DESKHAND_BROKER_CONTROL", value_name = "IP:PORT")]
    pub control: Option<SocketAddr>,

    /// Write the control API's token here, mode 0600. [default: control-token in the data folder]
    #[arg(long, env = "DESKHAND_BROKER_CONTROL_TOKEN_FILE", value_name = "FILE")]
    pub control_token_file: Option<PathBuf>,

    /// Tell metrics (Prometheus, at /metrics) and health here, to whoever reaches this address.
    #[arg(long, env = "DESKHAND_BROKER_METRICS", value_name = "IP:PORT")]
    pub metrics: Option<SocketAddr>,

    /// Log to stderr: error, warn, info, debug, or a tracing filter. [default: info]
    #[arg(long, env = "DESKHAND_BROKER_LOG", value_name = "FILTER")]
    pub log: Option<String>,

    /// The form of the log's lines: text, or json for one JSON object a line. [default: text]
    #[arg(long, env = "DESKHAND_BROKER_LOG_FORMAT", value_name = "FORM")]
    pub log_format: Option<LogFormat>,
}

/// What the program can do instead of serving.
#[derive(Debug, Clone, Subcommand)]
pub enum Command {
    /// Print a settings file with all defaults and comments.
    Config,
    /// Look at a running broker by its control API, or lift a block.
    ///
    /// The control API must be on (`control` in the settings file, or --control), at a port that isn't 0. Address and
    /// token are found by the same settings as the broker's.
    Admin(Admin),
    /// Print the manual page.
    #[command(hide = true)]
    Man {
        /// Write one page for each command to this folder, instead of printing the first.
        #[arg(value_name = "FOLDER")]
        folder: Option<PathBuf>,
    },
    /// Print the completions for a shell.
    #[command(hide = true)]
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
}

/// What to look at.
#[derive(Debug, Clone, clap::Args)]
pub struct Admin {
    /// What to do.
    #[command(subcommand)]
    pub act: AdminAct,
    /// Print the answer of the control API as JSON.
    #[arg(long, global = true)]
    pub json: bool,
}

/// What an operator can see and do.
#[derive(Debug, Clone, Subcommand)]
pub enum AdminAct {
    /// List the sessions whose PIN works, and who is connected to them. No PIN is shown.
    Sessions,
    /// List the e-mails, and why those that weren't sent weren't. Their texts aren't shown.
    Outbox,
    /// List the addresses and networks that are blocked after reports of abuse.
    Blocks,
    /// Lift a block, and forget the reports that led to it.
    Lift {
        /// The address or network, as `blocks` lists it.
        #[arg(value_name = "ADDRESS", value_parser = address)]
        owner: String,
    },
}

const EXAMPLES: &str = "\
Examples:
  Mint a PIN, and be told when the customer's page opens:
    deskhand-broker --listen 127.0.0.1:47211 &
    B=http://127.0.0.1:47211/api/v1
    curl \"$B/regions\"
    curl \"$B/session_pin?region=us-east-1\"
    curl -X PUT \"$B/hook/\" --data \\
      '{\"type\":\"presenter_started\",\"url\":\"http://127.0.0.1:9000/\",\"session_pin\":\"PIN\"}'
    Then open http://127.0.0.1:47211/join#PIN in a browser.
    The viewer's link: curl \"$B/session_url?session_pin=PIN&ro=false\"
    A viewer's link that can be held to watching, without the PIN in it:
      curl \"$B/x/viewer_link\" --data '{\"session_pin\":\"PIN\",\"role\":\"watch\",\"name\":\"Anna\"}'
    Who shares, who watches: curl \"$B/x/roster\" --data '{\"session_pin\":\"PIN\"}'
    The customer's programs: curl \"$B/x/program_info\"
    The chat:          curl \"$B/chat?session_pin=PIN\"
    A region's probe:  curl http://127.0.0.1:47211/region/us-east-1

  Without a browser and without waiting (the token lies in the data folder):
    deskhand-broker --control 127.0.0.1:47219 --data /tmp/broker &
    T=\"Authorization: Bearer $(cat /tmp/broker/control-token)\"
    C=http://127.0.0.1:47219/control;  J='Content-Type: application/json'
    P=6f9a1c0e-7a43-4d1e-9b7e-0d4c8a6b1f25   # a page's id: any UUID, a new one is a new start
    curl -H \"$T\" -H \"$J\" $C/presence -d '{\"session_pin\":\"PIN\",\"side\":\"presenter\",
      \"page\":\"'$P'\",\"name\":\"Maria\",\"online\":true}'     # side: presenter or viewers
    curl -H \"$T\" -H \"$J\" $C/chat -d '{\"session_pin\":\"PIN\",\"page\":\"'$P'\",
      \"name\":\"Maria\",\"body\":\"hello\"}'
    curl -H \"$T\" -H \"$J\" $C/presence -d '{\"session_pin\":\"PIN\",\"side\":\"presenter\",
      \"page\":\"'$P'\",\"online\":false}'
    curl -H \"$T\" -H \"$J\" $C/clock -d '{\"advance_s\":61}'
    curl -H \"$T\" $C/outbox";

fn address(text: &str) -> Result<String, NetworkShape> {
    text.parse::<Network>().map(|_| text.to_owned())
}

fn region(text: &str) -> Result<(String, u64), String> {
    let (name, ms) = text.split_once('=').ok_or("write it as NAME=MS, such as us-east-1=24")?;
    let ms = ms.parse().map_err(|_| "the milliseconds are a whole number".to_owned())?;
    Ok((name.to_owned(), ms))
}
