//! The decisions behind the calls of the service's API and of our extensions.

use std::sync::Arc;

use serve::{Client, Millis, Owner};
use wire::{HookType, Pin, Region, shared_screen::Requester};

use super::{
    Hub,
    abuse::{Block, Reported},
    census::IN_ONE_TURN,
    change::Change,
    chat::Message,
    credential::KeyHash,
    limits::{OWNERS_SHARE, Rates},
    messages::ServerMessage,
    pin,
    records::Write,
    refusal::Refused,
    session::Session,
    text,
    tickets::Ticket,
};

/// A hook's URL, and whether it is this broker's own call for an e-mail, which every policy allows.
pub(crate) struct HookTarget<'a> {
    pub url: &'a str,
    pub is_own_mail: bool,
    /// Its host is this machine's.
    pub leads_here: bool,
}

impl Hub {
    /// Mints a PIN out of several attempts' random bytes, for a console that gave a key with this hash.
    pub fn mint(
        &mut self,
        client: Client,
        region: Region,
        console: Option<KeyHash>,
        attempts: &[[u8; 32]],
        now: Millis,
    ) -> Result<(Pin, Change), Refused> {
        if !self.settings.regions.contains(&region) {
            return Err(Refused::malformed("there is no such region; GET /regions lists them"));
        }
        let Rates { mint: allowed, sessions_in_all, .. } = self.rates(client);
        self.kept.check(client, sessions_in_all)?;
        self.usage.mint.admit(client, allowed, OWNERS_SHARE, now).map_err(Refused::too_many)?;
        let unused = |pin: &Pin| !self.sessions.contains_key(pin);
        let minted = attempts.iter().filter_map(|random| pin::mint(random)).find(unused);
        let pin = minted.ok_or(Refused::NotSaved)?;
        let mut session = Session::new(region, client, now, self.settings.durations.pin_life);
        session.console = console;
        self.add_session(pin.clone(), session.clone());
        self.reschedule(&pin);
        let write = Write::Minted { pin: pin.clone(), session: Box::new(session) };
        Ok((pin, Change { reschedules: true, ..Change::with_write(write) }))
    }

    /// Arms a hook, or changes where it goes.
    pub fn put_hook(
        &mut self,
        client: Client,
        pin: Pin,
        hook: HookType,
        target: &HookTarget<'_>,
        now: Millis,
    ) -> Result<Change, Refused> {
        self.check_target(client, target)?;
        let entry = self.managed(client, &pin, now)?;
        let minter = entry.session.minter;
        // Also by the minter's policy, by which it will be delivered.
        self.check_target(minter, target)?;
        let url = target.url.to_owned();
        let entry = self.sessions.get_mut(&pin).ok_or(Refused::PinOver)?;
        entry.session.put_hook(hook, url.clone());
        Ok(Change::with_write(Write::HookPut { pin, hook, url }))
    }

    /// Whether a hook of this client may go there.
    pub fn check_target(&self, client: Client, target: &HookTarget<'_>) -> Result<(), Refused> {
        if target.is_own_mail {
            return Ok(());
        }
        let checked =
            self.settings.hook_targets.for_client(client).parse(target.url, target.leads_here);
        checked.map(drop).map_err(|refused| Refused::malformed(refused.to_string()))
    }

    /// Whether this session can be used by whoever gives its PIN.
    pub fn check_live(&mut self, client: Client, pin: &Pin, now: Millis) -> Result<(), Refused> {
        self.live(client, pin, now).map(drop)
    }

    /// Counts a test of whether a client's listener can be reached.
    pub fn count_reach_test(&mut self, client: Client, now: Millis) -> Result<(), Refused> {
        let allowed = self.rates(client).reach;
        self.usage.reach.admit(client, allowed, OWNERS_SHARE, now).map_err(Refused::too_many)
    }

    /// Counts a delivery of the customer's program.
    pub fn count_download(&mut self, client: Client, now: Millis) -> Result<(), Refused> {
        let allowed = self.rates(client).downloads;
        let downloads = &mut self.usage.downloads;
        downloads.admit(client, allowed, OWNERS_SHARE, now).map_err(Refused::too_many)
    }

