//! The remedy for each error: the code for programs, and the advice for people.
//!
//! Every table names all variants, so that no error can be added without a remedy.

mod files;
mod identity;

use engine::{
    BackgroundFault, CommandError, Misfit, StoreError, TaskFault, lock::LockError,
    reach::ReachError, remote::ServiceError, vault::VaultError,
};
use session::{Failure, Obstacle, program::ProgramObstacle, verification::VerificationObstacle};

pub use self::{
    files::{of_backup, of_download_target},
    identity::{of_brake, of_passkey, of_verification},
};
use crate::view::Code;

/// A code for programs to match on, and advice for people.
pub type Remedy = (Code, &'static str);

/// For a session that doesn't exist.
pub const NO_SESSION: Remedy = (Code::NotFound, "Choose a session from the list or the archive.");
/// For commands that come while the console is ending.
pub const STOPPING: Remedy = (Code::TryAgain, "Start it again.");
/// For a missing source of random bytes.
pub const NO_RANDOM: Remedy = (Code::Internal, "Restart the computer.");
/// For a database that opens, but has damaged pages.
pub const RESTORE_OR_SALVAGE: &str = "Restore a backup, in the settings or by \"deskhand restore\", or save what can be read by \"deskhand doctor --salvage\".";
/// For a database that this folder's key doesn't open.
pub const OWN_FILE_OR_RESTORE: &str = "If the file comes from another folder, put it back \
     with that folder's own files. If it is damaged, restore a backup by \"deskhand restore\"; \
     \"deskhand doctor --salvage\" saves what can be read of the others.";
/// For a page of ours that can't be served.
pub const NO_PORT: Remedy =
    (Code::TryAgain, "Try again; if it stays so, start the computer again.");

pub const fn of_failure(failure: Failure) -> Remedy {
    match failure {
        // The remote-support service knows no sign-in: something else stands at its address.
        Failure::Unauthorized => (
            Code::CheckAddress,
            "Check the service's address in the settings; if it is right, ask whoever runs the \
             service or the network.",
        ),
        Failure::RateLimited { .. } => (Code::Wait, "Wait a little; then try again."),
        Failure::Unreachable => {
            (Code::CheckNetwork, "Check the network, and the service's address in the settings.")
        }
        Failure::NoAnswer | Failure::TimedOut => {
            (Code::TryAgain, "Try again; if it stays so, check the network.")
        }
        Failure::Rejected { status: 507 } => (
            Code::ServiceFault,
            "Try again later, or ask whoever runs the service to allow more sessions; those that are live go on.",
        ),
        Failure::Rejected { .. } => (
            Code::Refused,
            "Check the request. If the PIN is no longer valid, start a new session.",
        ),
        Failure::Faulty { .. } => {
            (Code::ServiceFault, "Try again later, or ask whoever runs the service.")
        }
        Failure::Blocked { by } => of_obstacle(by),
        Failure::Malformed => (Code::CheckAddress, "Check the service's address in the settings."),
        Failure::TooLarge { .. } => {
            (Code::ServiceFault, "What is here already is kept; go on in a new session.")
        }
        Failure::NoRegion => {
            (Code::ChooseRegion, "Check the network and try again, or choose a region by hand.")
        }
        Failure::Storage => {
            (Code::FreeSpace, "Free some space and check the data folder's permissions.")
        }
        Failure::Internal => {
            (Code::Internal, "Try again; if it happens again, see the log and report it.")
        }
    }
}

const fn of_obstacle(obstacle: Obstacle) -> Remedy {
    match obstacle {
        Obstacle::CertificateExpired => (
            Code::CheckNetwork,
            "Check this computer's date and time; if they are right, have whoever runs the service \
             renew its certificate.",
        ),
        Obstacle::CertificateOfAnother => (
            Code::CheckAddress,
            "Check the service's address in the settings; if it is right, ask whoever runs the \
             service.",
        ),
        Obstacle::CertificateUntrusted => (
            Code::CheckNetwork,
            "If the service or the network has an authority of its own, install that authority's \
             certificate on this computer; otherwise ask whoever runs the network.",
        ),
        Obstacle::Proxy => (
            Code::CheckNetwork,
            "Put the user name and the password into the proxy's address, as in \
             https_proxy=http://user:password@host:port, and start Deskhand again.",
        ),
        // Firewalls seldom answer so: it is rather another server, or a path that is wrong.
        Obstacle::Gateway { status: 404 } => (
            Code::CheckAddress,
            "Check the service's address in the settings; if it is right, ask whoever runs the \
             service or the network to let Deskhand through.",
        ),
        Obstacle::Gateway { .. } => (
            Code::CheckNetwork,
            "Ask whoever runs the service or the network to let Deskhand through.",
        ),
        Obstacle::Redirect => (
            Code::CheckAddress,
            "Open a browser and sign in to the network if it asks for that; otherwise check the \
             service's address in the settings.",
        ),
        Obstacle::NeedsHttps => (
            Code::CheckAddress,
            "Write https:// instead of http:// in the service's address in the settings.",
        ),
        Obstacle::BrokeOff => (Code::TryAgain, "Try again; if it stays so, check the network."),
        Obstacle::Encoded => (
            Code::ServiceFault,
            "Ask whoever runs the service, or a gateway before it, to send its answers uncompressed.",
        ),
    }
}

/// A key that doesn't fit counts as damage: by then the vault has proved that its key belongs to
/// the folder.
pub const fn of_store(error: &StoreError) -> Remedy {
    use engine::Remedy as Cause;
    let Some(cause) = error.remedy() else { return STOPPING };
    let code = match cause {
        Cause::FreeSpace | Cause::QuitOther | Cause::AllowWriting | Cause::CheckDisk => {
            Code::FreeSpace
        }
        Cause::ShorterPath => Code::BadInput,
        Cause::RestoreKey | Cause::RestoreCopy => Code::RestoreCopy,
        Cause::Update => Code::UpdateApp,
    };
    let advice = match cause {
        Cause::RestoreCopy => RESTORE_OR_SALVAGE,
        Cause::RestoreKey => OWN_FILE_OR_RESTORE,
        other => other.text(),
    };
    (code, advice)
}

/// For a command that changed nothing because a store refused it.
pub const fn of_refused(error: &StoreError) -> Remedy {
    match error {
        StoreError::DiskFull { .. } => {
            (Code::FreeSpace, "Nothing was changed. Free some space, then try again.")
        }
        other => of_store(other),
    }
}

pub const fn of_vault(error: &VaultError) -> Remedy {
    match error {
        VaultError::KeyringLocked { .. } => {
            (Code::UnlockKey, "Unlock the keyring, then try again.")
        }
        VaultError::KeyringGone { .. } => {
            (Code::UnlockKey, "Start the keyring, or restore Deskhand's entry in it.")
        }
        VaultError::PassphraseNeeded => (Code::UnlockKey, "Enter the passphrase."),
        VaultError::WrongPassphrase => (Code::UnlockKey, "Enter the passphrase again."),
        VaultError::KeyFileMissing { .. }
        | VaultError::RecordMissing { .. }
        | VaultError::RecordDamaged { .. } => {
            (Code::RestoreCopy, "Put that file back from a copy, or restore a backup.")
        }
        VaultError::TooNew { .. } => (Code::UpdateApp, "Start the newer version of Deskhand."),
        VaultError::WrongKey => {
            (Code::UnlockKey, "Put this folder's own key back where it is kept.")
        }
        VaultError::OldKeyLeft { .. } => (Code::FreeSpace, "It is tried again at the next start."),
        VaultError::NoRandom(_) => (Code::FreeSpace, NO_RANDOM.1),
        VaultError::Io { .. } => (Code::FreeSpace, "Check the disk and the folder's permissions."),
    }
}

pub const fn of_lock(error: &LockError) -> Remedy {
    match error {
        LockError::Held { .. } => {
            (Code::AlreadyRunning, "Quit the other Deskhand first, or choose another data folder.")
        }
        LockError::Io { .. } => (Code::FreeSpace, "Check that the folder can be written to."),
    }
}

pub const fn of_command(error: &CommandError) -> Remedy {
    match error {
        CommandError::NoSession(_) => NO_SESSION,
        CommandError::NotSaved(store) | CommandError::Archive(store) => of_refused(store),
        CommandError::Call(call) => of_failure(call.failure),
        CommandError::DownloadTarget(error) => of_download_target(error),
        CommandError::DoesNotFit(misfit) => (Code::BadInput, of_misfit(*misfit)),
        CommandError::NotMade => (Code::FreeSpace, "Free some space and try again."),
        CommandError::NoRandom => NO_RANDOM,
        CommandError::Locked => (Code::Locked, "Sign in."),
        CommandError::Gate { .. } => {
            (Code::Verify, "Verify the customer first, or override the gate with a reason.")
        }
        CommandError::Verification(error) => of_verification(error),
        CommandError::TooSoon { brake, .. } => (Code::Wait, of_brake(brake.why)),
        CommandError::NotSetUp { .. } => {
            (Code::SetUp, "Set it up in the settings, under Services.")
        }
        CommandError::Stopping => STOPPING,
    }
}

const fn of_misfit(misfit: Misfit) -> &'static str {
    match misfit {
        Misfit::NoPin
        | Misfit::OverrideWithoutPin
        | Misfit::Verification(VerificationObstacle::NotLive | VerificationObstacle::TooMany)
        | Misfit::Program(ProgramObstacle::NoPin | ProgramObstacle::Gone) => "Start a new session.",
        Misfit::Verification(VerificationObstacle::UnderWay) => {
            "Wait for the answer, or cancel it first."
        }
        Misfit::NotOver => "Close it first.",
        Misfit::PinNotEnded => "Try again in a moment, or once the PIN is no longer valid.",
        Misfit::Program(ProgramObstacle::UnderWay) => "Wait for it, or cancel it first.",
        Misfit::Program(ProgramObstacle::Saved) => "Carry that file, or start a new session.",
    }
}

