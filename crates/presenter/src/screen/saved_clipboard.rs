//! What a clipboard held, in every form in which its owner gave it, so that it can come back as it was.

use rfb::Png;

use super::Contents;

/// What a clipboard held.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SavedClipboard {
    /// As their owner offered them.
    pub forms: Vec<ClipboardForm>,
}

/// What a clipboard held, in one form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClipboardForm {
    /// The name of the form, such as `text/html`.
    pub name: String,
    /// The type of its contents, which is the same name as a rule.
    pub kind: String,
    /// The bits of one of its numbers: 8, 16 or 32.
    pub unit: u8,
    /// The contents.
    pub bytes: Vec<u8>,
}

/// Why what was copied doesn't come back at the end, or not as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClipboardLoss {
    /// It is marked as secret, and so it was never read.
    Secret,
    /// It is too large.
    TooLarge,
    /// Its program didn't give it, or not in time.
    Unread,
    /// Some of its forms are too large, too many or weren't given.
    Part,
}

impl SavedClipboard {
    /// As bytes, of which [`Self::decode`] makes the same.
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        for form in &self.forms {
            for part in [form.name.as_bytes(), form.kind.as_bytes(), &[form.unit], &form.bytes] {
                bytes.extend(u32::try_from(part.len()).unwrap_or(u32::MAX).to_le_bytes());
                bytes.extend(part);
            }
        }
        bytes
    }

    /// `None` if these aren't the bytes of one.
    pub fn decode(mut bytes: &[u8]) -> Option<Self> {
        let mut forms = Vec::new();
        while !bytes.is_empty() {
            let mut part = || -> Option<&[u8]> {
                let (length, rest) = bytes.split_first_chunk::<4>()?;
                let (part, rest) = rest.split_at_checked(u32::from_le_bytes(*length) as usize)?;
                bytes = rest;
                Some(part)
            };
            let mut text = || String::from_utf8(part()?.to_vec()).ok();
            let (name, kind) = (text()?, text()?);
            let unit = part().filter(|unit| matches!(unit, [8 | 16 | 32]))?[0];
            let whole = |contents: &&[u8]| contents.len().is_multiple_of(usize::from(unit / 8));
            let contents = part().filter(whole)?;
            forms.push(ClipboardForm { name, kind, unit, bytes: contents.to_vec() });
        }
        Some(Self { forms })
    }

    /// The text or the picture among its forms.
    pub(crate) fn contents(&self) -> Option<Contents> {
        let of = |name: &str| {
            let form = self.forms.iter().find(|form| form.name == name)?;
            Some(form.bytes.clone())
        };
        let utf8 = of("UTF8_STRING").or_else(|| of("text/plain;charset=utf-8"));
        let utf8 = utf8.and_then(|text| String::from_utf8(text).ok());
        // The form STRING is Latin-1 (ICCCM, section 2.6.2).
        let text = utf8.or_else(|| Some(of("STRING")?.into_iter().map(char::from).collect()));
        match text {
            Some(text) => Some(Contents::Text(text.into())),
            None => Png::new(&of("image/png")?).ok().map(Contents::Picture),
        }
    }
}

impl From<&str> for SavedClipboard {
    fn from(text: &str) -> Self {
        let name = "UTF8_STRING".to_owned();
        let form = ClipboardForm { kind: name.clone(), name, unit: 8, bytes: text.into() };
        Self { forms: vec![form] }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn any_form() -> impl Strategy<Value = ClipboardForm> {
        let unit = proptest::sample::select(vec![8_u8, 16, 32]);
        let numbers = proptest::collection::vec(any::<[u8; 4]>(), 0..20);
        (".{0,20}", ".{0,20}", unit, numbers).prop_map(|(name, kind, unit, numbers)| {
            ClipboardForm { name, kind, unit, bytes: numbers.concat() }
        })
    }

    proptest! {
        #[test]
        fn comes_out_of_its_bytes_as_it_was(forms in proptest::collection::vec(any_form(), 0..6)) {
            let saved = SavedClipboard { forms };
            prop_assert_eq!(SavedClipboard::decode(&saved.encode()), Some(saved));
        }

        #[test]
        fn other_bytes_are_none_or_one(bytes in proptest::collection::vec(any::<u8>(), 0..60)) {
            let same = SavedClipboard::decode(&bytes).is_none_or(|saved| saved.encode() == bytes);
            prop_assert!(same);
        }
    }
}
