//! What each change contributed: steps from the first contender of a chain to the last.
//!
//! Each bar begins where the one before it ended, on a logarithmic axis, so that equal lengths are
//! equal factors and a step back is seen as one. Invariant: a chain breaks where a step does not
//! begin with the contender that the step before ended with.

use super::{Figure, is_positive, ratio_ticks};
use crate::catalogue::{Catalogue, Message};
use crate::markup::{Element, element};
use crate::result::{FactorStep, ScenarioResult};
use crate::svg::scale::Scale;
use crate::svg::{Anchor, Point, TEXT, label, line, picture, rectangle, shortened};

const WIDTH: f64 = 820.0;
const LABELS: f64 = 350.0;
const WORDS: f64 = 110.0;
const ROW: f64 = 40.0;

/// One plot for each chain.
pub(crate) fn factors(catalogue: &Catalogue, scenario: &ScenarioResult) -> Vec<Figure> {
    chains(&scenario.factors)
        .into_iter()
        .filter_map(|chain| {
            let case = catalogue.case_of(scenario, &chain.first()?.case);
            let title = catalogue.text(Message::PlotFactors { case: &case });
            let about = catalogue.text(Message::PlotFactorsAbout);
            let picture = draw(catalogue, chain, (&title, &about))?;
            Some(Figure {
                title,
                about,
                picture,
            })
        })
        .collect()
}

fn chains(steps: &[FactorStep]) -> Vec<&[FactorStep]> {
    steps
        .chunk_by(|earlier, later| earlier.case == later.case && earlier.to == later.from)
        .collect()
}

/// Gain before and after each step. A step without a figure changes nothing.
fn stairs(chain: &[FactorStep]) -> Vec<(f64, f64)> {
    let mut gain = 1.0;
    chain
        .iter()
        .map(|step| {
            let ratio = step
                .ratio
                .map(|ratio| ratio.estimate)
                .filter(|ratio| is_positive(*ratio));
            let before = gain;
            gain = (gain * ratio.unwrap_or(1.0)).clamp(1e-9, 1e12);
            (before, gain)
        })
        .collect()
}

fn draw(
    catalogue: &Catalogue,
    chain: &[FactorStep],
    (title, about): (&str, &str),
) -> Option<Element> {
    if chain.iter().all(|step| step.ratio.is_none()) {
        return None;
    }
    let stairs = stairs(chain);
    let figures = stairs.iter().flat_map(|(before, after)| [*before, *after]);
    let scale = Scale::logarithmic(figures.chain([0.9, 1.25]), LABELS, WIDTH - WORDS);
    let top = 8.0;
    let bottom = top + ROW * (chain.len() + 1) as f64;
    let mut group = element("g");
    for (index, (step, stair)) in chain.iter().zip(&stairs).enumerate() {
        group = group.child(row(
            catalogue,
            step,
            *stair,
            top + ROW * index as f64,
            scale,
        ));
    }
    let whole = stairs.last().map_or(1.0, |(_, after)| *after);
    group = group.child(total(catalogue, chain, whole, bottom - ROW, scale));
    let picture = picture(WIDTH, bottom + 44.0, title, about);
    Some(
        picture
            .child(grid(catalogue, scale, (top, bottom)))
            .child(group),
    )
}

fn grid(catalogue: &Catalogue, scale: Scale, (top, bottom): (f64, f64)) -> Element {
    let mut grid = element("g");
    for (figure, text) in ratio_ticks(catalogue, scale.ticks(8)) {
        let x = scale.at(figure);
        grid = grid
            .child(line(Point { x, y: top }, Point { x, y: bottom }, "grid"))
            .child(label(
                Point {
                    x,
                    y: bottom + TEXT + 5.0,
                },
                Anchor::Middle,
                &text,
                "tick",
            ));
    }
    let x = scale.at(1.0);
    let name = Point {
        x: scale.end(),
        y: bottom + 2.0 * TEXT + 9.0,
    };
    grid.child(line(Point { x, y: top }, Point { x, y: bottom }, "axis"))
        .child(label(
            name,
            Anchor::End,
            &catalogue.text(Message::AxisMeasured),
            "name",
        ))
}

fn row(
    catalogue: &Catalogue,
    step: &FactorStep,
    (before, after): (f64, f64),
    top: f64,
    scale: Scale,
) -> Element {
    let numbers = catalogue.numbers();
    let class = if after >= before {
        "bar async"
    } else {
        "bar sync"
    };
    let share = step
        .share
        .map_or_else(String::new, |share| numbers.percent(share));
    let ratio = step.ratio.map_or_else(
        || crate::number::ABSENT.to_owned(),
        |ratio| numbers.ratio(ratio.estimate),
    );
    let path = format!("{} → {}", step.from, step.to);
    let drop = scale.at(after);
    let link = line(
        Point {
            x: drop,
            y: top + 30.0,
        },
        Point {
            x: drop,
            y: top + 49.0,
        },
        "link",
    );
    words((&catalogue.text(step.factor), &path), (&ratio, &share), top)
        .child(bar((before, after), top, scale, class))
        .child(link)
}

fn total(
    catalogue: &Catalogue,
    chain: &[FactorStep],
    whole: f64,
    top: f64,
    scale: Scale,
) -> Element {
    let ends = chain.first().zip(chain.last());
    let path = ends.map_or_else(String::new, |(first, last)| {
        format!("{} → {}", first.from, last.to)
    });
    let ratio = catalogue.numbers().ratio(whole);
    words(
        (&catalogue.text(Message::FactorTotal), &path),
        (&ratio, ""),
        top,
    )
    .child(bar((1.0, whole), top, scale, "bar reference"))
}

fn bar((before, after): (f64, f64), top: f64, scale: Scale, class: &str) -> Element {
    let corner = Point {
        x: scale.at(before),
        y: top + 9.0,
    };
    rectangle(
        corner,
        Point {
            x: scale.at(after),
            y: top + 30.0,
        },
        class,
    )
}

fn words((name, path): (&str, &str), (ratio, share): (&str, &str), top: f64) -> Element {
    let left = |y: f64| Point { x: 6.0, y: top + y };
    let right = |y: f64| Point {
        x: WIDTH - WORDS + 12.0,
        y: top + y,
    };
    let room = LABELS - 20.0;
    element("g")
        .child(label(
            left(17.0),
            Anchor::Start,
            &shortened(name, room),
            "words",
        ))
        .child(label(
            left(32.0),
            Anchor::Start,
            &shortened(path, room),
            "tick",
        ))
        .child(label(right(17.0), Anchor::Start, ratio, "words strong"))
        .child(label(right(32.0), Anchor::Start, share, "tick"))
}
