//! Which parameters, and which attributes of what it gets first, a function's tests ask for.
//!
//! Asked for is what a test of the function's own asks for, and what it hands on to a function that asks for it,
//! as far as names tell: too much does no harm but to the time it takes. Nothing here runs.

use rustc_hash::{FxHashMap, FxHashSet};

use crate::facts::{BodyKind, Receiver};
use crate::origins::{Handed, HandedWay, Origin};
use crate::program::{FunctionId, Program};
use crate::symbols::{Symbol, Symbols};

/// What tests ask for, by function.
#[derive(Debug, Default)]
pub(super) struct Wanted {
    pub(super) parameters: Vec<Vec<u32>>,
    pub(super) attributes: Vec<Vec<Symbol>>,
}

#[derive(Debug, Clone, Copy)]
enum Asked {
    Parameter(FunctionId, u32),
    Attribute(FunctionId, Symbol),
}

struct Search<'a> {
    program: &'a Program,
    init: Symbol,
    /// What is handed to functions of a name, and by whom.
    handed: FxHashMap<Symbol, Vec<(FunctionId, &'a Handed)>>,
    /// Who calls a method of a name on what it gets first.
    callers: FxHashMap<Symbol, Vec<FunctionId>>,
    found: Wanted,
    open: Vec<Asked>,
}

impl Wanted {
    pub(super) fn of(program: &Program, symbols: &mut Symbols) -> Self {
        let functions = program.functions().count();
        let mut search = Search {
            program,
            init: symbols.intern("__init__"),
            handed: FxHashMap::default(),
            callers: FxHashMap::default(),
            found: Self {
                parameters: vec![Vec::new(); functions],
                attributes: vec![Vec::new(); functions],
            },
            open: Vec::new(),
        };
        search.begin();
        while let Some(asked) = search.open.pop() {
            match asked {
                Asked::Parameter(function, number) => search.want_what_is_handed(function, number),
                Asked::Attribute(function, name) => search.want_of_callers(function, name),
            }
        }
        let mut found = search.found;
        found
            .parameters
            .iter_mut()
            .for_each(|list| list.sort_unstable());
        found
            .attributes
            .iter_mut()
            .for_each(|list| list.sort_unstable());
        found
    }

    /// The attributes that are always what an object's making set them to: nothing but an `__init__` sets them.
    pub(super) fn fixed(&self, program: &Program, symbols: &mut Symbols) -> FxHashSet<Symbol> {
        let init = symbols.intern("__init__");
        let mut fixed: FxHashSet<Symbol> = self.attributes.iter().flatten().copied().collect();
        for name in &program.set_by_name {
            fixed.remove(name);
        }
        for function in program.functions() {
            let facts = program.function(function);
            let makes = program.symbol(function, facts.name) == init;
            for set in &facts.origins.set {
                if !(makes && set.is_own) {
                    fixed.remove(&program.symbol(function, set.name));
                }
            }
        }
        fixed
    }
}

impl Search<'_> {
    fn begin(&mut self) {
        let program = self.program;
        for function in program.functions() {
            let origins = &program.function(function).origins;
            for handed in &origins.handed {
                let callee = program.symbol(function, handed.callee);
                let list = self.handed.entry(callee).or_default();
                list.push((function, handed));
            }
            for name in &origins.own_called {
                let name = program.symbol(function, *name);
                self.callers.entry(name).or_default().push(function);
            }
            for origin in &origins.tested {
                self.want(function, *origin);
            }
        }
    }

    fn want(&mut self, function: FunctionId, origin: Origin) {
        let program = self.program;
        match origin {
            Origin::Parameter(number) => self.want_parameter(function, number),
            Origin::Variable { hops, name } => {
                let wanted = program.symbol(function, name);
                if let Some(outer) = program.further_out(function, hops)
                    && let Some(number) = self.parameter(outer, wanted)
                {
                    self.want_parameter(outer, number);
                }
            }
            Origin::Attribute { base, name } => {
                let first = program.function(function).origins.of(base);
                if first == Some(Origin::Parameter(0)) {
                    self.want_attribute(function, program.symbol(function, name));
                }
            }
            _ => {}
        }
    }

    fn want_parameter(&mut self, function: FunctionId, number: u32) {
        let known = &mut self.found.parameters[function.0 as usize];
        if !known.contains(&number) {
            known.push(number);
            self.open.push(Asked::Parameter(function, number));
        }
    }

    fn want_attribute(&mut self, function: FunctionId, name: Symbol) {
        let known = &mut self.found.attributes[function.0 as usize];
        let facts = self.program.function(function);
        let around = facts
            .parent
            .map(|parent| self.program.sibling(function, parent));
        let is_method = around.is_some_and(|around| {
            self.program.function(around).kind == BodyKind::Class
                && facts.receiver == Receiver::Object
        });
        if is_method && !known.contains(&name) {
            known.push(name);
            self.open.push(Asked::Attribute(function, name));
        }
    }

    fn parameter(&self, function: FunctionId, wanted: Symbol) -> Option<u32> {
        let parameters = &self.program.function(function).parameters;
        let mut named = (0..).zip(parameters);
        let is_wanted = |name| self.program.symbol(function, name) == wanted;
        let found = named.find(|(_, parameter)| is_wanted(parameter.name));
        found.map(|(number, _)| number)
    }

    /// Who calls a method that asks for an attribute of its object, asks for it too.
    fn want_of_callers(&mut self, function: FunctionId, attribute: Symbol) {
        let name = self.program.function(function).name;
        let name = self.program.symbol(function, name);
        let callers = self.callers.get(&name).cloned().unwrap_or_default();
        for caller in callers {
            self.want_attribute(caller, attribute);
        }
    }

    /// Who hands something on to this parameter.
    fn want_what_is_handed(&mut self, function: FunctionId, number: u32) {
        let program = self.program;
        let facts = program.function(function);
        let Some(parameter) = facts.parameters.get(number as usize) else {
            return;
        };
        let name = program.symbol(function, parameter.name);
        let own = program.symbol(function, facts.name);
        let around = facts.parent.map(|parent| program.sibling(function, parent));
        let class = around.filter(|_| own == self.init);
        let class = class.map(|class| program.symbol(class, program.function(class).name));
        for called in std::iter::once(own).chain(class) {
            for (from, handed) in self.handed.get(&called).cloned().unwrap_or_default() {
                let fits = match handed.way {
                    HandedWay::Keyword(keyword) => program.symbol(from, keyword) == name,
                    // A method's own object comes first.
                    HandedWay::Position(position) => [position, position + 1].contains(&number),
                };
                if fits {
                    self.want(from, handed.origin);
                }
            }
        }
    }
}
