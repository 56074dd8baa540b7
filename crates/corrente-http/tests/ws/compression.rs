//! permessage-deflate: Autobahn's classes 12 and 13, the examples of RFC 7692, and bombs.

use corrente_http::ws::{
    Decoder, Deflate, DeflateOptions, Encoder, EncoderOptions, Kind, Limits, Role, Violation,
};
use proptest::prelude::*;

use crate::handshake::agreed;
use crate::peer::{Seen, frame, see, server, text};

const COMPRESSED_TEXT: u8 = 0xc1;
const ALWAYS: EncoderOptions = EncoderOptions {
    compress_from_bytes: 0,
    mask_seed: 1,
};

fn plain() -> Deflate {
    let options = DeflateOptions {
        server_window_bits: 15,
        ..DeflateOptions::default()
    };
    agreed("permessage-deflate", options).expect("is agreed")
}

/// RFC 7692, section 7.2.3.
#[test]
fn the_standard_s_examples() {
    let hello = [0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00];
    let agreed = plain();
    let one = frame(COMPRESSED_TEXT, &hello);
    assert_eq!(see(server(Some(&agreed)), one.chunks(1)), [text("Hello")]);
    let parts = [frame(0x41, &hello[..3]), frame(0x80, &hello[3..])].concat();
    assert_eq!(see(server(Some(&agreed)), [&parts[..]]), [text("Hello")]);
    let again = [one, frame(COMPRESSED_TEXT, &[0xf2, 0x00, 0x11, 0x00, 0x00])].concat();
    assert_eq!(
        see(server(Some(&agreed)), [&again[..]]),
        [text("Hello"), text("Hello")]
    );
    let stored = [
        0x00, 0x05, 0x00, 0xfa, 0xff, 0x48, 0x65, 0x6c, 0x6c, 0x6f, 0x00,
    ];
    let input = frame(COMPRESSED_TEXT, &stored);
    assert_eq!(see(server(Some(&agreed)), [&input[..]]), [text("Hello")]);
    let last_block = [0xf3, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00, 0x00];
    let two = frame(COMPRESSED_TEXT, &last_block).repeat(2);
    assert_eq!(
        see(server(Some(&agreed)), [&two[..]]),
        [text("Hello"), text("Hello")]
    );
    let two_blocks = [
        0xf2, 0x48, 0x05, 0x00, 0x00, 0x00, 0xff, 0xff, 0xca, 0xc9, 0xc9, 0x07, 0x00,
    ];
    let input = frame(COMPRESSED_TEXT, &two_blocks);
    assert_eq!(see(server(Some(&agreed)), [&input[..]]), [text("Hello")]);
    let empty = frame(COMPRESSED_TEXT, &[0x00]);
    assert_eq!(see(server(Some(&agreed)), [&empty[..]]), [text("")]);
}

#[test]
fn only_what_is_not_compressed_may_be_sent_from_where_it_is() {
    let options = EncoderOptions {
        compress_from_bytes: 64,
        ..ALWAYS
    };
    let mut encoder = Encoder::new(Role::Server, options, Some(&plain()));
    let mut out = Vec::new();
    assert!(!encoder.open_message(Kind::Text, 64, &mut out));
    assert_eq!(out, []);
    assert!(encoder.open_message(Kind::Text, 63, &mut out));
}

#[test]
fn an_empty_message_is_one_byte() {
    let mut encoder = Encoder::new(Role::Server, ALWAYS, Some(&plain()));
    let mut out = Vec::new();
    encoder.message(Kind::Text, b"", &mut out);
    encoder.message(Kind::Text, b"", &mut out);
    assert_eq!(out, [0xc1, 1, 0, 0xc1, 1, 0]);
}

#[test]
fn the_bit_stands_on_the_first_frame_of_a_message_only() {
    let refused = |input: Vec<u8>| {
        let seen = see(server(Some(&plain())), [&input[..]]);
        assert_eq!(seen, [Seen::Failed(Violation::ReservedBits)]);
    };
    refused([frame(0x01, b"a"), frame(0xc0, b"b")].concat());
    refused(frame(0xc9, b"ping"));
    refused(frame(0xa1, b"x"));
    let between = [frame(0x41, &[0xf2, 0x48]), frame(0x89, b"p")].concat();
    assert_eq!(
        see(server(Some(&plain())), [&between[..]]),
        [Seen::Ping(b"p".to_vec())]
    );
    let uncompressed = frame(0x81, b"plain");
    assert_eq!(
        see(server(Some(&plain())), [&uncompressed[..]]),
        [text("plain")]
    );
}

