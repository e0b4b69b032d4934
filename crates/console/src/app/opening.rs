//! Opening what a console has on the disk: folder, settings, key and stores, in an order in which nothing is read
//! before it is locked.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use engine::{
    Keys, StartError, Stores,
    access::Person,
    audit_trail::AuditTrail,
    backup::{StoreFile, aside, remove_unfinished, take_staged},
    clock::now,
    lock::FolderLock,
    vault::{self, Vault},
};

use super::{
    AppError, Options,
    data_folder::DataFolder,
    engine_start::audit_trail,
    lost_data::{self, Losses},
    standing_troubles::StandingTroubles,
    unseen_troubles,
};
use crate::settings::Loaded;

pub(super) async fn lost_servers(
    stores: &Stores,
    folder: &Path,
    servers: Vec<lost_data::ServerStore>,
) -> Result<Vec<StoreFile>, AppError> {
    let lost = lost_data::lost_servers(&stores.journal, folder, servers).await;
    Ok(lost.map_err(StartError::Journal)?)
}

/// The data folder and its settings.
pub(super) struct Opened {
    pub folder: Arc<DataFolder>,
    pub loaded: Loaded,
    /// Where the data is in whose place a backup was put.
    pub aside: Vec<PathBuf>,
}

/// Journal and archive, and what they know of earlier starts.
pub(super) struct OpenStores {
    pub stores: Stores,
    pub trail: AuditTrail,
    pub losses: Losses,
}

/// Opens the data folder, which is locked before anything in it is read.
///
/// A backup that was restored takes its place before that.
pub(super) async fn open_folder(options: &Options) -> Result<Opened, AppError> {
    let (path, program, source) = (options.data.clone(), options.program, options.settings.clone());
    let mut vault_options =
        vault::Options { passphrase: options.passphrase.clone(), ..vault::Options::default() };
    if !options.use_keyring {
        vault_options.keyring = None;
    }
    let open = move || {
        take_staged(&path, program, now())?;
        // The lock comes first, so that a second console neither reads half a settings file nor
        // opens a store.
        let lock = FolderLock::take(&path, program, now())?;
        remove_unfinished(&path);
        let aside = aside(&path);
        // Read before the key is asked for: an error in it is known at once.
        let loaded = source.load()?;
        let vault = Vault::open(&path, vault_options.clone())?;
        let was_lost = vault.settings_made() && source.is_missing();
        let loaded = if was_lost { source.load_lost()? } else { loaded };
        if source.is_made()
            && let Err(error) = vault.remember_settings()
        {
            // Tried again at the next start: a full disk must not keep the console from starting.
            tracing::warn!(%error, "remember that the settings' file was made");
        }
        let folder = Arc::new(DataFolder::new(path, vault, vault_options, lock));
        Ok(Opened { folder, loaded, aside })
    };
    // Files and the system's keyring may block.
    match tokio::task::spawn_blocking(open).await {
        Ok(opened) => opened,
        Err(error) => Err(AppError::Internal(error.to_string())),
    }
}

/// Opens journal and archive, and has the vault know of both; troubles that nobody has acknowledged stand again. Those that are gone are an error, or are
/// made anew if that is accepted.
pub(super) async fn open_stores(
    folder: &Arc<DataFolder>,
    standing: &StandingTroubles,
    accept_lost: bool,
) -> Result<OpenStores, AppError> {
    let keys = Keys::from_vault(&folder.vault);
    let (stores, lost) = if accept_lost {
        Stores::open_without_lost(&folder.path, keys).await?
    } else {
        (Stores::open(&folder.path, keys).await?, Vec::new())
    };
    let folder = folder.clone();
    let remembered = tokio::task::spawn_blocking(move || folder.vault.remember_stores()).await;
    match remembered {
        // Tried again at the next start: a full disk must not keep the console from starting.
        Ok(Err(error)) => tracing::warn!(%error, "remember that journal and archive were made"),
        Ok(Ok(())) => {}
        Err(error) => return Err(AppError::Internal(error.to_string())),
    }
    let trail = audit_trail(&stores).await?;
    let mut unseen = unseen_troubles::read(&stores.journal).await.map_err(StartError::Journal)?;
    let journal_is_older =
        lost_data::is_journal_older(&stores, &mut unseen, !lost.is_empty()).await?;
    standing.set_unseen(unseen);
    let losses = Losses { stores: lost, audit_end: !trail.holds(), journal_end: journal_is_older };
    Ok(OpenStores { stores, trail, losses })
}

/// The people with a profile here. If they can't be read, nothing is started: the console would be
/// open to everybody.
pub(super) async fn people(stores: &Stores, forget: bool) -> Result<Vec<Person>, AppError> {
    if forget {
        stores.archive.forget_people().await.map_err(StartError::Archive)?;
    }
    Ok(stores.archive.people().await.map_err(StartError::Archive)?)
}
