//! Numbers as each language writes them: decimal sign, grouping, units, ranges.
//!
//! It knows no message and no measure. Invariant: every function takes any `f64`; what is not
//! finite comes out as [`ABSENT`], never as `NaN` or `inf`.

use crate::language::Language;

/// Stands in for a figure that is not there.
pub const ABSENT: &str = "–";

const MINUS: char = '\u{2212}';
const NARROW_NO_BREAK_SPACE: char = '\u{202f}';
const NO_BREAK_SPACE: char = '\u{a0}';

/// Above this, digits are noise and a power of ten reads better.
const LARGEST_PLAIN: f64 = 1e12;
/// Below this, a power of ten reads better than a row of zeros.
const SMALLEST_PLAIN: f64 = 1e-6;

/// Formats numbers for one language.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Numbers {
    language: Language,
}

impl Numbers {
    /// The formatter of a language.
    pub const fn new(language: Language) -> Self {
        Self { language }
    }

    /// A number with a fixed count of decimals.
    pub fn decimal(self, value: f64, places: usize) -> String {
        if !value.is_finite() {
            return ABSENT.to_owned();
        }
        let digits = format!("{:.*}", places, value.abs());
        let (whole, fraction) = digits.split_once('.').unwrap_or((&digits, ""));
        let mut text = String::new();
        let is_zero = digits.chars().all(|digit| matches!(digit, '0' | '.'));
        if value.is_sign_negative() && !is_zero {
            text.push(MINUS);
        }
        self.push_grouped(&mut text, whole);
        if !fraction.is_empty() {
            text.push(self.decimal_sign());
            text.push_str(fraction);
        }
        text
    }

    /// A number with as many decimals as a reader can use: about three significant digits.
    pub fn quantity(self, value: f64) -> String {
        let size = value.abs();
        if !value.is_finite() {
            ABSENT.to_owned()
        } else if size >= LARGEST_PLAIN || (size > 0.0 && size < SMALLEST_PLAIN) {
            self.power_of_ten(value)
        } else if size >= 99.95 {
            self.decimal(value, 0)
        } else if size >= 9.995 {
            self.decimal(value, 1)
        } else if size >= 0.1 || size == 0.0 {
            self.decimal(value, 2)
        } else {
            let zeros = -size.log10().floor();
            self.decimal(value, zeros as usize + 1)
        }
    }

    /// A ratio, with the multiplication sign.
    pub fn ratio(self, value: f64) -> String {
        if value.is_finite() {
            format!("{}×", self.quantity(value))
        } else {
            ABSENT.to_owned()
        }
    }

    /// A whole number.
    pub fn integer(self, value: u64) -> String {
        let mut text = String::new();
        self.push_grouped(&mut text, &value.to_string());
        text
    }

    /// A share of 1 as a percentage; small shares keep two decimals.
    pub fn percent(self, share: f64) -> String {
        let percentage = share * 100.0;
        if !percentage.is_finite() {
            return ABSENT.to_owned();
        }
        let places = match percentage.abs() {
            size if size >= 10.0 || size == 0.0 => 0,
            size if size >= 1.0 => 1,
            _ => 2,
        };
        let number = self.decimal(percentage, places);
        match self.language {
            Language::En | Language::It | Language::Zh => format!("{number}%"),
            Language::Fr => format!("{number}{NARROW_NO_BREAK_SPACE}%"),
            Language::De => format!("{number}{NO_BREAK_SPACE}%"),
        }
    }

    /// An amount of memory, in binary units.
    pub fn bytes(self, bytes: u64) -> String {
        const UNITS: [&str; 5] = ["B", "KiB", "MiB", "GiB", "TiB"];
        const FRENCH_UNITS: [&str; 5] = ["o", "Kio", "Mio", "Gio", "Tio"];
        let mut value = bytes as f64;
        let mut step = 0;
        while value >= 1024.0 && step + 1 < UNITS.len() {
            value /= 1024.0;
            step += 1;
        }
        let units = if self.language == Language::Fr {
            FRENCH_UNITS
        } else {
            UNITS
        };
        let places = usize::from(step > 0 && value < 99.95);
        format!(
            "{}{NO_BREAK_SPACE}{}",
            self.decimal(value, places),
            units[step]
        )
    }

    /// Wall time, in the two largest units that matter.
    pub fn duration(self, seconds: f64) -> String {
        if !seconds.is_finite() || seconds < 0.0 {
            return ABSENT.to_owned();
        }
        let [hour, minute, second] = match self.language {
            Language::Zh => ["小时", "分", "秒"],
            Language::De => ["Std.", "Min.", "s"],
            _ => ["h", "min", "s"],
        };
        let whole = seconds.round() as u64;
        let (hours, minutes, rest) = (whole / 3600, whole / 60 % 60, whole % 60);
        let space = NO_BREAK_SPACE;
        if hours > 0 {
            let hours = self.integer(hours);
            format!("{hours}{space}{hour}{space}{minutes:02}{space}{minute}")
        } else if minutes > 0 {
            format!("{minutes}{space}{minute}{space}{rest:02}{space}{second}")
        } else if seconds >= 9.95 {
            format!("{whole}{space}{second}")
        } else {
            format!("{}{space}{second}", self.decimal(seconds, 1))
        }
    }

    /// The ends of an interval; a semicolon keeps them apart where the comma is the decimal sign.
    pub fn interval(self, low: f64, high: f64) -> String {
        let separator = if self.decimal_sign() == ',' { ";" } else { "," };
        format!(
            "[{}{separator}{NO_BREAK_SPACE}{}]",
            self.quantity(low),
            self.quantity(high)
        )
    }

