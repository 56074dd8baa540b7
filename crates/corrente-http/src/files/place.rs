//! Where below a folder the file is that a path asks for.
//!
//! What could lead out of the folder, or to what was not meant to be seen, has no place: `..`, hidden names, encoded
//! slashes. Symbolic links are the caller's matter.

/// A file or a folder below another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place<'a> {
    /// Perhaps a folder that was asked for without a slash at its end.
    Named(&'a [u8]),
    /// A folder, without the slash; empty for the outermost one.
    Folder(&'a [u8]),
}

impl<'a> Place<'a> {
    /// What a path means: `decoded` is what is behind the prefix, and begins with a slash unless nothing is there;
    /// `raw` is the whole path as it came. `None` for what is not served.
    pub fn of(decoded: &'a [u8], raw: &[u8], prefix: &[u8]) -> Option<Self> {
        let slashes = |bytes: &[u8]| memchr::memchr_iter(b'/', bytes).count();
        if slashes(raw) != slashes(decoded) + slashes(prefix) {
            return None;
        }
        let Some(path) = decoded.strip_prefix(b"/") else {
            return decoded.is_empty().then_some(Self::Named(b""));
        };
        if path.is_empty() {
            return Some(Self::Folder(path));
        }
        let (path, place): (_, fn(&'a [u8]) -> Self) = match path.strip_suffix(b"/") {
            Some(folder) => (folder, Self::Folder),
            None => (path, Self::Named),
        };
        let is_shown = |name: &[u8]| !name.is_empty() && name[0] != b'.' && !name.contains(&0);
        let mut names = path.split(|byte| *byte == b'/');
        names.all(is_shown).then(|| place(path))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn nothing_leads_out_of_the_folder() {
        for (decoded, expected) in [
            ("", Some(Place::Named(b""))),
            ("/", Some(Place::Folder(b""))),
            ("/a", Some(Place::Named(b"a"))),
            ("/a/b.css", Some(Place::Named(b"a/b.css"))),
            ("/a/", Some(Place::Folder(b"a"))),
            ("/a b", Some(Place::Named(b"a b"))),
            ("/a..b", Some(Place::Named(b"a..b"))),
            ("/..", None),
            ("/../a", None),
            ("/a/../b", None),
            ("/a/..", None),
            ("/./a", None),
            ("/.env", None),
            ("/.git/config", None),
            ("/a/.hidden/b", None),
            ("//a", None),
            ("/a//b", None),
            ("/a//", None),
            ("//", None),
            ("/a\0b", None),
            ("a", None),
        ] {
            let raw = format!("/static{decoded}");
            let place = Place::of(decoded.as_bytes(), raw.as_bytes(), b"/static");
            assert_eq!(place, expected, "{decoded}");
        }
        assert_eq!(Place::of(b"/a/b", b"/static/a%2Fb", b"/static"), None);
        assert_eq!(Place::of(b"/a", b"/static%2fa", b"/static"), None);
    }

    proptest! {
        #[test]
        fn every_name_is_a_name(path in "[./a%\0]{0,12}") {
            let found = Place::of(path.as_bytes(), path.as_bytes(), b"");
            if let Some(Place::Named(path) | Place::Folder(path)) = found {
                prop_assert!(!path.starts_with(b"/"));
                let path = str::from_utf8(path).expect("it was text");
                for name in path.split('/').filter(|_| !path.is_empty()) {
                    prop_assert!(!name.is_empty() && !name.starts_with('.'), "{name}");
                }
            }
        }
    }
}
