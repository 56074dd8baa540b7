//! All modules of a run, and which of them an import means.
//!
//! A module has several names: as its package folders say, as the checked folder says, and without
//! a leading `src`. So a bare checkout works, whatever its layout. What no module here is called
//! belongs to a library.

use rustc_hash::{FxHashMap, FxHashSet};

use crate::facts::{
    Action, BodyKind, EXPRESSION, FunctionFacts, ModuleFacts, Name, Operation, Slot, Span,
};
use crate::origins::Origin;
use crate::symbols::{Symbol, Symbols};

/// A module of the program.
#[derive(Debug)]
pub(crate) struct Module {
    /// Its path, relative to what was checked, with `/`.
    pub(crate) path: String,
    /// Its dotted name.
    pub(crate) name: String,
    /// The package that relative imports start from.
    package: String,
    /// The folder, dotted, in which a script finds its siblings.
    folder: String,
    /// Whether a package of the same name hides it from all imports, and it is no script beside that.
    pub(crate) is_hidden: bool,
    pub(crate) facts: ModuleFacts,
    /// The program's symbol of each name of the module's.
    symbols: Vec<Symbol>,
    /// The program's number of the module's first function.
    pub(crate) first: u32,
}

/// A function of the program, by number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct FunctionId(pub(crate) u32);

/// All modules.
#[derive(Debug, Default)]
pub(crate) struct Program {
    pub(crate) modules: Vec<Module>,
    /// The module of each function.
    owners: Vec<u32>,
    by_name: FxHashMap<String, u32>,
    /// Bytes of the folders that all paths have in common.
    shared_folders: usize,
    /// Attributes that some code sets.
    pub(crate) assigned: FxHashSet<Symbol>,
    /// Those of them that may be set by `setattr`.
    pub(crate) set_by_name: FxHashSet<Symbol>,
}

/// A module to be added.
#[derive(Debug)]
pub(crate) struct NewModule {
    pub(crate) path: String,
    pub(crate) module: Option<String>,
    pub(crate) facts: ModuleFacts,
}

impl Program {
    /// Puts modules together: each a path and its facts.
    pub(crate) fn of(files: Vec<NewModule>, symbols: &mut Symbols) -> Self {
        let packages: FxHashSet<String> = files
            .iter()
            .filter_map(|file| file.path.strip_suffix("__init__.py"))
            .map(|folder| folder.trim_matches('/').to_owned())
            .collect();
        let mut program = Self {
            shared_folders: shared_folders(files.iter().map(|file| file.path.as_str())),
            ..Self::default()
        };
        for file in files {
            program.add(file, &packages, symbols);
        }
        program.assigned.extend(&program.set_by_name);
        program
    }

    fn add(&mut self, new: NewModule, packages: &FxHashSet<String>, table: &mut Symbols) {
        let NewModule {
            path,
            module,
            facts,
        } = new;
        let number = self.modules.len() as u32;
        let first = self.owners.len() as u32;
        self.owners.extend(facts.functions.iter().map(|_| number));
        let symbols: Vec<Symbol> = facts.names.iter().map(|name| table.intern(name)).collect();
        for function in &facts.functions {
            let set = assigned_in(function);
            self.assigned.extend(set.map(|name| symbols[name as usize]));
            let by_name = set_by_name_in(function, &facts.names);
            let by_name = by_name.map(|name| symbols[name as usize]);
            self.set_by_name.extend(by_name);
        }
        let mut names = names_of(&path, packages);
        if let Some(module) = module {
            names.called(module);
        }
        let is_package = path.ends_with("__init__.py");
        // Of a module and a package of one name, Python imports the package.
        let plain = path.strip_suffix(".py").unwrap_or(&path).trim_matches('/');
        let loses = packages.contains(plain);
        let mut around = plain.match_indices('/').map(|(end, _)| &plain[..end]);
        let is_hidden = loses && around.any(|folder| packages.contains(folder));
        let name = names.own.clone();
        for known in names.all.into_iter().filter(|_| !loses) {
            self.by_name.entry(known).or_insert(number);
        }
        let parent = name
            .rsplit_once('.')
            .map_or("", |(parent, _)| parent)
            .to_owned();
        let package = if is_package { name.clone() } else { parent };
        self.modules.push(Module {
            path,
            name,
            package,
            folder: names.folder,
            is_hidden,
            facts,
            symbols,
            first,
        });
    }

