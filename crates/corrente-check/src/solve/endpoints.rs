//! Functions that a framework of synchronous code calls for requests, with their routes.
//!
//! Looked for only where the catalogue has endpoints, which it has for a plan. A route is the first
//! text among the arguments; of a decorator, among those of the call that made it.

use super::arguments::{Given, argument};
use super::heap::ClassId;
use super::instance::InstanceId;
use super::machine::Machine;
use super::routers::RouterId;
use super::values::{Data, Value, ValueSet};
use crate::catalogue::EndpointRule;
use crate::facts::{Action, Argument, ArgumentKind, Call, Slot};
use crate::program::FunctionId;

/// HTTP's methods, as frameworks name decorators and handlers after them.
const METHODS: &[&str] = &["get", "post", "put", "patch", "delete", "head", "options"];

/// The key of an item, behind the route of a collection.
const ITEM: &str = "<pk>/";

/// An endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Endpoint {
    pub(crate) instance: InstanceId,
    pub(crate) framework: String,
    /// At first as the code writes it; whole in the end.
    pub(crate) route: Option<String>,
    /// HTTP's methods, where they are known.
    pub(crate) methods: Vec<String>,
    /// What it is registered with.
    pub(crate) owners: Vec<RouterId>,
    /// Where that is done.
    pub(super) site: u64,
    pub(super) action: Option<ItemAction>,
    /// Lists of what it depends on, beside its parameters.
    pub(super) dependencies: Vec<Value>,
}

/// A method of a registered class with a route of its own behind that of the class.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ItemAction {
    route: String,
}

/// A class that is registered as a whole, under a route.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Registered {
    class: ClassId,
    route: String,
    owners: Vec<RouterId>,
}

/// Handlers that a class has from a library's class, and that wait there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Inherited {
    pub(crate) class: ClassId,
    pub(crate) base: String,
    pub(crate) framework: String,
    pub(crate) methods: Vec<String>,
    pub(crate) instead: String,
}

/// A body that answers requests.
struct Handler {
    instance: InstanceId,
    method: Option<String>,
    /// It is for one item of a collection.
    of_item: bool,
}

impl EndpointRule {
    /// The same for methods with a text behind their names: `on_get_all`.
    fn with_suffix(&self, suffix: &str) -> Self {
        let methods = self.methods.iter();
        let named = methods.map(|name| (format!("{name}_{suffix}"), verb_of(name)));
        let named: Vec<(String, Option<String>)> = named.collect();
        let verbs = named
            .iter()
            .filter_map(|(name, verb)| Some((name.clone(), verb.clone()?)));
        Self {
            verbs: verbs.collect(),
            methods: named.iter().map(|(name, _)| name.clone()).collect(),
            ..self.clone()
        }
    }
}

/// The method of HTTP that a handler is named for: `get`, `on_get`.
fn verb_of(name: &str) -> Option<String> {
    let own = name.strip_prefix("on_").unwrap_or(name);
    METHODS.contains(&own).then(|| own.to_uppercase())
}

impl Handler {
    fn plain(instance: InstanceId) -> Self {
        Self {
            instance,
            method: None,
            of_item: false,
        }
    }
}

