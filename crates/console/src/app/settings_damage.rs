//! Settings that were damaged: said until a person has seen it, recorded, kept aside, and written
//! back as far as they were sound.

use jiff::Timestamp;

use super::Console;
use crate::{
    present::trouble,
    settings::Damage,
    view::{Code, Trouble},
};

/// Says what was damaged, then writes back what was sound. The damaged file stays in its place until
/// the audit log has it, so that nothing is forgotten: the next start finds it again.
pub(super) async fn mend(console: &Console, damage: Damage) {
    let kept = blocking(console, |source, _| source.keep_aside(Timestamp::now())).await;
    let kept_in = match &kept {
        Ok(Some(place)) => format!(". As they were, they are kept in {}", place.display()),
        Ok(None) => String::new(),
        Err(why) => format!(". They could not be kept aside ({why}), so they were not mended"),
    };
    let told = console.hold_up("settings_damaged", told(&damage, &kept_in)).await;
    if !told || kept.is_err() {
        return;
    }
    let saved = blocking(console, |source, stored| source.save(stored)).await;
    if let Err(why) = saved {
        console.standing.add(Trouble {
            code: Code::FreeSpace,
            text: trouble::sentence(&format!("save the settings: {why}")),
            remedy: "Free some space and check the folder's permissions.".into(),
        });
    }
}

async fn blocking<T: Send + 'static>(
    console: &Console,
    work: impl FnOnce(
        &crate::SettingsSource,
        &serde_json::Map<String, serde_json::Value>,
    ) -> Result<T, String>
    + Send
    + 'static,
) -> Result<T, String> {
    let (source, stored) = (console.settings.source.clone(), console.settings.stored());
    let done = tokio::task::spawn_blocking(move || work(&source, &stored)).await;
    done.unwrap_or_else(|error| Err(error.to_string()))
}

fn told(damage: &Damage, kept_in: &str) -> Trouble {
    let Damage { why, guards } = damage;
    let remedy = if guards.is_empty() {
        "What could be read is in force, and defaults for the rest. Set it again.".to_owned()
    } else {
        format!(
            "What could be read is in force. These settings guard this console and count as their \
             strictest values: {}. Set them again.",
            guards.join(", ")
        )
    };
    Trouble {
        code: Code::BadInput,
        text: trouble::sentence(&format!("read the settings: {why}{kept_in}")),
        remedy,
    }
}
