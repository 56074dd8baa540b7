//! The catalogue: which calls of libraries block, what they give back, whom they call.
//!
//! Data, in TOML: the built-in files under `data/`, and files of the user's in the same form. Names
//! may have alternatives in braces (`os.{listdir,stat}`) and a `*` as their last part, which stands
//! for any one name that is not excepted.

mod entries;

use std::collections::BTreeSet;

use rustc_hash::{FxHashMap, FxHashSet};
use serde::Deserialize;
use sha2::{Digest as _, Sha256};

use crate::finding::Certainty;
use crate::routing::{Entries, Routing};
pub(crate) use entries::Handler;
use entries::{Block, Callback, EndpointEntry, File, HandOffEntry, Returns};

const BUILT_IN: &[(&str, &str)] = &[
    ("standard", include_str!("../data/standard.toml")),
    ("network", include_str!("../data/network.toml")),
    ("databases", include_str!("../data/databases.toml")),
    ("processing", include_str!("../data/processing.toml")),
    ("frameworks", include_str!("../data/frameworks.toml")),
];

/// Endpoints of synchronous code. Only a plan needs them.
const SYNCHRONOUS: &str = include_str!("../data/synchronous.toml");

/// A catalogue file that cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("catalogue `{name}`: {reason}")]
pub struct CatalogueError {
    name: String,
    reason: String,
}

/// How a framework is told of an endpoint.
#[derive(Debug, Clone)]
pub(crate) struct EndpointRule {
    pub(crate) framework: String,
    /// The argument that is the endpoint.
    pub(crate) position: usize,
    /// Methods of a class that are endpoints.
    pub(crate) methods: Vec<String>,
    /// The methods of HTTP that these are for, where their names do not say.
    pub(crate) verbs: FxHashMap<String, String>,
    /// Those that are for one item of a collection: with a key behind the route.
    pub(crate) items: Vec<String>,
    /// A method of a registered class: its route goes on from that of the class.
    pub(crate) is_action: bool,
    /// The argument that lists what it depends on, by name.
    pub(crate) dependencies: String,
    /// The argument whose text stands behind the names of the methods, by name.
    pub(crate) suffix: String,
}

/// An argument that changes what a call does.
#[derive(Debug, Clone)]
pub(crate) struct Condition {
    pub(crate) name: String,
    pub(crate) position: Option<usize>,
    pub(crate) wanted: Wanted,
}

/// What the argument has to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Wanted {
    Number(i64),
    /// A text, or something of a library by its path.
    Word(String),
    /// Anything but the number 0.
    Something,
    /// Whatever it be.
    Given,
}

/// What a call gives with a certain argument.
#[derive(Debug, Clone)]
pub(crate) struct Variant {
    pub(crate) condition: Condition,
    pub(crate) class: String,
}

/// A call that has another thread or process run its argument.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct HandOff {
    /// Which argument.
    pub(crate) position: usize,
    pub(crate) gives: HandedBack,
}

/// What a hand-off gives back.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum HandedBack {
    /// What the argument gives, once it has run.
    #[default]
    Result,
    /// A function that hands off the argument whenever it is called.
    Callable,
    /// Nothing that is followed.
    Nothing,
}

/// A blocking call, as the catalogue knows it.
#[derive(Debug, Clone)]
pub(crate) struct Rule {
    pub(crate) name: String,
    pub(crate) instead: String,
    pub(crate) certainty: Certainty,
    pub(crate) unless: Vec<Condition>,
    /// It blocks with one of these only; without any, always.
    pub(crate) when: Vec<Condition>,
    except: FxHashSet<String>,
    pub(crate) after: FxHashSet<String>,
    /// What was asked is kept: of one value only the first of these calls is told.
    pub(crate) once: bool,
}

#[derive(Debug, Default)]
struct Typed {
    classes: FxHashMap<String, String>,
    excepted: FxHashMap<String, FxHashSet<String>>,
}

