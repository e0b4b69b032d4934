//! Streams the customer's program to a file: whole, or not at all.
//!
//! The program carries the session's conf, so the file is its owner's alone (0600), and until it is
//! complete it stands under another name, which is removed on failure, on cancelling and on drop.

use std::{
    fs::File,
    io::{self, Write as _},
    path::PathBuf,
    time::Duration,
};

use reqwest::{Response, header};
use session::Failure;
use tempfile::NamedTempFile;
use tokio_util::sync::CancellationToken;
use url::Url;

use super::{
    download_target::{self, DownloadTarget},
    error::{Cause, malformed, of_transport},
    http::{self, within},
};

/// How a download ended that didn't fail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Download {
    /// The file is complete and on the disk.
    Complete {
        /// Its size.
        bytes: u64,
        /// Where it is.
        path: PathBuf,
    },
    /// It was cancelled and left nothing behind.
    Cancelled,
}

/// No program is larger; an endless answer must not fill the disk.
const MOST_BYTES: u64 = 512 << 20;
/// An answer that isn't a program is read this far, to learn why.
const MOST_EXPLANATION: usize = 1 << 16;

/// `idle` bounds the silence before the answer and between two of its pieces.
///
/// `cancel` is heard wherever the network is waited for; a write to the disk is waited out, so that
/// nothing is left, or appears, after the end.
pub(super) async fn to_file(
    client: &http::Client,
    url: Url,
    idle: Duration,
    into: &DownloadTarget,
    mut progress: impl FnMut(u64, Option<u64>) + Send,
    cancel: &CancellationToken,
) -> Result<Download, Cause> {
    let ask = async { program(within(idle, http::get(client, url)).await?, idle).await };
    let Some(asked) = cancel.run_until_cancelled(ask).await else {
        return Ok(Download::Cancelled);
    };
    let mut response = asked?;
    let total = response.content_length();
    let extension = download_target::extension(response.headers());
    let mut file = beside(into).await?;
    let mut bytes = 0;
    progress(bytes, total);
    loop {
        let piece = async { response.chunk().await.map_err(|error| of_transport(&error)) };
        let Some(waited) = cancel.run_until_cancelled(within(idle, piece)).await else {
            return Ok(Download::Cancelled);
        };
        let Some(piece) = waited? else { break };
        bytes += piece.len() as u64;
        // The announced length is the service's word only.
        if bytes > MOST_BYTES {
            return Err(malformed("the program is too large"));
        }
        file = on_disk(move || file.write_all(&piece).map(|()| file)).await?;
        progress(bytes, total);
    }
    if bytes == 0 {
        return Err(malformed("the service's answer is empty"));
    }
    let into = into.clone();
    let path = on_disk(move || keep(file, &into, &extension)).await?;
    Ok(Download::Complete { bytes, path })
}

/// The answer, if it is a program and not a page or a refusal.
async fn program(response: Response, idle: Duration) -> Result<Response, Cause> {
    let kind = response.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    let kind = kind.unwrap_or_default().to_ascii_lowercase();
    let text = ["application/json", "text/"].iter().any(|text| kind.starts_with(text));
    if response.status().is_success() && !text {
        return Ok(response);
    }
    let status = response.status();
    let body = within(idle, http::body(response, MOST_EXPLANATION)).await?;
    http::succeeded::<serde::de::IgnoredAny>(status, &body)?;
    Err(malformed("the service's answer is not a program"))
}

async fn beside(into: &DownloadTarget) -> Result<NamedTempFile, Cause> {
    let folder = into.folder().to_owned();
    on_disk(move || {
        tempfile::Builder::new().prefix(".deskhand-").suffix(".part").tempfile_in(folder)
    })
    .await
}

/// Gives the complete file the first name that nothing has.
fn keep(mut file: NamedTempFile, into: &DownloadTarget, extension: &str) -> io::Result<PathBuf> {
    // Before it gets its name: a crash must not leave a complete name on half a file.
    file.as_file().sync_all()?;
    for path in into.names(extension) {
        match file.persist_noclobber(&path) {
            Ok(_) => {
                // The name is on the disk only when its folder is.
                if cfg!(unix) {
                    File::open(into.folder())?.sync_all()?;
                }
                return Ok(path);
            }
            Err(taken) if taken.error.kind() == io::ErrorKind::AlreadyExists => file = taken.file,
            Err(failed) => return Err(failed.error),
        }
    }
    Err(io::ErrorKind::AlreadyExists.into())
}

async fn on_disk<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> Result<T, Cause> {
    let storage =
        |why: io::ErrorKind| (Failure::Storage, format!("the file could not be written: {why}"));
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done.map_err(|error| storage(error.kind())),
        Err(_) => Err((Failure::Internal, "writing the file was interrupted".to_owned())),
    }
}
