//! What one connection may ask of us before it is turned away.
//!
//! Every limit has a unit in its name and a default with its reason. Times are not among them: this
//! crate has no clock, the server has.

/// Limits of a connection; [`Limits::default`] is meant for the open internet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of a method. The longest registered one has 17 (`UPDATEREDIRECTREF`).
    pub max_method_bytes: usize,
    /// Bytes of a request target. RFC 9112, section 3, wants request lines of 8000 octets to be taken.
    pub max_target_bytes: usize,
    /// Bytes of a whole head: request line and fields. Answered with 431. Browsers send 1 to 4 KiB, large
    /// cookies make it 16 KiB.
    pub max_head_bytes: usize,
    /// Fields of a head. Browsers send 15, chains of proxies 40.
    pub max_headers: usize,
    /// Bytes of a body, after chunked framing is taken off. Answered with 413.
    pub max_body_bytes: u64,
    /// Bytes of extensions in one chunk's line, and in all of a body's together beyond the bytes of its data: they are read
    /// and thrown away, so they only cost.
    pub max_chunk_extension_bytes: usize,
    /// Bytes of the trailer section.
    pub max_trailer_bytes: usize,
    /// Fields of the trailer section.
    pub max_trailers: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_method_bytes: 32,
            max_target_bytes: 8 * 1024,
            max_head_bytes: 64 * 1024,
            max_headers: 100,
            max_body_bytes: 1024 * 1024 * 1024,
            max_chunk_extension_bytes: 1024,
            max_trailer_bytes: 8 * 1024,
            max_trailers: 32,
        }
    }
}
