//! The presenter's one place in a session: which program is the session's own, and who may take whose place.

use serve::{Client, Millis};
use wire::{
    Pin, Side,
    shared_screen::{ProgramHello, Sharing},
};

use super::{Hub, connections::PresenterProgram, credential, presence::PageId, refusal::Refused};

/// A program's version and platform are shown to people, so each is cut to this many characters.
const LONGEST_PROGRAM_INFO: usize = 32;

/// A program that has shown its session's conf, and so holds the place.
#[derive(Debug, Clone, Copy)]
pub(super) struct ProvenProgram {
    pub page: PageId,
    pub client: Client,
}

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
            entry.proven = None;
        }
    }

    /// Whether a presenter may take the session's one place. Otherwise whoever has the PIN, and the program that it
    /// gives them, could push the customer out and show the technician another screen.
    ///
    /// - The program that holds it may come back at any time.
    /// - A program that is connected gives it to nobody: also a neighbour can have the session's program, which comes
    ///   with the PIN. The customer hands it over in the program that runs, which is told of the other one.
    /// - A proven program that has been away for no more than the grace keeps it against everybody but a proven one
    ///   that was started at the same address, as after a restart of the customer's computer.
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
        let holder = entry.proven.filter(|holder| presence.knows(holder.page));
        if let Some(holder) = holder.filter(|holder| holder.page != page) {
            let restarted = proven && holder.client == client;
            if presence.is_online() || !restarted {
                return Err(Refused::Taken);
            }
        }
        // The page's id isn't enough where the program has proven itself: it stands in no secret place.
        if !proven && holder.is_some() {
            return Err(Refused::Taken);
        }
        let other = presence.present().find(|(id, ..)| *id != page).map(|(.., id)| id);
        let runs = self.presenter_program(pin).is_some_and(|(id, _)| Some(id) == other);
        if runs { Err(Refused::Taken) } else { Ok(()) }
    }
}
