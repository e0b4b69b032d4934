//! The encodings and extensions that a viewer supports, as it lists them in SetEncodings (RFC 6143, 7.5.2).

use crate::encode::{Encoding, Quality};

/// The pseudo-encoding of the pointer's shape, from the poorest to the best.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum CursorEncoding {
    /// XCursor: two colours and a mask.
    X,
    /// Cursor: all colours and a mask.
    Masked,
    /// VMware's cursor: all colours and transparency.
    Vmware,
    /// Cursor With Alpha: all colours, premultiplied with their transparency.
    Alpha,
}

/// The encodings and pseudo-encodings that a viewer takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ClientEncodings {
    pub(crate) encoding: Encoding,
    pub(crate) copy_rect: bool,
    pub(crate) quality: Option<Quality>,
    /// zlib's compression level: 1 to 9.
    pub(crate) level: u32,
    pub(crate) cursor: Option<CursorEncoding>,
    pub(crate) desktop_size: bool,
    pub(crate) extended_desktop_size: bool,
    pub(crate) extended_keys: bool,
    pub(crate) extended_buttons: bool,
    pub(crate) extended_clipboard: bool,
    pub(crate) fence: bool,
    pub(crate) continuous_updates: bool,
}

impl ClientEncodings {
    /// Nothing but Raw, which every viewer has to take (RFC 6143, 7.7.1).
    pub(crate) const NONE: Self = Self {
        encoding: Encoding::Raw,
        copy_rect: false,
        quality: None,
        level: 1,
        cursor: None,
        desktop_size: false,
        extended_desktop_size: false,
        extended_keys: false,
        extended_buttons: false,
        extended_clipboard: false,
        fence: false,
        continuous_updates: false,
    };

    /// Reads the list of SetEncodings.
    pub(crate) fn from_list(encodings: &[i32]) -> Self {
        encodings.iter().fold(Self::NONE, |encodings, encoding| encodings.with(*encoding))
    }

    /// Whether the viewer can follow a change of the screen's size.
    pub(crate) fn can_resize(&self) -> bool {
        self.desktop_size || self.extended_desktop_size
    }

    fn with(mut self, encoding: i32) -> Self {
        // The order is only a hint (RFC 6143, 7.5.2), and viewers list all that they know without knowing this
        // server. So Tight is taken before ZRLE, and the best cursor, wherever they stand.
        match encoding {
            1 => self.copy_rect = true,
            7 => self.encoding = Encoding::Tight,
            16 if self.encoding == Encoding::Raw => self.encoding = Encoding::Zrle,
            -32..=-23 => self.quality = Some(Quality((encoding + 32) as u8)),
            -256..=-247 => self.level = level((encoding + 256) as u32),
            -223 => self.desktop_size = true,
            -239 => self.cursor = self.cursor.max(Some(CursorEncoding::Masked)),
            -240 => self.cursor = self.cursor.max(Some(CursorEncoding::X)),
            -258 => self.extended_keys = true,
            -308 => self.extended_desktop_size = true,
            -312 => self.fence = true,
            -313 => self.continuous_updates = true,
            -314 => self.cursor = self.cursor.max(Some(CursorEncoding::Alpha)),
            -316 => self.extended_buttons = true,
            0x574d_5664 => self.cursor = self.cursor.max(Some(CursorEncoding::Vmware)),
            EXTENDED_CLIPBOARD => self.extended_clipboard = true,
            // SetEncodings may list what this server doesn't know; it is to be ignored.
            _ => (),
        }
        self
    }
}

const EXTENDED_CLIPBOARD: i32 = 0xc0a1_e5ce_u32.cast_signed();

/// zlib's level for the compression level that the viewer asks for, from 0 to 9. The lower third costs so little
/// time that it never delays an update; beyond 6 hardly a byte is saved.
fn level(wanted: u32) -> u32 {
    match wanted {
        0..=3 => 1,
        4..=6 => 3,
        _ => 6,
    }
}
