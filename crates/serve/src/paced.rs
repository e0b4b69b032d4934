//! A connection's stream, which is read no faster than its owner's pace: also while it is drained at its end.

use std::{
    future::Future as _,
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
    time::{Instant, Sleep, sleep_until},
};

use crate::progress::Progress;

/// An error of a stream of whose owner more came than is taken, which is counted.
pub(crate) const TOO_FAST: io::ErrorKind = io::ErrorKind::QuotaExceeded;

#[derive(Debug)]
pub(crate) struct Paced {
    pub stream: TcpStream,
    progress: Arc<Progress>,
    /// Set while nothing is read, since what was read last makes its owner wait.
    turn: Option<Pin<Box<Sleep>>>,
}

impl Paced {
    pub const fn new(stream: TcpStream, progress: Arc<Progress>) -> Self {
        Self { stream, progress, turn: None }
    }

    /// Notes that so much was read, for which the next read may have to wait.
    fn count(&mut self, bytes: usize) -> io::Result<()> {
        self.progress.hear();
        let wait = self.progress.count_read(bytes).map_err(|_| TOO_FAST)?;
        self.turn = (!wait.is_zero()).then(|| Box::pin(sleep_until(Instant::now() + wait)));
        Ok(())
    }
}

impl AsyncRead for Paced {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if let Some(turn) = &mut self.turn {
            ready!(turn.as_mut().poll(cx));
            self.turn = None;
        }
        let before = buf.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(cx, buf))?;
        let read = buf.filled().len() - before;
        Poll::Ready(if read > 0 { self.count(read) } else { Ok(()) })
    }
}

impl AsyncWrite for Paced {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
