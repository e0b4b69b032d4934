//! The presenter's configuration (conf): given once per session, and known again by its hash.
//!
//! No conf is kept: whoever brings one back is believed if it hashes to what was given.

use std::sync::Arc;

use url::Url;
use uuid::Uuid;
use wire::{ConfText, Pin, loginwithme::Conf};

use crate::{
    error::Refused,
    keys::hash_of,
    rules::session::Session,
    state::Change,
    store::Write,
    switchboard::{Client, Switchboard},
};

/// The version that `session_parameters` names.
const PRESENTER_VERSION: &str = env!("CARGO_PKG_VERSION");

impl Switchboard {
    /// The presenter's configuration: once per session, ever.
    pub async fn give_conf(
        self: &Arc<Self>,
        client: Client,
        pin: Pin,
    ) -> Result<(ConfText, &'static str), Refused> {
        let (conf, change) = {
            let (mut state, now) = self.lock();
            let entry = state.live(client, &pin, self.rates.of(client), now)?;
            if entry.session.conf_hash.is_some() {
                return Err(Refused::AlreadyGiven);
            }
            let conf = self.new_conf(&pin, &entry.session).encode();
            let hash = hash_of(conf.expose());
            entry.session.conf_hash = Some(hash);
            let writes = vec![Write::ConfGiven { pin, hash }];
            (conf, self.settle(&state, Change { writes, acts: Vec::new() }))
        };
        change.done().await?;
        Ok((conf, PRESENTER_VERSION))
    }

    /// The PIN of a conf that this broker gave.
    pub fn pin_of_conf(&self, client: Client, conf: &ConfText) -> Result<Pin, Refused> {
        let wrong = || Refused::malformed("conf is not one that this broker gave");
        let pin: Pin =
            Conf::decode(conf).ok().and_then(|c| c.session_pin.parse().ok()).ok_or_else(wrong)?;
        let (mut state, now) = self.lock();
        let entry = state.live(client, &pin, self.rates.of(client), now)?;
        if entry.session.conf_hash == Some(hash_of(conf.expose())) {
            return Ok(pin);
        }
        state.windows.guesses.note(&client, now);
        Err(wrong())
    }

    /// Ports are 0 until there is a presenter that listens; the rest is random and unguessable.
    fn new_conf(&self, pin: &Pin, session: &Session) -> Conf {
        let random = Uuid::new_v4().simple().to_string() + &Uuid::new_v4().simple().to_string();
        let host = Url::parse(&self.customers_origin())
            .ok()
            .and_then(|url| url.host_str().map(str::to_owned));
        let print: Vec<String> = (0..16).map(|i| random[i * 2..i * 2 + 2].to_owned()).collect();
        Conf {
            ttl: session.expires.seconds(),
            session_host: host.unwrap_or_default(),
            ssh_port: 443,
            sftp_user: random[..13].to_owned(),
            sftp_pass: random[16..29].to_owned(),
            rfb_port: 0,
            rfb_enc_key: random[32..48].to_owned(),
            pulseaudio_port: 0,
            sftp_port: 0,
            session_pin: pin.expose().to_owned(),
            host_key: print.join(":"),
            version: PRESENTER_VERSION.to_owned(),
            origin: Some(self.customers_origin()),
            asker: session.asker.clone(),
            unattended: session.unattended,
        }
    }
}
