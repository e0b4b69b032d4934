//! The one way to SQLite: how a database is opened, encrypted, locked, migrated, written, read,
//! checked and closed, and what its errors mean. Tables and queries belong to the crates that use it.
//!
//! Invariants: nobody else may read what is made here; a key is given before anything else; a database
//! that was closed in order has everything in its main file, so that a copy of that file is complete.

#![warn(missing_docs)]
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod database;
mod definition;
mod error;
mod integrity;
mod orphans;
mod private;
mod readers;
mod salvage;
mod snapshot;
mod write_connection;
mod writer;

pub use self::{
    database::Database,
    definition::{Definition, Durability, Sharing, StoreKey},
    error::{Remedy, StoreError, fault, io_fault},
    integrity::check_integrity,
    private::private_folder,
    readers::Readers,
    salvage::{SalvagedTable, salvage},
    snapshot::{CopyError, Interrupt, Snapshot, SnapshotGroup},
    write_connection::WriteConnection,
    writer::{PendingWrite, Transactional, Writer, probe_write},
};
