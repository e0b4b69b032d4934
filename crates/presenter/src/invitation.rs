//! Finds the session that this start of the program is for: in its own file, in a file with a conf,
//! or on the command line.

use std::{
    fs::File,
    io::{self, BufRead as _, IsTerminal as _, Read as _, Write as _},
    path::Path,
};

use url::Url;
use wire::{
    ConfText, Pin,
    loginwithme::Conf,
    shared_screen::{Requester, Secret},
    trailer::Payload,
};

use crate::{cli::Args, own_program::ProgramError};

/// Bytes of the longest file with a conf or a PIN.
const LONGEST: u64 = 64 * 1024;

/// The session that the screen is to be shared with, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invitation {
    /// The broker's origin.
    pub broker: Url,
    pub pin: Pin,
    /// The conf's text, which proves to the broker that this is the session's own program.
    pub conf: Option<Secret>,
    /// The person who requests the screen; `None` if the broker must be asked.
    pub requester: Option<Requester>,
    /// When the session expires, in seconds since 1970, if it is known.
    pub until: Option<u64>,
    /// Whether the conf says that nobody is at this computer.
    pub unattended: bool,
    /// Whether the terminal shows no progress.
    pub quiet: bool,
    /// Whether the program removes its own file at the end.
    pub self_delete: bool,
}

/// Why no session was found. Its text is shown to the customer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvitationError {
    /// The program's own file is damaged or can't be read.
    #[error(transparent)]
    Program(#[from] ProgramError),
    /// The conf can't be read.
    #[error(
        "The session's configuration is damaged. Download the program again from the page with your PIN."
    )]
    Conf,
    /// The conf names no broker: its service can't carry the screen of this program.
    #[error(
        "The session's configuration names no server that this program can dial. Give one with --broker."
    )]
    NoOrigin,
    /// The file with the conf or the PIN can't be read.
    #[error("The file with the session's {0} can't be read.")]
    File(&'static str),
    /// Neither the program's file nor the command line has the broker's address.
    #[error(
        "This program doesn't know which session to share. Download it from the page with your PIN, or start it in a terminal with --broker."
    )]
    NoBroker,
    /// There is no PIN, and no terminal to ask for one.
    #[error(
        "This program doesn't know the session's PIN. Start it in a terminal, where it asks for it, or use --pin-file."
    )]
    NoPin,
    /// The text doesn't have the form of a PIN.
    #[error("A PIN is three, two and four digits or letters, like 7W2-97-8570.")]
    PinShape,
    /// `--yes` was given, but no conf allows it.
    #[error(
        "--yes needs a configuration which says that nobody is at this computer. Without one you are asked: start it without --yes."
    )]
    Attended,
    /// Both the program's own file and the command line name a session.
    #[error(
        "This program was made for one session and takes no other: start it without --pin, --pin-file and --conf."
    )]
    Two,
}

impl InvitationError {
    /// The program's exit code, as `--help` lists them.
    pub const fn exit_code(self) -> u8 {
        match self {
            Self::Program(_) | Self::Conf => 3,
            Self::NoOrigin
            | Self::File(_)
            | Self::NoBroker
            | Self::NoPin
            | Self::PinShape
            | Self::Attended
            | Self::Two => 2,
        }
    }
}

impl Invitation {
    /// Takes the session from the program's `own` payload or from `args`. If only the PIN is
    /// missing, the terminal asks for it.
    ///
    /// # Errors
    /// [`InvitationError`].
    pub fn from_args(args: &Args, own: Option<Payload>) -> Result<Self, InvitationError> {
        let invitation = match (own, &args.conf) {
            (Some(_), Some(_)) => return Err(InvitationError::Two),
            (Some(_), None) if args.pin.is_some() || args.pin_file.is_some() => {
                return Err(InvitationError::Two);
            }
            (Some(own), None) => Self {
                quiet: own.hide_progress,
                self_delete: own.self_delete,
                ..Self::by_conf(&own.conf, args.broker.as_ref())?
            },
            (None, Some(file)) => {
                let text = read(file, "configuration")?;
                Self::by_conf(&ConfText::from(text.trim().to_owned()), args.broker.as_ref())?
            }
            (None, None) => Self::by_pin(args)?,
        };
        if args.yes && !invitation.unattended {
            return Err(InvitationError::Attended);
        }
        Ok(invitation)
    }

    fn by_conf(text: &ConfText, broker: Option<&Url>) -> Result<Self, InvitationError> {
        let conf = Conf::decode(text).map_err(|_| InvitationError::Conf)?;
        let broker = match (broker, &conf.origin) {
            (Some(broker), _) => broker.clone(),
            (None, Some(origin)) => origin.parse().map_err(|_| InvitationError::Conf)?,
            (None, None) => return Err(InvitationError::NoOrigin),
        };
        Ok(Self {
            broker,
            pin: conf.session_pin.parse().map_err(|_| InvitationError::Conf)?,
            conf: Some(Secret::from(text.expose().to_owned())),
            requester: Some(conf.requester),
            until: Some(conf.ttl),
            unattended: conf.unattended,
            quiet: false,
            self_delete: false,
        })
    }

