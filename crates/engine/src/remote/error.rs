//! Why a call failed: the call, the failure by its remedy, and a short text for people.
//!
//! No error holds a URL, a PIN or anything that the other side wrote: a URL can carry a PIN or a
//! secret token, and an error's prose is undocumented and may repeat the request.

use std::{fmt, io, time::Duration};

use jiff::Timestamp;
use reqwest::{Response, StatusCode, header};
use session::{Failure, Obstacle};
use url::Url;
use wire::HookType;

use super::redirect;

/// The action of a call that failed. Its text completes "could not ...".
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Doing {
    /// `GET /regions`.
    ListRegions,
    /// Timing one region.
    TimeRegion,
    /// `GET /session_pin`.
    AllocatePin,
    /// `PUT /hook/`.
    ArmHook(HookType),
    /// `GET /session_url`.
    FetchViewerLink,
    /// `GET /chat`.
    FetchChat,
    /// `POST /email/...`.
    SendEmail,
    /// `GET /session_parameters`, once per session, ever.
    FetchParameters,
    /// `GET /session_exe`.
    DownloadProgram,
    /// `POST /report_abuse`.
    ReportAbuse,
    /// `GET /x/capabilities`.
    AskCapabilities,
    /// `POST /x/revoke`.
    RevokePin,
    /// `POST /x/delete`.
    DeleteSession,
    /// `POST /x/reach`.
    TestReach,
    /// `PUT /x/asker`.
    TellAsker,
    /// `POST /x/roster`.
    AskRoster,
    /// `POST /x/chat`.
    SendChat,
    /// `POST /x/admit`.
    Admit,
    /// A WebSocket of a viewer of ours.
    OpenScreen,
    /// The WebSocket that tells what happens in all sessions.
    FollowEvents,
    /// LoginTC: `GET /ping`.
    PingVerification,
    /// LoginTC: `POST .../sessions`.
    AskPhone,
    /// LoginTC: `GET .../sessions/{s}`.
    PollPhone,
    /// LoginTC: `DELETE .../sessions/{s}`.
    CancelPhone,
    /// LoginTC: `POST .../users/{u}/otp`.
    MailCode,
    /// Rocket.Chat: `GET sessions/info.admin`.
    LookUpDevice,
    /// Rocket.Chat: `GET sessions/list.all`.
    ListDevices,
    /// Rocket.Chat: `POST sessions/logout`.
    LogOutDevice,
    /// Passwordless.dev: `POST /register/token`.
    BeginPasskey,
    /// Passwordless.dev: `POST /signin/verify`.
    CheckSignIn,
    /// Passwordless.dev: `POST /credentials/list`.
    ListPasskeys,
    /// Passwordless.dev: `POST /credentials/delete`.
    DeletePasskey,
    /// Passwordless.dev: `POST /alias`.
    SetAliases,
}

impl fmt::Display for Doing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ListRegions => f.write_str("list the regions"),
            Self::TimeRegion => f.write_str("time the region"),
            Self::AllocatePin => f.write_str("get a PIN"),
            Self::ArmHook(hook) => write!(f, "arm the hook {hook}"),
            Self::FetchViewerLink => f.write_str("get the viewer link"),
            Self::FetchChat => f.write_str("fetch the chat"),
            Self::SendEmail => f.write_str("send the e-mail"),
            Self::FetchParameters => f.write_str("fetch the session's parameters"),
            Self::DownloadProgram => f.write_str("download the customer's program"),
            Self::ReportAbuse => f.write_str("report the abuse"),
            Self::AskCapabilities => f.write_str("ask what the service can do"),
            Self::RevokePin => f.write_str("revoke the PIN"),
            Self::DeleteSession => f.write_str("have the broker delete the session"),
            Self::TestReach => f.write_str("have the service call this console"),
            Self::TellAsker => f.write_str("tell the service who asks for the screen"),
            Self::AskRoster => f.write_str("ask who watches"),
            Self::SendChat => f.write_str("write to the chat"),
            Self::Admit => f.write_str("answer about the viewer that waits"),
            Self::OpenScreen => f.write_str("connect the viewer"),
            Self::FollowEvents => f.write_str("follow the sessions by the broker's event channel"),
            Self::PingVerification => f.write_str("test the verification service"),
            Self::AskPhone => f.write_str("ask the phone"),
            Self::PollPhone => f.write_str("ask for the phone's answer"),
            Self::CancelPhone => f.write_str("cancel the push"),
            Self::MailCode => f.write_str("have a code sent by e-mail"),
            Self::LookUpDevice => f.write_str("look up the device"),
            Self::ListDevices => f.write_str("list the login sessions"),
            Self::LogOutDevice => f.write_str("log the login session out"),
            Self::BeginPasskey => f.write_str("begin a passkey"),
            Self::CheckSignIn => f.write_str("check the sign-in"),
            Self::ListPasskeys => f.write_str("list the passkeys"),
            Self::DeletePasskey => f.write_str("delete the passkey"),
            Self::SetAliases => f.write_str("set the aliases"),
        }
    }
}

