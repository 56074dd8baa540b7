//! The C library's heap, told once not to give freed memory back at every turn.
//!
//! Messages of some 100 KiB come and go as `bytes` at the top of the heap. By its defaults glibc returns
//! the top to the kernel when more than 128 KiB of it are free, and takes it again for the next
//! message: a system call and a page fault for every 4 KiB of it. It raises these thresholds by itself
//! once a large block is freed (mallopt(3), `M_MMAP_THRESHOLD`), so one is. Who has set the
//! thresholds, by `mallopt` or the environment, has switched that off, and nothing changes.

#[cfg(target_env = "gnu")]
use std::ffi::c_void;

#[cfg(target_env = "gnu")]
unsafe extern "C" {
    fn malloc(bytes: usize) -> *mut c_void;
    fn free(block: *mut c_void);
}

/// Blocks up to this size come from the heap afterwards, and twice as much of it is kept.
#[cfg(target_env = "gnu")]
const LARGE_BYTES: usize = 4 * 1024 * 1024;

/// Has the heap keep freed memory of a few messages. The block is never touched: it takes no memory.
#[cfg(target_env = "gnu")]
pub(crate) fn keep_freed() {
    static ONCE: std::sync::Once = std::sync::Once::new();
    ONCE.call_once(|| {
        // SAFETY: any size may be asked for; null is a block that `free` takes.
        let block = unsafe { malloc(LARGE_BYTES) };
        // A compiler that sees a block come and go unused may leave out both.
        let block = std::hint::black_box(block);
        // SAFETY: made above, and nobody else has it.
        unsafe { free(block) };
    });
}

/// Other libraries have no such thresholds.
#[cfg(not(target_env = "gnu"))]
pub(crate) fn keep_freed() {}