/// The catalogue.
#[derive(Debug, Default)]
pub struct Catalogue {
    /// Of all files, in their order.
    identity: [u8; 32],
    pub(crate) rules: Vec<Rule>,
    blocking: FxHashMap<String, u32>,
    results: Typed,
    variants: FxHashMap<String, Vec<Variant>>,
    attributes: Typed,
    aliases: FxHashMap<String, String>,
    callbacks: FxHashMap<String, usize>,
    callback_lists: FxHashMap<String, Vec<String>>,
    runs: FxHashMap<String, usize>,
    injects: FxHashMap<String, usize>,
    handlers: FxHashMap<String, Handler>,
    handler_classes: FxHashMap<String, Handler>,
    shared: FxHashMap<String, String>,
    hand_offs: FxHashMap<String, HandOff>,
    neutral: FxHashMap<String, Condition>,
    methods: FxHashMap<String, Vec<String>>,
    endpoints: Vec<EndpointRule>,
    endpoint_names: FxHashMap<String, usize>,
    endpoint_bases: FxHashMap<String, usize>,
    pub(crate) routing: Routing,
    explanations: FxHashMap<String, String>,
}

impl Catalogue {
    /// The catalogue that comes with the program.
    pub fn built_in() -> Result<Self, CatalogueError> {
        let mut catalogue = Self::default();
        for (name, text) in BUILT_IN {
            catalogue.add(name, text)?;
        }
        Ok(catalogue)
    }

    /// The same with the endpoints of synchronous code, for a plan.
    pub fn for_plan() -> Result<Self, CatalogueError> {
        let mut catalogue = Self::built_in()?;
        catalogue.add("synchronous", SYNCHRONOUS)?;
        Ok(catalogue)
    }

    /// Adds a file; what it says of a name replaces what was known.
    pub fn add(&mut self, name: &str, text: &str) -> Result<(), CatalogueError> {
        let refuse = |reason: String| CatalogueError {
            name: name.to_owned(),
            reason,
        };
        let file: File =
            toml::from_str(text).map_err(|error| refuse(error.message().to_owned()))?;
        self.identity = Sha256::new()
            .chain_update(self.identity)
            .chain_update(text)
            .finalize()
            .into();
        for block in file.block {
            self.add_block(block).map_err(refuse)?;
        }
        for returns in file.returns {
            self.add_returns(returns).map_err(refuse)?;
        }
        for attributes in file.attributes {
            self.attributes.add(attributes);
        }
        self.aliases.extend(file.alias);
        for entry in file.callback {
            self.add_callback(entry);
        }
        self.runs.extend(positions(file.runs));
        self.injects.extend(positions(file.inject));
        for handler in file.handler {
            self.add_handler(&handler);
        }
        for shared in file.shared {
            let names = all_expanded(&shared.names).into_iter();
            self.shared
                .extend(names.map(|name| (name, shared.store.clone())));
        }
        for entry in file.hand_off {
            self.add_hand_off(&entry);
        }
        for neutral in file.neutral {
            let condition = condition(&neutral.when).map_err(refuse)?;
            let names = all_expanded(&neutral.names);
            self.neutral
                .extend(names.into_iter().map(|name| (name, condition.clone())));
        }
        for methods in file.methods {
            for base in all_expanded(&methods.base) {
                self.methods
                    .entry(base)
                    .or_default()
                    .extend(methods.methods.iter().cloned());
            }
        }
        for entry in file.endpoint {
            self.add_endpoint(entry);
        }
        let entries = Entries {
            routers: file.router,
            mounts: file.mount,
            includes: file.include.into_iter().flat_map(|one| one.names).collect(),
            hooks: file.hook,
            inherited: file.inherited,
            around: file.around,
            verbs: file.verbs,
        };
        self.routing.add(entries, all_expanded);
        self.explanations.extend(file.rule);
        Ok(())
    }