pub const fn of_service(error: ServiceError) -> Remedy {
    let remedy = match error {
        ServiceError::BaseUrl => "Give an address like https://host/api/v1.",
        ServiceError::NoRegion => "Put {region} where the region's name goes.",
        ServiceError::RegionUrl => "Give an address like https://{region}.host.",
        ServiceError::UserAgent => "Give it a text without control characters.",
        ServiceError::Certificates => "Install the package ca-certificates.",
        ServiceError::VerificationDomain | ServiceError::VerificationKey => {
            "Copy it from the service's own page."
        }
    };
    (Code::CheckAddress, remedy)
}

pub const fn of_reach(error: ReachError) -> Remedy {
    let remedy = match error {
        ReachError::NoAnswer => "Check the name, the port and the forwarding.",
        ReachError::SomethingElse { .. } => "Check where the public URL leads.",
        ReachError::NothingForService => {
            "Check the name, the port, the forwarding and the firewall."
        }
        ReachError::AnotherForService => "Check where the name leads and what it is forwarded to.",
        ReachError::NotAllowed => {
            "Have the service's operator allow it, or set another public URL."
        }
        ReachError::TooOften => "Wait a minute and test again.",
        ReachError::NoClient => "Install the package ca-certificates.",
    };
    (Code::CheckAddress, remedy)
}

