//! Functions that a framework of synchronous code calls for requests, with their routes.
//!
//! Looked for only where the catalogue has endpoints, which it has for a plan. A route is the first
//! text among the arguments; of a decorator, among those of the call that made it.

use super::arguments::{Given, Way};
use super::heap::ClassId;
use super::instance::InstanceId;
use super::machine::Machine;
use super::values::{Data, Value, ValueSet};
use crate::catalogue::EndpointRule;
use crate::facts::{Action, Argument, ArgumentKind, Call, Slot};

/// HTTP's methods, as frameworks name decorators and handlers after them.
const METHODS: &[&str] = &["get", "post", "put", "patch", "delete", "head", "options"];

/// An endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Endpoint {
    pub(crate) instance: InstanceId,
    pub(crate) framework: String,
    /// As the code writes it: without the prefix of a blueprint or of an included file.
    pub(crate) route: Option<String>,
    /// HTTP's methods, where they are known.
    pub(crate) methods: Vec<String>,
}

impl Machine<'_> {
    /// Notes the endpoints that a call registers.
    pub(super) fn takes_endpoints(&mut self, key: &str, given: &[Given]) {
        let catalogue = self.catalogue;
        let Some(rule) = catalogue.endpoint(key) else {
            return;
        };
        let route = self.route(key, given);
        let methods = self.methods(key, given);
        let values = argument(given, rule.position);
        for value in values.iter() {
            let found = self.handlers(value, rule);
            self.note_endpoints(found, rule, route.as_deref(), &methods);
        }
        for class in self.classes_as_views(rule.position) {
            let found = self.methods_of_class(class, rule);
            self.note_endpoints(found, rule, route.as_deref(), &methods);
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
                    .filter(|(instance, _)| !known(*instance, self));
                let new: Vec<_> = new.collect();
                self.note_endpoints(new, rule, None, &[]);
            }
        }
    }

    fn note_endpoints(
        &mut self,
        found: Vec<(InstanceId, Option<String>)>,
        rule: &EndpointRule,
        route: Option<&str>,
        methods: &[String],
    ) {
        for (instance, method) in found {
            let endpoint = Endpoint {
                instance,
                framework: rule.framework.clone(),
                route: route.map(str::to_owned),
                methods: method.map_or_else(|| methods.to_vec(), |method| vec![method]),
            };
            if !self.endpoints.contains(&endpoint) {
                self.endpoints.push(endpoint);
            }
        }
    }

    /// The bodies that a registered value runs, with the method of HTTP that each is for.
    fn handlers(&mut self, value: Value, rule: &EndpointRule) -> Vec<(InstanceId, Option<String>)> {
        match self.values.data(value) {
            Data::Function { .. } | Data::Bound { .. } | Data::Partial(_) => {
                let bodies = self.bodies(value, &[]);
                bodies.into_iter().map(|body| (body, None)).collect()
            }
            Data::Class(class) => self.methods_of_class(class, rule),
            Data::Object(object) => {
                let class = self.heap.objects[object.0 as usize].class;
                let mut found = self.methods_of(class, value, rule);
                if found.is_empty() {
                    let bodies = self.bodies(value, &[]);
                    found.extend(bodies.into_iter().map(|body| (body, None)));
                }
                found
            }
            _ => Vec::new(),
        }
    }

    fn methods_of_class(
        &mut self,
        class: ClassId,
        rule: &EndpointRule,
    ) -> Vec<(InstanceId, Option<String>)> {
        let receiver = self.values.intern(Data::Declared(class));
        self.methods_of(class, receiver, rule)
    }

    fn methods_of(
        &mut self,
        class: ClassId,
        receiver: Value,
        rule: &EndpointRule,
    ) -> Vec<(InstanceId, Option<String>)> {
        let mut found = Vec::new();
        for name in &rule.methods {
            let symbol = self.symbols.intern(name);
            let values = self.look_up(class, symbol).values;
            for value in values.iter() {
                for bound in self.bind(value, receiver).iter() {
                    let method = name.strip_prefix("on_").unwrap_or(name);
                    let method = METHODS.contains(&method).then(|| method.to_uppercase());
                    let bodies = self.bodies(bound, &[]);
                    found.extend(bodies.into_iter().map(|body| (body, method.clone())));
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
        let mut sets: Vec<ValueSet> = given
            .iter()
            .filter(
                |one| matches!(one.way, Way::Keyword(name) if self.symbols.text(name) == "methods"),
            )
            .map(|one| one.values.clone())
            .collect();
        let maker = self
            .running_call()
            .and_then(|call| self.maker_of(call.callee));
        sets.extend(maker.into_iter().flat_map(|call| {
            let named = call
                .arguments
                .iter()
                .filter(|one| self.is_named(one, "methods"));
            named.map(|one| self.slot(one.slot))
        }));
        let mut found = Vec::new();
        for value in sets.iter().flat_map(ValueSet::iter) {
            if let Data::Collection(owner) = self.values.data(value) {
                let inside = self.heap.peek_all(owner);
                found.extend(inside.iter().filter_map(|one| self.text_of(one)));
            }
        }
        found.sort_unstable();
        found.dedup();
        found
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
    fn running_call(&self) -> Option<&Call> {
        match self.operations().nth(self.current.operation as usize)? {
            Action::Call(call) => Some(call),
            _ => None,
        }
    }

    /// The call whose result a slot holds.
    fn maker_of(&self, slot: Slot) -> Option<&Call> {
        self.operations().find_map(|action| match action {
            Action::Call(call) if call.to == slot => Some(&**call),
            _ => None,
        })
    }

    fn text_of(&self, value: Value) -> Option<String> {
        match self.values.data(value) {
            Data::Text(text) => Some(self.symbols.text(text).to_owned()),
            _ => None,
        }
    }
}

/// The argument at a position; one that is given by a name counts where no position has one.
fn argument(given: &[Given], position: usize) -> ValueSet {
    let mut positional = given.iter().filter(|one| one.way == Way::Positional);
    if let Some(found) = positional.nth(position) {
        return found.values.clone();
    }
    let mut all = ValueSet::default();
    for named in given
        .iter()
        .filter(|one| matches!(one.way, Way::Keyword(_)))
    {
        all.extend(&named.values);
    }
    all
}