    /// The messages of the last day, also of a session whose life is over.
    pub fn messages(
        &mut self,
        client: Client,
        pin: &Pin,
        now: Millis,
    ) -> Result<Vec<Arc<Message>>, Refused> {
        self.known(client, pin, now)?;
        let (allowed, transcripts) = (self.rates(client).transcripts, &mut self.usage.transcripts);
        transcripts.admit(client, allowed, OWNERS_SHARE, now).map_err(Refused::too_many)?;
        let entry = self.sessions.get(pin).ok_or(Refused::PinOver)?;
        Ok(entry.chat.current(now).cloned().collect())
    }

    /// Counts a report of abuse.
    pub fn report_abuse(
        &mut self,
        reporter: Client,
        pin: Pin,
        now: Millis,
    ) -> Result<Change, Refused> {
        // Also after the session is over, since abuse is often noticed only then.
        let minter = self.known(reporter, &pin, now)?.session.minter;
        let allowed = self.rates(reporter).reports;
        self.usage.reports.admit(reporter, allowed, 1, now).map_err(Refused::too_many)?;
        // It is never blocked, so nothing would come of it.
        if minter.is_this_machine() {
            return Ok(Change::default());
        }
        let minter = minter.owner();
        let by = reporter.owner();
        let reported = self.abuse.report(minter, &pin, by, now);
        if reported == Reported::Nothing {
            return Ok(Change::default());
        }
        let mut change = Change::with_write(Write::Reported { minter, pin, reporter: by, at: now });
        if reported == Reported::Blocked {
            tracing::warn!(owner = %minter, "blocked after three reports of abuse");
            change.writes.push(Write::Blocked { owner: minter, at: now });
        }
        Ok(change)
    }

    /// Some of the owners that may not use the broker, the oldest block first: those after this one, or from the
    /// first on. None are left once there are none in the answer.
    pub fn blocks_after(&self, block: Option<Block>) -> Vec<Block> {
        self.abuse.blocks_after(block).take(IN_ONE_TURN).collect()
    }

    /// Ends a block; false if there is none.
    pub fn lift_block(&mut self, owner: Owner) -> (bool, Change) {
        if !self.abuse.lift(owner) {
            return (false, Change::default());
        }
        tracing::warn!(%owner, "a block was lifted");
        (true, Change::with_write(Write::BlockLifted { owner }))
    }

    /// Ends a session before its time.
    pub fn revoke(&mut self, client: Client, pin: &Pin, now: Millis) -> Result<Change, Refused> {
        // An expired session can be revoked as well, so that the caller can be sure that it is over.
        let entry = self.known(client, pin, now)?;
        entry.session.revoked = true;
        let place = entry.place;
        self.live.remove(place);
        self.reschedule(pin);
        let notices = self.hang_up_session(pin, &ServerMessage::revoked());
        let mut change = Change::of_session(pin, Write::Revoked { pin: pin.clone() });
        change.writes.extend(self.refuse_waiting_mails(pin));
        Ok(Change { notices, ..change })
    }

    /// Sets the technician and the company that the customer is shown. A conf that is made later contains them.
    pub fn set_requester(
        &mut self,
        client: Client,
        pin: Pin,
        requester: Requester,
        unattended: bool,
        now: Millis,
    ) -> Result<Change, Refused> {
        let may_be_unattended = self.settings.allow_unattended;
        let entry = self.managed(client, &pin, now)?;
        if unattended && !may_be_unattended {
            return Err(Refused::NotAllowed(
                "this broker lets nobody share a screen without being asked; its owner can \
                 change that with allow_unattended",
            ));
        }
        let requester = Requester {
            technician: text::tidy_name(&requester.technician),
            company: text::tidy_name(&requester.company),
        };
        entry.session.requester = requester.clone();
        entry.session.unattended = unattended;
        Ok(Change::with_write(Write::RequesterSet { pin, requester, unattended }))
    }

    /// The technician and the company that ask for the screen, for whoever has the PIN.
    pub fn requester(
        &mut self,
        client: Client,
        pin: &Pin,
        now: Millis,
    ) -> Result<Requester, Refused> {
        Ok(self.live(client, pin, now)?.session.requester.clone())
    }

    /// Admits whoever shows the ticket with this hash.
    pub fn issue_ticket(
        &mut self,
        client: Client,
        hash: KeyHash,
        ticket: Ticket,
        now: Millis,
    ) -> Result<Change, Refused> {
        self.managed(client, &ticket.pin, now)?;
        if self.tickets.is_full(&ticket.pin) {
            return Err(Refused::Full);
        }
        self.tickets.insert(hash, ticket.clone());
        Ok(Change::with_write(Write::TicketMade { hash, ticket }))
    }
}
