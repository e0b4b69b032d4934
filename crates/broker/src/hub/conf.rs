//! The presenter's configuration (conf): given once per session, and recognised by its hash.
//!
//! No conf is stored, only its hash. A conf that a client brings back is accepted if it has the stored hash.

use data_encoding::HEXLOWER;
use serve::{Client, Millis};
use url::Url;
use wire::{ConfText, Pin, loginwithme::Conf};

use super::{
    Hub, change::Change, credential::sha256, records::Write, refusal::Refused, session::Session,
};

/// The version that `session_parameters` names.
pub(crate) const PRESENTER_VERSION: &str = env!("CARGO_PKG_VERSION");

impl Hub {
    /// Makes a session's conf and stores its hash. `origin` is the address that the presenter's program dials.
    pub fn give_conf(
        &mut self,
        client: Client,
        pin: Pin,
        origin: String,
        random: &[u8; 32],
        now: Millis,
    ) -> Result<(ConfText, Change), Refused> {
        let entry = self.live(client, &pin, now)?;
        if entry.session.conf_hash.is_some() {
            return Err(Refused::AlreadyGiven);
        }
        let conf = new_conf(&pin, &entry.session, origin, random).encode();
        let hash = sha256(conf.expose());
        entry.session.conf_hash = Some(hash);
        Ok((conf, Change::with_write(Write::ConfGiven { pin, hash })))
    }

    /// The PIN of a conf that this broker gave.
    pub fn pin_from_conf(
        &mut self,
        client: Client,
        conf: &ConfText,
        now: Millis,
    ) -> Result<Pin, Refused> {
        let wrong = || Refused::malformed("conf is not one that this broker gave");
        let pin: Pin =
            Conf::decode(conf).ok().and_then(|c| c.session_pin.parse().ok()).ok_or_else(wrong)?;
        let entry = self.live(client, &pin, now)?;
        if entry.session.conf_hash == Some(sha256(conf.expose())) {
            return Ok(pin);
        }
        // A conf that names a live session but isn't ours is forged, so it counts as a guess.
        let per = self.rates(client).guesses.per;
        self.usage.guesses.record(client, per, now);
        Err(wrong())
    }
}

/// The ports are 0, since our presenter listens nowhere; the credentials are random, so that nobody guesses a conf.
fn new_conf(pin: &Pin, session: &Session, origin: String, random: &[u8; 32]) -> Conf {
    let text = HEXLOWER.encode(random);
    let host = Url::parse(&origin).ok().and_then(|url| url.host_str().map(str::to_owned));
    let host_key: Vec<String> = random[..16].iter().map(|byte| HEXLOWER.encode(&[*byte])).collect();
    Conf {
        ttl: session.expires.seconds(),
        session_host: host.unwrap_or_default(),
        ssh_port: 443,
        // As long as in the recorded conf of the hosted service.
        sftp_user: text[..13].to_owned(),
        sftp_pass: text[16..29].to_owned(),
        rfb_port: 0,
        rfb_enc_key: text[32..48].to_owned(),
        pulseaudio_port: 0,
        sftp_port: 0,
        session_pin: pin.expose().to_owned(),
        host_key: host_key.join(":"),
        version: PRESENTER_VERSION.to_owned(),
        origin: Some(origin),
        requester: session.requester.clone(),
        unattended: session.unattended,
    }
}
