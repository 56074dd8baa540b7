//! What gives routes a prefix: blueprints, included files, routers inside one another.
//!
//! A library's objects are not told apart, so a value of its own goes along with those that routes are
//! registered with, wherever they go. Whole routes are put together when everything is known.

use rustc_hash::FxHashMap;

use super::arguments::{Given, Way};
use super::endpoints::Endpoint;
use super::heap::{ClassId, ObjectId};
use super::instance::InstanceId;
use super::machine::Machine;
use super::values::{Data, Value, ValueSet};
use crate::facts::BodyKind;
use crate::routing::{OwnPrefix, Relation};

/// A router, as its number.
pub(crate) type RouterId = u32;

/// Routers inside one another; a chain that goes on is a circle.
const DEPTH_MAX: usize = 8;

/// Ways to one endpoint that are told.
const ROUTES_MAX: usize = 8;

/// Collections inside one another in which routers are looked for.
const NESTED_MAX: usize = 3;

/// Something that routes are registered with.
#[derive(Debug, Default)]
struct Router {
    prefix: String,
    /// Lists of what all endpoints in it depend on.
    dependencies: Vec<Value>,
    /// The module whose body makes it.
    module: Option<u32>,
    parents: Vec<Parent>,
}

/// Where a router is put into another, or into the application.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Parent {
    router: Option<RouterId>,
    prefix: Option<String>,
    own: OwnPrefix,
    dependencies: Vec<Value>,
}

/// All routers.
#[derive(Debug, Default)]
pub(super) struct Routers {
    list: Vec<Router>,
    numbers: FxHashMap<(u64, InstanceId), RouterId>,
    /// Objects of the program's own classes that are routers.
    of_objects: FxHashMap<ObjectId, RouterId>,
    /// Modules whose routes are included by name.
    included: Vec<(RouterId, u32)>,
}

