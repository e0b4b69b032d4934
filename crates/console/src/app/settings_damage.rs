//! Settings that were damaged: said until a person has seen it, recorded, kept aside, and written
//! back as far as they were sound.

use jiff::Timestamp;

use super::Console;
use crate::{
    present::trouble,
    settings::Damage,
    view::{Code, Trouble},
};

/// Keeps aside a file that was damaged while the console ran, and says so, before a change is written in its place.
///
/// # Errors
/// It can't be kept, so nothing may be written.
pub(crate) async fn keep_aside(console: &Console, damage: &Damage) -> Result<(), Trouble> {
    let kept = blocking(console, |source, _| source.keep_aside(Timestamp::now())).await;
    let failed = |why: &str| Trouble {
        code: Code::FreeSpace,
        text: trouble::sentence(&format!("keep the damaged settings' file: {why}")),
        remedy: "Free some space, or correct that file.".into(),
    };
    let kept_in = match kept.map_err(|why| failed(&why))? {
        Some(place) => format!(". As it was, it is kept in {}", place.display()),
        None => String::new(),
    };
    let text = format!("read the settings' file before a change: {}{kept_in}", damage.why);
    let trouble = Trouble {
        code: Code::BadInput,
        text: trouble::sentence(&text),
        remedy: "What could be read of it was kept. Set the rest again.".into(),
    };
    console.hold_up("settings_damaged", trouble).await;
    Ok(())
}

/// Has the vault know that there is a settings' file, so that one that is gone is noticed.
pub(crate) async fn remember_made(console: &Console) {
    let (folder, source) = (console.folder.clone(), console.settings.source.clone());
    let remembered = tokio::task::spawn_blocking(move || {
        if source.is_made() { folder.vault.remember_settings() } else { Ok(()) }
    })
    .await;
    // Tried again at the next start.
    match remembered {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::warn!(%error, "remember that the settings' file was made"),
        Err(error) => tracing::warn!(%error, "remember that the settings' file was made"),
    }
}

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
    if saved.is_ok() {
        remember_made(console).await;
    }
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
