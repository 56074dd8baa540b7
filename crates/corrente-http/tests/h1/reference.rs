//! A second reading of RFC 9112, slow and simple: it needs the whole input, makes copies and shares no code
//! with the decoder. It knows no limits but those of the default.

/// What the input is.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Complete requests, and nothing after them.
    Complete,
    /// It ends too early to say more.
    Unknown,
    Rejected,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Request {
    pub(crate) method: Vec<u8>,
    pub(crate) target: Vec<u8>,
    pub(crate) fields: Vec<(Vec<u8>, Vec<u8>)>,
    pub(crate) body: Vec<u8>,
}

enum Stop {
    Unknown,
    Rejected,
}

/// The complete requests of `input`, and what comes after them.
pub(crate) fn read(mut input: &[u8]) -> (Vec<Request>, Verdict) {
    let mut requests = Vec::new();
    loop {
        let mut empty_lines = 0;
        while let Some(rest) = input.strip_prefix(b"\r\n") {
            empty_lines += 1;
            if empty_lines > 1 {
                return (requests, Verdict::Rejected);
            }
            input = rest;
        }
        if input.is_empty() {
            return (requests, Verdict::Complete);
        }
        match request(input) {
            Ok((request, rest, keeps)) => {
                requests.push(request);
                if !keeps {
                    return (requests, Verdict::Complete);
                }
                input = rest;
            }
            Err(Stop::Unknown) => return (requests, Verdict::Unknown),
            Err(Stop::Rejected) => return (requests, Verdict::Rejected),
        }
    }
}

fn find(input: &[u8], what: &[u8]) -> Option<usize> {
    input.windows(what.len()).position(|window| window == what)
}

fn ensure(holds: bool) -> Result<(), Stop> {
    if holds { Ok(()) } else { Err(Stop::Rejected) }
}

fn is_token(text: &[u8]) -> bool {
    let marks = b"!#$%&'*+-.^_`|~";
    !text.is_empty()
        && text
            .iter()
            .all(|b| b.is_ascii_alphanumeric() || marks.contains(b))
}

fn trim(text: &[u8]) -> &[u8] {
    let blank = |b: &u8| *b == b' ' || *b == b'\t';
    let from = text.iter().position(|b| !blank(b)).unwrap_or(text.len());
    let to = text
        .iter()
        .rposition(|b| !blank(b))
        .map_or(from, |last| last + 1);
    &text[from..to]
}

fn lines(section: &[u8]) -> Vec<Vec<u8>> {
    let text: String = section.iter().map(|&byte| char::from(byte)).collect();
    let bytes = |line: &str| line.chars().map(|c| c as u8).collect();
    text.split("\r\n").map(bytes).collect()
}

/// A request, what follows it, and whether that may be another.
fn request(input: &[u8]) -> Result<(Request, &[u8], bool), Stop> {
    let end = find(input, b"\r\n\r\n").ok_or(Stop::Unknown)?;
    let lines = lines(&input[..end]);
    let (mut request, version) = request_line(&lines[0])?;
    for line in &lines[1..] {
        request.fields.push(field(line)?);
    }
    let values = |name: &str| -> Vec<Vec<u8>> {
        let named = request.fields.iter().filter(|(n, _)| n == name.as_bytes());
        named.map(|(_, value)| value.to_ascii_lowercase()).collect()
    };
    let hosts = values("host");
    ensure(hosts.len() == 1 || (hosts.is_empty() && version == b'0'))?;
    ensure(hosts.iter().all(|host| is_host(host)))?;
    if version != b'0' {
        ensure(
            values("expect")
                .iter()
                .all(|value| value == b"100-continue"),
        )?;
    }
    let options = values("connection").join(&b',');
    let has = |what: &[u8]| {
        options
            .split(|&b| b == b',')
            .any(|option| trim(option) == what)
    };
    let keeps = !has(b"close") && (version != b'0' || has(b"keep-alive"));
    let rest = &input[end + 4..];
    let (lengths, codings) = (values("content-length"), values("transfer-encoding"));
    let (body, rest) = match (lengths.as_slice(), codings.as_slice()) {
        ([], []) => (Vec::new(), rest),
        ([length], []) => {
            let text = String::from_utf8_lossy(length);
            ensure(
                text.bytes().all(|b| b.is_ascii_digit()) && (text == "0" || !text.starts_with('0')),
            )?;
            let length: u64 = text.parse().map_err(|_| Stop::Rejected)?;
            ensure(length <= 1 << 30 && (length == 0 || request.method != b"TRACE"))?;
            let length = usize::try_from(length).map_err(|_| Stop::Rejected)?;
            let (body, rest) = rest.split_at_checked(length).ok_or(Stop::Unknown)?;
            (body.to_vec(), rest)
        }
        ([], [coding]) => {
            ensure(coding == b"chunked" && version != b'0' && request.method != b"TRACE")?;
            chunked(rest)?
        }
        _ => return Err(Stop::Rejected),
    };
    request.body = body;
    Ok((request, rest, keeps))
}

