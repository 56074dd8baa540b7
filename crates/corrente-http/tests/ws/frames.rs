//! Frames: a test for each class of Autobahn's cases, 1 to 10, and what they leave out.

use corrente_http::ws::{Decoder, Encoder, EncoderOptions, Kind, Limits, Role, Violation};
use proptest::prelude::*;

use crate::peer::{Seen, check, frame, masked, see, server, text};

const CONTINUE: u8 = 0x00;
const TEXT_BEGINS: u8 = 0x01;
const FINAL: u8 = 0x80;
const TEXT: u8 = 0x81;
const BINARY: u8 = 0x82;
const CLOSE: u8 = 0x88;
const PING: u8 = 0x89;
const PONG: u8 = 0x8a;

fn failed(violation: Violation) -> Seen {
    Seen::Failed(violation)
}

/// Class 1: messages in one frame, of every form of length.
#[test]
fn messages_in_one_frame() {
    for length in [0, 1, 125, 126, 127, 128, 65535, 65536, 70000] {
        let payload = vec![b'*'; length];
        check(&frame(TEXT, &payload), &[text(&"*".repeat(length))]);
        check(&frame(BINARY, &payload), &[Seen::Binary(payload)]);
    }
}

/// Class 2: pings and pongs.
#[test]
fn pings_and_pongs() {
    check(&frame(PING, b""), &[Seen::Ping(Vec::new())]);
    check(&frame(PING, &[0xfe; 125]), &[Seen::Ping(vec![0xfe; 125])]);
    check(
        &frame(PING, &[0xfe; 126]),
        &[failed(Violation::LongControl)],
    );
    check(&frame(PONG, b"unasked"), &[Seen::Pong(b"unasked".to_vec())]);
    let ten = frame(PING, b"x").repeat(10);
    check(&ten, &vec![Seen::Ping(b"x".to_vec()); 10]);
}

/// Class 3: reserved bits.
#[test]
fn reserved_bits() {
    for bits in [0x10, 0x20, 0x30, 0x40, 0x50, 0x60, 0x70] {
        for opcode in [TEXT, BINARY, CLOSE, PING, PONG] {
            let input = [frame(TEXT, b"before"), frame(opcode | bits, b"x")].concat();
            check(&input, &[text("before"), failed(Violation::ReservedBits)]);
        }
    }
}

/// Class 4: reserved opcodes.
#[test]
fn reserved_opcodes() {
    for opcode in [3, 4, 5, 6, 7, 11, 12, 13, 14, 15] {
        check(
            &frame(FINAL | opcode, b""),
            &[failed(Violation::Opcode(opcode))],
        );
    }
}

/// Class 5: fragments, with control frames between them.
#[test]
fn fragments() {
    let parts = [
        frame(TEXT_BEGINS, b"one "),
        frame(CONTINUE, b"two "),
        frame(FINAL, b"three"),
    ];
    check(&parts.concat(), &[text("one two three")]);
    let between = [
        &parts[0][..],
        &frame(PING, b"p"),
        &parts[1],
        &frame(PONG, b""),
        &parts[2],
    ];
    let seen = [
        Seen::Ping(b"p".to_vec()),
        Seen::Pong(Vec::new()),
        text("one two three"),
    ];
    check(&between.concat(), &seen);
    check(&frame(FINAL, b"x"), &[failed(Violation::Continuation)]);
    check(&frame(CONTINUE, b"x"), &[failed(Violation::Continuation)]);
    let two = [frame(TEXT_BEGINS, b"a"), frame(TEXT, b"b")].concat();
    check(&two, &[failed(Violation::Interleaved)]);
    let after = [&parts.concat()[..], &frame(FINAL, b"x")].concat();
    check(
        &after,
        &[text("one two three"), failed(Violation::Continuation)],
    );
    for opcode in [PING, PONG, CLOSE] {
        check(
            &frame(opcode & !FINAL, b""),
            &[failed(Violation::FragmentedControl)],
        );
    }
    let empty = [
        frame(TEXT_BEGINS, b""),
        frame(CONTINUE, b""),
        frame(FINAL, b""),
    ]
    .concat();
    check(&empty, &[text("")]);
}

