//! How many files this process may have open, of which each connection is one.

use std::sync::OnceLock;

/// Files that are left for everything else: stores, logs, windows, pipes.
const RESERVED: usize = 256;
/// More than this a server doesn't take unless it is set: each connection also costs memory.
const MOST: usize = 16_384;
/// As few as this a server always takes.
const LEAST: usize = 64;

/// How many connections a server of this process takes unless it is set. Raises the limit of open
/// files as far as the system allows without further rights, on the first call.
pub(crate) fn connections() -> usize {
    static CONNECTIONS: OnceLock<usize> = OnceLock::new();
    *CONNECTIONS.get_or_init(|| of_files(raise()))
}

fn of_files(files: usize) -> usize {
    (files.saturating_sub(RESERVED) / 2).clamp(LEAST, MOST)
}

#[cfg(unix)]
fn raise() -> usize {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    /// No more is needed, and some systems refuse an unlimited number.
    const WANTED: u64 = 65_536;
    let limit = getrlimit(Resource::Nofile);
    let wanted = limit.maximum.unwrap_or(WANTED).min(WANTED);
    let current = limit.current.unwrap_or(u64::MAX);
    let raised = current < wanted && {
        let raised = Rlimit { current: Some(wanted), maximum: limit.maximum };
        setrlimit(Resource::Nofile, raised).is_ok()
    };
    let files = if raised { wanted } else { current };
    usize::try_from(files).unwrap_or(usize::MAX)
}

/// Sockets aren't limited by process here.
#[cfg(not(unix))]
fn raise() -> usize {
    usize::MAX
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_left_for_everything_else_and_1200_pages_fit_into_what_most_systems_allow() {
        assert_eq!(of_files(usize::MAX), MOST);
        assert_eq!(of_files(4096), 1920);
        assert_eq!(of_files(1024), 384);
        assert_eq!(of_files(10), LEAST);
    }
}
