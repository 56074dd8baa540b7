//! Where an `ssl.SSLObject` has its `SSL`, and the proof that it is there.
//!
//! CPython does not tell. What is known is that the C object has, one behind the other, a socket (none here), the
//! `SSL`, and the context object that it was made of (`PySSLSocket` in Modules/_ssl.c, alike from 3.7 to 3.14).
//! The context's address is known, so its place tells the others. That the word before it points to
//! an `SSL` is then read from memory by the kernel, which fails where a pointer would crash: an `SSL` begins
//! with pointers to the two `BIO`s that it was given. Only then OpenSSL is asked, and has to give the same answers.
//!
//! Every connection is checked again. Any doubt: `None`, and Python's own calls are used.

use std::ffi::{CString, c_ulong, c_void};
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::ptr::NonNull;

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;

use super::functions::{Functions, Ssl};
use crate::ffi::library::Library;

type Word = usize;

const WORD_BYTES: usize = size_of::<Word>();
/// The fields that every object has.
const HEAD_WORDS: usize = 2;
/// The first words of an `SSL`; among them its `BIO`s. One has some thousand bytes.
const SSL_WORDS: usize = 32;
/// OpenSSL 1.1.1.
const OLDEST: c_ulong = 0x1010_1000;

/// What holds for this interpreter.
pub(super) struct Proof {
    pub(super) functions: &'static Functions,
    /// Which word of a `_ssl._SSLSocket` is the `SSL`.
    place: usize,
}

