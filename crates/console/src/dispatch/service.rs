//! Commands that ask the service itself: links, abuse, the way from it to us, the outbox.

use std::sync::Arc;

use engine::{
    Engine, SessionId,
    clock::now,
    desktop::View,
    reach::{Reached, Requester},
    remote::Capabilities,
};
use session::verification::Verdict;
use wire::{Pin, screen::Role};

use super::{Answer, engine, failed, parse_id, refused, session_name};
use crate::{
    app::{Inner, Noted, Tested, has_viewer_page, known_reach, test_reach as test},
    command::{OutboxMail, Reply},
    present::trouble,
    view::{Code, GatePolicy, Reach, Trouble},
};

pub(super) async fn viewer_link(inner: &Inner, session: &str, read_only: bool, by: &str) -> Answer {
    let (engine, id) = (engine(inner).await?, parse_id(session)?);
    let by_role = able(inner, &engine).await.is_some_and(|able| able.links_by_role());
    // Without a name: whoever gets the link gives their own.
    let url = if by_role {
        let role = if read_only { Role::Watch } else { Role::Control };
        engine.viewer_link(id, role, "").await
    } else {
        engine.viewer_url(id, read_only, None).await
    };
    let url = url.map_err(failed)?;
    note_unverified(inner, &engine, id, by, "Gave a viewer's link").await;
    let url = url.expose();
    // The broker that comes along gives its link for this computer; a colleague may be elsewhere.
    let here = inner.embedded.get().and_then(|embedded| {
        let path = url.strip_prefix(embedded.origin())?;
        Some(format!("{}{path}", embedded.customers_origin()))
    });
    Ok(Reply::Link { url: here.unwrap_or_else(|| url.to_owned()), by_role: Some(by_role) })
}

pub(super) async fn open_viewer(inner: &Arc<Inner>, session: &str, view: View, by: &str) -> Answer {
    let (engine, id) = (engine(inner).await?, parse_id(session)?);
    if view.chat && inner.desktop.show_chat(id) {
        return Ok(Reply::Done);
    }
    let technician = inner.technician();
    let ours = has_viewer_page(inner)
        && able(inner, &engine).await.is_some_and(|able| able.carries_screens());
    let url = if ours {
        engine.may_view(id).map_err(failed)?;
        let seat = inner.viewers.seat(inner, id, view.read_only, &technician).await;
        seat.map_err(|error| trouble::from_text(Code::TryAgain, &error.to_string()))?
    } else {
        engine.viewer_url(id, view.read_only, Some(&technician)).await.map_err(failed)?
    };
    note_unverified(inner, &engine, id, by, "Opened a viewer").await;
    let name = session_name(inner, &engine, id).await;
    // A window more makes no viewer that is news; before it opens, for its page is quick.
    let first = engine.snapshot(id).is_some_and(|snapshot| snapshot.windows == 0);
    drop(engine);
    if first {
        inner.side(|side| side.own_viewers.insert(id, now()));
    }
    let opened = inner.desktop.open_viewer(id, &name, url, view).await;
    opened.map_err(|error| {
        inner.side(|side| side.own_viewers.remove(&id));
        refused(&error.0, "")
    })?;
    Ok(Reply::Done)
}

/// What the service can do beyond the nine calls.
async fn able(inner: &Inner, engine: &Engine) -> Option<Capabilities> {
    inner.capabilities(engine.client()).await
}

/// A policy that only warns lets pass, and the log has it.
async fn note_unverified(inner: &Inner, engine: &Engine, id: SessionId, by: &str, what: &str) {
    if !matches!(engine.verdict(id), Some(Verdict::Shut { .. })) {
        return;
    }
    let text = format!("{what} though the customer is not verified.");
    let noted = Noted { by: by.to_owned(), action: "viewer_unverified", text, session: Some(id) };
    if let Err(trouble) = inner.note(noted).await {
        tracing::warn!(text = trouble.text, "note an unverified viewer in the audit log");
    }
}

pub(super) async fn report_abuse(inner: &Inner, typed: &str) -> Answer {
    let pin = Pin::from_typed(typed).map_err(|shape| {
        trouble::bad_input(&format!("report the PIN: {shape}"), "type it as it was given")
    })?;
    let engine = engine(inner).await?;
    // Where the disk can't tell, nothing is reported: a wrong report can't be taken back.
    if engine.minted(&pin).await.map_err(|error| trouble::of_store(&error))? {
        return Err(refused(
            "report the PIN: this console gave it out. Reports count against whoever did, so a \
             help desk that reports its own PINs is blocked in the end",
            "Close the session instead.",
        ));
    }
    engine.report_abuse(&pin).await.map_err(failed)?;
    Ok(Reply::Done)
}

pub(super) async fn test_reach(inner: &Inner) -> Answer {
    let tested = test(inner).await;
    let engine = engine(inner).await?;
    let url = engine.hook_base().as_str().trim_end_matches('/');
    Ok(match tested {
        Tested::Came { reached, .. } => {
            Reply::Reach { reach: known_reach(inner, &engine), text: came(url, reached) }
        }
        Tested::Failed(error) => {
            let Trouble { text, remedy, .. } =
                trouble::from_text(Code::CheckAddress, &error.to_string());
            Reply::Reach { reach: Reach::Unreachable, text: format!("{text} {remedy}") }
        }
        Tested::Not => Reply::Reach { reach: Reach::Unknown, text: "Not tested.".into() },
    })
}

/// What a call that came has proved, and what it hasn't.
fn came(url: &str, Reached { by, took }: Reached) -> String {
    let took = took.as_millis();
    match by {
        Requester::Service => {
            format!("{url} leads to this console: the service's call came in {took} ms.")
        }
        Requester::Ourselves => format!(
            "{url} leads to this console: a call from this computer came in {took} ms. The service \
             can't be asked to call, so whether a firewall keeps it away is not known."
        ),
    }
}

pub(super) async fn outbox(inner: &Inner) -> Answer {
    let engine = engine(inner).await?;
    let embedded = inner.embedded.get().filter(|_| inner.settings().base_url.is_none());
    let embedded = embedded.ok_or_else(|| {
        trouble::bad_input(
            "show the outbox: the configured service keeps its own",
            "look there, or leave the base URL empty to use the broker that comes along",
        )
    })?;
    let mails = embedded.handle().outbox().into_iter().rev();
    let mails = mails.map(|mail| OutboxMail {
        at: mail.at.0,
        to: mail.to,
        subject: mail.subject,
        body: if shows_a_viewer(inner, &engine, &mail.body) { HELD_BACK.into() } else { mail.body },
    });
    Ok(Reply::Outbox { mails: mails.collect() })
}

/// Instead of a mail's text that has a viewer's link while the gate is shut.
const HELD_BACK: &str = "This e-mail has a viewer's link. It is not shown while the verification gate \
    of its session is shut.";

/// Whether a mail's text gives away a viewer that the verification gate keeps shut.
fn shows_a_viewer(inner: &Inner, engine: &Engine, body: &str) -> bool {
    let required = inner.settings().verify_gate == GatePolicy::Require;
    let snapshots = engine.snapshots();
    let of = snapshots
        .iter()
        .find(|snapshot| snapshot.pin.as_ref().is_some_and(|pin| body.contains(pin.expose())));
    // A session that is over has no gate to open, and no viewer either.
    let shut = of.and_then(|snapshot| engine.keeps_shut(snapshot.id)).unwrap_or_default();
    required && shut && body.contains("/view?")
}
