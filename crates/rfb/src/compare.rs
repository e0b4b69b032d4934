//! Comparing a row of the screen, as bytes, with a row of the client's framebuffer.

use crate::format::COLOUR;

/// How many pixels are compared at a time, without a branch between them, so that the compiler can vectorise it.
const STEP: usize = 16;

/// Whether two rows of the same length are the same.
pub(crate) fn is_same(shown: &[u8], had: &[u32]) -> bool {
    let (shown, had) = (shown.as_chunks::<4>().0, had);
    let ((steps, rest), (had_steps, had_rest)) = (shown.as_chunks(), had.as_chunks());
    !steps.iter().zip(had_steps).any(|(a, b)| step_differs(a, b))
        && rest.iter().zip(had_rest).all(|(a, b)| pixel(a) == *b)
}

/// The index of the first pixel that differs.
pub(crate) fn first_difference(shown: &[u8], had: &[u32]) -> Option<usize> {
    let shown = shown.as_chunks::<4>().0;
    let (steps, had_steps) = (shown.as_chunks().0, had.as_chunks().0);
    let same = steps.iter().zip(had_steps).take_while(|(a, b)| !step_differs(a, b)).count() * STEP;
    let one = shown[same..].iter().zip(&had[same..]).position(|(a, b)| pixel(a) != *b)?;
    Some(same + one)
}

/// The index of the last pixel that differs.
pub(crate) fn last_difference(shown: &[u8], had: &[u32]) -> Option<usize> {
    let shown = shown.as_chunks::<4>().0;
    let (steps, had_steps) = (shown.as_rchunks().1, had.as_rchunks().1);
    let pairs = steps.iter().zip(had_steps).rev();
    let same = pairs.take_while(|(a, b)| !step_differs(a, b)).count() * STEP;
    let end = shown.len() - same;
    shown[..end].iter().zip(&had[..end]).rposition(|(a, b)| pixel(a) != *b)
}

// No early return: a branch for each pixel would keep the compiler from comparing several at once.
fn step_differs(shown: &[[u8; 4]; STEP], had: &[u32; STEP]) -> bool {
    let bits = |(a, b): (&[u8; 4], &u32)| pixel(a) ^ b;
    shown.iter().zip(had).map(bits).fold(0, |all, one| all | one) != 0
}

fn pixel(bytes: &[u8; 4]) -> u32 {
    u32::from_le_bytes(*bytes) & COLOUR
}
