//! The applications of a server, each below its prefix; the last one has none and gets what is left.
//!
//! Knows paths, not requests. Prefixes are compared with decoded paths, as applications see them.

use std::cmp::Reverse;

use corrente_http::h1::Head;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::application::Interface;
use crate::percent::decoded;
use crate::root::{below, without_root};

/// An application, and where it is.
pub(crate) struct Mount {
    /// With a slash before and none behind it; empty for the one that gets what is left.
    pub(crate) prefix: String,
    pub(crate) application: Py<PyAny>,
    pub(crate) interface: Interface,
    /// What its lifespan has left for its requests.
    pub(crate) state: Option<Py<PyDict>>,
}

/// The roots of a mounted application.
#[derive(Debug, Clone)]
pub(crate) struct Roots {
    /// The server's own: a proxy may have taken it off.
    pub(crate) server: String,
    /// The application's: the server's and the prefix.
    pub(crate) application: String,
}

/// Applications, those with longer prefixes first.
pub(crate) struct Mounts {
    all: Vec<Mount>,
    root: String,
}

impl Mounts {
    /// `mounted` below their prefixes, and `main` for the rest; `root` is the path below which the server itself is.
    pub(crate) fn new(main: Mount, mounted: Vec<Mount>, root: &str) -> PyResult<Self> {
        let mut all = mounted;
        if let Some(wrong) = all.iter().find(|mount| !is_prefix(&mount.prefix)) {
            let text = format!(
                "a mount's prefix must begin with a slash and not end with one, unlike {:?}",
                wrong.prefix
            );
            return Err(PyValueError::new_err(text));
        }
        all.sort_by_key(|mount| Reverse(mount.prefix.len()));
        all.push(main);
        Ok(Self {
            all,
            root: root.trim_end_matches('/').to_owned(),
        })
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Mount> {
        self.all.iter()
    }

    /// The one at a place that [`Mounts::place`] gave.
    pub(crate) fn at(&self, place: usize) -> Option<&Mount> {
        self.all.get(place)
    }

    /// The place of the application that a request is for.
    pub(crate) fn place(&self, head: &Head<'_>) -> usize {
        let last = self.all.len() - 1;
        if last == 0 {
            return 0;
        }
        let path = decoded(head.target().path);
        let path = without_root(&path, &self.root);
        let is_for = |mount: &Mount| below(path, &mount.prefix).is_some();
        self.all.iter().position(is_for).unwrap_or(last)
    }

    pub(crate) fn roots(&self, mount: &Mount) -> Roots {
        Roots {
            server: self.root.clone(),
            application: format!("{}{}", self.root, mount.prefix),
        }
    }

    /// Whether applications of both kinds are there: one that blocks must not stop the others then.
    pub(crate) fn are_mixed(&self) -> bool {
        self.have(Interface::Asgi) && self.have(Interface::Wsgi)
    }

    /// Whether there is one of a kind.
    pub(crate) fn have(&self, kind: Interface) -> bool {
        self.all.iter().any(|mount| mount.interface == kind)
    }
}

fn is_prefix(text: &str) -> bool {
    text.starts_with('/') && !text.ends_with('/')
}
