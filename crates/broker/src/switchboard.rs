//! The broker's one centre: decides under the lock, saves, and only then acts.
//!
//! A hook's consumption is on disk before its POST leaves, so a broker that is killed in between
//! never delivers the same event twice.

use std::{
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock},
    time::Duration,
};

use ring::signature::Ed25519KeyPair;
use serve::{Clock, FaultPlan, Millis};
use tokio::sync::Notify;
use url::form_urlencoded::byte_serialize;
use uuid::Uuid;
use wire::{HookType, Pin, Region};

use crate::{
    chat::Transcript,
    config::{ByClient, Durations, Rates, RegionDelay},
    deliver::{Deliverer, Delivery},
    error::Refused,
    keys,
    lines::{Caller, Claim, Wish},
    mail::{Mail, MailState, Mailer, Template, address, compose},
    network::Door,
    programs::Programs,
    rules::{
        pin,
        presence::{LineId, PageId},
        session::Session,
        target::TargetPolicy,
        text,
    },
    state::{Change, Entry, State},
    store::{Store, Write},
    words::{ToPage, Welcome},
};
pub(crate) use serve::Client;

pub(crate) struct Switchboard {
    pub clock: Clock,
    pub durations: Durations,
    pub rates: ByClient<Rates>,
    pub regions: Vec<RegionDelay>,
    pub policy: ByClient<TargetPolicy>,
    /// The door that is always open.
    pub door: Arc<Door>,
    /// The one that is open to strangers while the owner wants it.
    pub network: RwLock<Option<Arc<Door>>>,
    pub faults: FaultPlan,
    pub deliverer: Arc<Deliverer>,
    pub mailer: Option<Mailer>,
    pub programs: Arc<Programs>,
    /// Signs what is delivered.
    pub signer: Ed25519KeyPair,
    pub allow_unattended: bool,
    pub store: Store,
    pub state: Mutex<State>,
    /// Wakes the timer: what is due next may have changed.
    pub rescheduled: Notify,
    /// A delivery that the fault plan makes wait for the next one.
    pub reordered: Mutex<Option<Delivery>>,
}

impl Switchboard {
    /// Mints a PIN.
    pub async fn mint(self: &Arc<Self>, client: Client, region: Region) -> Result<Pin, Refused> {
        if !self.regions.iter().any(|known| known.region == region) {
            return Err(Refused::malformed("there is no such region; GET /regions lists them"));
        }
        let (pin, change) = {
            let (mut state, now) = self.lock();
            let wait = state.windows.mint.admit(&client, self.rates.of(client).mint, now);
            wait.map_err(|retry_after| Refused::TooMany { retry_after })?;
            let pin = self.unused_pin(&state)?;
            let session = Session::new(region, client, now, self.durations.pin_life);
            state.sessions.insert(pin.clone(), Entry::new(session.clone()));
            let writes = vec![Write::Minted { pin: pin.clone(), session: Box::new(session) }];
            (pin, self.settle(&state, Change { writes, acts: Vec::new() }))
        };
        change.done().await?;
        self.rescheduled.notify_one();
        Ok(pin)
    }

    /// Arms a hook, or edits where it goes.
    pub async fn put_hook(
        self: &Arc<Self>,
        client: Client,
        pin: Pin,
        hook: HookType,
        url: &str,
    ) -> Result<(), Refused> {
        let own = self.own_mail_address(url).is_some();
        self.judge(client, url, own)?;
        let change = {
            let (mut state, now) = self.lock();
            let entry = state.live(client, &pin, self.rates.of(client), now)?;
            if !entry.session.takes_orders_of(client) {
                return Err(Refused::NotYours);
            }
            self.judge(entry.session.minter, url, own)?;
            let url = url.to_owned();
            entry.session.put_hook(hook, url.clone());
            let writes = vec![Write::HookPut { pin, hook, url }];
            self.settle(&state, Change { writes, acts: Vec::new() })
        };
        change.done().await
    }

    /// The viewers' link, at the door where it was asked for; `un` is the name that the viewer's page
    /// begins with, if there is one.
    pub fn session_url(
        &self,
        client: Client,
        door: &Door,
        pin: &Pin,
        ro: bool,
        un: &str,
    ) -> Result<String, Refused> {
        let (mut state, now) = self.lock();
        state.live(client, pin, self.rates.of(client), now)?;
        let un: String = byte_serialize(text::tidy_name(un).as_bytes()).collect();
        Ok(format!("{}/view?session_pin={}&un={un}&ro={ro}", door.origin, pin.expose()))
    }

