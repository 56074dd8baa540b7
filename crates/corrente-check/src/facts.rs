//! What the analysis keeps of a module: functions as short lists of operations on slots.
//!
//! Facts know neither the parser nor other modules. Names are numbers of the module's own table,
//! so that modules can be lowered in parallel and, later, kept on disk. An operation says how
//! values may flow, never in which order: whatever a slot may hold at any time, it holds.

use crate::origins::Origins;
use crate::uses::Uses;

/// A place of a function's own for values: a variable's version or an intermediate result.
pub(crate) type Slot = u32;

/// A name, as its number in the module's table.
pub(crate) type Name = u32;

/// The slot with what a function returns.
pub(crate) const RETURNS: Slot = 0;

/// The slot with what a generator yields.
pub(crate) const YIELDS: Slot = 1;

/// Ends a text of which only the beginning is known; no text of a program does.
pub(crate) const BEGINNING: char = '\u{0}';

/// Stands for any text with a space or a line end in it. Such a text is for people: what it says makes
/// no difference, and as keys they are all one.
pub(crate) const PROSE: &str = " ";

/// The builtin function, of no program, that asks a generator for what it returns: `yield from` does.
pub(crate) const RETURNED: &str = "generator.return";

/// The name of a generator expression's body.
pub(crate) const EXPRESSION: &str = "<genexpr>";

/// A range of the source, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub(crate) struct Span {
    pub(crate) start: u32,
    pub(crate) end: u32,
}

/// A module.
#[derive(Debug, Default)]
pub(crate) struct ModuleFacts {
    /// The table of names.
    pub(crate) names: Vec<Box<str>>,
    /// The first is the module's body; every function, lambda and class body follows.
    pub(crate) functions: Vec<FunctionFacts>,
    /// What the parser could not read.
    pub(crate) faults: Vec<Fault>,
    /// Where each line begins.
    pub(crate) lines: Vec<u32>,
    /// Comments that silence a rule.
    pub(crate) pardons: Vec<Pardon>,
    /// What runs only where the module is the program, not where it is imported.
    pub(crate) scripts: Vec<Span>,
}

impl ModuleFacts {
    /// Notes what uses each slot, when all else is known.
    pub(crate) fn index(&mut self) {
        for function in &mut self.functions {
            function.uses = Uses::of_body(function, &self.names);
            function.origins = Origins::of_body(function, &self.names);
        }
    }

    /// Has code come by all operations, whatever tests say.
    pub(crate) fn forget_tests(&mut self) {
        for function in &mut self.functions {
            function.guards.clear();
        }
        self.index();
    }

    /// Stands for a file that could not be lowered because of a bug of ours.
    pub(crate) fn broken() -> Self {
        let body = FunctionFacts {
            name: 0,
            kind: BodyKind::Module,
            parent: None,
            parameters: Vec::new(),
            operations: Vec::new(),
            slots: 2,
            cells: Vec::new(),
            fields: Vec::new(),
            settled: Vec::new(),
            gives_awaitable: true,
            receiver: Receiver::Nothing,
            guards: Vec::new(),
            uses: Uses::default(),
            origins: Origins::default(),
        };
        let message = "this file made the analyser fail; that is a bug of ours".to_owned();
        let mut broken = Self {
            names: vec!["<module>".into()],
            functions: vec![body],
            faults: vec![Fault { at: 0, message }],
            lines: vec![0],
            pardons: Vec::new(),
            scripts: Vec::new(),
        };
        broken.index();
        broken
    }
}

/// A place that could not be parsed.
#[derive(Debug, Clone)]
pub(crate) struct Fault {
    pub(crate) at: u32,
    pub(crate) message: String,
}

/// `# corrente: ignore[rule, …] reason`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Pardon {
    /// Line, counted from 1.
    pub(crate) line: u32,
    /// Column of its `#` in characters, counted from 1.
    pub(crate) column: u32,
    /// Column after its last character.
    pub(crate) end_column: u32,
    /// The rules that it silences; none means all.
    pub(crate) rules: Vec<String>,
    /// Why.
    pub(crate) reason: String,
}

/// What a body belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BodyKind {
    Module,
    Class,
    Function,
    Coroutine,
    Generator,
    AsyncGenerator,
}

/// What a function of a class body gets first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Receiver {
    Object,
    Class,
    Nothing,
}

