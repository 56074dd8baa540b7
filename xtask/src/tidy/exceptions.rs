//! Exceptions from the tidy rules, each with its reason.
//!
//! An exception is a debt: it is named here, seen in review, and goes when its reason goes. The
//! rules report an entry that nothing needs.

/// A file or function that may break a rule.
#[derive(Debug)]
pub(super) struct Exception {
    /// The file, and for a function `file::name`.
    pub(super) subject: &'static str,
    /// Why.
    pub(super) reason: &'static str,
}

/// Files longer than the limit.
pub(super) const LONG_FILES: &[Exception] = &[];

/// Python functions longer than the limit. (A Rust function says it where it stands:
/// `#[expect(clippy::too_many_lines, reason = "…")]`.)
pub(super) const LONG_FUNCTIONS: &[Exception] = &[];

/// Whether `subject` is excepted.
pub(super) fn excepts(list: &[Exception], subject: &str) -> bool {
    list.iter()
        .any(|exception| exception.subject == subject && !exception.reason.is_empty())
}
