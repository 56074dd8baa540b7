//! Words of `gauge attach` and `gauge import`: recordings that are made outside of the service.
//!
//! Declarations only, as in the rest of the arguments.

use std::path::PathBuf;

use clap::Args;

use super::LanguageChoice;

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  corrente gauge attach 4711
  corrente gauge attach $(pgrep -o gunicorn) --seconds 120 --out shop.json

The process and its descendants are sampled while they serve; they are not stopped, restarted or
changed. It takes the rights of a debugger: the same user, and where the system asks for more, root.
Sampling uses up to 20 % of one processor.

Exit codes: 0 recorded; 1 no request was seen, or the service ended; 2 there is no such process, or it
is no Python; 3 the system does not allow it; 130 interrupted (what was seen is kept).")]
pub(crate) struct GaugeAttach {
    /// The process: for a server with workers, the one that started them
    #[arg(value_name = "PID")]
    pub(crate) pid: u32,
    /// How long to sample, in seconds; Ctrl-C ends it earlier
    #[arg(long, value_name = "S", default_value_t = 30.0)]
    pub(crate) seconds: f64,
    /// Where the recording goes
    #[arg(long, value_name = "FILE", default_value = "gauge.json")]
    pub(crate) out: PathBuf,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) language: LanguageChoice,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  corrente gauge import traces.json
  corrente gauge import monday.jsonl tuesday.jsonl --service shop --out shop.json

The files hold OTLP JSON: one document, or one a line as the Collector's file exporter writes them.
Spans know no CPU time: the recording has wall times and calls, and says so.

Exit codes: 0 recorded; 2 a file holds no spans of requests, or those of several services.")]
pub(crate) struct GaugeImport {
    /// Files of spans; a trace may be spread over several
    #[arg(value_name = "FILE", required = true)]
    pub(crate) files: Vec<PathBuf>,
    /// The service whose requests are meant, where the spans are of several
    #[arg(long, value_name = "NAME")]
    pub(crate) service: Option<String>,
    /// Where the recording goes
    #[arg(long, value_name = "FILE", default_value = "gauge.json")]
    pub(crate) out: PathBuf,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) language: LanguageChoice,
}