/// A failed call. Its text reads "arm the hook viewer_offline: the service answered 503".
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{doing}: {detail}")]
pub struct CallError {
    /// The action.
    pub doing: Doing,
    /// Why it failed, by its remedy; the only part that is decided upon.
    pub failure: Failure,
    /// Why it failed, for people: our own words, without URL, PIN or body.
    pub detail: String,
}

/// A failure and its text, without the action yet.
pub(super) type Cause = (Failure, String);

/// Nobody waits for longer than this because a service asked for it.
const LONGEST_WAIT: Duration = Duration::from_secs(3600);

pub(super) fn malformed(detail: &str) -> Cause {
    (Failure::Malformed, detail.to_owned())
}

pub(super) fn timed_out() -> Cause {
    (Failure::TimedOut, "the service did not answer in time".to_owned())
}

/// The answer's body refuses, whatever its status.
pub(super) fn refused(status: StatusCode) -> Cause {
    (Failure::Rejected { status: status.as_u16() }, "the service refused it".to_owned())
}

/// The cause of an unsuccessful answer, by its head alone.
///
/// A 503 that says when to come back counts as rate limiting: the remedy is the same, to wait.
pub(super) fn of_status(response: &Response, now: Timestamp) -> Cause {
    of_head(response.url(), response.status(), response.headers(), now)
}

/// The same for an answer to a request for `from`, whoever made it.
pub(super) fn of_head(
    from: &Url,
    status: StatusCode,
    headers: &header::HeaderMap,
    now: Timestamp,
) -> Cause {
    let code = status.as_u16();
    let retry_after_ms = retry_after(headers, now);
    let failure = match code {
        407 => Failure::Blocked { by: Obstacle::Proxy },
        300..=399 => {
            let by = redirect::elsewhere(from, status, headers);
            by.map_or(Failure::Malformed, |by| Failure::Blocked { by })
        }
        401 => Failure::Unauthorized,
        429 => Failure::RateLimited { retry_after_ms },
        503 if retry_after_ms.is_some() => Failure::RateLimited { retry_after_ms },
        // It has no room, and is well: trying again won't help soon.
        507 => Failure::Rejected { status: code },
        500..=599 => Failure::Faulty { status: code },
        400..=499 => Failure::Rejected { status: code },
        // A redirect to elsewhere or a success that is none: no such thing is documented.
        _ => Failure::Malformed,
    };
    if let Failure::Blocked { by: by @ Obstacle::Proxy } = failure {
        return blocked(by);
    }
    let elsewhere = if status.is_redirection() { " and points elsewhere" } else { "" };
    (failure, format!("the service answered {code}{elsewhere}"))
}

/// The cause by how the answer's body begins, too.
///
/// A service's own refusals are JSON, whatever they are declared as: all else comes from something
/// before it, or from a server that isn't the service.
pub(super) fn by_body(cause: Cause, beginning: &[u8]) -> Cause {
    match cause.0 {
        Failure::Rejected { status } if !matches!(beginning.first(), Some(b'{' | b'[')) => {
            blocked(Obstacle::Gateway { status })
        }
        _ => cause,
    }
}

