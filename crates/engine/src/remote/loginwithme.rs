//! The remote-support service's nine calls and our own broker's extensions (services.md, section
//! 1).
//!
//! Only [`LoginWithMe::session_parameters`], [`LoginWithMe::email`] and
//! [`LoginWithMe::report_abuse`] must not be repeated after an unclear end; every other call
//! may be, and a GET is.

use std::collections::HashSet;

use reqwest::Method;
use secrecy::SecretString;
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::Value;
use session::Failure;
use tokio_util::sync::CancellationToken;
use url::Url;
use wire::{
    ConfText, HookType, MailAddress, Pin, Region,
    loginwithme::{
        ChatMessage, EmailAccepted, HookBody, Outcome, PutHook, ReportAbuse, SessionParameters,
        SessionPin, SessionUrl,
    },
    text::bare,
};

mod console_key;
mod event_channel;
mod extensions;

pub use self::{
    event_channel::{EventChannel, Received},
    extensions::{Capabilities, Presenter, Roster},
};
use super::{
    CallError, Doing, Download, DownloadTarget, LoginWithMeConfig, ServiceError, Timeouts,
    ViewerUrl, download,
    error::{Cause, malformed},
    http::{self, Bounds},
};

/// Where the hosted service is.
pub const HOSTED_BASE_URL: &str = "https://www.loginwith.me/api/v1";
/// Where the hosted service's regions are timed.
pub const HOSTED_REGION_URL: &str = "https://{region}.loginwith.me";

/// The bytes of an answer, at most.
const API_BODY: usize = 1 << 20;
/// A chat is as long as people write in a day.
const CHAT_BODY: usize = 32 << 20;
/// A service has a handful of regions; no answer makes us open connections without end.
const MOST_REGIONS: usize = 64;

/// A client of one remote-support service. Cheap to clone; clones share their connections.
#[derive(Debug, Clone)]
pub struct LoginWithMe {
    service: LoginWithMeConfig,
    timeouts: Timeouts,
    client: http::Client,
    console_key: Option<SecretString>,
}

impl LoginWithMe {
    /// A client of `service`.
    ///
    /// # Errors
    /// [`ServiceError`], which names the setting to change.
    pub fn new(service: LoginWithMeConfig) -> Result<Self, ServiceError> {
        Self::with_timeouts(service, Timeouts::default())
    }

    /// A client of `service` that waits no longer than `timeouts`.
    ///
    /// # Errors
    /// [`ServiceError`], which names the setting to change.
    pub fn with_timeouts(
        service: LoginWithMeConfig,
        timeouts: Timeouts,
    ) -> Result<Self, ServiceError> {
        service.check()?;
        let client = http::client(&service, &timeouts)?;
        Ok(Self { service, timeouts, client, console_key: None })
    }

    /// A client of `service` whose requests `stand_in` answers.
    #[cfg(test)]
    pub(crate) fn to(
        service: LoginWithMeConfig,
        stand_in: std::sync::Arc<dyn http::StandIn>,
    ) -> Self {
        let client = http::Client::to(stand_in);
        let timeouts = Timeouts::default();
        Self { service, timeouts, client, console_key: None }
    }

    /// This client, with a key made of the console's `own`, by which our own broker knows whose sessions it mints.
    #[must_use]
    pub fn with_console_key(self, own: Option<SecretString>) -> Self {
        let console_key = own.map(|own| console_key::key_for(&own, &self.service.base_url));
        Self { console_key, ..self }
    }

    /// This client, whose calls say that they are this console's.
    fn as_this_console(&self) -> Self {
        let client = self.client.with_console_key(self.console_key.clone());
        Self { client, ..self.clone() }
    }

    /// The service's address and settings.
    pub fn service(&self) -> &LoginWithMeConfig {
        &self.service
    }

    /// How long it waits.
    pub fn timeouts(&self) -> &Timeouts {
        &self.timeouts
    }

    /// `GET /regions`: their names, each once, in the service's order.
    ///
    /// A name that can't be a region's is left out: it could send the probe anywhere.
    ///
    /// # Errors
    /// [`CallError`]; [`Failure::Malformed`] if no name is left.
    pub async fn regions(&self) -> Result<Vec<Region>, CallError> {
        let call = async {
            let response =
                http::get(&self.client, http::endpoint(&self.service.base_url, &["regions"]))
                    .await?;
            let names: Vec<Value> = http::json(&http::body(response, API_BODY).await?)?;
            let mut known = HashSet::new();
            let regions: Vec<Region> = names
                .iter()
                .filter_map(|name| bare(name.as_str()?).parse().ok())
                .filter(|region: &Region| known.insert(region.clone()))
                // Each of them is timed over a connection of its own.
                .take(MOST_REGIONS)
                .collect();
            if regions.is_empty() {
                Err(malformed("the service names no region"))
            } else {
                Ok(regions)
            }
        };
        self.bounded(Doing::ListRegions, call).await
    }

