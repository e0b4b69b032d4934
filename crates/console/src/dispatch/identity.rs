//! Who is at this console: profile, sign-in, lock, passkeys, aliases, and the gate's override.

use std::sync::Arc;

use engine::{
    access::{Person, Presence, Why},
    archive::Aliases,
    clock::now,
    remote::passwordless::Credential,
};
use serde_json::{Map, Value};
use uuid::Uuid;

use super::{Answer, configure, engine, no_session, parse_id, refused};
use crate::{
    app::{Errand, Inner, Noted, begin_ceremony, of_passkey, passkeys as service},
    command::Reply,
    present::trouble,
    settings::name_of,
    view::{AliasesView, Code, PasskeyView, Trouble},
    words,
};

/// A reason's characters.
const REASON: std::ops::RangeInclusive<usize> = 3..=500;
/// A passkey's name has so many characters at most.
const LONGEST_NICKNAME: usize = 64;

pub(super) async fn create_profile(inner: &Arc<Inner>, name: &str, email: &str) -> Answer {
    let doing = "create a profile";
    let person = Person {
        id: Uuid::new_v4(),
        name: words::plain(name, words::LONGEST_NAME),
        email: email.trim().to_owned(),
    };
    if person.name.is_empty() || name.trim().chars().count() > words::LONGEST_NAME {
        let text = format!("{doing}: a name has 1 to {} characters", words::LONGEST_NAME);
        return Err(trouble::bad_input(&text, "give the name that records shall carry"));
    }
    if !words::is_address(&person.email) {
        let text = format!("{doing}: this is no e-mail address");
        return Err(trouble::bad_input(&text, "give one such as anna@example.com"));
    }
    let taken = |other: &Person| other.name == person.name;
    if inner.side(|side| side.people.iter().any(taken)) {
        let text = format!("{doing}: somebody of that name has one here");
        return Err(trouble::bad_input(&text, "sign in, or choose a name that tells you apart"));
    }
    link(inner, Errand::CreateProfile(person)).await
}

pub(super) async fn skip_profile(inner: &Arc<Inner>, by: &str) -> Answer {
    match inner.access.presence() {
        Presence::Open => return Ok(Reply::Done),
        Presence::SignedIn { .. } | Presence::Locked { .. } => {
            return Err(refused(
                "go on without a profile: there is one",
                "Start Deskhand with --forget-profiles to give it up.",
            ));
        }
        Presence::FirstStart { required: true } => {
            return Err(refused(
                "go on without a profile: a setting requires that somebody signs in",
                "Create a profile with a passkey.",
            ));
        }
        Presence::FirstStart { required: false } => {}
    }
    let changes = Map::from_iter([(name_of!(sign_in_skipped).to_owned(), Value::Bool(true))]);
    configure::configure(inner, changes, by).await?;
    inner.ceremony(crate::app::Ceremony::cancel);
    note(inner, by, "profile_skipped", "chose to go on without a profile").await;
    Ok(Reply::Done)
}

pub(super) async fn sign_in(inner: &Arc<Inner>, person: Option<&str>) -> Answer {
    let people = inner.side(|side| side.people.clone());
    if people.is_empty() {
        return Err(refused(
            "sign in: nobody has a profile at this console",
            "Create one with a passkey.",
        ));
    }
    let find = |id: &str| {
        let known = people.iter().find(|person| person.id.to_string() == id).cloned();
        known.ok_or_else(|| Trouble {
            code: Code::NotFound,
            text: "Sign in: nobody of that id has a profile at this console.".into(),
            remedy: "Choose somebody of the list.".into(),
        })
    };
    let person = person.map(find).transpose()?;
    link(inner, Errand::SignIn(person)).await
}

pub(super) fn ceremony_link(inner: &Inner) -> Answer {
    let url = inner.ceremony(|ceremony| ceremony.url());
    let url = url.ok_or_else(|| Trouble {
        code: Code::NotFound,
        text: "Give the link to the step in the browser: none is under way.".into(),
        remedy: "Begin again.".into(),
    })?;
    Ok(Reply::Link { url, by_role: None })
}

pub(super) fn cancel_ceremony(inner: &Inner) -> Answer {
    inner.ceremony(crate::app::Ceremony::cancel);
    inner.tell_change();
    Ok(Reply::Done)
}

pub(super) async fn lock(inner: &Inner) -> Answer {
    match inner.access.presence() {
        Presence::SignedIn { .. } => {
            inner.lock_for(Why::Asked).await;
            Ok(Reply::Done)
        }
        Presence::Locked { .. } => Ok(Reply::Done),
        Presence::FirstStart { .. } | Presence::Open => Err(refused(
            "lock Deskhand: nobody is signed in, so nobody could unlock it",
            "Create a profile with a passkey first.",
        )),
    }
}

pub(super) async fn passkeys(inner: &Inner) -> Answer {
    let doing = "list the passkeys";
    let person = signed_in(inner, doing)?;
    let listed = list(inner, &person, doing).await?;
    let aliases = engine(inner).await?.archive().aliases(person.id).await;
    let Aliases { set, at, hashed } = aliases.map_err(|error| trouble::of_store(&error))?;
    Ok(Reply::Passkeys {
        passkeys: listed.into_iter().map(passkey).collect(),
        aliases: AliasesView { set_here: set, set_at: at.map(|at| at.0), hashing: hashed },
    })
}

