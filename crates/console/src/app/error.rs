//! Why a console doesn't start, by what helps. Its text says what was being done, why it failed, and
//! what to do next.

use engine::{StartError, lock::LockError, vault::VaultError};

use crate::{
    present::trouble,
    settings::SettingsError,
    view::{Code, Trouble},
};

/// Why a console could not start. Nothing is left running.
#[derive(Debug, thiserror::Error)]
pub enum AppError {
    /// A setting from file, environment or flag can't be.
    #[error("read the settings: {0}")]
    Settings(#[from] SettingsError),
    /// The data folder is another's, or can't be used.
    #[error("{0}")]
    Folder(#[from] LockError),
    /// The key can't be had.
    #[error("{0}")]
    Key(#[from] VaultError),
    /// The embedded broker doesn't start.
    #[error("{0}; quit what uses its address or store, then start again")]
    Broker(#[from] broker::StartError),
    /// The engine doesn't start.
    #[error("{why}{}", next_step(why))]
    Engine {
        #[source]
        why: StartError,
    },
    /// A task of the start died: a bug.
    #[error("start the console: a part of it failed ({0}); see the log and report it")]
    Internal(String),
}

impl From<StartError> for AppError {
    fn from(why: StartError) -> Self {
        Self::Engine { why }
    }
}

impl AppError {
    /// For the program to match on.
    pub fn code(&self) -> Code {
        match self {
            Self::Settings(_) => Code::BadInput,
            Self::Folder(LockError::Held { .. }) => Code::AlreadyRunning,
            Self::Folder(LockError::Io { .. }) => Code::FreeSpace,
            Self::Key(
                VaultError::Io { .. } | VaultError::NoRandom(_) | VaultError::OldKeyLeft { .. },
            ) => Code::FreeSpace,
            Self::Key(_) => Code::UnlockKey,
            Self::Broker(_) => Code::CheckAddress,
            Self::Engine { why } => engine_code(why),
            Self::Internal(_) => Code::Internal,
        }
    }

    /// The exit code of a program that could not start: 2 settings, 3 another console has the
    /// folder, 4 the key is out of reach, 5 an address is taken, 6 disk or database, 1 else.
    pub fn exit_code(&self) -> u8 {
        match self.code() {
            Code::BadInput => 2,
            Code::AlreadyRunning => 3,
            Code::UnlockKey => 4,
            Code::CheckAddress => 5,
            Code::FreeSpace => 6,
            Code::SignInAgain
            | Code::Wait
            | Code::CheckNetwork
            | Code::TryAgain
            | Code::Refused
            | Code::ServiceFault
            | Code::ChooseRegion
            | Code::Locked
            | Code::Verify
            | Code::CodeNeeded
            | Code::SetUp
            | Code::NotFound
            | Code::Internal => 1,
        }
    }

    /// For a window, which shows it.
    pub fn trouble(&self) -> Trouble {
        crate::present::trouble::from_text(self.code(), &self.to_string())
    }
}

fn engine_code(error: &StartError) -> Code {
    match error {
        StartError::Journal(store) => trouble::store_code(store).unwrap_or(Code::Internal),
        StartError::Archive(_) => Code::FreeSpace,
        StartError::Listen(_) | StartError::Service(_) => Code::CheckAddress,
        StartError::Serve(_) | StartError::Spawn(_) => Code::Internal,
    }
}

fn next_step(error: &StartError) -> &'static str {
    match error {
        StartError::Listen(_) => "; free that port, or set listen to another address or port",
        StartError::Serve(_) | StartError::Spawn(_) => "; start again, and report it if it stays",
        // Their own texts end with the remedy.
        StartError::Journal(_) | StartError::Archive(_) | StartError::Service(_) => "",
    }
}
