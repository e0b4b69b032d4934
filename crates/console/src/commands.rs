//! The commands that a person or a script can give the console: the same ones for the window, the
//! program without a window and the tests.
//!
//! Each group of commands has one file with the commands' fields, their `Policy` for
//! the dispatcher, and their handlers. A new command is added in its group's file;
//! nothing else lists commands.

mod archive;
mod audit_log;
mod backup;
mod configure;
mod customer_program;
mod deletion;
mod devices;
mod dispatch;
mod identity_services;
mod mail;
mod passkeys;
mod person_verification;
mod policy;
mod profile;
mod quit;
mod reload;
mod remote_service;
mod send_chat;
mod session;
mod settings;
mod troubles;
mod viewing;

use std::sync::LazyLock;

use engine::{CommandError, Engine, SessionId};
use serde::{Deserialize, Deserializer, de::Error as _};
use serde_json::{Map, Value};
use strum::VariantNames as _;
use ts_rs::TS;

use self::policy::Policy;
pub use self::{
    archive::ArchiveCommand, audit_log::AuditLogCommand, backup::BackupCommand,
    customer_program::CustomerProgramCommand, devices::DeviceCommand,
    identity_services::IdentityServiceCommand, mail::MailCommand, passkeys::PasskeyCommand,
    person_verification::VerificationCommand, profile::ProfileCommand, quit::ProgramCommand,
    remote_service::RemoteServiceCommand, send_chat::ChatCommand, session::SessionCommand,
    settings::SettingsCommand, troubles::TroubleCommand, viewing::ViewingCommand,
};
use crate::{
    Settings,
    app::App,
    present::trouble,
    reply::Reply,
    view::{Code, Trouble},
};

type CommandResult = Result<Reply, Trouble>;

/// Makes [`Command`] out of the groups. Each group is an enum with serde's tag `do`,
/// `policy` and `carry_out`.
macro_rules! command_groups {
    ($($group:ident($commands:ident)),* $(,)?) => {
        /// One command. It answers with a [`Reply`] or a [`Trouble`].
        #[derive(Clone)]
        pub enum Command {
            $(
                #[doc = concat!("See [`", stringify!($commands), "`].")]
                $group($commands),
            )*
        }

        $(
            impl From<$commands> for Command {
                fn from(command: $commands) -> Self {
                    Self::$group(command)
                }
            }
        )*

        /// The names of all commands, as in the field `do`.
        static NAMES: LazyLock<Vec<&'static str>> =
            LazyLock::new(|| [$($commands::VARIANTS),*].concat());

        impl Command {
            /// The TypeScript type of all commands.
            pub fn typescript(config: &ts_rs::Config) -> String {
                [$(<$commands as TS>::inline(config)),*].join(" | ")
            }

            /// Parses the command `name` from its fields; none if no group has it.
            fn read(name: &str, fields: Value) -> Option<serde_json::Result<Self>> {
                $(
                    if $commands::VARIANTS.contains(&name) {
                        return Some(serde_json::from_value(fields).map(Self::$group));
                    }
                )*
                None
            }

            fn policy(&self, settings: &Settings) -> Policy {
                match self {
                    $(Self::$group(command) => command.policy(settings),)*
                }
            }

            async fn carry_out(self, app: &App, by: &str) -> CommandResult {
                match self {
                    $(Self::$group(command) => command.carry_out(app, by).await,)*
                }
            }
        }
    };
}

command_groups! {
    Session(SessionCommand),
    Chat(ChatCommand),
    Mail(MailCommand),
    Viewing(ViewingCommand),
    CustomerProgram(CustomerProgramCommand),
    Archive(ArchiveCommand),
    Settings(SettingsCommand),
    RemoteService(RemoteServiceCommand),
    Profile(ProfileCommand),
    Passkey(PasskeyCommand),
    Verification(VerificationCommand),
    Device(DeviceCommand),
    IdentityService(IdentityServiceCommand),
    AuditLog(AuditLogCommand),
    BackupFile(BackupCommand),
    Trouble(TroubleCommand),
    Program(ProgramCommand),
}

impl<'de> Deserialize<'de> for Command {
    // Written by hand: for an untagged enum of the groups, serde would report every mistake only as
    // "no group fits".
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let fields = Map::deserialize(deserializer)?;
        let name = fields.get("do").ok_or_else(|| D::Error::missing_field("do"))?;
        let name = String::deserialize(name).map_err(D::Error::custom)?;
        match Self::read(&name, Value::Object(fields)) {
            Some(command) => command.map_err(D::Error::custom),
            None => Err(D::Error::unknown_variant(&name, &NAMES)),
        }
    }
}

