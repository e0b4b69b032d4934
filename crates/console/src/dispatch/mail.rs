//! E-mails: to the customer in the technician's name, to a colleague in the customer's.

use engine::{Engine, SessionId};
use session::{
    About, Input,
    mail::{MOST, Template, When},
};

use super::{Answer, engine, failed, no_session, parse_id};
use crate::{
    app::Inner,
    command::{MailWhen, Reply},
    present::trouble,
    view::Trouble,
    words,
};

/// What a customer without a name is called in a mail.
const NAMELESS: &str = "the customer";

/// An e-mail as it was asked for.
pub(super) struct Asked {
    pub to: String,
    pub to_customer: bool,
    pub when: MailWhen,
}

/// Orders an e-mail of a live session.
pub(super) async fn order(inner: &Inner, session: &str, asked: &Asked, by: &str) -> Answer {
    let (engine, id) = (engine(inner).await?, parse_id(session)?);
    let snapshot = engine.snapshot(id).ok_or_else(|| no_session("order the e-mail"))?;
    if !snapshot.record.is_live() {
        return Err(trouble::bad_input(
            "order the e-mail: this session has no PIN that is still good",
            "start a new session",
        ));
    }
    if snapshot.record.mail.len() >= MOST {
        return Err(trouble::bad_input(
            "order the e-mail: this session has as many as it can keep",
            "withdraw one that waits",
        ));
    }
    let about = snapshot.record.about.clone();
    give(inner, &engine, id, asked, &about, by).await?;
    Ok(Reply::Done)
}

/// Orders what stands as rules for every new session.
pub(super) async fn order_rules(
    inner: &Inner,
    engine: &Engine,
    id: SessionId,
    about: &About,
    by: &str,
) -> Result<(), Trouble> {
    for rule in &inner.settings().mail_rules {
        let asked = Asked { to: rule.to.clone(), to_customer: rule.to_customer, when: rule.when };
        give(inner, engine, id, &asked, about, by).await?;
    }
    Ok(())
}

async fn give(
    inner: &Inner,
    engine: &Engine,
    id: SessionId,
    asked: &Asked,
    about: &About,
    by: &str,
) -> Result<(), Trouble> {
    let to = asked.to.trim();
    if !words::is_address(to) {
        return Err(trouble::bad_input(
            "order the e-mail: this is not an e-mail address",
            "give one like name@example.com",
        ));
    }
    let (template, name) = if asked.to_customer {
        (Template::ToCustomer, inner.settings().technician.clone())
    } else {
        (Template::ToColleague, customer(about))
    };
    let when = match asked.when {
        MailWhen::Now => When::Now,
        MailWhen::NextEvent => When::NextEvent,
        MailWhen::EveryEvent => When::EveryEvent,
    };
    let input = Input::MailOrdered { to: to.to_owned(), template, name, when, by: by.to_owned() };
    engine.order(id, input).await.map_err(failed)
}

/// As the service takes names: at most 64 characters.
fn customer(about: &About) -> String {
    let name = words::plain(&about.customer, 64);
    if name.is_empty() { NAMELESS.to_owned() } else { name }
}