/// Method and target, and the minor version's digit.
fn request_line(line: &[u8]) -> Result<(Request, u8), Stop> {
    let words: Vec<&[u8]> = line.split(|&b| b == b' ').collect();
    let [method, target, version] = words[..] else {
        return Err(Stop::Rejected);
    };
    ensure(is_token(method) && method.len() <= 32 && target.len() <= 8192)?;
    ensure(method.to_ascii_uppercase() == method)?;
    let path = String::from_utf8_lossy(target);
    let path = path.split('?').next().unwrap_or_default();
    ensure(!path.contains('\\') && !path.contains("%00"))?;
    ensure(!target.is_empty() && target.iter().all(|b| b.is_ascii_graphic() && *b != b'#'))?;
    let lower = String::from_utf8_lossy(target).to_ascii_lowercase();
    let absolute = lower
        .strip_prefix("http://")
        .or_else(|| lower.strip_prefix("https://"));
    let host_ends = |rest: &str| rest.find(['/', '?']).unwrap_or(rest.len());
    let absolute = absolute.is_some_and(|rest| is_host(&rest.as_bytes()[..host_ends(rest)]));
    let asterisk = method == b"OPTIONS" && target == b"*";
    ensure(method != b"CONNECT" && (lower.starts_with('/') || absolute || asterisk))?;
    let minor = version.strip_prefix(b"HTTP/1.").ok_or(Stop::Rejected)?;
    ensure(minor.len() == 1 && minor[0].is_ascii_digit())?;
    let (method, target) = (method.to_vec(), target.to_vec());
    Ok((
        Request {
            method,
            target,
            ..Request::default()
        },
        minor[0],
    ))
}

fn is_host(text: &[u8]) -> bool {
    let text = String::from_utf8_lossy(text);
    let (host, port) = match text.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((address, port)) => {
            if address.parse::<std::net::Ipv6Addr>().is_err() {
                return false;
            }
            ("address", port)
        }
        None => text
            .find(':')
            .map_or((&*text, ""), |colon| text.split_at(colon)),
    };
    let port = match port.strip_prefix(':') {
        None if port.is_empty() => "",
        None => return false,
        Some(digits) => digits,
    };
    let significant = port.trim_start_matches('0');
    let is_port = port.bytes().all(|b| b.is_ascii_digit())
        && (significant.is_empty() || significant.parse::<u16>().is_ok());
    let mut plain = host.as_bytes();
    let mut marks = 0;
    while let Some((first, rest)) = plain.split_first() {
        plain = rest;
        if *first == b'%' {
            marks += 1;
            match rest {
                [a, b, rest @ ..] if a.is_ascii_hexdigit() && b.is_ascii_hexdigit() => plain = rest,
                _ => return false,
            }
        } else if !first.is_ascii_alphanumeric() && !b"-._~!$&'()*+;=".contains(first) {
            return false;
        }
    }
    is_port && (1..=255).contains(&host.len()) && marks <= 255
}

