//! Saves a picture of the customer's screen to its session.

use axum::body::Bytes;
use engine::{SessionId, archive::MOST_PICTURES, clock::now};
use session::Input;

use crate::{
    app::{AuditEntry, Console},
    present::trouble,
    view::{Code, Trouble},
};

/// The largest screen, in pixels per side.
const LARGEST: u32 = 32_768;
/// The memory that a decoder may use in addition to one line.
const MEMORY: usize = 8 << 20;

/// Saves the picture: when this returns, it is in the archive, and the audit log has the person who
/// saved it.
pub(super) async fn save(console: &Console, session: SessionId, png: Bytes) -> Result<(), Trouble> {
    let by = console.access.technician();
    // Decoding a large picture would hold up the other tasks of this thread.
    let png = tokio::task::spawn_blocking(move || is_picture(&png).then(|| png.to_vec()))
        .await
        .map_err(|_| trouble::stopping())?
        .ok_or_else(|| trouble::bad_input("save the picture: it is no PNG", "try again"))?;
    // Checked after the decoding, during which the console may have been locked.
    if console.access.state.is_locked() {
        return Err(trouble::locked());
    }
    let engine = console.engine.require().await?;
    let saved = engine.archive().save_picture(session, png, by.clone(), now()).await;
    if !saved.map_err(|error| trouble::of_store(&error))? {
        return Err(Trouble {
            code: Code::Refused,
            text: format!("Save the picture: this session has {MOST_PICTURES} already."),
            remedy: "Save it from another viewer's page in a browser.".into(),
        });
    }
    if let Err(error) = engine.order(session, Input::PictureSaved { by: by.clone() }).await {
        tracing::warn!(%error, "a saved picture is not in the session's log");
    }
    let text = "Saved a picture of the customer's screen.".to_owned();
    console
        .audit
        .record_or_warn(AuditEntry { by, action: "picture_saved", text, session: Some(session) })
        .await;
    console.updates.announce();
    Ok(())
}

/// Whether these bytes are a PNG to the last pixel. Decoded line by line: a small file can't unfold
/// into more memory than a line has.
pub(crate) fn is_picture(bytes: &[u8]) -> bool {
    let limits = png::Limits { bytes: MEMORY };
    let decoder = png::Decoder::new_with_limits(std::io::Cursor::new(bytes), limits);
    let Ok(mut reader) = decoder.read_info() else { return false };
    let (width, height) = reader.info().size();
    if width > LARGEST || height > LARGEST {
        return false;
    }
    loop {
        match reader.next_row() {
            Ok(Some(_)) => {}
            Ok(None) => return reader.finish().is_ok(),
            Err(_) => return false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn picture(width: u32, height: u32) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut encoder = png::Encoder::new(&mut bytes, width, height);
        encoder.set_color(png::ColorType::Rgba);
        let mut writer = encoder.write_header().unwrap();
        writer.write_image_data(&vec![7; (width * height * 4) as usize]).unwrap();
        writer.finish().unwrap();
        bytes
    }

    #[test]
    fn a_picture_is_one_to_its_end() {
        let whole = picture(64, 48);
        assert!(is_picture(&whole));
        for cut in [0, 8, 20, whole.len() / 2, whole.len() - 13] {
            assert!(!is_picture(&whole[..cut]), "cut at {cut}");
        }
        let mut flipped = whole.clone();
        let middle = flipped.len() / 2;
        flipped[middle] ^= 0x55;
        assert!(!is_picture(&flipped));
        assert!(!is_picture(b"<html></html>"));
    }

    #[test]
    fn a_screen_that_nobody_has_is_refused_by_its_head() {
        assert!(!is_picture(&picture(LARGEST + 1, 1)));
    }
}
