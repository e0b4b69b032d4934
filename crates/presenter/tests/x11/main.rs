//! The screen of a real X server: each test has an Xvfb of its own, and real X programs on it.
#![allow(clippy::unwrap_used)] // a test that can't go on has failed

mod capture;
mod clipboard;
mod desk;
mod keeper;
mod keys;
mod late_refusal;
mod left_behind;
mod open;
mod several_viewers;
mod typed;
mod wayland;