    /// A module's path without the folders that it shares with all others: those say where the project
    /// is, not what is in it.
    pub(crate) fn path_inside<'a>(&self, module: &'a Module) -> &'a str {
        &module.path[self.shared_folders..]
    }

    /// What each module was lowered to.
    pub(crate) fn facts(&self) -> Vec<&ModuleFacts> {
        self.modules.iter().map(|module| &module.facts).collect()
    }

    pub(crate) fn function(&self, id: FunctionId) -> &FunctionFacts {
        let module = self.module_of(id);
        &module.facts.functions[(id.0 - module.first) as usize]
    }

    /// Where a function's name stands.
    pub(crate) fn definition(&self, id: FunctionId) -> Span {
        let module = self.module_of(id);
        let number = id.0 - module.first;
        let parent = module.facts.functions[number as usize].parent;
        let operations = parent
            .map(|parent| &module.facts.functions[parent as usize].operations)
            .into_iter()
            .flatten();
        let mut made = operations.filter(|operation| match &operation.action {
            Action::Function { function, .. } => *function == number,
            Action::Class(class) => class.body == number,
            _ => false,
        });
        made.next()
            .map(|operation| operation.span)
            .unwrap_or_default()
    }

    /// Whether it is the body of a generator expression.
    pub(crate) fn is_expression(&self, id: FunctionId) -> bool {
        let module = self.module_of(id);
        let name = module.facts.functions[(id.0 - module.first) as usize].name;
        &*module.facts.names[name as usize] == EXPRESSION
    }

    pub(crate) fn module_of(&self, id: FunctionId) -> &Module {
        &self.modules[self.owners[id.0 as usize] as usize]
    }

    pub(crate) fn module_number(&self, id: FunctionId) -> u32 {
        self.owners[id.0 as usize]
    }

    /// The function that stands `number`th in the module of `near`.
    pub(crate) fn sibling(&self, near: FunctionId, number: u32) -> FunctionId {
        FunctionId(self.module_of(near).first + number)
    }

    /// The program's symbol of a name of the module of `near`.
    pub(crate) fn symbol(&self, near: FunctionId, name: Name) -> Symbol {
        self.module_of(near).symbols[name as usize]
    }

    pub(crate) fn functions(&self) -> impl Iterator<Item = FunctionId> + use<> {
        (0..self.owners.len() as u32).map(FunctionId)
    }

    /// The function's name with those of the bodies around it: `Service.run`.
    pub(crate) fn qualified(&self, id: FunctionId) -> String {
        let module = self.module_of(id);
        let mut parts = Vec::new();
        let mut at = Some(id.0 - module.first);
        while let Some(number) = at.filter(|number| *number != 0) {
            let function = &module.facts.functions[number as usize];
            parts.push(&*module.facts.names[function.name as usize]);
            at = function.parent;
        }
        parts.reverse();
        if parts.is_empty() {
            "<module>".to_owned()
        } else {
            parts.join(".")
        }
    }

    /// The module that `from …module import` names, dotted.
    pub(crate) fn source(&self, near: FunctionId, text: &str, level: u32) -> String {
        if level == 0 {
            return text.to_owned();
        }
        let mut base = self.module_of(near).package.as_str();
        for _ in 1..level {
            base = base.rsplit_once('.').map_or("", |(parent, _)| parent);
        }
        match (base.is_empty(), text.is_empty()) {
            (true, _) => text.to_owned(),
            (false, true) => base.to_owned(),
            (false, false) => format!("{base}.{text}"),
        }
    }

    /// The module that is called `name`, as seen from the module of `near`.
    pub(crate) fn find(&self, near: FunctionId, name: &str) -> Option<u32> {
        let folder = &self.module_of(near).folder;
        if !folder.is_empty()
            && let Some(found) = self.by_name.get(&format!("{folder}.{name}"))
        {
            return Some(*found);
        }
        self.by_name.get(name).copied()
    }

    /// The module inside the package `module` that is called `name`.
    pub(crate) fn submodule(&self, module: u32, name: &str) -> Option<u32> {
        let package = &self.modules[module as usize].name;
        self.by_name.get(&format!("{package}.{name}")).copied()
    }

    /// The body that is so many further out.
    pub(crate) fn further_out(&self, function: FunctionId, hops: u32) -> Option<FunctionId> {
        let mut at = function;
        for _ in 0..hops {
            at = self.sibling(at, self.function(at).parent?);
        }
        Some(at)
    }

    /// What a body sets its own variable of this name to.
    pub(crate) fn stored(
        &self,
        function: FunctionId,
        name: Symbol,
    ) -> impl Iterator<Item = (Name, Slot)> {
        let stored = self.function(function).origins.stored.iter().copied();
        stored.filter(move |(stored, _)| self.symbol(function, *stored) == name)
    }

    /// Whether a body of the module sets a variable of this name that is not its own.
    pub(crate) fn sets_from_inside(&self, near: FunctionId, name: Name) -> bool {
        let mut functions = self.module_of(near).facts.functions.iter();
        functions.any(|function| function.origins.stored_outside.contains(&name))
    }

    /// The body that a class stands in, and the slots there that hold its bases.
    pub(crate) fn bases(&self, class: FunctionId) -> Option<(FunctionId, &[Slot])> {
        let around = self.sibling(class, self.function(class).parent?);
        let own = class.0 - self.module_of(class).first;
        let mut operations = self.function(around).operations.iter();
        operations.find_map(|operation| match &operation.action {
            Action::Class(made) if made.body == own => Some((around, &*made.bases)),
            _ => None,
        })
    }

    /// The functions that stand in a body.
    pub(crate) fn inside(&self, body: FunctionId) -> impl Iterator<Item = FunctionId> {
        let module = self.module_of(body);
        let own = body.0 - module.first;
        let functions = (0..).zip(&module.facts.functions);
        let inside = functions.filter(move |(_, function)| function.parent == Some(own));
        inside.map(|(number, _)| FunctionId(module.first + number))
    }

    /// Whether a class is an enumeration, as far as the names of its bases say.
    pub(crate) fn is_enumeration(&self, class: FunctionId) -> bool {
        let Some((around, bases)) = self.bases(class) else {
            return false;
        };
        bases.iter().any(|base| {
            let Some(
                Origin::Imported { name, .. }
                | Origin::Attribute { name, .. }
                | Origin::Variable { name, .. },
            ) = self.function(around).origins.of(*base)
            else {
                return false;
            };
            let name = &*self.module_of(class).facts.names[name as usize];
            name.ends_with("Enum") || name.ends_with("Flag")
        })
    }

    /// The module that is called so from the top.
    pub(crate) fn absolute(&self, name: &str) -> Option<u32> {
        self.by_name.get(name).copied()
    }
}

