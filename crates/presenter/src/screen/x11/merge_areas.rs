//! Merges damaged areas into a few that are not much larger, to save requests to the X server.

use rfb::Rect;

/// At most this many areas are fetched at once.
const MOST: usize = 64;
/// How many of the areas before it an area is compared with. The server sorts damage from top to
/// bottom, so neighbours are near in the list.
const NEAR: usize = 16;
/// How many undamaged pixels may be fetched to save one request.
const SLACK: u64 = 4096;

/// Merges areas where that costs less than a request of its own, and always to at most [`MOST`].
pub fn merge(areas: impl IntoIterator<Item = Rect>) -> Vec<Rect> {
    let mut areas: Vec<Rect> = areas.into_iter().filter(|area| !area.is_empty()).collect();
    let mut slack = SLACK;
    loop {
        areas = merge_once(areas, slack);
        if areas.len() <= MOST {
            return areas;
        }
        slack = slack.saturating_mul(4);
    }
}

fn merge_once(areas: Vec<Rect>, slack: u64) -> Vec<Rect> {
    let mut merged: Vec<Rect> = Vec::with_capacity(areas.len());
    for mut area in areas {
        // After it has grown, the area may be near one that was too far away before.
        while let Some(at) = near(&merged, area, slack) {
            area = merged.remove(at).around(area);
        }
        merged.push(area);
    }
    merged
}

fn near(merged: &[Rect], area: Rect, slack: u64) -> Option<usize> {
    let first = merged.len().saturating_sub(NEAR);
    let worth = |other: &Rect| {
        other.around(area).area() <= (other.area() + area.area()).saturating_add(slack)
    };
    merged[first..].iter().rposition(worth).map(|at| first + at)
}

/// The part of a rectangle in an X server's coordinates that is on a screen of this size.
pub fn clip(x: i32, y: i32, w: u32, h: u32, width: u16, height: u16) -> Rect {
    let span = |start: i32, length: u32, end: u16| {
        let first = i64::from(start).clamp(0, i64::from(end));
        let last = (i64::from(start) + i64::from(length)).clamp(first, i64::from(end));
        let cut = |value: i64| u16::try_from(value).unwrap_or(end);
        (cut(first), cut(last - first))
    };
    let ((x, w), (y, h)) = (span(x, w, width), span(y, h, height));
    Rect::new(x, y, w, h)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn merges_neighbours_and_leaves_the_distant_alone() {
        let areas =
            [Rect::new(0, 0, 100, 20), Rect::new(0, 20, 100, 20), Rect::new(900, 900, 50, 50)];
        assert_eq!(merge(areas), [Rect::new(0, 0, 100, 40), Rect::new(900, 900, 50, 50)]);
    }

    #[test]
    fn leaves_out_what_covers_nothing() {
        assert_eq!(merge([Rect::new(5, 5, 0, 9), Rect::new(5, 5, 9, 0)]), []);
    }

    #[test]
    fn covers_everything_with_few_areas_however_many_come() {
        let dots: Vec<Rect> = (0..40_000u32)
            .map(|at| {
                let place = |value: u32| u16::try_from(value * 80).expect("is on the screen");
                Rect::new(place(at % 200), place(at / 200), 3, 3)
            })
            .collect();
        let merged = merge(dots.iter().copied());
        assert!(merged.len() <= MOST, "{}", merged.len());
        let inside = |dot: &Rect| merged.iter().any(|area| area.around(*dot) == *area);
        assert!(dots.iter().all(inside));
    }

    #[test]
    fn clips_to_the_screen() {
        assert_eq!(clip(-10, 5, 30, 10, 100, 100), Rect::new(0, 5, 20, 10));
        assert_eq!(clip(90, 95, 30, 10, 100, 100), Rect::new(90, 95, 10, 5));
        assert!(clip(-50, -50, 30, 10, 100, 100).is_empty());
        assert!(clip(i32::MAX, 0, u32::MAX, 1, 100, 100).is_empty());
    }
}
