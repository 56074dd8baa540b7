//! What of a module runs only where it is the program: `if __name__ == "__main__":` at its outermost level.
//!
//! Found by the text alone, line by line: a branch ends with the next line that begins at the margin. A line of a
//! long text that does so ends it too early, and the rest counts as if anybody ran it.

use crate::facts::Span;

const MAIN: &str = "__main__";

/// The branches of a source that an import passes by.
pub(super) fn read(source: &str) -> Vec<Span> {
    let mut found = Vec::new();
    if !source.contains(MAIN) {
        return found;
    }
    let mut open: Option<u32> = None;
    let mut at = 0;
    for line in source.split_inclusive('\n') {
        let start = at;
        at += line.len() as u32;
        if is_inside(line) {
            continue;
        }
        found.extend(open.take().map(|begin| Span {
            start: begin,
            end: start,
        }));
        if asks(line) {
            open = Some(start);
        }
    }
    found.extend(open.map(|start| Span { start, end: at }));
    found
}

/// Whether a line cannot end a branch: it is indented, empty or a comment.
fn is_inside(line: &str) -> bool {
    line.starts_with([' ', '\t', '#']) || line.trim_ascii().is_empty()
}

/// Whether a line begins such a branch; what `and` adds makes no difference.
fn asks(line: &str) -> bool {
    let Some(test) = line
        .strip_prefix("if ")
        .or_else(|| line.strip_prefix("if("))
    else {
        return false;
    };
    let plain: String = test
        .chars()
        .filter(|one| !one.is_whitespace() && *one != '(')
        .map(|one| if one == '"' { '\'' } else { one })
        .collect();
    let first = ["__name__=='__main__'", "'__main__'==__name__"];
    first.iter().any(|wanted| {
        let rest = plain.strip_prefix(wanted);
        rest.is_some_and(|rest| !rest.contains("or"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(source: &str) -> Vec<&str> {
        let spans = read(source).into_iter();
        spans
            .map(|span| &source[span.start as usize..span.end as usize])
            .collect()
    }

    #[test]
    fn a_branch_ends_at_the_margin() {
        let branch = "if __name__ == '__main__':\n    a()\n\n# b\n\tc()\n";
        assert_eq!(found(&format!("x = 1\n{branch}else:\n    d()\n")), [branch]);
        assert_eq!(found(branch), [branch]);
        assert_eq!(
            found("if ('__main__' == __name__): a()\nb()\n"),
            ["if ('__main__' == __name__): a()\n"]
        );
    }

    #[test]
    fn other_tests_are_none() {
        for source in [
            "if __name__ != '__main__':\n    a()\n",
            "if __name__ == '__main__' or late:\n    a()\n",
            "def f():\n    if __name__ == '__main__':\n        a()\n",
            "x = '__main__'\n",
        ] {
            assert!(found(source).is_empty(), "{source}");
        }
    }
}