impl Program {
    /// The modules, those first that others import.
    pub(crate) fn import_order(&self) -> Vec<u32> {
        let count = self.modules.len();
        let mut order = Vec::with_capacity(count);
        let mut seen = vec![false; count];
        for start in 0..count as u32 {
            let mut open = vec![(start, None)];
            while let Some((module, imported)) = open.pop() {
                let mut rest: std::vec::IntoIter<u32> = match imported {
                    Some(rest) => rest,
                    None if std::mem::replace(&mut seen[module as usize], true) => continue,
                    None => self.imports_of(module).into_iter(),
                };
                match rest.next() {
                    Some(next) => {
                        open.push((module, Some(rest)));
                        open.push((next, None));
                    }
                    None => order.push(module),
                }
            }
        }
        order
    }

    /// Which modules only functions import; empty where there is none. What such a module imports may have come
    /// before: a program's first module is often imported by a function.
    pub(crate) fn loaded_late(&self) -> Vec<bool> {
        let mut early = vec![false; self.modules.len()];
        let mut late = early.clone();
        for module in 0..self.modules.len() as u32 {
            for function in &self.modules[module as usize].facts.functions {
                let runs_at_once = matches!(function.kind, BodyKind::Module | BodyKind::Class);
                let when = if runs_at_once { &mut early } else { &mut late };
                for imported in self.imports_in(module, function) {
                    for loaded in self.loaded_with(imported, module) {
                        when[loaded as usize] = true;
                    }
                }
            }
        }
        for (late, early) in late.iter_mut().zip(early) {
            *late &= !early;
        }
        if late.contains(&true) {
            late
        } else {
            Vec::new()
        }
    }

