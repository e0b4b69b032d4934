//! Commands over login sessions in the chat workspace, which show whose device a customer has.
//!
//! Nothing is repeated automatically: if the workspace wants a second factor, the command answers
//! `code_asked`, and the caller sends it again with the code.

use engine::{
    SessionId,
    archive::LookedUp,
    clock::now,
    remote::{
        RocketChat,
        rocketchat::{Factor, FactorPrompt, MOST_ROWS, RocketChatError, Why},
    },
};
use secrecy::ExposeSecret as _;
use serde::Deserialize;
use session::Failure;
use strum::VariantNames;
use ts_rs::TS;

use super::{
    CommandResult, failed, must_exist, parse_id,
    policy::{AuditPolicy, Policy},
};
use crate::{
    Settings,
    app::{App, AuditEntry, Console},
    limits,
    parameters::SecondFactor,
    present::{device, trouble},
    reply::Reply,
    view::{Code, CodeAsked, Trouble},
};

/// Commands over login sessions in the chat workspace.
#[derive(Clone, Deserialize, TS, VariantNames)]
#[serde(tag = "do", rename_all = "snake_case", deny_unknown_fields)]
#[strum(serialize_all = "snake_case")]
pub enum DeviceCommand {
    /// Looks a login session up in the chat workspace and pins it to the session. Answers `device`, or
    /// `code_asked`.
    LookUpDevice {
        /// Which session.
        session: String,
        /// The workspace's id of the login session.
        login_session: String,
        /// The second factor, where one was asked for.
        #[serde(default)]
        #[ts(as = "Option<SecondFactor>", optional)]
        factor: Option<SecondFactor>,
    },
    /// A page of the workspace's login sessions to pick from. Answers `devices`, or `code_asked`.
    Devices {
        /// What was typed; empty for all.
        filter: String,
        /// How many to skip.
        offset: u32,
        /// The second factor, where one was asked for.
        #[serde(default)]
        #[ts(as = "Option<SecondFactor>", optional)]
        factor: Option<SecondFactor>,
    },
    /// Logs a login session out. Answers `done`, or `code_asked`.
    LogOutDevice {
        /// The session that it is pinned to; none from the list.
        #[serde(default)]
        #[ts(optional)]
        session: Option<String>,
        /// The workspace's id of the login session.
        login_session: String,
        /// A person has confirmed it.
        #[serde(default)]
        confirmed: bool,
        /// The second factor, where one was asked for.
        #[serde(default)]
        #[ts(as = "Option<SecondFactor>", optional)]
        factor: Option<SecondFactor>,
    },
}

impl DeviceCommand {
    pub(super) fn policy(&self, _: &Settings) -> Policy {
        Policy::refused_while_locked(match self {
            Self::LookUpDevice { .. } | Self::LogOutDevice { .. } => AuditPolicy::ByHandler,
            Self::Devices { .. } => AuditPolicy::Nothing,
        })
    }

    pub(super) async fn carry_out(self, app: &App, by: &str) -> CommandResult {
        let console = app.console();
        match self {
            Self::LookUpDevice { session, login_session, factor } => {
                look_up(console, &session, &login_session, factor, by).await
            }
            Self::Devices { filter, offset, factor } => {
                list(console, &filter, offset, factor).await
            }
            Self::LogOutDevice { session, login_session, confirmed, factor } => {
                let request = LogOut { session, login_session, confirmed, factor };
                log_out(console, request, by).await
            }
        }
    }
}

/// The longest id of a login session; the workspace's own have 17 characters.
const LONGEST_ID: usize = 128;
/// The longest code or password, in bytes.
const LONGEST_CODE: usize = 256;
/// The newest first; people's names stay together where the times are equal.
const NEWEST_FIRST: &str = r#"{"loginAt":-1}"#;

/// A login session to log out.
struct LogOut {
    session: Option<String>,
    login_session: String,
    confirmed: bool,
    factor: Option<SecondFactor>,
}

async fn look_up(
    console: &Console,
    session: &str,
    login_session: &str,
    factor: Option<SecondFactor>,
    by: &str,
) -> CommandResult {
    let login_session = login_session_id("look up the device", login_session)?;
    let id = parse_id(session)?;
    let chat = {
        let engine = console.engine.require().await?;
        must_exist(&engine, id, "look up the device").await?;
        client(&engine, "look up the device")?
    };
    let factor = match checked(factor) {
        Ok(factor) => factor,
        Err(asked) => return Ok(Reply::CodeAsked { asked }),
    };
    // Called without holding the engine: a slow workspace delays nothing else.
    let found = match chat.info(login_session, factor.as_ref()).await {
        Ok(found) => found,
        Err(error) => return code_or_trouble(error),
    };
    let looked_up = LookedUp { found, at: now(), by: by.to_owned(), logged_out_at: None };
    let pinned = console.engine.require().await?.archive().pin_device(id, looked_up.clone()).await;
    pinned.map_err(|error| trouble::of_store(&error))?;
    let view = device::pinned(&looked_up);
    let text =
        format!("Looked up the login session {login_session}: {}", whose(&view.name, &view.app));
    record(console, by, "device_looked_up", text, Some(id)).await;
    console.updates.announce();
    Ok(Reply::Device { device: view })
}

