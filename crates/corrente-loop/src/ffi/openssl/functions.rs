//! OpenSSL's functions that are used, by name; all of them are there, or none is used.
//!
//! Signatures: OpenSSL's manual pages, alike from 1.1.1 to 3.x.

use std::ffi::{c_char, c_int, c_long, c_ulong, c_void};

use crate::ffi::library::Library;

/// A connection of OpenSSL's.
#[repr(C)]
pub(super) struct Ssl {
    _opaque: [u8; 0],
}

/// What a connection reads from and writes to.
#[repr(C)]
pub(super) struct Bio {
    _opaque: [u8; 0],
}

/// A kind of `Bio`.
#[repr(C)]
pub(super) struct BioMethod {
    _opaque: [u8; 0],
}

pub(super) type BioWrite = unsafe extern "C" fn(*mut Bio, *const c_char, c_int) -> c_int;
pub(super) type BioRead = unsafe extern "C" fn(*mut Bio, *mut c_char, c_int) -> c_int;
pub(super) type BioControl = unsafe extern "C" fn(*mut Bio, c_int, c_long, *mut c_void) -> c_long;
pub(super) type BioDestroy = unsafe extern "C" fn(*mut Bio) -> c_int;

macro_rules! functions {
    ($($field:ident $name:literal: $type:ty,)*) => {
        /// The functions.
        #[derive(Debug)]
        pub(super) struct Functions {
            $(pub $field: $type,)*
        }

        impl Functions {
            /// Those of a library; `None` where one is missing.
            ///
            /// # Safety
            ///
            /// The library is OpenSSL, or was linked with it, version 1.1.1 or newer.
            pub(super) unsafe fn of(library: Library) -> Option<Self> {
                $(
                    let $field = library.symbol($name)?;
                    // SAFETY: OpenSSL's function of this name has this type, and it is never unloaded.
                    let $field = unsafe {
                        std::mem::transmute::<*mut c_void, $type>($field.as_ptr())
                    };
                )*
                Some(Self { $($field,)* })
            }
        }
    };
}

functions! {
    version c"OpenSSL_version_num": unsafe extern "C" fn() -> c_ulong,
    read c"SSL_read": unsafe extern "C" fn(*mut Ssl, *mut c_void, c_int) -> c_int,
    write c"SSL_write": unsafe extern "C" fn(*mut Ssl, *const c_void, c_int) -> c_int,
    error c"SSL_get_error": unsafe extern "C" fn(*const Ssl, c_int) -> c_int,
    context c"SSL_get_SSL_CTX": unsafe extern "C" fn(*const Ssl) -> *mut c_void,
    is_finished c"SSL_is_init_finished": unsafe extern "C" fn(*const Ssl) -> c_int,
    reading_bio c"SSL_get_rbio": unsafe extern "C" fn(*const Ssl) -> *mut Bio,
    writing_bio c"SSL_get_wbio": unsafe extern "C" fn(*const Ssl) -> *mut Bio,
    set_reading_bio c"SSL_set0_rbio": unsafe extern "C" fn(*mut Ssl, *mut Bio),
    set_writing_bio c"SSL_set0_wbio": unsafe extern "C" fn(*mut Ssl, *mut Bio),
    clear_errors c"ERR_clear_error": unsafe extern "C" fn(),
    last_error c"ERR_peek_last_error": unsafe extern "C" fn() -> c_ulong,
    reason c"ERR_reason_error_string": unsafe extern "C" fn(c_ulong) -> *const c_char,
    new_bio c"BIO_new": unsafe extern "C" fn(*const BioMethod) -> *mut Bio,
    share_bio c"BIO_up_ref": unsafe extern "C" fn(*mut Bio) -> c_int,
    bio_data c"BIO_get_data": unsafe extern "C" fn(*mut Bio) -> *mut c_void,
    set_bio_data c"BIO_set_data": unsafe extern "C" fn(*mut Bio, *mut c_void),
    set_bio_begun c"BIO_set_init": unsafe extern "C" fn(*mut Bio, c_int),
    set_bio_flags c"BIO_set_flags": unsafe extern "C" fn(*mut Bio, c_int),
    clear_bio_flags c"BIO_clear_flags": unsafe extern "C" fn(*mut Bio, c_int),
    new_kind c"BIO_get_new_index": unsafe extern "C" fn() -> c_int,
    new_method c"BIO_meth_new": unsafe extern "C" fn(c_int, *const c_char) -> *mut BioMethod,
    set_method_write c"BIO_meth_set_write": unsafe extern "C" fn(*mut BioMethod, BioWrite) -> c_int,
    set_method_read c"BIO_meth_set_read": unsafe extern "C" fn(*mut BioMethod, BioRead) -> c_int,
    set_method_control c"BIO_meth_set_ctrl":
        unsafe extern "C" fn(*mut BioMethod, BioControl) -> c_int,
    set_method_destroy c"BIO_meth_set_destroy":
        unsafe extern "C" fn(*mut BioMethod, BioDestroy) -> c_int,
}
