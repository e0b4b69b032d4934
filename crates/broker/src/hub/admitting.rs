//! Viewers that wait to be let in: the presenter's program says who, the technician may answer, and the broker passes
//! both on. It can't make an answer, since the technician's console signs it.

use serve::{Client, Millis};
use wire::{
    Pin,
    shared_screen::{AdmissionAnswer, MOST_VIEWERS, WaitingViewer},
};

use super::{
    Hub,
    change::{Change, Notice},
    connections::Participant,
    credential::KeyHash,
    messages::ServerMessage,
    presence::ConnectionId,
    refusal::Refused,
};

/// The most bytes in each of their texts.
const LONGEST_TEXT: usize = 256;

impl Hub {
    /// The presenter's program says who waits to be let in.
    pub fn note_waiting(
        &mut self,
        id: ConnectionId,
        mut viewers: Vec<WaitingViewer>,
        now: Millis,
    ) -> Result<Change, Refused> {
        self.count_signal(id, now)?;
        let connection = self.connections.get_mut(id).ok_or(Refused::PinOver)?;
        let Participant::Presenter(Some(program)) = &mut connection.participant else {
            return Err(Refused::malformed("only a program that shares a screen may report this"));
        };
        viewers.truncate(MOST_VIEWERS);
        let short = |text: &String| text.len() <= LONGEST_TEXT;
        let are_short =
            |one: &WaitingViewer| [&one.challenge, &one.page, &one.name].into_iter().all(short);
        if !viewers.iter().all(are_short) {
            return Err(Refused::malformed("a text is too long"));
        }
        program.waiting = viewers;
        let pin = connection.pin.clone();
        let notices = self.roster_notices(&pin);
        Ok(Change { changed: vec![pin], ..Change::with_notices(notices) })
    }

    /// The session's console answers about one that waits, without a viewer window. The program decides whether the
    /// answer counts.
    pub fn pass_consoles_answer(
        &mut self,
        client: Client,
        console: Option<&KeyHash>,
        pin: &Pin,
        answer: AdmissionAnswer,
        now: Millis,
    ) -> Result<Change, Refused> {
        self.check_console(client, console, pin, now)?;
        self.live(client, pin, now)?;
        let allowed = self.rates(client).chat;
        self.usage.console_answers.admit(pin, allowed, now).map_err(Refused::too_many)?;
        let AdmissionAnswer { challenge, pairing, signature, .. } = &answer;
        if [challenge, pairing, signature].into_iter().any(|text| text.len() > LONGEST_TEXT) {
            return Err(Refused::malformed("a text is too long"));
        }
        self.to_program(pin, answer)
    }

    /// A viewer answers about one that waits. The program decides whether the answer counts.
    pub fn pass_answer(
        &mut self,
        id: ConnectionId,
        answer: AdmissionAnswer,
        now: Millis,
    ) -> Result<Change, Refused> {
        self.count_signal(id, now)?;
        let connection = self.connections.get(id).ok_or(Refused::PinOver)?;
        if connection.participant.as_viewer().is_none() {
            return Err(Refused::malformed("only a viewer may send this"));
        }
        let pin = connection.pin.clone();
        self.to_program(&pin, answer)
    }

    fn to_program(&self, pin: &Pin, answer: AdmissionAnswer) -> Result<Change, Refused> {
        let (to, _) = self.presenter_program(pin).ok_or(Refused::NoPresenter)?;
        Ok(Change::with_notices(vec![Notice::Send { to, message: ServerMessage::Admit(answer) }]))
    }
}
