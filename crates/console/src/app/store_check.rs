//! Looks at every page of every database once after the start, beside everything else.
//!
//! A start reads few pages, so a damaged one could stay unseen until it is the one that is needed. To look at all
//! would make each start longer the more was kept; so nothing waits for this, and what it finds stands as a
//! trouble that names the database.

use std::sync::Arc;

use engine::{
    StoreError,
    backup::{Interrupt, StoreFile},
};
use tokio::sync::oneshot;

use super::{Console, STORES, data_folder::DataFolder, start::hooks_tried};
use crate::{
    present::{remedy::RESTORE_OR_SALVAGE, trouble},
    view::{Code, Trouble},
};

/// Checks all, and then waits for the console's end.
pub(super) async fn follow(console: Arc<Console>) {
    // Hooks come first: they are what the start is waited for.
    hooks_tried(&console).await;
    for store in STORES {
        let found = check(&console, store).await;
        if let Err(error) = found {
            tell(&console, store, &error);
        }
    }
    console.lifecycle.watch.stopping.cancelled().await;
}

/// Checks one, if it is there; the console's end cuts it short.
async fn check(console: &Console, store: StoreFile) -> Result<(), StoreError> {
    let (begins, begun) = oneshot::channel();
    let folder = console.folder.clone();
    let mut checking = tokio::task::spawn_blocking(move || look(&folder, store, begins));
    tokio::select! {
        found = &mut checking => found.unwrap_or(Ok(())),
        () = console.lifecycle.watch.stopping.cancelled() => {
            if let Ok(interrupt) = begun.await {
                interrupt.cut();
            }
            let _ = checking.await;
            Ok(())
        }
    }
}

fn look(
    folder: &DataFolder,
    store: StoreFile,
    begins: oneshot::Sender<Interrupt>,
) -> Result<(), StoreError> {
    if store.is_missing_in(&folder.path) {
        return Ok(());
    }
    store.quick_check_in(&folder.path, &folder.vault, |interrupt| {
        // Nobody waits for it only where the console has ended.
        let _ = begins.send(interrupt);
    })
}

fn tell(console: &Console, store: StoreFile, error: &StoreError) {
    tracing::error!(store = store.name, %error, "look through a database for damage");
    if let StoreError::Damaged { .. } = error {
        console.standing.add(damaged(error));
        console.updates.announce();
    }
}

fn damaged(error: &StoreError) -> Trouble {
    let text = trouble::sentence(&error.to_string());
    Trouble { code: Code::RestoreCopy, text, remedy: RESTORE_OR_SALVAGE.into() }
}
