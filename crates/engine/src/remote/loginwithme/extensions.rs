//! The calls of our own broker beyond the nine documented ones, under `/x/` (assumed): features
//! appear by capability.

use reqwest::{Method, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};
use session::{Failure, Obstacle};
use url::Url;
use wire::{
    Pin,
    loginwithme::{Outcome, SessionUrl},
    shared_screen::{AdmissionAnswer, Requester, Role, RosterEntry, Sharing},
};

use super::{API_BODY, LoginWithMe, failed};
use crate::remote::{CallError, Doing, ViewerUrl, error::malformed, http};

/// More than a session can have; no answer makes us show people without end.
const MOST_WATCHERS: usize = 64;

/// A service's extensions beyond the nine calls (assumed). Features appear by capability, never
/// by mode.
///
/// Our own broker answers with these; the default stands for a service without extensions.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Capabilities {
    revoke: bool,
    reach: bool,
    screen: bool,
    asker: bool,
    viewer_link: bool,
    roster: bool,
    program: bool,
    chat: bool,
    admit: bool,
    delete: bool,
    events: bool,
    /// The path at which a region is timed on the service's own origin, with `{region}` in it.
    pub region_path: Option<String>,
    /// The path of the page where a customer joins, with `{pin}` in it.
    pub join_path: Option<String>,
    /// The broker's version.
    pub version: Option<String>,
}

impl Capabilities {
    /// Whether a PIN's life can be ended: [`LoginWithMe::revoke`].
    pub const fn can_revoke(&self) -> bool {
        self.revoke
    }

    /// Whether it can be asked to call our listener: [`LoginWithMe::reach`].
    pub const fn can_reach(&self) -> bool {
        self.reach
    }

    /// Whether it carries a screen from a presenter to viewers, so that a viewer of ours can
    /// show it.
    pub const fn carries_screens(&self) -> bool {
        self.screen
    }

    /// Whether it shows the customer who asks: [`LoginWithMe::set_asker`].
    pub const fn tells_asker(&self) -> bool {
        self.asker
    }

    /// Whether a viewer's link can be held to a role: [`LoginWithMe::viewer_link`].
    pub const fn links_by_role(&self) -> bool {
        self.viewer_link
    }

    /// Whether it says who watches, and how well: [`LoginWithMe::roster`].
    pub const fn knows_roster(&self) -> bool {
        self.roster
    }

    /// Whether it takes chat messages from a console: [`LoginWithMe::say`].
    pub const fn can_say(&self) -> bool {
        self.chat
    }

    /// Whether it takes answers about viewers that wait: [`LoginWithMe::admit`].
    pub const fn can_admit(&self) -> bool {
        self.admit
    }

    /// Whether it deletes what it keeps of a session: [`LoginWithMe::delete_session`].
    pub const fn can_delete(&self) -> bool {
        self.delete
    }

    /// Whether it tells of this console's sessions by a channel: [`LoginWithMe::open_events`].
    pub const fn tells_events(&self) -> bool {
        self.events
    }

    /// Whether it has a program that shares a customer's screen.
    pub const fn has_program(&self) -> bool {
        self.program
    }
}

/// Who shares the screen, and who watches it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub struct Roster {
    /// The screen's state.
    #[serde(default)]
    pub sharing: Sharing,
    /// The state of the customer's side.
    #[serde(default)]
    pub presenter: Option<Presenter>,
    /// The viewers' pages.
    #[serde(default)]
    pub watchers: Vec<RosterEntry>,
}

/// The customer's side.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Presenter {
    /// The name that it gave itself: untrusted text.
    pub name: String,
    /// Such as `linux-x86_64`; none where no program of ours is there.
    pub platform: Option<String>,
    /// The program's version.
    pub version: Option<String>,
}

impl LoginWithMe {
    /// `GET /x/capabilities`: the service's extensions; 404 means none (assumed).
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn capabilities(&self) -> Result<Capabilities, CallError> {
        let url = http::endpoint(&self.service.base_url, &["x", "capabilities"]);
        let call = async {
            let response = http::get(&self.as_this_console().client, url).await?;
            // A service without this path is one without extensions.
            if response.status() == StatusCode::NOT_FOUND {
                return Ok(Capabilities::default());
            }
            let status = response.status();
            http::succeeded(status, &http::body(response, API_BODY).await?)
        };
        self.bounded(Doing::AskCapabilities, call).await
    }

