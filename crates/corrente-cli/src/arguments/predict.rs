//! Words of `gauge predict` and `gauge calibrate`: what a prediction is made with.
//!
//! Declarations only, as in the rest of the arguments.

use std::path::PathBuf;

use clap::Args;

use super::{LanguageChoice, Reading};

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  corrente gauge predict gauge.json
  corrente gauge predict gauge.json --cores 4 --workers 9 --threads 4 --rate 300
  corrente gauge predict gauge.json --to django-asgi --price 0.04 --json
  corrente gauge predict gauge.json --costs costs.toml
  corrente gauge predict gauge.json --rate 300 --html gauge.html

What is not given is taken from the recording; what is not in there either is said below the figures.

Exit codes: 0 predicted, whatever the verdict; 1 too little is recorded to predict from; 2 a file is no
recording or has no costs, or a number cannot be.")]
pub(crate) struct GaugePredict {
    /// Recordings, or folders of them; all are merged
    #[arg(value_name = "FILE", required = true)]
    pub(crate) files: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) setting: PredictSetting,
    /// Costs of stacks and drivers on this machine, as `corrente gauge calibrate` writes them [default:
    /// the shipped ones]
    #[arg(long, value_name = "FILE")]
    pub(crate) costs: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
    /// Write one self-contained HTML file, with curves, instead of text
    #[arg(long, value_name = "FILE")]
    pub(crate) html: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) language: LanguageChoice,
}

/// How the service is deployed, where the recording does not say or says otherwise.
#[derive(Debug, Args)]
pub(crate) struct PredictSetting {
    /// Processor cores that the service may use
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    pub(crate) cores: Option<f64>,
    /// Worker processes that it has now
    #[arg(long, value_name = "N")]
    pub(crate) workers: Option<usize>,
    /// Threads in each of them
    #[arg(long, value_name = "N")]
    pub(crate) threads: Option<usize>,
    /// Connections of each process to a database, on both sides
    #[arg(long, value_name = "N")]
    pub(crate) pool: Option<usize>,
    /// Requests a second for the latency [default: as recorded]
    #[arg(long, value_name = "PER_SECOND", allow_negative_numbers = true)]
    pub(crate) rate: Option<f64>,
    /// Price of a core for an hour, its memory included, in any currency
    #[arg(long, value_name = "AMOUNT", allow_negative_numbers = true)]
    pub(crate) price: Option<f64>,
    /// Framework of the other side: starlette, quart, django-asgi, … [default: the natural one]
    #[arg(long, value_name = "STACK")]
    pub(crate) to: Option<String>,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  corrente lab run paterson grinberg formula --full --out here
  corrente gauge calibrate here --out costs.toml
  corrente gauge predict gauge.json --costs costs.toml

The costs are those of the servers, frameworks and drivers that the run's scenarios measured, each a
request and each a call. Those that it does not have are borrowed from the ones most like them.

Exit codes: 0 written; 2 the file is no result of the lab, or it calibrates nothing.")]
pub(crate) struct GaugeCalibrate {
    /// Result of a lab run on this machine, or the run's directory
    #[arg(value_name = "RESULT")]
    pub(crate) result: PathBuf,
    /// Where the costs go
    #[arg(long, value_name = "FILE", default_value = "costs.toml")]
    pub(crate) out: PathBuf,
    #[command(flatten)]
    pub(crate) reading: Reading,
}
