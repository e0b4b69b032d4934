use super::*;

const SIDE: u16 = 256;
/// Of a screen this wide, a window two tiles wide and high.
const WINDOW: Rect = Rect::new(64, 64, 128, 128);

/// A picture in which every row and every column is another.
fn noise(seed: u32) -> Picture {
    let mut picture = Picture::new(SIDE, SIDE);
    let mut state = seed;
    for byte in picture.pixels_mut() {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        *byte = (state >> 24) as u8;
    }
    picture
}

/// Puts what `from` has at a distance into the window of `to`; where that is outside of it, what is new.
fn shift(from: &Picture, to: &mut Picture, by: (i32, i32), new: &Picture) {
    shift_in(WINDOW, from, to, by, new);
}

fn shift_in(window: Rect, from: &Picture, to: &mut Picture, by: (i32, i32), new: &Picture) {
    for (x, y) in places(window) {
        let (source_x, source_y) = (i32::from(x) - by.0, i32::from(y) - by.1);
        let source = u16::try_from(source_x).ok().zip(u16::try_from(source_y).ok());
        let pixel = match source.filter(|(x, y)| window.covers(Rect::new(*x, *y, 1, 1))) {
            Some((x, y)) => from.row(x, y, 1),
            None => new.row(x, y, 1),
        };
        paint(to, (x, y), pixel);
    }
}

fn paint(picture: &mut Picture, (x, y): (u16, u16), pixel: &[u8]) {
    let at = (usize::from(y) * usize::from(SIDE) + usize::from(x)) * 4;
    picture.pixels_mut()[at..at + 4].copy_from_slice(pixel);
}

fn places(area: Rect) -> impl Iterator<Item = (u16, u16)> {
    let (right, bottom) = (area.x + area.w, area.y + area.h);
    (area.y..bottom).flat_map(move |y| (area.x..right).map(move |x| (x, y)))
}

/// How far, to the right and down.
fn distance(found: &CopyRect) -> (i32, i32) {
    let less = |to: u16, from: u16| i32::from(to) - i32::from(from);
    (less(found.to.x, found.from.0), less(found.to.y, found.from.1))
}

/// What is found for a viewer that has `before`.
fn found(before: &Picture, now: &Picture) -> Option<CopyRect> {
    let mut client = ClientFramebuffer::new(SIDE, SIDE);
    client.sent(before, before.bounds());
    client.mark(now.bounds());
    let tiles = client.changed_tiles(now, now.bounds());
    find(now, &client, &tiles)
}

#[test]
fn text_that_scrolls_in_a_window_is_found_to_the_row() {
    let before = noise(1);
    for by in [1, 13, 64] {
        let mut now = before.clone();
        shift(&before, &mut now, (0, -by), &noise(2));
        let found = found(&before, &now).unwrap();
        assert_eq!(distance(&found), (0, -by));
        // Whole cells: what comes with them and isn't right costs nothing, since it is new anyway.
        assert!(
            found.to.covers(Rect::new(64, 64, 128, 128 - by as u16)) && WINDOW.covers(found.to)
        );
        let tiles = [Rect::new(64, 64, TILE, TILE), Rect::new(128, 64, TILE, TILE)];
        assert_eq!(found.matching, tiles, "{by}");
    }
}

#[test]
fn a_page_that_is_pushed_sideways_is_found_to_the_column() {
    let before = noise(3);
    let mut now = before.clone();
    shift(&before, &mut now, (20, 0), &noise(4));
    let found = found(&before, &now).unwrap();
    assert_eq!(distance(&found), (20, 0));
    assert!(found.to.covers(Rect::new(84, 64, 108, 128)) && WINDOW.covers(found.to));
    assert_eq!(found.matching, [Rect::new(128, 64, TILE, TILE), Rect::new(128, 128, TILE, TILE)]);
}

#[test]
fn nothing_is_copied_from_outside_of_the_picture() {
    let (before, new) = (noise(13), noise(14));
    let all = before.bounds();
    for by in [(0, -33), (0, 33), (-33, 0), (33, 0)] {
        let mut now = before.clone();
        shift_in(all, &before, &mut now, by, &new);
        let found = found(&before, &now).unwrap();
        assert_eq!(distance(&found), by);
        assert!(all.covers(found.to), "{found:?}");
        let (x, y) = found.from;
        assert!(all.covers(Rect { x, y, ..found.to }), "{found:?}");
    }
}

#[test]
fn what_does_not_match_within_the_move_is_repaired_and_not_taken_for_right() {
    let before = noise(5);
    let mut now = before.clone();
    shift(&before, &mut now, (0, -9), &noise(6));
    // A terminal's cursor, which didn't move along.
    let cursor = Rect::new(140, 80, 6, 12);
    places(cursor).for_each(|place| paint(&mut now, place, &[255, 255, 255, 0]));
    let found = found(&before, &now).unwrap();
    assert!(found.to.covers(cursor));
    assert_eq!(found.matching, [Rect::new(64, 64, TILE, TILE)]);
}

#[test]
fn bands_are_asked_on_until_one_is_clear() {
    let before = noise(7);
    let mut now = before.clone();
    shift(&before, &mut now, (0, -16), &noise(8));
    // A film beside the text, whichever band is asked first.
    for film in [Rect::new(64, 64, 64, 128), Rect::new(128, 64, 64, 128)] {
        let (mut now, other) = (now.clone(), noise(9));
        for (x, y) in places(film) {
            paint(&mut now, (x, y), other.row(x, y, 1));
        }
        let found = found(&before, &now).unwrap();
        let text = if film.x == 64 { 128 } else { 64 };
        assert_eq!(distance(&found), (0, -16));
        assert_eq!(found.matching, [Rect::new(text, 64, TILE, TILE)]);
    }
}

#[test]
fn what_changed_without_moving_is_no_move() {
    assert_eq!(found(&noise(10), &noise(11)), None);
    assert_eq!(found(&Picture::new(SIDE, SIDE), &noise(12)), None);
    let plain = Picture::new(SIDE, SIDE);
    let mut client = ClientFramebuffer::new(SIDE, SIDE);
    client.sent(&plain, plain.bounds());
    assert_eq!(find(&plain, &client, &[]), None);
}

#[test]
fn a_few_votes_decide_and_many_end_the_count() {
    let after = |voters: u64| {
        let mut votes = Votes::new(100);
        // Those above the voters are another row each time, so they have no vote.
        let before: Vec<u64> = (0..100).collect();
        let now: Vec<u64> =
            (0..100).map(|at| if at < voters { at + 3 } else { 1000 + at }).collect();
        votes.count(&before, &now);
        (votes.winner(), votes.is_clear())
    };
    assert_eq!(after(5), (None, false), "may be chance");
    assert_eq!(after(6), (Some(-3), false));
    assert_eq!(after(24), (Some(-3), false));
    assert_eq!(after(25), (Some(-3), true));
}