    /// `POST /x/revoke` (assumed): ends the PIN's life now. Only where
    /// [`Capabilities::can_revoke`].
    ///
    /// False if the service knows no such PIN, or no such call.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn revoke(&self, pin: &Pin) -> Result<bool, CallError> {
        let body = json!({ "session_pin": pin.expose() });
        let sent: Result<Outcome, CallError> =
            self.send(Doing::RevokePin, Method::POST, &["x", "revoke"], &body).await;
        known(sent)
    }

    /// `POST /x/delete` (assumed): deletes the chat and everything else that the service keeps of a session of this
    /// console, which is over then. Only where [`Capabilities::can_delete`]; may be repeated.
    ///
    /// False if the service knows no such PIN.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn delete_session(&self, pin: &Pin) -> Result<bool, CallError> {
        let body = json!({ "session_pin": pin.expose() });
        let this = self.as_this_console();
        let sent: Result<Outcome, CallError> =
            this.send(Doing::DeleteSession, Method::POST, &["x", "delete"], &body).await;
        known(sent)
    }

    /// `PUT /x/asker` (assumed): sets the name of the person who asks for the screen, which the
    /// customer sees. Only where [`Capabilities::tells_asker`]; may be repeated. `unattended`:
    /// nobody sits there to be asked, which only a broker that is set up for it allows.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn set_asker(
        &self,
        pin: &Pin,
        asker: &Requester,
        unattended: bool,
    ) -> Result<(), CallError> {
        let Requester { technician, company } = asker;
        let body = json!({
            "session_pin": pin.expose(), "technician": technician, "company": company,
            "unattended": unattended,
        });
        let _: Outcome = self.send(Doing::TellAsker, Method::PUT, &["x", "asker"], &body).await?;
        Ok(())
    }

    /// `POST /x/viewer_link` (assumed): a link whose role no one who has it can widen. Only where
    /// [`Capabilities::links_by_role`]. Each call makes another link.
    ///
    /// # Errors
    /// [`CallError`]; [`Failure::Malformed`] if it isn't https, or http from a service over http.
    pub async fn viewer_link(
        &self,
        pin: &Pin,
        role: Role,
        name: &str,
    ) -> Result<ViewerUrl, CallError> {
        let doing = Doing::FetchViewerLink;
        let body = json!({ "session_pin": pin.expose(), "role": role, "name": name });
        let answer: SessionUrl =
            self.send(doing, Method::POST, &["x", "viewer_link"], &body).await?;
        ViewerUrl::parse(&answer.url, &self.service.base_url)
            .ok_or_else(|| failed(doing, malformed("the service's link can't be opened safely")))
    }

    /// `POST /x/roster` (assumed): who shares the screen, and who watches it. Only where
    /// [`Capabilities::knows_roster`].
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn roster(&self, pin: &Pin) -> Result<Roster, CallError> {
        let body = json!({ "session_pin": pin.expose() });
        let mut roster: Roster =
            self.send(Doing::AskRoster, Method::POST, &["x", "roster"], &body).await?;
        roster.watchers.truncate(MOST_WATCHERS);
        Ok(roster)
    }

    /// `POST /x/chat` (assumed): writes `text` to everybody in the session, from `name`. Only where
    /// [`Capabilities::can_say`]. Each call writes a message: after an unclear end, when it may have been written, the
    /// call isn't repeated. Returns the message's identity, where the service tells it.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn say(
        &self,
        pin: &Pin,
        name: &str,
        text: &str,
    ) -> Result<Option<String>, CallError> {
        #[derive(Deserialize)]
        struct Written {
            // Of any type: the message is written, whatever the answer has in this place.
            #[serde(default)]
            guid: Value,
        }
        let body = json!({ "session_pin": pin.expose(), "name": name, "body": text });
        // A session that was minted with this console's key is written to with that key only.
        let this = self.as_this_console();
        let written: Written =
            this.send(Doing::SendChat, Method::POST, &["x", "chat"], &body).await?;
        Ok(written.guid.as_str().filter(|guid| !guid.is_empty()).map(str::to_owned))
    }

    /// `POST /x/admit` (assumed): passes an answer about a viewer that waits on to the customer's program, which checks
    /// its signature. Only where [`Capabilities::can_admit`].
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn admit(&self, pin: &Pin, answer: &AdmissionAnswer) -> Result<(), CallError> {
        let mut body = json!(answer);
        body["session_pin"] = pin.expose().into();
        let this = self.as_this_console();
        let _: Outcome = this.send(Doing::Admit, Method::POST, &["x", "admit"], &body).await?;
        Ok(())
    }

    /// `POST /x/reach` (assumed): the service calls `url`, which ends with `/reach/` and a nonce,
    /// once. Only where [`Capabilities::can_reach`]. True if anything answered; whether that was
    /// the listener, only the listener knows.
    ///
    /// # Errors
    /// [`CallError`]; [`Failure::Rejected`] if the service may not call there.
    pub async fn reach(&self, url: &Url) -> Result<bool, CallError> {
        #[derive(Deserialize)]
        struct Reached {
            answered: bool,
        }
        let body = json!({ "url": url.as_str() });
        let reached: Reached =
            self.send(Doing::TestReach, Method::POST, &["x", "reach"], &body).await?;
        Ok(reached.answered)
    }
}

/// Whether the service knows what it was asked about.
fn known(sent: Result<Outcome, CallError>) -> Result<bool, CallError> {
    match sent {
        Ok(_) => Ok(true),
        Err(CallError {
            failure:
                Failure::Rejected { status: 404 }
                // Without the call, it is whatever web server the service has that answers.
                | Failure::Blocked { by: Obstacle::Gateway { status: 404 } },
            ..
        }) => Ok(false),
        Err(error) => Err(error),
    }
}