    /// The messages of the last day, rendered by `render`. Also of a PIN whose life is over.
    pub fn transcript<T>(
        &self,
        client: Client,
        pin: &Pin,
        render: impl FnOnce(Transcript<'_>) -> T,
    ) -> Result<T, Refused> {
        let (mut state, now) = self.lock();
        let entry = state.known(client, pin, self.rates.of(client), now)?;
        let fresh = entry.chat.iter().filter(|message| message.ttl > now.seconds());
        Ok(render(Transcript::of(pin, fresh)))
    }

    /// Keeps an e-mail, and sends it if it can be sent.
    pub async fn mail(
        self: &Arc<Self>,
        client: Client,
        to: &str,
        template: Template,
        name: &str,
        pin: &Pin,
    ) -> Result<(), Refused> {
        let to = address(to).ok_or_else(|| Refused::malformed("this is not an e-mail address"))?;
        let name =
            text::mail_name(name).map_err(|refused| Refused::malformed(refused.to_string()))?;
        let (subject, body) = compose(template, name, pin, &self.links(pin));
        let change = {
            let (mut state, now) = self.lock();
            let rates = self.rates.of(client);
            if !state.live(client, pin, rates, now)?.session.takes_orders_of(client) {
                return Err(Refused::NotYours);
            }
            let mut wait = state.windows.mail_by_pin.admit(pin, rates.mail_by_pin, now);
            if wait.is_ok() {
                wait = state.windows.mail_by_client.admit(&client, rates.mail_by_client, now);
            }
            wait.map_err(|retry_after| Refused::TooMany { retry_after })?;
            let sends = self.mailer.is_some();
            let mail_state = if sends { MailState::Sending } else { MailState::Kept };
            let (id, to) = (Uuid::new_v4(), to.to_string());
            let mail = Mail { id, at: now, to, subject, body, state: mail_state };
            let change = state.keep_mail(mail, sends);
            self.settle(&state, change)
        };
        change.done().await
    }

    /// Counts a report of abuse.
    pub async fn report(self: &Arc<Self>, reporter: Client, pin: Pin) -> Result<(), Refused> {
        let change = {
            let (mut state, now) = self.lock();
            let minter = state.known(reporter, &pin, self.rates.of(reporter), now)?.session.minter;
            let blocked = state.strikes.report(minter, pin.clone(), reporter);
            let mut writes = vec![Write::Reported { minter, pin, reporter, at: now }];
            if blocked {
                tracing::warn!(client = %minter.0, "blocked after three strikes");
                writes.push(Write::Blocked { client: minter, at: now });
            }
            self.settle(&state, Change { writes, acts: Vec::new() })
        };
        change.done().await
    }

    /// Ends a session before its time.
    pub async fn revoke(self: &Arc<Self>, client: Client, pin: &Pin) -> Result<(), Refused> {
        let change = {
            let (mut state, now) = self.lock();
            state.known(client, pin, self.rates.of(client), now)?;
            let change = state.revoke(pin);
            self.settle(&state, change)
        };
        change.done().await
    }

    /// A page connects. Answers its line, and what it is told first.
    pub async fn arrive(
        self: &Arc<Self>,
        client: Client,
        caller: Caller,
    ) -> Result<(LineId, ToPage), Refused> {
        let (side, page) = (caller.wish.side(), caller.page);
        let rates = self.rates.of(client);
        let (pin, arrived, change) = {
            let (mut state, now) = self.lock();
            let (pin, arrived, change) = state.arrive(client, caller, (rates, now))?;
            (pin, arrived, self.settle(&state, change))
        };
        change.done().await?;
        self.rescheduled.notify_one();
        let (mut state, now) = self.lock();
        let roster = state.roster(&pin).ok_or(Refused::PinOver)?;
        let entry = state.live(client, &pin, rates, now)?;
        let fresh = entry.chat.iter().filter(|message| message.ttl > now.seconds()).cloned();
        let welcome = Welcome {
            side,
            resumed: arrived.resumed,
            expires: entry.session.expires.seconds(),
            you: keys::public_half(page.0),
            role: arrived.role,
            watch_key: arrived.watch_key,
            asker: entry.session.asker.clone(),
            roster,
            chat: fresh.collect(),
        };
        Ok((arrived.line, ToPage::Welcome(Box::new(welcome))))
    }

    /// A page's connection has ended.
    pub async fn depart(self: &Arc<Self>, line: LineId) {
        let change = {
            let (mut state, now) = self.lock();
            let change = state.depart(line, now);
            self.settle(&state, change)
        };
        let _ = change.done().await;
        self.rescheduled.notify_one();
    }

    /// Somebody says something.
    pub async fn say(
        self: &Arc<Self>,
        line: LineId,
        name: &str,
        body: &str,
    ) -> Result<(), Refused> {
        let body = text::tidy_message(body)
            .ok_or_else(|| Refused::malformed("a message has 1 to 2000 characters"))?;
        let name = text::tidy_name(name);
        let change = {
            let (mut state, now) = self.lock();
            let change = state.say(line, name, body, (now, &self.durations, &self.rates))?;
            self.settle(&state, change)
        };
        change.done().await
    }

    /// A page gives itself another name.
    pub async fn rename(self: &Arc<Self>, line: LineId, name: &str) {
        let change = {
            let (mut state, _) = self.lock();
            let change = state.rename(line, &text::tidy_name(name));
            self.settle(&state, change)
        };
        let _ = change.done().await;
    }

    /// Whether this client may not use the broker at all.
    ///
    /// Whoever owns the machine isn't shut out of their own broker, whatever strangers report.
    pub fn is_blocked(&self, client: Client) -> bool {
        !client.is_this_machine() && self.lock().0.strikes.is_blocked(client)
    }

    /// Moves the clock and does everything that falls due, deliveries excepted: those go on
    /// beside it.
    pub async fn advance(self: &Arc<Self>, by: Duration) {
        self.clock.advance(by);
        self.fire_due().await;
    }

    /// Does everything that is due.
    pub async fn fire_due(self: &Arc<Self>) {
        let change = {
            let (mut state, now) = self.lock();
            let change = state.fire_due(now, &self.durations);
            self.settle(&state, change)
        };
        let _ = change.done().await;
    }

    /// Forgets what is too old to matter.
    pub async fn forget_old(self: &Arc<Self>) {
        let change = {
            let (mut state, now) = self.lock();
            let change = state.forget_old(now, &self.durations);
            self.settle(&state, change)
        };
        let _ = change.done().await;
    }

    /// Lets held deliveries go.
    pub fn release_deliveries(self: &Arc<Self>) {
        self.deliverer.release().into_iter().for_each(|delivery| self.spawn_delivery(delivery));
    }

    /// Whether a hook of `client` may go to `url`; `own` if that is this broker's own e-mail call.
    pub fn judge(&self, client: Client, url: &str, own: bool) -> Result<(), Refused> {
        if own {
            return Ok(());
        }
        let judged = self.policy.of(client).parse(url);
        judged.map(drop).map_err(|refused| Refused::malformed(refused.to_string()))
    }

    /// A page that exists only for the control API.
    pub async fn stand_in(self: &Arc<Self>, caller: Caller) -> Result<LineId, Refused> {
        let local = Client::at(IpAddr::from([127, 0, 0, 1]));
        Ok(self.arrive(local, caller).await?.0)
    }

    /// The lock, and the time.
    pub fn lock(&self) -> (MutexGuard<'_, State>, Millis) {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        (state, self.clock.now())
    }

    /// Hands a change to the writer. Called under the lock, so that changes are written in the
    /// order in which they were made; what follows from it happens even if the caller goes away.
    pub fn settle(self: &Arc<Self>, _under_lock: &State, change: Change) -> Settling {
        let saved = self.store.submit(change.writes);
        let (this, acts) = (Arc::clone(self), change.acts);
        let under_way = self.deliverer.begin();
        Settling(tokio::spawn(async move {
            let _under_way = under_way;
            saved.await?;
            acts.into_iter().for_each(|act| this.act(act));
            Ok(())
        }))
    }

    fn unused_pin(&self, state: &State) -> Result<Pin, Refused> {
        for _ in 0..8 {
            let mut random = [0; 32];
            getrandom::fill(&mut random).map_err(|_| Refused::NotSaved)?;
            let minted = pin::mint(&random).filter(|pin| !state.sessions.contains_key(pin));
            if let Some(pin) = minted {
                return Ok(pin);
            }
        }
        Err(Refused::NotSaved)
    }
}

/// A change on its way to the disk.
pub(crate) struct Settling(tokio::task::JoinHandle<Result<(), Refused>>);

impl Settling {
    pub async fn done(self) -> Result<(), Refused> {
        self.0.await.unwrap_or(Err(Refused::NotSaved))
    }
}

/// A page that nobody sees behind: for [`Switchboard::stand_in`].
pub(crate) fn stand_in(pin: Pin, wish: Wish, page: Uuid, name: &str) -> Caller {
    let (claim, name) = (Claim::Pin(pin), text::tidy_name(name));
    Caller { claim, wish, page: PageId(page), name, out: None }
}
