//! A connection from its first moment to its last: it needs a place, and its client must neither keep it waiting nor
//! let it wait.

use std::{
    future::{Future, Ready},
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

use axum_server::accept::Accept;
use socket2::SockRef;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
    runtime::Handle,
    time::{Instant, Sleep, sleep_until},
};
use tokio_util::{sync::WaitForCancellationFutureOwned, task::TaskTracker};

use crate::{
    Bodies, Limits,
    counters::Refusal,
    listening::Placed,
    paced::{Paced, TOO_FAST},
    progress::{Deadline, Progress, Tracked},
    server::DetachedConnection,
    taking::Taking,
};

/// Makes of each stream in its place a connection, which keeps the place as long as its socket lives, also as a WebSocket.
#[derive(Debug, Clone)]
pub(crate) struct Acceptor {
    pub limits: Limits,
    pub lingering: TaskTracker,
}

impl<S> Accept<Placed, DetachedConnection<S>> for Acceptor {
    type Stream = Connection;
    type Service = Tracked<DetachedConnection<S>>;
    type Future = Ready<io::Result<(Self::Stream, Self::Service)>>;

    fn accept(&self, placed: Placed, routes: DetachedConnection<S>) -> Self::Future {
        let Placed { stream, place } = placed;
        if let Err(error) = set_up(&stream) {
            return std::future::ready(Err(error));
        }
        let taken = Box::pin(place.taken.clone().cancelled_owned());
        let progress = Arc::new(Progress::new(place));
        let connection = Connection {
            stream: Some(Paced::new(stream, Arc::clone(&progress))),
            progress: Arc::clone(&progress),
            taken,
            reading: None,
            writing: None,
            taking: Taking::default(),
            failed: false,
            limits: self.limits,
            lingering: self.lingering.clone(),
        };
        let (slowest, at_once) = (self.limits.slowest, self.limits.bodies == Bodies::Ignored);
        std::future::ready(Ok((connection, Tracked { routes, progress, slowest, at_once })))
    }
}

/// How much the system takes of what is sent before the network has taken what was there.
#[cfg(any(target_os = "linux", target_os = "android"))]
const UNSENT: u32 = 16 * 1024;

fn set_up(stream: &TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    // Without it the system takes more and more at once, and wakes whoever writes only when a third of that is gone: on a
    // line of 16 kbit/s after more than a minute, as if the client took nothing.
    #[cfg(any(target_os = "linux", target_os = "android"))]
    let _ = SockRef::from(stream).set_tcp_notsent_lowat(UNSENT);
    Ok(())
}

/// A connection in its place. Whoever drops it (hyper, or a WebSocket's handler), the last bytes sent on it still
/// arrive, unless its client had its time already.
pub(crate) struct Connection {
    /// None only while it is dropped.
    stream: Option<Paced>,
    progress: Arc<Progress>,
    taken: Pin<Box<WaitForCancellationFutureOwned>>,
    /// Wakes whoever reads when the client's time may be over.
    reading: Option<Pin<Box<Sleep>>>,
    /// Wakes whoever writes when the client has taken too little for too long.
    writing: Option<Pin<Box<Sleep>>>,
    taking: Taking,
    /// The client's time is over.
    failed: bool,
    limits: Limits,
    lingering: TaskTracker,
}

impl Connection {
    fn stream(&mut self) -> Pin<&mut Paced> {
        let Some(stream) = &mut self.stream else { unreachable!("nobody uses it any more") };
        Pin::new(stream)
    }

    /// Ends it, and counts that if it is a refusal.
    fn fail(&mut self, refusal: Option<Refusal>) -> io::Error {
        if let (Some(refusal), false) = (refusal, self.failed) {
            self.progress.place.refused(refusal);
        }
        if let (Some(Refusal::Unread), Some(stream)) = (refusal, &self.stream) {
            // With a reset, or the system would keep what wasn't taken, as slowly as the client likes.
            let _ = SockRef::from(&stream.stream).set_linger(Some(Duration::ZERO));
        }
        self.failed = true;
        io::ErrorKind::TimedOut.into()
    }

