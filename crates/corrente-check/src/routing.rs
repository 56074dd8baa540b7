//! What the catalogue knows of routes: what gives them a prefix, and what runs beside an endpoint.
//!
//! Frameworks' names, as data (`data/synchronous.toml`). Only a plan asks; `solve/routers` and
//! `solve/hooks` follow what is found.

use rustc_hash::{FxHashMap, FxHashSet};
use serde::Deserialize;

/// Something that routes are registered with, by what makes it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RouterRule {
    names: Vec<String>,
    /// The argument that is its prefix, by name.
    pub(crate) prefix: String,
    /// The same, by position.
    pub(crate) position: Option<usize>,
    /// The argument that lists what all of its endpoints depend on.
    #[serde(default)]
    pub(crate) dependencies: String,
    /// What routers among the arguments are to it.
    #[serde(default)]
    pub(crate) arguments: Relation,
}

/// How routers stand to one another.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Relation {
    /// They have nothing to do with one another.
    #[default]
    Apart,
    /// The argument is inside.
    Below,
    /// The argument is around.
    Around,
}

/// A call that puts one router into another.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct MountRule {
    names: Vec<String>,
    /// The argument that is the prefix, by name.
    pub(crate) prefix: String,
    pub(crate) position: Option<usize>,
    /// The argument that lists what the endpoints of the inner one depend on.
    #[serde(default)]
    pub(crate) dependencies: String,
    /// What becomes of the prefix that the inner one has.
    pub(crate) own: OwnPrefix,
}

/// What becomes of a router's own prefix when it is put into another with a prefix.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum OwnPrefix {
    Replaced,
    Kept,
}

/// A function that runs beside endpoints, by how it is registered.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct HookRule {
    names: Vec<String>,
    pub(crate) framework: String,
    pub(crate) kind: String,
    pub(crate) touches: Touches,
    /// The argument that is the function, or an object with such methods.
    #[serde(default)]
    pub(crate) position: usize,
    /// The argument that lists them, by name, in place of the one at a position.
    #[serde(default)]
    pub(crate) lists: String,
    /// Methods of the object that run for a request.
    #[serde(default)]
    pub(crate) methods: Vec<String>,
}

/// What runs around endpoints: a decorator whose argument does, or what a class with such a base lists.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct AroundRule {
    #[serde(default)]
    names: Vec<String>,
    #[serde(default)]
    base: Vec<String>,
    /// Attributes of the class: lists of decorators, or of classes if there are methods.
    #[serde(default)]
    pub(crate) lists: Vec<String>,
    /// The methods of the listed classes that run.
    #[serde(default)]
    pub(crate) methods: Vec<String>,
}

/// Which endpoints a hook touches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Touches {
    /// All of its framework.
    All,
    /// Those of the router that it was registered with.
    Router,
    /// Those that render a template.
    Rendering,
    /// Those that make what the signal is about happen.
    Signal,
}

/// A decorator that says for which of HTTP's methods a function is.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct VerbsRule {
    names: Vec<String>,
    /// Those; if none, what the first argument lists.
    #[serde(default)]
    methods: Vec<String>,
}

/// Handlers that a library's class has itself, and that wait.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct InheritedRule {
    base: Vec<String>,
    pub(crate) framework: String,
    pub(crate) methods: Vec<String>,
    /// A class without any of these is not in use itself.
    pub(crate) needs: Vec<String>,
    pub(crate) instead: String,
}

/// The entries of a catalogue file.
#[derive(Debug, Default)]
pub(crate) struct Entries {
    pub(crate) routers: Vec<RouterRule>,
    pub(crate) mounts: Vec<MountRule>,
    pub(crate) includes: Vec<String>,
    pub(crate) hooks: Vec<HookRule>,
    pub(crate) inherited: Vec<InheritedRule>,
    pub(crate) around: Vec<AroundRule>,
    pub(crate) verbs: Vec<VerbsRule>,
}

/// All of them.
#[derive(Debug, Default)]
pub(crate) struct Routing {
    routers: FxHashMap<String, RouterRule>,
    mounts: FxHashMap<String, MountRule>,
    includes: FxHashSet<String>,
    hooks: FxHashMap<String, HookRule>,
    inherited: FxHashMap<String, InheritedRule>,
    around: FxHashMap<String, AroundRule>,
    around_names: FxHashMap<String, AroundRule>,
    verbs: FxHashMap<String, Vec<String>>,
}

impl Routing {
    /// Adds entries; `expanded` writes out a name's alternatives.
    pub(crate) fn add(&mut self, entries: Entries, expanded: impl Fn(&[String]) -> Vec<String>) {
        for rule in entries.routers {
            let names = expanded(&rule.names).into_iter();
            self.routers.extend(names.map(|name| (name, rule.clone())));
        }
        for rule in entries.mounts {
            let names = expanded(&rule.names).into_iter();
            self.mounts.extend(names.map(|name| (name, rule.clone())));
        }
        self.includes.extend(expanded(&entries.includes));
        for rule in entries.hooks {
            let names = expanded(&rule.names).into_iter();
            self.hooks.extend(names.map(|name| (name, rule.clone())));
        }
        for rule in entries.inherited {
            let bases = expanded(&rule.base).into_iter();
            self.inherited
                .extend(bases.map(|base| (base, rule.clone())));
        }
        for rule in entries.around {
            let names = expanded(&rule.names).into_iter();
            self.around_names
                .extend(names.map(|name| (name, rule.clone())));
            let bases = expanded(&rule.base).into_iter();
            self.around.extend(bases.map(|base| (base, rule.clone())));
        }
        for rule in entries.verbs {
            let names = expanded(&rule.names).into_iter();
            self.verbs
                .extend(names.map(|name| (name, rule.methods.clone())));
        }
    }

    /// Whether there is nothing to follow.
    pub(crate) fn is_empty(&self) -> bool {
        self.routers.is_empty() && self.hooks.is_empty()
    }

    pub(crate) fn router(&self, key: &str) -> Option<&RouterRule> {
        self.routers.get(key)
    }

    pub(crate) fn mount(&self, key: &str) -> Option<&MountRule> {
        self.mounts.get(key)
    }

    pub(crate) fn includes(&self, key: &str) -> bool {
        self.includes.contains(key)
    }

    pub(crate) fn hook(&self, key: &str) -> Option<&HookRule> {
        self.hooks.get(key)
    }

    /// What classes that inherit from `base` have run around their handlers.
    pub(crate) fn around(&self, base: &str) -> Option<&AroundRule> {
        self.around.get(base)
    }

    /// The rule of a decorator `key` that has its maker's argument run around what it decorates.
    pub(crate) fn decorates_around(&self, key: &str) -> Option<&AroundRule> {
        self.around_names.get(key)
    }

    /// The methods of HTTP that a decorator `key` names; none where its maker's argument does.
    pub(crate) fn verbs(&self, key: &str) -> Option<&[String]> {
        self.verbs.get(key).map(Vec::as_slice)
    }

    pub(crate) fn inherited(&self, base: &str) -> Option<&InheritedRule> {
        self.inherited.get(base)
    }
}
