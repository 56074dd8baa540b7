//! Which shared library a thread waits in: the first one above the C library on its native stack.
//!
//! The stack of a thread that waits in the kernel is searched from its end upwards for addresses of code, as
//! return addresses are. That is a guess, since a stack also holds what was not cleared; the innermost ones
//! are seldom wrong. A driver in C has no Python frame, and this is how it is named.

use std::fs;
use std::path::Path;

use super::memory::Memory;

/// Bytes of a stack that are searched.
const SEARCHED: usize = 32 * 1024;

/// What every wait goes through, and what is no library's business: by the begin of its name.
const THROUGH: &[&str] = &["libc.", "libc-", "libpthread", "ld-", "ld.", "[vdso]"];

/// The interpreter itself.
const INTERPRETER: &[&str] = &["libpython", "python", "_native."];

/// Code that is mapped.
#[derive(Debug)]
struct Mapped<'a> {
    begin: usize,
    end: usize,
    name: &'a str,
}

/// The library that a thread waits in, given the end of its stack; `None` for the interpreter itself.
pub(super) fn waited_in(memory: &Memory, stack: u64) -> Option<String> {
    let maps = fs::read_to_string("/proc/self/maps").ok()?;
    let mapped: Vec<Mapped<'_>> = maps.lines().filter_map(code_in).collect();
    let mut bytes = vec![0; SEARCHED];
    let length = memory.some(usize::try_from(stack).ok()?, &mut bytes);
    let words = bytes[..length].chunks_exact(size_of::<usize>());
    let words = words.filter_map(|word| word.try_into().ok().map(usize::from_ne_bytes));
    let names = words.filter_map(|word| holder(&mapped, word));
    let first = names.into_iter().find(|name| !begins(THROUGH, name))?;
    (!begins(INTERPRETER, first)).then(|| first.to_owned())
}

fn begins(names: &[&str], name: &str) -> bool {
    names.iter().any(|begin| name.starts_with(begin))
}

/// The mapping that an address lies in. They are in the order of their addresses (proc(5)).
fn holder<'a>(mapped: &[Mapped<'a>], address: usize) -> Option<&'a str> {
    let after = mapped.partition_point(|one| one.begin <= address);
    let one = mapped.get(after.checked_sub(1)?)?;
    (address < one.end).then_some(one.name)
}

/// A line of `maps`, if it is of code: addresses, rights, offset, device, inode, name.
fn code_in(line: &str) -> Option<Mapped<'_>> {
    let mut words = line.split_ascii_whitespace();
    let (begin, end) = words.next()?.split_once('-')?;
    if words.next()?.as_bytes().get(2) != Some(&b'x') {
        return None;
    }
    let path = words.nth(3)?;
    let name = Path::new(path).file_name().and_then(|name| name.to_str());
    Some(Mapped {
        begin: usize::from_str_radix(begin, 16).ok()?,
        end: usize::from_str_radix(end, 16).ok()?,
        name: name.unwrap_or(path),
    })
}
