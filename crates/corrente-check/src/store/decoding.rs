//! Bytes back to facts. Whatever is not as `encoding` writes it gives nothing at all.
//!
//! A count is never trusted further than the bytes that are there, so that no input makes this
//! take more memory than a few times its own length.

use crate::facts::{
    Action, Argument, ArgumentKind, BodyKind, Call, Class, Collection, Fault, FunctionFacts, Guard,
    Key, Kinds, Mode, ModuleFacts, Name, Operation, Parameter, ParameterKind, Passage, Receiver,
    Slot, Span, Test, Trait, Whole,
};
use crate::origins::Origins;
use crate::uses::Uses;

/// How deep a test may nest: a multiple of what `syntax` keeps.
const TEST_DEPTH_MAX: usize = 64;

/// The facts of a module, without what follows from its source.
pub(super) fn decode(shape: &[u8], places: &[u8]) -> Option<ModuleFacts> {
    let mut reader = Reader::of(places);
    let spans = reader.spans()?;
    let faults = reader.list(|reader| {
        Some(Fault {
            at: reader.number()?,
            message: reader.text()?.to_owned(),
        })
    })?;
    if !reader.rest.is_empty() {
        return None;
    }
    let mut reader = Reader {
        spans: &spans,
        ..Reader::of(shape)
    };
    let names = reader.list(|reader| reader.text().map(Into::into))?;
    let functions = reader.list(Reader::function)?;
    let mut facts = ModuleFacts {
        names,
        functions,
        faults,
        ..ModuleFacts::default()
    };
    if !reader.rest.is_empty() || facts.functions.is_empty() {
        return None;
    }
    facts.index();
    Some(facts)
}

struct Reader<'a> {
    rest: &'a [u8],
    /// Where operations stand, in the order in which places are first named.
    spans: &'a [Span],
    /// Places that were named.
    named: usize,
}

impl<'a> Reader<'a> {
    fn of(bytes: &'a [u8]) -> Self {
        Self {
            rest: bytes,
            spans: &[],
            named: 0,
        }
    }

