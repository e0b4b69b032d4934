//! `deskhand demo`: the whole story in the terminal, live.
//!
//! Nothing is staged: the engine and its broker are the real ones, over real sockets, and so is every
//! customer's program, each on a virtual display of its own, where this computer has Xvfb and the program;
//! else a page stands in for it, and the demo says so. Only the broker's clock is moved, because nobody
//! wants to watch a minute pass. It ends well only if every step was seen on the feed that the window
//! gets, too.

mod customer;
mod display;
mod program;
mod screen;
mod stage;
mod story;
mod telling;
mod window;

use std::{io::IsTerminal as _, time::Duration};

use clap::Args;
use tokio_util::sync::CancellationToken;

use self::{stage::Stage, telling::Telling};
use super::{End, Failed, temporary_folder};

/// What `deskhand demo` can be told.
#[derive(Debug, Clone, Args)]
pub struct Flags {
    /// How many seconds each step may take
    #[arg(long, default_value_t = 30, value_name = "SECONDS", value_parser = clap::value_parser!(u16).range(1..=3600))]
    patience: u16,
}

/// Tells the story.
pub(super) async fn run(flags: &Flags, stop: &CancellationToken) -> Result<End, Failed> {
    let folder = temporary_folder()?;
    let patience = Duration::from_secs(flags.patience.into());
    let mut telling = Telling::new(std::io::stdout().is_terminal());
    telling.title("A support session from its PIN to its archived transcript");
    let mut stage = Stage::new(folder.path().to_owned(), patience);
    let told = tokio::select! {
        told = stage.tell_story(&mut telling) => Some(told),
        () = stop.cancelled() => None,
    };
    stage.end().await;
    match told {
        Some(Ok(())) => {
            telling.end(&format!(
                "All {} steps were seen. The demo's data is gone again.",
                telling.steps()
            ));
            Ok(End::Done)
        }
        Some(Err(missed)) => {
            telling.missed(&missed);
            Ok(End::NotGood)
        }
        None => {
            telling.end("Interrupted; the demo's data is gone again.");
            Ok(End::Interrupted)
        }
    }
}
