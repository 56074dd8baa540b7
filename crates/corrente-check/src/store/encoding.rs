//! Facts as bytes: numbers of variable length, lists after their count, variants as a number.
//!
//! What follows from the source (lines, comments that silence) or from the facts (uses) is left
//! out. Where operations stand is apart from what they are, so that a file of which only the layout
//! has changed has the same shape. Whoever changes this, or what facts mean, raises `FORMAT` in the
//! parent.

use crate::facts::{
    Action, ArgumentKind, BodyKind, FunctionFacts, Key, Mode, ModuleFacts, ParameterKind, Passage,
    Receiver, Slot, Span, Test, Trait, Whole,
};
use crate::spans::Spans;

/// The facts of a module.
#[derive(Debug)]
pub(super) struct Encoded {
    /// What it is made of. Where an operation stands is a number: how many different places ago it
    /// first came, or 0 for a new one.
    pub(super) shape: Vec<u8>,
    /// Each of those places, and what could not be parsed.
    pub(super) places: Vec<u8>,
}

pub(super) fn encode(facts: &ModuleFacts) -> Encoded {
    let mut shape = Writer::default();
    shape.count(facts.names.len());
    for name in &facts.names {
        shape.text(name);
    }
    shape.count(facts.functions.len());
    for function in &facts.functions {
        shape.function(function);
    }
    let mut places = Writer::default();
    places.spans(shape.spans.all());
    places.count(facts.faults.len());
    for fault in &facts.faults {
        places.number(fault.at);
        places.text(&fault.message);
    }
    Encoded {
        shape: shape.bytes,
        places: places.bytes,
    }
}

#[derive(Default)]
struct Writer {
    bytes: Vec<u8>,
    spans: Spans,
}

impl Writer {
    /// Places, each from the one before it.
    fn spans(&mut self, spans: &[Span]) {
        self.count(spans.len());
        let mut last = Span::default();
        for span in spans {
            self.signed(i64::from(span.start) - i64::from(last.start));
            self.number(span.end.wrapping_sub(span.start));
            last = *span;
        }
    }

    fn number(&mut self, number: u32) {
        self.long(u64::from(number));
    }

    fn count(&mut self, count: usize) {
        self.long(count as u64);
    }

    /// Seven bits a byte, the lowest first; the eighth says that more follow (LEB128).
    fn long(&mut self, number: u64) {
        let mut rest = number;
        while rest >= 0x80 {
            self.bytes.push(rest as u8 | 0x80);
            rest >>= 7;
        }
        self.bytes.push(rest as u8);
    }

    fn signed(&mut self, number: i64) {
        self.long(((number << 1) ^ (number >> 63)).cast_unsigned());
    }

    fn maybe(&mut self, number: Option<u32>) {
        self.long(number.map_or(0, |number| u64::from(number) + 1));
    }

    fn text(&mut self, text: &str) {
        self.count(text.len());
        self.bytes.extend_from_slice(text.as_bytes());
    }

    fn numbers(&mut self, numbers: &[u32]) {
        self.count(numbers.len());
        for number in numbers {
            self.number(*number);
        }
    }

    fn tagged<const N: usize>(&mut self, tag: u8, numbers: [u32; N]) {
        self.bytes.push(tag);
        for number in numbers {
            self.number(number);
        }
    }

    fn function(&mut self, function: &FunctionFacts) {
        let kind = match function.kind {
            BodyKind::Module => 0,
            BodyKind::Class => 1,
            BodyKind::Function => 2,
            BodyKind::Generator => 3,
            BodyKind::Coroutine => 4,
            BodyKind::AsyncGenerator => 5,
        };
        let receiver = match function.receiver {
            Receiver::Object => 0,
            Receiver::Class => 1,
            Receiver::Nothing => 2,
        };
        self.tagged(kind, [function.name, function.slots, receiver]);
        self.maybe(function.parent);
        self.count(function.parameters.len());
        for parameter in &function.parameters {
            let kind = match parameter.kind {
                ParameterKind::Positional => 0,
                ParameterKind::KeywordOnly => 1,
                ParameterKind::Star => 2,
                ParameterKind::DoubleStar => 3,
            };
            self.tagged(kind, [parameter.name, parameter.slot]);
        }
        self.numbers(&function.cells);
        self.numbers(&function.fields);
        self.numbers(&function.settled);
        self.number(u32::from(function.gives_awaitable));
        self.count(function.operations.len());
        for operation in &function.operations {
            let next = self.spans.all().len() as u32;
            let number = self.spans.number(operation.span);
            self.number(next - number);
            self.action(&operation.action);
        }
        self.count(function.guards.len());
        for guard in &function.guards {
            self.number(guard.first);
            self.number(guard.end);
            self.test(&guard.test);
        }
    }

    fn test(&mut self, test: &Test) {
        let (tag, parts) = match test {
            Test::True(slot) => return self.tagged(0, [*slot]),
            Test::Equal(one, other) => return self.tagged(1, [*one, *other]),
            Test::Other => return self.tagged(5, []),
            Test::Not(inner) => {
                self.tagged(2, []);
                return self.test(inner);
            }
            Test::All(parts) => (3, parts),
            Test::Any(parts) => (4, parts),
        };
        self.tagged(tag, []);
        self.count(parts.len());
        for part in parts {
            self.test(part);
        }
    }

