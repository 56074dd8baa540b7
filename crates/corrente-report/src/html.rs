//! The report as one HTML page, and its summary as a stand-alone picture.
//!
//! The page has no script and asks for nothing from outside; its security policy forbids both, in
//! case something slipped through. It follows the reader's choice of light or dark. Invariant: it
//! is built as a tree of `markup`, so whatever a result holds stays text.

mod conditions;
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

const PALETTE: &str = include_str!("html/palette.css");
const PAGE: &str = include_str!("html/page.css");
const PLOT: &str = include_str!("html/plot.css");

/// Styles are in the page; nothing else may load or run.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'";

/// The whole report as one self-contained page.
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
        .child(footer(&catalogue, result));
    let html = element("html")
        .with("lang", language.tag())
        .child(head(&catalogue))
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

fn head(catalogue: &Catalogue) -> Element {
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
        .child(element("title").text(catalogue.text(Message::ReportTitle)))
        .child(
            element("style")
                .style_sheet(PALETTE)
                .style_sheet(PAGE)
                .style_sheet(PLOT),
        )
}

fn footer(catalogue: &Catalogue, result: &LabResult) -> Element {
    let text = catalogue.text(Message::ReportFooter {
        version: &result.corrente_version,
        schema: &result.schema,
    });
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
