//! A wait that ends, in which only the time counts that this program ran.

use std::{pin::pin, time::Duration};

use tokio::time::timeout;

/// The most that a moment in which this program did not run counts for in [`while_running`].
const MOMENT: Duration = Duration::from_secs(1);

/// Waits for `work` for as long as `within`, of which only the time counts in which this program ran: a computer that
/// slept or a program that was stopped says nothing about the other side, whose answer may have arrived meanwhile and
/// lie unread. `None` if the time is over.
pub(crate) async fn while_running<T>(within: Duration, work: impl Future<Output = T>) -> Option<T> {
    let mut work = pin!(work);
    let mut left = within;
    while !left.is_zero() {
        let moment = left.min(MOMENT);
        if let Ok(done) = timeout(moment, work.as_mut()).await {
            return Some(done);
        }
        left -= moment;
    }
    None
}

#[cfg(test)]
mod tests {
    use std::future::pending;

    use tokio::{sync::oneshot, time::advance};

    use super::*;

    const LIMIT: Duration = Duration::from_secs(20);

    #[tokio::test(start_paused = true)]
    async fn an_answer_is_read_although_the_program_was_stopped_for_longer_than_the_limit() {
        let (answer, answered) = oneshot::channel();
        let waits = tokio::spawn(while_running(LIMIT, answered));
        tokio::task::yield_now().await;
        // As after SIGCONT: the limit is over before anybody has looked whether there is an answer.
        advance(LIMIT * 5).await;
        tokio::task::yield_now().await;
        answer.send("250 OK").unwrap();
        assert_eq!(waits.await.unwrap(), Some(Ok("250 OK")));
    }

    #[tokio::test(start_paused = true)]
    async fn a_server_that_stays_silent_is_given_up_after_the_limit() {
        let began = tokio::time::Instant::now();
        assert_eq!(while_running(LIMIT, pending::<()>()).await, None);
        assert!(began.elapsed() >= LIMIT);
    }
}
