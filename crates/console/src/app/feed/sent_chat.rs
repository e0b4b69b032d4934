//! What a subscriber has of the chat on screen, so that only new messages are pushed.
//!
//! Invariant: a subscriber who puts each push's `chat` after the message `chat_after` has the end of
//! the chat as the archive has it, however messages came in and whatever was skipped.

use crate::view::{ChatLine, ChatSide};

/// The end of the chat that was pushed last.
#[derive(Default)]
pub(super) struct SentChat {
    session: String,
    /// The newest page, oldest first: the guid of each message, and of which side it was shown to be.
    newest: Vec<(String, Option<ChatSide>)>,
}

impl SentChat {
    /// Leaves out of `chat`, the newest page, what the subscriber has already; returns the guid of the
    /// message that the rest comes after.
    pub fn leave_out_sent(&mut self, session: &str, chat: &mut Vec<ChatLine>) -> Option<String> {
        if self.session != session {
            *self = Self { session: session.to_owned(), newest: Vec::new() };
        }
        let page: Vec<_> = chat.iter().map(|line| (line.guid.clone(), line.side)).collect();
        // Where the pages overlap. Without an overlap, messages between them may be missing, so the
        // subscriber begins anew.
        let first = page.first().map(|(guid, _)| guid);
        let overlap = self.newest.iter().position(|(sent, _)| Some(sent) == first);
        let sent = overlap.map_or(&[][..], |at| &self.newest[at..]);
        // A message that arrived late stands among those sent, and of another it may be told late who wrote it: it and
        // what comes after it is sent again.
        let same = sent.iter().zip(&page).take_while(|(sent, now)| sent == now).count();
        self.newest = page;
        chat.drain(..same).next_back().map(|line| line.guid)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const PAGE: usize = 4;

    fn line(guid: &str) -> ChatLine {
        ChatLine { guid: guid.into(), at: 0, from: String::new(), side: None, text: String::new() }
    }

    fn lines(chat: &str) -> Vec<ChatLine> {
        chat.chars().map(|guid| line(&guid.to_string())).collect()
    }

    fn guids(chat: &[ChatLine]) -> String {
        chat.iter().map(|line| line.guid.as_str()).collect()
    }

    /// What is pushed of a chat whose messages are letters, and after which of them.
    fn push(sent: &mut SentChat, session: &str, chat: &str) -> (Option<String>, String) {
        let mut page = lines(&chat[chat.len().saturating_sub(PAGE)..]);
        let after = sent.leave_out_sent(session, &mut page);
        (after, guids(&page))
    }

    #[test]
    fn only_new_messages_are_pushed_and_another_session_begins_anew() {
        let mut sent = SentChat::default();
        let mut push = |session, chat| push(&mut sent, session, chat);
        let after = |guid: &str, new: &str| (Some(guid.to_owned()), new.to_owned());
        let anew = |all: &str| (None, all.to_owned());
        assert_eq!(push("s", ""), anew(""));
        assert_eq!(push("s", "ab"), anew("ab"));
        assert_eq!(push("s", "ab"), after("b", ""));
        assert_eq!(push("s", "abcde"), after("b", "cde"), "also where the page has moved on");
        assert_eq!(push("s", "abcdef"), after("e", "f"));
        assert_eq!(push("s", "abcdxef"), after("d", "xef"), "`x` came late");
        assert_eq!(push("s", "abcdxefghijklm"), anew("jklm"), "more than a page is new");
        assert_eq!(push("t", "a"), anew("a"));
        assert_eq!(push("s", "abcd"), anew("abcd"));
    }

    #[test]
    fn a_side_that_is_told_late_is_pushed_with_what_comes_after_it() {
        let mut sent = SentChat::default();
        let mut push = |chat: &[ChatLine]| {
            let mut page = chat.to_vec();
            let after = sent.leave_out_sent("s", &mut page);
            (after, guids(&page))
        };
        let mut chat = lines("abc");
        push(&chat);
        chat[1].side = Some(ChatSide::Technician);
        assert_eq!(push(&chat), (Some("a".into()), "bc".into()));
        assert_eq!(push(&chat), (Some("c".into()), String::new()));
        chat[0].side = Some(ChatSide::Customer);
        assert_eq!(push(&chat), (None, "abc".into()));
    }

    proptest! {
        #[test]
        fn a_reader_has_the_end_of_the_chat_after_every_push(
            inserted in prop::collection::vec((prop::char::range('a', 'z'), 0_usize..9, any::<bool>()), 0..40)
        ) {
            let (mut chat, mut sent, mut known) = (String::new(), SentChat::default(), Vec::new());
            for (guid, from_end, pushed) in inserted {
                if chat.contains(guid) {
                    continue;
                }
                chat.insert(chat.len().saturating_sub(from_end), guid);
                if !pushed {
                    continue;
                }
                let (after, new) = push(&mut sent, "s", &chat);
                let kept = after.map_or(0, |after| 1 + known.iter().position(|at| *at == after).unwrap());
                known.truncate(kept);
                known.extend(new.chars().map(String::from));
                let shown = known.concat();
                let page = &chat[chat.len().saturating_sub(PAGE)..];
                prop_assert!(shown.ends_with(page), "{shown} is shown of {chat}");
            }
        }
    }
}
