//! Waits for a connection that could not be looked up: whose they are.
//!
//! The tables of connections are read seldom, as they may be long, so a service that makes a new connection
//! for each call has most of its waits without a host. Where a library was seen with one host alone, all
//! that it waits for is that one's; where with several, nobody knows, and the wait stays without. Pure.

use std::collections::HashMap;

use super::figures::Sampled;
use super::tables::ResourceName;
use super::tally::{Doing, ResourceId};

/// A host with less of its library's waiting than this is a glimpse, as of a connection that was closed
/// while it was looked up.
const HARDLY_ANY: f64 = 0.01;

/// Gives waits without a host to the only host of their library.
pub(super) fn settle(sampled: &mut [Sampled], resources: &[ResourceName]) {
    let owners = owners(resources, &waiting(sampled));
    for process in sampled.iter_mut().filter(|_| !owners.is_empty()) {
        process.tally.rename(&owners);
    }
}

/// How long threads waited for each resource, nanoseconds.
fn waiting(sampled: &[Sampled]) -> HashMap<ResourceId, u64> {
    let mut waiting = HashMap::new();
    let all = sampled.iter().flat_map(|process| &process.tally.waiting);
    for ((_, doing), time) in all {
        if let Doing::Waiting(resource) = doing {
            *waiting.entry(*resource).or_default() += time;
        }
    }
    waiting
}

/// For each resource without a host the one that it is, where there is only one that it can be.
fn owners(
    resources: &[ResourceName],
    waiting: &HashMap<ResourceId, u64>,
) -> HashMap<ResourceId, ResourceId> {
    let id = |place: usize| ResourceId(u32::try_from(place).unwrap_or(u32::MAX));
    let time = |place: usize| waiting.get(&id(place)).copied().unwrap_or_default() as f64;
    let owner = |(place, nameless): (usize, &ResourceName)| {
        let alike =
            |one: &ResourceName| (one.kind, &one.driver) == (nameless.kind, &nameless.driver);
        let named = || {
            let all = resources.iter().enumerate();
            all.filter(|(_, one)| alike(one) && !one.host.is_empty())
        };
        let least = HARDLY_ANY * named().map(|(place, _)| time(place)).sum::<f64>();
        let mut hosts = named().filter(|(place, _)| time(*place) > least);
        match (hosts.next(), hosts.next()) {
            (Some((only, _)), None) => Some((id(place), id(only))),
            _ => None,
        }
    };
    let nameless = resources.iter().enumerate();
    let nameless = nameless.filter(|(_, one)| one.host.is_empty());
    nameless.filter_map(owner).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(driver: &str, host: &str) -> ResourceName {
        ResourceName {
            kind: "http",
            driver: driver.to_owned(),
            host: host.to_owned(),
        }
    }

    /// Whose the first resource is, by the driver and host of each and how long was waited for it.
    fn owner(resources: &[(&str, &str, u64)]) -> Option<usize> {
        let names: Vec<ResourceName> = (resources.iter())
            .map(|(driver, host, _)| name(driver, host))
            .collect();
        let waiting = (0..).zip(resources);
        let waiting = waiting.map(|(place, (.., time))| (ResourceId(place), *time));
        let found = owners(&names, &waiting.collect());
        found.get(&ResourceId(0)).map(|owner| owner.0 as usize)
    }

    #[test]
    fn a_wait_without_a_host_is_for_the_only_one_of_its_library() {
        let shop = ("requests", "10.0.0.1:80", 50);
        assert_eq!(owner(&[("requests", "", 900), shop]), Some(1));
        assert_eq!(owner(&[("httpx", "", 900), shop]), None);
        let other = ("requests", "10.0.0.2:80", 50);
        assert_eq!(owner(&[("requests", "", 900), shop, other]), None);
        assert_eq!(owner(&[shop, other]), None);
        // A glimpse is no other host.
        let glimpse = ("requests", "10.0.0.2:80", 0);
        assert_eq!(owner(&[("requests", "", 900), shop, glimpse]), Some(1));
    }
}
