//! Functions that run beside endpoints: hooks of Flask, Django's middleware, signals.
//!
//! Looked for only where the catalogue has them, which it has for a plan. Django names middleware and
//! context processors by text, in its settings; they are found when everything else is known.

use super::arguments::{Given, Way, argument};
use super::heap::{ClassId, Owner};
use super::instance::InstanceId;
use super::machine::Machine;
use super::routers::RouterId;
use super::values::{Data, Value};
use crate::facts::RETURNS;
use crate::routing::Touches;

/// Lists inside one another that settings are searched for names of functions.
const NESTED_MAX: usize = 5;

/// Methods of a middleware that run for a request.
const MIDDLEWARE: &[&str] = &[
    "__call__",
    "process_request",
    "process_view",
    "process_response",
    "process_template_response",
    "process_exception",
];

/// Which calls send which of Django's signals.
const SENDERS: &[(&str, &[&str])] = &[
    ("pre_save", SAVING),
    ("post_save", SAVING),
    ("pre_delete", DELETING),
    ("post_delete", DELETING),
    ("m2m_changed", &["add", "remove", "set", "clear"]),
];

/// Signals that each request sends.
const OF_REQUESTS: &[&str] = &["request_started", "request_finished"];

const DELETING: &[&str] = &["delete"];

const SAVING: &[&str] = &["save", "create", "get_or_create", "update_or_create"];

/// A function that runs beside endpoints.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Hook {
    pub(crate) instance: InstanceId,
    pub(crate) framework: String,
    pub(crate) kind: String,
    pub(crate) reach: HookReach,
    /// Where it is registered.
    site: u64,
}

/// Which endpoints it touches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum HookReach {
    /// All of its framework.
    All,
    /// Those inside one of these routers.
    Routers(Vec<RouterId>),
    /// Those that render a template.
    Rendering,
    /// Those that make one of these calls on one of these models; on any, if none is named.
    Calling {
        calls: &'static [&'static str],
        models: Vec<ClassId>,
    },
}

impl Hook {
    /// Whether both are what one call registers.
    fn is_same(&self, other: &Self) -> bool {
        self.instance == other.instance && self.kind == other.kind && self.site == other.site
    }
}

/// Which endpoints a receiver of a signal touches.
fn of_signal(name: &str, models: &[ClassId]) -> Option<HookReach> {
    if OF_REQUESTS.contains(&name) {
        return Some(HookReach::All);
    }
    // Who sends a signal of the project's own is not followed.
    let (_, calls) = SENDERS.iter().find(|(known, _)| *known == name)?;
    // What is deleted takes others with it, so of deletions senders say little.
    let models = if *calls == DELETING { &[] } else { models };
    Some(HookReach::Calling {
        calls,
        models: models.to_vec(),
    })
}

