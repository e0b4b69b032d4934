//! Who asks for the screen, who else may see it, and who does: what the technician's side may say and
//! ask about a session beyond the hosted service's calls.

use std::sync::Arc;

use serde::Serialize;
use url::form_urlencoded::byte_serialize;
use wire::{
    Pin, Side,
    screen::{Asker, Role, Secret, Sharing, Watcher},
};

use crate::{
    error::Refused,
    keys,
    rules::text,
    state::{Change, Ticket},
    store::Write,
    switchboard::{Client, Switchboard},
};

/// Viewers' links of one session; each is a row until its PIN is forgotten.
const MOST_TICKETS: usize = 100;

/// Who is there, for programs.
#[derive(Debug, Serialize)]
pub(crate) struct WhoIsThere {
    success: bool,
    sharing: Sharing,
    presenter: Option<PresenterThere>,
    watchers: Vec<Watcher>,
}

#[derive(Debug, Serialize)]
struct PresenterThere {
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    platform: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<String>,
}

impl Switchboard {
    /// Says who asks for the screen, as the customer is told; it goes into a conf that is made later.
    pub async fn set_asker(
        self: &Arc<Self>,
        client: Client,
        pin: Pin,
        (technician, company): (&str, &str),
        unattended: bool,
    ) -> Result<(), Refused> {
        let asker =
            Asker { technician: text::tidy_name(technician), company: text::tidy_name(company) };
        let change = {
            let (mut state, now) = self.lock();
            let entry = state.live(client, &pin, self.rates.of(client), now)?;
            if !entry.session.takes_orders_of(client) {
                return Err(Refused::NotYours);
            }
            if unattended && !self.allow_unattended {
                return Err(Refused::NotAllowed(
                    "this broker lets nobody share a screen without being asked; its owner can \
                     change that with allow_unattended",
                ));
            }
            entry.session.asker = asker.clone();
            entry.session.unattended = unattended;
            let writes = vec![Write::AskerSaid { pin, asker, unattended }];
            self.settle(&state, Change { writes, acts: Vec::new() })
        };
        change.done().await
    }

    /// Who asks, for whoever holds the PIN.
    pub fn asker(&self, client: Client, pin: &Pin) -> Result<Asker, Refused> {
        let (mut state, now) = self.lock();
        Ok(state.live(client, pin, self.rates.of(client), now)?.session.asker.clone())
    }

    /// A link for a viewer who may do so much and no more; the PIN isn't in it.
    pub async fn viewer_link(
        self: &Arc<Self>,
        client: Client,
        pin: Pin,
        role: Role,
        name: &str,
    ) -> Result<String, Refused> {
        let name = text::tidy_name(name);
        let (ticket, change) = {
            let (mut state, now) = self.lock();
            let entry = state.live(client, &pin, self.rates.of(client), now)?;
            if !entry.session.takes_orders_of(client) {
                return Err(Refused::NotYours);
            }
            if state.tickets.values().filter(|ticket| ticket.pin == pin).count() >= MOST_TICKETS {
                return Err(Refused::Full);
            }
            let (ticket, hash) = keys::make()?;
            let kept = Ticket { pin, role, name: name.clone() };
            state.tickets.insert(hash, kept.clone());
            let writes = vec![Write::TicketMade { hash, ticket: kept }];
            (ticket, self.settle(&state, Change { writes, acts: Vec::new() }))
        };
        change.done().await?;
        Ok(link(&self.customers_origin(), &ticket, &name))
    }

    /// Who shares the screen, and who watches it.
    pub fn who_is_there(&self, client: Client, pin: &Pin) -> Result<WhoIsThere, Refused> {
        let (mut state, now) = self.lock();
        let session = &state.live(client, pin, self.rates.of(client), now)?.session;
        let name = session.presence(Side::Presenter).names().next().map(str::to_owned);
        let program = state.sharer_of(pin).map(|(_, sharer)| sharer);
        let presenter = name.map(|name| PresenterThere {
            name,
            platform: program.map(|program| program.platform.clone()),
            version: program.map(|program| program.version.clone()),
        });
        let roster = state.roster(pin).ok_or(Refused::PinOver)?;
        let (sharing, watchers) = (roster.sharing, roster.watchers);
        Ok(WhoIsThere { success: true, sharing, presenter, watchers })
    }
}

/// In the fragment, which no browser sends and no server logs.
fn link(origin: &str, ticket: &Secret, name: &str) -> String {
    let name: String = byte_serialize(name.as_bytes()).collect();
    format!("{origin}/view#ticket={}&un={name}", ticket.expose())
}
