//! The flags of every program: where data and settings are, how the key is obtained,
//! what is logged.
//!
//! A setting comes from its flag, else from its variable, else from the file, else
//! from its default.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use clap::{Arg, ArgMatches, Args, Command, FromArgMatches};
use directories::ProjectDirs;
use engine::desktop::Desktop;
use secrecy::SecretString;
use serde_json::{Map, Value};
use serve::process::LogFormat;

use super::Failed;
use crate::{
    app::{Bundle, IN_THE_BROWSER, Options, Pages, PagesIn},
    settings::{
        SETTINGS_FILE, Settings, SettingsError, SettingsSource, declarations, from_environment,
        from_text,
    },
};

/// The flags that every program takes.
#[derive(Debug, Clone, Default, Args)]
pub struct Global {
    /// The folder with sessions, archive and key
    #[arg(long, global = true, env = "DESKHAND_DATA", value_name = "FOLDER")]
    pub data: Option<PathBuf>,
    /// The settings' file (TOML), whose keys are the flags' names with _ for -; without it, settings.toml
    /// in the data folder
    #[arg(long, global = true, env = "DESKHAND_CONFIG", value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// A file whose first line is the passphrase that wraps the key
    #[arg(long, global = true, env = "DESKHAND_PASSPHRASE_FILE", value_name = "FILE")]
    pub passphrase_file: Option<PathBuf>,
    /// Don't ask the system's keyring; the key lies in the data folder then
    #[arg(long, global = true, env = "DESKHAND_NO_KEYRING", value_parser = clap::builder::FalseyValueParser::new())]
    pub no_keyring: bool,
    /// Forget who has a profile here, for when a passkey is lost; records keep the names
    #[arg(long, global = true)]
    pub forget_profiles: bool,
    /// Start with an empty journal or archive where the old one is gone; the audit log records it
    #[arg(long, global = true)]
    pub accept_lost_data: bool,
    /// The folder that the page for passkeys was built into, for programs without it
    #[arg(
        long = "pages",
        global = true,
        env = "DESKHAND_PAGES",
        value_name = "FOLDER",
        hide = true
    )]
    pub pages_in: Option<PathBuf>,
    /// The page that the program brings along.
    #[arg(skip)]
    pub bundle: Bundle,
    /// What is logged to standard error: error, warn, info, debug, trace, or a filter
    #[arg(
        long,
        global = true,
        env = "DESKHAND_LOG",
        value_name = "FILTER",
        default_value = "warn",
        value_parser = serve::process::log_filter
    )]
    pub log: String,
    /// The form of the log's lines: text, or json for one JSON object a line
    #[arg(
        long,
        global = true,
        env = "DESKHAND_LOG_FORMAT",
        value_name = "FORM",
        default_value = "text"
    )]
    pub log_format: LogFormat,
    /// Settings.
    #[command(flatten)]
    pub settings: SettingFlags,
}