    /// A module and the packages around it, without those that its importer is in.
    fn loaded_with(&self, module: u32, importer: u32) -> impl Iterator<Item = u32> {
        let own: Vec<u32> =
            std::iter::successors(Some(importer), |module| self.around(*module)).collect();
        let all = std::iter::successors(Some(module), |module| self.around(*module));
        all.filter(move |module| !own.contains(module))
    }

    /// The package that a module is in.
    pub(crate) fn around(&self, module: u32) -> Option<u32> {
        let (package, _) = self.modules[module as usize].name.rsplit_once('.')?;
        self.by_name.get(package).copied()
    }

    /// The modules of which a module's body takes all names.
    pub(crate) fn star_imports(&self, module: u32) -> Vec<u32> {
        let facts = &self.modules[module as usize].facts;
        let all = |operation: &&Operation| matches!(operation.action, Action::ImportAll { .. });
        let operations = facts.functions[0].operations.iter().filter(all);
        operations
            .filter_map(|operation| self.imported_by(module, &operation.action))
            .collect()
    }

    /// The modules that a module's body imports.
    fn imports_of(&self, module: u32) -> Vec<u32> {
        self.imports_in(module, &self.modules[module as usize].facts.functions[0])
    }

    fn imports_in(&self, module: u32, function: &FunctionFacts) -> Vec<u32> {
        let operations = function.operations.iter();
        operations
            .filter_map(|operation| self.imported_by(module, &operation.action))
            .collect()
    }

    fn imported_by(&self, module: u32, action: &Action) -> Option<u32> {
        let module = &self.modules[module as usize];
        let near = FunctionId(module.first);
        let text = |name: Name| &*module.facts.names[name as usize];
        match *action {
            Action::Import { module, .. } => self.find(near, text(module)),
            Action::ImportFrom {
                module,
                level,
                name,
                ..
            } => {
                let source = self.source(near, text(module), level);
                let inner = self.find(near, &format!("{source}.{}", text(name)));
                inner.or_else(|| self.find(near, &source))
            }
            Action::ImportAll { module, level } => {
                let source = self.source(near, text(module), level);
                self.find(near, &source)
            }
            _ => None,
        }
    }
}
/// The attributes that a function sets.
fn assigned_in(function: &FunctionFacts) -> impl Iterator<Item = Name> {
    let operations = function.operations.iter();
    operations.filter_map(|operation| match operation.action {
        Action::SetAttribute { name, .. } => Some(name),
        _ => None,
    })
}

/// Those that it may set by `setattr`: any name that stands in it.
fn set_by_name_in<'a>(
    function: &'a FunctionFacts,
    names: &'a [Box<str>],
) -> impl Iterator<Item = Name> + use<'a> {
    let is_setter = |operation: &Operation| match operation.action {
        Action::Builtin { name, .. } => &*names[name as usize] == "setattr",
        _ => false,
    };
    let by_name = function.operations.iter().any(is_setter);
    let operations = function.operations.iter();
    operations.filter_map(move |operation| match operation.action {
        Action::Text { text, .. } if by_name => Some(text),
        _ => None,
    })
}

