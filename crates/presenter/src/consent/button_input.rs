//! From keys and clicks to a choice.
//!
//! What always holds: nothing is shared by a key or click that was meant for what was there a moment ago.
//! No button has the focus before somebody pressed Tab, what comes right after a window appeared or its
//! buttons changed means nothing, and a key that means nothing here says that somebody is still typing.

use std::time::{Duration, Instant};

use super::Choice;
use super::draw::ButtonState;
use super::scene::{Area, Button};

/// What somebody did.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Input {
    /// The window appeared.
    Shown,
    /// It has the keyboard now.
    Focused,
    /// The pointer is here.
    Motion(f32, f32),
    /// The pointer is elsewhere.
    Left,
    /// The first button went down.
    Press(f32, f32),
    /// And up.
    Release(f32, f32),
    /// A key went down.
    Key(Key),
    /// The window was closed.
    Closed,
}

/// The keys that mean something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Key {
    /// To the next button.
    Tab,
    /// To the one before.
    BackTab,
    /// Press it: Enter or Space.
    Enter,
    /// Decline, close.
    Escape,
    /// Any other.
    Other,
}

/// Which button is under the pointer, held or in focus.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ButtonStates {
    hover: Option<usize>,
    pressed: Option<usize>,
    focus: Option<usize>,
}

impl ButtonStates {
    /// What that is for one button.
    pub fn of(&self, button: usize) -> ButtonState {
        let is = |which| which == Some(button);
        let (hover, held) = (is(self.hover), is(self.pressed));
        // Away from it nothing would happen, and it looks so.
        ButtonState {
            hover: hover && self.pressed.is_none_or(|i| i == button),
            pressed: held && hover,
            focus: is(self.focus),
        }
    }
}

/// The input at one window.
#[derive(Debug)]
pub struct ButtonInput {
    buttons: Vec<(Choice, Area)>,
    states: ButtonStates,
    guard: Duration,
    /// Before this no click is meant.
    clicks_from: Instant,
    /// Before this no key is meant.
    keys_from: Instant,
}

impl ButtonInput {
    /// At a window with these buttons that is not shown yet; `guard` is how long nothing is meant.
    pub fn new(buttons: &[Button], guard: Duration, now: Instant) -> Self {
        Self {
            buttons: places(buttons),
            states: ButtonStates::default(),
            guard,
            clicks_from: now + guard,
            keys_from: now + guard,
        }
    }

    /// The buttons are these now.
    pub fn follow(&mut self, buttons: &[Button], now: Instant) {
        let places = places(buttons);
        if !places.iter().map(|place| place.0).eq(self.buttons.iter().map(|place| place.0)) {
            self.wait(now);
            self.states.pressed = None;
        }
        self.buttons = places;
    }

    /// How the buttons are state.
    pub fn states(&self) -> ButtonStates {
        self.states
    }

    /// Whether a button is there.
    pub fn at(&self, x: f32, y: f32) -> Option<usize> {
        self.buttons.iter().position(|(_, area)| area.has(x, y))
    }

    /// What it means.
    pub fn step(&mut self, input: Input, now: Instant) -> Option<Choice> {
        let early = now < self.keys_from;
        match input {
            Input::Shown => self.wait(now),
            // By a click on a button, perhaps, which is meant.
            Input::Focused => self.keys_from = now + self.guard,
            Input::Motion(x, y) => self.states.hover = self.at(x, y),
            Input::Left => self.states.hover = None,
            Input::Press(x, y) => {
                self.states.hover = self.at(x, y);
                self.states.pressed = self.states.hover.filter(|_| now >= self.clicks_from);
            }
            Input::Release(x, y) => {
                let pressed = self.states.pressed.take();
                self.states.hover = self.at(x, y);
                return pressed.filter(|_| pressed == self.states.hover).map(|i| self.buttons[i].0);
            }
            Input::Key(Key::Escape) | Input::Closed => return Some(Choice::Decline),
            Input::Key(Key::Other) => self.keys_from = now + self.guard,
            Input::Key(Key::Tab | Key::BackTab | Key::Enter) if early => {
                self.keys_from = now + self.guard;
            }
            Input::Key(Key::Tab) => self.states.focus = self.next(1, 0),
            Input::Key(Key::BackTab) => {
                let last = self.buttons.len().saturating_sub(1);
                self.states.focus = self.next(last, last);
            }
            Input::Key(Key::Enter) => return self.states.focus.map(|i| self.buttons[i].0),
        }
        None
    }

    fn wait(&mut self, now: Instant) {
        self.clicks_from = now + self.guard;
        self.keys_from = now + self.guard;
    }

