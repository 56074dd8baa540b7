//! The shape of values: whether a text is an address, a network, a target, a number within bounds.
//!
//! Nothing is looked up here: whether a port is free, a module imports or a folder exists is found out
//! where it is used. What can be said without looking is said at once, for all settings together.

use std::net::IpAddr;

use super::kind::{Bounds, Complaint, Switch};
use crate::listen::Address;

pub(super) fn choice<'w>(words: &[&str], word: &'w str) -> Result<&'w str, Complaint> {
    if words.contains(&word) {
        return Ok(word);
    }
    let quoted: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
    Err(Complaint::new(
        format!("one of {}", quoted.join(", ")),
        word,
    ))
}

/// What people write for yes and no.
pub(super) fn switch(word: &str) -> Result<Switch, Complaint> {
    match word.to_ascii_lowercase().as_str() {
        "on" | "true" | "yes" | "1" => Ok(Switch::On),
        "off" | "false" | "no" | "0" => Ok(Switch::Off),
        _ => Err(Complaint::new("`on` or `off`", word)),
    }
}

pub(super) fn number(bounds: Bounds, word: &str, or: &str) -> Result<u64, Complaint> {
    let Bounds { least, most } = bounds;
    let complaint = || {
        let expected = format!("a whole number from {least} to {most}{or}");
        Complaint::new(expected, word)
    };
    let is_plain = word.bytes().all(|byte| byte.is_ascii_digit());
    let number = word.parse::<u64>().ok().filter(|_| is_plain);
    number
        .filter(|number| (least..=most).contains(number))
        .ok_or_else(complaint)
}

pub(super) fn permissions(word: &str) -> Result<u32, Complaint> {
    let digits = word.strip_prefix("0o").unwrap_or(word);
    let mode = u32::from_str_radix(digits, 8)
        .ok()
        .filter(|mode| *mode <= 0o777);
    mode.ok_or_else(|| Complaint::new("permissions in octal such as `660`", word))
}

/// `MODULE:ATTRIBUTE`, both dotted names.
pub(super) fn target(word: &str) -> Result<(), Complaint> {
    let is_name = |name: &str| {
        let mut parts = name.split('.');
        parts.all(|part| {
            let starts_well = part.starts_with(|c: char| c.is_alphabetic() || c == '_');
            starts_well && part.chars().all(|c| c.is_alphanumeric() || c == '_')
        })
    };
    let is_target = word
        .split_once(':')
        .is_some_and(|(module, attribute)| is_name(module) && is_name(attribute));
    if is_target {
        return Ok(());
    }
    let expected = match word {
        word if word.contains('(') => "`MODULE:FUNCTION` without brackets (with `--factory on`)",
        word if word.strip_suffix(".py").is_some() => {
            "`MODULE:ATTRIBUTE`, the module without `.py`"
        }
        _ => "`MODULE:ATTRIBUTE`, such as `shop:app`",
    };
    Err(Complaint::new(expected, word))
}

pub(super) fn route(word: &str) -> Result<(), Complaint> {
    let is_path = word.starts_with('/') && word.bytes().all(|byte| byte.is_ascii_graphic());
    if is_path {
        return Ok(());
    }
    Err(Complaint::new("a path that starts with `/`", word))
}

/// `PREFIX=…`; both parts.
pub(super) fn pair<'w>(word: &'w str, shape: &str) -> Result<(&'w str, &'w str), Complaint> {
    let parts = word.split_once('=').filter(|(prefix, to)| {
        prefix.starts_with('/') && prefix.bytes().all(|b| b.is_ascii_graphic()) && !to.is_empty()
    });
    parts.ok_or_else(|| Complaint::new(format!("{shape}, the prefix with a leading `/`"), word))
}

