//! Names of fields: those that many requests have are numbers, the others are bytes.
//!
//! A server keeps one object for each [`KnownName`], so that a common request makes none. The lookup is
//! one step in a table that is computed and checked while this compiles, and one comparison.

use std::fmt;

macro_rules! known_names {
    ($($variant:ident = $name:literal,)*) => {
        /// A field name that many requests have.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[repr(u8)]
        pub enum KnownName {
            $(#[doc = concat!("`", $name, "`")] $variant,)*
        }

        impl KnownName {
            /// All of them; each stands at the index that it is as a number.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];
            const NAMES: &'static [&'static str] = &[$($name,)*];
        }
    };
}

known_names! {
    Accept = "accept",
    AcceptCharset = "accept-charset",
    AcceptEncoding = "accept-encoding",
    AcceptLanguage = "accept-language",
    AccessControlRequestHeaders = "access-control-request-headers",
    AccessControlRequestMethod = "access-control-request-method",
    AccessControlRequestPrivateNetwork = "access-control-request-private-network",
    Authorization = "authorization",
    Baggage = "baggage",
    CacheControl = "cache-control",
    CdnLoop = "cdn-loop",
    CfConnectingIp = "cf-connecting-ip",
    CfIpcountry = "cf-ipcountry",
    CfRay = "cf-ray",
    CfVisitor = "cf-visitor",
    Connection = "connection",
    ContentDisposition = "content-disposition",
    ContentEncoding = "content-encoding",
    ContentLanguage = "content-language",
    ContentLength = "content-length",
    ContentLocation = "content-location",
    ContentMd5 = "content-md5",
    ContentRange = "content-range",
    ContentType = "content-type",
    Cookie = "cookie",
    Date = "date",
    Dnt = "dnt",
    Expect = "expect",
    Forwarded = "forwarded",
    From = "from",
    Host = "host",
    Http2Settings = "http2-settings",
    IdempotencyKey = "idempotency-key",
    IfMatch = "if-match",
    IfModifiedSince = "if-modified-since",
    IfNoneMatch = "if-none-match",
    IfRange = "if-range",
    IfUnmodifiedSince = "if-unmodified-since",
    KeepAlive = "keep-alive",
    LastEventId = "last-event-id",
    MaxForwards = "max-forwards",
    Origin = "origin",
    Pragma = "pragma",
    Prefer = "prefer",
    Priority = "priority",
    ProxyAuthorization = "proxy-authorization",
    ProxyConnection = "proxy-connection",
    Purpose = "purpose",
    Range = "range",
    Referer = "referer",
    SaveData = "save-data",
    SecChUa = "sec-ch-ua",
    SecChUaMobile = "sec-ch-ua-mobile",
    SecChUaPlatform = "sec-ch-ua-platform",
    SecFetchDest = "sec-fetch-dest",
    SecFetchMode = "sec-fetch-mode",
    SecFetchSite = "sec-fetch-site",
    SecFetchStorageAccess = "sec-fetch-storage-access",
    SecFetchUser = "sec-fetch-user",
    SecGpc = "sec-gpc",
    SecPurpose = "sec-purpose",
    SecWebSocketExtensions = "sec-websocket-extensions",
    SecWebSocketKey = "sec-websocket-key",
    SecWebSocketProtocol = "sec-websocket-protocol",
    SecWebSocketVersion = "sec-websocket-version",
    Te = "te",
    Traceparent = "traceparent",
    Tracestate = "tracestate",
    Trailer = "trailer",
    TransferEncoding = "transfer-encoding",
    TrueClientIp = "true-client-ip",
    Upgrade = "upgrade",
    UpgradeInsecureRequests = "upgrade-insecure-requests",
    UserAgent = "user-agent",
    Via = "via",
    XAmznTraceId = "x-amzn-trace-id",
    XApiKey = "x-api-key",
    XCorrelationId = "x-correlation-id",
    XCsrfToken = "x-csrf-token",
    XCsrftoken = "x-csrftoken",
    XForwardedFor = "x-forwarded-for",
    XForwardedHost = "x-forwarded-host",
    XForwardedPort = "x-forwarded-port",
    XForwardedPrefix = "x-forwarded-prefix",
    XForwardedProto = "x-forwarded-proto",
    XForwardedScheme = "x-forwarded-scheme",
    XHttpMethodOverride = "x-http-method-override",
    XRealIp = "x-real-ip",
    XRequestId = "x-request-id",
    XRequestedWith = "x-requested-with",
    XScheme = "x-scheme",
}

