//! Where a request's time goes, endpoint by endpoint: computing, holding up a loop, waiting.
//!
//! A bar a mean request, on one scale, so that endpoints can be compared. The parts are told apart
//! by how much they are filled, not by colour alone. Invariant: parts add up to the time that the
//! endpoint's table gives; what was not measured has no part.

use super::{Figure, is_positive, plain_ticks};
use crate::catalogue::{Catalogue, Message};
use crate::gauge::{GaugeEndpoint, GaugeReport};
use crate::markup::{Element, element};
use crate::svg::legend::{Legend, SAMPLE};
use crate::svg::scale::Scale;
use crate::svg::{
    Anchor, Point, TELEPHONE, TEXT, label, line, picture, rectangle, shortened, text_width,
};

const WIDTH: f64 = TELEPHONE;
const MARGIN: f64 = 8.0;
/// Room of an endpoint: its name, and the bar below it.
const ROW: f64 = 42.0;
const BAR: (f64, f64) = (20.0, 34.0);
/// Endpoints beyond this are read better from the table; the busiest come first.
const MOST_BARS: usize = 20;

/// A part of a request's time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Computing,
    Stalls,
    Waiting,
}

impl Part {
    const ALL: [Self; 3] = [Self::Computing, Self::Stalls, Self::Waiting];

    const fn class(self) -> &'static str {
        match self {
            Self::Computing => "part computing",
            Self::Stalls => "part stalls",
            Self::Waiting => "part waiting",
        }
    }

    const fn name(self) -> Message<'static> {
        match self {
            Self::Computing => Message::LegendComputing,
            Self::Stalls => Message::LegendStalls,
            Self::Waiting => Message::LegendWaiting,
        }
    }

    /// Milliseconds of it in a request. What holds up a loop was recorded as waiting, too.
    fn of(self, endpoint: &GaugeEndpoint) -> f64 {
        let known = |time: Option<f64>| time.filter(|time| is_positive(*time)).unwrap_or(0.0);
        let (wait, stalls) = (known(endpoint.wait_ms), known(endpoint.stalls_ms));
        match self {
            Self::Computing => known(endpoint.cpu_ms),
            Self::Stalls => stalls,
            Self::Waiting => (wait - stalls).max(0.0),
        }
    }
}

/// The bars of the busiest endpoints; `None` where no time is known.
pub(crate) fn times(catalogue: &Catalogue, report: &GaugeReport) -> Option<Figure> {
    let busiest = report.endpoints.iter().take(MOST_BARS);
    let endpoints: Vec<&GaugeEndpoint> = busiest.filter(|one| total(one) > 0.0).collect();
    if endpoints.is_empty() {
        return None;
    }
    let title = catalogue.text(Message::PlotTimes);
    let about = catalogue.text(Message::PlotTimesAbout);
    let picture = draw(catalogue, &endpoints, (&title, &about));
    Some(Figure {
        title,
        about,
        picture,
    })
}

fn total(endpoint: &GaugeEndpoint) -> f64 {
    Part::ALL.iter().map(|part| part.of(endpoint)).sum()
}

fn draw(
    catalogue: &Catalogue,
    endpoints: &[&GaugeEndpoint],
    (title, about): (&str, &str),
) -> Element {
    let totals = endpoints.iter().map(|one| total(one));
    let scale = Scale::from_zero(totals, MARGIN, WIDTH - MARGIN);
    let bottom = ROW * endpoints.len() as f64;
    let legend = legend(catalogue, endpoints);
    let below = bottom + 44.0;
    let width = WIDTH - 2.0 * MARGIN;
    let mut bars = element("g");
    for (index, endpoint) in endpoints.iter().enumerate() {
        bars = bars.child(row(catalogue, endpoint, ROW * index as f64, scale));
    }
    picture(WIDTH, below + legend.height(width) + 6.0, title, about)
        .child(grid(catalogue, scale, bottom))
        .child(bars)
        .child(legend.draw(
            Point {
                x: MARGIN,
                y: below,
            },
            width,
        ))
}