    fn add_callback(&mut self, entry: Callback) {
        for name in all_expanded(&entry.names) {
            if entry.lists.is_empty() {
                self.callbacks.insert(name, entry.position);
            } else {
                self.callback_lists.insert(name, entry.lists.clone());
            }
        }
    }

    fn add_handler(&mut self, handler: &Handler) {
        let names = all_expanded(&handler.names).into_iter();
        self.handlers
            .extend(names.map(|name| (name, handler.clone())));
        let bases = all_expanded(&handler.base).into_iter();
        self.handler_classes
            .extend(bases.map(|base| (base, handler.clone())));
    }

    fn add_hand_off(&mut self, entry: &HandOffEntry) {
        let hand_off = HandOff {
            position: entry.position,
            gives: entry.gives,
        };
        let names = all_expanded(&entry.names).into_iter();
        self.hand_offs.extend(names.map(|name| (name, hand_off)));
    }

    fn add_endpoint(&mut self, entry: EndpointEntry) {
        let number = self.endpoints.len();
        self.endpoints.push(EndpointRule {
            framework: entry.framework,
            position: entry.position,
            methods: entry.methods,
            verbs: entry.verbs,
            items: entry.items,
            is_action: entry.action,
            dependencies: entry.dependencies,
            suffix: entry.suffix,
        });
        let names = all_expanded(&entry.names).into_iter();
        self.endpoint_names.extend(names.map(|name| (name, number)));
        let bases = all_expanded(&entry.base).into_iter();
        self.endpoint_bases.extend(bases.map(|base| (base, number)));
    }

    fn add_returns(&mut self, returns: Returns) -> Result<(), String> {
        if returns.when.is_empty() {
            self.results.add(returns);
            return Ok(());
        }
        for text in &returns.when {
            let variant = Variant {
                condition: condition(text)?,
                class: returns.class.clone(),
            };
            for name in all_expanded(&returns.names) {
                self.variants.entry(name).or_default().push(variant.clone());
            }
        }
        Ok(())
    }

    fn add_block(&mut self, block: Block) -> Result<(), String> {
        let number = self.rules.len() as u32;
        self.rules.push(Rule {
            name: block.rule,
            instead: block.instead,
            certainty: block.certainty,
            unless: conditions(&block.unless)?,
            when: conditions(&block.when)?,
            except: block.except.into_iter().collect(),
            after: all_expanded(&block.after).into_iter().collect(),
            once: block.once,
        });
        for name in all_expanded(&block.names) {
            self.blocking.insert(name, number);
        }
        Ok(())
    }

    /// The SHA-256 of all that was added: equal ones say the same of every call.
    pub(crate) fn identity(&self) -> [u8; 32] {
        self.identity
    }

    /// The number of the rule for calling `key`.
    pub(crate) fn blocking(&self, key: &str) -> Option<u32> {
        if let Some(number) = self.blocking.get(key) {
            return Some(*number);
        }
        let (base, last) = key.rsplit_once('.')?;
        let number = *self.blocking.get(&format!("{base}.*"))?;
        let excepted = self.rules[number as usize].except.contains(last) || last.starts_with('_');
        (!excepted).then_some(number)
    }

    /// The class of what `key` gives when it is called.
    pub(crate) fn result(&self, key: &str) -> Option<&str> {
        self.results.class(key)
    }

    /// Objects of libraries that make a call another one when it is given them.
    pub(crate) fn objects_asked_for(&self) -> impl Iterator<Item = &str> {
        let conditions = self.rules.iter().flat_map(|rule| &rule.unless);
        conditions.filter_map(|condition| match &condition.wanted {
            Wanted::Word(word) if word.ends_with("()") => Some(word.as_str()),
            _ => None,
        })
    }

    /// What `key` gives with certain arguments.
    pub(crate) fn variants(&self, key: &str) -> &[Variant] {
        self.variants.get(key).map_or(&[], Vec::as_slice)
    }

