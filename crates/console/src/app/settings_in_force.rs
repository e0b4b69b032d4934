//! The settings in force, and where they are stored.

use std::sync::Arc;

use parking_lot::RwLock;
use serde_json::{Map, Value};

use crate::{Settings, SettingsSource};

/// The settings in force, the stored part of them, and its place.
pub(crate) struct SettingsInForce {
    pub source: SettingsSource,
    in_force: RwLock<StoredSettings>,
}

/// The settings and their stored part, which has no defaults, variables or flags.
#[derive(Clone)]
pub(crate) struct StoredSettings {
    pub stored: Map<String, Value>,
    pub settings: Arc<Settings>,
}

impl SettingsInForce {
    pub fn new(source: SettingsSource, in_force: StoredSettings) -> Self {
        Self { source, in_force: RwLock::new(in_force) }
    }

    pub fn current(&self) -> Arc<Settings> {
        self.in_force.read().settings.clone()
    }

    /// The stored part of the settings.
    pub fn stored(&self) -> Map<String, Value> {
        self.in_force.read().stored.clone()
    }

    pub fn replace(&self, settings: StoredSettings) {
        *self.in_force.write() = settings;
    }
}