/// Class 6: UTF-8, cut anywhere, and refused at the first byte that cannot be right.
#[test]
fn texts_are_utf_8() {
    let valid = "κόσμε \u{7ff}\u{800}\u{ffff}\u{10000}\u{10ffff}\u{0}";
    check(&frame(TEXT, valid.as_bytes()), &[text(valid)]);
    for cut in 0..=valid.len() {
        let (start, end) = valid.as_bytes().split_at(cut);
        check(
            &[frame(TEXT_BEGINS, start), frame(FINAL, end)].concat(),
            &[text(valid)],
        );
    }
    let invalid: [&[u8]; 9] = [
        b"\x80",
        b"\xc3",
        b"\xc0\xaf",
        b"\xe0\x80\xaf",
        b"\xed\xa0\x80",
        b"\xf4\x90\x80\x80",
        b"\xf8\x88\x80\x80\x80",
        b"\xff",
        b"ok\xce",
    ];
    for bytes in invalid {
        check(&frame(TEXT, bytes), &[failed(Violation::Text)]);
        let parts = [frame(TEXT_BEGINS, bytes), frame(FINAL, b"")].concat();
        check(&parts, &[failed(Violation::Text)]);
    }
    // The rest of the frame, or of the message, need not come.
    let mut first_part = frame(TEXT, b"abc\xf4\x90------");
    first_part.truncate(first_part.len() - 6);
    check(&first_part, &[failed(Violation::Text)]);
    check(
        &frame(TEXT_BEGINS, b"abc\xf4\x90"),
        &[failed(Violation::Text)],
    );
    check(&frame(TEXT_BEGINS, b"abc\xf4"), &[]);
}

/// Class 7: closing.
#[test]
fn close_frames() {
    let close = |code: u16, reason: &[u8]| frame(CLOSE, &[&code.to_be_bytes(), reason].concat());
    check(&frame(CLOSE, b""), &[Seen::Close(1005, String::new())]);
    check(&close(1000, b""), &[Seen::Close(1000, String::new())]);
    check(
        &close(1000, "bye €".as_bytes()),
        &[Seen::Close(1000, "bye €".to_owned())],
    );
    check(
        &close(1000, &[b'*'; 123]),
        &[Seen::Close(1000, "*".repeat(123))],
    );
    check(
        &close(1000, &[b'*'; 124]),
        &[failed(Violation::LongControl)],
    );
    check(&frame(CLOSE, b"x"), &[failed(Violation::CloseCode)]);
    check(&close(1000, b"\xce\xba\xe1"), &[failed(Violation::Text)]);
    for code in [
        1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999,
    ] {
        check(&close(code, b""), &[Seen::Close(code, String::new())]);
    }
    for code in [
        0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535,
    ] {
        check(&close(code, b""), &[failed(Violation::CloseCode)]);
    }
    let after = [close(1000, b""), frame(TEXT, b"late"), vec![0xff; 10]].concat();
    check(&after, &[Seen::Close(1000, String::new())]);
}

/// Class 9: large messages, and one that is too large, in every shape.
#[test]
fn large_messages_up_to_the_limit() {
    let payload = vec![b'*'; 4 * 1024 * 1024];
    let whole = frame(BINARY, &payload);
    let seen = [Seen::Binary(payload.clone())];
    assert_eq!(see(server(None), [whole.as_slice()]), seen);
    assert_eq!(see(server(None), whole.chunks(1460)), seen);
    let parts: Vec<u8> = payload
        .chunks(4096)
        .enumerate()
        .flat_map(|(place, part)| {
            let first = if place == 0 { 0x02 } else { 0 };
            let last = if (place + 1) * 4096 == payload.len() {
                FINAL
            } else {
                0
            };
            frame(first | last, part)
        })
        .collect();
    assert_eq!(see(server(None), parts.chunks(65536)), seen);
    let limits = Limits {
        max_message_bytes: 10,
    };
    let small = |input: &[u8]| see(Decoder::new(Role::Server, limits, None), [input]);
    assert_eq!(small(&frame(TEXT, &[b'a'; 10])), [text("aaaaaaaaaa")]);
    assert_eq!(
        small(&frame(TEXT, &[b'a'; 11])),
        [failed(Violation::TooLarge)]
    );
    // The length alone is enough.
    assert_eq!(
        small(&frame(TEXT, &[b'a'; 11])[..6]),
        [failed(Violation::TooLarge)]
    );
    let parts = [frame(TEXT_BEGINS, &[b'a'; 6]), frame(FINAL, &[b'a'; 5])].concat();
    assert_eq!(small(&parts), [failed(Violation::TooLarge)]);
    assert_eq!(Violation::TooLarge.close_code(), 1009);
}

