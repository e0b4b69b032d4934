use std::pin::pin;

use futures_util::{FutureExt as _, SinkExt as _};
use tokio::{io::DuplexStream, task::yield_now, time::advance};
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{Bytes, Message, protocol::Role},
};

use super::*;
use crate::actor::testing;

/// An open channel, and the broker's end of it.
async fn open(context: Arc<Context>) -> (Followed<DuplexStream>, WebSocketStream<DuplexStream>) {
    let (ours, brokers) = tokio::io::duplex(1 << 16);
    let ours = WebSocketStream::from_raw_socket(ours, Role::Client, None).await;
    let broker = WebSocketStream::from_raw_socket(brokers, Role::Server, None).await;
    (Followed::new(context, EventChannel::over(ours), None), broker)
}

/// Time passes, and all timers know it.
async fn pass(time: Duration) {
    advance(time).await;
    for _ in 0..200 {
        yield_now().await;
    }
}

#[tokio::test(start_paused = true)]
async fn what_the_broker_said_meanwhile_counts_before_the_clock() {
    let (context, _world) = testing::context().await;
    let (followed, mut broker) = open(context).await;
    let mut run = pin!(followed.run());
    // Of what is ready at once chance takes the first, so one time proves nothing.
    for time in 0..32 {
        assert!(run.as_mut().now_or_never().is_none(), "given up after {time} stops");
        broker.send(Message::Pong(Bytes::new())).await.unwrap();
        pass(Duration::from_secs(90)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_broker_that_says_nothing_for_long_is_given_up() {
    let (context, _world) = testing::context().await;
    let (followed, _broker) = open(context).await;
    let mut run = pin!(followed.run());
    let mut seconds = 0;
    while run.as_mut().now_or_never().is_none() {
        assert!(seconds < 60, "it still counts as open");
        pass(Duration::from_secs(1)).await;
        seconds += 1;
    }
    assert!(seconds > 10, "given up after {seconds} s");
}