/// Fields that say how a message is framed or what becomes of its connection: of each response the server knows that itself.
const FRAMING: [&str; 7] = [
    "connection",
    "content-length",
    "keep-alive",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// A field as RFC 9110, section 5, has it; nothing in it can end it early.
pub(super) fn field(word: &str) -> Result<(), Complaint> {
    let name = word.split(':').next().unwrap_or_default();
    if FRAMING.iter().any(|own| own.eq_ignore_ascii_case(name)) {
        let expected = "a field that does not frame messages, which is the server's business";
        return Err(Complaint::new(expected, word));
    }
    let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    let is_field = word.split_once(':').is_some_and(|(name, value)| {
        let named = !name.is_empty() && name.bytes().all(is_token);
        named
            && value
                .bytes()
                .all(|byte| byte == b'\t' || byte >= b' ' && byte != 0x7F)
    });
    if is_field {
        return Ok(());
    }
    Err(Complaint::new("a field, `Name: value`", word))
}

pub(super) fn address(word: &str) -> Result<(), Complaint> {
    let expected = "`HOST:PORT`, `[IPV6]:PORT`, `unix:PATH` or `fd://N`";
    Address::read(word)
        .map(drop)
        .ok_or_else(|| Complaint::new(expected, word))
}

/// An address, an address with a prefix length, `unix` for peers on Unix sockets, or `*` for all.
pub(super) fn network(word: &str) -> Result<(), Complaint> {
    let is_network = match word.split_once('/') {
        _ if word == "*" || word == "unix" => true,
        None => word.parse::<IpAddr>().is_ok(),
        Some((address, length)) => {
            let most = match address.parse::<IpAddr>() {
                Ok(IpAddr::V4(_)) => 32,
                Ok(IpAddr::V6(_)) => 128,
                Err(_) => 0,
            };
            most > 0 && number(Bounds::new(0, most), length, "").is_ok()
        }
    };
    if is_network {
        return Ok(());
    }
    let expected = "a network such as `10.0.0.0/8`, an address, `unix` or `*`";
    Err(Complaint::new(expected, word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_names_a_module_and_an_attribute() {
        for word in ["shop:app", "a.b.c:d.e", "_a:b_1", "größe:app"] {
            assert_eq!(target(word), Ok(()), "{word}");
        }
        for word in [
            "shop",
            "shop:",
            ":app",
            "shop:app()",
            "shop.py:app",
            "a..b:c",
            "1a:b",
            "a-b:c",
            "",
        ] {
            // `shop.py:app` is a module `py` in a package `shop`, and so is right in shape.
            let expected = word == "shop.py:app";
            assert_eq!(target(word).is_ok(), expected, "{word}");
        }
    }

    #[test]
    fn a_network_has_a_length_that_fits() {
        for word in [
            "*",
            "unix",
            "127.0.0.1",
            "::1",
            "10.0.0.0/8",
            "fe80::/10",
            "0.0.0.0/0",
        ] {
            assert_eq!(network(word), Ok(()), "{word}");
        }
        for word in [
            "",
            "10.0.0.0/33",
            "10.0/8",
            "localhost",
            "::/129",
            "10.0.0.0/",
            "**",
        ] {
            assert!(network(word).is_err(), "{word}");
        }
    }

    #[test]
    fn a_field_frames_no_message() {
        for word in ["X-A: b", "Content-Language: it", "date: never", "A:"] {
            assert_eq!(field(word), Ok(()), "{word}");
        }
        for word in [
            "Content-Length: 5",
            "transfer-encoding: chunked",
            "Connection:close",
            "no field",
            "A: b\r\nC: d",
        ] {
            assert!(field(word).is_err(), "{word}");
        }
    }

    #[test]
    fn a_number_stays_within_its_bounds() {
        let bounds = Bounds::new(1, 10);
        assert_eq!(number(bounds, "10", ""), Ok(10));
        for word in [
            "0",
            "11",
            "+5",
            "-1",
            "1.0",
            "",
            "x",
            "99999999999999999999",
        ] {
            assert!(number(bounds, word, "").is_err(), "{word}");
        }
    }

    #[test]
    fn a_pair_has_a_prefix_with_a_slash() {
        assert_eq!(pair("/a=b:c", "x"), Ok(("/a", "b:c")));
        assert_eq!(pair("/=b=c", "x"), Ok(("/", "b=c")));
        for word in ["a=b", "/a", "/a=", "=b", "/a b=c"] {
            assert!(pair(word, "x").is_err(), "{word}");
        }
    }

    #[test]
    fn permissions_are_octal() {
        assert_eq!(permissions("660"), Ok(0o660));
        assert_eq!(permissions("0o777"), Ok(0o777));
        for word in ["", "888", "1777", "rw"] {
            assert!(permissions(word).is_err(), "{word}");
        }
    }
}
