//! What reading a request and writing a response cost: `cargo run --release -p corrente-http --example speed`.
//!
//! `cargo xtask bench http` builds and runs it, and publishes what it prints. httparse stands beside as a
//! measure: it finds the parts of a head and judges neither framing nor host.

use std::hint::black_box;
use std::io::Write as _;
use std::time::Instant;

use corrente_http::h1::{Asked, Decoder, Encoder, Event, Length, ResponseHead};
use corrente_http::ws;
use corrente_http::{Limits, http_date};

/// What wrk sends.
const WRK: &[u8] = b"GET / HTTP/1.1\r\nHost: localhost:8000\r\n\r\n";

/// The head of a browser's request for a page.
const BROWSER: &[u8] = b"GET /articles/2026/11?page=2&sort=new HTTP/1.1\r\n\
Host: www.example.com\r\n\
Connection: keep-alive\r\n\
Cache-Control: max-age=0\r\n\
sec-ch-ua: \"Chromium\";v=\"140\", \"Not=A?Brand\";v=\"24\", \"Google Chrome\";v=\"140\"\r\n\
sec-ch-ua-mobile: ?0\r\n\
sec-ch-ua-platform: \"Linux\"\r\n\
Upgrade-Insecure-Requests: 1\r\n\
User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36\r\n\
Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8\r\n\
Sec-Fetch-Site: same-origin\r\n\
Sec-Fetch-Mode: navigate\r\n\
Sec-Fetch-User: ?1\r\n\
Sec-Fetch-Dest: document\r\n\
Referer: https://www.example.com/articles\r\n\
Accept-Encoding: gzip, deflate, br, zstd\r\n\
Accept-Language: en-GB,en;q=0.9,it;q=0.8\r\n\
Cookie: session=5f4dcc3b5aa765d61d8327deb882cf99; theme=dark; _ga=GA1.2.1234567890.1700000000\r\n\r\n";

const ROUNDS: usize = 15;
const CALLS: u32 = 50_000;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut out = std::io::stdout().lock();
    writeln!(
        out,
        "{:<46} {:>8} {:>10}",
        "nanoseconds", "ours", "httparse"
    )?;
    let mut row = |what: &str, ours: f64, theirs: Option<f64>| {
        let theirs = theirs.map_or(String::new(), |theirs| format!("{theirs:.0}"));
        writeln!(out, "{what:<46} {ours:>8.0} {theirs:>10}")
    };
    row(
        "decode a request of wrk, 40 bytes",
        decoding(WRK),
        Some(parsing(WRK)),
    )?;
    let whole = decoding(BROWSER);
    row(
        "decode a browser's request, 815 bytes",
        whole,
        Some(parsing(BROWSER)),
    )?;
    row(
        "the same, one byte at a time",
        decoding_bytewise(BROWSER),
        None,
    )?;
    row(
        "its fields, with names in lower case",
        reading(BROWSER) - whole,
        None,
    )?;
    row(
        "decode a request of 16 chunks of 64 bytes",
        decoding(&chunked()),
        None,
    )?;
    row(
        "encode a response of 4 fields and 13 bytes",
        encoding(),
        None,
    )?;
    row("decode a WebSocket message of 16 bytes", message(16), None)?;
    row(
        "decode a WebSocket message of 64 KiB",
        message(65_536),
        None,
    )?;
    Ok(())
}

/// The median of what a call costs, in nanoseconds.
fn cost(mut call: impl FnMut()) -> f64 {
    let mut rounds: Vec<f64> = (0..ROUNDS)
        .map(|_| {
            let start = Instant::now();
            for _ in 0..CALLS {
                call();
            }
            start.elapsed().as_secs_f64() * 1e9 / f64::from(CALLS)
        })
        .collect();
    rounds.sort_by(f64::total_cmp);
    rounds[ROUNDS / 2]
}

/// From the first byte to the event that ends the request.
fn decoding(request: &[u8]) -> f64 {
    let mut decoder = Decoder::new(Limits::default());
    cost(|| drain(&mut decoder, black_box(request)))
}

fn drain(decoder: &mut Decoder, mut input: &[u8]) {
    while let Ok(step) = decoder.next(input) {
        input = &input[step.consumed..];
        match black_box(step.event) {
            Event::NeedMore | Event::End => return,
            Event::Head(_) | Event::Body(_) | Event::Trailers(_) => {}
        }
    }
}

fn decoding_bytewise(request: &[u8]) -> f64 {
    let mut decoder = Decoder::new(Limits::default());
    cost(|| {
        for length in 1..=request.len() {
            drain(&mut decoder, black_box(&request[..length]));
        }
    })
}

/// Decoding, and then all that a server needs of the head.
fn reading(request: &[u8]) -> f64 {
    let mut decoder = Decoder::new(Limits::default());
    let mut scratch = Vec::new();
    cost(|| {
        if let Ok(step) = decoder.next(black_box(request))
            && let Event::Head(head) = step.event
        {
            black_box(head.target());
            for field in head.fields().iter() {
                black_box((field.name.lower(&mut scratch), field.value));
            }
        }
        drain(&mut decoder, b"");
    })
}

fn parsing(request: &[u8]) -> f64 {
    cost(|| {
        let mut headers = [httparse::EMPTY_HEADER; 32];
        let mut parsed = httparse::Request::new(&mut headers);
        black_box(parsed.parse(black_box(request)).is_ok());
    })
}

fn chunked() -> Vec<u8> {
    let mut request = b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec();
    for _ in 0..16 {
        request.extend_from_slice(b"40\r\n");
        request.extend_from_slice(&[b'x'; 64]);
        request.extend_from_slice(b"\r\n");
    }
    request.extend_from_slice(b"0\r\n\r\n");
    request
}

fn encoding() -> f64 {
    let asked = Asked::default();
    let date = http_date(0);
    let mut out = Vec::with_capacity(4096);
    let fields: [(&[u8], &[u8]); 2] = [
        (b"content-type", b"text/plain; charset=utf-8"),
        (b"content-length", b"13"),
    ];
    cost(|| {
        out.clear();
        let mut encoder = Encoder::new(black_box(asked));
        let head = ResponseHead {
            status: 200,
            date: &date,
            server: b"corrente",
            length: Length::Unknown,
        };
        let none: [(&[u8], &[u8]); 0] = [];
        let written = encoder
            .head(head, fields, &mut out)
            .and_then(|()| encoder.data(b"Hello, world!", &mut out))
            .and_then(|()| encoder.finish(none, &mut out));
        black_box(written.is_ok());
        black_box(&out);
    })
}

/// A text in one frame: unmasked and checked, and copied before.
fn message(length: usize) -> f64 {
    let mut frame = Vec::new();
    let options = ws::EncoderOptions {
        mask_seed: 1,
        ..ws::EncoderOptions::default()
    };
    let mut encoder = ws::Encoder::new(ws::Role::Client, options, None);
    encoder.message(ws::Kind::Text, &vec![b'x'; length], &mut frame);
    let mut decoder = ws::Decoder::new(ws::Role::Server, ws::Limits::default(), None);
    let mut buffer = frame.clone();
    cost(|| {
        buffer.copy_from_slice(&frame);
        black_box(decoder.next(black_box(&mut buffer)).is_ok());
    })
}