/// The proof, looked for once; `None` where there is any doubt.
pub(super) fn proof(py: Python<'_>) -> Option<&'static Proof> {
    static PROOF: PyOnceLock<Option<&'static Proof>> = PyOnceLock::new();
    *PROOF.get_or_init(py, || {
        let proof = prove(py).ok().flatten();
        proof.map(|proof| &*Box::leak(Box::new(proof)))
    })
}

fn prove(py: Python<'_>) -> PyResult<Option<Proof>> {
    // Without a GIL, Python's `ssl` locks its objects; these locks cannot be taken from outside.
    if cfg!(Py_GIL_DISABLED) {
        return Ok(None);
    }
    let Some(functions) = functions(py)? else {
        return Ok(None);
    };
    let ends = [
        ("PROTOCOL_TLS_CLIENT", false),
        ("PROTOCOL_TLS_SERVER", true),
    ];
    let [client, server] = ends.map(|(kind, is_server)| place(py, functions, kind, is_server));
    Ok(match (client?, server?) {
        (Some(client), Some(server)) if client == server => Some(Proof {
            functions,
            place: client,
        }),
        _ => None,
    })
}

/// The functions of the OpenSSL that `_ssl` was linked with.
fn functions(py: Python<'_>) -> PyResult<Option<&'static Functions>> {
    // Where it is a part of the interpreter it has no file.
    let file: String = py.import("_ssl")?.getattr("__file__")?.extract()?;
    let version: c_ulong = py
        .import("ssl")?
        .getattr("OPENSSL_VERSION_NUMBER")?
        .extract()?;
    let Some(library) = CString::new(file)
        .ok()
        .and_then(|file| Library::loaded(&file))
    else {
        return Ok(None);
    };
    if version < OLDEST {
        return Ok(None);
    }
    // SAFETY: `_ssl` was linked with OpenSSL, of the version that it told.
    let Some(functions) = (unsafe { Functions::of(library) }) else {
        return Ok(None);
    };
    // SAFETY: OpenSSL's own function; it takes no argument.
    let loaded = unsafe { (functions.version)() };
    Ok((loaded == version).then(|| &*Box::leak(Box::new(functions))))
}

/// Where a new object of this kind has its `SSL`.
fn place(
    py: Python<'_>,
    functions: &Functions,
    kind: &str,
    is_server: bool,
) -> PyResult<Option<usize>> {
    let ssl = py.import("ssl")?;
    let context = ssl.getattr("SSLContext")?.call1((ssl.getattr(kind)?,))?;
    context.setattr("check_hostname", false)?;
    let memory = ssl.getattr("MemoryBIO")?;
    let (incoming, outgoing) = (memory.call0()?, memory.call0()?);
    let object = context.call_method1("wrap_bio", (&incoming, &outgoing, is_server))?;
    let inner = object.getattr("_sslobj")?;
    let words = words(&inner);
    let context_address = context.as_ptr() as Word;
    let mut places = (HEAD_WORDS + 2..words.len()).filter(|at| words[*at] == context_address);
    let (Some(at), None) = (places.next(), places.next()) else {
        return Ok(None);
    };
    // No socket, then the `SSL`, then the context.
    let (socket, candidate) = (words[at - 2], words[at - 1]);
    let bios = [field(&incoming), field(&outgoing)];
    if socket != 0 || !begins_like_ssl(candidate, bios) {
        return Ok(None);
    }
    let found = confirmed(functions, candidate, field(&context), bios);
    Ok(found.map(|_| at - 1))
}

impl Proof {
    /// The `SSL` of a new connection, if all is as it was proven.
    pub(super) fn find(
        &self,
        inner: &Bound<'_, PyAny>,
        ssl_object: &Bound<'_, PyAny>,
        incoming: &Bound<'_, PyAny>,
        outgoing: &Bound<'_, PyAny>,
    ) -> Option<NonNull<Ssl>> {
        static CLASS: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
        let py = inner.py();
        let class = CLASS.import(py, "_ssl", "_SSLSocket").ok()?;
        let context = ssl_object.getattr(intern!(py, "context")).ok()?;
        let words = words(inner);
        let is_ours = inner.get_type().is(class)
            && words.get(self.place - 1) == Some(&0)
            && words.get(self.place + 1) == Some(&(context.as_ptr() as Word));
        let bios = [field(incoming), field(outgoing)];
        let candidate = *words.get(self.place).filter(|_| is_ours)?;
        confirmed(self.functions, candidate, field(&context), bios)
    }
}

/// The words of an object of a class with a fixed size.
fn words(object: &Bound<'_, PyAny>) -> Vec<Word> {
    let begin = object.as_ptr().cast::<Word>();
    // SAFETY: a live class.
    let bytes = unsafe { (*object.get_type_ptr()).tp_basicsize };
    let count = usize::try_from(bytes).unwrap_or(0) / WORD_BYTES;
    // SAFETY: an object has as many bytes as its class says, and nobody writes them while the GIL is held.
    unsafe { std::slice::from_raw_parts(begin, count) }.to_vec()
}

/// The first field of an object: the `SSL_CTX` of a context, the `BIO` of a `MemoryBIO`.
fn field(object: &Bound<'_, PyAny>) -> Word {
    words(object).get(HEAD_WORDS).copied().unwrap_or(0)
}

/// Whether what is at this address begins as the `SSL` that was given these `BIO`s.
fn begins_like_ssl(address: Word, bios: [Word; 2]) -> bool {
    if address == 0 || !address.is_multiple_of(WORD_BYTES) || bios.contains(&0) {
        return false;
    }
    let mut bytes = [0; SSL_WORDS * WORD_BYTES];
    let read = File::open("/proc/self/mem")
        .and_then(|memory| memory.read_exact_at(&mut bytes, address as u64));
    let found = bytes.chunks_exact(WORD_BYTES).map(|word| {
        let word: Result<[u8; WORD_BYTES], _> = word.try_into();
        word.map_or(0, Word::from_ne_bytes)
    });
    let found: Vec<Word> = found.collect();
    read.is_ok() && found.windows(2).any(|pair| pair == bios)
}

/// Asks OpenSSL whether it is the connection that is looked for, and new.
fn confirmed(
    functions: &Functions,
    candidate: Word,
    context: Word,
    [reading, writing]: [Word; 2],
) -> Option<NonNull<Ssl>> {
    let ssl = NonNull::new(candidate as *mut Ssl)?;
    let place = ssl.as_ptr();
    // SAFETY: it begins as an `SSL` does (`begins_like_ssl`), or it stands where all of them stood that did.
    let has_reading = unsafe { (functions.reading_bio)(place) } as Word == reading;
    // SAFETY: as above.
    let has_writing = unsafe { (functions.writing_bio)(place) } as Word == writing;
    // SAFETY: as above.
    let has_context = unsafe { (functions.context)(place) }.cast::<c_void>() as Word == context;
    // SAFETY: as above.
    let is_finished = unsafe { (functions.is_finished)(place) } != 0;
    (has_reading && has_writing && has_context && !is_finished).then_some(ssl)
}
