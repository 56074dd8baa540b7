//! Paths folded to endpoint names: `/users/42/orders/9f8c…` becomes `/users/{n}/orders/{hash}`.
//!
//! This is the name of an endpoint where no framework says its route template. It is pure, it never
//! keeps what looks like an identifier, an address or a token, and its result is bounded: at most
//! [`MAX_SEGMENTS`] segments and [`MAX_NAME_BYTES`] bytes. Folding a folded path changes nothing, so
//! recordings can be folded again when they are merged. What looks like a word stays, so the number
//! of names is bounded by the caller's table ([`crate::ENDPOINTS_MAX`]), not here.

mod segment;

use std::borrow::Cow;

use segment::{fold_file, fold_segment};

/// Segments of a name; deeper paths end in `…`.
const MAX_SEGMENTS: usize = 12;

/// Bytes of a name, the closing `/…` included.
const MAX_NAME_BYTES: usize = 160;

/// What stands for everything behind the limits.
const REST: &str = "/…";

/// The endpoint name of a request path or target.
///
/// Query, fragment, scheme and authority are dropped before anything else is looked at.
pub fn fold_path(target: &str) -> String {
    let path = path_of(target);
    if path == "*" {
        // `OPTIONS *` has no path (RFC 9112, section 3.2.4).
        return path.to_owned();
    }
    let mut name = String::with_capacity(path.len().min(MAX_NAME_BYTES) + 8);
    let segments = path.split('/').filter(|segment| !segment.is_empty());
    let mut segments = segments.enumerate().peekable();
    while let Some((number, segment)) = segments.next() {
        let is_file = number > 0 && segments.peek().is_none() && !path.ends_with('/');
        let file = is_file.then(|| fold_file(segment)).flatten();
        let folded = file.map_or_else(|| fold_segment(segment), Cow::Borrowed);
        let fits = name.len() + 1 + folded.len() <= MAX_NAME_BYTES - REST.len();
        if number >= MAX_SEGMENTS || !fits {
            name.push_str(REST);
            return name;
        }
        name.push('/');
        name.push_str(&folded);
    }
    if name.is_empty() || path.ends_with('/') {
        name.push('/');
    }
    name
}

/// The path of `/path?query`, of `http://host/path` and of `path`.
fn path_of(target: &str) -> &str {
    let end = target.find(['?', '#']).unwrap_or(target.len());
    let target = &target[..end];
    match target.split_once("://") {
        Some((scheme, rest)) if is_scheme(scheme) => {
            rest.find('/').map_or("/", |slash| &rest[slash..])
        }
        _ => target,
    }
}

