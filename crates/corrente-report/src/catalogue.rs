//! The texts in five languages: Fluent files embedded in the program, behind a typed interface.
//!
//! A text is asked for by [`Message`], never by a string. It knows nothing of tables or pages.
//! Invariant: every message exists in every language with the same arguments and the files hold
//! nothing else; the tests below check it, therefore [`Catalogue::text`] cannot fail.

mod message;

use std::fmt;

use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::types::FluentNumber;
use fluent_bundle::{FluentResource, FluentValue};
use unic_langid::LanguageIdentifier;

pub use self::message::Message;
use crate::language::Language;
use crate::number::Numbers;

/// Every text, and the number format, of one language.
pub struct Catalogue {
    language: Language,
    bundle: FluentBundle<FluentResource>,
}

impl Catalogue {
    /// The catalogue of a language.
    pub fn new(language: Language) -> Self {
        let locale: LanguageIdentifier = language.tag().parse().unwrap_or_default();
        let mut bundle = FluentBundle::new_concurrent(vec![locale]);
        // The marks that Fluent puts around arguments guard mixed writing directions; all five
        // languages run left to right, and terminals show the marks as boxes.
        bundle.set_use_isolating(false);
        bundle.set_formatter(Some(number_formatter(language)));
        let resource = FluentResource::try_new(source(language).to_owned())
            .unwrap_or_else(|(readable_part, _errors)| readable_part);
        bundle.add_resource_overriding(resource);
        Self { language, bundle }
    }

    /// The language of this catalogue.
    pub const fn language(&self) -> Language {
        self.language
    }

    /// The number format of this language.
    pub const fn numbers(&self) -> Numbers {
        Numbers::new(self.language)
    }

    /// A text with its arguments filled in.
    pub fn text<'a>(&self, message: impl Into<Message<'a>>) -> String {
        let message = message.into();
        self.lookup(&message, &mut Vec::new())
            .unwrap_or_else(|| message.id().to_owned())
    }

    fn lookup(
        &self,
        message: &Message<'_>,
        errors: &mut Vec<fluent_bundle::FluentError>,
    ) -> Option<String> {
        let pattern = self.bundle.get_message(message.id())?.value()?;
        let arguments = message.arguments();
        Some(
            self.bundle
                .format_pattern(pattern, Some(&arguments), errors)
                .into_owned(),
        )
    }
}

impl fmt::Debug for Catalogue {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Catalogue")
            .field("language", &self.language)
            .finish_non_exhaustive()
    }
}

const fn source(language: Language) -> &'static str {
    match language {
        Language::En => include_str!("catalogue/en.ftl"),
        Language::It => include_str!("catalogue/it.ftl"),
        Language::Fr => include_str!("catalogue/fr.ftl"),
        Language::De => include_str!("catalogue/de.ftl"),
        Language::Zh => include_str!("catalogue/zh.ftl"),
    }
}

/// Fluent's hook for numbers inside a text.
type Formatter<M> = fn(&FluentValue<'_>, &M) -> Option<String>;

/// Fluent takes a plain function without state, hence one a language.
fn number_formatter<M>(language: Language) -> Formatter<M> {
    match language {
        Language::En => |value, _| format_number(Language::En, value),
        Language::It => |value, _| format_number(Language::It, value),
        Language::Fr => |value, _| format_number(Language::Fr, value),
        Language::De => |value, _| format_number(Language::De, value),
        Language::Zh => |value, _| format_number(Language::Zh, value),
    }
}

fn format_number(language: Language, value: &FluentValue<'_>) -> Option<String> {
    match value {
        FluentValue::Number(FluentNumber { value, .. }) => {
            Some(Numbers::new(language).integer(*value as u64))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests;
