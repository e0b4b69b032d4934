//! The session's actor: which requests it sends, in which order, and how it handles answers that
//! are late, wrong, unreadable or missing.

mod allocation;
mod chat;
mod disk;
mod hooks;
mod mail;
mod program;
mod verification;
