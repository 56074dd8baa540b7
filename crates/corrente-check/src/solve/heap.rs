//! Memory of the abstract machine: cells by owner and name, classes, objects, contexts.
//!
//! A cell knows which bodies read it, so that they run again when it grows.

use rustc_hash::{FxHashMap, FxHashSet};

use super::cells::{CellId, Cells};
use super::contents::{Contents, Plain, Seen};
use super::instance::InstanceId;
use super::lineage::Known;
use super::values::{Value, ValueSet};
use crate::program::FunctionId;
use crate::symbols::Symbol;

/// Something that has named cells: a body, a class, an object, a collection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Owner(pub(crate) u32);

/// A class of the program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct ClassId(pub(crate) u32);

/// An object, by where it was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct ObjectId(pub(crate) u32);

/// In which circumstances a body runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Context {
    /// Any.
    Root,
    /// On an object of exactly this class.
    Exact(ClassId),
    /// On some object of this class or of its subclasses.
    Kin(ClassId),
    /// On this object.
    Object(ObjectId),
    /// Called from this place, in that context.
    Site(u64, ContextId),
}

/// A context, as its number; the first is [`Context::Root`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct ContextId(pub(crate) u32);

/// Calls that a context remembers. Two, as in most published analyses: each more multiplies.
const DEPTH_MAX: u32 = 2;

/// Keys of a collection that are told apart; a table with more is data, not dispatch.
const KEYS_MAX: usize = 64;

/// A class.
#[derive(Debug)]
pub(crate) struct ClassInfo {
    pub(crate) body: FunctionId,
    /// The running of its body; its cells are the class's attributes.
    pub(crate) instance: InstanceId,
    pub(crate) owner: Owner,
    /// What its module puts in the place of what its body binds.
    pub(super) replacements: Owner,
    /// What is set on objects of it that nobody saw being made.
    pub(crate) declared: Owner,
    /// What is set on any object of exactly this class.
    pub(crate) objects: Owner,
    /// Objects of it that bodies of modules make, as far as they are told apart.
    pub(crate) singles: Vec<ObjectId>,
    /// The object that methods get in place of those that need not be told apart.
    pub(crate) some: ObjectId,
    /// What is set on any object of it or of the classes that inherit from it.
    pub(crate) seen: Owner,
    /// Whether anybody was seen to make an object of it.
    pub(super) is_made: bool,
    /// Its bases, by position.
    pub(crate) bases: Vec<ValueSet>,
    pub(crate) subclasses: Vec<ClassId>,
    /// `metaclass=`, where that is a class of the program; not that of a base.
    pub(super) metaclass: Option<ClassId>,
    /// Grows when bases become known, here or further up.
    pub(crate) shape: CellId,
    /// Grows when subclasses become known, here or further down.
    pub(crate) kin: CellId,
    pub(crate) known: Known,
}

/// An object.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ObjectInfo {
    pub(crate) class: ClassId,
    /// The operation that made it, and the body.
    pub(crate) site: u64,
    pub(crate) maker: InstanceId,
    pub(crate) owner: Owner,
    /// It carries callables, so its methods are told apart from those of other objects.
    pub(crate) carries: bool,
    pub(crate) depth: u32,
}

/// The memory.
#[derive(Debug)]
pub(crate) struct Heap {
    owners: u32,
    pub(super) cells: Cells,
    by_name: FxHashMap<(Owner, Symbol), CellId>,
    pub(crate) classes: Vec<ClassInfo>,
    pub(crate) objects: Vec<ObjectInfo>,
    contexts: Vec<(Context, u32)>,
    context_numbers: FxHashMap<Context, ContextId>,
    object_numbers: FxHashMap<(ClassId, u64, InstanceId), ObjectId>,
    /// The key that stands for any key.
    pub(crate) any: Symbol,
    contents: FxHashMap<Owner, Contents>,
    /// Collections with more keys than are told apart.
    pub(super) blurred: FxHashSet<Owner>,
    /// What makes what a collection has not.
    factories: FxHashMap<Owner, CellId>,
    /// Attributes that an object has for sure.
    pub(super) settled: FxHashMap<(ObjectId, Symbol), Settled>,
    /// How often an object or a class's objects came to carry callables.
    pub(super) carriers: u32,
    /// Some class has a metaclass of the program's.
    pub(super) has_metaclasses: bool,
    /// Some class is asked for all attributes of its objects.
    pub(super) has_askers: bool,
    /// Owners that belong to a thing for good.
    pub(crate) owned: FxHashMap<OwnedBy, Owner>,
    /// Names under which Django's models find what is tied to them.
    pub(super) related: FxHashSet<Symbol>,
    /// The operations that made collections.
    sites: FxHashMap<Owner, (u64, InstanceId)>,
}

