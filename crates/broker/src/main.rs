//! `deskhand-broker`: the broker as a program.

mod admin;

use std::{io::stdout, path::Path, process::ExitCode};

use broker::{
    Broker, Running,
    cli::{self, Args, Command, DEFAULT_FILE, Settings},
};
use clap::{CommandFactory as _, Parser as _};
use serde_json::json;
use serve::process::{self, LogFormat, Signal, Signals};

const NAME: &str = "deskhand-broker";
/// The exit code for settings that can't be used.
const WRONG_SETTINGS: u8 = 2;

fn main() -> ExitCode {
    let args = Args::parse();
    match args.command.clone() {
        None => serve(args),
        Some(Command::Config) => {
            print!("{DEFAULT_FILE}");
            ExitCode::SUCCESS
        }
        Some(Command::Admin(admin)) => admin::run(args, &admin),
        Some(Command::Man { folder }) => print_manual(folder.as_deref()),
        Some(Command::Completions { shell }) => {
            clap_complete::generate(shell, &mut Args::command(), NAME, &mut stdout());
            ExitCode::SUCCESS
        }
    }
}

fn serve(args: Args) -> ExitCode {
    let settings = match cli::settings(args.clone()) {
        Ok(settings) => settings,
        Err(error) => {
            eprintln!("deskhand-broker: {error}");
            return ExitCode::from(WRONG_SETTINGS);
        }
    };
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("deskhand-broker: start its threads: {error}");
            return ExitCode::FAILURE;
        }
    };
    runtime.block_on(run(settings, args))
}

fn print_manual(folder: Option<&Path>) -> ExitCode {
    let command = Args::command().disable_help_subcommand(true);
    let (place, written) = match folder {
        Some(folder) => (folder.display().to_string(), clap_mangen::generate_to(command, folder)),
        None => {
            let printed = clap_mangen::Man::new(command).render(&mut stdout());
            ("standard output".to_owned(), printed)
        }
    };
    match written {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{NAME}: write the manual to {place}: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(settings: Settings, args: Args) -> ExitCode {
    process::start_log(&settings.log, settings.log_format);
    let log_format = settings.log_format;
    let token_file = settings.config.control.as_ref().map(|control| control.token_file.clone());
    // Before the broker starts, so that no signal is lost in between.
    let Ok(mut signals) = Signals::listen() else {
        eprintln!("deskhand-broker: listen for Ctrl-C: the system refused");
        return ExitCode::FAILURE;
    };
    let running = match Broker::start(settings.config).await {
        Ok(running) => running,
        Err(error) => {
            eprintln!("deskhand-broker: {error}");
            return ExitCode::FAILURE;
        }
    };
    print_ready(&running, token_file.as_deref());
    let version = env!("CARGO_PKG_VERSION");
    tracing::info!(version, listen = %running.addr(), origin = running.origin(), "started");
    while signals.next().await == Signal::Reload {
        reload(&running, &args, log_format).await;
    }
    tracing::info!("stopping");
    running.shutdown().await;
    ExitCode::SUCCESS
}

/// Reads the settings and the certificate again. What can't be used changes nothing.
async fn reload(running: &Running, args: &Args, log_format: LogFormat) {
    let settings = match cli::settings_again(args.clone()) {
        Ok(settings) => settings,
        Err(error) => return not_reloaded(&error),
    };
    match running.reload(settings.config).await {
        Ok(mut waiting) => {
            if settings.log_format != log_format {
                waiting.push("log_format");
            }
            process::change_log(&settings.log);
            tracing::info!("settings and certificate were read again");
            if !waiting.is_empty() {
                let settings = waiting.join(", ");
                tracing::warn!(settings, "these settings are taken up at the next start only");
            }
        }
        Err(error) => not_reloaded(&error),
    }
}

fn not_reloaded(error: &dyn std::error::Error) {
    tracing::error!(%error, "the settings were not taken up, those of before stay in force");
}

/// Says on stdout where the broker is, and warns if its links are of no use to others.
fn print_ready(running: &Running, token_file: Option<&std::path::Path>) {
    let control = running.control_addr().map(|addr| format!("http://{addr}/control"));
    let metrics = running.metrics_addr().map(|addr| format!("http://{addr}/metrics"));
    process::print_ready(&json!({
        "event": "ready",
        "base_url": running.base_url(),
        "origin": running.origin(),
        "listen": running.addr(),
        "region_url_template": running.region_url_template(),
        "join_url_template": running.join_url_template(),
        "control_url": control,
        "control_token_file": token_file,
        "metrics_url": metrics,
    }));
    if running.addr().ip().is_unspecified() && running.origin().contains("127.0.0.1") {
        tracing::warn!("links lead to this machine only; set --public-url for others");
    }
}
