//! Importing runs a module's body, where nobody has imported it before.
//!
//! Only of modules that functions alone import is that known; such an import is probable, since another one may have come
//! first. And names of modules that are values: `import_module`, `globals`.

use super::machine::Machine;
use super::values::{Data, ValueSet};
use crate::finding::Certainty;
use crate::program::FunctionId;
use crate::symbols::Symbol;

/// Modules that are taken for one of which only the beginning of the name is known.
const MODULES_MAX: usize = 32;

impl Machine<'_> {
    /// Whether only functions import the module of a function.
    pub(super) fn is_late(&self, function: FunctionId) -> bool {
        self.runs_late(self.program.module_number(function))
    }

    fn runs_late(&self, module: u32) -> bool {
        self.loaded_late
            .get(module as usize)
            .copied()
            .unwrap_or(false)
    }

    /// A module is imported by its name.
    pub(super) fn loads(&mut self, name: &str) {
        if self.loaded_late.is_empty() {
            return;
        }
        let mut at = self.program.find(self.current.function, name);
        while let Some(module) = at {
            if self.runs_late(module) {
                let body = self.module(module);
                self.edge(body, Certainty::Probable);
            }
            at = self.program.around(module);
        }
    }

    /// `from source import name`, which may be a module.
    pub(super) fn loads_member(&mut self, source: &str, name: Symbol) {
        if self.loaded_late.is_empty() {
            return;
        }
        self.loads(source);
        let name = self.symbols.text(name);
        let member = format!("{source}.{name}");
        self.loads(member.trim_start_matches('.'));
    }

    /// `importlib.import_module(name, __name__)`. Where only the beginning of a name is known, it may be any module
    /// that is called so.
    pub(super) fn imported_by_names(&mut self, names: &ValueSet) -> ValueSet {
        let mut values = ValueSet::default();
        for name in self.texts(names) {
            values.extend(&self.imported_by_name(&name));
        }
        for value in names.iter() {
            if let Data::Beginning(beginning) = self.values.data(value) {
                let beginning = self.symbols.text(beginning).to_owned();
                for name in self.modules_beginning(&beginning) {
                    self.loads(&name);
                    values.extend(&self.module_value(&name));
                }
            }
        }
        values
    }

    fn modules_beginning(&self, beginning: &str) -> Vec<String> {
        let rest = beginning.trim_start_matches('.');
        let level = (beginning.len() - rest.len()) as u32;
        let mut prefix = self.program.source(self.current.function, rest, level);
        if rest.is_empty() {
            prefix.push('.');
        }
        let names = self.program.modules.iter().map(|module| &module.name);
        let names = names.filter(|name| prefix.contains('.') && name.starts_with(&prefix));
        names.take(MODULES_MAX).cloned().collect()
    }

    fn imported_by_name(&mut self, name: &str) -> ValueSet {
        let rest = name.trim_start_matches('.');
        let level = (name.len() - rest.len()) as u32;
        let source = self.program.source(self.current.function, rest, level);
        self.loads(&source);
        self.module_value(&source)
    }

    /// `globals()`.
    pub(super) fn names_of_module(&mut self) -> ValueSet {
        let module = self.program.module_number(self.current.function);
        let body = self.module(module);
        let owner = self.instances[body.0 as usize].owner;
        self.single(Data::Collection(owner))
    }
}
