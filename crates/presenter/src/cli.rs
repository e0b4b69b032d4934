//! The command line.

use std::{convert::Infallible, path::PathBuf};

use clap::Parser;
use url::Url;
use wire::shared_screen::Secret;

/// Shares this computer's screen with the person who helps you, after asking you.
///
/// The page where you typed your PIN gives this program with everything in it: just start it. A
/// plain one needs the server's address and the PIN.
#[derive(Debug, Parser)]
#[command(name = "deskhand-presenter", version, max_term_width = 100, after_long_help = AFTER)]
pub struct Args {
    /// The server that carries the session.
    #[arg(
        long,
        env = "DESKHAND_BROKER",
        value_name = "URL",
        help = "The server that carries the session, such as https://support.example.org"
    )]
    pub broker: Option<Url>,

    /// The session's PIN. Others on this computer can see it in the list of programs: better let it
    /// be asked for, or use --pin-file or the environment.
    #[arg(
        long,
        env = "DESKHAND_PIN",
        hide_env_values = true,
        value_name = "PIN",
        value_parser = secret,
        conflicts_with_all = ["pin_file", "conf"]
    )]
    pub pin: Option<Secret>,

    /// Read the PIN from this file's first line.
    #[arg(long, value_name = "FILE", conflicts_with = "conf")]
    pub pin_file: Option<PathBuf>,

    /// Read the session's configuration from this file, as the server gives it to a console.
    #[arg(long, value_name = "FILE")]
    pub conf: Option<PathBuf>,

    /// Share without asking; only with a configuration that says that nobody is at this computer.
    #[arg(long)]
    pub yes: bool,

    /// Let every viewer in without asking: also web pages, whose picture the server could read, and
    /// people who have nothing but the PIN. Without it they are asked about, and refused with --yes.
    #[arg(long)]
    pub admit_all: bool,

    /// Share this X display. [default: the environment's DISPLAY]
    #[arg(long, value_name = "DISPLAY")]
    pub display: Option<String>,

    /// Never exchange the clipboard.
    #[arg(long)]
    pub no_clipboard: bool,

    /// Serve the text that comes on the standard input as the clipboard's, until something else is
    /// copied: what was there before the session. The program starts itself with this at its end.
    #[arg(long, hide = true)]
    pub keep_clipboard: bool,

    /// Print the manual page.
    #[arg(long, hide = true, exclusive = true)]
    pub manual: bool,

    /// How the person who helps you sees you named. [default: the name of your account]
    #[arg(long, value_name = "NAME")]
    pub name: Option<String>,

    /// Trust the certificates in this PEM file, and no others, to know the server by.
    #[arg(long, value_name = "FILE")]
    pub ca: Option<PathBuf>,
}

/// Wraps a secret argument. It never fails, because the parser's error would quote the secret.
#[expect(clippy::unnecessary_wraps, reason = "the parser's shape")]
fn secret(text: &str) -> Result<Secret, Infallible> {
    Ok(Secret::from(text.to_owned()))
}

const AFTER: &str = "\
Before you agree nothing of your screen is captured or sent. Only the server hears from the program: it
is asked who wants to see your screen, and it is told that you are asked and what you answer.

Exit codes:
  0  the sharing has ended: you stopped it, or the session is over
  1  the screen can't be shared, or the server can't be reached
  2  the command line is wrong
  3  the program, or the configuration, is damaged or was changed
  4  you declined
  5  the server has no such session: the PIN is wrong or over, or shares another screen

https_proxy, http_proxy, all_proxy and no_proxy name a proxy, and the servers that need none, as for curl.

RUST_LOG sets what is logged to the terminal, such as RUST_LOG=presenter=debug. [default: warn]

This software is based in part on the work of the Independent JPEG Group.";