    /// A range of ratios.
    pub fn ratio_range(self, low: f64, high: f64) -> String {
        let (first, last) = (self.ratio(low), self.ratio(high));
        if first == last {
            first
        } else {
            format!("{}–{last}", self.quantity(low))
        }
    }

    const fn decimal_sign(self) -> char {
        match self.language {
            Language::En | Language::Zh => '.',
            Language::It | Language::Fr | Language::De => ',',
        }
    }

    const fn group_sign(self) -> char {
        match self.language {
            Language::En | Language::Zh => ',',
            Language::It | Language::De => '.',
            Language::Fr => NARROW_NO_BREAK_SPACE,
        }
    }

    fn push_grouped(self, text: &mut String, digits: &str) {
        for (position, digit) in digits.chars().enumerate() {
            if position > 0 && (digits.len() - position).is_multiple_of(3) {
                text.push(self.group_sign());
            }
            text.push(digit);
        }
    }

    fn power_of_ten(self, value: f64) -> String {
        let exponent = value.abs().log10().floor();
        // Dividing twice keeps subnormal numbers from meeting an infinite power.
        let mantissa = value / 10f64.powf(exponent / 2.0) / 10f64.powf(exponent - exponent / 2.0);
        let sign = if exponent < 0.0 {
            MINUS.to_string()
        } else {
            String::new()
        };
        format!("{}e{sign}{}", self.decimal(mantissa, 1), exponent.abs())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const EN: Numbers = Numbers::new(Language::En);
    const IT: Numbers = Numbers::new(Language::It);
    const FR: Numbers = Numbers::new(Language::Fr);
    const DE: Numbers = Numbers::new(Language::De);
    const ZH: Numbers = Numbers::new(Language::Zh);

    #[test]
    fn writes_decimal_and_group_signs_of_each_language() {
        assert_eq!(EN.decimal(1_234_567.891, 2), "1,234,567.89");
        assert_eq!(ZH.decimal(1_234_567.891, 2), "1,234,567.89");
        assert_eq!(IT.decimal(1_234_567.891, 2), "1.234.567,89");
        assert_eq!(DE.decimal(1_234_567.891, 2), "1.234.567,89");
        assert_eq!(FR.decimal(1_234_567.891, 2), "1\u{202f}234\u{202f}567,89");
        assert_eq!(EN.integer(999), "999");
        assert_eq!(DE.integer(105_459), "105.459");
    }

    #[test]
    fn keeps_the_digits_that_matter() {
        let cases = [
            (0.0, "0.00"),
            (130.4, "130"),
            (99.97, "100"),
            (12.34, "12.3"),
            (9.999, "10.0"),
            (2.409, "2.41"),
            (0.953, "0.95"),
            (0.0123, "0.012"),
            (-0.004, "−0.0040"),
            (105_459.0, "105,459"),
            (2.5e15, "2.5e15"),
            (3e-9, "3.0e−9"),
            (f64::NAN, "–"),
            (f64::NEG_INFINITY, "–"),
        ];
        for (value, expected) in cases {
            assert_eq!(EN.quantity(value), expected, "{value}");
        }
    }

    #[test]
    fn drops_the_sign_of_a_rounded_zero() {
        assert_eq!(EN.decimal(-0.001, 2), "0.00");
        assert_eq!(EN.decimal(-1.5, 1), "−1.5");
    }

    #[test]
    fn writes_units() {
        assert_eq!(EN.bytes(512), "512\u{a0}B");
        assert_eq!(FR.bytes(5 * 1024 * 1024), "5,0\u{a0}Mio");
        assert_eq!(DE.percent(0.405), "40\u{a0}%");
        assert_eq!(EN.percent(0.0006), "0.06%");
        assert_eq!(EN.duration(7.25), "7.2\u{a0}s");
        assert_eq!(EN.duration(125.0), "2\u{a0}min\u{a0}05\u{a0}s");
        assert_eq!(ZH.duration(3660.0), "1\u{a0}小时\u{a0}01\u{a0}分");
    }

    #[test]
    fn keeps_interval_ends_apart() {
        assert_eq!(EN.interval(2.3, 2.52), "[2.30,\u{a0}2.52]");
        assert_eq!(FR.interval(2.3, 2.52), "[2,30;\u{a0}2,52]");
        assert_eq!(DE.ratio_range(3.0, 5.0), "3,00–5,00×");
    }

    proptest! {
        #[test]
        fn never_writes_a_number_that_is_none(value: f64) {
            for language in Language::ALL {
                let numbers = Numbers::new(language);
                for text in [
                    numbers.quantity(value),
                    numbers.ratio(value),
                    numbers.percent(value),
                    numbers.duration(value),
                    numbers.decimal(value, 3),
                    numbers.interval(value, value),
                ] {
                    prop_assert!(!text.contains("NaN") && !text.contains("inf"), "{}", text);
                    prop_assert!(!text.is_empty());
                }
            }
        }

        #[test]
        fn grouping_loses_no_digit(value: u64) {
            for language in Language::ALL {
                let text = Numbers::new(language).integer(value);
                let digits: String = text.chars().filter(char::is_ascii_digit).collect();
                prop_assert_eq!(digits, value.to_string());
            }
        }

        #[test]
        fn quantity_stays_within_five_percent(value in 1e-6_f64..1e12) {
            let text = EN.quantity(value).replace(',', "");
            let read: f64 = text.parse().unwrap();
            prop_assert!((read / value - 1.0).abs() <= 0.05, "{} read as {}", value, text);
        }
    }
}
