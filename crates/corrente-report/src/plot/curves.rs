//! The curves of a prediction: throughput by users, and P99 by rate, of both sides.
//!
//! Each side is a line with the band of its intervals around it. Invariant: a line ends where its
//! side cannot keep up; an interval that is wide without end does not stretch the axis.

use super::latency::sample;
use super::{Figure, is_positive, plain_ticks};
use crate::catalogue::{Catalogue, Message};
use crate::markup::{Element, element};
use crate::prediction::{Curves, PredictionReport, Span, TailPoint, ThroughputPoint};
use crate::result::Side;
use crate::svg::frame::{Area, Axis, Frame};
use crate::svg::legend::{Legend, SAMPLE};
use crate::svg::marker::Look;
use crate::svg::scale::Scale;
use crate::svg::{Point, TELEPHONE, line, path};

const HEIGHT: f64 = 240.0;
/// An end of an interval that is further from its estimate, as a factor, does not stretch the axis.
const STRETCH: f64 = 3.0;
/// The rate that the table of both sides is for.
const RATE: &str = "stroke reference dash-1";

/// One side's line: the figure along the axis, and what is predicted there.
struct Series {
    look: Look,
    name: String,
    points: Vec<(f64, Span)>,
}

/// What a plot is called and measured in.
struct Words {
    title: Message<'static>,
    about: Message<'static>,
    horizontal: Message<'static>,
    vertical: Message<'static>,
}

/// Throughput by users; `None` where it was not predicted.
pub(crate) fn throughput(catalogue: &Catalogue, report: &PredictionReport) -> Option<Figure> {
    let points = |of: fn(&ThroughputPoint) -> Span| {
        let curve = curves(report).map(|curves| &curves.throughput);
        let curve = curve.into_iter().flatten();
        curve.map(|point| (point.users as f64, of(point))).collect()
    };
    let series = [
        points(|point| point.before_per_s),
        points(|point| point.after_per_s),
    ];
    let words = Words {
        title: Message::PlotCapacity,
        about: Message::PlotCapacityAbout,
        horizontal: Message::AxisUsers,
        vertical: Message::AxisRequests,
    };
    let series = both(catalogue, report, series)?;
    let scale = |figures: Vec<f64>, start, end| Scale::from_zero(figures.into_iter(), start, end);
    Some(figure(
        catalogue,
        &series,
        &words,
        &Plot { scale, mark: None },
    ))
}

/// P99 by rate; `None` where it was not predicted.
pub(crate) fn tail(catalogue: &Catalogue, report: &PredictionReport) -> Option<Figure> {
    let points = |of: fn(&TailPoint) -> Option<Span>| {
        let curve = curves(report).map(|curves| &curves.tail);
        let curve = curve.into_iter().flatten();
        let known = curve.filter_map(|point| Some((point.rate_per_s, of(point)?)));
        known.collect()
    };
    let series = [
        points(|point| point.before_ms),
        points(|point| point.after_ms),
    ];
    let words = Words {
        title: Message::PlotTail,
        about: Message::PlotTailAbout,
        horizontal: Message::AxisRequests,
        vertical: Message::AxisTail,
    };
    let series = both(catalogue, report, series)?;
    let scale = |figures: Vec<f64>, start, end| Scale::logarithmic(figures.into_iter(), start, end);
    let mark = report.rate_per_s.filter(|rate| is_positive(*rate));
    Some(figure(catalogue, &series, &words, &Plot { scale, mark }))
}

fn curves(report: &PredictionReport) -> Option<&Curves> {
    report.curves.as_ref()
}

/// Both sides as far as they have a line; `None` where neither has.
fn both(
    catalogue: &Catalogue,
    report: &PredictionReport,
    points: [Vec<(f64, Span)>; 2],
) -> Option<Vec<Series>> {
    let names = [
        catalogue.text(Message::PredictNow),
        catalogue.other_side(report),
    ];
    let looks = [Look::new(Side::Sync, 0), Look::new(Side::Async, 0)];
    let usable = |(at, span): &(f64, Span)| is_positive(*at) && is_positive(span.estimate);
    let all = names.into_iter().zip(looks).zip(points);
    let series: Vec<Series> = all
        .map(|((name, look), points)| Series {
            look,
            name,
            points: points.into_iter().filter(usable).collect(),
        })
        .filter(|series| !series.points.is_empty())
        .collect();
    (!series.is_empty()).then_some(series)
}

/// How the vertical axis is spread, and a figure on the horizontal one that is marked.
struct Plot {
    scale: fn(Vec<f64>, f64, f64) -> Scale,
    mark: Option<f64>,
}

