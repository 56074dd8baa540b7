//! The project's files as the rules see them: paths and contents, read once.
//!
//! A file belongs to the project if git tracks it or would (it is not ignored), so a new file is
//! judged before it is committed. The rules never touch the disk.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use crate::failure::Failure;
use crate::step::Project;

/// Files by path, `/`-separated and relative to the project's folder.
#[derive(Debug, Default)]
pub(crate) struct Tree {
    files: BTreeMap<String, File>,
}

/// One file.
#[derive(Debug)]
pub(super) struct File {
    /// Size in bytes.
    pub(super) bytes: u64,
    /// Its text; `None` for a binary file.
    pub(super) text: Option<String>,
}

impl Tree {
    /// Reads the project at `root`; asks git which files belong to it.
    pub(crate) fn read(root: &Path) -> Result<Self, Failure> {
        let project = Project {
            root: root.to_path_buf(),
            target: root.join("target"),
        };
        let mut git = project.command("git");
        git.args([
            "ls-files",
            "-z",
            "--cached",
            "--others",
            "--exclude-standard",
        ]);
        let output = git
            .output()
            .map_err(|error| Failure::step(format!("tidy asks git for the files: {error}")))?;
        if !output.status.success() {
            return Err(
                Failure::step("tidy asks git for the files, and git failed here")
                    .hint("run it in a clone of the project"),
            );
        }
        let listed = String::from_utf8_lossy(&output.stdout).into_owned();
        let mut tree = Self::default();
        for path in listed.split('\0').filter(|path| !path.is_empty()) {
            // A file that was deleted but is still tracked is no file.
            if let Ok(content) = fs::read(root.join(path)) {
                tree.insert(path, content);
            }
        }
        Ok(tree)
    }

    /// A tree of these paths and texts.
    #[cfg(test)]
    pub(super) fn of(files: &[(&str, &str)]) -> Self {
        let mut tree = Self::default();
        for (path, text) in files {
            tree.insert(path, (*text).to_owned().into_bytes());
        }
        tree
    }

    /// Adds a file.
    pub(super) fn insert(&mut self, path: &str, content: Vec<u8>) {
        let bytes = content.len() as u64;
        let text = String::from_utf8(content)
            .ok()
            .filter(|text| !text.contains('\0'));
        self.files.insert(path.to_owned(), File { bytes, text });
    }

    /// Every file.
    pub(super) fn files(&self) -> impl Iterator<Item = (&str, &File)> {
        self.files.iter().map(|(path, file)| (path.as_str(), file))
    }

    /// Every text file.
    pub(super) fn texts(&self) -> impl Iterator<Item = (&str, &str)> {
        self.files()
            .filter_map(|(path, file)| Some((path, file.text.as_deref()?)))
    }

    /// Every text file whose name ends with `ending`.
    pub(super) fn ending<'a>(&'a self, ending: &str) -> impl Iterator<Item = (&'a str, &'a str)> {
        self.texts().filter(move |(path, _)| path.ends_with(ending))
    }

    /// The text of one file.
    pub(super) fn text(&self, path: &str) -> Option<&str> {
        self.files.get(path)?.text.as_deref()
    }

    /// The folders of the workspace's packages.
    pub(super) fn packages(&self) -> impl Iterator<Item = (&str, &str)> {
        self.ending("/Cargo.toml")
            .map(|(path, text)| (path.trim_end_matches("/Cargo.toml"), text))
    }
}
