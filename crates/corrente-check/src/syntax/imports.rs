//! Imports.
//!
//! What a name of a module is, the program decides when it knows all modules; here it is text.

use ruff_python_ast::{StmtImport, StmtImportFrom};
use ruff_text_size::Ranged as _;

use super::lowering::Lowering;
use crate::facts::{Action, Whole};

impl Lowering<'_> {
    pub(super) fn import(&mut self, import: &StmtImport) {
        for alias in &import.names {
            let to = self.slot();
            let full = alias.name.as_str();
            let module = self.name(full);
            let whole = if alias.asname.is_some() {
                Whole::Last
            } else {
                Whole::First
            };
            self.emit(import.range(), Action::Import { to, module, whole });
            let first = full.split('.').next().unwrap_or(full);
            let name = alias.asname.as_ref().map_or(first, |name| name.as_str());
            self.write(import.range(), name, to);
        }
    }

    pub(super) fn import_from(&mut self, import: &StmtImportFrom) {
        let module = self.name(import.module.as_ref().map_or("", |name| name.as_str()));
        let level = import.level;
        for alias in &import.names {
            if alias.name.as_str() == "*" {
                self.emit(import.range(), Action::ImportAll { module, level });
                continue;
            }
            let to = self.slot();
            let name = self.name(alias.name.as_str());
            self.emit(
                import.range(),
                Action::ImportFrom {
                    to,
                    module,
                    level,
                    name,
                },
            );
            let bound = alias.asname.as_ref().unwrap_or(&alias.name);
            self.write(import.range(), bound.as_str(), to);
        }
    }
}