    fn by_pin(args: &Args) -> Result<Self, InvitationError> {
        let broker = args.broker.clone().ok_or(InvitationError::NoBroker)?;
        let typed = match (&args.pin, &args.pin_file) {
            (Some(pin), _) => pin.expose().to_owned(),
            (None, Some(file)) => first_line(&read(file, "PIN")?),
            (None, None) => ask_for_pin()?,
        };
        Ok(Self {
            broker,
            pin: Pin::from_typed(&typed).map_err(|_| InvitationError::PinShape)?,
            conf: None,
            requester: None,
            until: None,
            unattended: false,
            quiet: false,
            self_delete: false,
        })
    }
}

fn read(file: &Path, what: &'static str) -> Result<String, InvitationError> {
    let mut text = String::new();
    let read = File::open(file).and_then(|file| file.take(LONGEST).read_to_string(&mut text));
    read.map(|_| text).map_err(|_| InvitationError::File(what))
}

fn first_line(text: &str) -> String {
    text.lines().next().unwrap_or_default().to_owned()
}

/// Asks for the PIN in the terminal, if there is one.
fn ask_for_pin() -> Result<String, InvitationError> {
    if !io::stdin().is_terminal() {
        return Err(InvitationError::NoPin);
    }
    eprint!("The session's PIN: ");
    let _ = io::stderr().flush();
    let mut line = String::new();
    let read = io::stdin().lock().take(LONGEST).read_line(&mut line);
    read.map(|_| line).map_err(|_| InvitationError::NoPin)
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;

    #[test]
    fn a_conf_says_everything() {
        let own = own(&conf(true));
        let invitation = Invitation::from_args(&args(&["--yes"]), Some(own)).unwrap();
        assert_eq!(invitation.broker.as_str(), "https://support.example.org/");
        assert_eq!(invitation.pin.expose(), "7W2-97-8570");
        assert_eq!(invitation.requester.unwrap().technician, "Anna");
        assert!(invitation.unattended && invitation.quiet && invitation.self_delete);
    }

    #[test]
    fn yes_needs_a_conf_that_says_unattended() {
        let refused = Invitation::from_args(&args(&["--yes"]), Some(own(&conf(false))));
        assert_eq!(refused.unwrap_err(), InvitationError::Attended);
        let by_pin = args(&["--yes", "--broker", "http://a", "--pin", "7w2978570"]);
        assert_eq!(Invitation::from_args(&by_pin, None).unwrap_err(), InvitationError::Attended);
    }

    #[test]
    fn a_pin_is_taken_as_people_type_it() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("pin");
        std::fs::write(&file, "7w2 97 8570\nand more").unwrap();
        for pin in [["--pin", "7w2-97-8570"], ["--pin-file", file.to_str().unwrap()]] {
            let args = args(&[&["--broker", "http://127.0.0.1:1"][..], &pin].concat());
            let invitation = Invitation::from_args(&args, None).unwrap();
            assert_eq!(invitation.pin.expose(), "7W2-97-8570");
            assert_eq!((invitation.conf, invitation.requester), (None, None));
        }
        let wrong = args(&["--broker", "http://a", "--pin", "geheim"]);
        assert_eq!(Invitation::from_args(&wrong, None).unwrap_err(), InvitationError::PinShape);
        assert!(!format!("{wrong:?}").contains("geheim"));
    }

    #[test]
    fn what_is_damaged_or_missing_is_said() {
        for text in ["", "%%%", "YWJj"] {
            let refused =
                Invitation::from_args(&args(&[]), Some(own(&ConfText::from(text.to_owned()))));
            assert_eq!(refused.unwrap_err(), InvitationError::Conf);
        }
        assert_eq!(Invitation::from_args(&args(&[]), None).unwrap_err(), InvitationError::NoBroker);
        let file = args(&["--conf", "/no/such/file"]);
        let refused = Invitation::from_args(&file, None).unwrap_err();
        assert_eq!((refused, refused.exit_code()), (InvitationError::File("configuration"), 2));
        let two = Invitation::from_args(&file, Some(own(&conf(false)))).unwrap_err();
        assert_eq!(two, InvitationError::Two);
        let hosted = Conf { origin: None, ..Conf::decode(&conf(false)).unwrap() }.encode();
        let refused = Invitation::from_args(&args(&[]), Some(own(&hosted))).unwrap_err();
        assert_eq!(refused, InvitationError::NoOrigin);
    }

    fn args(given: &[&str]) -> Args {
        Args::parse_from([&["deskhand-presenter"], given].concat())
    }

    fn own(conf: &ConfText) -> Payload {
        Payload { conf: conf.clone(), hide_progress: true, self_delete: true }
    }

    fn conf(unattended: bool) -> ConfText {
        Conf {
            ttl: 1,
            session_host: "support.example.org".to_owned(),
            ssh_port: 443,
            sftp_user: String::new(),
            sftp_pass: String::new(),
            rfb_port: 1,
            rfb_enc_key: String::new(),
            pulseaudio_port: 1,
            sftp_port: 1,
            session_pin: "7W2-97-8570".to_owned(),
            host_key: String::new(),
            version: String::new(),
            origin: Some("https://support.example.org".to_owned()),
            requester: Requester { technician: "Anna".to_owned(), company: String::new() },
            unattended,
        }
        .encode()
    }
}
