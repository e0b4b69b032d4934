//! Carries out a command as its policy says.

use engine::access::Presence;

use super::{
    Command, CommandResult,
    policy::{Act, AuditPolicy, Policy, WhileLocked},
};
use crate::{
    app::{App, AuditEntry, Console},
    present::trouble,
    reply::Reply,
    view::Trouble,
};

impl App {
    /// Carries out a command that the person `by` gave; its changes are pushed to all subscribers.
    /// A signed-in person goes on record in place of `by`.
    ///
    /// # Errors
    /// The reason why the command was not carried out, with the remedy.
    pub async fn command(
        &self,
        command: impl Into<Command> + Send,
        by: &str,
    ) -> Result<Reply, Trouble> {
        let by = self.console().access.recorded_name(by);
        let stopping = self.console().lifecycle.watch.stopping.clone();
        tokio::select! {
            // Checked first, so that no command begins once the console is stopping.
            biased;
            () = stopping.cancelled() => Err(trouble::stopping()),
            result = dispatch(self, command.into(), &by) => result,
        }
    }
}

async fn dispatch(app: &App, command: Command, by: &str) -> CommandResult {
    let console = app.console();
    let Policy { while_locked, audit } = command.policy(&console.settings.current());
    check_lock(console, while_locked)?;
    match audit {
        AuditPolicy::Nothing | AuditPolicy::ByHandler => command.carry_out(app, by).await,
        AuditPolicy::Before(act) => {
            // Without its entry on the disk the command is not carried out.
            console.audit.record(act.entry(by)).await?;
            let result = command.carry_out(app, by).await;
            let not_done = result.as_ref().err().map(|trouble| not_done(act, by, trouble));
            record_after(console, not_done, result).await
        }
        AuditPolicy::After(act) => {
            let result = command.carry_out(app, by).await;
            let done = result.as_ref().ok().map(|reply| done(&act, by, reply));
            record_after(console, done, result).await
        }
    }
}

/// The one place that refuses commands while the console is locked.
fn check_lock(console: &Console, while_locked: WhileLocked) -> Result<(), Trouble> {
    let first_start = matches!(console.access.state.presence(), Presence::FirstStart { .. });
    let allowed = match while_locked {
        WhileLocked::Allowed => true,
        WhileLocked::AllowedAtFirstStart => first_start,
        WhileLocked::Refused => false,
    };
    if allowed || !console.access.state.is_locked() {
        return Ok(());
    }
    let mut trouble = trouble::locked();
    if first_start {
        // Nobody could sign in.
        trouble.remedy = "Create a profile with a passkey.".into();
    }
    Err(trouble)
}

/// The entry for an act that the log announced and that then failed.
fn not_done(act: Act, by: &str, trouble: &Trouble) -> AuditEntry {
    let text = format!("It was not done: {} {}", act.text, trouble.text);
    Act { action: "not_done", text, ..act }.entry(by)
}

fn done(act: &Act, by: &str, reply: &Reply) -> AuditEntry {
    let mut entry = act.entry(by);
    // Only a new session has an id that the command didn't name.
    if let Reply::Session { id } = reply {
        entry.session = id.parse().ok();
    }
    entry
}

/// Records an entry, if there is one, and passes the result on. An entry that can't be recorded
/// stands as a trouble.
async fn record_after(
    console: &std::sync::Arc<Console>,
    entry: Option<AuditEntry>,
    result: CommandResult,
) -> CommandResult {
    let audit = console.audit.clone();
    // In a task of its own: the act is done, so it is recorded even if the caller goes away.
    let task = console.lifecycle.watch.tasks.spawn(async move {
        if let Some(entry) = entry {
            let _ = audit.record(entry).await;
        }
        result
    });
    task.await.unwrap_or_else(|_| Err(trouble::stopping()))
}