#[test]
fn lengths_are_in_their_shortest_form() {
    for head in [
        &[0x81, 0xfe, 0, 125][..],
        &[0x81, 0xff, 0, 0, 0, 0, 0, 0, 0xff, 0xff],
        &[0x81, 0xff, 0x80, 0, 0, 0, 0, 0, 0, 0],
    ] {
        check(head, &[failed(Violation::Length)]);
    }
}

#[test]
fn clients_mask_and_servers_do_not() {
    let unmasked = [0x81, 0x02, b'h', b'i'];
    check(&unmasked, &[failed(Violation::Mask)]);
    let client = || Decoder::new(Role::Client, Limits::default(), None);
    assert_eq!(see(client(), [&unmasked[..]]), [text("hi")]);
    assert_eq!(
        see(client(), [&frame(TEXT, b"hi")[..]]),
        [failed(Violation::Mask)]
    );
    check(&masked(TEXT, [0; 4], b"hi"), &[text("hi")]);
}

/// The examples of RFC 6455, section 5.7.
#[test]
fn the_standard_s_examples() {
    check(
        &[
            0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58,
        ],
        &[text("Hello")],
    );
    let mut encoder = Encoder::new(Role::Server, EncoderOptions::default(), None);
    let mut out = Vec::new();
    encoder.message(Kind::Text, b"Hello", &mut out);
    assert_eq!(out, [0x81, 0x05, 0x48, 0x65, 0x6c, 0x6c, 0x6f]);
}

#[test]
fn a_message_may_be_sent_from_where_it_is() {
    for length in [0, 125, 126, 65535, 65536] {
        let message = vec![b'*'; length];
        let mut encoder = Encoder::new(Role::Server, EncoderOptions::default(), None);
        let (mut whole, mut parts) = (Vec::new(), Vec::new());
        encoder.message(Kind::Binary, &message, &mut whole);
        assert!(encoder.open_message(Kind::Binary, length, &mut parts));
        parts.extend_from_slice(&message);
        assert_eq!(parts, whole);
    }
}

#[test]
fn a_message_that_is_to_be_masked_is_written_as_a_whole() {
    let mut encoder = Encoder::new(Role::Client, EncoderOptions::default(), None);
    let mut out = Vec::new();
    assert!(!encoder.open_message(Kind::Text, 5, &mut out));
    assert_eq!(out, []);
}

#[test]
fn a_close_frame_is_written_with_what_may_be_sent() {
    let written = |code, reason: &str| {
        let mut out = Vec::new();
        let mut encoder = Encoder::new(Role::Server, EncoderOptions::default(), None);
        encoder.close(code, reason, &mut out);
        out
    };
    assert_eq!(written(1000, "ok"), [0x88, 4, 0x03, 0xe8, b'o', b'k']);
    assert_eq!(written(1005, "no"), [0x88, 0]);
    assert_eq!(written(1006, ""), [0x88, 0]);
    let long = written(1011, &"é".repeat(100));
    assert_eq!(long[1], 124, "cut off between characters");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn random_bytes_are_seen_alike_however_they_are_cut(
        mut input in prop::collection::vec(
            prop_oneof![Just(0x81), Just(0x82), Just(0x80), Just(0x89), Just(0), any::<u8>()], 0..60),
        size in 1..9_usize,
    ) {
        // Some masks, so that more than the first frame is looked at.
        for byte in input.iter_mut().skip(1).step_by(7) {
            *byte = 0x80 | (*byte & 3);
        }
        let whole = see(server(None), [input.as_slice()]);
        prop_assert_eq!(see(server(None), input.chunks(size)), whole);
    }

    #[test]
    fn what_a_client_sends_a_server_sees(
        messages in prop::collection::vec("\\PC{0,200}", 0..6),
        seed in any::<u64>(),
        size in 1..500_usize,
    ) {
        let options = EncoderOptions { mask_seed: seed, ..EncoderOptions::default() };
        let mut encoder = Encoder::new(Role::Client, options, None);
        let mut wire = Vec::new();
        let mut expected = Vec::new();
        for message in &messages {
            encoder.message(Kind::Text, message.as_bytes(), &mut wire);
            encoder.ping(b"p", &mut wire);
            expected.extend([text(message), Seen::Ping(b"p".to_vec())]);
        }
        prop_assert_eq!(see(server(None), wire.chunks(size)), expected);
    }
}
