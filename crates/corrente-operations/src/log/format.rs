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
            Self::Time => line.extend_from_slice(request.began.common().as_bytes()),
            // What came was no request.
            Self::RequestLine if request.method.is_empty() => line.push(b'-'),
            Self::RequestLine => {
                escape(line, request.method);
                line.push(b' ');
                escape(line, request.target);
                line.push(b' ');
                line.extend_from_slice(request.version.as_bytes());
            }
            Self::Method => text(line, request.method),
            Self::Path => text(line, request.path()),
            Self::Query => text(line, request.query()),
            Self::Version => text(line, request.version.as_bytes()),
            Self::Status => decimal(line, request.status.into()),
            Self::SentOrDash if request.sent_bytes == 0 => line.push(b'-'),
            Self::SentOrDash | Self::Sent => decimal(line, request.sent_bytes),
            Self::Received => decimal(line, request.received_bytes),
            Self::Referer => header(line, field(request.request_headers, "referer")),
            Self::UserAgent => header(line, field(request.request_headers, "user-agent")),
            Self::Seconds => decimal(line, request.duration.as_secs()),
            Self::Milliseconds => decimal(line, whole(request.duration.as_millis())),
            Self::Microseconds => decimal(line, whole(request.duration.as_micros())),
            Self::DecimalSeconds => {
                put(line, format_args!("{:.6}", request.duration.as_secs_f64()));
            }
            Self::Process => decimal(line, request.process.into()),
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

/// A number of thousandths, which are fewer than this as long as the universe is old.
fn whole(number: u128) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}

/// A number, without the machinery of `format_args`, which costs as much as all else of a line.
fn decimal(line: &mut Vec<u8>, number: u64) {
    /// Of the largest number there is.
    const DIGITS: usize = 20;
    let mut digits = [b'0'; DIGITS];
    let (mut place, mut left) = (DIGITS - 1, number);
    loop {
        digits[place] = b'0' + (left % 10) as u8;
        left /= 10;
        if left == 0 || place == 0 {
            break;
        }
        place -= 1;
    }
    line.extend_from_slice(&digits[place..]);
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
    let is_plain = |byte: &u8| matches!(byte, b' '..=b'~') && !matches!(byte, b'"' | b'\\');
    let mut rest = bytes;
    while !rest.is_empty() {
        let plain = rest.iter().position(|byte| !is_plain(byte));
        let (shown, others) = rest.split_at(plain.unwrap_or(rest.len()));
        line.extend_from_slice(shown);
        rest = others;
        if let Some((byte, others)) = others.split_first() {
            put(line, format_args!("\\x{byte:02X}"));
            rest = others;
        }
    }
}
