//! The form of a catalogue file, as TOML has it.
//!
//! Plain data; what it means is the catalogue's business. A field that nobody knows is an error, so that a
//! slip of the pen is told.

use rustc_hash::FxHashMap;
use serde::Deserialize;

use super::HandedBack;
use crate::finding::Certainty;
use crate::routing::{AroundRule, HookRule, InheritedRule, MountRule, RouterRule, VerbsRule};

/// A catalogue file.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct File {
    pub(super) block: Vec<Block>,
    pub(super) returns: Vec<Returns>,
    pub(super) attributes: Vec<Returns>,
    pub(super) alias: FxHashMap<String, String>,
    pub(super) callback: Vec<Callback>,
    pub(super) runs: Vec<Callback>,
    pub(super) inject: Vec<Callback>,
    pub(super) handler: Vec<Handler>,
    pub(super) shared: Vec<Shared>,
    pub(super) hand_off: Vec<HandOffEntry>,
    pub(super) neutral: Vec<Neutral>,
    pub(super) methods: Vec<Methods>,
    pub(super) endpoint: Vec<EndpointEntry>,
    pub(super) router: Vec<RouterRule>,
    pub(super) mount: Vec<MountRule>,
    pub(super) include: Vec<Names>,
    pub(super) hook: Vec<HookRule>,
    pub(super) inherited: Vec<InheritedRule>,
    pub(super) around: Vec<AroundRule>,
    pub(super) verbs: Vec<VerbsRule>,
    pub(super) rule: FxHashMap<String, String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Block {
    pub(super) rule: String,
    pub(super) names: Vec<String>,
    #[serde(default)]
    pub(super) instead: String,
    #[serde(default = "certain")]
    pub(super) certainty: Certainty,
    /// Not blocking with this argument, as `0=0` or `block=0`.
    #[serde(default)]
    pub(super) unless: Vec<String>,
    /// Blocking with one of these arguments only.
    #[serde(default)]
    pub(super) when: Vec<String>,
    /// Names that `*` does not stand for.
    #[serde(default)]
    pub(super) except: Vec<String>,
    /// Not told where one of these is called in the same function: one cause, one message.
    #[serde(default)]
    pub(super) after: Vec<String>,
    /// What was asked is kept: of one value only the first of these calls is told.
    #[serde(default)]
    pub(super) once: bool,
}

fn certain() -> Certainty {
    Certainty::Certain
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Returns {
    pub(super) names: Vec<String>,
    pub(super) class: String,
    #[serde(default)]
    pub(super) except: Vec<String>,
    /// Only with one of these arguments.
    #[serde(default)]
    pub(super) when: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Callback {
    pub(super) names: Vec<String>,
    #[serde(default)]
    pub(super) position: usize,
    /// Arguments that list functions, by name, in place of one at a position.
    #[serde(default)]
    pub(super) lists: Vec<String>,
}

/// A call that registers a function, which a framework calls with an object of its own; or methods of
/// classes that inherit from a library's.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Handler {
    #[serde(default)]
    pub(super) names: Vec<String>,
    /// The classes, and their methods.
    #[serde(default)]
    pub(super) base: Vec<String>,
    #[serde(default)]
    pub(crate) methods: Vec<String>,
    /// Which argument is the function.
    #[serde(default)]
    pub(crate) position: usize,
    /// The class of the object.
    pub(crate) class: String,
    /// Where what it yields is found, by the keys that this has: a lifespan's state.
    #[serde(default)]
    pub(crate) store: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Shared {
    pub(super) names: Vec<String>,
    pub(super) store: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct HandOffEntry {
    pub(super) names: Vec<String>,
    #[serde(default)]
    pub(super) position: usize,
    #[serde(default)]
    pub(super) gives: HandedBack,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Names {
    pub(super) names: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Neutral {
    pub(super) names: Vec<String>,
    pub(super) when: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Methods {
    pub(super) base: Vec<String>,
    pub(super) methods: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct EndpointEntry {
    pub(super) framework: String,
    pub(super) names: Vec<String>,
    #[serde(default)]
    pub(super) position: usize,
    #[serde(default)]
    pub(super) base: Vec<String>,
    #[serde(default)]
    pub(super) methods: Vec<String>,
    #[serde(default)]
    pub(super) verbs: FxHashMap<String, String>,
    #[serde(default)]
    pub(super) items: Vec<String>,
    #[serde(default)]
    pub(super) action: bool,
    #[serde(default)]
    pub(super) dependencies: String,
    /// The argument whose text stands behind the names of the methods.
    #[serde(default)]
    pub(super) suffix: String,
}