impl Machine<'_> {
    /// Notes the hooks that a call registers.
    pub(super) fn takes_hooks(&mut self, key: &str, given: &[Given]) {
        let catalogue = self.catalogue;
        let Some(rule) = catalogue.routing.hook(key) else {
            return;
        };
        let signals = match rule.touches {
            Touches::Signal => self.signals(key),
            _ => Vec::new(),
        };
        let kind = rule.kind.clone();
        let all = match rule.touches {
            Touches::All => vec![(kind, HookReach::All)],
            Touches::Rendering => vec![(kind, HookReach::Rendering)],
            Touches::Router => vec![(kind, HookReach::Routers(self.routers_of_callee()))],
            Touches::Signal => {
                let mut senders = self.registered_with(key, given, "sender");
                if key.ends_with(".connect") && senders.is_empty() {
                    let mut positional = given.iter().filter(|one| one.way == Way::Positional);
                    senders.extend(
                        positional
                            .nth(1)
                            .into_iter()
                            .flat_map(|one| one.values.iter()),
                    );
                }
                let models = self.senders(&senders);
                let reaches = signals.iter().filter_map(|name| {
                    let reach = of_signal(name, &models)?;
                    Some((format!("{kind} {name}"), reach))
                });
                reaches.collect()
            }
        };
        let values = if rule.lists.is_empty() {
            argument(given, rule.position)
        } else {
            self.named_argument(given, &rule.lists)
                .into_iter()
                .collect()
        };
        for value in self.flattened(&values, 1).iter() {
            for instance in self.running(value, &rule.methods) {
                for (kind, reach) in &all {
                    self.note_hook(Hook {
                        instance,
                        framework: rule.framework.clone(),
                        kind: kind.clone(),
                        reach: reach.clone(),
                        site: self.current.site(),
                    });
                }
            }
        }
    }

    /// The bodies of a function, or of an object's methods with these names.
    fn running(&mut self, value: Value, methods: &[String]) -> Vec<InstanceId> {
        let class = self.class_of(value).filter(|_| !methods.is_empty());
        let Some(class) = class else {
            return self.bodies(value, &[]);
        };
        let bound = self.methods_named(class, value, methods).into_iter();
        bound.flat_map(|one| self.bodies(one, &[])).collect()
    }

    /// What a class has under these names, for an object of it.
    pub(super) fn methods_named(
        &mut self,
        class: ClassId,
        object: Value,
        names: &[impl AsRef<str>],
    ) -> Vec<Value> {
        let mut found = Vec::new();
        for name in names {
            let name = self.symbols.intern(name.as_ref());
            for method in self.look_up(class, name).values.iter() {
                found.extend(self.bind(method, object).iter());
            }
        }
        found
    }

    fn note_hook(&mut self, hook: Hook) {
        let known = self.hooks.iter_mut().find(|known| known.is_same(&hook));
        match known {
            // What it was registered with may have become known since.
            Some(known) => known.reach = hook.reach,
            None => self.hooks.push(hook),
        }
    }

    /// The signals that a receiver is registered for: `post_save` of `post_save.connect`.
    fn signals(&mut self, key: &str) -> Vec<String> {
        let last = |path: &str| path.rsplit('.').next().unwrap_or(path).to_owned();
        if let Some(path) = key.strip_suffix(".connect") {
            return vec![last(path)];
        }
        let call = self.running_call();
        let maker = call.and_then(|call| self.maker_of(call.callee));
        let Some(first) = maker.and_then(|maker| maker.arguments.first()) else {
            return Vec::new();
        };
        let mut found = Vec::new();
        let values = self.slot(first.slot);
        for value in self.flattened(&values, NESTED_MAX).iter() {
            if let Data::Library(path) = self.values.data(value) {
                found.push(last(self.symbols.text(path)));
            }
        }
        found
    }

    /// Notes what Django's settings name.
    pub(crate) fn hooks_of_settings(&mut self) {
        if self.catalogue.routing.is_empty() {
            return;
        }
        for module in 0..self.program.modules.len() as u32 {
            for value in self.named_in_settings(module, "MIDDLEWARE") {
                for instance in self.middleware(value) {
                    self.note_hook(Hook {
                        instance,
                        framework: "Django".to_owned(),
                        kind: "middleware".to_owned(),
                        reach: HookReach::All,
                        site: 0,
                    });
                }
            }
            for value in self.named_in_settings(module, "TEMPLATES") {
                for instance in self.bodies(value, &[]) {
                    self.note_hook(Hook {
                        instance,
                        framework: "Django".to_owned(),
                        kind: "context processor".to_owned(),
                        reach: HookReach::Rendering,
                        site: 0,
                    });
                }
            }
        }
    }

    /// The functions and classes whose dotted names a setting lists.
    fn named_in_settings(&mut self, module: u32, setting: &str) -> Vec<Value> {
        let name = self.symbols.intern(setting);
        let body = self.module(module);
        let owner = self.instances[body.0 as usize].owner;
        let cell = self.heap.cell(owner, name);
        let values: Vec<Value> = self.heap.cells.peek(cell).iter().collect();
        let mut texts = Vec::new();
        for value in values {
            if let Data::Collection(owner) = self.values.data(value) {
                self.texts_in(owner, NESTED_MAX, &mut texts);
            }
        }
        let mut found = Vec::new();
        for text in texts {
            let Some((module, last)) = text.rsplit_once('.') else {
                continue;
            };
            if let Some(module) = self.program.absolute(module) {
                let last = self.symbols.intern(last);
                found.extend(self.module_attribute(module, last).iter());
            }
        }
        found
    }

    fn texts_in(&self, owner: Owner, depth: usize, texts: &mut Vec<String>) {
        for value in self.heap.peek_all(owner).iter() {
            match self.values.data(value) {
                Data::Collection(inner) if depth > 0 => self.texts_in(inner, depth - 1, texts),
                _ => texts.extend(self.text_of(value)),
            }
        }
    }

    /// What runs for a request: methods of a class, or the function that a function gives.
    fn middleware(&mut self, value: Value) -> Vec<InstanceId> {
        if let Data::Class(class) = self.values.data(value) {
            let receiver = self.values.intern(Data::Declared(class));
            let bound = self.methods_named(class, receiver, MIDDLEWARE).into_iter();
            return bound.flat_map(|one| self.bodies(one, &[])).collect();
        }
        let mut found = Vec::new();
        for maker in self.bodies(value, &[]) {
            let made = self.instances[maker.0 as usize].slots[RETURNS as usize].clone();
            for inner in made.iter() {
                found.extend(self.bodies(inner, &[]));
            }
        }
        found
    }
}
