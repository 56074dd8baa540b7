//! Settings that are read again while the server runs: what of them can take effect.
//!
//! Values in, values out. Key invariant: what lasts for good is as it was when the server started, whatever the file says.

use super::registry::{Lasts, entries};
use super::{SettingsError, Values};

/// What comes of settings that were read again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Renewal {
    /// Those that are in force from now on.
    pub values: Values,
    /// What is different now.
    pub changed: Vec<&'static str>,
    /// What would be different after a restart of the server.
    pub waiting: Vec<&'static str>,
}

impl Values {
    /// These settings instead of those that were in force `before`. What lasts for good stays as it was there.
    ///
    /// # Errors
    ///
    /// Where both together are not right.
    pub fn renewing(mut self, before: &Self) -> Result<Renewal, SettingsError> {
        let (mut changed, mut waiting) = (Vec::new(), Vec::new());
        for entry in entries() {
            let old = before.get(entry.name);
            if self.get(entry.name).value == old.value {
                continue;
            }
            match entry.lasts {
                Lasts::UntilReload => changed.push(entry.name),
                Lasts::ForGood => {
                    waiting.push(entry.name);
                    self.found.insert(entry.name, old.clone());
                }
            }
        }
        let lines = self.contradictions();
        if !lines.is_empty() {
            return Err(SettingsError { lines });
        }
        Ok(Renewal {
            values: self,
            changed,
            waiting,
        })
    }
}
