//! The console against its own real broker, in a temporary folder: no mock, no window.
#![allow(clippy::unwrap_used)] // a test that can't go on has failed

mod audit;
mod bad_input;
mod commands;
mod configured;
mod leaks;
mod network;
mod notices;
mod restart;
mod rig;
mod secrets;
#[path = "../service/mod.rs"]
mod service;
mod settings;
mod story;
