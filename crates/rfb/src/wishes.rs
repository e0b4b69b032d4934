//! What a viewer says that it takes (SetEncodings).

use crate::encode::{Encoding, Quality};

/// How a viewer takes the pointer's shape.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Pointer {
    /// Two colours.
    X,
    /// All colours, with a mask.
    Masked,
    /// VMware's: with transparency.
    Vmware,
    /// With transparency, premultiplied.
    Alpha,
}

/// What a viewer takes. Nothing but Raw, until it says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Wishes {
    pub(crate) encoding: Encoding,
    pub(crate) copies: bool,
    pub(crate) quality: Option<Quality>,
    /// 1 to 9.
    pub(crate) level: u32,
    pub(crate) pointer: Option<Pointer>,
    pub(crate) desktop_size: bool,
    pub(crate) extended_desktop_size: bool,
    pub(crate) extended_keys: bool,
    pub(crate) extended_buttons: bool,
    pub(crate) extended_clipboard: bool,
    pub(crate) fence: bool,
    pub(crate) continuous: bool,
}

impl Wishes {
    pub(crate) const NONE: Self = Self {
        encoding: Encoding::Raw,
        copies: false,
        quality: None,
        level: 1,
        pointer: None,
        desktop_size: false,
        extended_desktop_size: false,
        extended_keys: false,
        extended_buttons: false,
        extended_clipboard: false,
        fence: false,
        continuous: false,
    };

    /// What this list of encodings says. Tight is better than ZRLE, whatever the order: viewers list all
    /// that they know, in an order that knows nothing of this server.
    pub(crate) fn read(encodings: &[i32]) -> Self {
        encodings.iter().fold(Self::NONE, |wishes, encoding| wishes.with(*encoding))
    }

    /// Whether the screen may have another size than at first.
    pub(crate) fn can_resize(&self) -> bool {
        self.desktop_size || self.extended_desktop_size
    }

    fn with(mut self, encoding: i32) -> Self {
        match encoding {
            1 => self.copies = true,
            7 => self.encoding = Encoding::Tight,
            16 if self.encoding == Encoding::Raw => self.encoding = Encoding::Zrle,
            -32..=-23 => self.quality = Some(Quality((encoding + 32) as u8)),
            -256..=-247 => self.level = level((encoding + 256) as u32),
            -223 => self.desktop_size = true,
            -239 => self.pointer = self.pointer.max(Some(Pointer::Masked)),
            -240 => self.pointer = self.pointer.max(Some(Pointer::X)),
            -258 => self.extended_keys = true,
            -308 => self.extended_desktop_size = true,
            -312 => self.fence = true,
            -313 => self.continuous = true,
            -314 => self.pointer = self.pointer.max(Some(Pointer::Alpha)),
            -316 => self.extended_buttons = true,
            0x574d_5664 => self.pointer = self.pointer.max(Some(Pointer::Vmware)),
            EXTENDED_CLIPBOARD => self.extended_clipboard = true,
            _ => (),
        }
        self
    }
}

const EXTENDED_CLIPBOARD: i32 = 0xc0a1_e5ce_u32.cast_signed();

/// zlib's level for what the viewer wants from 0 to 9. The lower third costs so little time that it
/// never delays; beyond 6 nothing is won.
fn level(wanted: u32) -> u32 {
    match wanted {
        0..=3 => 1,
        4..=6 => 3,
        _ => 6,
    }
}