#[test]
fn what_is_no_stream_is_refused() {
    for payload in [&[0xff, 0xff, 0xff][..], &[0x07], b"Hello, this is plain"] {
        let seen = see(
            server(Some(&plain())),
            [&frame(COMPRESSED_TEXT, payload)[..]],
        );
        assert_eq!(seen, [Seen::Failed(Violation::Compression)], "{payload:?}");
    }
}

#[test]
fn a_bomb_goes_off_within_the_limit() {
    let mut wire = Vec::new();
    let options = EncoderOptions {
        compress_from_bytes: 0,
        ..EncoderOptions::default()
    };
    let mut encoder = Encoder::new(Role::Client, options, Some(&plain()));
    encoder.message(Kind::Binary, &vec![0; 64 * 1024 * 1024], &mut wire);
    assert!(wire.len() < 300_000, "{}", wire.len());
    for size in [wire.len(), 1000] {
        let seen = see(server(Some(&plain())), wire.chunks(size));
        assert_eq!(seen, [Seen::Failed(Violation::TooLarge)]);
    }
    let just = Limits {
        max_message_bytes: 64 * 1024 * 1024,
    };
    let seen = see(
        Decoder::new(Role::Server, just, Some(&plain())),
        [&wire[..]],
    );
    assert!(matches!(&seen[..], [Seen::Binary(bytes)] if bytes.len() == 64 * 1024 * 1024));
}

#[test]
fn the_stream_goes_on_unless_it_was_agreed_that_it_does_not() {
    let length_of_second = |offer: &str| {
        let agreed = agreed(offer, DeflateOptions::default()).expect("is agreed");
        let mut encoder = Encoder::new(Role::Server, ALWAYS, Some(&agreed));
        let mut out = Vec::new();
        let message: Vec<u8> = (0..200).map(|n: u32| (n * 7919 % 251) as u8).collect();
        encoder.message(Kind::Binary, &message, &mut out);
        let first = out.len();
        encoder.message(Kind::Binary, &message, &mut out);
        out.len() - first
    };
    assert!(length_of_second("permessage-deflate") < 20);
    assert!(length_of_second("permessage-deflate; server_no_context_takeover") > 150);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// Classes 12 and 13: every agreement, many messages, any cut.
    #[test]
    fn messages_come_back_under_every_agreement(
        messages in prop::collection::vec(
            prop_oneof![
                "[a-e]{0,300}".prop_map(String::into_bytes),
                prop::collection::vec(any::<u8>(), 0..300),
                Just(vec![b'x'; 40_000]),
            ], 1..6),
        server_bits in 9..16_u8,
        client_bits in 9..16_u8,
        resets in 0..4_u8,
        level in 0..10_u32,
        size in prop_oneof![1..50_usize, Just(100_000)],
    ) {
        let mut offer = format!(
            "permessage-deflate; server_max_window_bits={server_bits}; \
             client_max_window_bits={client_bits}"
        );
        if resets & 1 != 0 {
            offer.push_str("; server_no_context_takeover");
        }
        if resets & 2 != 0 {
            offer.push_str("; client_no_context_takeover");
        }
        let options = DeflateOptions { level, ..DeflateOptions::default() };
        let agreed = agreed(&offer, options).expect("is agreed");
        for (from, to) in [(Role::Client, Role::Server), (Role::Server, Role::Client)] {
            let mut encoder = Encoder::new(from, ALWAYS, Some(&agreed));
            let mut wire = Vec::new();
            for message in &messages {
                encoder.message(Kind::Binary, message, &mut wire);
            }
            let decoder = Decoder::new(to, Limits::default(), Some(&agreed));
            let expected: Vec<Seen> = messages.iter().cloned().map(Seen::Binary).collect();
            prop_assert_eq!(see(decoder, wire.chunks(size)), expected);
        }
    }

    #[test]
    fn damaged_streams_do_no_harm(
        payload in prop::collection::vec(any::<u8>(), 0..100),
        size in 1..20_usize,
    ) {
        let input = frame(0xc2, &payload).repeat(2);
        let whole = see(server(Some(&plain())), [&input[..]]);
        prop_assert_eq!(see(server(Some(&plain())), input.chunks(size)), whole);
    }
}
