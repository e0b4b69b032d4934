//! The clients of the remote services. The base URL is injected, and is the only difference between
//! offline and online.
//!
//! A client doesn't retry (the session machine does), but for a GET and a hook's PUT whose connection
//! ended without an answer: they are sent once more. It keeps no cookie, bounds
//! every body and every wait, decides by status and `success` alone, and lets no URL, PIN or body
//! into an error. Dropping a call's future cancels the call.

pub mod download;
mod download_target;
pub mod error;
pub(crate) mod http;
mod identity_clients;
pub mod logintc;
pub mod loginwithme;
pub mod passwordless;
pub mod probe;
mod redirect;
pub mod rocketchat;
mod viewer_url;
pub mod web_socket;

use std::time::Duration;

pub use download::Download;
pub use download_target::{DownloadTarget, DownloadTargetError};
pub use error::{CallError, Doing};
pub use identity_clients::IdentityClients;
pub use logintc::LoginTc;
pub use loginwithme::{Capabilities, EventChannel, LoginWithMe, Received, Roster};
pub use passwordless::Passwordless;
pub use probe::{ProbeFailed, probe};
pub use rocketchat::RocketChat;
pub use viewer_url::ViewerUrl;

use url::{Host, Url};
use wire::Region;

/// The placeholder of the region's name in [`Service::region_url_template`].
const REGION: &str = "{region}";

/// The address and settings of a remote-support service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoginWithMeConfig {
    /// Where its API begins, such as `https://www.loginwith.me/api/v1`; http or https.
    pub base_url: Url,
    /// Where a region is timed: a URL with `{region}` in it.
    pub region_url_template: String,
    /// The user agent, see [`USER_AGENT`].
    pub user_agent: String,
}

/// Deskhand's own User-Agent.
pub const USER_AGENT: &str = concat!("Deskhand/", env!("CARGO_PKG_VERSION"));

/// Why a configuration can't be used; each variant names the setting to change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ServiceError {
    /// The base URL is of another kind, or has a user, a query or a fragment.
    #[error("read the service's address: it is not a plain http or https address")]
    BaseUrl,
    /// The template misses its variable.
    #[error("read the regions' address: it does not say where the region's name goes")]
    NoRegion,
    /// The template doesn't make an http or https URL.
    #[error("read the regions' address: it does not make an http or https address")]
    RegionUrl,
    /// The User-Agent can't be a header.
    #[error("read the User-Agent: it is empty or holds control characters")]
    UserAgent,
    /// No secure connections are possible: this computer's certificates could not be read.
    #[error("prepare secure connections: this computer's certificates could not be read")]
    Certificates,
    /// The verification service's domain has another shape.
    #[error("read the verification service's domain: it is not 40 hex digits")]
    VerificationDomain,
    /// The verification service's key has another shape.
    #[error("read the verification service's API key: it is not 64 letters and digits")]
    VerificationKey,
}

impl LoginWithMeConfig {
    /// A service from its addresses as a person gives them, with our own User-Agent.
    ///
    /// # Errors
    /// [`ServiceError`], as [`LoginWithMeConfig::check`].
    pub fn parse(base_url: &str, region_url_template: &str) -> Result<Self, ServiceError> {
        let service = Self {
            base_url: Url::parse(base_url.trim()).map_err(|_| ServiceError::BaseUrl)?,
            region_url_template: region_url_template.trim().to_owned(),
            user_agent: USER_AGENT.to_owned(),
        };
        service.check()?;
        Ok(service)
    }

    /// Whether it can be used. [`LoginWithMe::new`] checks it too.
    ///
    /// # Errors
    /// [`ServiceError`], which names the setting to change.
    pub fn check(&self) -> Result<(), ServiceError> {
        let base = &self.base_url;
        if !is_plain_http(base) || base.query().is_some() || base.fragment().is_some() {
            return Err(ServiceError::BaseUrl);
        }
        if !self.region_url_template.contains(REGION) {
            return Err(ServiceError::NoRegion);
        }
        let sample = self.region_url_template.replace(REGION, "region-1");
        if !Url::parse(&sample).is_ok_and(|url| is_plain_http(&url)) {
            return Err(ServiceError::RegionUrl);
        }
        let visible = |b: u8| (b' '..=b'~').contains(&b);
        if self.user_agent.is_empty() || !self.user_agent.bytes().all(visible) {
            return Err(ServiceError::UserAgent);
        }
        Ok(())
    }

