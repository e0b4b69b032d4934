//! The journal's writes, always inside one of the writer's transactions. The numbers of webhooks
//! and of events only ever grow, even across restarts, because the newest row of each is
//! never pruned, and a mark has the numbers where it was erased.

use std::sync::Arc;

use rusqlite::{Connection, Params};
use serde::Serialize;
use session::{Delivery, Event, Record, Timestamp};
use store::{StoreError, Transactional, WriteConnection, fault};
use wire::HookType;

use super::{
    Faults, SessionSecrets, SessionTurn, broker_copies,
    last_numbers::{LAST_ERASED, LastNumbers},
    table::{self, SealedEvent, SealedWebhook},
};
use crate::{SessionId, vault::SealKey};

/// The most rows that one call prunes, so that an event never waits long behind it.
const PRUNED_AT_ONCE: usize = 1_000;

const ERASE: &str = "erase a session from the journal";

/// The writer's connection, and the last number of each sequence.
pub(super) struct Ledger {
    connection: WriteConnection,
    key: Arc<SealKey>,
    /// Includes the rows of the transaction under way.
    last: LastNumbers,
    /// As of the last commit.
    committed: LastNumbers,
    /// Rows were erased that are in the write-ahead log still.
    erased: bool,
    faults: Faults,
}

impl Transactional for Ledger {
    fn connection(&self) -> &Connection {
        &self.connection
    }

    fn before_commit(&mut self, doing: &'static str) -> Result<(), StoreError> {
        self.faults.check(doing)
    }

    fn committed(&mut self) {
        self.committed = self.last;
        if self.erased {
            match self.connection.empty_log(ERASE) {
                // Somebody reads just now: after the next commit, then.
                Ok(emptied) => self.erased = !emptied,
                Err(error) => {
                    tracing::warn!(%error, "erased rows stay in the journal's log for now")
                }
            }
        }
    }

    // A number that was given out and rolled back is given out again: sequences have no gaps.
    fn rolled_back(&mut self) {
        self.last = self.committed;
    }
}

impl Ledger {
    pub fn new(
        connection: WriteConnection,
        key: Arc<SealKey>,
        faults: Faults,
    ) -> Result<Self, StoreError> {
        let last = LastNumbers::given_out(&connection, &key)?;
        Ok(Self { connection, key, last, committed: last, erased: false, faults })
    }

    pub fn append(
        &mut self,
        session: SessionId,
        hook: HookType,
        delivery: Delivery,
        at: Timestamp,
    ) -> Result<u64, StoreError> {
        let doing = "save an event";
        let seq = self.last.webhook + 1;
        let place = table::sealed_to_webhook(seq, session);
        let Delivery { revision, id } = delivery;
        let sealed = self.seal(&place, &SealedWebhook { hook, at, revision, id }, doing)?;
        let sql = "INSERT INTO events(seq, session, sealed) VALUES(?1, ?2, ?3)";
        self.execute(sql, (seq, session.as_bytes(), sealed), doing)?;
        self.last.webhook = seq;
        Ok(seq)
    }

    pub fn save_turn(&mut self, turn: &SessionTurn) -> Result<Vec<u64>, StoreError> {
        self.save_record(turn.session, &turn.record, turn.applied_seq)?;
        if let Some(secrets) = &turn.secrets {
            self.save_secrets(turn.session, secrets)?;
        }
        turn.events.iter().map(|(event, at)| self.save_event(turn.session, event, *at)).collect()
    }

    fn save_record(
        &mut self,
        session: SessionId,
        record: &Record,
        applied_seq: u64,
    ) -> Result<(), StoreError> {
        let doing = "save a session";
        let sealed = self.seal(&table::sealed_to_session(session, applied_seq), record, doing)?;
        let sql = "INSERT INTO sessions(id, applied_seq, sealed) VALUES(?1, ?2, ?3)
             ON CONFLICT(id) DO UPDATE SET applied_seq = ?2, sealed = ?3";
        self.execute(sql, (session.as_bytes(), applied_seq, sealed), doing).map(drop)
    }

    fn save_secrets(
        &mut self,
        session: SessionId,
        secrets: &SessionSecrets,
    ) -> Result<(), StoreError> {
        let doing = "save a session's secrets";
        let place = table::sealed_to_secrets(session);
        let sealed =
            self.key.seal(&place, &secrets.to_plain()).map_err(|_| table::no_random(doing))?;
        let sql = "INSERT INTO secrets(session, sealed) VALUES(?1, ?2)
             ON CONFLICT(session) DO UPDATE SET sealed = ?2";
        self.execute(sql, (session.as_bytes(), sealed), doing)?;
        let Some(pin) = &secrets.pin else { return Ok(()) };
        let digest = self.key.digest(pin.expose().as_bytes());
        let sql = "INSERT INTO minted(digest) VALUES(?1) ON CONFLICT DO NOTHING";
        self.execute(sql, [digest], doing).map(drop)
    }

    fn save_event(
        &mut self,
        session: SessionId,
        event: &Event,
        at: Timestamp,
    ) -> Result<u64, StoreError> {
        let doing = "save what happened";
        let seq = self.last.event + 1;
        let place = table::sealed_to_event(seq, session);
        let sealed = self.seal(&place, &SealedEvent { at, happened: event }, doing)?;
        let sql = "INSERT INTO happenings(seq, session, sealed) VALUES(?1, ?2, ?3)";
        self.execute(sql, (seq, session.as_bytes(), sealed), doing)?;
        self.last.event = seq;
        Ok(seq)
    }

    pub fn erase_secrets(&mut self, session: SessionId) -> Result<(), StoreError> {
        broker_copies::keep(&self.connection, &self.key, session)?;
        let sql = "DELETE FROM secrets WHERE session = ?1";
        self.execute(sql, [session.as_bytes()], "erase a session's secrets")?;
        self.erase_pairing(session)
    }

