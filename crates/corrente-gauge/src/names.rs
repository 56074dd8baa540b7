//! A bounded table of names: endpoints get small numbers, and a limit.
//!
//! A service with a route of its own for every customer must not fill the memory of what watches
//! it. The table takes names until it is full; every later name is [`OTHER`], which is there from
//! the start. Pure: no I/O, no clock, no lock (the recorder, which many threads call, has its own).

use std::collections::HashMap;

use corrente_record::{ENDPOINTS_MAX, OTHER, trim_name};

/// The number of a name in its table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct NameId(u32);

impl NameId {
    /// The number of [`OTHER`] in every table.
    pub(crate) const OTHER: Self = Self(0);
}

/// Names in the order in which they came.
#[derive(Debug, Clone)]
pub(crate) struct NameTable {
    limit: usize,
    names: Vec<String>,
    ids: HashMap<String, NameId>,
}

impl NameTable {
    /// A table for `limit` names besides [`OTHER`].
    pub(crate) fn new(limit: usize) -> Self {
        Self {
            limit,
            names: vec![OTHER.to_owned()],
            ids: HashMap::from([(OTHER.to_owned(), NameId::OTHER)]),
        }
    }

    /// The number of `name`, which gets one if there is a place left.
    pub(crate) fn id(&mut self, name: &str) -> NameId {
        if let Some(id) = self.ids.get(name) {
            return *id;
        }
        let name = trim_name(name);
        if let Some(id) = self.ids.get(&name) {
            return *id;
        }
        let place = u32::try_from(self.names.len()).ok();
        let Some(place) = place.filter(|_| self.names.len() <= self.limit) else {
            return NameId::OTHER;
        };
        let id = NameId(place);
        self.names.push(name.clone());
        self.ids.insert(name, id);
        id
    }

    /// The name with this number; [`OTHER`] for a number of another table.
    pub(crate) fn name(&self, id: NameId) -> &str {
        self.names.get(id.0 as usize).map_or(OTHER, String::as_str)
    }
}

impl Default for NameTable {
    fn default() -> Self {
        Self::new(ENDPOINTS_MAX)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_name_keeps_its_number() {
        let mut table = NameTable::new(2);
        let first = table.id("/a");
        let second = table.id("/b");
        assert_ne!(first, second);
        assert_eq!(table.id("/a"), first);
        assert_eq!(table.name(second), "/b");
    }

    #[test]
    fn a_full_table_says_other() {
        let mut table = NameTable::new(1);
        let kept = table.id("/a");
        assert_eq!(table.id("/b"), NameId::OTHER);
        assert_eq!(table.id("/a"), kept);
        assert_eq!(table.name(table.clone().id("/c")), OTHER);
    }

    #[test]
    fn names_that_are_cut_to_the_same_are_one() {
        let mut table = NameTable::default();
        let long = "ä".repeat(1_000);
        assert_eq!(table.id(&long), table.id(&format!("{long}b")));
    }

    proptest! {
        #[test]
        fn a_table_never_grows_past_its_limit(
            limit in 0_usize..20,
            names in prop::collection::vec("\\PC{0,12}", 0..200),
        ) {
            let mut table = NameTable::new(limit);
            let different: std::collections::BTreeSet<NameId> =
                names.iter().map(|name| table.id(name)).collect();
            prop_assert!(different.len() <= limit + 1);
        }
    }
}