    fn action(&mut self, action: &Action) {
        match action {
            Action::Copy { to, from } => self.tagged(0, [*to, *from]),
            Action::Text { to, text } => self.tagged(1, [*to, *text]),
            Action::Number { to, number } => {
                self.tagged(2, [*to]);
                self.signed(*number);
            }
            Action::Builtin { to, name } => self.tagged(3, [*to, *name]),
            Action::Load { to, hops, name } => self.tagged(4, [*to, *hops, *name]),
            Action::Store { hops, name, from } => self.tagged(5, [*hops, *name, *from]),
            Action::Attribute { to, base, name } => self.tagged(6, [*to, *base, *name]),
            Action::SetAttribute {
                base,
                name,
                from,
                way,
            } => {
                let way = u32::from(*way == Passage::Sometimes);
                self.tagged(7, [*base, *name, *from, way]);
            }
            Action::Item { to, base, key } => {
                self.tagged(8, [*to, *base]);
                self.key(*key);
            }
            Action::SetItem { base, key, from } => {
                self.tagged(9, [*base, *from]);
                self.key(*key);
            }
            Action::Iterate { to, from, mode } => self.tagged(10, [*to, *from, number_of(*mode)]),
            Action::Enter { to, from, mode } => self.tagged(11, [*to, *from, number_of(*mode)]),
            Action::Await { to, from } => self.tagged(12, [*to, *from]),
            Action::Yield { to, from } => self.tagged(13, [*to, *from]),
            Action::Return { from } => self.tagged(14, [*from]),
            Action::Nothing { to } => self.tagged(25, [*to]),
            Action::Declare { to, annotation } => self.tagged(15, [*to, *annotation]),
            several => self.several(several),
        }
    }

    fn several(&mut self, action: &Action) {
        match action {
            Action::Special {
                to,
                method,
                reflected,
                left,
                right,
            } => {
                self.tagged(16, [*to, *method, *left]);
                self.maybe(*reflected);
                self.maybe(*right);
            }
            Action::Filter { to, from, by } => {
                self.tagged(17, [*to, *from]);
                match by {
                    Trait::Function(kinds) => self.tagged(0, [kinds.number()]),
                    Trait::Instance(slot) => self.tagged(2, [*slot]),
                    Trait::NotInstance(slot) => self.tagged(3, [*slot]),
                    Trait::Unblocked => self.tagged(4, []),
                    Trait::Ready => self.tagged(7, []),
                    Trait::Any => self.tagged(8, []),
                    Trait::Caught(slot) => self.tagged(6, [*slot]),
                    Trait::Given { subject, kept } => self.tagged(5, [*subject, *kept]),
                }
            }
            Action::Import { to, module, whole } => {
                let whole = match whole {
                    Whole::First => 0,
                    Whole::Last => 1,
                };
                self.tagged(18, [*to, *module, whole]);
            }
            Action::ImportFrom {
                to,
                module,
                level,
                name,
            } => self.tagged(19, [*to, *module, *level, *name]),
            Action::ImportAll { module, level } => self.tagged(20, [*module, *level]),
            longer => self.longer(longer),
        }
    }

    fn longer(&mut self, action: &Action) {
        match action {
            Action::Call(call) => {
                self.tagged(21, [call.to, call.callee, number_of(call.mode)]);
                self.count(call.arguments.len());
                for argument in &call.arguments {
                    match argument.kind {
                        ArgumentKind::Positional => self.tagged(0, [argument.slot]),
                        ArgumentKind::Keyword(name) => self.tagged(1, [argument.slot, name]),
                        ArgumentKind::Star => self.tagged(2, [argument.slot]),
                        ArgumentKind::DoubleStar => self.tagged(3, [argument.slot]),
                    }
                }
            }
            Action::Function {
                to,
                function,
                defaults,
            } => {
                self.tagged(22, [*to, *function]);
                self.named(defaults);
            }
            Action::Class(class) => {
                self.tagged(23, [class.to, class.body]);
                self.numbers(&class.bases);
                self.named(&class.keywords);
            }
            Action::Collection(made) => {
                self.tagged(24, [made.to]);
                self.items(&made.items);
                self.numbers(&made.spread);
            }
            // All others are written by the two functions above.
            _ => self.tagged(u8::MAX, []),
        }
    }

    fn named(&mut self, named: &[(u32, Slot)]) {
        self.count(named.len());
        for (name, slot) in named {
            self.number(*name);
            self.number(*slot);
        }
    }

    fn items(&mut self, items: &[(Key, Slot)]) {
        self.count(items.len());
        for (key, slot) in items {
            self.key(*key);
            self.number(*slot);
        }
    }

    fn key(&mut self, key: Key) {
        match key {
            Key::Text(name) => self.tagged(0, [name]),
            Key::Number(number) => {
                self.tagged(1, []);
                self.signed(number);
            }
            Key::Slot(slot) => self.tagged(2, [slot]),
            Key::Any => self.tagged(3, []),
            Key::Slice => self.tagged(4, []),
            Key::Part(number) => {
                self.tagged(5, []);
                self.signed(number);
            }
        }
    }
}

fn number_of(mode: Mode) -> u32 {
    match mode {
        Mode::Plain => 0,
        Mode::Awaited => 1,
        Mode::Decorator => 2,
    }
}
