//! A link between the customer's program and the broker, which a test can cut or let fall silent.

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

/// Bytes that are carried at a time.
const PIECE: usize = 64 << 10;

/// Carries TCP connections to the broker while it is whole.
#[derive(Debug)]
pub struct Link {
    addr: SocketAddr,
    state: watch::Sender<LinkState>,
    carries: JoinHandle<()>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum LinkState {
    /// Leads to the broker.
    Whole(SocketAddr),
    /// Every connection breaks at once, as do new ones.
    Cut,
    /// Nothing arrives at the other end any more, and nothing breaks; the first so many connections that
    /// were ever made are spared.
    Silent { spared: usize },
}

impl Link {
    /// A link that leads nowhere yet.
    pub async fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        let (state, seen) = watch::channel(LinkState::Cut);
        Self { addr, state, carries: tokio::spawn(accept(listener, seen)) }
    }

    /// Its address, which stays the same; without a scheme.
    pub const fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// From now on it leads there.
    pub fn leads_to(&self, broker: SocketAddr) {
        self.state.send_replace(LinkState::Whole(broker));
    }

    /// Breaks every connection.
    pub fn cut(&self) {
        self.state.send_replace(LinkState::Cut);
    }

    /// Carries nothing more and breaks nothing, but for the first `spared` connections that were ever made:
    /// as a network does that drops all packets. Once it leads somewhere again what was held back arrives.
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

/// Carries one way until its end; an end that comes while the link is silent is held back as well.
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
