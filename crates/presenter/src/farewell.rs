//! The end of the sharing, which takes a moment.

use std::time::Duration;

use tokio::{sync::mpsc, task::JoinHandle, time::timeout};

/// The longest time for the farewell to the broker and the end of the threads.
const LEAVE_TIMEOUT: Duration = Duration::from_secs(5);

/// Waits until the screen's threads have ended and the broker has heard the farewell, but not long.
pub async fn wind_down(mut threads_ended: mpsc::Receiver<()>, mut connected: JoinHandle<()>) {
    let all = async { tokio::join!(threads_ended.recv(), &mut connected) };
    if timeout(LEAVE_TIMEOUT, all).await.is_err() {
        connected.abort();
    }
}
