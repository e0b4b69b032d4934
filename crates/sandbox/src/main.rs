//! `deskhand-sandbox`: the three stand-ins as a program.

use std::{
    io::Write as _,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::{CommandFactory as _, Parser, Subcommand};
use sandbox::{Config, Control, Ports, Running, Sandbox};
use secrecy::ExposeSecret as _;
use serde_json::json;
use serve::{
    Port,
    process::{self, LogFormat, Signal, Signals},
};

/// Stand-ins of LoginTC, Rocket.Chat and Passwordless.dev, each on a port of its own.
///
/// When they are ready, one line of JSON on stdout says where each is, and where the file with their
/// keys lies. Ctrl-C or SIGTERM ends them cleanly; people, devices and passkeys survive. They are for
/// trying and testing: whoever reaches them can approve every push.
#[derive(Debug, Parser)]
#[command(name = "deskhand-sandbox", version, max_term_width = 100)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
struct Args {
    /// What to do instead of serving.
    #[command(subcommand)]
    command: Option<Command>,
    /// Listen on this address.
    #[arg(long, env = "DESKHAND_SANDBOX_IP", default_value_t = IpAddr::V4(Ipv4Addr::LOCALHOST), value_name = "IP")]
    ip: IpAddr,
    /// LoginTC's port; 0 takes any free one.
    #[arg(long, env = "DESKHAND_SANDBOX_LOGINTC_PORT", default_value_t = 0, value_name = "PORT")]
    logintc_port: u16,
    /// Rocket.Chat's port; 0 takes any free one.
    #[arg(
        long,
        env = "DESKHAND_SANDBOX_ROCKETCHAT_PORT",
        default_value_t = 0,
        value_name = "PORT"
    )]
    rocketchat_port: u16,
    /// Passwordless.dev's port; 0 takes any free one.
    #[arg(
        long,
        env = "DESKHAND_SANDBOX_PASSWORDLESS_PORT",
        default_value_t = 0,
        value_name = "PORT"
    )]
    passwordless_port: u16,
    /// Keep everything here.
    #[arg(long, env = "DESKHAND_SANDBOX_DATA", value_name = "FOLDER", required = true)]
    data: Option<PathBuf>,
    /// Begin with a few people, phones and devices to try.
    #[arg(long, env = "DESKHAND_SANDBOX_EXAMPLES")]
    examples: bool,
    /// Start the control API here: clock and faults. For tests.
    #[arg(long, env = "DESKHAND_SANDBOX_CONTROL", value_name = "IP:PORT")]
    control: Option<SocketAddr>,
    /// Write the control API's token here, mode 0600. [default: control-token in the data folder]
    #[arg(long, env = "DESKHAND_SANDBOX_CONTROL_TOKEN_FILE", value_name = "FILE")]
    control_token_file: Option<PathBuf>,
    /// Tell metrics (Prometheus, at /metrics) and health here, to whoever reaches this address.
    #[arg(long, env = "DESKHAND_SANDBOX_METRICS", value_name = "IP:PORT")]
    metrics: Option<SocketAddr>,
    /// Take so many connections at once at each service. [default: half of the files that the process
    /// may open, at most 16384]
    #[arg(long, env = "DESKHAND_SANDBOX_CONNECTIONS", value_name = "NUMBER")]
    connections: Option<std::num::NonZeroUsize>,
    /// Log to stderr: error, warn, info, debug, or a tracing filter.
    #[arg(long, env = "DESKHAND_SANDBOX_LOG", default_value = "info", value_name = "FILTER", value_parser = serve::process::log_filter)]
    log: String,
    /// The form of the log's lines: text, or json for one JSON object a line.
    #[arg(long, env = "DESKHAND_SANDBOX_LOG_FORMAT", default_value = "text", value_name = "FORM")]
    log_format: LogFormat,
}

