//! A TCP proxy between the customer's program and the broker, with which a test cuts or stalls
//! the connection.

use std::{
    io,
    net::SocketAddr,
    sync::atomic::{AtomicBool, Ordering},
};

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
/// How a connection to `/live` begins.
const LIVE: &[u8] = b"GET /live ";

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
    /// No byte arrives any more, and no connection breaks.
    Silent,
    /// The same, but not for the connections to `/live`.
    StreamsSilent,
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

    /// Holds back all bytes and breaks nothing, like a network that drops all packets. What was held
    /// back arrives once [`Self::leads_to`] is called.
    pub fn falls_silent(&self) {
        self.state.send_replace(LinkState::Silent);
    }

    /// The same, but the connections to `/live` go on.
    pub fn falls_silent_for_streams(&self) {
        self.state.send_replace(LinkState::StreamsSilent);
    }
}

impl LinkState {
    const fn carries(self, is_live: bool) -> bool {
        match self {
            Self::Whole(_) | Self::Cut => true,
            Self::Silent => false,
            Self::StreamsSilent => is_live,
        }
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        self.carries.abort();
    }
}

async fn accept(listener: TcpListener, state: watch::Receiver<LinkState>) {
    while let Ok((near, _)) = listener.accept().await {
        let (mut opening, mut cut) = (state.clone(), state.clone());
        tokio::spawn(async move {
            let is_open = |state: &LinkState| matches!(state, LinkState::Whole(_) | LinkState::Cut);
            let opened = opening.wait_for(is_open).await;
            let Ok(LinkState::Whole(broker)) = opened.map(|state| *state) else { return };
            let Ok(far) = TcpStream::connect(broker).await else { return };
            for end in [&near, &far] {
                let _ = end.set_nodelay(true);
            }
            let ((from_near, to_near), (from_far, to_far)) = (near.into_split(), far.into_split());
            let is_live = AtomicBool::new(false);
            tokio::select! {
                _ = async { tokio::join!(
                    carry(from_near, to_far, &is_live, opening.clone()),
                    carry(from_far, to_near, &is_live, opening.clone()),
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
    is_live: &AtomicBool,
    mut state: watch::Receiver<LinkState>,
) -> io::Result<()> {
    let mut piece = vec![0; PIECE];
    loop {
        let read = from.read(&mut piece).await;
        // Only the first piece of a connection begins so.
        if read.as_ref().is_ok_and(|length| piece[..*length].starts_with(LIVE)) {
            is_live.store(true, Ordering::SeqCst);
        }
        let _ = state.wait_for(|state| state.carries(is_live.load(Ordering::SeqCst))).await;
        match read? {
            0 => return to.shutdown().await,
            length => to.write_all(&piece[..length]).await?,
        }
    }
}
