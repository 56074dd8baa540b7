//! A shared library that the process has loaded already, and what it exports.
//!
//! Nothing is ever loaded: a library that is not there is not brought in. Must not know what it is asked for.

use std::ffi::{CStr, c_char, c_int, c_void};
use std::ptr::NonNull;

unsafe extern "C" {
    fn dlopen(name: *const c_char, flags: c_int) -> *mut c_void;
    fn dlsym(library: *mut c_void, name: *const c_char) -> *mut c_void;
}

/// `RTLD_NOW`.
const RESOLVED: c_int = 0x2;
/// `RTLD_NOLOAD` of Linux.
const NOT_LOADED_NOW: c_int = 0x4;

/// A library. It is never given back, and so neither are its functions.
#[derive(Debug, Clone, Copy)]
pub(super) struct Library(NonNull<c_void>);

impl Library {
    /// The library of this file, if it is loaded.
    pub(super) fn loaded(file: &CStr) -> Option<Self> {
        // SAFETY: a name that ends with a zero. No code of the library runs: it is loaded or not found.
        let library = unsafe { dlopen(file.as_ptr(), RESOLVED | NOT_LOADED_NOW) };
        NonNull::new(library).map(Self)
    }

    /// The address of what it, or a library that it was linked with, exports by this name.
    pub(super) fn symbol(self, name: &CStr) -> Option<NonNull<c_void>> {
        // SAFETY: a library that is open for ever, and a name that ends with a zero.
        NonNull::new(unsafe { dlsym(self.0.as_ptr(), name.as_ptr()) })
    }
}