/// What the program can do instead of serving.
#[derive(Debug, Clone, Subcommand)]
enum Command {
    /// Print the manual page.
    #[command(hide = true)]
    Man {
        /// Write the page to this folder, instead of printing it.
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

/// Prints what belongs beside the program where it is installed.
fn print(command: &Command) -> Result<(), String> {
    match command {
        Command::Man { folder } => {
            let command = Args::command().disable_help_subcommand(true);
            let written = match folder {
                Some(folder) => clap_mangen::generate_to(command, folder),
                None => clap_mangen::Man::new(command).render(&mut std::io::stdout()),
            };
            written.map_err(|error| format!("write the manual: {error}"))
        }
        Command::Completions { shell } => {
            let (name, out) = ("deskhand-sandbox", &mut std::io::stdout());
            clap_complete::generate(*shell, &mut Args::command(), name, out);
            Ok(())
        }
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    let args = Args::parse();
    process::start_log(&args.log, args.log_format);
    let done = match &args.command {
        Some(command) => print(command),
        None => run(args).await,
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("deskhand-sandbox: {why}");
            ExitCode::FAILURE
        }
    }
}

async fn run(args: Args) -> Result<(), String> {
    // Before the servers start, so that no signal is lost in between.
    let mut signals = Signals::listen().map_err(|error| format!("listen for Ctrl-C: {error}"))?;
    let data = args.data.clone().ok_or("--data is missing")?;
    let config = config(args, &data);
    let token_file = config.control.as_ref().map(|control| control.token_file.clone());
    let running = Sandbox::start(config).await.map_err(|error| error.to_string())?;
    let keys = write_keys(&data, &running).map_err(|error| format!("write the keys: {error}"))?;
    print_ready(&running, &keys, token_file.as_deref());
    let [logintc, rocketchat, passwordless] = running.addrs();
    let version = env!("CARGO_PKG_VERSION");
    tracing::info!(version, %logintc, %rocketchat, %passwordless, "started");
    while signals.next().await == Signal::Reload {
        // All of its settings are flags and variables, which never change while it runs.
        tracing::info!(
            "asked to read the settings again; there is no file of them, so nothing changes"
        );
    }
    tracing::info!("stopping");
    running.shutdown().await;
    Ok(())
}

fn config(args: Args, data: &Path) -> Config {
    let token_file = args.control_token_file.unwrap_or_else(|| data.join("control-token"));
    let mut config = Config::embedded(data);
    config.ip = args.ip;
    config.ports = Ports {
        logintc: Port::from_number(args.logintc_port),
        rocketchat: Port::from_number(args.rocketchat_port),
        passwordless: Port::from_number(args.passwordless_port),
    };
    config.examples = args.examples;
    config.metrics = args.metrics;
    if let Some(connections) = args.connections {
        config.limits.connections = connections.get();
    }
    config.control = args.control.map(|listen| Control {
        ip: listen.ip(),
        port: Port::from_number(listen.port()),
        token_file,
    });
    config
}

/// Writes the credentials that clients need into a file that only its owner may read.
fn write_keys(data: &Path, running: &Running) -> std::io::Result<PathBuf> {
    let (logintc, chat, keys) = (running.logintc(), running.rocketchat(), running.passwordless());
    let text = json!({
        "logintc": { "domain": logintc.domain(), "key": logintc.key().expose_secret() },
        "rocketchat": { "user_id": chat.user_id(), "token": chat.token().expose_secret() },
        "passwordless": {
            "api_key": keys.api_key(),
            "api_secret": keys.api_secret().expose_secret(),
        },
    });
    let path = data.join("keys.json");
    // An older file may have another owner or mode; a new one is created with ours.
    let _ = std::fs::remove_file(&path);
    let mut file = serve::token::private_file(&path)?;
    writeln!(file, "{text:#}")?;
    Ok(path)
}

/// Says on stdout where each stand-in is.
fn print_ready(running: &Running, keys: &Path, token_file: Option<&Path>) {
    process::print_ready(&json!({
        "event": "ready",
        "logintc": running.logintc().base_url(),
        "rocketchat": running.rocketchat().base_url(),
        "passwordless": running.passwordless().base_url(),
        "keys_file": keys,
        "control_url": running.control_addr().map(|addr| format!("http://{addr}/control")),
        "control_token_file": token_file,
        "metrics_url": running.metrics_addr().map(|addr| format!("http://{addr}/metrics")),
    }));
}
