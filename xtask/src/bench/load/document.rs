//! The section of docs/BENCHMARKS.md that holds the last published run.
//!
//! It stands between two marks; everything around them is written by hand and stays as it is.
//! Pure: text in, text out.

/// Where the section begins and ends.
const MARKS: [&str; 2] = ["<!-- bench load: begin -->", "<!-- bench load: end -->"];

/// `document` with `text` in the section, as a block that keeps its columns. An error says which
/// mark is missing.
pub(super) fn with_section(document: &str, text: &str) -> Result<String, String> {
    let missing = |mark: &str| format!("the mark `{mark}` is missing");
    let [begin, end] = MARKS;
    let (before, rest) = document.split_once(begin).ok_or_else(|| missing(begin))?;
    let (_, after) = rest.split_once(end).ok_or_else(|| missing(end))?;
    let text = text.trim_end();
    Ok(format!(
        "{before}{begin}\n\n```text\n{text}\n```\n\n{end}{after}"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_section_changes_and_again_to_the_same() {
        let [begin, end] = MARKS;
        let document = format!("# A\n\n{begin}\nold\n{end}\n\n# B\n");
        let once = with_section(&document, "new\n").expect("has marks");
        let expected = format!("# A\n\n{begin}\n\n```text\nnew\n```\n\n{end}\n\n# B\n");
        assert_eq!(once, expected);
        assert_eq!(with_section(&once, "new").expect("has marks"), once);
    }

    #[test]
    fn a_missing_mark_is_named() {
        let missing = with_section(&format!("{} x", MARKS[0]), "new");
        assert_eq!(missing, Err(format!("the mark `{}` is missing", MARKS[1])));
    }
}
