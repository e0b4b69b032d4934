//! Turns keys and clicks into a choice.
//!
//! A key or click that was meant for whatever was there a moment before never makes a choice. So no
//! button has the focus until Tab is pressed, and input is ignored right after a window has
//! appeared or its buttons have changed. Any other key shows that somebody is still typing, so the
//! keys after it are ignored, too.

use std::time::{Duration, Instant};

use super::Choice;
use super::draw::ButtonState;
use super::scene::{Area, Button};

/// An event that may concern the buttons.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Input {
    /// The window appeared.
    Shown,
    /// The window got the keyboard's focus.
    Focused,
    /// The pointer moved to this point.
    Motion(f32, f32),
    /// The pointer left the window.
    Left,
    /// The first button went down.
    Press(f32, f32),
    /// The first button went up.
    Release(f32, f32),
    /// A key went down.
    Key(Key),
    /// The window was closed.
    Closed,
}

/// The keys that this module distinguishes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Key {
    /// Focuses the next button.
    Tab,
    /// Focuses the previous button.
    BackTab,
    /// Enter or Space: presses the button in focus.
    Enter,
    /// Declines or closes.
    Escape,
    /// Any other key.
    Other,
}

/// Which button is under the pointer, held down or in focus.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ButtonStates {
    hover: Option<usize>,
    pressed: Option<usize>,
    focus: Option<usize>,
}

impl ButtonStates {
    /// The state of one button.
    pub fn button(&self, button: usize) -> ButtonState {
        let is = |which| which == Some(button);
        let (hover, held) = (is(self.hover), is(self.pressed));
        // A held button looks released while the pointer is elsewhere, because a release there
        // chooses nothing.
        ButtonState {
            hover: hover && self.pressed.is_none_or(|i| i == button),
            pressed: held && hover,
            focus: is(self.focus),
        }
    }
}

/// The buttons of one window, and how they are used.
#[derive(Debug)]
pub struct ButtonInput {
    buttons: Vec<(Choice, Area)>,
    states: ButtonStates,
    guard: Duration,
    /// Clicks before this are ignored.
    clicks_from: Instant,
    /// Keys before this are ignored.
    keys_from: Instant,
}

impl ButtonInput {
    /// The buttons of a window that isn't shown yet. For the time `guard` after the window has
    /// appeared or changed, input is ignored.
    pub fn new(buttons: &[Button], guard: Duration, now: Instant) -> Self {
        Self {
            buttons: places(buttons),
            states: ButtonStates::default(),
            guard,
            clicks_from: now + guard,
            keys_from: now + guard,
        }
    }

    /// Replaces the buttons.
    pub fn set_buttons(&mut self, buttons: &[Button], now: Instant) {
        let places = places(buttons);
        if !places.iter().map(|place| place.0).eq(self.buttons.iter().map(|place| place.0)) {
            self.wait(now);
            self.states.pressed = None;
        }
        self.buttons = places;
    }

    pub fn states(&self) -> ButtonStates {
        self.states
    }

    /// The button at a point.
    pub fn at(&self, x: f32, y: f32) -> Option<usize> {
        self.buttons.iter().position(|(_, area)| area.has(x, y))
    }

    /// Handles an event; returns the choice that it makes.
    pub fn step(&mut self, input: Input, now: Instant) -> Option<Choice> {
        let early = now < self.keys_from;
        match input {
            Input::Shown => self.wait(now),
            // Only keys have to wait: the focus may come from a click on a button, which counts.
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

    /// The button `by` positions after the one in focus; `first` if none is in focus.
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
        // A held Enter never starts to count, however long it is held.
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
        input.set_buttons(&[], later);
        assert_eq!(input.step(Input::Release(5.0, 5.0), later), None);
        assert!(input.clicks_from > later);
    }
}
