//! Another program that came with the same PIN and was refused: the customer says which of the two is
//! to share. Only they can know whether it is theirs (docs/adr/0016).

/// After so many refusals the customer isn't asked any more: the question must not become a nuisance
/// that is clicked away.
const MOST_REFUSALS: u32 = 3;

/// The question to the customer, if it is open, and how often they refused.
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

    /// The number of the question that the customer is asked now. An answer names it, so that a late
    /// click on one question doesn't answer the next.
    pub const fn question(&self) -> Option<u32> {
        if self.asked { Some(self.refusals) } else { None }
    }

    /// The customer answers the question of this number: they go on with this program.
    pub fn refused(&mut self, question: u32) {
        if self.question() == Some(question) {
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
        for number in 0..3 {
            other.came();
            other.came();
            assert_eq!(other.question(), Some(number));
            other.refused(number);
            assert_eq!(other.question(), None);
        }
        other.came();
        assert_eq!(other.question(), None);
    }

    #[test]
    fn an_answer_to_an_earlier_question_refuses_nothing() {
        let mut other = OtherProgram::default();
        other.came();
        other.refused(0);
        other.came();
        other.refused(0);
        assert_eq!(other.question(), Some(1));
    }
}
