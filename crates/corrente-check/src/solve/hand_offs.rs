//! Hand-offs: what another thread or process runs, and what comes back from there.
//!
//! What is handed off runs like any call, so that its arguments and its result flow, but its calls are
//! not those of the body that hands it off. What it gives is used on the loop again: a connection
//! that was made in a thread, a generator that was only made there.

use super::arguments::{Given, Way, argument};
use super::machine::Machine;
use super::values::{Data, Value, ValueSet};
use crate::catalogue::{HandOff, HandedBack};
use crate::facts::Mode;
use crate::symbols::Symbol;

/// What comes back where nothing is known of it.
const ELSEWHERE: &str = "corrente.elsewhere()";

/// What a handed-off function that is called later is called through.
const IN_THREAD: &str = "asyncio.to_thread";

impl Machine<'_> {
    pub(super) fn elsewhere(&mut self) -> ValueSet {
        let elsewhere = self.symbols.intern(ELSEWHERE);
        self.single(Data::Library(elsewhere))
    }

    /// What the call `path` gives, which hands off one of its arguments.
    pub(super) fn hand_off(&mut self, path: Symbol, how: HandOff, given: &[Given]) -> ValueSet {
        let is_given = given.iter().any(|one| one.way == Way::Positional);
        match how.gives {
            HandedBack::Nothing => self.elsewhere(),
            HandedBack::Result => self.run_elsewhere(how.position, given),
            // `sync_to_async(thread_sensitive=False)` is there to decorate.
            HandedBack::Callable if !is_given => self.single(Data::Library(path)),
            HandedBack::Callable => {
                let in_thread = self.symbols.intern(IN_THREAD);
                let in_thread = self.single(Data::Library(in_thread));
                let functions = Given::positional(argument(given, how.position));
                self.partial(&[Given::positional(in_thread), functions], Data::Partial)
            }
        }
    }

    fn run_elsewhere(&mut self, position: usize, given: &[Given]) -> ValueSet {
        let mut result = self.elsewhere();
        let positional = |one: &&Given| one.way == Way::Positional;
        let named = given.iter().filter(|one| one.way != Way::Positional);
        let rest = given.iter().filter(positional).skip(position + 1);
        let rest: Vec<Given> = rest.chain(named).cloned().collect();
        let before = std::mem::replace(&mut self.elsewhere, true);
        for callable in argument(given, position).iter() {
            let values = self.invoke(callable, &rest, Mode::Plain);
            result.extend(&values);
        }
        self.elsewhere = before;
        result
    }

    /// Whether a value is a function that is handed off whenever it is called.
    pub(super) fn is_handed_off(&self, value: Value) -> bool {
        let Data::Partial(number) = self.values.data(value) else {
            return false;
        };
        match self.values.data(self.partials[number as usize].callee) {
            Data::Library(path) => self.symbols.text(path) == IN_THREAD,
            _ => false,
        }
    }
}
