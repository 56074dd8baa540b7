//! The five languages of the project and how one is chosen.
//!
//! It must not look at the environment: the caller passes the value of `LC_ALL`, `LC_MESSAGES` or
//! `LANG`. Invariant: [`Language::ALL`] lists every language once, in the order of [`Text`].

use std::fmt;
use std::str::FromStr;

use crate::error::ReportError;
use crate::result::Text;

/// A language that reports are written in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Language {
    /// English.
    #[default]
    En,
    /// Italian.
    It,
    /// French.
    Fr,
    /// German.
    De,
    /// Chinese, simplified.
    Zh,
}

impl Language {
    /// Every language.
    pub const ALL: [Self; 5] = [Self::En, Self::It, Self::Fr, Self::De, Self::Zh];

    /// The ISO 639-1 code.
    pub const fn code(self) -> &'static str {
        match self {
            Self::En => "en",
            Self::It => "it",
            Self::Fr => "fr",
            Self::De => "de",
            Self::Zh => "zh",
        }
    }

    /// The BCP 47 tag for the `lang` attribute; Chinese names its script, which decides the glyphs.
    pub const fn tag(self) -> &'static str {
        match self {
            Self::Zh => "zh-Hans",
            other => other.code(),
        }
    }

    /// The language of a POSIX locale such as `de_DE.UTF-8`, `fr_CA@euro` or `zh`.
    ///
    /// `None` for `C`, `POSIX`, the empty value and every language that is not ours.
    pub fn from_locale(locale: &str) -> Option<Self> {
        let code = locale.split(['_', '-', '.', '@']).next()?;
        code.parse().ok()
    }
}

impl fmt::Display for Language {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.code())
    }
}

impl FromStr for Language {
    type Err = ReportError;

    fn from_str(code: &str) -> Result<Self, ReportError> {
        Self::ALL
            .into_iter()
            .find(|language| language.code().eq_ignore_ascii_case(code.trim()))
            .ok_or_else(|| ReportError::UnknownLanguage {
                found: code.to_owned(),
            })
    }
}

impl Text {
    /// The text in one language; English where a translation was left empty.
    pub fn in_language(&self, language: Language) -> &str {
        let text = match language {
            Language::En => &self.en,
            Language::It => &self.it,
            Language::Fr => &self.fr,
            Language::De => &self.de,
            Language::Zh => &self.zh,
        };
        if text.is_empty() { &self.en } else { text }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_codes_and_names_what_it_cannot_read() {
        for language in Language::ALL {
            assert_eq!(language.code().parse::<Language>().unwrap(), language);
        }
        assert_eq!("DE".parse::<Language>().unwrap(), Language::De);
        let error = "tlh".parse::<Language>().unwrap_err().to_string();
        assert_eq!(
            error,
            "unknown language \"tlh\", expected one of en, it, fr, de, zh"
        );
    }

    #[test]
    fn reads_posix_locales() {
        let cases = [
            ("de_DE.UTF-8", Some(Language::De)),
            ("fr_CA@euro", Some(Language::Fr)),
            ("zh_CN.GB18030", Some(Language::Zh)),
            ("it", Some(Language::It)),
            ("en-GB", Some(Language::En)),
            ("C.UTF-8", None),
            ("POSIX", None),
            ("es_ES.UTF-8", None),
            ("", None),
        ];
        for (locale, expected) in cases {
            assert_eq!(Language::from_locale(locale), expected, "{locale}");
        }
    }

    #[test]
    fn falls_back_to_english_where_a_translation_is_empty() {
        let text = Text {
            en: "claim".into(),
            fr: "affirmation".into(),
            ..Text::default()
        };
        assert_eq!(text.in_language(Language::Fr), "affirmation");
        assert_eq!(text.in_language(Language::Zh), "claim");
    }
}
