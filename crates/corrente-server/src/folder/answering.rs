//! From a request for a file to a response.
//!
//! What it gets is decided by `corrente_http::files`; here is what has to be asked of the file system, and which fields
//! tell the outcome.

use std::fs::Metadata;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use corrente_http::files::{Age, Coding, Known, Span, Tag, Verdict, content_type};
use corrente_http::{Method, http_date};
use corrente_loop::native::FilePart;
use rustix::io::Errno;

use super::opening::{Entered, Found};
use super::{Fetch, Folder, Sought};
use crate::exchange::Content;
use crate::packed::Packed;

/// What a folder shows of itself.
const INDEX: &str = "index.html";

/// How long a file has to rest until another change is sure to be seen: file systems keep times in steps, the coarsest
/// in use (FAT) of 2 s.
const RESTS: Duration = Duration::from_secs(2);

/// A response that is not sent yet.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) fields: Packed,
    pub(super) content: Content,
    /// What the server's log should be told.
    pub(super) trouble: Option<io::Error>,
}

/// A file that is there, in the coding in which it is sent.
struct Chosen {
    found: Found,
    coding: Option<Coding>,
}

impl Folder {
    /// The response to a request.
    pub(super) fn answer(&self, fetch: &Fetch) -> Answer {
        if !matches!(fetch.method, Method::Get | Method::Head) {
            let mut answer = said(405, "expected GET or HEAD\n");
            add(&mut answer.fields, "allow", b"GET, HEAD");
            return answer;
        }
        self.found(fetch).unwrap_or_else(failed)
    }

    fn found(&self, fetch: &Fetch) -> io::Result<Answer> {
        let below = self.opener.enter()?;
        let (path, found) = match &fetch.place {
            Sought::Nothing => return Err(Errno::NOENT.into()),
            Sought::File(path) => (path.clone(), below.open(path)?),
            Sought::Folder(path) => {
                let path = path.join(INDEX);
                let found = below.regular(&path)?;
                (path, found)
            }
        };
        if found.metadata.is_file() {
            let chosen = chosen(&below, fetch, &path, found);
            return Ok(self.judged(fetch, &path, chosen));
        }
        // Only where there is something to be seen.
        below.regular(&path.join(INDEX))?;
        let mut answer = said(301, "");
        add(&mut answer.fields, "location", &fetch.location);
        Ok(answer)
    }

    fn judged(&self, fetch: &Fetch, path: &Path, chosen: Chosen) -> Answer {
        let Chosen { found, coding } = chosen;
        let length = found.metadata.len();
        let (changed, age) = changed(&found.metadata);
        let tag = Tag::new(changed, length, coding, age);
        let known = Known {
            length,
            tag: &tag,
            modified: changed.as_secs(),
        };
        let (status, span) = match fetch.wish.verdict(&known) {
            Verdict::Whole => (200, Span { first: 0, length }),
            Verdict::Part(span) => (206, span),
            Verdict::NotModified => {
                let mut answer = said(304, "");
                self.add_validators(&mut answer.fields, &tag);
                return answer;
            }
            Verdict::Failed => return said(412, "the file is another than was expected\n"),
            Verdict::Unsatisfiable => {
                let mut answer = said(416, "the file is not that long\n");
                let range = Span::unsatisfied(length);
                add(&mut answer.fields, "content-range", range.as_bytes());
                return answer;
            }
        };
        let mut fields = Packed::new();
        let kind = content_type(path.as_os_str().as_encoded_bytes());
        add(&mut fields, "content-type", kind.as_bytes());
        if let Some(coding) = coding {
            add(&mut fields, "content-encoding", coding.name().as_bytes());
        }
        if status == 206 {
            let range = span.content_range(length);
            add(&mut fields, "content-range", range.as_bytes());
        }
        add(&mut fields, "accept-ranges", b"bytes");
        add(&mut fields, "last-modified", &http_date(changed.as_secs()));
        self.add_validators(&mut fields, &tag);
        Answer {
            status,
            fields,
            content: Content::File(FilePart::new(found.file, span.first, span.length)),
            trouble: None,
        }
    }

    /// What a response has that says how long what the client has is good (RFC 9110, section 15.4.5).
    fn add_validators(&self, fields: &mut Packed, tag: &Tag) {
        add(fields, "etag", tag.as_bytes());
        // Also where there is no other coding now: there may be one when the next one asks a cache.
        add(fields, "vary", b"accept-encoding");
        if let Some(value) = &self.cache_control {
            add(fields, "cache-control", value.as_bytes());
        }
    }
}

/// The file, or what lies beside it in a coding that the client likes better.
fn chosen(below: &Entered<'_>, fetch: &Fetch, path: &Path, found: Found) -> Chosen {
    let beside = |coding: &Coding| {
        let mut name = path.as_os_str().to_owned();
        name.push(coding.suffix());
        let found = below.regular(&PathBuf::from(name)).ok()?;
        let coding = Some(*coding);
        Some(Chosen { found, coding })
    };
    let coded = fetch.wish.codings().iter().find_map(beside);
    let coding = None;
    coded.unwrap_or(Chosen { found, coding })
}

/// When a file was changed, since 1970, and how long ago that is.
fn changed(metadata: &Metadata) -> (Duration, Age) {
    let Ok(modified) = metadata.modified() else {
        return (Duration::ZERO, Age::Fresh);
    };
    let rested = SystemTime::now().duration_since(modified);
    let age = match rested {
        Ok(rested) if rested >= RESTS => Age::Rested,
        // Its time may be ahead of ours.
        Ok(_) | Err(_) => Age::Fresh,
    };
    let changed = modified.duration_since(UNIX_EPOCH);
    (changed.unwrap_or(Duration::ZERO), age)
}

/// What is not there, what leads out of the folder and what is no file are the same to a client.
fn failed(error: io::Error) -> Answer {
    let number = error.raw_os_error().map(Errno::from_raw_os_error);
    match number {
        Some(Errno::NOENT | Errno::NOTDIR | Errno::LOOP | Errno::XDEV | Errno::NAMETOOLONG) => {
            said(404, "there is no such file\n")
        }
        Some(Errno::ACCESS) => said(403, "the file cannot be read\n"),
        // A socket, or a device that nobody has.
        Some(Errno::NXIO | Errno::NODEV) => said(404, "there is no such file\n"),
        _ => Answer {
            trouble: Some(error),
            ..said(500, "Internal Server Error\n")
        },
    }
}

/// A response of a few words.
fn said(status: u16, text: &'static str) -> Answer {
    let mut fields = Packed::new();
    if !text.is_empty() {
        add(&mut fields, "content-type", b"text/plain; charset=utf-8");
    }
    Answer {
        status,
        fields,
        content: Content::Text(text),
        trouble: None,
    }
}

fn add(fields: &mut Packed, name: &str, value: &[u8]) {
    // Both are far shorter than what cannot be packed.
    let _packed = fields
        .push(name.as_bytes())
        .and_then(|()| fields.push(value));
}
