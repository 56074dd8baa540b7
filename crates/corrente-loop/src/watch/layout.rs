//! Where CPython keeps what a stack is made of, version by version.
//!
//! From its headers: `pystate.h`, `pycore_frame.h`, `code.h`, `unicodeobject.h`. The numbers are those of
//! 64-bit builds, and are not taken on trust: `stack::layout` first reads its own stack with
//! them and compares it with what the interpreter says. Without a GIL objects have longer heads (`object.h`), and from
//! 3.14 on each thread has its own copy of the code that it runs.

/// Offsets in bytes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Layout {
    /// In a thread's state: its current frame, or what leads to it.
    pub(super) current_frame: usize,
    /// In what leads to it, up to 3.12 (`_PyCFrame`).
    pub(super) indirect: Option<usize>,
    /// In a frame.
    pub(super) frame: FrameLayout,
    /// In a code object.
    pub(super) code: CodeLayout,
    /// Where threads run copies of a code object's instructions.
    pub(super) copies: Option<CopiesLayout>,
    /// The size of every object's head.
    pub(super) head: usize,
    /// The sizes of a string's head: of one that is ASCII, and of any other one.
    pub(super) string_heads: [usize; 2],
}

/// Copies of instructions (`_PyCodeArray`).
#[derive(Debug, Clone, Copy)]
pub(super) struct CopiesLayout {
    /// In a frame: the number of the copy.
    pub(super) number: usize,
    /// In a code object: the array.
    pub(super) array: usize,
    /// In the array: the first copy's address.
    pub(super) first: usize,
}

/// In a frame (`_PyInterpreterFrame`).
#[derive(Debug, Clone, Copy)]
pub(super) struct FrameLayout {
    pub(super) code: usize,
    pub(super) previous: usize,
    pub(super) instruction: usize,
    pub(super) owner: usize,
}

/// In a code object.
#[derive(Debug, Clone, Copy)]
pub(super) struct CodeLayout {
    pub(super) first_line: usize,
    pub(super) file: usize,
    pub(super) name: usize,
    pub(super) lines: usize,
    pub(super) instructions: usize,
}

/// A frame with this owner or a higher one is not Python's (`FRAME_OWNED_BY_CSTACK`,
/// `FRAME_OWNED_BY_INTERPRETER`).
pub(super) const OWNER_NOT_PYTHON: u8 = 3;

/// Bytes of a frame that are read.
pub(super) const FRAME_BYTES: usize = 80;

/// Bytes of a code object that are read: up to its instructions.
pub(super) const CODE_BYTES: usize = 160;

const CODE: CodeLayout = CodeLayout {
    first_line: 68,
    file: 112,
    name: 128,
    lines: 136,
    instructions: 208,
};

const FRAME: FrameLayout = FrameLayout {
    code: 0,
    previous: 8,
    instruction: 56,
    owner: 70,
};

const SINCE_3_13: Layout = Layout {
    current_frame: 72,
    indirect: None,
    frame: FRAME,
    code: CODE,
    copies: None,
    head: 16,
    string_heads: [40, 56],
};

/// By so much the head of an object is longer without a GIL.
const LONGER: usize = 16;

impl Layout {
    /// The same without a GIL.
    fn free(self) -> Self {
        let code = self.code;
        Self {
            code: CodeLayout {
                first_line: code.first_line + LONGER,
                file: code.file + LONGER,
                name: code.name + LONGER,
                lines: code.lines + LONGER,
                instructions: code.instructions + LONGER,
            },
            head: self.head + LONGER,
            string_heads: self.string_heads.map(|head| head + LONGER),
            ..self
        }
    }
}

/// The layout of a version, where it is known.
pub(super) fn of(major: u8, minor: u8) -> Option<Layout> {
    if cfg!(not(target_pointer_width = "64")) || major != 3 {
        return None;
    }
    if cfg!(Py_GIL_DISABLED) {
        return free(minor);
    }
    let code = |instructions| CodeLayout {
        instructions,
        ..CODE
    };
    match minor {
        11 => Some(Layout {
            current_frame: 56,
            indirect: Some(8),
            frame: FrameLayout {
                code: 32,
                previous: 48,
                owner: 69,
                ..FRAME
            },
            code: CodeLayout {
                first_line: 72,
                ..code(184)
            },
            string_heads: [48, 72],
            ..SINCE_3_13
        }),
        12 => Some(Layout {
            current_frame: 56,
            indirect: Some(0),
            code: code(192),
            ..SINCE_3_13
        }),
        13 => Some(Layout {
            code: code(200),
            ..SINCE_3_13
        }),
        14 | 15 => Some(Layout {
            frame: FrameLayout { owner: 74, ..FRAME },
            ..SINCE_3_13
        }),
        _ => None,
    }
}

/// The layout of a version without a GIL.
fn free(minor: u8) -> Option<Layout> {
    match minor {
        13 => Some(
            Layout {
                code: CodeLayout {
                    instructions: 200,
                    ..CODE
                },
                ..SINCE_3_13
            }
            .free(),
        ),
        14 | 15 => {
            let layout = SINCE_3_13.free();
            Some(Layout {
                frame: FrameLayout { owner: 78, ..FRAME },
                copies: Some(CopiesLayout {
                    number: 72,
                    array: 224,
                    first: 8,
                }),
                ..layout
            })
        }
        _ => None,
    }
}
