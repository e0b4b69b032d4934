//! What stands between this console and a service, or spoils its answers on the way.

use serde::{Deserialize, Serialize};

/// One variant for each remedy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "is")]
pub enum Obstacle {
    /// The service's certificate isn't valid at this time, by this computer's clock.
    CertificateExpired,
    /// The service's certificate is for another host.
    CertificateOfAnother,
    /// The service's certificate is from nobody whom this computer trusts.
    CertificateUntrusted,
    /// A proxy wants credentials.
    Proxy,
    /// Something before the service refuses, or another server does: its answer isn't JSON, which the
    /// service's own refusals are.
    Gateway {
        /// The HTTP status.
        status: u16,
    },
    /// What answers points to another server.
    Redirect,
    /// The server points to itself by https, and was asked by http.
    NeedsHttps,
    /// The answer is incomplete.
    BrokeOff,
    /// The answer is compressed, which nobody asked for.
    Encoded,
}

impl Obstacle {
    /// Why it failed, in words that follow "because" or a colon.
    pub fn reason(self) -> String {
        match self {
            Self::CertificateExpired => {
                "the service's certificate has expired or is not valid yet".into()
            }
            Self::CertificateOfAnother => "the service's certificate is for another name".into(),
            Self::CertificateUntrusted => {
                "the service's certificate is not from an issuer that this computer trusts".into()
            }
            Self::Proxy => "the proxy asks for a user name and a password (407)".into(),
            Self::Gateway { status: 404 } => {
                "what answers at the service's address does not know this call (404)".into()
            }
            Self::Gateway { status } => {
                format!("a firewall or gateway before the service refused it ({status})")
            }
            Self::Redirect => "the service's address leads to another server".into(),
            Self::NeedsHttps => "the service answers only over https".into(),
            Self::BrokeOff => "the service's answer broke off".into(),
            Self::Encoded => "the service's answer is compressed, which was not asked for".into(),
        }
    }

    /// Whether the service may have carried the request out all the same.
    pub const fn let_it_through(self) -> bool {
        match self {
            Self::Redirect | Self::NeedsHttps | Self::BrokeOff | Self::Encoded => true,
            Self::CertificateExpired
            | Self::CertificateOfAnother
            | Self::CertificateUntrusted
            | Self::Proxy
            | Self::Gateway { .. } => false,
        }
    }
}