impl Machine<'_> {
    /// Follows a call that makes a router or puts one into another; gives the router that is made.
    pub(super) fn takes_routers(&mut self, key: &str, given: &[Given]) -> Option<Value> {
        let routing = &self.catalogue.routing;
        if let Some(base) = key.strip_suffix(".__init__")
            && let Some(rule) = routing.router(base)
        {
            let prefix = self.text_argument(given, &rule.prefix, rule.position);
            for (number, prefix) in self.routers_of_callee().into_iter().zip(prefix) {
                self.routers.list[number as usize].prefix = prefix;
            }
            return None;
        }
        if let Some(rule) = routing.mount(key) {
            let parent = Parent {
                router: None,
                prefix: self.text_argument(given, &rule.prefix, rule.position),
                own: rule.own,
                dependencies: self.named_argument(given, &rule.dependencies),
            };
            self.mount(given, &parent);
            return None;
        }
        if routing.includes(key) {
            let number = self.router_here();
            self.include(number, given);
            return Some(self.values.intern(Data::Router(number)));
        }
        let rule = routing.router(key)?;
        let number = self.router_here();
        if let Some(prefix) = self.text_argument(given, &rule.prefix, rule.position) {
            self.routers.list[number as usize].prefix = prefix;
        }
        self.routers.list[number as usize].dependencies =
            self.named_argument(given, &rule.dependencies);
        let others = self.routers_given(given);
        for other in others {
            match rule.arguments {
                Relation::Apart => {}
                Relation::Below => self.put_below(other, &Parent::of(Some(number))),
                Relation::Around => self.put_below(number, &Parent::of(Some(other))),
            }
        }
        Some(self.values.intern(Data::Router(number)))
    }

    /// The router that the running operation makes.
    pub(super) fn router_here(&mut self) -> RouterId {
        let key = (self.current.site(), self.current.instance);
        if let Some(known) = self.routers.numbers.get(&key) {
            return *known;
        }
        let number = self.routers.list.len() as RouterId;
        let function = self.current.function;
        let in_module = self.program.function(function).kind == BodyKind::Module;
        self.routers.list.push(Router {
            module: in_module.then(|| self.program.module_number(function)),
            ..Router::default()
        });
        self.routers.numbers.insert(key, number);
        number
    }

    fn mount(&mut self, given: &[Given], parent: &Parent) {
        let around = self.routers_of_callee();
        for inner in self.routers_given(given) {
            if around.is_empty() {
                self.put_below(inner, parent);
            }
            for outer in around.iter().filter(|outer| **outer != inner) {
                let router = Some(*outer);
                let parent = Parent {
                    router,
                    ..parent.clone()
                };
                self.put_below(inner, &parent);
            }
        }
    }

    fn put_below(&mut self, inner: RouterId, parent: &Parent) {
        let parents = &mut self.routers.list[inner as usize].parents;
        if parent.router != Some(inner) && !parents.contains(parent) {
            parents.push(parent.clone());
        }
    }

    /// `include` of a module, by name or as it is, or of a list of routes.
    fn include(&mut self, number: RouterId, given: &[Given]) {
        let Some(first) = given.first() else { return };
        let mut modules = Vec::new();
        for value in self.flattened(&first.values, NESTED_MAX).iter() {
            match self.values.data(value) {
                Data::Text(text) => modules.extend(self.program.absolute(self.symbols.text(text))),
                Data::Module(module) => modules.push(module),
                Data::Router(inner) => self.put_below(inner, &Parent::of(Some(number))),
                _ => {}
            }
        }
        for module in modules {
            if !self.routers.included.contains(&(number, module)) {
                self.routers.included.push((number, module));
            }
        }
    }

    /// Values, and those inside of collections.
    pub(super) fn flattened(&mut self, values: &ValueSet, depth: usize) -> ValueSet {
        let mut all = ValueSet::default();
        for value in values.iter() {
            match self.values.data(value) {
                Data::Collection(owner) if depth > 0 => {
                    let inside = self.everything_in(owner);
                    let inside = self.flattened(&inside, depth - 1);
                    all.extend(&inside);
                }
                _ => {
                    all.insert(value);
                }
            }
        }
        all
    }

    fn routers_given(&self, given: &[Given]) -> Vec<RouterId> {
        let values = given.iter().flat_map(|argument| argument.values.iter());
        values.filter_map(|value| self.router_of(value)).collect()
    }

    /// The routers that the running call is a method of.
    pub(super) fn routers_of_callee(&self) -> Vec<RouterId> {
        let callee = self.running_call().map(|call| self.slot(call.callee));
        let values = callee.unwrap_or_default();
        let routers = values.iter().filter_map(|value| self.router_of(value));
        routers.collect()
    }

    fn router_of(&self, value: Value) -> Option<RouterId> {
        match self.values.data(value) {
            Data::Router(number) => Some(number),
            Data::Object(object) => self.routers.of_objects.get(&object).copied(),
            _ => None,
        }
    }

    /// The router that an object is, if its class inherits from a library's router.
    pub(super) fn router_of_object(&mut self, value: Value, class: ClassId) -> ValueSet {
        let Data::Object(object) = self.values.data(value) else {
            return ValueSet::default();
        };
        if self.catalogue.routing.is_empty() || !self.is_router(class) {
            return ValueSet::default();
        }
        let number = if let Some(known) = self.routers.of_objects.get(&object) {
            *known
        } else {
            let number = self.routers.list.len() as RouterId;
            self.routers.list.push(Router::default());
            self.routers.of_objects.insert(object, number);
            number
        };
        self.single(Data::Router(number))
    }

    fn is_router(&mut self, class: ClassId) -> bool {
        let bases = self.bases_in_libraries(class);
        let mut bases = bases.iter().map(|base| self.symbols.text(*base));
        bases.any(|base| self.catalogue.routing.router(base).is_some())
    }

    /// The constructor of a library's router runs for an object of a class of ours.
    pub(super) fn makes_router(&mut self, value: Value, class: ClassId, given: &[Given]) {
        for router in self.router_of_object(value, class).iter() {
            for base in self.bases_in_libraries(class).iter().copied() {
                let base = self.symbols.text(base).to_owned();
                let rule = self.catalogue.routing.router(&base);
                let Some((number, rule)) = self.router_of(router).zip(rule) else {
                    continue;
                };
                if let Some(prefix) = self.text_argument(given, &rule.prefix, rule.position) {
                    self.routers.list[number as usize].prefix = prefix;
                }
            }
        }
    }

    /// The text of an argument, by name or by position.
    pub(super) fn text_argument(
        &self,
        given: &[Given],
        name: &str,
        position: Option<usize>,
    ) -> Option<String> {
        let mut before = 0;
        let found = given.iter().find(|argument| match argument.way {
            Way::Positional => {
                before += 1;
                position == Some(before - 1)
            }
            Way::Keyword(given) => self.symbols.text(given) == name,
            Way::Star | Way::DoubleStar => false,
        })?;
        found.values.iter().find_map(|value| self.text_of(value))
    }

    /// The values of an argument that is given by name.
    pub(super) fn named_argument(&self, given: &[Given], name: &str) -> Vec<Value> {
        let is_named =
            |way: Way| matches!(way, Way::Keyword(own) if self.symbols.text(own) == name);
        let named = given.iter().filter(|argument| is_named(argument.way));
        named.flat_map(|argument| argument.values.iter()).collect()
    }

    /// Gives each endpoint its whole route; one that can be reached in several ways becomes several.
    pub(crate) fn whole_routes(&mut self) {
        self.routes_of_actions();
        self.join_included();
        let endpoints = std::mem::take(&mut self.endpoints);
        for endpoint in endpoints {
            let mut routes: Vec<Option<String>> = match &endpoint.route {
                None => vec![None],
                Some(own) => {
                    let prefixes = self.prefixes_of(&endpoint.owners);
                    prefixes
                        .iter()
                        .map(|prefix| Some(joined(prefix, own)))
                        .collect()
                }
            };
            routes.sort();
            routes.dedup();
            for route in routes.into_iter().take(ROUTES_MAX) {
                let whole = Endpoint {
                    route,
                    ..endpoint.clone()
                };
                self.endpoints.push(whole);
            }
        }
    }

    /// A module that is included by name has below it what it does not put elsewhere itself.
    fn join_included(&mut self) {
        let free: Vec<(RouterId, u32)> = (0..)
            .zip(&self.routers.list)
            .filter(|(_, router)| router.parents.is_empty())
            .filter_map(|(number, router)| Some((number, router.module?)))
            .collect();
        for (outer, module) in self.routers.included.clone() {
            for (inner, _) in free.iter().filter(|(_, of)| *of == module) {
                self.put_below(*inner, &Parent::of(Some(outer)));
            }
        }
    }

    pub(super) fn prefixes_of(&self, owners: &[RouterId]) -> Vec<String> {
        let prefixes = owners
            .iter()
            .flat_map(|owner| self.routers.prefixes(*owner, DEPTH_MAX));
        let mut prefixes: Vec<String> = prefixes.collect();
        if prefixes.is_empty() {
            prefixes.push(String::new());
        }
        prefixes
    }

    /// Lists of what the endpoints of routers depend on.
    pub(super) fn dependencies_of(&self, owners: &[RouterId]) -> Vec<Value> {
        let all = owners.iter();
        all.flat_map(|owner| self.routers.dependencies(*owner, DEPTH_MAX))
            .collect()
    }

    /// Whether a router is another one, or somewhere inside it.
    pub(crate) fn is_inside(&self, inner: RouterId, outer: RouterId) -> bool {
        self.routers.is_inside(inner, outer, DEPTH_MAX)
    }
}