/// Since when an object has an attribute for sure.
#[derive(Debug, Clone, Copy)]
pub(super) enum Settled {
    /// Since the modules were imported.
    Imported,
    /// In this body, after this operation.
    After(InstanceId, u32),
}

/// What an owner may belong to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum OwnedBy {
    /// A collection that an operation makes.
    Site(u64, InstanceId),
    /// A pair inside it.
    Pair(u64, InstanceId),
    /// What a collection has under any key, where it makes that itself.
    Made(Owner),
    /// What a framework keeps for all who ask, under a name of the catalogue's.
    Shared(Symbol),
    /// What `*args` of a body holds.
    Star(InstanceId),
    /// What `**kwargs` of a body holds.
    DoubleStar(InstanceId),
    /// What the making of an object calls, by the body of its class.
    Validators(InstanceId),
    /// A function's defaults.
    Defaults(Value),
    /// The names that a class has by position.
    MatchArguments(ClassId),
}

impl Heap {
    pub(crate) fn new(any: Symbol) -> Self {
        Self {
            owners: 0,
            cells: Cells::default(),
            by_name: FxHashMap::default(),
            classes: Vec::new(),
            objects: Vec::new(),
            contexts: Vec::new(),
            context_numbers: FxHashMap::default(),
            object_numbers: FxHashMap::default(),
            any,
            contents: FxHashMap::default(),
            blurred: FxHashSet::default(),
            factories: FxHashMap::default(),
            settled: FxHashMap::default(),
            carriers: 0,
            has_metaclasses: false,
            has_askers: false,
            owned: FxHashMap::default(),
            related: FxHashSet::default(),
            sites: FxHashMap::default(),
        }
    }

    pub(crate) fn new_owner(&mut self) -> Owner {
        self.owners += 1;
        Owner(self.owners)
    }

    pub(crate) fn owner_of(&mut self, by: OwnedBy) -> Owner {
        if let Some(owner) = self.owned.get(&by) {
            return *owner;
        }
        let owner = self.new_owner();
        if let OwnedBy::Site(site, maker) = by {
            self.sites.insert(owner, (site, maker));
        }
        self.owned.insert(by, owner);
        owner
    }

    /// The operation that made a collection, and in which body.
    pub(super) fn site_of(&self, collection: Owner) -> Option<(u64, InstanceId)> {
        self.sites.get(&collection).copied()
    }

    pub(crate) fn cell(&mut self, owner: Owner, name: Symbol) -> CellId {
        if let Some(cell) = self.by_name.get(&(owner, name)) {
            return *cell;
        }
        let cell = self.cells.add();
        self.by_name.insert((owner, name), cell);
        cell
    }

    /// What is in a collection.
    pub(super) fn contents(&mut self, owner: Owner) -> &Contents {
        contents_of(&mut self.contents, &mut self.cells, owner)
    }

    /// The keys of a collection that are new, or under which something is, for who has seen so much.
    pub(super) fn entries_since(&self, owner: Owner, seen: Option<Seen>) -> Vec<(Symbol, CellId)> {
        let known = self.contents.get(&owner);
        known.map_or_else(Vec::new, |contents| {
            contents.entries_since(seen, &self.cells)
        })
    }

    /// What a collection holds, whatever the key.
    pub(crate) fn summary(&mut self, owner: Owner) -> CellId {
        self.contents(owner).summary
    }

    /// The same, without becoming a reader.
    pub(crate) fn peek_all(&self, owner: Owner) -> ValueSet {
        let known = self.contents.get(&owner);
        known
            .map(|contents| self.cells.peek(contents.summary).clone())
            .unwrap_or_default()
    }

    /// What a collection holds, if something in it may carry callables; nothing if it was seen before that nothing does.
    pub(super) fn peek_unknown(&self, owner: Owner) -> Option<ValueSet> {
        let contents = self.contents.get(&owner)?;
        let inside = self.cells.peek(contents.summary);
        let is_plain = contents.is_plain(self.plain(inside.len()));
        (!is_plain).then(|| inside.clone())
    }

    /// Notes that a collection with so many members holds nothing that carries callables.
    pub(super) fn note_plain(&mut self, owner: Owner, members: usize) {
        let now = self.plain(members);
        if let Some(contents) = self.contents.get_mut(&owner) {
            contents.note_plain(now);
        }
    }

    fn plain(&self, members: usize) -> Plain {
        let carriers = self.carriers;
        Plain { members, carriers }
    }