/// A function, or the body of a class or of the module.
#[derive(Debug)]
pub(crate) struct FunctionFacts {
    pub(crate) name: Name,
    pub(crate) kind: BodyKind,
    /// The body that it stands in.
    pub(crate) parent: Option<u32>,
    pub(crate) parameters: Vec<Parameter>,
    pub(crate) operations: Vec<Operation>,
    pub(crate) slots: u32,
    /// Names of the body that others can see: attributes of a module or class, captured variables.
    pub(crate) cells: Vec<Name>,
    /// Names that a class body annotates, in their order: the fields of a dataclass.
    pub(crate) fields: Vec<Name>,
    /// Of an `__init__`: attributes that its object has in any case when it is through, and `__init__`
    /// itself if it calls that of another class.
    pub(crate) settled: Vec<Name>,
    /// Whether what it returns may be something that is awaited: not if it returns nothing, only literals, or
    /// what its annotation says is text or a number.
    pub(crate) gives_awaitable: bool,
    /// What it gets first, should it stand in a class body.
    pub(crate) receiver: Receiver,
    /// Operations that code comes by only if a test holds.
    pub(crate) guards: Vec<Guard>,
    /// What uses each slot.
    pub(crate) uses: Uses,
    /// Where what a slot holds comes from, as far as that is one place.
    pub(crate) origins: Origins,
}

/// Operations that code comes by only if a test holds.
#[derive(Debug)]
pub(crate) struct Guard {
    /// The first of them.
    pub(crate) first: u32,
    /// The one after the last.
    pub(crate) end: u32,
    pub(crate) test: Test,
}

/// A test, as far as it asks for what may be known wherever the body is called.
#[derive(Debug, Clone)]
pub(crate) enum Test {
    /// What a slot holds counts as true.
    True(Slot),
    /// What two slots hold is equal.
    Equal(Slot, Slot),
    Not(Box<Self>),
    All(Vec<Self>),
    Any(Vec<Self>),
    /// Something else is asked.
    Other,
}

impl Test {
    /// The opposite.
    pub(crate) fn negated(&self) -> Self {
        match self {
            Self::Not(inner) => (**inner).clone(),
            Self::Other => Self::Other,
            other => Self::Not(Box::new(other.clone())),
        }
    }

    /// Calls `found` for each slot that is asked.
    pub(crate) fn each_slot(&self, found: &mut impl FnMut(Slot)) {
        match self {
            Self::True(slot) => found(*slot),
            Self::Equal(one, other) => [*one, *other].into_iter().for_each(found),
            Self::Not(inner) => inner.each_slot(found),
            Self::All(parts) | Self::Any(parts) => {
                for part in parts {
                    part.each_slot(found);
                }
            }
            Self::Other => {}
        }
    }
}

/// How a parameter takes arguments.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ParameterKind {
    Positional,
    KeywordOnly,
    Star,
    DoubleStar,
}

/// A parameter.
#[derive(Debug)]
pub(crate) struct Parameter {
    pub(crate) name: Name,
    pub(crate) kind: ParameterKind,
    pub(crate) slot: Slot,
}

/// An operation and where it stands.
#[derive(Debug)]
pub(crate) struct Operation {
    pub(crate) span: Span,
    pub(crate) action: Action,
}

/// The key of an item.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Key {
    /// A literal string.
    Text(Name),
    /// A literal number.
    Number(i64),
    /// A position in what is unpacked: an object is iterated, a collection asked.
    Part(i64),
    /// What a slot holds.
    Slot(Slot),
    /// A part of what there is: a collection once more.
    Slice,
    /// Any.
    Any,
}

impl Key {
    /// The key of a position.
    pub(crate) fn position(index: usize) -> Self {
        i64::try_from(index).map_or(Self::Any, Self::Number)
    }
}

/// How an argument is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ArgumentKind {
    Positional,
    Keyword(Name),
    Star,
    DoubleStar,
}

/// An argument of a call.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Argument {
    pub(crate) kind: ArgumentKind,
    pub(crate) slot: Slot,
}

/// Where an operation stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    Plain,
    /// Under `await`, `async with` or `async for`.
    Awaited,
    /// A decorator is called.
    Decorator,
}

/// A set of kinds of functions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Kinds(u8);

impl Kinds {
    pub(crate) const PLAIN: Self = Self(1);
    pub(crate) const COROUTINE: Self = Self(2);
    pub(crate) const GENERATOR: Self = Self(4);
    pub(crate) const ASYNC_GENERATOR: Self = Self(8);
    const ALL: u8 = 15;

    /// The kind of a function with such a body.
    pub(crate) fn of(body: BodyKind) -> Self {
        match body {
            BodyKind::Module | BodyKind::Class | BodyKind::Function => Self::PLAIN,
            BodyKind::Coroutine => Self::COROUTINE,
            BodyKind::Generator => Self::GENERATOR,
            BodyKind::AsyncGenerator => Self::ASYNC_GENERATOR,
        }
    }

