//! `deskhand demo`: the whole story of a support session in the terminal, live.
//!
//! Nothing is staged: the engine and its broker are the real ones, over real sockets. So is every
//! customer's program, each on a virtual display of its own, if this computer has Xvfb and the
//! program; else a page stands in for it, and the demo says so. Only the broker's clock is moved,
//! because nobody wants to watch a minute pass. The demo succeeds only if every step was seen on
//! the same feed that the window gets.
//!
//! It is a program of its own, so that the product contains nothing of it.

mod browser_page;
mod customer;
mod customer_program;
mod demo_console;
mod display;
mod narrator;
mod screen_chapter;
mod story;
mod viewer_window;

use std::{io::IsTerminal as _, process::ExitCode, time::Duration};

use clap::Parser;
use console::cli::{End, Failed, LogFormat, log_filter, run_to_end, start_log, temporary_folder};
use tokio_util::sync::CancellationToken;

use self::{demo_console::DemoConsole, narrator::Narrator};

/// The whole story of a support session in this terminal, live, in a temporary folder.
#[derive(Debug, Clone, Parser)]
#[command(name = "deskhand-demo", version, about)]
struct Arguments {
    /// How many seconds each step may take
    #[arg(long, default_value_t = 30, value_name = "SECONDS", value_parser = clap::value_parser!(u16).range(1..=3600))]
    patience: u16,
    /// What is logged to standard error: error, warn, info, debug, trace, or a filter
    #[arg(long, env = "DESKHAND_LOG", value_name = "FILTER", default_value = "warn", value_parser = log_filter)]
    log: String,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    start_log(&arguments.log, LogFormat::Text);
    let patience = Duration::from_secs(arguments.patience.into());
    run_to_end(async move |stop| tell(patience, &stop).await)
}

async fn tell(patience: Duration, stop: &CancellationToken) -> Result<End, Failed> {
    let folder = temporary_folder()?;
    let mut narrator = Narrator::new(std::io::stdout().is_terminal());
    narrator.title("A support session from its PIN to its archived transcript");
    let mut demo = DemoConsole::new(folder.path().to_owned(), patience);
    let told = tokio::select! {
        told = demo.tell_story(&mut narrator) => Some(told),
        () = stop.cancelled() => None,
    };
    // Also after a failure: the temporary folder can't be removed while the console uses it.
    demo.end().await;
    match told {
        Some(Ok(())) => {
            let steps = narrator.steps();
            narrator.end(&format!("All {steps} steps were seen. The demo's data is gone again."));
            Ok(End::Done)
        }
        Some(Err(missed)) => {
            narrator.missed(&missed);
            Ok(End::NotGood)
        }
        None => {
            narrator.end("Interrupted; the demo's data is gone again.");
            Ok(End::Interrupted)
        }
    }
}