impl Parent {
    fn of(router: Option<RouterId>) -> Self {
        Self {
            router,
            prefix: None,
            own: OwnPrefix::Kept,
            dependencies: Vec::new(),
        }
    }
}

impl Routers {
    fn prefixes(&self, number: RouterId, depth: usize) -> Vec<String> {
        let router = &self.list[number as usize];
        if router.parents.is_empty() || depth == 0 {
            return vec![router.prefix.clone()];
        }
        let mut all = Vec::new();
        for parent in &router.parents {
            let outer = parent.router.map_or_else(
                || vec![String::new()],
                |outer| self.prefixes(outer, depth - 1),
            );
            let between = parent.prefix.as_deref().unwrap_or_default();
            let own = match parent.own {
                OwnPrefix::Replaced if parent.prefix.is_some() => "",
                _ => &router.prefix,
            };
            all.extend(
                outer
                    .iter()
                    .map(|outer| joined(&joined(outer, between), own)),
            );
            all.truncate(ROUTES_MAX);
        }
        all
    }

    /// Lists of what the endpoints of a router depend on: its own, and those of all around it.
    fn dependencies(&self, number: RouterId, depth: usize) -> Vec<Value> {
        let router = &self.list[number as usize];
        let mut all = router.dependencies.clone();
        for parent in router.parents.iter().filter(|_| depth > 0) {
            all.extend(&parent.dependencies);
            if let Some(outer) = parent.router {
                all.extend(self.dependencies(outer, depth - 1));
            }
        }
        all
    }

    fn is_inside(&self, inner: RouterId, outer: RouterId, depth: usize) -> bool {
        let parents = &self.list[inner as usize].parents;
        let mut around = parents.iter().filter_map(|parent| parent.router);
        inner == outer
            || (depth > 0 && around.any(|around| self.is_inside(around, outer, depth - 1)))
    }
}

/// Two parts of a route. Django's begin with no slash and are put together as they are.
fn joined(prefix: &str, route: &str) -> String {
    if prefix.is_empty() || route.is_empty() {
        return format!("{prefix}{route}");
    }
    let prefix = prefix.trim_end_matches('$');
    let route = route.trim_start_matches('^');
    if let (true, Some(rest)) = (prefix.ends_with('/'), route.strip_prefix('/')) {
        return format!("{prefix}{rest}");
    }
    let is_absolute = prefix.starts_with('/') && !prefix.ends_with('/');
    if is_absolute && !route.starts_with('/') && !route.is_empty() {
        return format!("{prefix}/{route}");
    }
    format!("{prefix}{route}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_of_a_route_have_one_slash_between_them() {
        assert_eq!(joined("/orders", "/<int:id>"), "/orders/<int:id>");
        assert_eq!(joined("/orders/", "/new"), "/orders/new");
        assert_eq!(joined("/api", "orders"), "/api/orders");
        assert_eq!(joined("", "/orders"), "/orders");
        assert_eq!(joined("/orders", ""), "/orders");
    }

    #[test]
    fn routes_of_django_are_put_together_as_they_are() {
        assert_eq!(joined("api/", "orders/"), "api/orders/");
        assert_eq!(joined("^api/", "^orders/$"), "^api/orders/$");
    }
}