    /// The button that is so many further on, or the one to begin with.
    fn next(&self, by: usize, first: usize) -> Option<usize> {
        let count = self.buttons.len();
        (count > 0).then(|| self.states.focus.map_or(first, |i| (i + by) % count))
    }
}

fn places(buttons: &[Button]) -> Vec<(Choice, Area)> {
    buttons.iter().map(|button| (button.choice, button.area)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const GUARD: Duration = Duration::from_millis(700);

    /// [Share] at 0..10, [Decline] at 20..30.
    fn input(now: Instant) -> ButtonInput {
        let area = |x| Area { x, y: 0.0, w: 10.0, h: 10.0 };
        let buttons = vec![(Choice::Share, area(0.0)), (Choice::Decline, area(20.0))];
        ButtonInput {
            buttons,
            states: ButtonStates::default(),
            guard: GUARD,
            clicks_from: now + GUARD,
            keys_from: now + GUARD,
        }
    }

    fn steps(buttons: &mut ButtonInput, inputs: &[Input], now: Instant) -> Option<Choice> {
        inputs.iter().find_map(|&input| buttons.step(input, now))
    }

    #[test]
    fn a_press_and_release_inside_is_a_choice() {
        let now = Instant::now();
        let later = now + GUARD;
        let click = [Input::Press(5.0, 5.0), Input::Release(6.0, 5.0)];
        assert_eq!(steps(&mut input(now), &click, later), Some(Choice::Share));
        let slipped = [Input::Press(5.0, 5.0), Input::Release(15.0, 5.0)];
        assert_eq!(steps(&mut input(now), &slipped, later), None);
        let other = [Input::Press(25.0, 5.0), Input::Release(5.0, 5.0)];
        assert_eq!(steps(&mut input(now), &other, later), None);
        assert_eq!(steps(&mut input(now), &[Input::Release(5.0, 5.0)], later), None);
    }

    #[test]
    fn nothing_is_meant_right_after_the_window_appeared() {
        let now = Instant::now();
        let mut input = input(now);
        let early = [
            Input::Press(5.0, 5.0),
            Input::Release(5.0, 5.0),
            Input::Key(Key::Enter),
            Input::Key(Key::Tab),
            Input::Key(Key::Enter),
        ];
        assert_eq!(steps(&mut input, &early, now + GUARD / 2), None);
        // It was held down since then, and let go only now.
        assert_eq!(steps(&mut input, &[Input::Release(5.0, 5.0)], now + GUARD * 2), None);
        assert_eq!(input.step(Input::Key(Key::Escape), now), Some(Choice::Decline));
    }

    #[test]
    fn enter_shares_only_after_tab() {
        let now = Instant::now();
        let later = now + GUARD;
        assert_eq!(steps(&mut input(now), &[Input::Key(Key::Enter)], later), None);
        let chosen = |tabs: &[Key]| {
            let mut input = input(now);
            let keys: Vec<_> = tabs.iter().copied().map(Input::Key).collect();
            steps(&mut input, &keys, later);
            input.step(Input::Key(Key::Enter), later)
        };
        assert_eq!(chosen(&[Key::Tab]), Some(Choice::Share));
        assert_eq!(chosen(&[Key::Tab, Key::Tab]), Some(Choice::Decline));
        assert_eq!(chosen(&[Key::Tab, Key::Tab, Key::Tab]), Some(Choice::Share));
        assert_eq!(chosen(&[Key::BackTab]), Some(Choice::Decline));
        assert_eq!(chosen(&[Key::BackTab, Key::BackTab]), Some(Choice::Share));
    }

    #[test]
    fn somebody_who_is_still_typing_chooses_nothing() {
        let now = Instant::now();
        let mut input = input(now);
        let later = now + GUARD * 2;
        let typed = [Key::Other, Key::Tab, Key::Enter].map(Input::Key);
        assert_eq!(steps(&mut input, &typed, later), None);
        // Enter held down all the time begins to mean something at no time.
        let held = (0..100).map(|i| (Input::Key(Key::Enter), later + GUARD / 2 * i));
        assert!(held.map(|(key, at)| input.step(key, at)).all(|choice| choice.is_none()));
    }

    #[test]
    fn a_second_click_does_not_hit_what_has_just_taken_the_place() {
        let now = Instant::now();
        let mut input = input(now);
        let later = now + GUARD;
        input.step(Input::Press(5.0, 5.0), later);
        input.buttons[0].0 = Choice::Pause;
        input.follow(&[], later);
        assert_eq!(input.step(Input::Release(5.0, 5.0), later), None);
        assert!(input.clicks_from > later);
    }
}
