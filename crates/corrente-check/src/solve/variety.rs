//! Calls that give a function objects of other classes than its first call did.
//!
//! What is asked of the objects of two classes is not done by both: such calls are looked at one by one. Only the
//! class of the first is kept; calls that give an object of that class are looked at together.

use super::arguments::{Given, Way};
use super::heap::{ClassId, ObjectId};
use super::machine::Machine;
use super::values::Data;
use crate::program::FunctionId;

/// What a function is given.
type Parameter = (FunctionId, Way, usize);

impl Machine<'_> {
    /// Whether a call gives an object of another class than the first call did, of which the same is asked: what
    /// one of them does is not what the other does.
    pub(super) fn varies(&mut self, function: FunctionId, given: &[Given]) -> bool {
        let mut varies = false;
        for (position, argument) in given.iter().enumerate() {
            let parameter = (function, argument.way, position);
            for value in argument.values.iter() {
                if let Data::Object(object) = self.values.data(value) {
                    varies |= self.is_another(parameter, object);
                }
            }
        }
        varies
    }

    fn is_another(&mut self, parameter: Parameter, object: ObjectId) -> bool {
        let class = self.heap.objects[object.0 as usize].class;
        let first = *self.first_classes.entry(parameter).or_insert(class);
        first != class && self.answer_alike(first, class)
    }

    /// Whether two classes define a method of one name, beside the special ones.
    fn answer_alike(&self, one: ClassId, other: ClassId) -> bool {
        let methods = |class: ClassId| &self.heap.classes[class.0 as usize].known.methods;
        !methods(one).is_disjoint(methods(other))
    }
}
