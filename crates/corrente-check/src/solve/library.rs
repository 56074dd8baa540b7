//! What is known of libraries: paths as values, and the catalogue's word on calling them.
//!
//! A path is written as code would reach it, `requests.Session().get`; without its parentheses it
//! is the key under which the catalogue knows it.

use super::arguments::{Given, Way};
use super::machine::{Leaf, Machine};
use super::values::{Data, Value, ValueSet};
use crate::catalogue::Condition;
use crate::facts::Mode;
use crate::symbols::Symbol;

/// Steps of a path; what goes on longer is a loop over a library's objects.
const STEPS_MAX: usize = 12;

/// What comes back from a hand-off.
const ELSEWHERE: &str = "corrente.elsewhere()";

impl Machine<'_> {
    /// The path of a library's thing under its best-known name.
    pub(super) fn path(&mut self, text: &str) -> Symbol {
        let text = self.catalogue.alias(text).unwrap_or(text);
        self.symbols.intern(text)
    }

    /// A path without parentheses.
    pub(super) fn key(&self, path: Symbol) -> Symbol {
        let text = self.symbols.text(path);
        if !text.contains("()") {
            return path;
        }
        self.symbols.find(&text.replace("()", "")).unwrap_or(path)
    }

    fn key_text(&self, path: Symbol) -> String {
        self.symbols.text(path).replace("()", "")
    }

    /// The key of calling what is at a path.
    fn call_key(&self, path: Symbol) -> String {
        let text = self.symbols.text(path);
        let key = text.replace("()", "");
        if text.ends_with("()") {
            format!("{key}.__call__")
        } else {
            key
        }
    }

    /// What calling a path gives.
    pub(super) fn result_path(&mut self, path: Symbol) -> Option<Symbol> {
        let key = self.call_key(path);
        self.typed(&key).or_else(|| {
            let text = self.symbols.text(path);
            (steps(text) < STEPS_MAX)
                .then(|| format!("{text}()"))
                .map(|text| self.symbols.intern(&text))
        })
    }

    /// What the catalogue says a key gives.
    fn typed(&mut self, key: &str) -> Option<Symbol> {
        let class = self.catalogue.result(key)?;
        Some(self.symbols.intern(&format!("{class}()")))
    }

    pub(super) fn attribute_of_library(&mut self, path: Symbol, name: Symbol) -> ValueSet {
        let base = self.symbols.text(path);
        if steps(base) >= STEPS_MAX {
            return ValueSet::default();
        }
        let full = format!("{base}.{}", self.symbols.text(name));
        if let Some(module) = self.program.absolute(&full) {
            return self.single(Data::Module(module));
        }
        let key = full.replace("()", "");
        if let Some(class) = self.catalogue.attribute(&key) {
            let class = self.symbols.intern(&format!("{class}()"));
            return self.single(Data::Library(class));
        }
        // An alias is of a module's or class's name, so it never hides a call.
        let path = if full.contains("()") {
            self.symbols.intern(&full)
        } else {
            self.path(&full)
        };
        self.symbols.intern(&key);
        self.single(Data::Library(path))
    }

    pub(super) fn item_of_library(&mut self, path: Symbol) -> ValueSet {
        let key = format!("{}.__getitem__", self.key_text(path));
        self.blocks(&key, &[], Mode::Plain);
        match self.typed(&key) {
            Some(path) => self.single(Data::Library(path)),
            None => self.single(Data::Library(path)),
        }
    }

    pub(super) fn operator_of_library(&mut self, path: Symbol, method: Symbol) -> ValueSet {
        let key = format!("{}.{}", self.key_text(path), self.symbols.text(method));
        self.blocks(&key, &[], Mode::Plain);
        match self.typed(&key) {
            Some(path) => self.single(Data::Library(path)),
            None => ValueSet::default(),
        }
    }

    /// Iteration or `with` over a library's object.
    pub(super) fn protocol_of_library(
        &mut self,
        path: Symbol,
        method: &str,
        mode: Mode,
    ) -> ValueSet {
        let key = format!("{}.{method}", self.key_text(path));
        self.blocks(&key, &[], mode);
        match self.typed(&key) {
            Some(path) => self.single(Data::Library(path)),
            None if method == "__enter__" => self.single(Data::Library(path)),
            None => ValueSet::default(),
        }
    }

    /// Notes a blocking call, if it is one.
    fn blocks(&mut self, key: &str, given: &[Given], mode: Mode) {
        if mode == Mode::Awaited {
            return;
        }
        let Some(rule) = self.catalogue.blocking(key) else {
            return;
        };
        let unless = &self.catalogue.rules[rule as usize].unless;
        if unless.iter().any(|condition| self.holds(condition, given)) {
            return;
        }
        let key = self.symbols.intern(key);
        self.leaf(Leaf { key, rule });
    }

    fn holds(&self, condition: &Condition, given: &[Given]) -> bool {
        let mut position = 0;
        given.iter().any(|argument| {
            let named = match argument.way {
                Way::Positional => {
                    position += 1;
                    condition.position == Some(position - 1)
                }
                Way::Keyword(name) => self.symbols.text(name) == condition.name,
                Way::Star | Way::DoubleStar => false,
            };
            named
                && argument.values.iter().any(
                    |value| matches!(self.values.data(value), Data::Number(number) if number == condition.number),
                )
        })
    }

    pub(super) fn call_of_library(
        &mut self,
        path: Symbol,
        given: &[Given],
        mode: Mode,
    ) -> ValueSet {
        let key = self.call_key(path);
        if let Some(values) = self.builtin_call(&key, given) {
            return values;
        }
        self.blocks(&key, given, mode);
        self.takes_callbacks(&key, given);
        if self.catalogue.hands_off(&key) {
            let elsewhere = self.symbols.intern(ELSEWHERE);
            return self.single(Data::Library(elsewhere));
        }
        if let Some(condition) = self.catalogue.neutral(&key)
            && self.holds(condition, given)
        {
            let elsewhere = self.symbols.intern(ELSEWHERE);
            return self.single(Data::Library(elsewhere));
        }
        let mut result = self.runs_arguments(&key, given);
        if mode == Mode::Decorator && !self.symbols.text(path).starts_with("corrente.") {
            result.extend(&given[0].values);
        }
        if let Some(path) = self.result_path(path) {
            let value = self.single(Data::Library(path));
            result.extend(&value);
        }
        result
    }

    /// Functions that the loop will call.
    fn takes_callbacks(&mut self, key: &str, given: &[Given]) {
        let Some(position) = self.catalogue.callback(key) else {
            return;
        };
        let reason = format!("given to `{}`", crate::finding::short(key));
        for value in at(given, position).iter() {
            for body in self.bodies(value, &[]) {
                self.entry(body, reason.clone());
            }
        }
    }

    /// Functions that the library calls there and then.
    fn runs_arguments(&mut self, key: &str, given: &[Given]) -> ValueSet {
        let mut result = ValueSet::default();
        let Some(position) = self.catalogue.runs(key) else {
            return result;
        };
        let callables: Vec<Value> = at(given, position).iter().collect();
        let rest: Vec<Given> = self.passed_on(given, position);
        for value in callables {
            let values = self.invoke(value, &rest, Mode::Plain);
            result.extend(&values);
        }
        result
    }

    /// `map(f, xs)` calls `f` with what is in `xs`.
    fn passed_on(&mut self, given: &[Given], position: usize) -> Vec<Given> {
        let mut rest = Vec::new();
        for argument in given.iter().skip(position + 1) {
            if argument.way != Way::Positional {
                continue;
            }
            let mut inner = ValueSet::default();
            for value in argument.values.iter() {
                if let Data::Collection(_) | Data::Generator(_) = self.values.data(value) {
                    let values = self.elements(value, Mode::Plain);
                    inner.extend(&values);
                } else {
                    inner.insert(value);
                }
            }
            rest.push(Given::positional(inner));
        }
        rest
    }

    /// Enters methods that a framework's loop calls: those of `Protocol` classes and the like.
    pub(crate) fn framework_methods(&mut self) {
        for number in 0..self.heap.classes.len() as u32 {
            let class = super::heap::ClassId(number);
            for base in self.bases_in_libraries(class) {
                let base = self.symbols.text(base).to_owned();
                for method in self.catalogue.methods_of(&base).to_vec() {
                    self.framework_method(class, &base, &method);
                }
            }
        }
    }

    fn framework_method(&mut self, class: super::heap::ClassId, base: &str, method: &str) {
        let name = self.symbols.intern(method);
        if !self.binds(class, name) {
            return;
        }
        let receiver = self.values.intern(Data::Declared(class));
        for value in self.look_up(class, name).values.iter() {
            for bound in self.bind(value, receiver).iter() {
                for body in self.bodies(bound, &[]) {
                    self.entry(body, format!("called by `{}`", crate::finding::short(base)));
                }
            }
        }
    }

    pub(super) fn run_callable(&mut self, values: &ValueSet, given: &[Given]) -> ValueSet {
        let mut result = ValueSet::default();
        for value in values.iter() {
            let found = self.invoke(value, given, Mode::Plain);
            result.extend(&found);
        }
        result
    }
}

fn steps(path: &str) -> usize {
    path.matches(['.', '(']).count()
}

/// The argument at a position, however it is given.
fn at(given: &[Given], position: usize) -> ValueSet {
    let positional = given
        .iter()
        .filter(|argument| argument.way == Way::Positional);
    let mut found = positional
        .skip(position)
        .map(|argument| argument.values.clone());
    found.next().unwrap_or_else(|| {
        // By keyword: whichever callable it is.
        let mut all = ValueSet::default();
        for argument in given
            .iter()
            .filter(|argument| matches!(argument.way, Way::Keyword(_)))
        {
            all.extend(&argument.values);
        }
        all
    })
}