    /// Puts something into a collection.
    pub(crate) fn put(&mut self, owner: Owner, key: Symbol, values: &ValueSet) {
        if values.is_empty() {
            return;
        }
        let contents = self.contents(owner);
        let summary = contents.summary;
        let cell = match contents.cell(key) {
            Some(cell) => cell,
            None => self.new_key(owner, key),
        };
        self.cells.write(cell, values);
        self.cells.write(summary, values);
    }

    /// The cell of a key that a collection has not had.
    fn new_key(&mut self, owner: Owner, key: Symbol) -> CellId {
        let count = self.contents(owner).keys().len();
        if count >= KEYS_MAX {
            // One more key is any key: what is under it is found under all.
            self.blurred.insert(owner);
            return self.cell(owner, self.any);
        }
        let cell = self.cell(owner, key);
        let contents = contents_of(&mut self.contents, &mut self.cells, owner);
        contents.add(key, cell);
        let summary = contents.summary;
        // Who reads all keys has to see this one, though its values may be known.
        self.cells.touch(summary);
        cell
    }

    /// Notes that a collection makes what it has not.
    pub(super) fn makes(&mut self, owner: Owner, factories: &ValueSet) {
        let cell = if let Some(known) = self.factories.get(&owner) {
            *known
        } else {
            let cell = self.cells.add();
            self.factories.insert(owner, cell);
            cell
        };
        self.cells.write(cell, factories);
    }

    /// What makes what a collection has not.
    pub(super) fn factory(&self, owner: Owner) -> Option<CellId> {
        self.factories.get(&owner).copied()
    }

    pub(crate) fn context(&mut self, context: Context) -> ContextId {
        if let Some(known) = self.context_numbers.get(&context) {
            return *known;
        }
        let depth = match context {
            Context::Root | Context::Exact(_) | Context::Kin(_) => 0,
            Context::Object(object) => self.objects[object.0 as usize].depth,
            Context::Site(_, outer) => self.depth(outer) + 1,
        };
        let id = ContextId(self.contexts.len() as u32);
        self.contexts.push((context, depth));
        self.context_numbers.insert(context, id);
        id
    }

    /// The object of `class` that is made at `site` by the body `maker`.
    pub(crate) fn object(&mut self, class: ClassId, site: u64, maker: InstanceId) -> ObjectId {
        if let Some(known) = self.object_numbers.get(&(class, site, maker)) {
            return *known;
        }
        let id = ObjectId(self.objects.len() as u32);
        let owner = self.new_owner();
        self.objects.push(ObjectInfo {
            class,
            site,
            maker,
            owner,
            carries: false,
            depth: 0,
        });
        self.object_numbers.insert((class, site, maker), id);
        id
    }

    pub(crate) fn root(&mut self) -> ContextId {
        self.context(Context::Root)
    }

    /// Whether a context is any.
    pub(crate) fn is_root(&self, context: ContextId) -> bool {
        matches!(self.contexts[context.0 as usize].0, Context::Root)
    }

    /// Whether a context is of objects that nobody saw being made.
    pub(super) fn is_of_anybody(&self, context: ContextId) -> bool {
        matches!(
            self.contexts[context.0 as usize].0,
            Context::Root | Context::Kin(_)
        )
    }

    /// Whether a context is of all objects of a class.
    pub(crate) fn is_exact(&self, context: ContextId) -> bool {
        matches!(self.contexts[context.0 as usize].0, Context::Exact(_))
    }

    /// Whether a context is of one call.
    pub(crate) fn is_site(&self, context: ContextId) -> bool {
        matches!(self.contexts[context.0 as usize].0, Context::Site(..))
    }

    pub(crate) fn depth(&self, context: ContextId) -> u32 {
        self.contexts
            .get(context.0 as usize)
            .map_or(0, |(_, depth)| *depth)
    }

    /// The context of a call at `site` from a body in `outer`.
    pub(crate) fn called(&mut self, site: u64, outer: ContextId) -> ContextId {
        let mut outer = outer;
        while self.depth(outer) >= DEPTH_MAX {
            outer = match self.contexts[outer.0 as usize].0 {
                Context::Site(at, further) if self.depth(further) + 1 >= DEPTH_MAX => {
                    // Forget the oldest call, keep the newest.
                    let oldest = self.root();
                    let shorter = self.context(Context::Site(at, oldest));
                    if self.depth(shorter) < self.depth(outer) {
                        shorter
                    } else {
                        oldest
                    }
                }
                _ => self.root(),
            };
        }
        self.context(Context::Site(site, outer))
    }
}

fn contents_of<'a>(
    all: &'a mut FxHashMap<Owner, Contents>,
    cells: &mut Cells,
    owner: Owner,
) -> &'a mut Contents {
    all.entry(owner)
        .or_insert_with(|| Contents::new(cells.add()))
}
