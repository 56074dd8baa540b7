//! A small tree of elements for HTML and SVG, and how it is written down.
//!
//! It knows no page and no plot. Invariant: text and attribute values are escaped here and nowhere
//! else, and there is no way to put raw markup into the tree, so nothing that a result holds can
//! become an element. The one exception is [`Element::style_sheet`], which takes constants only.

use std::fmt::Write as _;

/// An element with its attributes and children.
#[derive(Debug, Clone)]
pub(crate) struct Element {
    name: &'static str,
    attributes: Vec<(&'static str, String)>,
    children: Vec<Node>,
}

#[derive(Debug, Clone)]
enum Node {
    Element(Element),
    Text(String),
    StyleSheet(&'static str),
}

/// Elements of HTML that have no end tag.
const VOID: [&str; 3] = ["meta", "br", "col"];

/// An element without attributes or children.
pub(crate) const fn element(name: &'static str) -> Element {
    Element {
        name,
        attributes: Vec::new(),
        children: Vec::new(),
    }
}

impl Element {
    /// Sets an attribute.
    pub(crate) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.attributes.push((name, value.into()));
        self
    }

    /// Sets the class.
    pub(crate) fn class(self, class: impl Into<String>) -> Self {
        self.with("class", class)
    }

    /// Sets an attribute to a coordinate, in hundredths of a unit.
    ///
    /// A coordinate that is no number would make the whole picture invalid; it becomes zero.
    pub(crate) fn at(self, name: &'static str, value: f64) -> Self {
        self.with(name, coordinate(value))
    }

    /// Appends text.
    pub(crate) fn text(mut self, text: impl Into<String>) -> Self {
        self.children.push(Node::Text(text.into()));
        self
    }

    /// Appends an element.
    pub(crate) fn child(mut self, child: Self) -> Self {
        self.children.push(Node::Element(child));
        self
    }

    /// Appends elements.
    pub(crate) fn children(mut self, children: impl IntoIterator<Item = Self>) -> Self {
        self.children
            .extend(children.into_iter().map(Node::Element));
        self
    }

    /// Appends a style sheet of this crate, which is not escaped.
    pub(crate) fn style_sheet(mut self, sheet: &'static str) -> Self {
        self.children.push(Node::StyleSheet(sheet));
        self
    }

    /// Whether nothing was put into the element.
    pub(crate) fn is_empty(&self) -> bool {
        self.children.is_empty()
    }

    /// The element as HTML, or as XML where no void element is part of it.
    pub(crate) fn render(&self) -> String {
        let mut text = String::new();
        self.write(&mut text);
        text
    }

    fn write(&self, text: &mut String) {
        text.push('<');
        text.push_str(self.name);
        for (name, value) in &self.attributes {
            text.push(' ');
            text.push_str(name);
            text.push_str("=\"");
            escape(text, value);
            text.push('"');
        }
        text.push('>');
        if VOID.contains(&self.name) {
            return;
        }
        for child in &self.children {
            match child {
                Node::Element(child) => child.write(text),
                Node::Text(child) => escape(text, child),
                Node::StyleSheet(sheet) => text.push_str(sheet),
            }
        }
        text.push_str("</");
        text.push_str(self.name);
        text.push('>');
        if BLOCKS.contains(&self.name) {
            text.push('\n');
        }
    }
}

/// Elements after which a line break keeps the source readable and changes nothing on the page.
const BLOCKS: [&str; 12] = [
    "p", "tr", "section", "svg", "li", "g", "path", "title", "desc", "div", "h2", "h3",
];

/// A coordinate as SVG wants it: finite, short, without an exponent.
pub(crate) fn coordinate(value: f64) -> String {
    let value = if value.is_finite() {
        value.clamp(-1e6, 1e6)
    } else {
        0.0
    };
    let mut text = String::new();
    // Writing to a string cannot fail.
    let written = write!(text, "{value:.2}");
    debug_assert!(written.is_ok());
    let short = text.trim_end_matches('0').trim_end_matches('.');
    if short == "-0" {
        "0".to_owned()
    } else {
        short.to_owned()
    }
}

/// Escapes what has a meaning in markup; characters that XML forbids are left out.
fn escape(text: &mut String, raw: &str) {
    for character in raw.chars() {
        match character {
            '&' => text.push_str("&amp;"),
            '<' => text.push_str("&lt;"),
            '>' => text.push_str("&gt;"),
            '"' => text.push_str("&quot;"),
            '\'' => text.push_str("&#39;"),
            '\t' | '\n' => text.push(character),
            _ if character.is_control() => {}
            '\u{fffe}' | '\u{ffff}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {}
            _ => text.push(character),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn escapes_text_and_attributes() {
        let hostile = "<script>alert('x' && \"y\")</script>";
        let html = element("p").with("title", hostile).text(hostile).render();
        assert!(!html.contains("<script>"), "{html}");
        assert_eq!(
            html.matches('"').count(),
            2,
            "the quotes around the attribute: {html}"
        );
    }

    #[test]
    fn writes_void_elements_without_an_end() {
        assert_eq!(
            element("meta").with("charset", "utf-8").render(),
            "<meta charset=\"utf-8\">"
        );
    }

    proptest! {
        #[test]
        fn no_text_opens_an_element(raw: String) {
            let html = element("b").text(raw.clone()).with("id", raw).render();
            prop_assert_eq!(html.matches('<').count(), 2);
            prop_assert!(!html.chars().any(|one| one.is_control() && one != '\n' && one != '\t'));
        }

        #[test]
        fn coordinates_are_plain_numbers(value: f64) {
            let text = coordinate(value);
            let read: f64 = text.parse().unwrap();
            prop_assert!(read.is_finite() && !text.contains('e'), "{}", text);
        }
    }
}
