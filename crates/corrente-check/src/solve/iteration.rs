//! What `itertools` makes: iterators of iterators.
//!
//! Nothing runs before it is iterated, but for what `chain.from_iterable` takes apart.

use super::arguments::{Given, Way};
use super::machine::Machine;
use super::values::{Data, Gives, ValueSet};

impl Machine<'_> {
    /// What a call gives, if the function is one of those.
    pub(super) fn iterator_of_iterators(
        &mut self,
        key: &str,
        given: &[Given],
        first: &ValueSet,
    ) -> Option<ValueSet> {
        match key {
            "itertools.chain" => {
                let all = self.iterables(given);
                Some(self.iterators(&all))
            }
            "itertools.chain.from_iterable" => {
                let inner = self.all_elements(first);
                Some(self.iterators(&inner))
            }
            "itertools.islice" | "itertools.cycle" | "itertools.compress" => {
                Some(self.iterators(first))
            }
            "itertools.takewhile" | "itertools.dropwhile" | "itertools.filterfalse" => {
                Some(self.partial(given, |number| Data::Lazy(number, Gives::Items)))
            }
            "itertools.zip_longest" | "itertools.product" => Some(self.zip(given)),
            _ => None,
        }
    }

    fn iterables(&mut self, given: &[Given]) -> ValueSet {
        let mut all = ValueSet::default();
        for argument in given {
            if argument.way == Way::Star {
                all.extend(&self.all_elements(&argument.values));
            } else {
                all.extend(&argument.values);
            }
        }
        all
    }
}
