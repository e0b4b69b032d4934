//! The session's actor: what it asks of the services, in which order, and what it makes of answers that
//! are late, wrong, unreadable or never come.

mod allocation;
mod chat;
mod disk;
mod hooks;
mod mail;
mod program;
mod verification;
