//! The console against its own real broker, in a temporary folder: no mock, no window.
#![allow(clippy::unwrap_used)] // a test that can't go on has failed

mod access;
mod audit;
mod backup;
mod bad_input;
mod chat;
mod commands;
mod configured;
mod deletion;
mod device;
mod leaks;
mod log;
mod lost;
mod mail_log;
mod mails;
mod network;
mod notices;
mod restart;
mod rig;
mod screen;
mod screen_ends;
mod secrets;
#[path = "../service/mod.rs"]
mod service;
mod settings;
mod story;
mod verify;
mod waiting;
mod words;
