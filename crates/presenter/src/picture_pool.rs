//! A pool of pictures. The next one is drawn while viewers are still served from the last, and old
//! pictures are reused, so that none has to be copied.

use std::sync::Arc;

use rfb::{Picture, Rect};

/// The most rectangles for one picture or one viewer. More are replaced by the one around them all.
const MOST_AREAS: usize = 64;
/// The most pictures in the pool. If viewers are being served from all of them, a new one is made.
const MOST: usize = 3;

/// A picture to draw the next state of the screen on.
pub(crate) struct Canvas {
    pub picture: Picture,
    /// The areas in which it is older than the newest picture.
    pub stale: Vec<Rect>,
}

/// The pictures that are older than the newest one.
#[derive(Default)]
pub(crate) struct PicturePool(Vec<Retired>);

struct Retired {
    /// A viewer may still be served from it.
    picture: Arc<Picture>,
    stale: Vec<Rect>,
}

impl PicturePool {
    /// Takes a picture that no viewer is served from. If there is none, it copies `shown`,
    /// the newest.
    pub fn take(&mut self, shown: &Picture) -> Canvas {
        let free = self.0.iter().position(|retired| Arc::strong_count(&retired.picture) == 1);
        let retired = free.map(|at| self.0.swap_remove(at));
        let canvas = retired.and_then(|Retired { picture, stale }| {
            Some(Canvas { picture: Arc::into_inner(picture)?, stale })
        });
        canvas.unwrap_or_else(|| Canvas { picture: shown.clone(), stale: Vec::new() })
    }

    /// Returns a picture on which nothing was drawn.
    pub fn put_back(&mut self, Canvas { picture, stale }: Canvas) {
        self.keep(Retired { picture: Arc::new(picture), stale });
    }

    /// Returns the picture that was the newest until now. The new one differs in the areas `drawn`.
    pub fn retire(&mut self, picture: Arc<Picture>, drawn: &[Rect]) {
        self.0.iter_mut().for_each(|retired| add(&mut retired.stale, drawn));
        let mut stale = Vec::new();
        add(&mut stale, drawn);
        self.keep(Retired { picture, stale });
    }

    /// Drops all pictures, because the screen has another size.
    pub fn clear(&mut self) {
        self.0.clear();
    }

    fn keep(&mut self, retired: Retired) {
        if self.0.len() == MOST {
            self.0.remove(0);
        }
        self.0.push(retired);
    }
}

/// Adds areas, so that there are never more than [`MOST_AREAS`].
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
        let (shown, mut pool) = (Picture::new(4, 4), PicturePool::default());
        let looked_at = Arc::new(Picture::new(4, 4));
        pool.retire(Arc::clone(&looked_at), &[LEFT]);
        let copy = pool.take(&shown);
        assert!(copy.stale.is_empty(), "it is a copy of the shown one");
        pool.put_back(copy);
        drop(looked_at);
        pool.retire(Arc::new(shown.clone()), &[RIGHT]);
        let mut lacking: Vec<_> = (0..3).map(|_| pool.take(&shown).stale).collect();
        lacking.sort_unstable_by_key(|stale| (stale.len(), stale[0].x));
        assert_eq!(lacking, [vec![RIGHT], vec![RIGHT], vec![LEFT, RIGHT]]);
    }

    #[test]
    fn few_are_kept_however_many_are_looked_at() {
        let (shown, mut pool) = (Picture::new(4, 4), PicturePool::default());
        let looked_at: Vec<_> = (0..10).map(|_| Arc::new(Picture::new(4, 4))).collect();
        looked_at.iter().for_each(|one| pool.retire(Arc::clone(one), &[LEFT]));
        let kept = looked_at.iter().filter(|one| Arc::strong_count(one) > 1).count();
        assert_eq!(kept, MOST);
        pool.clear();
        assert!(pool.take(&shown).stale.is_empty());
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
