//! Another program that came with the same PIN and was refused: the customer says which of the two is
//! to share. Only they can know whether it is theirs (docs/adr/0016).

/// After so many refusals the customer isn't asked any more: the question must not become a nuisance
/// that is clicked away.
const MOST_REFUSALS: u32 = 3;

/// Whether the customer is asked, and how often they refused.
#[derive(Debug, Default)]
pub(crate) struct OtherProgram {
    asked: bool,
    refusals: u32,
}

impl OtherProgram {
    /// One was refused by the broker.
    pub const fn came(&mut self) {
        self.asked = self.refusals < MOST_REFUSALS;
    }

    /// Whether the customer is asked now.
    pub const fn is_asked(&self) -> bool {
        self.asked
    }

    /// The customer goes on with this program.
    pub const fn refused(&mut self) {
        if self.asked {
            self.asked = false;
            self.refusals += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn after_three_refusals_no_other_program_is_asked_about_any_more() {
        let mut other = OtherProgram::default();
        for _ in 0..3 {
            other.came();
            other.came();
            assert!(other.is_asked());
            other.refused();
            other.refused();
            assert!(!other.is_asked());
        }
        other.came();
        assert!(!other.is_asked());
    }
}
