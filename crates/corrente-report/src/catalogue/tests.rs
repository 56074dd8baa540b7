//! Holds the five files to the list of messages: same ids, same arguments, nothing left over.
//!
//! It reads the files through Fluent's own parser, so what counts here is what a report shows.

use std::collections::{BTreeMap, BTreeSet};

use fluent_bundle::FluentArgs;
use fluent_bundle::FluentResource;

use super::message::SPECIFICATIONS;
use super::{Catalogue, Message, source};
use crate::language::Language;

/// The argument names that a text of the file mentions, found by their dollar sign.
fn arguments_by_id(language: Language) -> BTreeMap<String, BTreeSet<String>> {
    let mut found = BTreeMap::new();
    let mut current = String::new();
    for line in source(language)
        .lines()
        .filter(|line| !line.starts_with('#'))
    {
        if let Some((id, _)) = line.split_once(" =").filter(|_| !line.starts_with(' ')) {
            current = id.to_owned();
            let earlier = found.insert(current.clone(), BTreeSet::new());
            assert!(earlier.is_none(), "{language}: {id} is there twice");
        }
        for rest in line.split('$').skip(1) {
            let name = rest
                .chars()
                .take_while(char::is_ascii_alphanumeric)
                .collect();
            found.entry(current.clone()).or_default().insert(name);
        }
    }
    found
}

#[test]
fn every_file_parses_without_error() {
    for language in Language::ALL {
        let parsed = FluentResource::try_new(source(language).to_owned());
        assert!(
            parsed.is_ok(),
            "{language}: {:?}",
            parsed.err().map(|(_, errors)| errors)
        );
    }
}

#[test]
fn every_language_has_every_message_with_the_same_arguments_and_no_other() {
    let expected: BTreeMap<String, BTreeSet<String>> = SPECIFICATIONS
        .iter()
        .map(|(id, names)| {
            (
                (*id).to_owned(),
                names.iter().map(|&name| name.to_owned()).collect(),
            )
        })
        .collect();
    assert_eq!(
        expected.len(),
        SPECIFICATIONS.len(),
        "an id is listed twice"
    );
    for language in Language::ALL {
        let found = arguments_by_id(language);
        for (id, arguments) in &expected {
            assert_eq!(found.get(id), Some(arguments), "{language}: {id}");
        }
        let extra: Vec<&String> = found
            .keys()
            .filter(|id| !expected.contains_key(*id))
            .collect();
        assert!(extra.is_empty(), "{language}: nobody asks for {extra:?}");
    }
}

#[test]
fn every_message_formats_without_fallback() {
    for language in Language::ALL {
        let catalogue = Catalogue::new(language);
        for (id, names) in SPECIFICATIONS {
            for count in [0_u64, 1, 2, 5, 1000] {
                let mut arguments = FluentArgs::new();
                for name in *names {
                    arguments.set(*name, count);
                }
                let message = catalogue.bundle.get_message(id).unwrap();
                let mut errors = Vec::new();
                let pattern = message.value().unwrap();
                let text = catalogue
                    .bundle
                    .format_pattern(pattern, Some(&arguments), &mut errors);
                assert!(errors.is_empty(), "{language}: {id}: {errors:?}");
                assert!(!text.trim().is_empty(), "{language}: {id} is empty");
                assert!(
                    !text.contains(['{', '}', '$', '\u{2068}']),
                    "{language}: {id}: {text}"
                );
            }
        }
    }
}

/// The words of a text without its arguments.
fn words(catalogue: &Catalogue, id: &str, names: &[&str]) -> String {
    let message = catalogue.bundle.get_message(id).unwrap();
    let arguments: FluentArgs<'_> = names.iter().map(|&name| (name, "")).collect();
    let pattern = message.value().unwrap();
    catalogue
        .bundle
        .format_pattern(pattern, Some(&arguments), &mut Vec::new())
        .into_owned()
}

#[test]
fn no_language_copies_the_english_text() {
    // Short texts may be the same: names, units, words that both languages have.
    const LONGEST_SHARED: usize = 24;
    let english = Catalogue::new(Language::En);
    for language in Language::ALL.into_iter().skip(1) {
        let other = Catalogue::new(language);
        for (id, names) in SPECIFICATIONS {
            let ours = words(&english, id, names);
            let is_copy = ours.len() > LONGEST_SHARED && ours == words(&other, id, names);
            assert!(!is_copy, "{language}: {id} is not translated");
        }
    }
}

#[test]
fn spelling_keeps_the_accents() {
    let slips = [
        (
            Language::It,
            vec![
                "e'", "piu'", "cosi'", "puo'", "perche", "citta'", "unita'", " e  ",
            ],
        ),
        (
            Language::Fr,
            vec!["debit", "a ete", "Resume", "methode", "deja", "cout "],
        ),
        (
            Language::De,
            vec![
                "ueber", "fuer", "groess", "waer", "Haelfte", "koenn", "gemaess",
            ],
        ),
    ];
    for (language, words) in slips {
        for word in words {
            let hit = source(language).lines().find(|line| {
                line.split_once('=')
                    .is_some_and(|(_, text)| text.contains(word))
            });
            assert!(hit.is_none(), "{language}: {word} in {hit:?}");
        }
    }
}

#[test]
fn plurals_follow_the_language() {
    let one = Message::CasesInAll { count: 1 };
    let many = Message::CasesInAll { count: 1200 };
    let none = Message::CasesInAll { count: 0 };
    assert_eq!(Catalogue::new(Language::En).text(one), "1 case");
    assert_eq!(Catalogue::new(Language::En).text(none), "0 cases");
    assert_eq!(Catalogue::new(Language::Fr).text(none), "0 cas");
    assert_eq!(Catalogue::new(Language::De).text(one), "1 Fall");
    assert_eq!(Catalogue::new(Language::De).text(many), "1.200 Fälle");
    assert_eq!(Catalogue::new(Language::It).text(many), "1.200 casi");
    assert_eq!(Catalogue::new(Language::Zh).text(many), "1,200 个测点");
    // French has the singular for nothing at all as well.
    let requests = |count, requests| Message::RequestsInAll { count, requests };
    let french = |message| Catalogue::new(Language::Fr).text(message);
    assert_eq!(french(requests(0, "0")), "0 requête");
    assert_eq!(french(requests(1, "1")), "1 requête");
    assert_eq!(french(requests(2, "2")), "2 requêtes");
}