fn field(line: &[u8]) -> Result<(Vec<u8>, Vec<u8>), Stop> {
    let colon = find(line, b":").ok_or(Stop::Rejected)?;
    let (name, value) = (&line[..colon], &line[colon + 1..]);
    ensure(
        is_token(name)
            && value
                .iter()
                .all(|b| *b == b'\t' || (*b >= b' ' && *b != 0x7f)),
    )?;
    Ok((name.to_ascii_lowercase(), trim(value).to_vec()))
}

/// The data of chunks, and what follows them.
fn chunked(mut input: &[u8]) -> Result<(Vec<u8>, &[u8]), Stop> {
    let mut body = Vec::new();
    loop {
        let end = find(input, b"\r\n").ok_or(Stop::Unknown)?;
        let line = String::from_utf8_lossy(&input[..end]).into_owned();
        let digits = line
            .find(|c: char| !c.is_ascii_hexdigit())
            .unwrap_or(line.len());
        ensure((1..=16).contains(&digits) && is_extension(&line.as_bytes()[digits..]))?;
        let size = u64::from_str_radix(&line[..digits], 16).map_err(|_| Stop::Rejected)?;
        ensure(size <= 1 << 30)?;
        input = &input[end + 2..];
        if size == 0 {
            break;
        }
        let size = usize::try_from(size).map_err(|_| Stop::Rejected)?;
        if input.len() < size + 2 {
            return Err(Stop::Unknown);
        }
        body.extend_from_slice(&input[..size]);
        ensure(&input[size..size + 2] == b"\r\n")?;
        input = &input[size + 2..];
    }
    if let Some(rest) = input.strip_prefix(b"\r\n") {
        return Ok((body, rest));
    }
    let end = find(input, b"\r\n\r\n").ok_or(Stop::Unknown)?;
    // Of the forbidden ones, those that the words of the tests can make.
    let forbidden: [&[u8]; 4] = [b"connection", b"expect", b"host", b"transfer-encoding"];
    for line in lines(&input[..end]) {
        let (name, _) = field(&line)?;
        ensure(!name.starts_with(b"content-") && !forbidden.contains(&name.as_slice()))?;
    }
    Ok((body, &input[end + 4..]))
}

/// `*( BWS ";" BWS token [ BWS "=" BWS ( token / quoted-string ) ] )`
fn is_extension(mut text: &[u8]) -> bool {
    while !text.is_empty() {
        let Some(rest) = trim_start(text).strip_prefix(b";") else {
            return false;
        };
        let Some(rest) = skip_token(trim_start(rest)) else {
            return false;
        };
        text = rest;
        if let Some(value) = trim_start(rest).strip_prefix(b"=") {
            let value = trim_start(value);
            let after = if value.starts_with(b"\"") {
                skip_quoted(value)
            } else {
                skip_token(value)
            };
            let Some(after) = after else {
                return false;
            };
            text = after;
        }
    }
    true
}

fn trim_start(text: &[u8]) -> &[u8] {
    let blanks = text
        .iter()
        .take_while(|b| matches!(b, b' ' | b'\t'))
        .count();
    &text[blanks..]
}

fn skip_token(text: &[u8]) -> Option<&[u8]> {
    let length = text.iter().take_while(|b| is_token(&[**b])).count();
    (length > 0).then(|| &text[length..])
}

fn skip_quoted(text: &[u8]) -> Option<&[u8]> {
    let mut at = 1;
    loop {
        match text.get(at)? {
            b'"' => return Some(&text[at + 1..]),
            b'\\' => at += 2,
            byte if (*byte < b' ' && *byte != b'\t') || *byte == 0x7f => return None,
            _ => at += 1,
        }
    }
}
