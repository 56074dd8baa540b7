//! Format strings with Gunicorn's atoms: read once, rendered for each request.
//!
//! A format that has an atom which is not known is refused at the start: Gunicorn writes `-` for it, and
//! nobody notices. Environment atoms (`%({name}e)s`) are the one kind that is not here: they would show
//! what a service keeps secret.

use std::io::Write as _;

use super::finished::{Finished, field};
use super::json;

const COMMON: &str = r#"%(h)s %(l)s %(u)s %(t)s "%(r)s" %(s)s %(B)s"#;

/// What nginx and Apache call combined.
const COMBINED: &str = r#"%(h)s %(l)s %(u)s %(t)s "%(r)s" %(s)s %(B)s "%(f)s" "%(a)s""#;

/// What one line looks like.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Format(Shape);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Shape {
    Json,
    Pieces(Vec<Piece>),
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Literal(String),
    Atom(Atom),
}

/// A value of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Atom {
    Client,
    Nothing,
    Time,
    RequestLine,
    Method,
    Path,
    Query,
    Version,
    Status,
    SentOrDash,
    Sent,
    Received,
    Referer,
    UserAgent,
    Seconds,
    Milliseconds,
    Microseconds,
    DecimalSeconds,
    Process,
    Scheme,
    RequestId,
    RequestHeader(String),
    ResponseHeader(String),
}

/// A format that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FormatError {
    /// An atom that there is not.
    #[error("expected an atom such as `%(h)s`, found `{0}`")]
    Unknown(String),
}

impl Format {
    /// `common`, `combined`, `json`, or a format string.
    pub fn read(text: &str) -> Result<Self, FormatError> {
        match text {
            "json" => Ok(Self(Shape::Json)),
            "common" => pieces(COMMON),
            "combined" => pieces(COMBINED),
            other => pieces(other),
        }
    }

    /// The request fields that lines show, in lower case.
    pub fn request_fields(&self) -> Vec<String> {
        let common = ["referer", "user-agent"].map(str::to_owned);
        match &self.0 {
            Shape::Json => common.to_vec(),
            Shape::Pieces(pieces) => named(pieces, |atom| match atom {
                Atom::Referer => Some(&common[0]),
                Atom::UserAgent => Some(&common[1]),
                Atom::RequestHeader(name) => Some(name),
                _ => None,
            }),
        }
    }

    /// The response fields that lines show, in lower case.
    pub fn response_fields(&self) -> Vec<String> {
        match &self.0 {
            Shape::Json => Vec::new(),
            Shape::Pieces(pieces) => named(pieces, |atom| match atom {
                Atom::ResponseHeader(name) => Some(name),
                _ => None,
            }),
        }
    }

    /// Appends the line of a request, with its end.
    pub fn render(&self, request: &Finished<'_>, line: &mut Vec<u8>) {
        match &self.0 {
            Shape::Json => json::render(request, line),
            Shape::Pieces(pieces) => {
                for piece in pieces {
                    match piece {
                        Piece::Literal(text) => line.extend_from_slice(text.as_bytes()),
                        Piece::Atom(atom) => atom.render(request, line),
                    }
                }
            }
        }
        line.push(b'\n');
    }
}

/// The names that atoms stand for, each once.
fn named<'a>(pieces: &'a [Piece], name: impl Fn(&'a Atom) -> Option<&'a String>) -> Vec<String> {
    let atoms = pieces.iter().filter_map(|piece| match piece {
        Piece::Atom(atom) => name(atom),
        Piece::Literal(_) => None,
    });
    let mut names: Vec<String> = atoms.cloned().collect();
    names.sort();
    names.dedup();
    names
}

fn pieces(text: &str) -> Result<Format, FormatError> {
    let mut pieces = Vec::new();
    let mut literal = String::new();
    let mut rest = text;
    while let Some(at) = rest.find('%') {
        literal.push_str(&rest[..at]);
        rest = &rest[at..];
        if let Some(after) = rest.strip_prefix("%%") {
            literal.push('%');
            rest = after;
            continue;
        }
        let unknown = || FormatError::Unknown(rest.chars().take(20).collect());
        let inner = rest.strip_prefix("%(").ok_or_else(unknown)?;
        let (name, after) = inner.split_once(")s").ok_or_else(unknown)?;
        let atom = Atom::read(name).ok_or_else(|| FormatError::Unknown(format!("%({name})s")))?;
        if !literal.is_empty() {
            pieces.push(Piece::Literal(std::mem::take(&mut literal)));
        }
        pieces.push(Piece::Atom(atom));
        rest = after;
    }
    literal.push_str(rest);
    if !literal.is_empty() {
        pieces.push(Piece::Literal(literal));
    }
    Ok(Format(Shape::Pieces(pieces)))
}

