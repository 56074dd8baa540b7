//! Names of fields whose values are not kept beyond their request.
//!
//! Must not know what keeps values. Key invariant: who is in doubt keeps nothing.

/// Such names.
const NAMES: [&[u8]; 4] = [
    b"authorization",
    b"cookie",
    b"proxy-authorization",
    b"set-cookie",
];

/// How others end: `x-api-key`, `x-auth-token` and the like have no registered names.
const ENDS: [&[u8]; 3] = [b"-key", b"-secret", b"-token"];

/// Whether a field is one, its name in lower case.
pub(crate) fn is_secret_lower(name: &[u8]) -> bool {
    NAMES.contains(&name) || ENDS.iter().any(|end| name.ends_with(end))
}

/// The same of a name as it was given.
pub(crate) fn is_secret(name: &[u8]) -> bool {
    let ends = |end: &&[u8]| {
        let last = name.len().checked_sub(end.len());
        last.is_some_and(|last| name[last..].eq_ignore_ascii_case(end))
    };
    NAMES.iter().any(|one| name.eq_ignore_ascii_case(one)) || ENDS.iter().any(ends)
}