fn figure(catalogue: &Catalogue, series: &[Series], words: &Words, plot: &Plot) -> Figure {
    let (title, about) = (catalogue.text(words.title), catalogue.text(words.about));
    let sketch = (plot.scale)(heights(series), HEIGHT, 0.0);
    let labels = Axis {
        name: catalogue.text(words.vertical),
        ticks: plain_ticks(catalogue, sketch.ticks(6)),
    };
    let area = Area::within(TELEPHONE, labels.label_width() + 8.0, HEIGHT);
    let vertical = (plot.scale)(heights(series), area.bottom, area.top);
    let along = series.iter().flat_map(|one| &one.points).map(|(at, _)| *at);
    let horizontal = Scale::logarithmic(along.chain(plot.mark), area.left, area.right);
    let axis = Axis {
        name: catalogue.text(words.horizontal),
        ticks: plain_ticks(catalogue, horizontal.ticks(7)),
    };
    let mut legend = Legend::default();
    let mut figures = element("g");
    for one in series {
        figures = figures.child(band(one, horizontal, vertical));
    }
    if let Some(rate) = plot.mark {
        figures = figures.child(upright(horizontal.at(rate), area));
    }
    for one in series {
        figures = figures.child(stroke(one, horizontal, vertical));
        legend.push(|at| sample(one.look, at), one.name.as_str());
    }
    if let Some(rate) = plot.mark {
        let rate = &catalogue.numbers().quantity(rate);
        legend.push(sample_of_rate, catalogue.text(Message::LegendRate { rate }));
    }
    let picture = Frame {
        title: &title,
        description: &about,
        area,
        horizontal: (horizontal, axis),
        vertical: (vertical, labels),
        legend,
    }
    .draw(figures);
    Figure {
        title,
        about,
        picture,
    }
}

/// What the vertical axis has to hold.
fn heights(series: &[Series]) -> Vec<f64> {
    let ends = |(_, span): &(f64, Span)| {
        [
            span.estimate,
            span.low.max(span.estimate / STRETCH),
            span.high.min(span.estimate * STRETCH),
        ]
    };
    let points = series.iter().flat_map(|one| &one.points);
    points.flat_map(ends).collect()
}

/// The intervals along a line, as one shape.
fn band(series: &Series, horizontal: Scale, vertical: Scale) -> Element {
    let end = |at: f64, figure: f64| Point {
        x: horizontal.at(at),
        y: vertical.at(figure),
    };
    let points = &series.points;
    let low = points.iter().map(|(at, span)| end(*at, span.low));
    let high = points.iter().rev().map(|(at, span)| end(*at, span.high));
    let shape: Vec<Point> = low.chain(high).collect();
    path(&shape, &format!("spread {}", series.look.side_class()))
}

fn stroke(series: &Series, horizontal: Scale, vertical: Scale) -> Element {
    let place = |(at, span): &(f64, Span)| Point {
        x: horizontal.at(*at),
        y: vertical.at(span.estimate),
    };
    let places: Vec<Point> = series.points.iter().map(place).collect();
    element("g")
        .child(path(&places, &series.look.stroke()))
        .children(places.iter().map(|at| series.look.mark(*at)))
}

fn upright(x: f64, area: Area) -> Element {
    let (top, bottom) = (area.top, area.bottom);
    line(Point { x, y: top }, Point { x, y: bottom }, RATE)
}

fn sample_of_rate(at: Point) -> Element {
    let end = |x: f64| Point { x, y: at.y };
    line(end(at.x - SAMPLE / 2.0), end(at.x + SAMPLE / 2.0), RATE)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::gauge::{blocked, migration};
    use crate::language::Language;

    fn drawn(report: &PredictionReport) -> Vec<String> {
        let catalogue = Catalogue::new(Language::En);
        let figures = [throughput(&catalogue, report), tail(&catalogue, report)];
        let figures = figures.into_iter().flatten();
        figures.map(|figure| figure.picture.render()).collect()
    }

    #[test]
    fn both_sides_have_a_line_and_a_band() {
        for text in drawn(&migration()) {
            for side in ["sync", "async"] {
                assert_eq!(text.matches(&format!("\"spread {side}\"")).count(), 1);
                assert_eq!(
                    text.matches(&format!("\"stroke {side} dash-0\"")).count(),
                    2
                );
            }
            assert!(text.contains("Now") && text.contains("Async"), "{text}");
        }
    }

    #[test]
    fn a_line_ends_where_its_side_cannot_keep_up() {
        let text = &drawn(&migration())[1];
        // Two of four rates; one more mark is in the legend.
        assert_eq!(text.matches("mark filled sync").count(), 3);
        assert_eq!(text.matches("mark hollow async").count(), 5);
        assert!(text.contains("55.5"), "{text}");
    }

    #[test]
    fn a_loop_is_set_against_itself() {
        let text = &drawn(&blocked())[0];
        assert!(text.contains("Nothing blocks"), "{text}");
    }

    #[test]
    fn without_points_there_is_no_picture() {
        let mut report = migration();
        report.curves = Some(Curves::default());
        assert!(drawn(&report).is_empty());
        report.curves = None;
        assert!(drawn(&report).is_empty());
    }

    #[test]
    fn an_interval_without_end_does_not_stretch_the_axis() {
        let mut report = migration();
        let points = report.curves.iter_mut().flat_map(|curves| &mut curves.tail);
        for point in points {
            for span in [&mut point.before_ms, &mut point.after_ms]
                .into_iter()
                .flatten()
            {
                (span.low, span.high) = (0.0, f64::INFINITY);
            }
        }
        let text = &drawn(&report)[1];
        assert!(text.contains(">1,000<"), "{text}");
        assert!(!text.contains("inf") && !text.contains("NaN"), "{text}");
    }
}
