//! What Deskhand does to the desktop: viewer windows, notifications, links. Each does one thing and decides nothing.

pub mod boundary;
pub mod link;
pub mod notice;
pub mod viewer;
