//! Asks the broker for the name of the person who requests the screen, if only the PIN is known.
//! It reveals to the broker nothing but the PIN and this computer's address.

use hyper::StatusCode;
use serde::Deserialize;
use wire::{Pin, shared_screen::Requester};

use crate::{
    dial::{DialError, Dialler},
    end_reason::EndReason,
};

#[derive(Deserialize)]
struct RequesterAnswer {
    success: bool,
    #[serde(flatten)]
    requester: Requester,
}

/// Fetches the names of the person who requests the screen, and of the company.
///
/// # Errors
/// [`EndReason`], if the broker doesn't know the PIN or can't be reached.
pub async fn fetch(dialler: &Dialler, pin: &Pin) -> Result<Requester, EndReason> {
    let path = format!("/api/v1/x/asker?session_pin={}", pin.expose());
    let (status, body) = dialler.get(&path).await?;
    match status {
        StatusCode::OK => match serde_json::from_slice(&body) {
            Ok(RequesterAnswer { success: true, requester }) => Ok(requester),
            Ok(RequesterAnswer { success: false, .. }) | Err(_) => {
                Err(DialError::Answer(dialler.host()).into())
            }
        },
        StatusCode::NOT_FOUND => Err(EndReason::UnknownPin),
        StatusCode::GONE => Err(EndReason::PinOver),
        StatusCode::FORBIDDEN => Err(EndReason::Blocked),
        StatusCode::TOO_MANY_REQUESTS => Err(EndReason::TooMany),
        _ => Err(DialError::Answer(dialler.host()).into()),
    }
}