pub const fn of_background(fault: BackgroundFault) -> Remedy {
    match fault.fault {
        TaskFault::Restarted => (Code::Internal, "If this persists, restart Deskhand."),
        TaskFault::Ended => (Code::Internal, "Restart Deskhand."),
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use engine::{
        archive::ArchiveError,
        backup::BackupError,
        remote::{Doing, logintc, passwordless::PasskeyError},
        token::NoRandom,
    };
    use wire::passwordless::LimitError;

    use super::*;

    // The compiler checks that every variant has a remedy; this test checks the remedies' texts.
    #[test]
    fn no_remedy_is_empty() {
        let doing = "open the archive";
        let path = || "/data/x".into();
        let mut all = vec![NO_SESSION, STOPPING, NO_RANDOM, NO_PORT];
        all.extend(
            [
                ArchiveError::DiskFull { doing },
                ArchiveError::Locked { doing },
                ArchiveError::WrongKey { doing },
                ArchiveError::Damaged { doing, why: String::new() },
                ArchiveError::TooNew { doing },
                ArchiveError::ReadOnly { doing },
                ArchiveError::PathTooLong { doing },
                ArchiveError::Io { doing, why: String::new() },
                ArchiveError::Closed { doing },
            ]
            .map(|error| of_store(&error)),
        );
        all.extend(
            [
                VaultError::KeyringLocked { doing },
                VaultError::KeyringGone { why: String::new() },
                VaultError::PassphraseNeeded,
                VaultError::WrongPassphrase,
                VaultError::KeyFileMissing { path: path() },
                VaultError::RecordMissing { path: path() },
                VaultError::RecordDamaged { path: path() },
                VaultError::TooNew { path: path() },
                VaultError::WrongKey,
                VaultError::OldKeyLeft { why: String::new() },
                VaultError::NoRandom(NoRandom),
                VaultError::Io { doing, path: path(), source: io::ErrorKind::NotFound.into() },
            ]
            .map(|error| of_vault(&error)),
        );
        let passkey = Doing::SetAliases;
        all.extend(
            [
                PasskeyError::Unauthorized(passkey),
                PasskeyError::InvalidToken(passkey),
                PasskeyError::ExpiredToken(passkey),
                PasskeyError::AliasConflict(passkey),
                PasskeyError::UnknownCredential(passkey),
                PasskeyError::Limit { doing: passkey, limit: LimitError::UserId },
                PasskeyError::Invalid { doing: passkey, fields: Vec::new() },
            ]
            .map(|error| of_passkey(&error)),
        );
        let push = Doing::AskPhone;
        all.extend(
            [
                logintc::Error::NoDevice,
                logintc::Error::NotEnabled,
                logintc::Error::UnknownUser(push),
                logintc::Error::Input(push, logintc::InputError::Key),
                logintc::Error::Unauthorized(push),
                logintc::Error::WrongDomain(push),
                logintc::Error::Gone(push),
            ]
            .map(|error| of_verification(&error)),
        );
        let file = || std::path::PathBuf::from("/x");
        all.extend(
            [
                BackupError::Taken(file()),
                BackupError::NoFile(file()),
                BackupError::WeakPassphrase(""),
                BackupError::NoConsole(file()),
                BackupError::NotABackup(file()),
                BackupError::TooNew(file()),
                BackupError::WrongPassphrase(file()),
                BackupError::Damaged { path: file(), why: String::new() },
                BackupError::FolderTaken(file()),
                BackupError::Stopped(doing),
            ]
            .map(|error| of_backup(&error)),
        );
        assert!(of_service(ServiceError::NoRegion).1.contains("{region}"));
        assert!(of_passkey(&PasskeyError::ExpiredToken(passkey)).1.contains("clock"));
        assert!(of_verification(&logintc::Error::Unauthorized(push)).1.contains("valid"));
        for (code, remedy) in all {
            assert!(!remedy.is_empty(), "{code:?}");
        }
    }
}
