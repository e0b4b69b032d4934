//! A TCP proxy between the customer's program and the broker, with which a test cuts or stalls
//! the connection.

use std::{io, net::SocketAddr};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::watch,
    task::JoinHandle,
};

/// The most bytes that are forwarded at a time.
const PIECE: usize = 64 << 10;

/// Forwards TCP connections to the broker.
#[derive(Debug)]
pub struct Link {
    addr: SocketAddr,
    state: watch::Sender<LinkState>,
    carries: JoinHandle<()>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum LinkState {
    /// Connections are forwarded to the broker.
    Whole(SocketAddr),
    /// All connections break at once, new ones included.
    Cut,
    /// No byte arrives any more, and no connection breaks. The first `spared` connections that were
    /// ever made go on.
    Silent { spared: usize },
}

impl Link {
    /// A link that breaks every connection until [`Self::leads_to`] is called.
    pub async fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        let (state, seen) = watch::channel(LinkState::Cut);
        Self { addr, state, carries: tokio::spawn(accept(listener, seen)) }
    }

    /// The address to connect to, which never changes.
    pub const fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// From now on, forwards connections to this address.
    pub fn leads_to(&self, broker: SocketAddr) {
        self.state.send_replace(LinkState::Whole(broker));
    }

    /// Breaks every connection.
    pub fn cut(&self) {
        self.state.send_replace(LinkState::Cut);
    }

    /// Holds back all bytes and breaks nothing, like a network that drops all packets. The first
    /// `spared` connections that were ever made go on. What was held back arrives once
    /// [`Self::leads_to`] is called.
    pub fn falls_silent(&self, spared: usize) {
        self.state.send_replace(LinkState::Silent { spared });
    }
}

impl LinkState {
    const fn carries(self, number: usize) -> bool {
        match self {
            Self::Whole(_) | Self::Cut => true,
            Self::Silent { spared } => number < spared,
        }
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        self.carries.abort();
    }
}

async fn accept(listener: TcpListener, state: watch::Receiver<LinkState>) {
    for number in 0.. {
        let Ok((near, _)) = listener.accept().await else { return };
        let (mut opening, mut cut) = (state.clone(), state.clone());
        tokio::spawn(async move {
            let opened = opening.wait_for(|state| !matches!(state, LinkState::Silent { .. })).await;
            let Ok(LinkState::Whole(broker)) = opened.map(|state| *state) else { return };
            let Ok(far) = TcpStream::connect(broker).await else { return };
            for end in [&near, &far] {
                let _ = end.set_nodelay(true);
            }
            let ((from_near, to_near), (from_far, to_far)) = (near.into_split(), far.into_split());
            tokio::select! {
                _ = async { tokio::join!(
                    carry(from_near, to_far, number, opening.clone()),
                    carry(from_far, to_near, number, opening.clone()),
                ) } => {}
                _ = cut.wait_for(|state| *state == LinkState::Cut) => {}
            }
        });
    }
}

/// Forwards one direction until it ends. While the link is silent, an end is held back as well.
async fn carry(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    number: usize,
    mut state: watch::Receiver<LinkState>,
) -> io::Result<()> {
    let mut piece = vec![0; PIECE];
    loop {
        let read = from.read(&mut piece).await;
        let _ = state.wait_for(|state| state.carries(number)).await;
        match read? {
            0 => return to.shutdown().await,
            length => to.write_all(&piece[..length]).await?,
        }
    }
}