impl Atom {
    /// Gunicorn's letters; `S`, `I` and `R` are ours.
    fn read(name: &str) -> Option<Self> {
        if let Some(inner) = name.strip_prefix('{') {
            let (name, kind) = inner.split_once('}')?;
            let name = name.to_lowercase();
            return match kind {
                "i" => Some(Self::RequestHeader(name)),
                "o" => Some(Self::ResponseHeader(name)),
                _ => None,
            };
        }
        Some(match name {
            "h" => Self::Client,
            "l" | "u" => Self::Nothing,
            "t" => Self::Time,
            "r" => Self::RequestLine,
            "m" => Self::Method,
            "U" => Self::Path,
            "q" => Self::Query,
            "H" => Self::Version,
            "s" => Self::Status,
            "b" => Self::SentOrDash,
            "B" => Self::Sent,
            "I" => Self::Received,
            "f" => Self::Referer,
            "a" => Self::UserAgent,
            "T" => Self::Seconds,
            "M" => Self::Milliseconds,
            "D" => Self::Microseconds,
            "L" => Self::DecimalSeconds,
            "p" => Self::Process,
            "S" => Self::Scheme,
            "R" => Self::RequestId,
            _ => return None,
        })
    }

    fn render(&self, request: &Finished<'_>, line: &mut Vec<u8>) {
        let header = |line: &mut Vec<u8>, value: Option<&[u8]>| text(line, value.unwrap_or(b""));
        match self {
            Self::Client => text(line, request.client.as_bytes()),
            Self::Nothing => line.push(b'-'),
            Self::Time => {
                let shown = request.began.strftime("[%d/%b/%Y:%H:%M:%S %z]");
                put(line, format_args!("{shown}"));
            }
            // What came was no request.
            Self::RequestLine if request.method.is_empty() => line.push(b'-'),
            Self::RequestLine => {
                escape(line, request.method);
                line.push(b' ');
                escape(line, request.target);
                put(line, format_args!(" {}", request.version));
            }
            Self::Method => text(line, request.method),
            Self::Path => text(line, request.path()),
            Self::Query => text(line, request.query()),
            Self::Version => text(line, request.version.as_bytes()),
            Self::Status => put(line, format_args!("{}", request.status)),
            Self::SentOrDash if request.sent_bytes == 0 => line.push(b'-'),
            Self::SentOrDash | Self::Sent => put(line, format_args!("{}", request.sent_bytes)),
            Self::Received => put(line, format_args!("{}", request.received_bytes)),
            Self::Referer => header(line, field(request.request_headers, "referer")),
            Self::UserAgent => header(line, field(request.request_headers, "user-agent")),
            Self::Seconds => put(line, format_args!("{}", request.duration.as_secs())),
            Self::Milliseconds => put(line, format_args!("{}", request.duration.as_millis())),
            Self::Microseconds => put(line, format_args!("{}", request.duration.as_micros())),
            Self::DecimalSeconds => {
                put(line, format_args!("{:.6}", request.duration.as_secs_f64()));
            }
            Self::Process => put(line, format_args!("{}", request.process)),
            Self::Scheme => text(line, request.scheme.as_bytes()),
            Self::RequestId => text(line, request.request_id.as_bytes()),
            Self::RequestHeader(name) => header(line, field(request.request_headers, name)),
            Self::ResponseHeader(name) => header(line, field(request.response_headers, name)),
        }
    }
}

fn put(line: &mut Vec<u8>, text: std::fmt::Arguments<'_>) {
    // Memory takes everything.
    line.write_fmt(text).ok();
}

/// A text of somebody else, or `-` for none.
fn text(line: &mut Vec<u8>, bytes: &[u8]) {
    if bytes.is_empty() {
        line.push(b'-');
    } else {
        escape(line, bytes);
    }
}

/// As Apache and nginx do: what is no printable ASCII, and what could end a field, as `\xHH`.
fn escape(line: &mut Vec<u8>, bytes: &[u8]) {
    for byte in bytes {
        match byte {
            b'"' | b'\\' => put(line, format_args!("\\x{byte:02X}")),
            b' '..=b'~' => line.push(*byte),
            _ => put(line, format_args!("\\x{byte:02X}")),
        }
    }
}