    fn byte(&mut self) -> Option<u8> {
        let (first, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(*first)
    }

    fn number(&mut self) -> Option<u32> {
        u32::try_from(self.long()?).ok()
    }

    fn long(&mut self) -> Option<u64> {
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            number |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Some(number);
            }
        }
        None
    }

    fn signed(&mut self) -> Option<i64> {
        let folded = self.long()?;
        Some((folded >> 1).cast_signed() ^ -(folded & 1).cast_signed())
    }

    #[expect(
        clippy::option_option,
        reason = "the outer one says whether the bytes are right"
    )]
    fn maybe(&mut self) -> Option<Option<u32>> {
        match self.long()? {
            0 => Some(None),
            number => u32::try_from(number - 1).ok().map(Some),
        }
    }

    fn text(&mut self) -> Option<&'a str> {
        let length = usize::try_from(self.long()?).ok()?;
        let (text, rest) = self.rest.split_at_checked(length)?;
        self.rest = rest;
        std::str::from_utf8(text).ok()
    }

    fn list<T>(&mut self, mut item: impl FnMut(&mut Self) -> Option<T>) -> Option<Vec<T>> {
        let count = usize::try_from(self.long()?).ok()?;
        // Every item takes a byte at least.
        if count > self.rest.len() {
            return None;
        }
        let mut items = Vec::with_capacity(count);
        for _ in 0..count {
            items.push(item(self)?);
        }
        Some(items)
    }

    fn numbers(&mut self) -> Option<Vec<u32>> {
        self.list(Self::number)
    }

    fn function(&mut self) -> Option<FunctionFacts> {
        let kind = match self.byte()? {
            0 => BodyKind::Module,
            1 => BodyKind::Class,
            2 => BodyKind::Function,
            3 => BodyKind::Generator,
            4 => BodyKind::Coroutine,
            5 => BodyKind::AsyncGenerator,
            _ => return None,
        };
        let (name, slots) = (self.number()?, self.number()?);
        let receiver = match self.number()? {
            0 => Receiver::Object,
            1 => Receiver::Class,
            2 => Receiver::Nothing,
            _ => return None,
        };
        Some(FunctionFacts {
            name,
            kind,
            parent: self.maybe()?,
            parameters: self.list(Self::parameter)?,
            cells: self.numbers()?,
            fields: self.numbers()?,
            settled: self.numbers()?,
            gives_awaitable: self.number()? == 1,
            operations: self.list(Self::operation)?,
            slots,
            receiver,
            guards: self.list(Self::guard)?,
            uses: Uses::default(),
            origins: Origins::default(),
        })
    }

    fn parameter(&mut self) -> Option<Parameter> {
        let kind = match self.byte()? {
            0 => ParameterKind::Positional,
            1 => ParameterKind::KeywordOnly,
            2 => ParameterKind::Star,
            3 => ParameterKind::DoubleStar,
            _ => return None,
        };
        Some(Parameter {
            name: self.number()?,
            kind,
            slot: self.number()?,
        })
    }

    fn guard(&mut self) -> Option<Guard> {
        Some(Guard {
            first: self.number()?,
            end: self.number()?,
            test: self.asked(TEST_DEPTH_MAX)?,
        })
    }

    fn asked(&mut self, depth: usize) -> Option<Test> {
        let deeper = depth.checked_sub(1)?;
        let part = |reader: &mut Self| reader.asked(deeper);
        Some(match self.byte()? {
            0 => Test::True(self.number()?),
            1 => Test::Equal(self.number()?, self.number()?),
            2 => Test::Not(Box::new(part(self)?)),
            3 => Test::All(self.list(part)?),
            4 => Test::Any(self.list(part)?),
            5 => Test::Other,
            _ => return None,
        })
    }

    /// Places, each from the one before it.
    fn spans(&mut self) -> Option<Vec<Span>> {
        let mut last = 0;
        self.list(|reader| {
            let start = u32::try_from(i64::from(last) + reader.signed()?).ok()?;
            last = start;
            let end = start.wrapping_add(reader.number()?);
            Some(Span { start, end })
        })
    }

    fn operation(&mut self) -> Option<Operation> {
        let ago = usize::try_from(self.long()?).ok()?;
        let number = self.named.checked_sub(ago)?;
        self.named += usize::from(ago == 0);
        Some(Operation {
            span: *self.spans.get(number)?,
            action: self.action()?,
        })
    }

    fn action(&mut self) -> Option<Action> {
        let tag = self.byte()?;
        let first = self.number()?;
        let action = match tag {
            0 => Action::Copy {
                to: first,
                from: self.number()?,
            },
            1 => Action::Text {
                to: first,
                text: self.number()?,
            },
            2 => Action::Number {
                to: first,
                number: self.signed()?,
            },
            3 => Action::Builtin {
                to: first,
                name: self.number()?,
            },
            4 => Action::Load {
                to: first,
                hops: self.number()?,
                name: self.number()?,
            },
            5 => Action::Store {
                hops: first,
                name: self.number()?,
                from: self.number()?,
            },
            6 => Action::Attribute {
                to: first,
                base: self.number()?,
                name: self.number()?,
            },
            7 => Action::SetAttribute {
                base: first,
                name: self.number()?,
                from: self.number()?,
                way: match self.number()? {
                    0 => Passage::Always,
                    _ => Passage::Sometimes,
                },
            },
            8 => Action::Item {
                to: first,
                base: self.number()?,
                key: self.key()?,
            },
            9 => Action::SetItem {
                base: first,
                from: self.number()?,
                key: self.key()?,
            },
            _ => return self.later(tag, first),
        };
        Some(action)
    }

    fn later(&mut self, tag: u8, first: u32) -> Option<Action> {
        let action = match tag {
            10 => Action::Iterate {
                to: first,
                from: self.number()?,
                mode: self.mode()?,
            },
            11 => Action::Enter {
                to: first,
                from: self.number()?,
                mode: self.mode()?,
            },
            12 => Action::Await {
                to: first,
                from: self.number()?,
            },
            13 => Action::Yield {
                to: first,
                from: self.number()?,
            },
            14 => Action::Return { from: first },
            25 => Action::Nothing { to: first },
            15 => Action::Declare {
                to: first,
                annotation: self.number()?,
            },
            17 => Action::Filter {
                to: first,
                from: self.number()?,
                by: self.test()?,
            },
            18 => Action::Import {
                to: first,
                module: self.number()?,
                whole: if self.number()? == 0 {
                    Whole::First
                } else {
                    Whole::Last
                },
            },
            19 => Action::ImportFrom {
                to: first,
                module: self.number()?,
                level: self.number()?,
                name: self.number()?,
            },
            20 => Action::ImportAll {
                module: first,
                level: self.number()?,
            },
            _ => return self.longer(tag, first),
        };
        Some(action)
    }

    fn longer(&mut self, tag: u8, to: Slot) -> Option<Action> {
        let action = match tag {
            16 => {
                let (method, left) = (self.number()?, self.number()?);
                Action::Special {
                    to,
                    method,
                    left,
                    reflected: self.maybe()?,
                    right: self.maybe()?,
                }
            }
            21 => Action::Call(Box::new(Call {
                to,
                callee: self.number()?,
                mode: self.mode()?,
                arguments: self.list(Self::argument)?,
            })),
            22 => Action::Function {
                to,
                function: self.number()?,
                defaults: self.list(Self::default)?.into_boxed_slice(),
            },
            23 => Action::Class(Box::new(Class {
                to,
                body: self.number()?,
                bases: self.numbers()?,
                keywords: self.list(Self::default)?,
            })),
            24 => Action::Collection(Box::new(Collection {
                to,
                items: self.list(|reader| Some((reader.key()?, reader.number()?)))?,
                spread: self.numbers()?,
            })),
            _ => return None,
        };
        Some(action)
    }

    fn default(&mut self) -> Option<(Name, Slot)> {
        Some((self.number()?, self.number()?))
    }

    fn argument(&mut self) -> Option<Argument> {
        let tag = self.byte()?;
        let slot = self.number()?;
        let kind = match tag {
            0 => ArgumentKind::Positional,
            1 => ArgumentKind::Keyword(self.number()?),
            2 => ArgumentKind::Star,
            3 => ArgumentKind::DoubleStar,
            _ => return None,
        };
        Some(Argument { kind, slot })
    }

    fn key(&mut self) -> Option<Key> {
        Some(match self.byte()? {
            0 => Key::Text(self.number()?),
            1 => Key::Number(self.signed()?),
            2 => Key::Slot(self.number()?),
            3 => Key::Any,
            4 => Key::Slice,
            5 => Key::Part(self.signed()?),
            _ => return None,
        })
    }

    fn test(&mut self) -> Option<Trait> {
        Some(match self.byte()? {
            0 => Trait::Function(Kinds::from_number(self.number()?)?),
            2 => Trait::Instance(self.number()?),
            3 => Trait::NotInstance(self.number()?),
            4 => Trait::Unblocked,
            7 => Trait::Ready,
            8 => Trait::Any,
            6 => Trait::Caught(self.number()?),
            5 => Trait::Given {
                subject: self.number()?,
                kept: self.number()?,
            },
            _ => return None,
        })
    }

    fn mode(&mut self) -> Option<Mode> {
        Some(match self.number()? {
            0 => Mode::Plain,
            1 => Mode::Awaited,
            2 => Mode::Decorator,
            _ => return None,
        })
    }
}