impl KnownName {
    /// The name in lower case.
    pub const fn name(self) -> &'static str {
        Self::NAMES[self as usize]
    }

    /// Its place in [`KnownName::ALL`].
    pub const fn index(self) -> usize {
        self as usize
    }

    /// The known name that these bytes are, in whatever case.
    pub fn of(bytes: &[u8]) -> Option<Self> {
        let place = usize::from(PLACES[slot(bytes)?]);
        let name = Self::NAMES.get(place)?;
        let same = bytes.eq_ignore_ascii_case(name.as_bytes());
        same.then(|| Self::ALL[place])
    }
}

/// Marks a slot that no name has.
const EMPTY: u8 = u8::MAX;
const SLOTS: usize = 512;

/// Which name each slot may hold.
static PLACES: [u8; SLOTS] = places();

/// Fails to compile where two names share a slot: then the factors in [`mix`] need others.
const fn places() -> [u8; SLOTS] {
    let mut places = [EMPTY; SLOTS];
    let mut place = 0;
    while place < KnownName::NAMES.len() {
        let bytes = KnownName::NAMES[place].as_bytes();
        let Some(slot) = slot(bytes) else {
            panic!("a name is empty");
        };
        assert!(places[slot] == EMPTY, "two names share a slot");
        places[slot] = place as u8;
        place += 1;
    }
    places
}

/// The slot for a name, which depends on its length and three of its letters.
const fn slot(bytes: &[u8]) -> Option<usize> {
    let (Some(first), Some(last)) = (bytes.first(), bytes.last()) else {
        return None;
    };
    let inner = bytes[bytes.len().saturating_sub(4)];
    Some(mix(*first, *last, inner, bytes.len()))
}

/// The factors were found by trying.
const fn mix(first: u8, last: u8, inner: u8, length: usize) -> usize {
    const CASE: u32 = 0x20;
    let sum = (first as u32 | CASE)
        .wrapping_mul(58_683)
        .wrapping_add((last as u32 | CASE).wrapping_mul(10_737))
        .wrapping_add((inner as u32 | CASE).wrapping_mul(61_291))
        .wrapping_add((length as u32).wrapping_mul(26_575));
    ((sum & 0xffff) >> 7) as usize
}

/// The name of a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Name<'a> {
    /// One that many requests have.
    Known(KnownName),
    /// Any other, as it came.
    Other(&'a [u8]),
}

impl<'a> Name<'a> {
    /// The name that these bytes are.
    pub fn of(bytes: &'a [u8]) -> Self {
        KnownName::of(bytes).map_or(Self::Other(bytes), Self::Known)
    }

    /// Its bytes in lower case; `scratch` holds them where they have to be changed.
    pub fn lower<'s>(self, scratch: &'s mut Vec<u8>) -> &'s [u8]
    where
        'a: 's,
    {
        match self {
            Self::Known(known) => known.name().as_bytes(),
            Self::Other(bytes) if bytes.iter().any(u8::is_ascii_uppercase) => {
                scratch.clear();
                scratch.extend_from_slice(bytes);
                scratch.make_ascii_lowercase();
                scratch
            }
            Self::Other(bytes) => bytes,
        }
    }
}

impl fmt::Display for Name<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Known(known) => formatter.write_str(known.name()),
            Self::Other(bytes) => formatter.write_str(&String::from_utf8_lossy(bytes)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_known_name_is_found_in_every_case() {
        for (index, &known) in KnownName::ALL.iter().enumerate() {
            assert_eq!(known.index(), index);
            let upper = known.name().to_ascii_uppercase();
            assert_eq!(KnownName::of(known.name().as_bytes()), Some(known));
            assert_eq!(KnownName::of(upper.as_bytes()), Some(known));
        }
    }

    #[test]
    fn a_name_that_only_looks_alike_is_another() {
        for name in [
            "",
            "h",
            "hosu",
            "host ",
            "content_length",
            "transfer-encodinh",
        ] {
            assert_eq!(KnownName::of(name.as_bytes()), None, "{name}");
        }
    }

    #[test]
    fn other_names_are_given_in_lower_case() {
        let mut scratch = Vec::new();
        assert_eq!(Name::of(b"X-MiXed").lower(&mut scratch), b"x-mixed");
        assert_eq!(Name::of(b"x-lower").lower(&mut scratch), b"x-lower");
        assert_eq!(Name::of(b"HOST").lower(&mut scratch), b"host");
        assert_eq!(Name::of(b"X-MiXed").to_string(), "X-MiXed");
    }
}
