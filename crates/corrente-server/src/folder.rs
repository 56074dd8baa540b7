//! Folders of static files below prefixes, which the server answers for without Python's doing.
//!
//! `Folder` is what Python makes of a setting, [`Fetch`] a request for one of its files. `opening` finds files and sees that
//! none is outside; `answering` makes responses by what `corrente_http::files` decides. Files are opened in the loop's
//! thread: on a local disk that takes microseconds. Key invariant: a path that a client sends never leads out of the folder.

mod answering;
mod opening;

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::PathBuf;
use std::time::Duration;

use corrente_http::Method;
use corrente_http::files::{Place, Wish};
use corrente_http::h1::Head;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use self::opening::{Links, Opener};
use crate::exchange::{Exchange, Last};
use crate::file::raised;
use crate::mount::Roots;
use crate::percent::decoded;
use crate::root::{with_root, without_root};
use crate::server::duration;

/// A folder whose files are served.
#[pyclass(frozen, module = "corrente._native")]
pub(crate) struct Folder {
    opener: Opener,
    /// The value of `cache-control`, where there is to be one.
    cache_control: Option<String>,
}

#[pymethods]
impl Folder {
    /// `max_age` is how long clients may keep files without asking again, in seconds; `links` says which symbolic links
    /// are followed: those that stay "inside", or "none".
    #[new]
    #[pyo3(signature = (path, max_age = None, links = "inside"))]
    fn new(path: &Bound<'_, PyAny>, max_age: Option<f64>, links: &str) -> PyResult<Self> {
        let root: PathBuf = path.extract()?;
        let links = match links {
            "inside" => Links::Inside,
            "none" => Links::None,
            other => {
                let text = format!("links must be 'inside' or 'none', not '{other}'");
                return Err(PyValueError::new_err(text));
            }
        };
        let max_age = max_age.map(|seconds| duration("max_age", seconds));
        Ok(Self {
            opener: Opener::new(root, links).map_err(|error| raised(&error, Some(path)))?,
            cache_control: max_age
                .transpose()?
                .map(|age: Duration| format!("max-age={}", age.as_secs())),
        })
    }
}

/// A request for a file.
#[pyclass(frozen, freelist = 64, module = "corrente._native")]
pub(crate) struct Fetch {
    folder: Py<Folder>,
    wish: Wish,
    method: Method,
    place: Sought,
    /// Where a folder is, for who has left out the slash at its end.
    location: Vec<u8>,
}

/// What is looked for below a folder.
#[derive(Debug)]
enum Sought {
    /// A path that has no place there.
    Nothing,
    File(PathBuf),
    /// Asked for with a slash at its end.
    Folder(PathBuf),
}

impl Fetch {
    pub(crate) fn new(folder: Py<Folder>, roots: &Roots, head: &Head<'_>) -> Self {
        let target = head.target();
        // Some proxies take the server's root off and some leave it on.
        let raw = with_root(target.path, &roots.server);
        let path = decoded(&raw);
        let below = without_root(&path, &roots.application);
        let owned = |path: &[u8]| PathBuf::from(OsStr::from_bytes(path));
        Self {
            folder,
            wish: Wish::of(head),
            method: head.method(),
            place: match Place::of(below, &raw, roots.application.as_bytes()) {
                None => Sought::Nothing,
                Some(Place::Named(path)) => Sought::File(owned(path)),
                Some(Place::Folder(path)) => Sought::Folder(owned(path)),
            },
            location: location(&raw, target.query),
        }
    }

    /// Answers it.
    pub(crate) fn answer(&self, py: Python<'_>, exchange: &dyn Exchange) -> PyResult<()> {
        let answer = self.folder.get().answer(self);
        exchange.packed_head(py, answer.status, answer.fields)?;
        let last = answer.content.send(py, exchange, Last::Yes)?;
        if last == Last::Yes {
            exchange.complete(py)?;
        }
        match answer.trouble {
            Some(error) => Err(raised(&error, None)),
            None => Ok(()),
        }
    }
}

/// The same path with a slash behind it, from where it is asked for: proxies may have taken something off its front.
fn location(raw: &[u8], query: Option<&[u8]>) -> Vec<u8> {
    let name = raw.rsplit(|byte| *byte == b'/').next().unwrap_or_default();
    // The dot keeps a name with a colon from being taken for a scheme (RFC 3986, section 4.2).
    let mut location = [b"./", name, b"/"].concat();
    if let Some(query) = query {
        location.push(b'?');
        location.extend_from_slice(query);
    }
    location
}
