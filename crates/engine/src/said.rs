//! What was written here to sessions' chats, by the identities that the service gave to it. Whoever only has the
//! technician's name has none of these.

use std::{collections::VecDeque, sync::Arc, time::Duration};

use parking_lot::Mutex;
use tokio::{sync::watch, time::timeout};

use crate::SessionId;

/// So many messages are remembered: a poll that saw one is archived soon after.
const REMEMBERED: usize = 64;
/// So long, at most, chat waits for the answer to a message that is being written.
const PATIENCE: Duration = Duration::from_secs(10);

/// The messages that were written here last.
#[derive(Clone, Default)]
pub(crate) struct Said(Arc<Inner>);

#[derive(Default)]
struct Inner {
    last: Mutex<VecDeque<(SessionId, String)>>,
    /// How many are being written: the service has some of them, and their identities aren't known here yet.
    under_way: watch::Sender<usize>,
}

/// A message is being written for as long as this lives. It holds no store of the engine, which may stop meanwhile.
pub struct Saying(Said);

impl Said {
    /// A message is about to be written.
    pub fn begin(&self) -> Saying {
        self.0.under_way.send_modify(|count| *count += 1);
        Saying(self.clone())
    }

    /// Waits until the messages that are being written have their identities, so that chat fetched meanwhile isn't
    /// taken for somebody else's; not long, for it must not wait for a service that hangs.
    pub async fn settled(&self) {
        let mut under_way = self.0.under_way.subscribe();
        let _ = timeout(PATIENCE, under_way.wait_for(|count| *count == 0)).await;
    }

    /// Whether this message was written here.
    pub fn has(&self, session: SessionId, guid: &str) -> bool {
        self.0.last.lock().iter().any(|(of, known)| *of == session && known == guid)
    }

    /// Remembers a message that was written here.
    pub fn note(&self, session: SessionId, guid: String) {
        let mut last = self.0.last.lock();
        if last.len() >= REMEMBERED {
            last.pop_front();
        }
        last.push_back((session, guid));
    }
}

impl Drop for Saying {
    fn drop(&mut self) {
        self.0.0.under_way.send_modify(|count| *count -= 1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: SessionId = SessionId::from_bytes([1; 16]);
    const TWO: SessionId = SessionId::from_bytes([2; 16]);

    #[test]
    fn the_last_messages_are_known_again_in_their_own_session_only() {
        let said = Said::default();
        for n in 0..=REMEMBERED {
            said.note(ONE, n.to_string());
        }
        let known = |n: usize| said.has(ONE, &n.to_string());
        assert!(!known(0) && (1..=REMEMBERED).all(known));
        assert!(!said.has(TWO, "1"));
    }

    #[tokio::test(start_paused = true)]
    async fn chat_waits_for_the_answer_and_not_for_ever() {
        let said = Said::default();
        said.settled().await;
        let (one, two) = (said.begin(), said.begin());
        let mut waits = Box::pin(said.settled());
        assert!(is_pending(&mut waits).await);
        drop(one);
        assert!(is_pending(&mut waits).await, "another one is being written");
        drop(two);
        waits.await;
        let _hangs = said.begin();
        said.settled().await;
    }

    async fn is_pending(waits: &mut (impl Future<Output = ()> + Unpin)) -> bool {
        tokio::select! {
            biased;
            () = waits => false,
            () = std::future::ready(()) => true,
        }
    }
}