/// The bytes of the folders that all paths begin with.
fn shared_folders<'a>(paths: impl Iterator<Item = &'a str>) -> usize {
    let folders = |path: &'a str| path.rfind('/').map_or("", |end| &path[..=end]);
    let shared = paths.map(folders).reduce(|one, other| {
        let alike = one.bytes().zip(other.bytes());
        let alike = alike.take_while(|(one, other)| one == other).count();
        let end = one.as_bytes()[..alike]
            .iter()
            .rposition(|byte| *byte == b'/');
        end.map_or("", |end| &one[..=end])
    });
    shared.map_or(0, str::len)
}

struct Names {
    own: String,
    all: Vec<String>,
    /// The dotted folder of a script that belongs to no package; empty for others.
    folder: String,
    /// A folder somewhere above is a package, though the module's own may not say so.
    is_inside: bool,
}

impl Names {
    /// The module has this name, whatever its path says.
    fn called(&mut self, module: String) {
        if module.split('.').count() > 1 {
            self.folder.clear();
            self.own.clone_from(&module);
        } else if self.is_inside {
            // `shop/parts/redis.py` is not what `import redis` means.
            return;
        }
        self.all.insert(0, module);
    }
}

fn names_of(path: &str, packages: &FxHashSet<String>) -> Names {
    let stem = path.strip_suffix(".py").unwrap_or(path);
    let stem = stem.strip_suffix("/__init__").unwrap_or(stem);
    let parts: Vec<&str> = stem.split('/').filter(|part| !part.is_empty()).collect();
    let in_package = |upto: usize| packages.contains(&parts[..upto].join("/"));
    // The package begins where the folders with `__init__.py` do.
    let mut start = parts.len().saturating_sub(1);
    while start > 0 && in_package(start) {
        start -= 1;
    }
    let own = parts[start..].join(".");
    let full = parts.join(".");
    let is_script = start + 1 == parts.len() && start > 0 && !path.ends_with("__init__.py");
    // A folder without `__init__.py` inside a package is a package all the same.
    let outermost = (1..parts.len()).find(|upto| in_package(*upto));
    let is_inside = is_script && outermost.is_some();
    let mut all = vec![full.clone()];
    if !is_inside {
        all.insert(0, own.clone());
    }
    all.extend(outermost.map(|upto| parts[upto - 1..].join(".")));
    if let Some(rest) = full
        .strip_prefix("src.")
        .or_else(|| full.split_once(".src.").map(|(_, rest)| rest))
    {
        all.push(rest.to_owned());
    }
    let folder = if is_script {
        parts[..start].join(".")
    } else {
        String::new()
    };
    let own = if is_script { full } else { own };
    Names {
        own,
        all,
        folder,
        is_inside,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(path: &str, packages: &[&str]) -> Names {
        names_of(
            path,
            &packages
                .iter()
                .map(|package| (*package).to_owned())
                .collect(),
        )
    }

    #[test]
    fn a_package_begins_at_its_first_init() {
        let found = names("src/shop/api.py", &["src/shop"]);
        assert_eq!(found.own, "shop.api");
        assert!(found.all.contains(&"src.shop.api".to_owned()));
        assert!(found.folder.is_empty());
    }

    #[test]
    fn folders_that_all_share_are_shared() {
        let shared = |paths: &[&str]| shared_folders(paths.iter().copied());
        assert_eq!(
            shared(&["/test/é/a.py", "/test/é/b/c.py"]),
            "/test/é/".len()
        );
        assert_eq!(shared(&["test/é.py", "test/è.py"]), "test/".len());
        assert_eq!(shared(&["tests/a.py", "test/a.py"]), 0);
        assert_eq!(shared(&["a.py"]), 0);
        assert_eq!(shared(&[]), 0);
    }

    #[test]
    fn a_folder_inside_a_package_is_one_too() {
        let found = names("here/shop/parts/redis.py", &["here/shop"]);
        assert!(found.all.contains(&"shop.parts.redis".to_owned()));
        assert!(!found.all.contains(&"redis".to_owned()));
    }

    #[test]
    fn a_script_knows_its_folder() {
        let found = names("tools/run.py", &[]);
        assert_eq!(found.own, "tools.run");
        assert!(found.all.contains(&"run".to_owned()));
        assert_eq!(found.folder, "tools");
    }
}