    /// The class of what the attribute `key` is.
    pub(crate) fn attribute(&self, key: &str) -> Option<&str> {
        self.attributes.class(key)
    }

    pub(crate) fn alias(&self, path: &str) -> Option<&str> {
        self.aliases.get(path).map(String::as_str)
    }

    /// Which argument of `key` the loop will call.
    pub(crate) fn callback(&self, key: &str) -> Option<usize> {
        self.callbacks.get(key).copied()
    }

    /// Which arguments of `key` list what the loop will call, by name.
    pub(crate) fn callback_lists(&self, key: &str) -> &[String] {
        self.callback_lists.get(key).map_or(&[], Vec::as_slice)
    }

    /// Which argument `key` calls there and then.
    pub(crate) fn runs(&self, key: &str) -> Option<usize> {
        self.runs.get(key).copied()
    }

    /// What calling `key` registers: a function that is given something of the framework's.
    pub(crate) fn handler(&self, key: &str) -> Option<&Handler> {
        self.handlers.get(key)
    }

    /// What methods of classes that inherit from `base` are given.
    pub(crate) fn handler_class(&self, base: &str) -> Option<&Handler> {
        self.handler_classes.get(base)
    }

    /// The store in which what is set at `key` is found again, from wherever.
    pub(crate) fn shared(&self, key: &str) -> Option<&str> {
        self.shared.get(key).map(String::as_str)
    }

    /// Which argument of `key` a framework calls for the value of a parameter.
    pub(crate) fn injects(&self, key: &str) -> Option<usize> {
        self.injects.get(key).copied()
    }

    /// How `key` hands off an argument, if it does.
    pub(crate) fn hands_off(&self, key: &str) -> Option<HandOff> {
        self.hand_offs.get(key).copied()
    }

    /// With which argument a call has nothing to do with the loop.
    pub(crate) fn neutral(&self, key: &str) -> Option<&Condition> {
        self.neutral.get(key)
    }

    /// Methods that a library's class has called on the loop's thread.
    pub(crate) fn methods_of(&self, base: &str) -> &[String] {
        self.methods.get(base).map_or(&[], Vec::as_slice)
    }

    /// Which endpoints calling `key` registers.
    pub(crate) fn endpoint(&self, key: &str) -> Option<&EndpointRule> {
        self.endpoint_names
            .get(key)
            .map(|number| &self.endpoints[*number])
    }

    /// Which methods of a class that inherits from `base` are endpoints.
    pub(crate) fn endpoint_class(&self, base: &str) -> Option<&EndpointRule> {
        self.endpoint_bases
            .get(base)
            .map(|number| &self.endpoints[*number])
    }

    /// What a rule is about.
    pub fn explain(&self, rule: &str) -> Option<&str> {
        self.explanations.get(rule).map(String::as_str)
    }

    /// Whether there is such a rule, explained or not.
    pub fn has_rule(&self, name: &str) -> bool {
        self.explanations.contains_key(name) || self.rules.iter().any(|rule| rule.name == name)
    }

    /// All rules by name, explained or not.
    pub fn rule_names(&self) -> Vec<&str> {
        let explained = self.explanations.keys().map(String::as_str);
        let all = explained.chain(self.rules.iter().map(|rule| &*rule.name));
        all.collect::<BTreeSet<&str>>().into_iter().collect()
    }

    /// The rule of a call that the catalogue has by this very name, with what to call instead.
    pub fn rule_of(&self, call: &str) -> Option<(&str, &str)> {
        let rule = &self.rules[*self.blocking.get(call)? as usize];
        Some((&rule.name, &rule.instead))
    }

    /// The calls of a rule, with what to call instead.
    pub fn calls_of(&self, rule: &str) -> Vec<(&str, &str)> {
        let mut calls: Vec<(&str, &str)> = self
            .blocking
            .iter()
            .map(|(name, number)| (name, &self.rules[*number as usize]))
            .filter(|(_, known)| known.name == rule)
            .map(|(name, known)| (name.as_str(), known.instead.as_str()))
            .collect();
        calls.sort_unstable();
        calls
    }
}