    /// `GET /session_pin`: a new session there.
    ///
    /// # Errors
    /// [`CallError`]; [`Failure::Malformed`] if the answer isn't shaped like a PIN.
    pub async fn session_pin(&self, region: &Region) -> Result<Pin, CallError> {
        let query = [("region", region.as_str())];
        let answer: SessionPin =
            self.as_this_console().get(Doing::AllocatePin, "session_pin", &query).await?;
        Ok(answer.session_pin)
    }

    /// `PUT /hook/`: the hook fires once, to `url`. Putting it again changes nothing else.
    ///
    /// So it is put a second time if the connection ends without an answer: a service closes idle
    /// connections, and may do so just when one is used. Otherwise a healthy hook would count
    /// as lost.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn put_hook(&self, pin: &Pin, hook: HookType, url: &str) -> Result<(), CallError> {
        let body = PutHook { hook, url: url.to_owned(), session_pin: pin.clone() };
        let put = || self.send(Doing::ArmHook(hook), Method::PUT, &["hook", ""], &body);
        let _: Outcome = match put().await {
            Err(error) if error.failure == Failure::NoAnswer => put().await?,
            answer => answer?,
        };
        Ok(())
    }

    /// `GET /session_url`: a viewer's link (never the customer's, who would become a viewer).
    ///
    /// `read_only` is a convenience and no security boundary; `un` is the viewer's display name
    /// (assumed).
    ///
    /// # Errors
    /// [`CallError`]; [`Failure::Malformed`] if it isn't https, or http from a service over http.
    pub async fn session_url(
        &self,
        pin: &Pin,
        read_only: bool,
        un: Option<&str>,
    ) -> Result<ViewerUrl, CallError> {
        let doing = Doing::FetchViewerLink;
        let mut query = vec![("session_pin", pin.expose()), ("ro", flag(read_only))];
        query.extend(un.map(|un| ("un", un)));
        let answer: SessionUrl = self.get(doing, "session_url", &query).await?;
        ViewerUrl::parse(&answer.url, &self.service.base_url)
            .ok_or_else(|| failed(doing, malformed("the service's link can't be opened safely")))
    }

    /// `GET /chat`: the last day's messages, each once, in the service's order.
    ///
    /// A message without an identity is left out, so that it doesn't cost the others.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn chat(&self, pin: &Pin) -> Result<Vec<ChatMessage>, CallError> {
        #[derive(Deserialize)]
        struct Chat {
            chat: Vec<Value>,
        }
        let bounds = Bounds { time: self.timeouts.chat, body: CHAT_BODY };
        let query = [("session_pin", pin.expose())];
        let answer: Chat = self.get_within(Doing::FetchChat, "chat", &query, bounds).await?;
        let sent = answer.chat.len();
        let mut known = HashSet::new();
        let messages: Vec<ChatMessage> = answer.chat.into_iter().filter_map(message).collect();
        // If this passed for an empty chat, it would be saved as the transcript, and then the PIN
        // would be ended.
        if messages.is_empty() && sent > 0 {
            return Err(failed(Doing::FetchChat, malformed("the service's chat can't be read")));
        }
        if messages.len() < sent {
            tracing::warn!(unreadable = sent - messages.len(), "chat messages were left out");
        }
        Ok(messages.into_iter().filter(|message| known.insert(message.guid.clone())).collect())
    }

    /// `POST /email/{address}`: sends the template `hook` (a `_started` type) that names `name`.
    ///
    /// Each call sends a mail: after an unclear end it "may have been sent" and isn't repeated. The mail's id at the
    /// service, where it gives one.
    ///
    /// # Errors
    /// [`CallError`]; [`Failure::Rejected`] without a call for another type or an invalid address.
    pub async fn email(
        &self,
        pin: &Pin,
        address: &str,
        hook: HookType,
        name: &str,
    ) -> Result<Option<String>, CallError> {
        let refused = |why: &str| {
            Err(failed(Doing::SendEmail, (Failure::Rejected { status: 400 }, why.to_owned())))
        };
        if !hook.is_started() {
            return refused("an e-mail can only announce that somebody has joined");
        }
        let address = match address.parse::<MailAddress>() {
            Ok(address) => address.to_string(),
            Err(why) => return refused(&why.to_string()),
        };
        let body = HookBody { hook, name: name.to_owned(), session_pin: pin.clone() };
        let accepted: EmailAccepted =
            self.send(Doing::SendEmail, Method::POST, &["email", &address], &body).await?;
        Ok(accepted.id())
    }

    /// `GET /session_parameters`: the conf of the customer's program, given only once for
    /// each session.
    ///
    /// # Errors
    /// [`CallError`]; even then the service may have given it away.
    pub async fn session_parameters(&self, pin: &Pin) -> Result<SessionParameters, CallError> {
        let query = [("session_pin", pin.expose())];
        self.get(Doing::FetchParameters, "session_parameters", &query).await
    }

    /// `GET /session_exe`: streams the customer's program to a new file, where `into` says.
    ///
    /// `progress` receives the bytes done and, where known, their total. On failure, on `cancel`
    /// and when the future is dropped, no half file stays; a former file of that name is
    /// never touched.
    ///
    /// # Errors
    /// [`CallError`]; [`Failure::Storage`] if it can't be written.
    pub async fn session_exe(
        &self,
        conf: &ConfText,
        hide_progress: bool,
        self_delete: bool,
        into: &DownloadTarget,
        progress: impl FnMut(u64, Option<u64>) + Send,
        cancel: CancellationToken,
    ) -> Result<Download, CallError> {
        let query = [
            ("hide_progress", flag(hide_progress)),
            ("self_delete", flag(self_delete)),
            ("conf", conf.expose()),
        ];
        let url = self.url("session_exe", &query);
        download::to_file(&self.client, url, self.timeouts.idle, into, progress, &cancel)
            .await
            .map_err(|cause| failed(Doing::DownloadProgram, cause))
    }

    /// `POST /report_abuse`: reports a scammer's PIN. One minted here must not be given.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn report_abuse(&self, pin: &Pin) -> Result<(), CallError> {
        let user_agent = self.service.user_agent.clone();
        let body = ReportAbuse { user_agent, session_pin: pin.clone() };
        let _: Outcome =
            self.send(Doing::ReportAbuse, Method::POST, &["report_abuse"], &body).await?;
        Ok(())
    }

    pub(super) const fn console_key(&self) -> Option<&SecretString> {
        self.console_key.as_ref()
    }

    /// The way to the service, for calls that this file doesn't have.
    pub(super) fn http(&self) -> &http::Client {
        &self.client
    }

    async fn get<T: DeserializeOwned>(
        &self,
        doing: Doing,
        path: &str,
        query: &[(&str, &str)],
    ) -> Result<T, CallError> {
        let bounds = Bounds { time: self.timeouts.call, body: API_BODY };
        self.get_within(doing, path, query, bounds).await
    }

    async fn get_within<T: DeserializeOwned>(
        &self,
        doing: Doing,
        path: &str,
        query: &[(&str, &str)],
        bounds: Bounds,
    ) -> Result<T, CallError> {
        let call = async {
            let url = self.url(path, query);
            let response = if doing == Doing::FetchParameters {
                http::get_once(&self.client, url).await?
            } else {
                http::get(&self.client, url).await?
            };
            let status = response.status();
            let body = if bounds.body > API_BODY {
                http::body_or_too_large(response, bounds.body).await?
            } else {
                http::body(response, bounds.body).await?
            };
            http::succeeded(status, &body)
        };
        http::within(bounds.time, call).await.map_err(|cause| failed(doing, cause))
    }

    async fn send<T: DeserializeOwned>(
        &self,
        doing: Doing,
        method: Method,
        path: &[&str],
        body: &(impl serde::Serialize + Sync),
    ) -> Result<T, CallError> {
        let call = async {
            let url = http::endpoint(&self.service.base_url, path);
            let response = http::send_json(&self.client, method, url, body).await?;
            let status = response.status();
            http::succeeded(status, &http::body(response, API_BODY).await?)
        };
        self.bounded(doing, call).await
    }

    async fn bounded<T>(
        &self,
        doing: Doing,
        call: impl Future<Output = Result<T, Cause>>,
    ) -> Result<T, CallError> {
        http::within(self.timeouts.call, call).await.map_err(|cause| failed(doing, cause))
    }

    fn url(&self, path: &str, query: &[(&str, &str)]) -> Url {
        let mut url = http::endpoint(&self.service.base_url, &[path]);
        url.query_pairs_mut().extend_pairs(query);
        url
    }
}

fn failed(doing: Doing, (failure, detail): Cause) -> CallError {
    CallError { doing, failure, detail }
}

fn flag(value: bool) -> &'static str {
    if value { "true" } else { "false" }
}

/// A message, where it has an identity; a field that is null counts as left out.
fn message(mut value: Value) -> Option<ChatMessage> {
    value.as_object_mut()?.retain(|_, field| !field.is_null());
    serde_json::from_value(value).ok().filter(|message: &ChatMessage| !message.guid.is_empty())
}
