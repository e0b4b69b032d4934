//! The presenter's one place in a session: which program is the session's own, and who may take whose place.

use serve::{Client, Millis};
use wire::{
    Pin, Side,
    shared_screen::{ProgramHello, Sharing},
};

use super::{Hub, connections::PresenterProgram, credential, presence::PageId, refusal::Refused};

/// A program's version and platform are shown to people, so each is cut to this many characters.
const LONGEST_PROGRAM_INFO: usize = 32;

impl Hub {
    /// A program proves by its conf that it is this session's own.
    pub(super) fn checked_program(
        &mut self,
        client: Client,
        pin: &Pin,
        program: Option<ProgramHello>,
        now: Millis,
    ) -> Result<Option<PresenterProgram>, Refused> {
        let conf = program.as_ref().and_then(|program| program.conf.as_ref());
        let given = self.sessions.get(pin).and_then(|entry| entry.session.conf_hash);
        let proven = conf.map(|conf| given == Some(credential::sha256(conf.expose())));
        if proven == Some(false) {
            // Counted for the client as well, like any other guess.
            let allowed = self.rates(client).guesses;
            self.usage.guesses.record(client, allowed.per, now);
            self.usage.wrong_confs.admit(pin, allowed, now).map_err(Refused::too_many)?;
            return Err(Refused::malformed("the program's conf is not this session's"));
        }
        let proven = proven.unwrap_or(false);
        let cut = |text: &str| text.chars().take(LONGEST_PROGRAM_INFO).collect();
        Ok(program.map(|program| PresenterProgram {
            version: cut(&program.version),
            platform: cut(&program.platform),
            proven,
            sharing: Sharing::Shared,
            waiting: Vec::new(),
        }))
    }

    /// The program that holds a session's place leaves it to whichever comes next, as its customer said.
    pub(super) fn give_place_up(&mut self, pin: &Pin) {
        if let Some(entry) = self.sessions.get_mut(pin) {
            entry.session.presence_mut(Side::Presenter).holder = None;
        }
    }

