//! Why a database call failed, named by its cause; each cause has one remedy.

use std::io;

use rusqlite::ErrorCode;

/// Why a database call failed. `doing` says what was being done.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// The disk is full, so nothing was written.
    #[error("{doing}: the disk is full")]
    DiskFull {
        /// What was being done.
        doing: &'static str,
    },
    /// Another program holds the database.
    #[error("{doing}: another program holds the database")]
    Locked {
        /// What was being done.
        doing: &'static str,
    },
    /// The key does not open the database.
    #[error(
        "{doing}: the key doesn't open this database: it was made with another key, or its beginning is damaged"
    )]
    WrongKey {
        /// What was being done.
        doing: &'static str,
    },
    /// The database or one of its rows is damaged.
    #[error("{doing}: the database is damaged ({why})")]
    Damaged {
        /// What was being done.
        doing: &'static str,
        /// What was found, without any customer's data.
        why: String,
    },
    /// A newer version of Deskhand made the database.
    #[error("{doing}: a newer version of Deskhand made this database")]
    TooNew {
        /// What was being done.
        doing: &'static str,
    },
    /// The file or its folder can't be written to.
    #[error("{doing}: its file or folder must not be written to")]
    ReadOnly {
        /// What was being done.
        doing: &'static str,
    },
    /// The file's path is longer than a database can have.
    #[error("{doing}: the path of the data folder is too long")]
    PathTooLong {
        /// What was being done.
        doing: &'static str,
    },
    /// The file system refused.
    #[error("{doing}: {why}")]
    Io {
        /// What was being done.
        doing: &'static str,
        /// What is wrong, in words for people, or what the operating system said.
        why: String,
    },
    /// The store is closed, because its owner is stopping.
    #[error("{doing}: it is closed already")]
    Closed {
        /// What was being done.
        doing: &'static str,
    },
}

/// What a person can do about a [`StoreError`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Remedy {
    /// Free space on the disk.
    FreeSpace,
    /// Quit the other program that uses the database.
    QuitOther,
    /// Restore the key, or unlock where it is kept.
    RestoreKey,
    /// Restore the database from a copy.
    RestoreCopy,
    /// Update Deskhand.
    Update,
    /// Let the file and its folder be written to.
    AllowWriting,
    /// Choose a data folder with a shorter path.
    ShorterPath,
    /// Check the disk and the folder's permissions.
    CheckDisk,
}

impl Remedy {
    /// For people, in lower case and without a full stop.
    #[must_use]
    pub const fn text(self) -> &'static str {
        match self {
            Self::FreeSpace => "free some space on it",
            Self::QuitOther => "close it, then try again",
            Self::RestoreKey => {
                "put it back with the key that it was made with, or restore it from a copy"
            }
            Self::RestoreCopy => "restore it from a copy",
            Self::Update => "start the newer version of Deskhand",
            Self::AllowWriting => "let this user write to the data folder and the files in it",
            Self::ShorterPath => "choose a data folder with a shorter path",
            Self::CheckDisk => "check the disk and the folder's permissions",
        }
    }
}

impl StoreError {
    /// Its text and what helps, for a program without a place of its own for remedies.
    #[must_use]
    pub fn with_remedy(&self) -> String {
        self.remedy()
            .map_or_else(|| self.to_string(), |remedy| format!("{self}; {}", remedy.text()))
    }

    /// What helps; none if the store was merely closed.
    #[must_use]
    pub const fn remedy(&self) -> Option<Remedy> {
        match self {
            Self::DiskFull { .. } => Some(Remedy::FreeSpace),
            Self::Locked { .. } => Some(Remedy::QuitOther),
            Self::WrongKey { .. } => Some(Remedy::RestoreKey),
            Self::Damaged { .. } => Some(Remedy::RestoreCopy),
            Self::TooNew { .. } => Some(Remedy::Update),
            Self::ReadOnly { .. } => Some(Remedy::AllowWriting),
            Self::PathTooLong { .. } => Some(Remedy::ShorterPath),
            Self::Io { .. } => Some(Remedy::CheckDisk),
            Self::Closed { .. } => None,
        }
    }
}

/// Converts SQLite's errors. Their own texts are for the log: people get the cause in words.
pub fn fault(doing: &'static str) -> impl Fn(rusqlite::Error) -> StoreError + Copy {
    move |error| {
        let cause = cause(doing, &error);
        if cause.remedy() != Some(Remedy::FreeSpace) {
            tracing::debug!(doing, %error, "the database refused");
        }
        cause
    }
}

fn cause(doing: &'static str, error: &rusqlite::Error) -> StoreError {
    let damaged = |why: &str| StoreError::Damaged { doing, why: why.to_owned() };
    let io = |why: &str| StoreError::Io { doing, why: why.to_owned() };
    match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => StoreError::DiskFull { doing },
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => StoreError::Locked { doing },
        // SQLite can't tell an encrypted file from a damaged one: both begin with unknown bytes.
        Some(ErrorCode::NotADatabase) => {
            damaged("it is no database, or an encrypted one and no key was given")
        }
        Some(ErrorCode::DatabaseCorrupt) => damaged("a part of it can't be read"),
        Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied) => StoreError::ReadOnly { doing },
        Some(ErrorCode::CannotOpen) => io("its file can't be opened"),
        Some(ErrorCode::SystemIoFailure) => io("its file can't be read or written"),
        // These are what SQLCipher reports for a page that it can't decrypt, and for all others after it.
        Some(ErrorCode::OutOfMemory | ErrorCode::Unknown) => {
            damaged("a page of it can't be decrypted")
        }
        Some(ErrorCode::TooBig) => io("it is too large to be kept"),
        Some(other) => io(&format!("the database refused it ({other:?})")),
        // An error without a code comes from rusqlite: the row isn't what the query expects.
        None => damaged("something in it is not as it should be"),
    }
}

/// Converts the file system's errors.
pub fn io_fault(doing: &'static str) -> impl Fn(io::Error) -> StoreError + Copy {
    move |error| match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => StoreError::DiskFull { doing },
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
            StoreError::ReadOnly { doing }
        }
        io::ErrorKind::InvalidFilename => StoreError::PathTooLong { doing },
        _ => StoreError::Io { doing, why: error.to_string() },
    }
}
