//! Metaclasses of the program: what they do when a class is made or called, and what a class has from them.
//!
//! `__new__` of a metaclass is not followed: the class is the one that its statement makes.

use super::arguments::Given;
use super::heap::ClassId;
use super::machine::Machine;
use super::values::{Data, Value, ValueSet};
use crate::facts::Mode;
use crate::symbols::Symbol;

impl Machine<'_> {
    /// A class says what its metaclass is.
    pub(super) fn note_metaclass(&mut self, class: ClassId, values: &ValueSet) {
        let classes = values.iter().map(|value| self.values.data(value));
        let mut classes = classes.filter_map(|data| match data {
            Data::Class(metaclass) => Some(metaclass),
            _ => None,
        });
        let metaclass = classes.next();
        let info = &mut self.heap.classes[class.0 as usize];
        if metaclass.is_some() && info.metaclass.is_none() {
            info.metaclass = metaclass;
            self.heap.has_metaclasses = true;
            // Whoever has called the class calls it again.
            self.forget_orders(class);
        }
    }

    fn metaclass_of(&mut self, class: ClassId) -> Option<ClassId> {
        if !self.heap.has_metaclasses {
            return None;
        }
        let order = self.order_of(class);
        let mut all = order.iter();
        all.find_map(|class| self.heap.classes[class.0 as usize].metaclass)
    }

    /// What a class has from its metaclass.
    pub(super) fn attribute_of_metaclass(&mut self, class: ClassId, name: Symbol) -> ValueSet {
        let mut found = ValueSet::default();
        let Some(metaclass) = self.metaclass_of(class) else {
            return found;
        };
        let receiver = self.values.intern(Data::Class(class));
        for value in self.look_up(metaclass, name).values.iter() {
            found.extend(&self.bind(value, receiver));
        }
        found
    }

    /// Calls a special method that a class has from its metaclass; none if it has not.
    pub(super) fn special_of_class(
        &mut self,
        class: ClassId,
        name: Symbol,
        given: &[Given],
    ) -> Option<ValueSet> {
        let metaclass = self.metaclass_of(class)?;
        self.look_up(metaclass, name).class?;
        let methods = self.attribute_of_metaclass(class, name);
        Some(self.run_callable(&methods, given))
    }

    /// What calling a class gives, where its metaclass says what that does.
    pub(super) fn made_by_metaclass(
        &mut self,
        class: ClassId,
        given: &[Given],
    ) -> Option<ValueSet> {
        let call = self.symbols.intern("__call__");
        self.special_of_class(class, call, given)
    }

    /// A class is made: `__init__` of its metaclass gets it.
    pub(super) fn tell_metaclass(&mut self, class: ClassId) {
        let Some(metaclass) = self.metaclass_of(class) else {
            return;
        };
        let initialize = self.symbols.intern("__init__");
        let receiver: Value = self.values.intern(Data::Class(class));
        let body = self.heap.classes[class.0 as usize].body;
        let name = self.program.function(body).name;
        let name = self.single(Data::Text(self.program.symbol(body, name)));
        let given = [name, ValueSet::default(), ValueSet::default()].map(Given::positional);
        for value in self.look_up(metaclass, initialize).values.iter() {
            for bound in self.bind(value, receiver).iter() {
                self.invoke(bound, &given, Mode::Plain);
            }
        }
    }
}
