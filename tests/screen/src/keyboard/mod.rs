//! The technician's keyboard against the customer's: each layout with each, compared with what X gives on a computer
//! on which the same keys are pressed.

mod layouts;
mod recorder;

use layouts::SHORTCUT_LETTERS;
pub use layouts::{CHARACTERS, CUSTOMERS, Layout, SHORTCUTS, TECHNICIANS};
pub use recorder::{MARK, Recorder, Stroke, run, types};

use crate::display::Display;

/// Shift, Ctrl, Alt and Super: the modifiers that make a shortcut.
const MODIFIERS: u32 = 0x1 | 0x4 | 0x8 | 0x40;

/// The right Alt with Q, E, 7 and M by their places on an American keyboard.
const RIGHT_ALT: [&str; 4] = ["108+24", "108+26", "108+16", "108+58"];

/// Fewer strokes than a keyboard has keys to spare.
const FEW: usize = 8;

/// Ctrl, Alt and Super.
const CHORD: u32 = 0x4 | 0x8 | 0x40;

/// Three keyboards: the technician's, the customer's, and one that is attached to the computer that it types on.
#[derive(Debug)]
pub struct Keyboards {
    technician: String,
    customer: Recorder,
    reference: Recorder,
    _own: Display,
}

/// How one layout did with another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// Characters that arrived as X gives them.
    pub characters: usize,
    /// Shortcuts that arrived as they were meant.
    pub shortcuts: usize,
    /// What differs, in words.
    pub differences: Vec<String>,
}

impl Keyboards {
    /// The page has the keyboard of the display `technician`, and the customer shares `customer`.
    pub fn new(technician: &str, customer: &str) -> Self {
        let own = Display::xvfb(1280, 800);
        let reference = Recorder::on(own.name());
        Self {
            technician: technician.to_owned(),
            customer: Recorder::on(customer),
            reference,
            _own: own,
        }
    }

    /// Types everything of one layout on the other.
    pub fn compare(&self, technician: Layout, customer: Layout) -> Outcome {
        for display in [self.technician.as_str(), self.reference.display()] {
            run(display, "setxkbmap", &technician.asked());
        }
        run(self.customer.display(), "setxkbmap", &customer.asked());
        let mut outcome = Outcome { characters: 0, shortcuts: 0, differences: Vec::new() };
        let given = self.characters_of(technician);
        let strokes: Vec<&str> = given.iter().map(|(stroke, _)| *stroke).collect();
        let got = self.arrive(&strokes);
        for ((stroke, given), got) in given.into_iter().zip(got) {
            if given.text == got.text {
                outcome.characters += 1;
            } else {
                let (given, got) = (given.text, got.text);
                outcome.differences.push(format!("{stroke}: X gives {given:?}, it was {got:?}"));
            }
        }
        types(self.reference.display(), &SHORTCUTS);
        let (given, got) = (self.reference.strokes(SHORTCUTS.len()), self.arrive(&SHORTCUTS));
        for ((given, got), american) in given.into_iter().zip(got).zip(SHORTCUT_LETTERS) {
            let wanted = meant(&given, american);
            let got = (got.last.0, got.last.1 & MODIFIERS);
            if wanted == got {
                outcome.shortcuts += 1;
            } else {
                outcome.differences.push(format!("shortcut {wanted:?}: it was {got:?}"));
            }
        }
        outcome
    }

    /// What comes of the right Alt with a letter on a layout on which it is no AltGr: the letter's name, and the
    /// modifiers.
    pub fn right_alt(&self, technician: Layout, customer: Layout) -> Vec<(String, u32)> {
        run(&self.technician, "setxkbmap", &technician.asked());
        run(self.customer.display(), "setxkbmap", &customer.asked());
        let got = self.arrive(&RIGHT_ALT);
        got.into_iter().map(|got| (got.last.0, got.last.1 & MODIFIERS)).collect()
    }

    /// Strokes that type a character on this layout, and what X gives for each.
    fn characters_of(&self, layout: Layout) -> Vec<(&'static str, Stroke)> {
        let candidates = layout.candidates();
        types(self.reference.display(), &candidates);
        let given = self.reference.strokes(candidates.len());
        // With an Alt that is no AltGr it is a shortcut.
        let is_text = |given: &Stroke| !given.text.is_empty() && given.last.1 & CHORD == 0;
        let typing = candidates.into_iter().zip(given).filter(|(_, given)| is_text(given));
        typing.take(CHARACTERS).collect()
    }

    /// What the customer's computer gets of these strokes.
    fn arrive(&self, strokes: &[&str]) -> Vec<Stroke> {
        // A few at a time: a program reads a key by the keyboard that there is when it gets to it, and by then a key that
        // the customer's program has lent to one letter may have another.
        let few = strokes.chunks(FEW).flat_map(|few| {
            types(&self.technician, few);
            self.customer.strokes(few.len())
        });
        few.collect()
    }
}

/// The shortcut that is meant: the letter that X gives or, where that is no Latin one, the American letter in its place.
fn meant(given: &Stroke, american: &str) -> (String, u32) {
    let (name, state) = &given.last;
    let name = if name.len() == 1 { name.as_str() } else { american };
    (name.to_owned(), state & MODIFIERS)
}

/// Compares these layouts, and fails where anything differs. If `DESKHAND_TEST_LAYOUTS` is `all`, it compares all and
/// prints the table instead.
pub fn check(keyboards: &Keyboards, page: &str, some: &[(&str, &str)]) {
    if std::env::var("DESKHAND_TEST_LAYOUTS").is_ok_and(|layouts| layouts == "all") {
        return measure(keyboards, page);
    }
    // Where the right Alt is no AltGr, it is the other Alt.
    let alt = ["q", "e", "7", "m"].map(|name| (name.to_owned(), 0x8)).to_vec();
    for (technician, customer) in [("us", "de"), ("ru", "us")] {
        let (one, other) = (Layout::technician(technician), Layout::customer(customer));
        assert_eq!(keyboards.right_alt(one, other), alt, "{technician} on {customer}");
    }
    for (technician, customer) in some {
        let outcome = keyboards.compare(Layout::technician(technician), Layout::customer(customer));
        assert!(outcome.differences.is_empty(), "{technician} on {customer}: {outcome:#?}");
    }
}

/// Prints the table of docs/keyboard.md: a line for each technician's layout, a column for each customer's.
fn measure(keyboards: &Keyboards, page: &str) {
    let customers = CUSTOMERS.map(|layout| layout.name).join(" | ");
    println!("keyboard: | {page} | {customers} |");
    println!("keyboard: {}|", "|---".repeat(CUSTOMERS.len() + 1));
    let mut differences = Vec::new();
    for technician in TECHNICIANS {
        let cells = CUSTOMERS.map(|customer| {
            let one = keyboards.compare(technician, customer);
            let pair = format!("{} on {}", technician.name, customer.name);
            differences.extend(one.differences.iter().map(|text| format!("{pair}: {text}")));
            let (typed, meant) = (CHARACTERS, SHORTCUTS.len());
            format!("{}/{typed}, {}/{meant}", one.characters, one.shortcuts)
        });
        println!("keyboard: | {} | {} |", technician.name, cells.join(" | "));
    }
    for difference in differences {
        println!("keyboard: {difference}");
    }
}
