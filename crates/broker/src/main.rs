//! `deskhand-broker`: the broker as a program.

mod cli;

use std::process::ExitCode;

use broker::{Broker, Running};
use clap::Parser as _;
use serde_json::json;
use serve::process::{self, stop_signal};

use self::cli::{Args, Command, DEFAULT_FILE, Settings};

/// The exit code for settings that can't be used.
const WRONG_SETTINGS: u8 = 2;

fn main() -> ExitCode {
    let args = Args::parse();
    if let Some(Command::Config) = args.command {
        print!("{DEFAULT_FILE}");
        return ExitCode::SUCCESS;
    }
    let settings = match cli::settings(args) {
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
    runtime.block_on(run(settings))
}

async fn run(settings: Settings) -> ExitCode {
    serve::process::start_log(&settings.log);
    let token_file = settings.config.control.as_ref().map(|control| control.token_file.clone());
    // Before the broker starts, so that no signal is lost in between.
    let Ok(stop) = stop_signal() else {
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
    stop.await;
    tracing::info!("stopping");
    running.shutdown().await;
    ExitCode::SUCCESS
}

/// Says on stdout where the broker is, and warns if its links are of no use to others.
fn print_ready(running: &Running, token_file: Option<&std::path::Path>) {
    let control = running.control_addr().map(|addr| format!("http://{addr}/control"));
    process::print_ready(&json!({
        "event": "ready",
        "base_url": running.base_url(),
        "origin": running.origin(),
        "listen": running.addr(),
        "region_url_template": running.region_url_template(),
        "join_url_template": running.join_url_template(),
        "control_url": control,
        "control_token_file": token_file,
    }));
    if running.addr().ip().is_unspecified() && running.origin().contains("127.0.0.1") {
        tracing::warn!("links lead to this machine only; set --public-url for others");
    }
}
