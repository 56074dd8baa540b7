//! Reports as one HTML page each, and the lab's summary as a stand-alone picture.
//!
//! A page has no script and asks for nothing from outside; its security policy forbids both, in
//! case something slipped through. It follows the reader's choice of light or dark. Invariant: it
//! is built as a tree of `markup`, so whatever a result or a recording holds stays text.

mod conditions;
mod gauge;
mod measurements;
mod scenario;
mod summary;
mod tabular;

use crate::catalogue::{Catalogue, Message};
use crate::language::Language;
use crate::markup::{Element, element};
use crate::plot::{Figure, forest, rows_of_result};
use crate::result::{LabResult, Verdict};
use crate::svg::marker::verdict_class;

pub use self::gauge::{GaugePage, gauge_page};

const PALETTE: &str = include_str!("html/palette.css");
const PAGE: &str = include_str!("html/page.css");
const PLOT: &str = include_str!("html/plot.css");

/// Styles are in the page; nothing else may load or run.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'";

/// The whole report of a lab as one self-contained page.
pub fn page(result: &LabResult, language: Language) -> String {
    let catalogue = Catalogue::new(language);
    let main = element("main")
        .children(summary::sections(&catalogue, result))
        .child(conditions::conditions(&catalogue, result))
        .child(conditions::reading(&catalogue))
        .children(
            result
                .scenarios
                .iter()
                .map(|one| scenario::section(&catalogue, one, result)),
        );
    let body = element("body")
        .child(summary::header(&catalogue, result))
        .child(main)
        .child(footer(&catalogue, &result.corrente_version, &result.schema));
    document(language, &catalogue.text(Message::ReportTitle), body)
}

/// A page of a title and a body.
fn document(language: Language, title: &str, body: Element) -> String {
    let html = element("html")
        .with("lang", language.tag())
        .child(head(title))
        .child(body);
    format!("<!DOCTYPE html>\n{}\n", html.render())
}

/// The forest plot of all findings as a picture that stands alone, e.g. in a README.
///
/// Without findings it is an empty picture that says so.
pub fn summary_svg(result: &LabResult, language: Language) -> String {
    let catalogue = Catalogue::new(language);
    let rows = rows_of_result(&catalogue, result);
    let picture = forest(&catalogue, &rows).map_or_else(
        || {
            let empty = catalogue.text(Message::ReportEmpty);
            let at = crate::svg::Point { x: 12.0, y: 26.0 };
            let text = crate::svg::label(at, crate::svg::Anchor::Start, &empty, "words");
            crate::svg::picture(820.0, 44.0, &empty, &empty).child(text)
        },
        |figure| figure.picture,
    );
    let picture = picture
        .with("lang", language.tag())
        .with("style", "background: var(--paper)");
    let style = element("style").style_sheet(PALETTE).style_sheet(PLOT);
    format!("{}\n", picture.child(style).render().trim_end())
}

fn head(title: &str) -> Element {
    let named = |name: &'static str, content: &'static str| {
        element("meta").with("name", name).with("content", content)
    };
    element("head")
        .child(element("meta").with("charset", "utf-8"))
        .child(
            element("meta")
                .with("http-equiv", "Content-Security-Policy")
                .with("content", POLICY),
        )
        .child(named("viewport", "width=device-width, initial-scale=1"))
        .child(named("color-scheme", "light dark"))
        .child(named("generator", "Corrente"))
        .child(element("title").text(title))
        .child(
            element("style")
                .style_sheet(PALETTE)
                .style_sheet(PAGE)
                .style_sheet(PLOT),
        )
}

/// Which version made the page, and of what kind of document.
fn footer(catalogue: &Catalogue, version: &str, schema: &str) -> Element {
    let text = catalogue.text(Message::ReportFooter { version, schema });
    element("footer").child(element("p").text(text))
}

/// A picture with its caption, in a box that scrolls on a narrow screen.
fn figure(figure: Figure) -> Element {
    let caption = element("figcaption")
        .child(element("b").text(figure.title.clone()))
        .text(figure.about);
    let scroll = element("div")
        .class("scroll")
        .with("role", "region")
        .with("tabindex", "0")
        .with("aria-label", figure.title)
        .child(figure.picture);
    element("figure").child(caption).child(scroll)
}

/// A verdict as mark and word.
fn verdict(catalogue: &Catalogue, verdict: Verdict) -> Element {
    element("span")
        .class(format!("verdict {}", verdict_class(verdict)))
        .text(catalogue.verdict(verdict))
}

/// The anchor of a scenario: its name, with everything but letters and digits made a hyphen.
fn anchor(name: &str) -> String {
    let safe = |character: char| {
        if character.is_alphanumeric() {
            character
        } else {
            '-'
        }
    };
    format!("scenario-{}", name.chars().map(safe).collect::<String>())
}

/// A heading of a section.
fn heading(catalogue: &Catalogue, message: Message<'_>) -> Element {
    element("h2").text(catalogue.text(message))
}

#[cfg(test)]
mod tests;