fn grid(catalogue: &Catalogue, scale: Scale, bottom: f64) -> Element {
    let mut grid = element("g");
    let ticks = plain_ticks(catalogue, scale.ticks(5));
    for (figure, text) in &ticks {
        let x = scale.at(*figure);
        let half = text_width(text) / 2.0;
        // The outermost labels stay within the picture.
        let anchor = if x < half {
            Anchor::Start
        } else if x + half > WIDTH {
            Anchor::End
        } else {
            Anchor::Middle
        };
        let words = Point {
            x,
            y: bottom + TEXT + 5.0,
        };
        grid = grid
            .child(line(Point { x, y: 0.0 }, Point { x, y: bottom }, "grid"))
            .child(label(words, anchor, text, "tick"));
    }
    let name = Point {
        x: scale.end(),
        y: bottom + 2.0 * TEXT + 10.0,
    };
    let axis = catalogue.text(Message::AxisTimes);
    grid.child(label(name, Anchor::End, &axis, "name"))
}

fn row(catalogue: &Catalogue, endpoint: &GaugeEndpoint, top: f64, scale: Scale) -> Element {
    let time = format!("{} ms", catalogue.numbers().quantity(total(endpoint)));
    let room = scale.end() - scale.start() - text_width(&time) - 2.0 * MARGIN;
    let words = |x: f64| Point {
        x,
        y: top + BAR.0 - 6.0,
    };
    let name = shortened(&endpoint.name, room);
    let mut row = element("g")
        .child(label(words(scale.start()), Anchor::Start, &name, "words"))
        .child(label(
            words(scale.end()),
            Anchor::End,
            &time,
            "words strong",
        ));
    let mut until = 0.0;
    for part in Part::ALL {
        let from = until;
        until += part.of(endpoint);
        if until > from {
            let corner = |figure: f64, y: f64| Point {
                x: scale.at(figure),
                y: top + y,
            };
            let (corner, opposite) = (corner(from, BAR.0), corner(until, BAR.1));
            row = row.child(rectangle(corner, opposite, part.class()));
        }
    }
    row
}

/// The parts that some endpoint has.
fn legend(catalogue: &Catalogue, endpoints: &[&GaugeEndpoint]) -> Legend<'static> {
    let mut legend = Legend::default();
    for part in Part::ALL {
        if endpoints.iter().any(|one| part.of(one) > 0.0) {
            let sample = move |at: Point| {
                let corner = |x: f64, y: f64| Point {
                    x: at.x + x,
                    y: at.y + y,
                };
                let half = SAMPLE / 2.0;
                rectangle(corner(-half, -6.0), corner(half, 6.0), part.class())
            };
            legend.push(sample, catalogue.text(part.name()));
        }
    }
    legend
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::gauge::{gauge, gauge_of_loop};
    use crate::language::Language;

    fn drawn(report: &GaugeReport) -> Option<String> {
        let figure = times(&Catalogue::new(Language::En), report);
        figure.map(|figure| figure.picture.render())
    }

    #[test]
    fn what_holds_up_a_loop_is_no_waiting_any_more() {
        // 20.5 ms of waiting, 15 of which held up the loop.
        let report = gauge_of_loop();
        let parts = Part::ALL.map(|part| part.of(&report.endpoints[0]));
        assert_eq!(parts.to_vec(), [1.25, 15.0, 5.5]);
        let text = drawn(&report).expect("there are times");
        assert!(
            text.contains("part stalls") && text.contains("21.8 ms"),
            "{text}"
        );
    }

    #[test]
    fn a_synchronous_service_has_no_stalls_to_explain() {
        let text = drawn(&gauge()).expect("there are times");
        assert!(text.contains("part waiting") && !text.contains("part stalls"));
    }

    #[test]
    fn endpoints_without_times_have_no_bar() {
        let mut report = gauge();
        report.endpoints.remove(0);
        assert_eq!(
            drawn(&report).map(|text| text.matches("part computing").count()),
            Some(2)
        );
        for figure in [None, Some(0.0), Some(f64::NAN), Some(-1.0)] {
            report.endpoints[0].cpu_ms = figure;
            assert_eq!(drawn(&report), None, "{figure:?}");
        }
    }
}
