//! The Python stack of a thread, read from memory: the GIL is not needed, and who holds it does not matter.
//!
//! A frame leads to the one below it and to its code, the code to its file, its name and its lines.
//! Key invariant: no stack is given whose layout was not seen to be right in this process.

use std::sync::OnceLock;

use pyo3::prelude::*;

use super::layout::{CODE_BYTES, CopiesLayout, FRAME_BYTES, Layout, OWNER_NOT_PYTHON, of};
use super::memory::{Memory, number_in, pointer_in};
use super::position::{Position, position};
use crate::ffi::thread::state_address;

/// Frames of a stack that are read, innermost first. The rest is the program's start.
const FRAMES: usize = 64;
/// Frames that are gone through at most: there are some that are not Python's.
const STEPS: usize = 3 * FRAMES;
/// Characters of a name, bytes of a table of lines; what says that it has more has changed meanwhile.
const CHARACTERS: usize = 4096;
const TABLE: usize = 1 << 20;
/// Bytes that are read of a string at once: most are shorter.
const SHORT: usize = 256;

/// A frame of Python code.
#[derive(Debug, Clone)]
pub(crate) struct Frame {
    pub(crate) file: String,
    pub(crate) function: String,
    pub(crate) line: i32,
    /// End line, first and last column, where they are known.
    pub(crate) extent: Option<(i32, i32, i32)>,
}

/// The layout of this interpreter, if it is known and right.
pub(super) fn layout(py: Python<'_>) -> Option<Layout> {
    static KNOWN: OnceLock<Option<Layout>> = OnceLock::new();
    *KNOWN.get_or_init(|| {
        let version = py.version_info();
        let layout = of(version.major, version.minor)?;
        let memory = Memory::own().ok()?;
        let found = read(&memory, state_address(py), layout)?;
        let told = told(py).ok()?;
        let agrees = |(frame, told): (&Frame, &Told)| {
            (&frame.file, &frame.function, frame.line) == (&told.0, &told.1, told.2)
        };
        let is_right = !told.is_empty() && found.iter().zip(&told).all(agrees);
        (is_right && found.len() == told.len()).then_some(layout)
    })
}

/// File, function and line.
type Told = (String, String, i32);

/// What the interpreter says of the calling thread's stack.
fn told(py: Python<'_>) -> PyResult<Vec<Told>> {
    let mut told = Vec::new();
    let mut frame = py.import("sys")?.call_method0("_getframe")?;
    while !frame.is_none() && told.len() < FRAMES {
        let code = frame.getattr("f_code")?;
        told.push((
            code.getattr("co_filename")?.extract()?,
            code.getattr("co_qualname")?.extract()?,
            frame.getattr("f_lineno")?.extract()?,
        ));
        frame = frame.getattr("f_back")?;
    }
    Ok(told)
}

/// The stack of a thread; `None` where it changed while it was read.
pub(super) fn read(memory: &Memory, state: usize, layout: Layout) -> Option<Vec<Frame>> {
    let mut frames = Vec::new();
    let mut next = memory.pointer(state + layout.current_frame)?;
    if let Some(indirect) = layout.indirect {
        next = memory.pointer(next.checked_add(indirect)?)?;
    }
    for _ in 0..STEPS {
        if next == 0 || frames.len() == FRAMES {
            break;
        }
        let frame = memory.bytes::<FRAME_BYTES>(next)?;
        next = pointer_in(&frame, layout.frame.previous)?;
        if frame[layout.frame.owner] < OWNER_NOT_PYTHON {
            frames.push(python_frame(memory, &frame, layout)?);
        }
    }
    Some(frames)
}

fn python_frame(memory: &Memory, frame: &[u8], layout: Layout) -> Option<Frame> {
    // The lowest bits are a tag, since 3.14.
    let address = pointer_in(frame, layout.frame.code)? & !3;
    let code = memory.bytes::<CODE_BYTES>(address)?;
    let name = |offset| string(memory, pointer_in(&code, offset)?, layout);
    let instruction = pointer_in(frame, layout.frame.instruction)?;
    let first_line = number_in(&code, layout.code.first_line)?.cast_signed();
    let begin = match layout.copies {
        Some(copies) => copy(memory, frame, address, copies)?,
        None => address + layout.code.instructions,
    };
    // A frame that has just begun is before its first instruction.
    let offset = instruction.saturating_sub(begin);
    let table = bytes(memory, pointer_in(&code, layout.code.lines)?, layout)?;
    let place = position(&table, first_line, offset / 2);
    let columns = |place: Position| {
        let (first, last) = place.columns?;
        Some((place.end_line, first, last))
    };
    Some(Frame {
        file: name(layout.code.file)?,
        function: name(layout.code.name)?,
        line: place.map_or(first_line, |place| place.line),
        extent: place.and_then(columns),
    })
}

/// Where the copy of instructions that a frame runs begins.
fn copy(memory: &Memory, frame: &[u8], code: usize, copies: CopiesLayout) -> Option<usize> {
    let number = number_in(frame, copies.number)? as usize;
    let array = memory.pointer(code.checked_add(copies.array)?)?;
    let place = number
        .checked_mul(size_of::<usize>())?
        .checked_add(copies.first)?;
    memory.pointer(array.checked_add(place)?)
}

/// The content of a `bytes` object: behind its head are its length, its hash, and then its content.
fn bytes(memory: &Memory, address: usize, layout: Layout) -> Option<Vec<u8>> {
    let begin = address.checked_add(layout.head)?;
    let length = memory.pointer(begin)?;
    (length <= TABLE).then(|| memory.many(begin + 16, length))?
}

/// The content of a string. Behind its head are its length, its hash, and what says of what kind it is:
/// two bits aside, three for the bytes of a character, one for compact, one for ASCII.
fn string(memory: &Memory, address: usize, layout: Layout) -> Option<String> {
    let mut short = [0; SHORT];
    let read = memory.some(address, &mut short);
    let short = short.get(..read)?;
    let length = pointer_in(short, layout.head).filter(|length| *length <= CHARACTERS)?;
    let state = number_in(short, layout.head + 16)?;
    let width = (state >> 2) as usize & 7;
    let (is_compact, is_ascii) = (state >> 5 & 1 == 1, state >> 6 & 1 == 1);
    if !is_compact || !matches!(width, 1 | 2 | 4) {
        return None;
    }
    let begin = layout.string_heads[usize::from(!is_ascii)];
    let end = begin + length * width;
    let content = match short.get(begin..end) {
        Some(content) => content.to_vec(),
        None => memory.many(address.checked_add(begin)?, end - begin)?,
    };
    if is_ascii && width == 1 {
        // Nearly all names: taken as they are, where a character at a time cost most of a look.
        return String::from_utf8(content).ok();
    }
    let characters = content.chunks_exact(width).map(|character| {
        let mut number = [0; 4];
        number[..width].copy_from_slice(character);
        // The least byte is the first on every machine that there are wheels for.
        char::from_u32(u32::from_le_bytes(number))
    });
    characters.collect()
}
