//! Who the client is behind proxies, by `Forwarded` and by `X-Forwarded-*`.

use std::net::IpAddr;

use corrente_http::Limits;
use corrente_http::h1::{Decoder, Event, Scheme};
use corrente_http::proxy::{Trusted, forwarding};

/// Client, scheme and host, as `address:port https host`; `-` for what is not known.
fn check(trusted: &str, peer: &str, fields: &str, expected: &str) {
    let request = format!(
        "GET / HTTP/1.1\r\nHost: a\r\n{}\r\n\r\n",
        fields.replace('\n', "\r\n")
    );
    let mut decoder = Decoder::new(Limits::default());
    let step = decoder
        .next(request.as_bytes())
        .expect("the request is valid");
    let Event::Head(head) = step.event else {
        panic!("the head is complete");
    };
    let trusted: Trusted = trusted.parse().expect("names networks");
    let found = forwarding(&head.fields(), peer.parse::<IpAddr>().ok(), &trusted);
    let client = found
        .client
        .map_or("-".to_owned(), |client| match client.port {
            Some(port) => format!("{}:{port}", client.address),
            None => client.address.to_string(),
        });
    let scheme = match found.scheme {
        Some(Scheme::Https) => "https",
        Some(Scheme::Http) => "http",
        None => "-",
    };
    let host = found.host.map_or("-".to_owned(), |host| {
        String::from_utf8_lossy(&host).into_owned()
    });
    assert_eq!(format!("{client} {scheme} {host}"), expected, "{fields}");
}

const ALL: &str = "X-Forwarded-For: 1.2.3.4\nX-Forwarded-Proto: https\nX-Forwarded-Host: b.example";

#[test]
fn only_trusted_peers_are_believed() {
    check("10.0.0.0/8", "10.0.0.1", ALL, "1.2.3.4 https b.example");
    check("10.0.0.0/8", "11.0.0.1", ALL, "- - -");
    check("", "127.0.0.1", ALL, "- - -");
    check("unix", "-", ALL, "1.2.3.4 https b.example");
    check("127.0.0.1", "-", ALL, "- - -");
    check("10.0.0.0/8", "10.0.0.1", "X-Other: y", "- - -");
}

#[test]
fn the_first_from_the_right_that_is_no_proxy_is_the_client() {
    let of = |list: &str, expected: &str| {
        check(
            "10.0.0.0/8",
            "10.0.0.1",
            &format!("X-Forwarded-For: {list}"),
            expected,
        );
    };
    of("6.6.6.6, 1.2.3.4, 10.0.0.2", "1.2.3.4 - -");
    of("6.6.6.6,1.2.3.4\nX-Forwarded-For: 10.0.0.2", "1.2.3.4 - -");
    of("10.0.0.3, 10.0.0.2", "10.0.0.3 - -");
    of("1.2.3.4:5678", "1.2.3.4:5678 - -");
    of("2001:db8::1", "2001:db8::1 - -");
    of("[2001:db8::1]", "2001:db8::1 - -");
    of("[2001:db8::1]:99", "2001:db8::1:99 - -");
    of("::ffff:1.2.3.4", "1.2.3.4 - -");
    of("6.6.6.6, unknown", "- - -");
    of("6.6.6.6, 1.2.3, 10.0.0.2", "- - -");
    of("", "- - -");
}

#[test]
fn scheme_and_host_are_those_that_the_same_proxy_saw() {
    let two = "X-Forwarded-For: 1.2.3.4, 10.0.0.2\nX-Forwarded-Proto: https, http\n\
               X-Forwarded-Host: b, c";
    check("10.0.0.0/8", "10.0.0.1", two, "1.2.3.4 https b");
    let forged = "X-Forwarded-For: 6.6.6.6, 1.2.3.4\nX-Forwarded-Proto: https, http";
    check("10.0.0.0/8", "10.0.0.1", forged, "1.2.3.4 http -");
    let uneven = "X-Forwarded-For: 6.6.6.6, 1.2.3.4, 10.0.0.2\nX-Forwarded-Proto: https";
    check("10.0.0.0/8", "10.0.0.1", uneven, "1.2.3.4 https -");
    check(
        "*",
        "9.9.9.9",
        "X-Forwarded-Proto: wss\nX-Forwarded-Host: u@b",
        "- https -",
    );
    check("*", "9.9.9.9", "X-Forwarded-Proto: gopher", "- - -");
}

/// A proxy that sets these hands on what its client writes into the standard's.
#[test]
fn the_standard_s_header_does_not_count_beside_others() {
    let claims = "Forwarded: for=6.6.6.6;proto=http;host=c";
    let of = |fields: &str, expected: &str| check("10.0.0.0/8", "10.0.0.1", fields, expected);
    of(&format!("{claims}\n{ALL}"), "1.2.3.4 https b.example");
    of(&format!("{ALL}\n{claims}"), "1.2.3.4 https b.example");
    of(&format!("{claims}\nX-Forwarded-Proto: https"), "- https -");
}

#[test]
fn the_standard_s_header_alone_is_read() {
    let of = |value: &str, expected: &str| {
        check(
            "10.0.0.0/8",
            "10.0.0.1",
            &format!("Forwarded: {value}"),
            expected,
        );
    };
    of("for=5.6.7.8;proto=http;host=c", "5.6.7.8 http c");
    of(
        "For=\"[2001:db8::1]:47\" ; PROTO=https",
        "2001:db8::1:47 https -",
    );
    of(
        "for=6.6.6.6;proto=https, for=5.6.7.8;host=c, for=10.0.0.2;host=d",
        "5.6.7.8 - c",
    );
    of("for=5.6.7.8\nForwarded: for=10.0.0.2", "5.6.7.8 - -");
    of("for=_hidden;proto=https", "- https -");
    of("for=unknown, for=10.0.0.2", "- - -");
    of("for=\"5.6.7.8\";host=\"c:80\"", "5.6.7.8 - c:80");
    of("for=\"6.6.6.6, for=10.0.0.2", "- - -");
    of("for=\"5.6\\.7.8\"", "5.6.7.8 - -");
    of("nonsense", "- - -");
}