pub(super) async fn add_passkey(inner: &Arc<Inner>, nickname: &str) -> Answer {
    let person = signed_in(inner, "add a passkey")?;
    let nickname = words::plain(nickname, LONGEST_NICKNAME);
    if nickname.is_empty() {
        return Err(trouble::bad_input(
            "add a passkey: it has no name",
            "call it by the device that keeps it, such as Laptop",
        ));
    }
    link(inner, Errand::AddPasskey { person, nickname }).await
}

pub(super) async fn delete_passkey(inner: &Inner, id: &str, confirmed: bool, by: &str) -> Answer {
    let doing = "delete the passkey";
    let person = signed_in(inner, doing)?;
    // Asked anew: somebody else's can't be deleted by its id, and the last one is found out.
    let listed = list(inner, &person, doing).await?;
    let Some(found) = listed.iter().find(|passkey| passkey.id == id) else {
        return Err(Trouble {
            code: Code::NotFound,
            text: format!("Delete the passkey: {} has none of that id.", person.name),
            remedy: "Load the list again.".into(),
        });
    };
    if listed.len() == 1 && !confirmed {
        let text = format!(
            "delete the passkey: it is the last one of {}, who can't unlock Deskhand without one",
            person.name
        );
        return Err(refused(&text, "Add another first, or confirm that it shall be deleted."));
    }
    let deleted = service(inner, doing).await?.delete_credential(id).await;
    deleted.map_err(|error| of_passkey(doing, &error))?;
    let name = words::plain(&found.nickname, LONGEST_NICKNAME);
    note(inner, by, "passkey_deleted", &format!("deleted the passkey {name}")).await;
    Ok(Reply::Done)
}

pub(super) async fn set_aliases(
    inner: &Inner,
    aliases: &[String],
    hashing: bool,
    by: &str,
) -> Answer {
    let doing = "set the aliases";
    let person = signed_in(inner, doing)?;
    let set: Vec<String> = aliases.iter().map(|alias| alias.trim().to_owned()).collect();
    let service = service(inner, doing).await?;
    // The limits are looked at before anything is sent.
    let done = service.set_aliases(&person.id.to_string(), &set, hashing).await;
    done.map_err(|error| of_passkey(doing, &error))?;
    let count = words::count(u32::try_from(set.len()).unwrap_or(u32::MAX), "alias", "aliases");
    let kept = Aliases { set, at: Some(now()), hashed: hashing };
    let kept = engine(inner).await?.archive().set_aliases(person.id, kept).await;
    kept.map_err(|error| trouble::of_store(&error))?;
    note(inner, by, "aliases_set", &format!("set {count} in place of those of before")).await;
    Ok(Reply::Done)
}

pub(super) async fn override_gate(inner: &Arc<Inner>, session: &str, reason: &str) -> Answer {
    let doing = "override the verification";
    let id = parse_id(session)?;
    if engine(inner).await?.snapshot(id).is_none() {
        return Err(no_session(doing));
    }
    let person = signed_in(inner, doing)?;
    let typed = reason.trim().chars().count();
    let reason = words::plain(reason, *REASON.end());
    if !REASON.contains(&typed) || !REASON.contains(&reason.chars().count()) {
        let (least, most) = (REASON.start(), REASON.end());
        let text = format!("{doing}: a reason has {least} to {most} characters");
        return Err(trouble::bad_input(&text, "say why this person need not be verified"));
    }
    link(inner, Errand::Override { person, session: id, reason }).await
}

async fn link(inner: &Arc<Inner>, errand: Errand) -> Answer {
    Ok(Reply::Link { url: begin_ceremony(inner, errand).await?, by_role: None })
}

/// Who is signed in; a passkey belongs to somebody.
fn signed_in(inner: &Inner, doing: &str) -> Result<Person, Trouble> {
    inner.access.person().ok_or_else(|| {
        refused(
            &format!("{doing}: nobody is signed in"),
            "Create a profile with a passkey, or sign in.",
        )
    })
}

async fn list(inner: &Inner, person: &Person, doing: &str) -> Result<Vec<Credential>, Trouble> {
    let listed = service(inner, doing).await?.credentials(&person.id.to_string()).await;
    listed.map_err(|error| of_passkey(doing, &error))
}

fn passkey(credential: Credential) -> PasskeyView {
    let plain = |text: &str| words::plain(text, 200);
    PasskeyView {
        nickname: plain(&credential.nickname),
        device: plain(&credential.device),
        country: plain(&credential.country),
        created_at: credential.created_at.map(jiff::Timestamp::as_millisecond),
        last_used_at: credential.last_used_at.map(jiff::Timestamp::as_millisecond),
        id: credential.id,
    }
}

async fn note(inner: &Inner, by: &str, action: &'static str, what: &str) {
    let text = trouble::sentence(what);
    inner.note_or_warn(Noted { by: by.to_owned(), action, text, session: None }).await;
}
