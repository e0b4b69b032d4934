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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{App, Options};

    const PAGE: usize = 4096;

    #[tokio::test(flavor = "multi_thread")]
    async fn a_damaged_page_of_any_of_the_four_stores_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let app = App::start(Options::for_a_while(folder.path(), "a test")).await.unwrap();
        let console = app.console().clone();
        // Ended, so that each file is complete by itself.
        app.stop().await;
        let find = |store| look(&console.folder, store, oneshot::channel().0);
        for store in STORES {
            let path = console.folder.path.join(store.path);
            assert_eq!(find(store), Ok(()), "{}", store.name);
            let mut bytes = std::fs::read(&path).unwrap();
            let start = bytes.len() / PAGE * 3 / 4 * PAGE;
            bytes[start..start + PAGE].fill(0xff);
            std::fs::write(&path, bytes).unwrap();
            let error = find(store).unwrap_err();
            assert!(matches!(error, StoreError::Damaged { .. }), "{error}");
            tell(&console, store, &error);
            let name = trouble::sentence(store.checking);
            let name = name.trim_end_matches('.');
            let told = console.standing.list();
            assert!(told.iter().any(|trouble| trouble.text.starts_with(name)), "{told:?}");
        }
    }
}
