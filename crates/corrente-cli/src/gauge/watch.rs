//! `corrente gauge watch`: a recording that is being made, as a table that renews itself.
//!
//! Reads the folder once a second and shows what came in the last seconds. In a terminal each table
//! takes the place of the last; elsewhere, and as JSON, they follow one another. Watching takes
//! nothing from the service: it reads files that are written anyway.

use std::io::{self, IsTerminal as _};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use corrente_gauge::{GaugeError, Recording, View, Window, aggregate, read};
use corrente_report::gauge::GaugeReport as Shown;
use corrente_report::terminal::Terminal;
use corrente_report::{Catalogue, Language, Message};

use super::{Failure, keep, seconds};
use crate::arguments::GaugeWatch;
use crate::{Exit, lab, terminal};

/// From one table to the next: processes write their files as often.
const INTERVAL: Duration = Duration::from_secs(1);

/// To the upper left corner, and away with what is below (ECMA-48, CUP and ED).
const CLEAR: &str = "\x1b[H\x1b[J";

/// Stands for the lines that a terminal has no room for.
const MORE: &str = "…";

/// What a look at the recording found.
enum Look {
    State(Box<Recording>),
    /// The folder is there and holds nothing yet.
    Nothing,
    /// It was there and is not any more.
    Ended,
}

/// Shows tables until the recording ends, or the time is over.
pub(super) fn watch(watch: &GaugeWatch) -> Result<Exit, Failure> {
    let length = seconds("--window", watch.window)?;
    let limit = watch.seconds.map(|value| seconds("--seconds", value));
    // A limit beyond the clock's range is none.
    let deadline = (limit.transpose()?).and_then(|limit| Instant::now().checked_add(limit));
    check(&watch.files)?;
    let screen = Screen::new(watch);
    let mut window = Window::new(length);
    loop {
        match look(&watch.files)? {
            Look::State(state) => screen.show(&window.look(Instant::now(), *state)),
            Look::Nothing => screen.wait(),
            Look::Ended => {
                terminal::note(&screen.catalogue.text(Message::GaugeEnded));
                return Ok(Exit::Done);
            }
        }
        let now = Instant::now();
        if deadline.is_some_and(|deadline| now >= deadline) {
            return Ok(Exit::Done);
        }
        let left = deadline.map_or(INTERVAL, |deadline| deadline - now);
        std::thread::sleep(left.min(INTERVAL));
    }
}

/// What is not there at the begin is a mistake; what goes away later is the end of the recording.
fn check(paths: &[PathBuf]) -> Result<(), Failure> {
    let Some(missing) = paths.iter().find(|path| !path.exists()) else {
        return Ok(());
    };
    let line = format!(
        "{}: is not there; start the service with `corrente gauge run`, and give the folder that it \
         writes into, `NAME.recording.d`",
        missing.display()
    );
    Err(Failure::new(Exit::Usage, line))
}

fn look(paths: &[PathBuf]) -> Result<Look, Failure> {
    match read::read(paths) {
        Ok(state) => Ok(Look::State(Box::new(state))),
        // `gauge run` may be taking it away at this moment.
        Err(_) if paths.iter().any(|path| !path.exists()) => Ok(Look::Ended),
        Err(GaugeError::Empty { .. }) => Ok(Look::Nothing),
        Err(GaugeError::File { error, .. }) if error.kind() == io::ErrorKind::NotFound => {
            Ok(Look::Nothing)
        }
        Err(error) => Err(error.into()),
    }
}

/// Where the tables go.
struct Screen {
    json: bool,
    clears: bool,
    name: String,
    language: Language,
    catalogue: Catalogue,
}

impl Screen {
    fn new(watch: &GaugeWatch) -> Self {
        let language = lab::language(&watch.language);
        Self {
            json: watch.json,
            clears: io::stdout().is_terminal(),
            name: keep::names(&watch.files),
            language,
            catalogue: Catalogue::new(language),
        }
    }

    fn show(&self, view: &View) {
        let figures = aggregate(&view.recording);
        if self.json {
            terminal::data(&serde_json::to_string(&figures).unwrap_or_default());
            return;
        }
        let time = self.catalogue.numbers().duration(view.length.as_secs_f64());
        let path = self.name.as_str();
        let heading = self
            .catalogue
            .text(Message::GaugeWatching { path, time: &time });
        // Asked each time: somebody may have made the window narrower.
        let screen = Terminal::new(self.language, terminal::width(), terminal::colour());
        let table = screen.gauge(&Shown::from(&figures));
        self.put(&format!("{heading}\n{table}"));
    }

    fn wait(&self) {
        if !self.json {
            self.put(&self.catalogue.text(Message::GaugeWaiting));
        }
    }

    fn put(&self, text: &str) {
        if self.clears {
            terminal::data(&format!("{CLEAR}{}", fitted(text, terminal::height())));
        } else {
            terminal::data(&format!("{}\n", text.trim_end()));
        }
    }
}

/// A text of at most so many lines, from its begin; the last of them says that there are more.
fn fitted(text: &str, height: usize) -> String {
    let mut lines: Vec<&str> = text.lines().collect();
    if lines.len() > height {
        lines.truncate(height.saturating_sub(1));
        lines.push(MORE);
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_fit_is_said_to_be_there() {
        assert_eq!(fitted("a\nb\nc\n", 3), "a\nb\nc");
        assert_eq!(fitted("a\nb\nc\nd\n", 3), "a\nb\n…");
        assert_eq!(fitted("a\nb", 1), "…");
    }
}
