//! Deletes a session because a person wants that.

use super::{CommandResult, failed, must_exist, parse_id, refused};
use crate::{app::Console, reply::Reply};

const DOING: &str = "delete the session";

pub(super) async fn delete(console: &Console, session: &str, confirmed: bool) -> CommandResult {
    let (engine, id) = (console.engine.require().await?, parse_id(session)?);
    must_exist(&engine, id, DOING).await?;
    if !confirmed {
        let text = "it is not confirmed. Its chat, notes and pictures can't be brought back";
        let remedy = "If that is meant, give the command again with confirmed: true.";
        return Err(refused(&format!("{DOING}: {text}"), remedy));
    }
    engine.delete_session(id).await.map_err(failed)?;
    console.forget_deleted(&engine, &[id]).await;
    Ok(Reply::Done)
}