async fn list(
    console: &Console,
    filter: &str,
    offset: u32,
    factor: Option<SecondFactor>,
) -> CommandResult {
    let chat = client(&*console.engine.require().await?, "list the login sessions")?;
    let factor = match checked(factor) {
        Ok(factor) => factor,
        Err(asked) => return Ok(Reply::CodeAsked { asked }),
    };
    let filter = limits::FILTER.line("list the login sessions", filter)?;
    let page = chat.list_all(MOST_ROWS, offset, &filter, Some(NEWEST_FIRST), factor.as_ref()).await;
    match page {
        Ok(page) => {
            let devices = page.sessions.iter().map(device::listed).collect();
            Ok(Reply::Devices { devices, total: page.total, offset })
        }
        Err(error) => code_or_trouble(error),
    }
}

async fn log_out(console: &Console, request: LogOut, by: &str) -> CommandResult {
    const DOING: &str = "log the login session out";
    let login_session = login_session_id(DOING, &request.login_session)?;
    let id = request.session.as_deref().map(parse_id).transpose()?;
    let chat = {
        let engine = console.engine.require().await?;
        if let Some(id) = id {
            must_exist(&engine, id, DOING).await?;
        }
        client(&engine, DOING)?
    };
    if !request.confirmed {
        return Err(Trouble {
            code: Code::Refused,
            text: "Logging it out ends this login at once on that device: whoever uses it must sign in \
                   again, and what they have not sent is lost. It can't be undone."
                .into(),
            remedy: "Give the command again, confirmed, if this is what you want.".into(),
        });
    }
    let factor = match checked(request.factor) {
        Ok(factor) => factor,
        Err(asked) => return Ok(Reply::CodeAsked { asked }),
    };
    if let Err(error) = chat.log_out(login_session, factor.as_ref()).await {
        return code_or_trouble(error);
    }
    let marked =
        console.engine.require().await?.archive().device_logged_out(login_session, now()).await;
    let text = format!("Logged the login session {login_session} out");
    record(console, by, "device_logged_out", text, id).await;
    console.updates.announce();
    // Checked last, since the login session is logged out in any case.
    marked.map_err(|error| trouble::of_store(&error))?;
    Ok(Reply::Done)
}

/// An id as typed or pasted. The workspace reads it as a pattern, so characters that no id has are
/// not sent.
fn login_session_id<'a>(doing: &str, typed: &'a str) -> Result<&'a str, Trouble> {
    let id = typed.trim();
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_');
    if id.is_empty() || id.len() > LONGEST_ID || !id.bytes().all(plain) {
        return Err(trouble::bad_input(
            &format!(
                "{doing}: an id of a login session has only letters, digits, dashes and underscores"
            ),
            "copy it whole from the workspace, or pick it from the list",
        ));
    }
    Ok(id)
}

fn client(engine: &engine::Engine, doing: &str) -> Result<RocketChat, Trouble> {
    engine.workspace().map_err(failed)?.ok_or_else(|| Trouble {
        code: Code::SetUp,
        text: trouble::sentence(&format!("{doing}: the chat workspace is not set up")),
        remedy: "Give its address, a user id and that user's token in the settings.".into(),
    })
}

/// A second factor that can be sent. One of the wrong shape is asked for again without a call,
/// because the workspace counts wrong ones.
fn checked(given: Option<SecondFactor>) -> Result<Option<Factor>, CodeAsked> {
    let Some(SecondFactor { code, method }) = given else { return Ok(None) };
    let method = method.map(|method| method.trim().to_owned()).filter(|method| !method.is_empty());
    let text = code.0.expose_secret();
    let password = method.as_deref() == Some("password");
    // People type the code as the app shows it, in two groups of digits.
    let bare: String = if password {
        text.to_owned()
    } else {
        text.chars().filter(|c| !c.is_whitespace()).collect()
    };
    let fits = !bare.is_empty() && bare.len() <= LONGEST_CODE;
    if !fits || (!password && !bare.bytes().all(|b| b.is_ascii_graphic())) {
        let method = method.unwrap_or_else(|| "totp".to_owned());
        let asked = FactorPrompt { method, methods: Vec::new(), sent: false };
        return Err(device::code_asked(&asked, true));
    }
    Ok(Some(Factor { method, code: bare.into() }))
}