/// The settings among the flags, as texts. Each is also a variable: `--base-url` is
/// `DESKHAND_BASE_URL`.
#[derive(Debug, Clone, Default)]
pub struct SettingFlags(Vec<(&'static str, String)>);

impl Args for SettingFlags {
    fn augment_args(command: Command) -> Command {
        let flags = declarations().iter().filter_map(|setting| {
            let flag = setting.flag.as_ref()?;
            let argument = Arg::new(setting.name).long(flag.long.as_str()).global(true);
            Some(argument.value_name(flag.value).help(flag.help))
        });
        command
            .next_help_heading("Settings (each also as DESKHAND_... and in the file)")
            .args(flags)
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for SettingFlags {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let flags = declarations().iter().filter(|setting| setting.flag.is_some());
        let given = flags.filter_map(|setting| {
            Some((setting.name, matches.get_one::<String>(setting.name)?.clone()))
        });
        Ok(Self(given.collect()))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

impl SettingFlags {
    /// The settings among the flags.
    ///
    /// # Errors
    /// The first flag whose value is not valid.
    pub fn map(&self) -> Result<Map<String, Value>, SettingsError> {
        let given = self.0.iter();
        given.map(|(field, text)| Ok(((*field).to_owned(), from_text(field, text)?))).collect()
    }
}

impl Global {
    /// The data folder: the named one, else the user's own.
    ///
    /// # Errors
    /// A [`Failed`] that asks for a folder, if the user has no home.
    pub(crate) fn data(&self) -> Result<PathBuf, Failed> {
        let own = || ProjectDirs::from("", "", "deskhand").map(|own| own.data_dir().to_owned());
        self.data.clone().or_else(own).ok_or_else(|| {
            Failed::usage(
                "find the data folder: this user has no home folder. Name one with --data.",
            )
        })
    }

    /// The source of the settings.
    ///
    /// # Errors
    /// A flag or variable whose value is not valid.
    pub(crate) fn settings_source(&self) -> Result<SettingsSource, Failed> {
        let file = match &self.config {
            Some(named) => SettingsSource::file_by_hand(named),
            None => SettingsSource::file(self.data()?.join(SETTINGS_FILE)),
        };
        // The order matters: a later call wins, so a flag wins over a variable, and both over
        // the file.
        Ok(file.with(from_environment(variables())?).with(self.settings.map()?))
    }

    /// The settings in force. Blocks for a moment.
    ///
    /// # Errors
    /// A setting whose value is not valid.
    pub(crate) fn settings(&self) -> Result<Settings, Failed> {
        Ok(self.settings_source()?.load()?.settings)
    }

    /// The passphrase, if a file with one was named.
    ///
    /// # Errors
    /// The file can't be read.
    pub(crate) fn passphrase(&self) -> Result<Option<SecretString>, Failed> {
        self.passphrase_file.as_deref().map(first_line).transpose()
    }

    /// The passkey page: from the named folder, else the program's own.
    fn pages(&self) -> Arc<dyn Pages> {
        match &self.pages_in {
            Some(folder) => Arc::new(PagesIn(folder.clone())),
            None => self.bundle.0.clone(),
        }
    }

    /// The options with which a program starts its console.
    ///
    /// # Errors
    /// A flag or variable has a wrong value.
    pub(crate) fn options(
        &self,
        program: &'static str,
        desktop: Arc<dyn Desktop>,
    ) -> Result<Options, Failed> {
        Ok(Options {
            data: self.data()?,
            settings: self.settings_source()?,
            desktop,
            program,
            passphrase: self.passphrase()?,
            use_keyring: !self.no_keyring,
            broker_control: false,
            unattended: false,
            pages: self.pages(),
            in_the_browser: IN_THE_BROWSER,
            forget_profiles: self.forget_profiles,
            accept_lost_data: self.accept_lost_data,
            from_seq: None,
        })
    }

    /// The options with which the window starts its console; logs to standard error from now on.
    ///
    /// # Errors
    /// The flag or variable with a wrong value and what to do, for people.
    pub fn for_window(&self, desktop: Arc<dyn Desktop>) -> Result<Options, String> {
        serve::process::start_log(&self.log, self.log_format);
        self.options("deskhand", desktop).map_err(|failed| failed.to_string())
    }
}

/// The variables whose value is valid Unicode; every setting's value is.
fn variables() -> impl Iterator<Item = (String, String)> {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
}

/// The passphrase in a text: its first line, without the byte order mark that some editors put before it.
pub(super) fn passphrase_of(text: &str) -> &str {
    text.strip_prefix('\u{feff}').unwrap_or(text).lines().next().unwrap_or_default()
}

pub(super) fn first_line(path: &Path) -> Result<SecretString, Failed> {
    let failed = |why: &str| {
        let text = format!("read the passphrase from {}: {why}", path.display());
        Failed::key(text, "Write it on the file's first line, readable for you.")
    };
    // The error's text contains nothing of the file.
    let text = fs::read_to_string(path).map_err(|error| failed(&error.to_string()))?;
    let line = passphrase_of(&text);
    if line.is_empty() { Err(failed("its first line is empty")) } else { Ok(line.into()) }
}

impl From<SettingsError> for Failed {
    fn from(error: SettingsError) -> Self {
        Self::usage(error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory as _, Parser as _};

    use super::*;
    use crate::cli::Arguments;

    #[test]
    fn every_setting_but_those_that_the_console_writes_itself_is_a_flag() {
        let own = ["version", "licence_consent_at", "licence_consent_by", "sign_in_skipped"];
        let mut settings: Vec<String> =
            Settings::default().to_map().into_iter().map(|(name, _)| name).collect();
        settings.retain(|name| !own.contains(&name.as_str()));
        let flags = declarations().iter().filter(|setting| setting.flag.is_some());
        let mut given: Vec<_> = flags.map(|setting| setting.name).collect();
        given.sort_unstable();
        settings.sort();
        assert_eq!(given, settings);
        let command = Arguments::command();
        for name in given {
            let long = name.replace('_', "-");
            assert!(command.get_arguments().any(|flag| flag.get_long() == Some(&long)), "--{long}");
        }
    }

    #[test]
    fn flags_are_taken_before_and_after_the_programs_name() {
        for words in [
            ["deskhand", "--listen", "127.0.0.1:1", "headless"],
            ["deskhand", "headless", "--listen", "127.0.0.1:1"],
        ] {
            let global = Arguments::try_parse_from(words).unwrap().global;
            assert_eq!(global.settings.map().unwrap()["listen"], "127.0.0.1:1");
        }
    }

    #[test]
    fn a_setting_that_cannot_be_is_refused_by_its_name() {
        let words = ["deskhand", "headless", "--lan", "perhaps"];
        let global = Arguments::try_parse_from(words).unwrap().global;
        assert_eq!(global.settings.map().unwrap_err().field, "lan");
    }

    #[test]
    fn the_command_line_is_consistent() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn a_passphrase_is_the_first_line_and_not_empty() {
        use secrecy::ExposeSecret as _;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("passphrase");
        fs::write(&path, "correct horse\nsecond line\n").unwrap();
        assert_eq!(first_line(&path).unwrap().expose_secret(), "correct horse");
        fs::write(&path, "\u{feff}correct horse\r\n").unwrap();
        assert_eq!(first_line(&path).unwrap().expose_secret(), "correct horse");
        fs::write(&path, "\u{feff}\n").unwrap();
        let failed = first_line(&path).unwrap_err();
        assert!(failed.to_string().contains("first line is empty"), "{failed}");
        assert!(first_line(&folder.path().join("missing")).is_err());
    }
}
