//! The bytes of a file as text, and what is wrong with them.
//!
//! As Python reads them (PEP 263): UTF-8, unless the first or second line declares something else. What
//! is in another encoding is read as Latin-1, whose bytes are its characters: names and calls are ASCII in
//! nearly all encodings that a source may have.

use corrente_check::Place;

/// What a file says.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Decoded {
    pub(super) text: String,
    /// Why Python would not read it.
    pub(super) wrong: Option<Wrong>,
}

/// A byte that is not of the file's encoding.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Wrong {
    line: u32,
    column: u32,
    byte: u8,
}

impl Wrong {
    pub(super) fn place(&self, path: &str) -> Place {
        Place {
            path: path.to_owned(),
            line: self.line,
            column: self.column,
            end_column: self.column + 1,
        }
    }

    pub(super) fn message(&self) -> String {
        format!(
            "byte 0x{:02x} is not UTF-8, and no other encoding is declared; save it as UTF-8, or \
             declare its encoding in the first line, as in `# coding: latin-1`",
            self.byte
        )
    }
}

const MARK: &[u8] = b"\xef\xbb\xbf";

/// Reads a file's bytes.
pub(super) fn decode(bytes: Vec<u8>) -> Decoded {
    let is_marked = bytes.starts_with(MARK);
    let (text, wrong) = match String::from_utf8(bytes) {
        Ok(text) => (text, None),
        Err(error) => {
            let at = error.utf8_error().valid_up_to();
            let bytes = error.into_bytes();
            let is_other = !is_marked && declared(&bytes).is_some_and(|name| !is_utf8(&name));
            let wrong = (!is_other).then(|| wrong(&bytes, at));
            (bytes.into_iter().map(char::from).collect(), wrong)
        }
    };
    // As Latin-1 the mark has three characters.
    let text = match text.strip_prefix(['\u{feff}']) {
        Some(rest) => rest.to_owned(),
        None if is_marked => text.chars().skip(MARK.len()).collect(),
        None => text,
    };
    Decoded { text, wrong }
}

fn wrong(bytes: &[u8], at: usize) -> Wrong {
    let before = &bytes[..at];
    let line_start = before.iter().rposition(|byte| *byte == b'\n');
    let line_start = line_start.map_or(0, |end| end + 1);
    let characters = String::from_utf8_lossy(&before[line_start..]);
    Wrong {
        line: before.split(|byte| *byte == b'\n').count() as u32,
        column: characters.trim_start_matches('\u{feff}').chars().count() as u32 + 1,
        byte: bytes.get(at).copied().unwrap_or_default(),
    }
}

/// The encoding that a comment in the first two lines names; the second counts below a comment or
/// an empty line alone.
fn declared(bytes: &[u8]) -> Option<String> {
    for line in bytes.split(|byte| *byte == b'\n').take(2) {
        let line = line.trim_ascii();
        let Some(comment) = line.strip_prefix(b"#") else {
            if line.is_empty() {
                continue;
            }
            return None;
        };
        let comment: String = comment.iter().copied().map(char::from).collect();
        if let Some(name) = named(&comment) {
            return Some(name);
        }
    }
    None
}

/// What `coding[:=][ \t]*([-_.a-zA-Z0-9]+)` finds first.
fn named(comment: &str) -> Option<String> {
    comment.match_indices("coding").find_map(|(at, word)| {
        let rest = comment[at + word.len()..].strip_prefix([':', '='])?;
        let name: String = rest
            .trim_start_matches([' ', '\t'])
            .chars()
            .take_while(|one| one.is_ascii_alphanumeric() || "-_.".contains(*one))
            .collect();
        (!name.is_empty()).then_some(name)
    })
}

/// Names of UTF-8 as Python's tokenizer normalises them, and their short form.
fn is_utf8(name: &str) -> bool {
    let name = name.to_ascii_lowercase().replace('_', "-");
    ["utf-8", "utf8"].contains(&&*name) || name.starts_with("utf-8-")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(bytes: &[u8]) -> String {
        let decoded = decode(bytes.to_vec());
        assert_eq!(decoded.wrong, None);
        decoded.text
    }

    fn wrong_at(bytes: &[u8]) -> Option<(u32, u32, u8)> {
        let wrong = decode(bytes.to_vec()).wrong?;
        Some((wrong.line, wrong.column, wrong.byte))
    }

    #[test]
    fn declared_encodings_are_read() {
        assert_eq!(text(b"\xef\xbb\xbfx"), "x");
        assert_eq!(
            text(b"# coding: latin-1\n'caf\xe9'"),
            "# coding: latin-1\n'café'"
        );
        for head in [
            "# -*- coding: iso-8859-15 -*-\n",
            "#!/usr/bin/python\n# vim: set fileencoding=cp1252 :\n",
            "\n  # coding=latin_1\n",
        ] {
            let bytes = [head.as_bytes(), b"'\xe9'\n"].concat();
            assert_eq!(wrong_at(&bytes), None, "{head}");
        }
    }

    #[test]
    fn what_python_refuses_is_wrong() {
        assert_eq!(wrong_at(b"x = 1\ny = 'caf\xe9'\n"), Some((2, 9, 0xe9)));
        assert_eq!(wrong_at("'é".as_bytes()), None);
        assert_eq!(wrong_at(b"'\xc3\xa9\xff'"), Some((1, 3, 0xff)));
        assert_eq!(wrong_at(b"\xef\xbb\xbf'\xe9'"), Some((1, 2, 0xe9)));
        // A declaration of UTF-8, one below code, one in the third line, one that is none.
        for head in [
            "# coding: utf-8\n",
            "# coding: UTF_8\n",
            "x = 1\n# coding: latin-1\n",
            "\n\n# coding: latin-1\n",
            "# encoding latin-1\n",
        ] {
            let bytes = [head.as_bytes(), b"'\xe9'\n"].concat();
            assert!(wrong_at(&bytes).is_some(), "{head}");
        }
    }

    #[test]
    fn what_is_wrong_is_read_all_the_same() {
        assert_eq!(decode(b"caf\xe9".to_vec()).text, "café");
        assert_eq!(decode(b"\xef\xbb\xbfcaf\xe9".to_vec()).text, "café");
    }
}
