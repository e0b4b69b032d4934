//! A stand-in of the hosted service, and the real headless program as its customer: the broker without any extension,
//! behind nginx with TLS, HTTP/2, compression and redirects. The console's listener is behind a reverse proxy with a
//! path prefix. Service and console have a network each, so that nothing arrives by another way.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used)]

mod answers;
mod certificates;
mod namespaces;
mod nginx;
mod pages;
#[path = "../cli/process.rs"]
#[allow(dead_code)] // each program of tests uses its own part of this
mod process;
mod records;
mod regions;
mod senders;
mod stand_in;
mod story;
mod way;
