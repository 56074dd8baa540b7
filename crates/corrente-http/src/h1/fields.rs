//! Field lines: `Name: value` (RFC 9112, section 5), in heads and in trailers.
//!
//! A line is read from the left, each byte once, and where the bytes end is remembered. Fields are kept as
//! places in the bytes that they came in, so reading them copies nothing.

use crate::characters::{is_blank, token_end, trim, value_end};
use crate::{KnownName, Name, Rejection};

/// Where a field stands, from the beginning of its section.
#[derive(Debug, Clone, Copy)]
pub(super) struct Field {
    known: Option<KnownName>,
    name: u32,
    colon: u32,
    value: u32,
    end: u32,
}

impl Field {
    /// One whose value begins behind its colon and ends at `end`; the name begins at `name`.
    pub(super) fn at(view: &[u8], name: usize, colon: usize, end: usize) -> Self {
        Self {
            known: KnownName::of(&view[name..colon]),
            name: name as u32,
            colon: colon as u32,
            value: colon as u32 + 1,
            end: end as u32,
        }
    }

    pub(super) fn known(&self) -> Option<KnownName> {
        self.known
    }

    /// Where its name begins and ends.
    pub(super) fn name(&self) -> (u32, u32) {
        (self.name, self.colon)
    }

    /// Where its value begins and ends.
    pub(super) fn value(&self) -> (u32, u32) {
        (self.value, self.end)
    }
}

/// How far a line has been read.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Cursor {
    /// Where the line begins.
    line: usize,
    /// Where its colon is; 0 while the name is read.
    colon: usize,
    /// Where reading goes on.
    at: usize,
}

impl Cursor {
    /// At the beginning of a line.
    pub(super) fn at(line: usize) -> Self {
        Self {
            line,
            colon: 0,
            at: line,
        }
    }
}

/// What reading a line came to. `next` is where the following one begins.
#[derive(Debug)]
pub(super) enum Line {
    /// More bytes are needed.
    Incomplete,
    /// The line that ends the section.
    Empty {
        next: usize,
    },
    Field {
        field: Field,
        next: usize,
    },
}

/// Reads on in the line at `cursor`.
#[inline]
pub(super) fn read(view: &[u8], cursor: &mut Cursor) -> Result<Line, Rejection> {
    if cursor.colon == 0 {
        let end = token_end(view, cursor.at);
        if view.get(end) != Some(&b':') || end == cursor.line {
            cursor.at = end;
            return no_name(view, cursor.line, end);
        }
        cursor.colon = end;
        cursor.at = end + 1;
    }
    let end = value_end(view, cursor.at);
    match view.get(end..) {
        Some([b'\r', b'\n', ..]) => {
            let field = field(view, *cursor, end);
            Ok(Line::Field {
                field,
                next: end + 2,
            })
        }
        Some([] | [b'\r']) | None => {
            cursor.at = end;
            Ok(Line::Incomplete)
        }
        Some([b'\r', ..]) => Err(Rejection::BareCarriageReturn),
        Some([b'\n', ..]) => Err(Rejection::BareLineFeed),
        Some([byte, ..]) => Err(Rejection::ValueByte(*byte)),
    }
}

/// What a line is whose name ends, at `end`, with something else than a colon, or is empty.
#[cold]
fn no_name(view: &[u8], line: usize, end: usize) -> Result<Line, Rejection> {
    let begins = end == line;
    match view.get(end..) {
        None | Some([] | [b'\r']) => Ok(Line::Incomplete),
        Some([b'\r', b'\n', ..]) if begins => Ok(Line::Empty { next: end + 2 }),
        Some([b'\r', b'\n', ..]) => Err(Rejection::NameByte(b'\r')),
        Some([b'\r', ..]) => Err(Rejection::BareCarriageReturn),
        Some([b'\n', ..]) => Err(Rejection::BareLineFeed),
        Some([b':', ..]) => Err(Rejection::NameEmpty),
        Some([b' ' | b'\t', ..]) if begins => Err(Rejection::Folding),
        Some([b' ' | b'\t', ..]) => Err(Rejection::NameSpace),
        Some([byte, ..]) => Err(Rejection::NameByte(*byte)),
    }
}

fn field(view: &[u8], cursor: Cursor, end: usize) -> Field {
    let Cursor { line, colon, .. } = cursor;
    let mut value = colon + 1;
    let mut last = end;
    while value < last && is_blank(view[value]) {
        value += 1;
    }
    while value < last && is_blank(view[last - 1]) {
        last -= 1;
    }
    Field {
        known: KnownName::of(&view[line..colon]),
        name: line as u32,
        colon: colon as u32,
        value: value as u32,
        end: last as u32,
    }
}

/// A field of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header<'a> {
    /// Its name.
    pub name: Name<'a>,
    /// Its value, without the white space around it. Any byte but controls.
    pub value: &'a [u8],
}

/// The fields of a head or of a trailer section, in the order in which they came.
#[derive(Debug, Clone, Copy)]
pub struct Fields<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) fields: &'a [Field],
}

impl<'a> Fields<'a> {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.fields.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.fields.is_empty()
    }

    /// Each of them.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = Header<'a>> + use<'a> {
        let bytes = self.bytes;
        self.fields.iter().map(move |field| {
            let name = || Name::Other(slice(bytes, (field.name, field.colon)));
            Header {
                name: field.known.map_or_else(name, Name::Known),
                value: slice(bytes, field.value()),
            }
        })
    }

    /// The values of each field of this name.
    pub fn all(&self, name: KnownName) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        let bytes = self.bytes;
        let named = self
            .fields
            .iter()
            .filter(move |field| field.known == Some(name));
        named.map(move |field| slice(bytes, field.value()))
    }

    /// The value of the first field of this name.
    pub fn first(&self, name: KnownName) -> Option<&'a [u8]> {
        self.all(name).next()
    }

    /// The elements of the lists that all fields of this name make together, empty ones left out.
    pub fn list(&self, name: KnownName) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        self.all(name).flat_map(elements)
    }
}

/// The elements of a list, empty ones left out (RFC 9110, section 5.6.1).
pub(crate) fn elements(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    let elements = value.split(|&byte| byte == b',').map(trim);
    elements.filter(|element| !element.is_empty())
}

pub(super) fn slice(bytes: &[u8], (from, to): (u32, u32)) -> &[u8] {
    &bytes[from as usize..to as usize]
}