    pub fn has_secrets(&self, session: SessionId) -> Result<bool, StoreError> {
        let sql = "SELECT EXISTS(SELECT 1 FROM secrets WHERE session = ?1)";
        let found = self.connection.query_row(sql, [session.as_bytes()], |row| row.get(0));
        found.map_err(fault("look for a session's secrets"))
    }

    pub fn forget(&mut self, session: SessionId) -> Result<(), StoreError> {
        let doing = "forget a session";
        let end = self.last.webhook;
        self.erase_secrets(session)?;
        self.execute("DELETE FROM killers WHERE session = ?1", [session.as_bytes()], doing)?;
        let sql = "DELETE FROM events WHERE session = ?1 AND seq < ?2";
        self.execute(sql, (session.as_bytes(), end), doing)?;
        self.execute("DELETE FROM sessions WHERE id = ?1", [session.as_bytes()], doing).map(drop)
    }

    pub fn erase(&mut self, session: SessionId) -> Result<(), StoreError> {
        self.forget(session)?;
        broker_copies::mark_deleted(&self.connection, session)?;
        self.mark(LAST_ERASED, Some(&self.last.as_mark()))?;
        for sql in
            ["DELETE FROM events WHERE session = ?1", "DELETE FROM happenings WHERE session = ?1"]
        {
            self.execute(sql, [session.as_bytes()], ERASE)?;
        }
        self.erased = true;
        Ok(())
    }

    /// Gives out only numbers after `seq` to events.
    pub fn skip_events(&mut self, seq: u64) -> Result<(), StoreError> {
        self.last.event = self.last.event.max(seq);
        self.mark(LAST_ERASED, Some(&self.last.as_mark()))
    }

    pub fn forget_broker_copy(&mut self, session: SessionId) -> Result<(), StoreError> {
        broker_copies::forget(&self.connection, session)
    }

    pub fn killed(&mut self, session: SessionId, seq: u64, why: &str) -> Result<u32, StoreError> {
        let doing = "set an input aside";
        let sealed = self.seal(&table::sealed_to_killer(session, seq), &why, doing)?;
        let sql = "INSERT INTO killers(session, seq, kills, sealed) VALUES(?1, ?2, 1, ?3)
             ON CONFLICT(session, seq) DO UPDATE SET kills = kills + 1, sealed = ?3";
        self.execute(sql, (session.as_bytes(), seq, sealed), doing)?;
        let sql = "SELECT kills FROM killers WHERE session = ?1 AND seq = ?2";
        self.connection
            .query_row(sql, (session.as_bytes(), seq), |row| row.get(0))
            .map_err(fault(doing))
    }

    pub fn mark(&mut self, key: &str, value: Option<&[u8]>) -> Result<(), StoreError> {
        let doing = "save what the console remembers";
        let Some(value) = value else {
            return self.execute("DELETE FROM marks WHERE key = ?1", [key], doing).map(drop);
        };
        let sealed = self
            .key
            .seal(&table::sealed_to_mark(key), value)
            .map_err(|_| table::no_random(doing))?;
        let sql = "INSERT INTO marks(key, sealed) VALUES(?1, ?2)
             ON CONFLICT(key) DO UPDATE SET sealed = ?2";
        self.execute(sql, (key, sealed), doing).map(drop)
    }

    pub fn prune_webhooks(&mut self, older_than: Timestamp) -> Result<usize, StoreError> {
        let doing = "tidy the journal";
        let sql = "SELECT events.seq, events.session, events.sealed FROM events
             LEFT JOIN sessions ON sessions.id = events.session
             WHERE events.seq < ?1 AND (sessions.id IS NULL OR events.seq <= sessions.applied_seq)
             ORDER BY events.seq";
        let mut old = Vec::new();
        {
            let mut statement = self.connection.prepare_cached(sql).map_err(fault(doing))?;
            let mut rows = statement.query([self.last.webhook]).map_err(fault(doing))?;
            while old.len() < PRUNED_AT_ONCE
                && let Some(row) = rows.next().map_err(fault(doing))?
            {
                // One that can't be read is kept, and keeps no other.
                let Ok((seq, event)) = super::read::event(row, &self.key) else { continue };
                // Events are in the order of their arrival: the rest is newer.
                if event.at >= older_than {
                    break;
                }
                old.push(seq);
            }
        }
        for seq in &old {
            self.execute("DELETE FROM events WHERE seq = ?1", [seq], doing)?;
        }
        Ok(old.len())
    }

    pub fn prune_events(&mut self, up_to: u64) -> Result<usize, StoreError> {
        let last = up_to.min(self.last.event.saturating_sub(1));
        let sql = "DELETE FROM happenings WHERE seq IN
             (SELECT seq FROM happenings WHERE seq <= ?1 ORDER BY seq LIMIT ?2)";
        self.execute(sql, (last, PRUNED_AT_ONCE), "tidy the journal")
    }

    fn seal(
        &self,
        place: &[u8],
        value: &impl Serialize,
        doing: &'static str,
    ) -> Result<Vec<u8>, StoreError> {
        let text = serde_json::to_vec(value)
            .map_err(|e| StoreError::Damaged { doing, why: e.to_string() })?;
        self.key.seal(place, &text).map_err(|_| table::no_random(doing))
    }

    fn execute(
        &self,
        sql: &str,
        parameters: impl Params,
        doing: &'static str,
    ) -> Result<usize, StoreError> {
        self.connection
            .prepare_cached(sql)
            .and_then(|mut statement| statement.execute(parameters))
            .map_err(fault(doing))
    }
}