impl Command {
    /// Whether the command of this name has no fields.
    pub(crate) fn has_no_fields(name: &str) -> bool {
        // serde refuses an unknown field only in commands that have fields, and no command has
        // this one.
        let fields = Map::from_iter(
            [("do", name.into()), ("", Value::Null)].map(|(k, v)| (k.to_owned(), v)),
        );
        Self::read(name, Value::Object(fields)).is_some_and(|command| command.is_ok())
    }
}

#[cfg(test)]
impl Command {
    /// The names of all commands.
    pub(crate) fn names() -> impl Iterator<Item = &'static str> {
        NAMES.iter().copied()
    }

    /// The fields of the command of this name, old names of fields among them.
    pub(crate) fn fields(name: &str) -> Vec<String> {
        if Self::has_no_fields(name) {
            return Vec::new();
        }
        // serde names all fields when it refuses one.
        let fields = serde_json::json!({ "do": name, "": null });
        let Err(error) = serde_json::from_value::<Self>(fields) else { panic!("{name}") };
        let text = error.to_string();
        let (_, expected) = text.split_once("expected").unwrap_or_else(|| panic!("{text}"));
        expected.split('`').skip(1).step_by(2).map(String::from).collect()
    }
}

fn parse_id(text: &str) -> Result<SessionId, Trouble> {
    text.parse().map_err(|_| no_session("find the session"))
}

/// Fails if no session, live or archived, has this id.
async fn must_exist(engine: &Engine, id: SessionId, doing: &str) -> Result<(), Trouble> {
    if engine.snapshot(id).is_some() {
        return Ok(());
    }
    match engine.archive().summary(id).await {
        Ok(Some(_)) => Ok(()),
        Ok(None) => Err(no_session(doing)),
        Err(error) => Err(trouble::of_store(&error)),
    }
}

fn no_session(doing: &str) -> Trouble {
    trouble::not_found(&format!("{doing}: there is none of that id"))
}

fn failed(error: CommandError) -> Trouble {
    trouble::of_command(&error)
}

fn refused(text: &str, remedy: &str) -> Trouble {
    Trouble { code: Code::Refused, text: trouble::sentence(text), remedy: remedy.to_owned() }
}

#[cfg(test)]
mod tests {
    use std::{fs, path::Path};

    use super::*;

    /// Programs that give commands, as people do, and so must name the commands they give.
    const GIVERS: [&str; 5] = [
        "console/src/cli/doctor/",
        "console/src/commands/reload.rs",
        "src-tauri/src/announcer.rs",
        "src-tauri/src/quit.rs",
        "src-tauri/src/running.rs",
    ];

    fn sources(folder: &Path, into: &mut Vec<(String, String)>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                sources(&path, into);
            } else if path.extension().is_some_and(|kind| kind == "rs") {
                let text = fs::read_to_string(&path).unwrap();
                // Tests come last in every file, and may name commands.
                let code = text.split("#[cfg(test)]").next().unwrap().to_owned();
                into.push((path.display().to_string(), code));
            }
        }
    }

    /// `NewSession` for `new_session`.
    fn variant(name: &str) -> String {
        let capital = |word: &str| word[..1].to_uppercase() + &word[1..];
        name.split('_').map(capital).collect()
    }

    /// The enum of a group's commands; empty if the file has none.
    fn group(code: &str) -> &str {
        let start = code.find("#[strum(serialize_all = \"snake_case\")]\npub enum ");
        let group = start.map_or("", |start| &code[start..]);
        group.split("\n}").next().unwrap_or_default()
    }

    #[test]
    fn every_command_is_named_in_one_file() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let mut files = Vec::new();
        sources(&root.join("src"), &mut files);
        sources(&root.join("../../src-tauri/src"), &mut files);
        files.retain(|(path, _)| !GIVERS.iter().any(|giver| path.contains(giver)));
        for name in NAMES.iter() {
            let variant = variant(name);
            let used = format!("Command::{variant}");
            // A command is defined as a variant with fields or without.
            let defined = [format!("\n    {variant} {{"), format!("\n    {variant},")];
            let naming = files.iter().filter(|(_, code)| {
                defined.iter().any(|definition| group(code).contains(definition))
                    || code
                        .match_indices(&used)
                        .any(|(at, _)| !code[at + used.len()..].starts_with(char::is_alphanumeric))
            });
            let naming: Vec<_> = naming.map(|(path, _)| path).collect();
            assert_eq!(naming.len(), 1, "{name}: {naming:?}");
        }
    }

    #[test]
    fn no_two_groups_have_a_command_of_one_name() {
        let mut names = NAMES.clone();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), NAMES.len());
    }
}
