//! Names of what samples showed, and the sockets behind them, for all processes that are sampled.
//!
//! Endpoints and resources become small numbers here, so that counting costs nothing; both tables are
//! bounded. What a number stands for is looked up again when the recording is written.

use std::collections::HashMap;

use corrente_record::{OTHER, RESOURCES_MAX};

use super::peer::Peers;
use super::tally::ResourceId;
use crate::names::NameTable;

/// A resource by kind, driver and host.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct ResourceName {
    pub(super) kind: &'static str,
    pub(super) driver: String,
    pub(super) host: String,
}

/// Names and their numbers, for all processes.
#[derive(Debug, Default)]
pub(super) struct Tables {
    pub(super) endpoints: NameTable,
    pub(super) resources: Vec<ResourceName>,
    numbers: HashMap<ResourceName, ResourceId>,
    pub(super) peers: Peers,
}

impl Tables {
    /// The number of a resource; when the table is full, that of one for all others.
    pub(super) fn resource(
        &mut self,
        kind: &'static str,
        driver: &str,
        host: String,
    ) -> ResourceId {
        let name = ResourceName {
            kind,
            driver: driver.to_owned(),
            host,
        };
        if let Some(id) = self.numbers.get(&name) {
            return *id;
        }
        let name = if self.resources.len() < RESOURCES_MAX {
            name
        } else {
            ResourceName {
                kind: "other",
                driver: OTHER.to_owned(),
                host: String::new(),
            }
        };
        let number = ResourceId(u32::try_from(self.resources.len()).unwrap_or(u32::MAX));
        let id = *self.numbers.entry(name.clone()).or_insert(number);
        if id == number {
            self.resources.push(name);
        }
        id
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_table_has_one_resource_for_the_rest() {
        let mut tables = Tables::default();
        let mut id = |number: usize| tables.resource("http", "httpx", format!("host-{number}:80"));
        let first = id(0);
        let last: Vec<ResourceId> = (1..2 * RESOURCES_MAX).map(&mut id).collect();
        assert_eq!(id(0), first);
        assert_eq!(last[RESOURCES_MAX + 5], last[RESOURCES_MAX + 6]);
        assert_eq!(tables.resources.len(), RESOURCES_MAX + 1);
        assert_eq!(tables.resources[RESOURCES_MAX].driver, OTHER);
    }
}
