//! Who accepted the hosted service's licence terms, and when, where a flag, a variable or the settings'
//! file says that they are accepted. `configure` records it in the settings themselves.

use std::sync::Arc;

use engine::StoreError;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{AuditEntry, Console, StoredSettings};
use crate::{Settings, settings::name_of};

const KEPT_AS: &str = "console/licence-consent";

#[derive(Serialize, Deserialize)]
struct Consent {
    by: String,
    at: String,
}

/// Records a consent that is seen for the first time, and has the settings in force say whose it is.
pub(super) async fn record(console: &Console) {
    let settings = console.settings.current();
    // Where the stored settings consent to nothing, who once did speaks for nobody.
    let stored = console.settings.stored();
    let is_stored = stored.get(name_of!(licence_consent)) == Some(&Value::Bool(true));
    if settings.licence_consent_at.is_some() && is_stored {
        return;
    }
    match first_seen(console, settings.licence_consent).await {
        Ok(None) => {}
        Ok(Some(Consent { by, at })) => {
            let settings = Settings {
                licence_consent_at: Some(at),
                licence_consent_by: Some(by),
                ..Settings::clone(&settings)
            };
            let (stored, settings) = (console.settings.stored(), Arc::new(settings));
            console.settings.replace(StoredSettings { stored, settings });
        }
        // Tried again at the next start.
        Err(error) => tracing::error!(%error, "record who accepted the licence terms"),
    }
}

/// The consent, recorded now if it never was. One that was withdrawn is forgotten.
async fn first_seen(console: &Console, accepted: bool) -> Result<Option<Consent>, StoreError> {
    let doing = "record who accepted the licence terms";
    let Some(engine) = console.engine.get().await else {
        return Err(StoreError::Closed { doing });
    };
    let journal = engine.journal();
    let known = journal.marked_readably(KEPT_AS).await?;
    if !accepted {
        if known.is_some() {
            journal.mark(KEPT_AS, None).await?;
        }
        return Ok(None);
    }
    if let Some(consent) = known.and_then(|known| serde_json::from_slice(&known).ok()) {
        return Ok(Some(consent));
    }
    // Nobody is signed in at a start, so it is the operating system's user.
    let by = console.access.recorded_name(&Settings::default().technician);
    let consent = Consent { by: by.clone(), at: jiff::Timestamp::now().to_string() };
    let text =
        "Accepted the hosted service's licence terms, by a flag, a variable or a settings file.";
    let entry = AuditEntry { by, action: "licence_accepted", text: text.into(), session: None };
    // Remembered only once the log has it: otherwise the next start records it.
    if console.audit.record(entry).await.is_ok() {
        let kept = serde_json::to_vec(&consent).unwrap_or_default();
        journal.mark(KEPT_AS, Some(&kept)).await?;
    }
    Ok(Some(consent))
}
