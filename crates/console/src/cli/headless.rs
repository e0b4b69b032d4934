//! `deskhand headless`: the same commands and events as JSON Lines.
//!
//! Commands are carried out one after another, in the order of their lines. A slow reader
//! of standard output loses no event: the next batch is taken from the feed only when the
//! last was written.

use std::{net::SocketAddr, path::Path, sync::Arc};

use clap::Args;
use engine::desktop::Headless;
use serde_json::json;
use tokio::{
    io::AsyncWriteExt as _,
    sync::{Notify, mpsc},
    task::JoinHandle,
    time::{Duration, timeout},
};
use tokio_util::sync::CancellationToken;

use super::{
    End, Failed, Global,
    line_reader::{InputLine, LineReader},
    protocol::{self, PROTOCOL},
};
use crate::{
    app::{App, Feed},
    reply::Reply,
};

/// How many lines may wait for the reader of standard output; after that, everything waits.
const WAITING: usize = 16;
/// How long the reader of standard output may take to accept the last lines.
const LAST_LINES: Duration = Duration::from_secs(5);

/// The flags of `deskhand headless`.
#[derive(Debug, Clone, Args)]
pub struct Flags {
    /// Go on when standard input ends, until Ctrl-C, SIGTERM or the command quit
    #[arg(long, env = "DESKHAND_KEEP_RUNNING")]
    keep_running: bool,
    /// Begin with what happened after this sequence number, for a script that resumes; without it,
    /// with what happens from now on
    #[arg(long, env = "DESKHAND_FROM_SEQ", value_name = "SEQ")]
    from_seq: Option<u64>,
    /// Serve metrics (Prometheus, at /metrics) and health at this address, to whoever reaches it
    #[arg(long, env = "DESKHAND_METRICS", value_name = "IP:PORT")]
    metrics: Option<SocketAddr>,
    /// Who goes on record as having given the commands, in at most 64 characters; without it, the technician of the
    /// settings
    #[arg(long, env = "DESKHAND_BY", value_name = "NAME")]
    by: Option<String>,
}

/// Starts the console, and ends at a signal, at `quit`, or when standard input ends.
pub(super) async fn run(
    global: &Global,
    flags: &Flags,
    stop: &CancellationToken,
    reload: &Notify,
) -> Result<End, Failed> {
    let mut options = global.options("deskhand headless", Arc::new(Headless))?;
    options.from_seq = flags.from_seq;
    let by = flags.by.as_deref().map(protocol::name_of).transpose();
    let by = by.map_err(|why| Failed::usage(format!("take the name of --by: it {why}")))?.flatten();
    let data = options.data.clone();
    // A signal during the start ends the program as well; nothing has been changed yet.
    let app = tokio::select! {
        app = App::start(options) => app?,
        () = stop.cancelled() => return Ok(End::Done),
    };
    let metrics = match flags.metrics.map(|addr| app.tell_metrics(addr)).transpose() {
        Ok(metrics) => metrics,
        Err(error) => {
            app.stop().await;
            return Err(Failed::address(
                error.to_string(),
                "Choose another address for --metrics.",
            ));
        }
    };
    let (out, written) = mpsc::channel(WAITING);
    let writer = tokio::spawn(write(written));
    // The writer can't have ended before its first line.
    let _ = out.send(hello(&data)).await;
    let feed = tokio::spawn(push(app.subscribe(), out.clone()));
    tokio::select! {
        () = obey(&app, flags.keep_running, by, &out) => {}
        () = stop.cancelled() => {}
        () = reload_when_asked(&app, reload) => {}
        // The reader is gone.
        () = out.closed() => tracing::info!("standard output is closed, so this ends"),
    }
    if let Some(metrics) = metrics {
        metrics.shutdown().await;
    }
    finish(app, feed, out, writer).await;
    Ok(End::Done)
}

async fn reload_when_asked(app: &App, reload: &Notify) {
    loop {
        reload.notified().await;
        app.reload().await;
    }
}

/// Ends in good order: the console first, then its last lines are written.
async fn finish(app: App, feed: JoinHandle<()>, out: mpsc::Sender<String>, writer: JoinHandle<()>) {
    // The writer ends once all senders are gone: this one and the feed's.
    drop(out);
    app.stop().await;
    drop(app);
    let last = async {
        let _ = feed.await;
        let _ = writer.await;
    };
    if timeout(LAST_LINES, last).await.is_err() {
        tracing::warn!(
            "standard output isn't read, so its last lines are lost; --from-seq gets them"
        );
    }
}

fn hello(data: &Path) -> String {
    protocol::line(&json!({
        "hello": "deskhand",
        "protocol": PROTOCOL,
        "version": env!("CARGO_PKG_VERSION"),
        "pid": std::process::id(),
        "data": data,
    }))
}

/// Carries out commands one after another.
async fn obey(app: &App, keep_running: bool, by: Option<String>, out: &mpsc::Sender<String>) {
    let mut lines = read_input();
    while let Some(line) = lines.recv().await {
        let Some(request) = protocol::read(line) else { continue };
        let (id, result) = match request {
            Ok(request) => {
                // Not left to the console: the feed and the writer have to end after it.
                if request.command.ends_program() {
                    let _ = out.send(protocol::answer(&request.id, &Ok(Reply::Done))).await;
                    return;
                }
                // Asked each time: the settings may have changed.
                let by = request.by.as_ref().or(by.as_ref()).cloned();
                let by = by.unwrap_or_else(|| app.settings().technician);
                // A working script counts as activity; otherwise the console would lock itself.
                app.active();
                (request.id, app.command(request.command, &by).await)
            }
            Err(bad) => (bad.id, Err(*bad.trouble)),
        };
        if out.send(protocol::answer(&id, &result)).await.is_err() {
            return;
        }
    }
    if keep_running {
        tracing::info!("standard input has ended; going on until Ctrl-C or SIGTERM");
        std::future::pending::<()>().await;
    }
}

/// Reads standard input, at most one line ahead, on a thread of its own: a read can't be cancelled,
/// and the program's end must not wait for it.
fn read_input() -> mpsc::Receiver<InputLine> {
    let (send, lines) = mpsc::channel(1);
    let read = move || {
        let mut input = LineReader::new(std::io::stdin().lock());
        loop {
            match input.next() {
                Ok(Some(line)) => {
                    if send.blocking_send(line).is_err() {
                        return;
                    }
                }
                Ok(None) => return,
                Err(error) => {
                    tracing::error!(%error, "standard input can't be read");
                    return;
                }
            }
        }
    };
    if let Err(error) = std::thread::Builder::new().name("input".to_owned()).spawn(read) {
        tracing::error!(%error, "standard input can't be read");
    }
    lines
}

/// Passes on what the feed pushes, no faster than it is written.
async fn push(mut feed: Feed, out: mpsc::Sender<String>) {
    while let Some(pushes) = feed.next().await {
        let text: String = pushes.iter().map(protocol::line).collect();
        if !text.is_empty() && out.send(text).await.is_err() {
            return;
        }
    }
}

/// Writes to standard output until it is closed or all senders are gone.
async fn write(mut written: mpsc::Receiver<String>) {
    let mut output = tokio::io::stdout();
    while let Some(text) = written.recv().await {
        let done = async {
            output.write_all(text.as_bytes()).await?;
            output.flush().await
        };
        if done.await.is_err() {
            return;
        }
    }
}