    /// Whether a presenter may take the session's one place. Otherwise whoever has the PIN, and the program that it
    /// gives them, could push the customer out and show the technician another screen.
    ///
    /// - The program that holds it may come back at any time.
    /// - A program that is connected gives it to nobody: also a neighbour can have the session's program, which comes
    ///   with the PIN. The customer hands it over in the program that runs, which is told of the other one.
    /// - A program that has been away for no more than the grace keeps it against everybody but one that was started at
    ///   the same address, as after a restart of the customer's computer, and has shown as much as it.
    pub(super) fn check_place(
        &self,
        client: Client,
        pin: &Pin,
        page: PageId,
        newcomer: Option<&PresenterProgram>,
    ) -> Result<(), Refused> {
        let Some(entry) = self.sessions.get(pin) else { return Err(Refused::PinOver) };
        let proven = newcomer.is_some_and(|program| program.proven);
        let presence = entry.session.presence(Side::Presenter);
        let holder = presence.holder.filter(|holder| presence.knows(holder.page));
        if let Some(holder) = holder.filter(|holder| holder.page != page) {
            let restarted = holder.client == client;
            if holder.proven && presence.is_online() || !restarted {
                return Err(Refused::Taken);
            }
        }
        // The page's id isn't enough where the program has proven itself: it stands in no secret place.
        if !proven && holder.is_some_and(|holder| holder.proven) {
            return Err(Refused::Taken);
        }
        let other = presence.present().find(|(id, ..)| *id != page).map(|(.., id)| id);
        let runs = self.presenter_program(pin).is_some_and(|(id, _)| Some(id) == other);
        if runs { Err(Refused::Taken) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use uuid::Uuid;
    use wire::shared_screen::ProgramHello;

    use super::*;
    use crate::hub::{
        StoredState,
        connections::Link,
        join::{Access, JoinAs, JoinRequest},
        presence::{ConnectionId, Presence},
        tests::{credential, hub},
    };

    const CUSTOMERS: u8 = 1;
    const NEIGHBOURS: u8 = 2;

    /// A program without a conf comes from the address with this number.
    fn comes(hub: &mut Hub, pin: &Pin, n: u64, address: u8, now: Millis) -> Result<(), Refused> {
        let program = ProgramHello { version: "1".into(), platform: String::new(), conf: None };
        let request = JoinRequest {
            access: Access::Pin(pin.clone()),
            console: None,
            join_as: JoinAs::Presenter(Some(program)),
            page: PageId(Uuid::from_u128(n.into())),
            name: String::new(),
            link: Link::Open,
        };
        let client = Client::from_ip(Ipv4Addr::new(192, 0, 2, address).into());
        hub.join(ConnectionId(n), client, request, credential(n), now).map(|_| ())
    }

    #[test]
    fn a_program_without_a_conf_keeps_its_place_while_it_is_away_for_a_moment() {
        let (mut hub, pin) = hub();
        comes(&mut hub, &pin, 1, CUSTOMERS, Millis(0)).unwrap();
        hub.leave(ConnectionId(1), Millis(1));
        let neighbour = comes(&mut hub, &pin, 2, NEIGHBOURS, Millis(2));
        assert!(matches!(neighbour, Err(Refused::Taken)), "{neighbour:?}");
        // Started again on the same computer, it goes on; and so it does from elsewhere if it is the same one.
        comes(&mut hub, &pin, 3, CUSTOMERS, Millis(3)).unwrap();
        hub.leave(ConnectionId(3), Millis(4));
        comes(&mut hub, &pin, 3, NEIGHBOURS, Millis(5)).unwrap();
    }

    /// As after a restart of the broker: what is stored comes back, and no connection does.
    fn restarted(hub: &Hub, pin: &Pin, now: Millis) -> Hub {
        let mut session = hub.sessions[pin].session.clone();
        for side in [Side::Presenter, Side::Viewers] {
            let stored = serde_json::to_string(&session.presence(side).to_stored()).unwrap();
            let presence = Presence::from_stored(serde_json::from_str(&stored).unwrap(), now);
            session.restore_side(side, presence, session.announced(side));
        }
        let sessions = vec![(pin.clone(), session)];
        Hub::new(hub.settings.clone(), StoredState { sessions, ..StoredState::default() })
    }

    /// The neighbour's program is quicker than the customer's, whose pauses grow.
    #[test]
    fn after_a_restart_no_other_program_passes_for_the_first_one() {
        let (mut hub, pin) = hub();
        comes(&mut hub, &pin, 1, CUSTOMERS, Millis(0)).unwrap();
        let mut hub = restarted(&hub, &pin, Millis(1));
        let neighbour = comes(&mut hub, &pin, 2, NEIGHBOURS, Millis(2));
        assert!(matches!(neighbour, Err(Refused::Taken)), "{neighbour:?}");
        comes(&mut hub, &pin, 1, CUSTOMERS, Millis(3)).unwrap();
        // Their computer was started again meanwhile, too.
        let mut hub = restarted(&hub, &pin, Millis(4));
        comes(&mut hub, &pin, 3, CUSTOMERS, Millis(5)).unwrap();
        let mut hub = restarted(&hub, &pin, Millis(6));
        let neighbour = comes(&mut hub, &pin, 2, NEIGHBOURS, Millis(7));
        assert!(matches!(neighbour, Err(Refused::Taken)), "{neighbour:?}");
    }

    #[test]
    fn a_place_that_was_given_up_is_free_after_a_restart_as_well() {
        let (mut hub, pin) = hub();
        comes(&mut hub, &pin, 1, CUSTOMERS, Millis(0)).unwrap();
        hub.give_place_up(&pin);
        hub.leave(ConnectionId(1), Millis(1));
        let mut hub = restarted(&hub, &pin, Millis(2));
        comes(&mut hub, &pin, 2, NEIGHBOURS, Millis(3)).unwrap();
    }
}
