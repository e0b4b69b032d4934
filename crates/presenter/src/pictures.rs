//! Pictures that take turns: one is shown to the viewers while the next is drawn, so that none is copied.

use std::sync::Arc;

use rfb::{Picture, Rect};

/// Rectangles that are kept for one picture or one viewer; more become the one around them all.
const MOST_AREAS: usize = 64;
/// Pictures that are kept. A viewer that is just being served holds one; of more of them new ones are made.
const MOST: usize = 3;

/// A picture to draw on.
pub(crate) struct Canvas {
    pub picture: Picture,
    /// What was drawn since it was shown last, so it lacks that.
    pub lacks: Vec<Rect>,
}

/// Those that were shown before.
#[derive(Default)]
pub(crate) struct Pictures(Vec<Worn>);

struct Worn {
    /// Some viewer may still look at it.
    picture: Arc<Picture>,
    lacks: Vec<Rect>,
}

impl Pictures {
    /// One that nobody looks at; a copy of the shown one if there is none.
    pub fn take(&mut self, shown: &Picture) -> Canvas {
        let free = self.0.iter().position(|worn| Arc::strong_count(&worn.picture) == 1);
        let worn = free.map(|at| self.0.swap_remove(at));
        let canvas = worn.and_then(|Worn { picture, lacks }| {
            Some(Canvas { picture: Arc::into_inner(picture)?, lacks })
        });
        canvas.unwrap_or_else(|| Canvas { picture: shown.clone(), lacks: Vec::new() })
    }

    /// Nothing was drawn on it.
    pub fn put_back(&mut self, Canvas { picture, lacks }: Canvas) {
        self.keep(Worn { picture: Arc::new(picture), lacks });
    }

    /// Another one is shown instead of this one, with `drawn` on it.
    pub fn worn(&mut self, picture: Arc<Picture>, drawn: &[Rect]) {
        self.0.iter_mut().for_each(|worn| add(&mut worn.lacks, drawn));
        let mut lacks = Vec::new();
        add(&mut lacks, drawn);
        self.keep(Worn { picture, lacks });
    }

    /// The screen has another size.
    pub fn clear(&mut self) {
        self.0.clear();
    }

    fn keep(&mut self, worn: Worn) {
        if self.0.len() == MOST {
            self.0.remove(0);
        }
        self.0.push(worn);
    }
}

/// Adds areas, and never keeps more than a few.
pub(crate) fn add(to: &mut Vec<Rect>, areas: &[Rect]) {
    to.extend(areas.iter().filter(|area| !area.is_empty()));
    if to.len() > MOST_AREAS {
        let all = to.iter().copied().reduce(Rect::around);
        to.clear();
        to.extend(all);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEFT: Rect = Rect::new(0, 0, 2, 4);
    const RIGHT: Rect = Rect::new(2, 0, 2, 4);

    #[test]
    fn what_somebody_looks_at_is_not_drawn_on() {
        let (shown, mut pictures) = (Picture::new(4, 4), Pictures::default());
        let looked_at = Arc::new(Picture::new(4, 4));
        pictures.worn(Arc::clone(&looked_at), &[LEFT]);
        let copy = pictures.take(&shown);
        assert!(copy.lacks.is_empty(), "it is a copy of the shown one");
        pictures.put_back(copy);
        drop(looked_at);
        pictures.worn(Arc::new(shown.clone()), &[RIGHT]);
        let mut lacking: Vec<_> = (0..3).map(|_| pictures.take(&shown).lacks).collect();
        lacking.sort_unstable_by_key(|lacks| (lacks.len(), lacks[0].x));
        assert_eq!(lacking, [vec![RIGHT], vec![RIGHT], vec![LEFT, RIGHT]]);
    }

    #[test]
    fn few_are_kept_however_many_are_looked_at() {
        let (shown, mut pictures) = (Picture::new(4, 4), Pictures::default());
        let looked_at: Vec<_> = (0..10).map(|_| Arc::new(Picture::new(4, 4))).collect();
        looked_at.iter().for_each(|one| pictures.worn(Arc::clone(one), &[LEFT]));
        let kept = looked_at.iter().filter(|one| Arc::strong_count(one) > 1).count();
        assert_eq!(kept, MOST);
        pictures.clear();
        assert!(pictures.take(&shown).lacks.is_empty());
    }

    #[test]
    fn many_areas_become_the_one_around_them() {
        let mut areas = Vec::new();
        (0..100).for_each(|x| add(&mut areas, &[Rect::new(x, x, 1, 1)]));
        assert!(areas.len() <= MOST_AREAS);
        let all = areas.iter().copied().reduce(Rect::around);
        assert_eq!(all, Some(Rect::new(0, 0, 100, 100)));
    }
}