/// A URI scheme (RFC 3986, section 3.1).
fn is_scheme(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_alphabetic())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(target: &str, name: &str) {
        assert_eq!(fold_path(target), name, "{target}");
    }

    #[test]
    fn words_stay() {
        check("/", "/");
        check("", "/");
        check("*", "*");
        check("/users", "/users");
        check("/users/", "/users/");
        check("//users//all", "/users/all");
        check("/api/v2/user_profiles", "/api/v2/user_profiles");
        check("/app.min.js", "/app.min.js");
        check("/.well-known/acme-challenge", "/.well-known/acme-challenge");
        check("/getUserById", "/getUserById");
        check("/oauth2/base64/http2", "/oauth2/base64/http2");
        check("/facade/decade/defaced", "/facade/decade/defaced");
    }

    #[test]
    fn queries_fragments_and_hosts_go() {
        check("/search?q=secret", "/search");
        check("/page#part", "/page");
        check("http://shop.example:8080/items/7?x=1", "/items/{n}");
        check("https://shop.example", "/");
        check("/go/http://elsewhere/x", "/go/http:/elsewhere/x");
        check("/cart;jsessionid=8F0A7E", "/cart");
    }

    #[test]
    fn numbers_are_folded() {
        check("/users/42", "/users/{n}");
        check("/users/-42/", "/users/{n}/");
        check("/at/52.5,13.4", "/at/{n}");
        check("/host/10.0.0.1", "/host/{n}");
        check("/user1234", "/user{n}");
        check("/item-17-big.png", "/item-{n}-big.png");
        check("/a%20b", "/{text}");
    }

    #[test]
    fn identifiers_are_folded() {
        check("/o/7d3f9a52-1c4b-4e0f-9a65-0c2b8f1d7e3a", "/o/{uuid}");
        check("/o/7D3F9A521C4B4E0F9A650C2B8F1D7E3A", "/o/{hash}");
        check("/m/507f1f77bcf86cd799439011", "/m/{hash}");
        check("/c/9fceb02d0ae5", "/c/{hash}");
        check("/u/01ARZ3NDEKTSV4RRFFQ69G5FAV", "/u/{id}");
        check("/v/dQw4w9WgXcQ", "/v/{id}");
        check("/n/V1StGXR8_Z5jdHi6B-myT", "/n/{id}");
        check("/app.3f9a52c1.css", "/app.{hash}.css");
    }

    #[test]
    fn files_of_a_page_share_a_name_by_folder_and_kind() {
        check("/static/app.min.js", "/static/{file}.js");
        check("/static/admin/css/base.css", "/static/admin/css/{file}.css");
        check("/media/2026/a%20b.JPG", "/media/{n}/{file}.jpg");
        check("/static/{file}.js", "/static/{file}.js");
        check("/docs/manual.pdf", "/docs/manual.pdf");
        check("/static/base.css/", "/static/base.css/");
        check("/static/.css", "/static/.css");
        check("/favicon.ico", "/favicon.ico");
    }

    #[test]
    fn dates_and_addresses_are_folded() {
        check("/log/2026-11-21", "/log/{date}");
        check("/log/2026-11", "/log/{date}");
        check("/log/2026-11-21T14:25:42Z", "/log/{date}");
        check("/mail/ada@example.org", "/mail/{email}");
        check("/mail/ada%40example.org", "/mail/{email}");
        check("/@ada", "/@ada");
    }

    #[test]
    fn tokens_and_long_text_are_folded() {
        let token = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.dozjgNryP4J3jVmNHl0w5N";
        check(&format!("/verify/{token}"), "/verify/{text}");
        check(&format!("/{}", "long-".repeat(40)), "/{text}");
        check("/straße", "/{text}");
    }

    #[test]
    fn deep_paths_are_cut() {
        let deep = fold_path(&"/a".repeat(40));
        assert_eq!(deep, format!("{}{REST}", "/a".repeat(MAX_SEGMENTS)));
    }

    proptest! {
        #[test]
        fn a_name_is_bounded_and_starts_with_a_slash(path in "[ -~]{0,400}") {
            let name = fold_path(&path);
            prop_assert!(name.len() <= MAX_NAME_BYTES, "{}", name.len());
            prop_assert!(name.starts_with('/') || name == "*");
            prop_assert!(!name.contains(['?', '#']));
        }

        #[test]
        fn folding_twice_changes_nothing(path in "(/[a-zA-Z0-9@%.,:;=_~+{}-]{0,30}){0,16}") {
            let once = fold_path(&path);
            prop_assert_eq!(fold_path(&once), once);
        }

        #[test]
        fn any_text_folds_without_panic(path in "\\PC{0,200}") {
            let once = fold_path(&path);
            prop_assert_eq!(fold_path(&once), once);
        }

        #[test]
        fn all_numbers_are_one_endpoint(number in any::<i64>()) {
            prop_assert_eq!(fold_path(&format!("/a/{number}/b")), "/a/{n}/b");
        }

        #[test]
        fn all_uuids_are_one_endpoint(bits in any::<u128>()) {
            let hex = format!("{bits:032x}");
            let uuid = [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]].join("-");
            prop_assert_eq!(fold_path(&format!("/a/{uuid}")), "/a/{uuid}");
        }

        #[test]
        fn all_digests_are_one_endpoint(bits in any::<u128>()) {
            // A digest of decimal digits alone is a number: one in a million.
            let hex = format!("{bits:032x}");
            prop_assume!(hex.bytes().any(|byte| byte.is_ascii_alphabetic()));
            prop_assert_eq!(fold_path(&format!("/a/{hex}")), "/a/{hash}");
        }

        #[test]
        fn no_address_survives(user in "[a-z0-9.+-]{1,12}", host in "[a-z0-9-]{1,12}") {
            let name = fold_path(&format!("/x/{user}@{host}.org"));
            prop_assert!(!name.contains('@'), "{}", name);
        }

        #[test]
        fn no_long_run_of_digits_survives(path in "(/[a-z0-9-]{1,20}){1,6}") {
            let name = fold_path(&path);
            let run = name.split(|c: char| !c.is_ascii_digit()).map(str::len).max();
            prop_assert!(run.unwrap_or(0) < 3, "{}", name);
        }
    }
}
