//! A passphrase from a person or a script. It is never shown.

use std::io::{self, BufRead as _, IsTerminal as _, Read as _};

use secrecy::{ExposeSecret as _, SecretString, zeroize::Zeroizing};
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

use super::{Failed, flags::passphrase_of};

/// The longest line that is read.
const LONGEST: u64 = 65_536;

/// Asks the terminal for a passphrase, twice if it is `new`; where there is no terminal, it is the first
/// line of standard input. None if the program was interrupted meanwhile.
pub(super) async fn ask(
    what: &str,
    new: bool,
    stop: &CancellationToken,
) -> Result<Option<SecretString>, Failed> {
    if !io::stdin().is_terminal() {
        return read(stop).await;
    }
    eprint!("{what}: ");
    let Some(first) = read_hidden(stop).await? else { return Ok(None) };
    if new {
        eprint!("Once more: ");
        let Some(second) = read_hidden(stop).await? else { return Ok(None) };
        if first.expose_secret() != second.expose_secret() {
            let text = "Read the passphrase: the two are not the same.";
            return Err(Failed::key(text, "Start again."));
        }
    }
    Ok(Some(first))
}

async fn read_hidden(stop: &CancellationToken) -> Result<Option<SecretString>, Failed> {
    let hidden = Hidden::start().map_err(|error| {
        Failed::key(
            format!("read the passphrase without showing it: {error}"),
            "Put it into a file, and name that with --backup-passphrase-file.",
        )
    })?;
    let passphrase = read(stop).await;
    drop(hidden);
    eprintln!();
    passphrase
}

async fn read(stop: &CancellationToken) -> Result<Option<SecretString>, Failed> {
    let (answer, line) = oneshot::channel();
    // A thread of its own: a read can't be cancelled, and the program's end must not wait for it.
    std::thread::spawn(move || {
        let mut line = Zeroizing::new(String::new());
        let read = io::stdin().lock().take(LONGEST).read_line(&mut line);
        let _ = answer
            .send(read.map(|_| SecretString::from(passphrase_of(&line).trim_end_matches('\r'))));
    });
    let Some(line) = stop.run_until_cancelled(line).await else { return Ok(None) };
    let failed = |why: &str| {
        let text = format!("read the passphrase from standard input: {why}");
        Failed::key(text, "Give it on one line, or name a file with --backup-passphrase-file.")
    };
    match line {
        Ok(Ok(line)) if line.expose_secret().is_empty() => Err(failed("there is none")),
        Ok(Ok(line)) => Ok(Some(line)),
        Ok(Err(error)) => Err(failed(&error.to_string())),
        Err(_) => Err(failed("it ended")),
    }
}

/// A terminal that doesn't show what is typed, until this is dropped.
#[cfg(unix)]
struct Hidden(rustix::termios::Termios);

#[cfg(unix)]
impl Hidden {
    fn start() -> io::Result<Self> {
        use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};
        let before = tcgetattr(io::stdin())?;
        let mut hidden = before.clone();
        hidden.local_modes.remove(LocalModes::ECHO);
        tcsetattr(io::stdin(), OptionalActions::Flush, &hidden)?;
        Ok(Self(before))
    }
}

#[cfg(unix)]
impl Drop for Hidden {
    fn drop(&mut self) {
        use rustix::termios::{OptionalActions, tcsetattr};
        let _ = tcsetattr(io::stdin(), OptionalActions::Now, &self.0);
    }
}

#[cfg(not(unix))]
struct Hidden;

#[cfg(not(unix))]
impl Hidden {
    fn start() -> io::Result<Self> {
        Err(io::ErrorKind::Unsupported.into())
    }
}