impl Machine<'_> {
    /// Follows a call that registers endpoints, hooks or routers; gives the router that it makes.
    pub(super) fn takes_routes(&mut self, key: &str, given: &[Given]) -> ValueSet {
        if self.catalogue.routing.is_empty() {
            return ValueSet::default();
        }
        self.takes_endpoints(key, given);
        self.takes_hooks(key, given);
        self.takes_around(key, given);
        let made = self.takes_routers(key, given);
        made.map(ValueSet::one).unwrap_or_default()
    }

    fn takes_endpoints(&mut self, key: &str, given: &[Given]) {
        let catalogue = self.catalogue;
        let Some(rule) = catalogue.endpoint(key) else {
            return;
        };
        let mut base = Endpoint {
            instance: self.current.instance,
            framework: rule.framework.clone(),
            route: self.route(key, given),
            methods: self.methods(key, given),
            owners: self.routers_of_callee(),
            site: self.current.site(),
            action: None,
            dependencies: self.registered_with(key, given, &rule.dependencies),
        };
        if catalogue.routing.router(key).is_some() {
            // The call makes a router of its own, which has the route.
            base.owners = vec![self.router_here()];
            base.route = base.route.map(|_| String::new());
        }
        if rule.is_action {
            base.action = Some(self.action(&mut base));
        } else if !rule.items.is_empty() {
            // A router puts a slash behind the name of a collection.
            base.route = base.route.map(|route| format!("{route}/"));
        }
        let values = argument(given, rule.position);
        let suffixed = self.text_argument(given, &rule.suffix, None);
        let suffixed = suffixed.map(|suffix| rule.with_suffix(&suffix));
        let rule = suffixed.as_ref().unwrap_or(rule);
        for value in values.iter() {
            let found = self.handlers(value, rule);
            self.note_endpoints(found, &base);
            if let Data::Class(class) = self.values.data(value) {
                self.note_registered(class, &base);
            }
        }
        for class in self.classes_as_views(rule.position) {
            let found = self.methods_of_class(class, rule);
            self.note_endpoints(found, &base);
        }
    }

    /// Notes the handlers of classes that no call in sight registers.
    pub(crate) fn endpoint_classes(&mut self) {
        let catalogue = self.catalogue;
        for number in 0..self.heap.classes.len() as u32 {
            let class = ClassId(number);
            for base in self.bases_in_libraries(class).iter().copied() {
                let base = self.symbols.text(base).replace("()", "");
                let Some(rule) = catalogue.endpoint_class(&base) else {
                    continue;
                };
                let found = self.methods_of_class(class, rule);
                let known = |instance: InstanceId, machine: &Self| {
                    let function = machine.instances[instance.0 as usize].function;
                    let mut all = machine.endpoints.iter();
                    all.any(|one| machine.instances[one.instance.0 as usize].function == function)
                };
                let new = found
                    .into_iter()
                    .filter(|handler| !known(handler.instance, self));
                let new: Vec<Handler> = new.collect();
                let endpoint = Endpoint {
                    instance: self.current.instance,
                    framework: rule.framework.clone(),
                    route: None,
                    methods: Vec::new(),
                    owners: Vec::new(),
                    site: 0,
                    action: None,
                    dependencies: Vec::new(),
                };
                self.note_endpoints(new, &endpoint);
            }
        }
    }

    fn note_endpoints(&mut self, found: Vec<Handler>, base: &Endpoint) {
        for handler in found {
            let key = if handler.of_item { ITEM } else { "" };
            let endpoint = Endpoint {
                instance: handler.instance,
                route: base.route.as_ref().map(|route| format!("{route}{key}")),
                methods: handler
                    .method
                    .map_or_else(|| base.methods.clone(), |method| vec![method]),
                ..base.clone()
            };
            let known = self.endpoints.iter_mut().find(|known| {
                known.instance == endpoint.instance
                    && known.site == endpoint.site
                    && known.methods == endpoint.methods
            });
            match known {
                // More may have become known of the same call.
                Some(known) => *known = endpoint,
                None => self.endpoints.push(endpoint),
            }
        }
    }

    fn note_registered(&mut self, class: ClassId, base: &Endpoint) {
        let Some(route) = base.route.clone() else {
            return;
        };
        let new = Registered {
            class,
            route,
            owners: base.owners.clone(),
        };
        if !self.viewsets.contains(&new) {
            self.viewsets.push(new);
        }
    }

    /// The route of a method that is decorated as an action, from its class's on.
    fn action(&self, endpoint: &mut Endpoint) -> ItemAction {
        endpoint.route = None;
        let methods = endpoint.methods.iter().map(|method| method.to_uppercase());
        endpoint.methods = methods.collect();
        if endpoint.methods.is_empty() {
            endpoint.methods = vec!["GET".to_owned()];
        }
        let own = self
            .given_to_maker("url_path")
            .into_iter()
            .find_map(|value| self.text_of(value));
        let own = own.unwrap_or_else(|| "{name}".to_owned());
        let of_item = self
            .given_to_maker("detail")
            .into_iter()
            .any(|value| matches!(self.values.data(value), Data::Number(number) if number != 0));
        let key = if of_item { ITEM } else { "" };
        ItemAction {
            route: format!("{key}{own}/"),
        }
    }

    /// Actions get the routes of the classes that they belong to.
    pub(super) fn routes_of_actions(&mut self) {
        let mut done = Vec::new();
        for endpoint in std::mem::take(&mut self.endpoints) {
            let Some(action) = &endpoint.action else {
                done.push(endpoint);
                continue;
            };
            let instance = &self.instances[endpoint.instance.0 as usize];
            let (function, class) = (instance.function, instance.class);
            let name = self
                .program
                .symbol(function, self.program.function(function).name);
            let own = action.route.replace("{name}", self.symbols.text(name));
            let before = done.len();
            for one in self.viewsets.clone() {
                if class.is_some_and(|class| self.ancestors(one.class).contains(&class)) {
                    done.push(Endpoint {
                        route: Some(format!("{}{own}", one.route)),
                        owners: one.owners,
                        ..endpoint.clone()
                    });
                }
            }
            if done.len() == before {
                done.push(endpoint);
            }
        }
        self.endpoints = done;
    }

    /// The body of a class.
    pub(crate) fn class_body(&self, class: ClassId) -> FunctionId {
        self.heap.classes[class.0 as usize].body
    }

    /// Handlers that classes of the program have from a library, and that wait there.
    pub(crate) fn inherited_handlers(&mut self) -> Vec<Inherited> {
        let catalogue = self.catalogue;
        let mut found = Vec::new();
        for number in 0..self.heap.classes.len() as u32 {
            let class = ClassId(number);
            for base in self.bases_in_libraries(class).iter().copied() {
                let base = self.symbols.text(base).replace("()", "");
                let Some(rule) = catalogue.routing.inherited(&base) else {
                    continue;
                };
                let has = |name: &String, machine: &mut Self| {
                    let name = machine.symbols.intern(name);
                    machine.look_up(class, name).class.is_some()
                };
                let methods = rule.methods.iter().filter(|name| !has(name, self));
                let methods: Vec<String> = methods.cloned().collect();
                let in_use = rule.needs.iter().any(|name| has(name, self));
                if in_use && !methods.is_empty() {
                    found.push(Inherited {
                        class,
                        base,
                        framework: rule.framework.clone(),
                        methods,
                        instead: rule.instead.clone(),
                    });
                }
            }
        }
        found
    }

    /// The bodies that a registered value runs, with the method of HTTP that each is for.
    fn handlers(&mut self, value: Value, rule: &EndpointRule) -> Vec<Handler> {
        match self.values.data(value) {
            Data::Function { .. } | Data::Bound { .. } | Data::Partial(_) => {
                let bodies = self.bodies(value, &[]);
                bodies.into_iter().map(Handler::plain).collect()
            }
            Data::Class(class) => self.methods_of_class(class, rule),
            Data::Object(object) => {
                let class = self.heap.objects[object.0 as usize].class;
                let mut found = self.methods_of(class, value, rule);
                if found.is_empty() {
                    let bodies = self.bodies(value, &[]);
                    found.extend(bodies.into_iter().map(Handler::plain));
                }
                found
            }
            _ => Vec::new(),
        }
    }

    fn methods_of_class(&mut self, class: ClassId, rule: &EndpointRule) -> Vec<Handler> {
        let receiver = self.values.intern(Data::Declared(class));
        self.methods_of(class, receiver, rule)
    }

    fn methods_of(&mut self, class: ClassId, receiver: Value, rule: &EndpointRule) -> Vec<Handler> {
        let mut found = Vec::new();
        for name in &rule.methods {
            let symbol = self.symbols.intern(name);
            let values = self.look_up(class, symbol).values;
            for value in values.iter() {
                for bound in self.bind(value, receiver).iter() {
                    let method = rule.verbs.get(name).cloned().or_else(|| verb_of(name));
                    let bodies = self.bodies(bound, &[]);
                    found.extend(bodies.into_iter().map(|instance| Handler {
                        instance,
                        method: method.clone(),
                        of_item: rule.items.contains(name),
                    }));
                }
            }
        }
        found
    }

    fn route(&self, key: &str, given: &[Given]) -> Option<String> {
        if !key.ends_with(".__call__") {
            let mut values = given.iter().flat_map(|argument| argument.values.iter());
            return values.find_map(|value| self.text_of(value));
        }
        let maker = self.maker_of(self.running_call()?.callee)?;
        let slots = maker.arguments.iter().map(|argument| argument.slot);
        let mut values = slots.flat_map(|slot| self.slot(slot).iter().collect::<Vec<_>>());
        values.find_map(|value| self.text_of(value))
    }

    /// From the name of the decorator, else from `methods=[…]`.
    fn methods(&self, key: &str, given: &[Given]) -> Vec<String> {
        let name = key.trim_end_matches(".__call__").rsplit('.').next();
        if let Some(name) = name.filter(|name| METHODS.contains(name)) {
            return vec![name.to_uppercase()];
        }
        let mut listed = self.named_argument(given, "methods");
        listed.extend(self.given_to_maker("methods"));
        let mut found = Vec::new();
        for value in listed {
            if let Data::Collection(owner) = self.values.data(value) {
                let inside = self.heap.peek_all(owner);
                found.extend(inside.iter().filter_map(|one| self.text_of(one)));
            }
        }
        found.sort_unstable();
        found.dedup();
        found
    }

    /// The values of an argument of the call that registers something; of a decorator, of the call
    /// that made it.
    pub(super) fn registered_with(&self, key: &str, given: &[Given], name: &str) -> Vec<Value> {
        if key.ends_with(".__call__") {
            self.given_to_maker(name)
        } else {
            self.named_argument(given, name)
        }
    }

    /// The values of an argument, by name, of the call that made the decorator that is called.
    fn given_to_maker(&self, name: &str) -> Vec<Value> {
        let maker = self
            .running_call()
            .and_then(|call| self.maker_of(call.callee));
        let arguments = maker.into_iter().flat_map(|call| &call.arguments);
        let slots = arguments.filter(|one| self.is_named(one, name));
        slots
            .flat_map(|one| self.slot(one.slot).iter().collect::<Vec<_>>())
            .collect()
    }

    fn is_named(&self, argument: &Argument, wanted: &str) -> bool {
        matches!(argument.kind, ArgumentKind::Keyword(name) if self.symbols.text(self.symbol(name)) == wanted)
    }

    /// Classes whose `as_view()` is the argument at a position, or one that is given by a name.
    fn classes_as_views(&self, position: usize) -> Vec<ClassId> {
        let Some(call) = self.running_call() else {
            return Vec::new();
        };
        let given = call.arguments.iter().enumerate().filter(|(at, argument)| {
            *at == position || matches!(argument.kind, ArgumentKind::Keyword(_))
        });
        let makers = given.filter_map(|(_, argument)| self.maker_of(argument.slot));
        let bases = makers.filter_map(|maker| self.base_of_as_view(maker.callee));
        let values: Vec<ValueSet> = bases.map(|base| self.slot(base)).collect();
        let classes = values.iter().flat_map(ValueSet::iter).filter_map(|value| {
            match self.values.data(value) {
                Data::Class(class) => Some(class),
                _ => None,
            }
        });
        classes.collect()
    }

    fn base_of_as_view(&self, callee: Slot) -> Option<Slot> {
        self.operations().find_map(|action| match action {
            Action::Attribute { to, base, name } if *to == callee => {
                let name = self.symbols.text(self.symbol(*name));
                (name == "as_view").then_some(*base)
            }
            _ => None,
        })
    }

    fn operations(&self) -> impl Iterator<Item = &Action> {
        let facts = self.program.function(self.current.function);
        facts.operations.iter().map(|operation| &operation.action)
    }

    /// The call that is running, where an operation of the program makes it.
    pub(super) fn running_call(&self) -> Option<&Call> {
        match self.operations().nth(self.current.operation as usize)? {
            Action::Call(call) => Some(call),
            _ => None,
        }
    }

    /// The call whose result a slot holds.
    pub(super) fn maker_of(&self, slot: Slot) -> Option<&Call> {
        self.operations().find_map(|action| match action {
            Action::Call(call) if call.to == slot => Some(&**call),
            _ => None,
        })
    }

    pub(super) fn text_of(&self, value: Value) -> Option<String> {
        match self.values.data(value) {
            Data::Text(text) => Some(self.symbols.text(text).to_owned()),
            _ => None,
        }
    }
}
