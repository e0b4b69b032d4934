//! Who asks for the screen, where only the PIN is known: the one thing that is asked of the broker before
//! the customer has agreed. It tells the broker the PIN and this computer's address, and nothing else.

use hyper::StatusCode;
use serde::Deserialize;
use wire::{Pin, screen::Asker};

use crate::{
    dial::{DialError, Dialler},
    end::Ended,
};

#[derive(Deserialize)]
struct Answer {
    success: bool,
    #[serde(flatten)]
    asker: Asker,
}

/// Asks the broker who asks.
///
/// # Errors
/// [`Ended`], if the broker doesn't know the PIN, or isn't reached.
pub async fn ask(dialler: &Dialler, pin: &Pin) -> Result<Asker, Ended> {
    let path = format!("/api/v1/x/asker?session_pin={}", pin.expose());
    let (status, body) = dialler.get(&path).await?;
    match status {
        StatusCode::OK => match serde_json::from_slice(&body) {
            Ok(Answer { success: true, asker }) => Ok(asker),
            Ok(Answer { success: false, .. }) | Err(_) => {
                Err(DialError::Answer(dialler.host()).into())
            }
        },
        StatusCode::NOT_FOUND => Err(Ended::UnknownPin),
        StatusCode::GONE => Err(Ended::PinOver),
        StatusCode::FORBIDDEN => Err(Ended::Blocked),
        StatusCode::TOO_MANY_REQUESTS => Err(Ended::TooMany),
        _ => Err(DialError::Answer(dialler.host()).into()),
    }
}