    pub(crate) fn others(self) -> Self {
        Self(Self::ALL & !self.0)
    }

    pub(crate) fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    pub(crate) fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    pub(crate) fn has(self, kind: Self) -> bool {
        self.0 & kind.0 != 0
    }

    /// Whether coroutine functions and plain ones are not on the same side.
    pub(crate) fn parts_coroutines(self) -> bool {
        self.has(Self::COROUTINE) != self.has(Self::PLAIN)
    }

    /// The set as a number, for the store.
    pub(crate) fn number(self) -> u32 {
        u32::from(self.0)
    }

    pub(crate) fn from_number(number: u32) -> Option<Self> {
        let bits = u8::try_from(number).ok()?;
        (bits <= Self::ALL).then_some(Self(bits))
    }
}

/// What a test says of a value.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Trait {
    /// It is a function of one of these kinds.
    Function(Kinds),
    /// It is an instance of the class in the slot.
    Instance(Slot),
    /// It is none.
    NotInstance(Slot),
    /// An exception of the class in the slot was caught; those of libraries have nothing to follow.
    Caught(Slot),
    /// It is a socket that does not wait.
    Unblocked,
    /// It has said that it would not wait: a future is done, a queue is not empty.
    Ready,
    /// Anything.
    Any,
    /// It is there only if a test of `subject` left something, namely `kept`.
    Given { subject: Slot, kept: Slot },
}

/// Whether code comes by an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Passage {
    /// Whenever the body runs so far.
    Always,
    /// It stands in a branch, a loop or a `try`.
    Sometimes,
}

/// How values flow.
#[derive(Debug)]
pub(crate) enum Action {
    Copy {
        to: Slot,
        from: Slot,
    },
    Text {
        to: Slot,
        text: Name,
    },
    Number {
        to: Slot,
        number: i64,
    },
    /// `None`, of which nothing flows.
    Nothing {
        to: Slot,
    },
    Builtin {
        to: Slot,
        name: Name,
    },
    /// Reads a variable of the body that is `hops` bodies further out.
    Load {
        to: Slot,
        hops: u32,
        name: Name,
    },
    Store {
        hops: u32,
        name: Name,
        from: Slot,
    },
    Attribute {
        to: Slot,
        base: Slot,
        name: Name,
    },
    SetAttribute {
        base: Slot,
        name: Name,
        from: Slot,
        way: Passage,
    },
    Item {
        to: Slot,
        base: Slot,
        key: Key,
    },
    SetItem {
        base: Slot,
        key: Key,
        from: Slot,
    },
    Call(Box<Call>),
    Function {
        to: Slot,
        function: u32,
        defaults: Box<[(Name, Slot)]>,
    },
    Class(Box<Class>),
    /// `import a.b.c`, which binds `a`, or all of it with `as`.
    Import {
        to: Slot,
        module: Name,
        whole: Whole,
    },
    ImportFrom {
        to: Slot,
        module: Name,
        level: u32,
        name: Name,
    },
    ImportAll {
        module: Name,
        level: u32,
    },
    Collection(Box<Collection>),
    Iterate {
        to: Slot,
        from: Slot,
        mode: Mode,
    },
    Enter {
        to: Slot,
        from: Slot,
        mode: Mode,
    },
    Await {
        to: Slot,
        from: Slot,
    },
    /// A special method of one or two operands, the left one's name first.
    Special {
        to: Slot,
        method: Name,
        reflected: Option<Name>,
        left: Slot,
        right: Option<Slot>,
    },
    Yield {
        /// What the generator is sent.
        to: Slot,
        from: Slot,
    },
    Return {
        from: Slot,
    },
    /// What is annotated with what `annotation` holds.
    Declare {
        to: Slot,
        annotation: Slot,
    },
    Filter {
        to: Slot,
        from: Slot,
        by: Trait,
    },
}

/// What `import a.b` binds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Whole {
    /// The first part.
    First,
    /// The module itself.
    Last,
}

/// A list, tuple, set or dict that is written down.
#[derive(Debug)]
pub(crate) struct Collection {
    pub(crate) to: Slot,
    pub(crate) items: Vec<(Key, Slot)>,
    pub(crate) spread: Vec<Slot>,
}

/// A call.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) to: Slot,
    pub(crate) callee: Slot,
    pub(crate) arguments: Vec<Argument>,
    pub(crate) mode: Mode,
}

/// A class statement.
#[derive(Debug)]
pub(crate) struct Class {
    pub(crate) to: Slot,
    pub(crate) body: u32,
    pub(crate) bases: Vec<Slot>,
    /// `metaclass=` and what else is given by name.
    pub(crate) keywords: Vec<(Name, Slot)>,
}
