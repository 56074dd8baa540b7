//! Names as they may stand in a recording: one line of bounded length.
//!
//! A name ends up in tables, in JSON and in a terminal, and may come from a client: what it sent is
//! neither stored at any length nor able to steer a terminal.

use crate::NAME_CHARACTERS_MAX;

/// The name, cut to its limit and without control characters.
pub fn trim_name(name: &str) -> String {
    let mut characters = name.chars().map(|c| if c.is_control() { ' ' } else { c });
    let mut trimmed: String = characters.by_ref().take(NAME_CHARACTERS_MAX).collect();
    if characters.next().is_some() {
        trimmed.pop();
        trimmed.push('…');
    }
    trimmed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hostile_name_is_short_and_one_line() {
        assert_eq!(
            trim_name(&"x".repeat(300)).chars().count(),
            NAME_CHARACTERS_MAX
        );
        assert_eq!(trim_name("a\nb\u{1b}"), "a b ");
        assert_eq!(trim_name("GET /a"), "GET /a");
    }
}