    /// Ready when the client has had its time to send.
    fn poll_overdue(&mut self, cx: &mut Context<'_>) -> Poll<io::Error> {
        if self.taken.as_mut().poll(cx).is_ready() {
            // Counted by whoever took the place.
            return Poll::Ready(self.fail(None));
        }
        loop {
            let deadline = self.progress.deadline(&self.limits);
            let (at, ends) = match deadline {
                Deadline::None => {
                    self.reading = None;
                    return Poll::Pending;
                }
                Deadline::Again(at) => (at, None),
                Deadline::Ends(at, refusal) => (at, Some(refusal)),
            };
            ready!(poll_timer(&mut self.reading, at, cx));
            if let Some(refusal) = ends {
                return Poll::Ready(self.fail(refusal));
            }
        }
    }

    /// Pending writes fail when the client has taken nothing, or too little, for too long.
    fn write(
        &mut self,
        cx: &mut Context<'_>,
        write: impl FnOnce(Pin<&mut Paced>, &mut Context<'_>) -> Poll<io::Result<usize>>,
    ) -> Poll<io::Result<usize>> {
        let written = write(self.stream(), cx);
        let (now, slowest) = (Instant::now(), self.limits.slowest);
        if let Poll::Ready(written) = written {
            self.taking.take(*written.as_ref().unwrap_or(&0), now, slowest);
            self.writing = None;
            return Poll::Ready(written);
        }
        self.taking.wait(now, slowest);
        if let Some(at) = self.taking.deadline(self.limits.write_within, slowest) {
            ready!(poll_timer(&mut self.writing, at, cx));
        }
        Poll::Ready(Err(self.fail(Some(Refusal::Unread))))
    }
}

/// Ready at `at`, however often that has changed meanwhile.
fn poll_timer(timer: &mut Option<Pin<Box<Sleep>>>, at: Instant, cx: &mut Context<'_>) -> Poll<()> {
    let timer = timer.get_or_insert_with(|| Box::pin(sleep_until(at)));
    if timer.deadline() != at {
        timer.as_mut().reset(at);
    }
    timer.as_mut().poll(cx)
}

impl Drop for Connection {
    fn drop(&mut self) {
        if !self.failed && self.progress.was_slow(&self.limits) {
            self.progress.place.refused(Refusal::Slow);
        }
        // Without a runtime the program is ending, and nothing can be waited for.
        match (self.stream.take(), Handle::try_current()) {
            (Some(mut stream), Ok(runtime)) if !self.failed => {
                // What is drained is mostly the body of a request that was refused early.
                let (within, progress) = (self.limits.body_within, Arc::clone(&self.progress));
                let drained = async move {
                    tokio::select! {
                        () = linger::drain(&mut stream, within) => {}
                        // Its place is another's now.
                        () = progress.place.taken.cancelled() => {}
                    }
                    drop(stream);
                    progress.place.release();
                };
                self.lingering.spawn_on(drained, &runtime);
            }
            _ => self.progress.place.release(),
        }
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.stream().poll_read(cx, buf) {
            // A reset means, like a close, that the peer sends nothing more; what was read before
            // it still counts.
            Poll::Ready(Err(error)) if error.kind() == io::ErrorKind::ConnectionReset => {
                Poll::Ready(Ok(()))
            }
            Poll::Ready(Err(error)) if error.kind() == TOO_FAST => {
                Poll::Ready(Err(self.fail(None)))
            }
            Poll::Ready(read) => Poll::Ready(read),
            Poll::Pending => self.poll_overdue(cx).map(Err),
        }
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.write(cx, |stream, cx| stream.poll_write(cx, buf))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.write(cx, |stream, cx| stream.poll_write_vectored(cx, bufs))
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.as_ref().is_some_and(Paced::is_write_vectored)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream().poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream().poll_shutdown(cx)
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use tokio::net::TcpListener;

    use super::*;

    #[tokio::test]
    async fn the_system_takes_little_ahead_of_a_slow_line() {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let _client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let (stream, _) = listener.accept().await.unwrap();
        set_up(&stream).unwrap();
        assert!(stream.nodelay().unwrap());
        assert_eq!(SockRef::from(&stream).tcp_notsent_lowat().unwrap(), UNSENT);
    }
}