/// Whether an answer is declared as JSON of any kind, such as `application/problem+json`.
pub(super) fn is_json(headers: &header::HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    let kind = kind.and_then(|kind| kind.split(';').next()).map(str::trim);
    kind.is_some_and(|kind| kind.to_ascii_lowercase().ends_with("json"))
}

/// The cause of what stands between us and the service.
pub(super) fn blocked(by: Obstacle) -> Cause {
    (Failure::Blocked { by }, by.reason())
}

/// How long `Retry-After` asks to wait, in milliseconds: seconds, or a date, which is taken against
/// the answer's own `Date` where it has one, since our clock may be wrong.
fn retry_after(headers: &header::HeaderMap, now: Timestamp) -> Option<u64> {
    let text = headers.get(header::RETRY_AFTER)?.to_str().ok()?.trim();
    let longest = u64::try_from(LONGEST_WAIT.as_millis()).unwrap_or(u64::MAX);
    if !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()) {
        let seconds = text.parse::<u64>().unwrap_or(u64::MAX);
        return Some(seconds.saturating_mul(1000).min(longest));
    }
    let date = |text: &str| jiff::fmt::rfc2822::parse(text).ok().map(|at| at.timestamp());
    let theirs = headers.get(header::DATE).and_then(|value| date(value.to_str().ok()?));
    let wait = date(text)?.as_millisecond() - theirs.unwrap_or(now).as_millisecond();
    Some(u64::try_from(wait).unwrap_or(0).min(longest))
}

/// The cause of a request without a complete answer.
///
/// Only without a connection is it sure that the service wasn't asked.
pub(super) fn of_transport(error: &reqwest::Error) -> Cause {
    if error.is_builder() {
        return (Failure::Internal, "the request could not be built".to_owned());
    }
    if let Some(by) = obstacle(error) {
        return blocked(by);
    }
    if error.is_connect() {
        return (Failure::Unreachable, why_unconnected(error).to_owned());
    }
    if error.is_timeout() {
        return timed_out();
    }
    if error.is_body() || error.is_decode() {
        return blocked(Obstacle::BrokeOff);
    }
    (Failure::NoAnswer, "the service closed the connection without an answer".to_owned())
}

fn why_unconnected(error: &reqwest::Error) -> &'static str {
    if is_tls(error) {
        "no secure connection could be made, its certificate may not be trusted"
    } else if let Some(io::ErrorKind::ConnectionRefused) = io_kind(error) {
        "nothing answers at the service's address"
    } else {
        "the service could not be reached"
    }
}

/// The obstacle before the service, if its type tells one.
fn obstacle(error: &reqwest::Error) -> Option<Obstacle> {
    // hyper-util keeps this error's type to itself.
    let asks_proxy = |cause: &(dyn std::error::Error + 'static)| {
        cause.to_string().contains("proxy authorization required")
    };
    if error.is_connect() && causes(error).any(asks_proxy) {
        return Some(Obstacle::Proxy);
    }
    of_certificate(rustls_error(error)?)
}

/// The obstacle that a failed TLS handshake shows, if it was about the certificate.
pub(super) fn of_certificate(error: &rustls::Error) -> Option<Obstacle> {
    use rustls::CertificateError as Wrong;
    let rustls::Error::InvalidCertificate(wrong) = error else { return None };
    Some(match wrong {
        Wrong::Expired
        | Wrong::ExpiredContext { .. }
        | Wrong::NotValidYet
        | Wrong::NotValidYetContext { .. } => Obstacle::CertificateExpired,
        Wrong::NotValidForName | Wrong::NotValidForNameContext { .. } => {
            Obstacle::CertificateOfAnother
        }
        // The list grows with the library, and all the others mean that nobody vouches for it.
        _ => Obstacle::CertificateUntrusted,
    })
}

fn io_kind(error: &reqwest::Error) -> Option<io::ErrorKind> {
    causes(error).find_map(|cause| cause.downcast_ref::<io::Error>()).map(io::Error::kind)
}

fn is_tls(error: &reqwest::Error) -> bool {
    rustls_error(error).is_some()
}