fn code_or_trouble(error: RocketChatError) -> CommandResult {
    match &error.why {
        Why::FactorNeeded(asked) => {
            Ok(Reply::CodeAsked { asked: device::code_asked(asked, false) })
        }
        Why::FactorWrong(asked) => Ok(Reply::CodeAsked { asked: device::code_asked(asked, true) }),
        Why::NotLoggedIn
        | Why::NoPermission
        | Why::NotFound
        | Why::RateLimited { .. }
        | Why::InvalidParams
        | Why::OtherSession
        | Why::Call(..) => Err(of_chat(&error)),
    }
}

/// The trouble of a failed call, with its own remedy for each failure.
fn of_chat(error: &RocketChatError) -> Trouble {
    let (code, remedy) = match &error.why {
        Why::NotLoggedIn => (
            Code::SignInAgain,
            "Make a new token in the workspace and give it, and its user's id, in the settings.",
        ),
        Why::NoPermission => (
            Code::Refused,
            "Ask the workspace's administrator for the permissions view-device-management and \
             logout-device-management; its plan must have device management, too.",
        ),
        Why::FactorNeeded(_) | Why::FactorWrong(_) => {
            (Code::CodeNeeded, "Give the command again, with the code.")
        }
        Why::NotFound => (
            Code::NotFound,
            "Check the id. The login session may have been logged out, or belong to another workspace.",
        ),
        Why::RateLimited { .. } => (Code::Wait, "Wait a minute; then try again."),
        Why::InvalidParams => (
            Code::Refused,
            "Check the id; if it is right, the workspace may be of a version that has no such call.",
        ),
        Why::OtherSession => (
            Code::Refused,
            "Nothing was kept. Copy the id whole: the workspace takes it as a search pattern and \
             found something else.",
        ),
        Why::Call(failure, _) => of_failure(*failure),
    };
    Trouble { code, text: trouble::sentence(&error.to_string()), remedy: remedy.into() }
}

fn of_failure(failure: Failure) -> (Code, &'static str) {
    match failure {
        Failure::Rejected { .. } => (Code::Refused, "Check what was asked for."),
        other => {
            let of_any = trouble::of_failure("", other);
            let remedy = match of_any.code {
                Code::CheckNetwork => {
                    "Check the network, and the workspace's address in the settings."
                }
                Code::CheckAddress => "Check the workspace's address in the settings.",
                Code::ServiceFault => "Try again later, or ask whoever runs the workspace.",
                _ => "Try again; if it stays so, check the network.",
            };
            (of_any.code, remedy)
        }
    }
}

fn whose(name: &str, app: &str) -> String {
    let or =
        |text: &str, other: &str| if text.is_empty() { other.to_owned() } else { text.to_owned() };
    format!("{}, {}", or(name, "a person without a name"), or(app, "an unknown app"))
}

/// Records the act. An entry that can't be written stands as a trouble; the command succeeds all
/// the same.
async fn record(
    console: &Console,
    by: &str,
    action: &'static str,
    text: String,
    session: Option<SessionId>,
) {
    let _ = console.audit.record(AuditEntry { by: by.to_owned(), action, text, session }).await;
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use engine::remote::Doing;

    use super::*;

    #[test]
    fn each_failure_has_a_message_of_its_own_and_a_remedy() {
        let whys = [
            Why::NotLoggedIn,
            Why::NoPermission,
            Why::NotFound,
            Why::RateLimited { retry_after: Some(Duration::from_millis(30_500)) },
            Why::RateLimited { retry_after: None },
            Why::InvalidParams,
            Why::OtherSession,
            Why::Call(Failure::Unreachable, "nothing answers at the service's address".into()),
        ];
        let troubles: Vec<_> = whys
            .into_iter()
            .map(|why| of_chat(&RocketChatError { doing: Doing::LookUpDevice, why }))
            .collect();
        for (at, trouble) in troubles.iter().enumerate() {
            assert!(trouble.text.starts_with("Look up the device: ") && !trouble.remedy.is_empty());
            assert!(troubles[..at].iter().all(|other| other.text != trouble.text), "{trouble:?}");
        }
        assert!(troubles[3].text.contains("wait 31 s"), "{:?}", troubles[3]);
    }

    #[test]
    fn what_no_id_has_is_refused_before_it_is_sent() {
        for wrong in ["", " ", ".*", "a|b", "Łódź", "a b", &"a".repeat(129)] {
            assert_eq!(login_session_id("x", wrong).unwrap_err().code, Code::BadInput, "{wrong}");
        }
        assert_eq!(login_session_id("x", " uBNL9dTjJ4s6Pjp4K\n").unwrap(), "uBNL9dTjJ4s6Pjp4K");
    }
}
