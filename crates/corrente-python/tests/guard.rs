//! The panic guard, without an interpreter: the module is compiled into this test by its path.

#[path = "../src/guard.rs"]
mod guard;

use guard::guarded;

#[test]
fn returns_the_value_of_work_that_does_not_panic() {
    assert_eq!(guarded(|| 3).ok(), Some(3));
}

#[test]
fn a_panic_becomes_one_line_with_its_place() {
    let caught = guarded(|| -> u8 { panic!("the origin\n  lost {} calls", 2) });
    let line = caught.expect_err("it panicked").to_string();
    assert!(line.starts_with("the origin lost 2 calls ("), "{line}");
    assert!(line.contains("guard.rs:"), "{line}");
    assert!(!line.contains('\n'), "{line}");
}

#[test]
fn a_later_call_does_not_remember_an_earlier_panic() {
    let first = guarded(|| -> u8 { panic!("first") });
    assert!(first.is_err());
    assert_eq!(guarded(|| 1).ok(), Some(1));
}

#[test]
fn a_payload_that_is_no_text_is_caught_too() {
    let caught = guarded(|| -> u8 { std::panic::panic_any(7_u8) });
    let line = caught.expect_err("it panicked").to_string();
    assert!(line.starts_with("a panic without a message"), "{line}");
}
