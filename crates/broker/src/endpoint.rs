//! The addresses where requests come in. One is always open; a second one, for strangers on the network, only while
//! the owner wants it.
//!
//! Nobody who comes in by the second one counts as being on this machine. So whoever it lets in is limited as on
//! any network ([`crate::ByClient`]), even from behind a reverse proxy on this machine (docs/adr/0006).

use serve::HostGuard;

/// An address where requests come in.
#[derive(Debug)]
pub(crate) struct Endpoint {
    pub guard: HostGuard,
    /// Scheme, host and port of the links that lead here.
    pub origin: String,
    /// Whoever comes in here is a stranger.
    pub for_strangers: bool,
}
