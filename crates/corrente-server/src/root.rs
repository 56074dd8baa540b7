//! The path below which an application is mounted, and paths with and without it.
//!
//! Some proxies take it off and some leave it on. ASGI's `path` has it, WSGI's `PATH_INFO` has not: both are told
//! right in either case.

use std::borrow::Cow;

/// The path with its root.
pub(crate) fn with_root<'a>(path: &'a [u8], root: &str) -> Cow<'a, [u8]> {
    if root.is_empty() || path == b"*" || below(path, root).is_some() {
        return Cow::Borrowed(path);
    }
    Cow::Owned([root.as_bytes(), path].concat())
}

/// The path without its root.
pub(crate) fn without_root<'a>(path: &'a [u8], root: &str) -> &'a [u8] {
    below(path, root).unwrap_or(path)
}

/// What is behind the root, where the path has it.
pub(crate) fn below<'a>(path: &'a [u8], root: &str) -> Option<&'a [u8]> {
    let rest = path.strip_prefix(root.as_bytes())?;
    (rest.is_empty() || rest.starts_with(b"/")).then_some(rest)
}
