//! Why a console doesn't start. Each text says what was being done and why it failed.

use broker::StoreError as BrokerStoreError;
use engine::{StartError, backup::BackupError, lock::LockError, vault::VaultError};

use crate::{
    present::{
        remedy::{self, Remedy},
        trouble,
    },
    settings::SettingsError,
    view::{Code, Trouble},
};

/// The reason why a console could not start. Nothing is left running.
#[derive(Debug, thiserror::Error)]
pub enum AppError {
    /// A setting from file, environment or flag is not valid.
    #[error("read the settings: set {}: {}", .0.field, .0.problem)]
    Settings(#[from] SettingsError),
    /// Another console holds the data folder, or the folder can't be used.
    #[error("{0}")]
    Folder(#[from] LockError),
    /// The data key is out of reach.
    #[error("{0}")]
    Key(#[from] VaultError),
    /// The store of the embedded broker can't be used.
    #[error("start the broker: {0}")]
    BrokerStore(#[source] engine::StoreError),
    /// The embedded broker doesn't start.
    #[error("{0}")]
    Broker(#[source] broker::StartError),
    /// The engine doesn't start.
    #[error("{0}")]
    Engine(#[from] StartError),
    /// A backup that was restored can't be put in its place.
    #[error("{0}")]
    Restored(#[from] BackupError),
    /// A task of the start died, which is a bug.
    #[error("start the console: a part of it failed ({0})")]
    Internal(String),
}

impl From<broker::StartError> for AppError {
    fn from(error: broker::StartError) -> Self {
        match error {
            broker::StartError::Store(BrokerStoreError::Database(store)) => {
                Self::BrokerStore(store)
            }
            other @ (broker::StartError::Store(BrokerStoreError::InUse)
            | broker::StartError::Bind(_)
            | broker::StartError::Tls(_)
            | broker::StartError::Token(_)
            | broker::StartError::Settings(_)
            | broker::StartError::Serve(_)) => Self::Broker(other),
        }
    }
}

impl AppError {
    /// The code for programs to match on.
    pub fn code(&self) -> Code {
        self.remedy().0
    }

    /// The exit code of a program that could not start: 2 settings, 3 another console has
    /// the folder, 4 the key is out of reach, 5 an address is taken, 6 disk or database,
    /// 1 anything else.
    ///
    /// A database that the key doesn't open is 6: the vault has proved before that the key is this folder's, so it is
    /// the file that is damaged or comes from elsewhere.
    pub const fn exit_code(&self) -> u8 {
        match self {
            Self::Settings(_) => 2,
            Self::Folder(LockError::Held { .. })
            | Self::Restored(BackupError::Folder(LockError::Held { .. })) => 3,
            Self::Key(
                VaultError::Io { .. } | VaultError::NoRandom(_) | VaultError::OldKeyLeft { .. },
            ) => 6,
            Self::Key(_) => 4,
            Self::Broker(_) | Self::Engine(StartError::Listen(_) | StartError::Service(_)) => 5,
            Self::Folder(LockError::Io { .. })
            | Self::BrokerStore(_)
            | Self::Restored(_)
            | Self::Engine(
                StartError::Journal(_) | StartError::Archive(_) | StartError::StoreLost(_),
            ) => 6,
            Self::Engine(StartError::Serve(_) | StartError::Spawn(_)) | Self::Internal(_) => 1,
        }
    }

    /// The error as a trouble for the window.
    pub fn trouble(&self) -> Trouble {
        trouble::new(self, self.remedy())
    }

    fn remedy(&self) -> (Code, &str) {
        match self {
            Self::Settings(error) => (Code::BadInput, &error.remedy),
            Self::Folder(error) => remedy::of_lock(error),
            Self::Key(error) => remedy::of_vault(error),
            Self::BrokerStore(error) => remedy::of_store(error),
            Self::Broker(_) => {
                (Code::CheckAddress, "Quit what uses its address or store, then start again.")
            }
            Self::Engine(error) => of_start(error),
            Self::Restored(error) => remedy::of_backup(error),
            Self::Internal(_) => (Code::Internal, "See the log and report it."),
        }
    }
}

const fn of_start(error: &StartError) -> Remedy {
    match error {
        StartError::Journal(store) | StartError::Archive(store) => remedy::of_store(store),
        StartError::StoreLost(_) => (
            Code::RestoreCopy,
            "Put it back from a copy. To go on without it for good, start once with --accept-lost-data.",
        ),
        StartError::Service(error) => remedy::of_service(*error),
        StartError::Listen(_) => {
            (Code::CheckAddress, "Free that port, or set listen to another address or port.")
        }
        StartError::Serve(_) | StartError::Spawn(_) => {
            (Code::Internal, "Start again, and report it if it stays.")
        }
    }
}

#[cfg(test)]
mod tests {
    use engine::StoreError;

    use super::*;

    #[test]
    fn a_database_that_the_key_does_not_open_is_told_alike_of_each_store_and_names_both_causes() {
        let wrong = StoreError::WrongKey { doing: "open the archive" };
        let broker = BrokerStoreError::Database(wrong.clone());
        let errors: [AppError; 3] = [
            StartError::Journal(wrong.clone()).into(),
            StartError::Archive(wrong).into(),
            broker::StartError::Store(broker).into(),
        ];
        for error in errors {
            assert_eq!((error.code(), error.exit_code()), (Code::RestoreCopy, 6), "{error}");
            let text = error.to_string();
            assert!(text.contains("damaged") && text.contains("another key"), "{text}");
            let Trouble { remedy, .. } = error.trouble();
            for part in ["put it back", "backup", "--salvage"] {
                assert!(remedy.contains(part), "{part} in {remedy}");
            }
        }
        let key = AppError::from(VaultError::WrongKey);
        assert_eq!((key.code(), key.exit_code()), (Code::UnlockKey, 4));
    }

    #[test]
    fn a_broker_of_a_newer_version_is_told_as_an_archive_of_one_is() {
        let newer = engine::StoreError::TooNew { doing: "open the broker's store" };
        let broker: AppError =
            broker::StartError::Store(BrokerStoreError::Database(newer.clone())).into();
        let archive: AppError = StartError::Archive(newer).into();
        for error in [broker, archive] {
            assert_eq!((error.code(), error.exit_code()), (Code::UpdateApp, 6));
            assert!(error.to_string().contains("newer version"), "{error}");
            assert_eq!(error.trouble().remedy, "Start the newer version of Deskhand.");
        }
    }
}
