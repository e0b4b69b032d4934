//! What is kept in memory while the customer's program is being saved.

use tokio_util::sync::{CancellationToken, DropGuard};
use wire::ConfText;

use crate::{bus::Progress, remote::DownloadTarget};

/// One saving of the program, from a person's confirmation to its end; only in memory.
pub(super) struct ProgramDownload {
    pub place: DownloadTarget,
    /// In memory until the file is complete.
    pub conf: Option<ConfText>,
    pub progress: Option<Progress>,
    pub cancel: CancellationToken,
    /// An actor that dies takes its download along.
    #[expect(dead_code, reason = "it ends the download when it is dropped")]
    pub ends_with_it: DropGuard,
}