    /// Where `region` is timed; none if its name makes no URL there.
    fn region_url(&self, region: &Region) -> Option<Url> {
        Url::parse(&self.region_url_template.replace(REGION, region.as_str())).ok()
    }
}

/// How long each part of a call may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeouts {
    /// Until a connection stands.
    pub connect: Duration,
    /// A whole call.
    pub call: Duration,
    /// A whole `/chat` call, whose answer can be long.
    pub chat: Duration,
    /// The silence between two pieces of a download, and before its first: the program is built
    /// when it is asked for.
    pub idle: Duration,
    /// One round trip of the region probe.
    pub round_trip: Duration,
    /// The whole region probe, once the regions are known.
    pub probe: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(5),
            call: Duration::from_secs(10),
            chat: Duration::from_secs(15),
            idle: Duration::from_secs(30),
            round_trip: Duration::from_secs(5),
            probe: Duration::from_secs(10),
        }
    }
}

fn is_plain_http(url: &Url) -> bool {
    matches!(url.scheme(), "http" | "https")
        && url.host().is_some()
        && url.username().is_empty()
        && url.password().is_none()
}

pub(crate) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEMPLATE: &str = "https://{region}.example.org";

    #[test]
    fn takes_the_hosted_and_the_embedded_addresses() {
        let hosted =
            LoginWithMeConfig::parse(loginwithme::HOSTED_BASE_URL, loginwithme::HOSTED_REGION_URL);
        let region: Region = "us-east-1".parse().unwrap();
        let url = hosted.unwrap().region_url(&region).unwrap();
        assert_eq!(url.as_str(), "https://us-east-1.loginwith.me/");
        let embedded = LoginWithMeConfig::parse(
            "http://127.0.0.1:8080/api/v1/",
            "http://127.0.0.1:8080/region/{region}",
        )
        .unwrap();
        assert!(embedded.user_agent.starts_with("Deskhand/"));
        assert_eq!(http::endpoint(&embedded.base_url, &["hook", ""]).path(), "/api/v1/hook/");
    }

    #[test]
    fn refuses_what_is_no_plain_http_address_and_says_what_is_wrong() {
        for base in ["", "ftp://a/", "file:///etc", "https://u:p@a/", "https://a/?q", "data:,x"] {
            assert_eq!(
                LoginWithMeConfig::parse(base, TEMPLATE),
                Err(ServiceError::BaseUrl),
                "{base}"
            );
        }
        let with = |template| LoginWithMeConfig::parse("https://a/api", template).unwrap_err();
        assert_eq!(with("https://a.example"), ServiceError::NoRegion);
        assert_eq!(with("javascript:{region}"), ServiceError::RegionUrl);
        assert_eq!(with("https://a:{region}"), ServiceError::RegionUrl);
        assert!(ServiceError::NoRegion.to_string().contains("where the region's name goes"));
    }

    #[test]
    fn refuses_a_user_agent_that_could_smuggle_a_header() {
        let mut service = LoginWithMeConfig::parse("https://a/", TEMPLATE).unwrap();
        service.user_agent = "a\r\nb: c".to_owned();
        assert_eq!(service.check(), Err(ServiceError::UserAgent));
    }

    #[test]
    fn an_address_cannot_leave_its_path_segment() {
        let service = LoginWithMeConfig::parse("https://a/api/v1", TEMPLATE).unwrap();
        let url = http::endpoint(&service.base_url, &["email", "a/../b?c#d@e.org"]);
        assert_eq!(url.as_str(), "https://a/api/v1/email/a%2F..%2Fb%3Fc%23d@e.org");
    }
}