impl Typed {
    fn add(&mut self, returns: Returns) {
        for name in all_expanded(&returns.names) {
            if name.ends_with(".*") {
                self.excepted
                    .insert(name.clone(), returns.except.iter().cloned().collect());
            }
            self.classes.insert(name, returns.class.clone());
        }
    }

    fn class(&self, key: &str) -> Option<&str> {
        if let Some(class) = self.classes.get(key) {
            return Some(class);
        }
        let (base, last) = key.rsplit_once('.')?;
        let any = format!("{base}.*");
        let class = self.classes.get(&any)?;
        let excepted = self
            .excepted
            .get(&any)
            .is_some_and(|names| names.contains(last));
        (!excepted && !last.starts_with('_')).then_some(class)
    }
}

fn conditions(texts: &[String]) -> Result<Vec<Condition>, String> {
    texts.iter().map(|text| condition(text)).collect()
}

fn condition(text: &str) -> Result<Condition, String> {
    let Some((name, value)) = text.split_once('=') else {
        return Err(format!(
            "`{text}` is no condition; write `block=0` or `0=0`"
        ));
    };
    let wanted = match (value, value.parse()) {
        (_, Ok(number)) => Wanted::Number(number),
        ("*", _) => Wanted::Something,
        ("?", _) => Wanted::Given,
        _ => Wanted::Word(value.to_owned()),
    };
    Ok(Condition {
        position: name.parse().ok(),
        name: name.to_owned(),
        wanted,
    })
}

/// The names of entries, each with the position that its entry has.
fn positions(entries: Vec<Callback>) -> impl Iterator<Item = (String, usize)> {
    entries.into_iter().flat_map(|entry| {
        let names = all_expanded(&entry.names).into_iter();
        names.map(move |name| (name, entry.position))
    })
}

fn all_expanded(names: &[String]) -> Vec<String> {
    names.iter().flat_map(|name| expanded(name)).collect()
}

/// `a.{b,c}.d` is `a.b.d` and `a.c.d`.
fn expanded(name: &str) -> Vec<String> {
    let parts = name.split_once('{').and_then(|(before, rest)| {
        rest.split_once('}')
            .map(|(inner, after)| (before, inner, after))
    });
    let Some((before, inner, after)) = parts else {
        return vec![name.to_owned()];
    };
    inner
        .split(',')
        .flat_map(|one| expanded(&format!("{before}{}{after}", one.trim())))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn braces_are_alternatives() {
        assert_eq!(expanded("a.{b,c}.{d,e}").len(), 4);
        assert_eq!(expanded("a.b"), ["a.b"]);
    }

    #[test]
    fn the_built_in_catalogue_is_sound() {
        let catalogue = Catalogue::built_in().expect("its files are right");
        for rule in &catalogue.rules {
            assert!(
                catalogue.explain(&rule.name).is_some(),
                "`{}` is explained",
                rule.name
            );
        }
        assert!(catalogue.blocking("time.sleep").is_some());
    }

    #[test]
    fn a_star_is_any_name_but_the_excepted() {
        let mut catalogue = Catalogue::default();
        let text = "[[block]]\nrule = \"x\"\nnames = [\"a.*\"]\nexcept = [\"c\"]\n";
        catalogue.add("test", text).expect("it is right");
        assert!(catalogue.blocking("a.b").is_some());
        assert!(catalogue.blocking("a.c").is_none());
        assert!(catalogue.blocking("a.b.d").is_none());
    }

    #[test]
    fn what_is_wrong_in_a_file_is_said() {
        let error = Catalogue::default()
            .add("mine", "[[blok]]\n")
            .expect_err("it is wrong");
        assert!(error.to_string().contains("blok"));
    }
}