/// The TLS library's own error among an error and its causes.
pub(super) fn rustls_error<'a>(
    error: &'a (dyn std::error::Error + 'static),
) -> Option<&'a rustls::Error> {
    causes(error).find_map(|cause| {
        // An io::Error's source skips the error that it wraps, which may be another io::Error.
        let mut wrapped = std::iter::successors(Some(cause), |&cause| {
            Some(cause.downcast_ref::<io::Error>()?.get_ref()? as &(dyn std::error::Error + 'static))
        });
        wrapped.find_map(|inner| inner.downcast_ref::<rustls::Error>())
    })
}

/// An error and its causes.
fn causes<'a>(
    error: &'a (dyn std::error::Error + 'static),
) -> impl Iterator<Item = &'a (dyn std::error::Error + 'static)> {
    std::iter::successors(Some(error), |&cause| cause.source())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(pairs: &[(header::HeaderName, &str)]) -> Option<u64> {
        let headers = pairs.iter().map(|(name, text)| (name.clone(), text.parse().unwrap()));
        let now = "1994-11-06T08:49:00Z".parse().unwrap();
        retry_after(&headers.collect(), now)
    }

    #[test]
    fn reads_retry_after_as_seconds_and_as_a_date() {
        let date = "Sun, 06 Nov 1994 08:49:37 GMT";
        assert_eq!(asked(&[(header::RETRY_AFTER, "7")]), Some(7_000));
        assert_eq!(asked(&[(header::RETRY_AFTER, date)]), Some(37_000));
        let theirs = "Sun, 06 Nov 1994 08:49:30 GMT";
        assert_eq!(asked(&[(header::RETRY_AFTER, date), (header::DATE, theirs)]), Some(7_000));
    }

    #[test]
    fn retry_after_in_the_past_is_now_and_nonsense_is_nothing() {
        let past = "Sun, 06 Nov 1994 08:00:00 GMT";
        assert_eq!(asked(&[(header::RETRY_AFTER, past)]), Some(0));
        for nonsense in ["", "soon", "-1", "1.5"] {
            assert_eq!(asked(&[(header::RETRY_AFTER, nonsense)]), None, "{nonsense}");
        }
    }

    #[test]
    fn no_service_can_ask_for_more_than_an_hour() {
        for long in ["99999999999999999999999", "86400", "Sat, 06 Nov 2094 08:00:00 GMT"] {
            assert_eq!(asked(&[(header::RETRY_AFTER, long)]), Some(3_600_000), "{long}");
        }
    }

    #[test]
    fn a_refusal_that_is_no_json_is_not_the_services() {
        let of = |failure, beginning| by_body((failure, String::new()), beginning).0;
        let rejected = Failure::Rejected { status: 404 };
        for json in [&b"{"[..], br#"{"success":false}"#, b"[]"] {
            assert_eq!(of(rejected, json), rejected);
        }
        let gateway = Failure::Blocked { by: Obstacle::Gateway { status: 404 } };
        for other in [&b""[..], b"<html>", b"RBAC: access denied"] {
            assert_eq!(of(rejected, other), gateway);
            assert_eq!(of(Failure::Unauthorized, other), Failure::Unauthorized);
        }
    }

    #[test]
    fn a_certificate_is_refused_by_what_is_wrong_with_it() {
        use rustls::{CertificateError as Wrong, Error};
        let of = |wrong| of_certificate(&Error::InvalidCertificate(wrong));
        assert_eq!(of(Wrong::Expired), Some(Obstacle::CertificateExpired));
        assert_eq!(of(Wrong::NotValidYet), Some(Obstacle::CertificateExpired));
        assert_eq!(of(Wrong::NotValidForName), Some(Obstacle::CertificateOfAnother));
        assert_eq!(of(Wrong::UnknownIssuer), Some(Obstacle::CertificateUntrusted));
        assert_eq!(of_certificate(&Error::DecryptError), None);
    }

    #[test]
    fn its_text_says_what_was_being_done_and_why_it_failed() {
        let error = CallError {
            doing: Doing::ArmHook(HookType::ViewerOffline),
            failure: Failure::Faulty { status: 503 },
            detail: "the service answered 503".to_owned(),
        };
        assert_eq!(error.to_string(), "arm the hook viewer_offline: the service answered 503");
    }
}
