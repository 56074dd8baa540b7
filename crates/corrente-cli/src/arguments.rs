//! The command line's words: verbs, flags and their help.
//!
//! Declarations only. What a flag does is in the module of its verb; every duration flag names its
//! unit in its help.

mod outside;
mod predict;
mod serve;

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

pub(crate) use outside::{GaugeAttach, GaugeImport};
pub(crate) use predict::{GaugeCalibrate, GaugePredict};
pub(crate) use serve::Serve;

const EXIT_CODES: &str = "\
Exit codes:
  0    done
  1    a scenario or a contender could not run; the report says which
  2    the command line, a scenario file or another input is wrong
  3    this machine lacks something that the command cannot do without
  70   a bug in corrente
  130  interrupted

`check` has codes of its own: 0 clean, 1 findings, 2 it could not run.";

/// Takes a Python service from sync to async, and proves what that bought.
#[derive(Debug, Parser)]
#[command(name = "corrente", version, after_help = EXIT_CODES, arg_required_else_help = true)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) verb: Verb,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Reproduce the published sync/async measurements on this machine
    #[command(subcommand, arg_required_else_help = true)]
    Lab(Lab),
    /// Send HTTP/1.1 load to a server and measure it
    Load(Load),
    /// Record what a service does: what its endpoints cost and wait for
    #[command(subcommand, arg_required_else_help = true)]
    Gauge(Gauge),
    /// Find blocking calls that async code reaches; plan the migration of sync code
    Check(Check),
    /// Serve an ASGI or WSGI application
    Serve(Serve),
}

/// What the analyser is given as it stands, `--help` included.
#[derive(Debug, Args)]
#[command(disable_help_flag = true)]
pub(crate) struct Check {
    /// Arguments of the analyser; `corrente check --help` shows its help
    #[arg(
        value_name = "ARGUMENT",
        trailing_var_arg = true,
        allow_hyphen_values = true
    )]
    pub(crate) arguments: Vec<OsString>,
}

/// The gauge's verbs.
#[derive(Debug, Subcommand)]
pub(crate) enum Gauge {
    /// Run a command and record the requests that it serves
    Run(GaugeRun),
    /// Record a service that runs already, from outside, by samples of its stacks
    Attach(GaugeAttach),
    /// Make a recording of OpenTelemetry spans
    Import(GaugeImport),
    /// Show recordings, with the verdict
    Report(GaugeReport),
    /// Predict what async would bring: capacity, latency, memory, cost, and the verdict
    Predict(GaugePredict),
    /// Take what stacks cost on this machine from a lab run, for better predictions
    Calibrate(GaugeCalibrate),
    /// Show a recording while it is made: the last seconds, renewed once a second
    Watch(GaugeWatch),
}

/// The lab's verbs.
#[derive(Debug, Subcommand)]
pub(crate) enum Lab {
    /// Show the scenarios
    List(List),
    /// Run scenarios and judge their claims
    Run(Run),
    /// Show a result again, or write it as HTML
    Report(Report),
    /// Set two results side by side
    Compare(Compare),
    /// Run the stand-in for a third-party API (used by scenarios)
    #[command(hide = true)]
    ServeOrigin(ServeOrigin),
    /// Run the bare epoll server (used by scenarios)
    #[command(hide = true)]
    ServeEcho(ServeEcho),
}

/// Where the scenarios are, and in which language people read.
#[derive(Debug, Args)]
pub(crate) struct Reading {
    /// Read scenarios and programs from this folder instead of the built-in ones
    #[arg(long, value_name = "DIR", env = "CORRENTE_LAB")]
    pub(crate) lab: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) language: LanguageChoice,
}

/// The language of texts.
#[derive(Debug, Args)]
pub(crate) struct LanguageChoice {
    /// Language of texts: en, it, fr, de or zh [default: from the locale, else en]
    #[arg(long = "lang", value_name = "LANGUAGE")]
    pub(crate) language: Option<corrente_report::Language>,
}

#[derive(Debug, Args)]
pub(crate) struct List {
    #[command(flatten)]
    pub(crate) reading: Reading,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  corrente lab run --quick                    all scenarios, about 15 minutes on 2 cores
  corrente lab run paterson json              two of them
  corrente lab run --full --out evidence      the published counts; may take hours
  corrente lab run --resume evidence          go on after an interruption")]
pub(crate) struct Run {
    /// Scenarios to run [default: all]
    #[arg(value_name = "NAME")]
    pub(crate) names: Vec<String>,
    #[command(flatten)]
    pub(crate) extent: Extent,
    /// Where the result goes [default: lab-results/TIME]
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
    /// Use this PostgreSQL instead of the embedded one
    #[arg(long, value_name = "URL")]
    pub(crate) postgres: Option<String>,
    /// Prices for the cost figures, a TOML file
    #[arg(long, value_name = "FILE")]
    pub(crate) prices: Option<PathBuf>,
    /// Seed of the lab's random choices
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(crate) seed: u64,
    /// Rounds of every measurement [default: as the scenario says]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub(crate) repeat: Option<u32>,
    /// Go on with the interrupted run in this directory
    #[arg(long, value_name = "DIR", conflicts_with_all = ["out", "seed"])]
    pub(crate) resume: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) reading: Reading,
}

/// How much to measure.
#[derive(Debug, Args)]
#[group(multiple = false)]
pub(crate) struct Extent {
    /// Smaller counts and fewer repeats (the default)
    #[arg(long)]
    pub(crate) quick: bool,
    /// The published counts
    #[arg(long)]
    pub(crate) full: bool,
    /// A second each, only to see that every part runs; its figures are no evidence
    #[arg(long)]
    pub(crate) smoke: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Report {
    /// The result, or the directory of its run
    #[arg(value_name = "RESULT.json")]
    pub(crate) result: PathBuf,
    /// Write one self-contained HTML file
    #[arg(long, value_name = "FILE")]
    pub(crate) html: Option<PathBuf>,
    /// Write the summary picture (SVG)
    #[arg(long, value_name = "FILE")]
    pub(crate) picture: Option<PathBuf>,
    /// Show the figures behind each verdict too
    #[arg(long)]
    pub(crate) detail: bool,
    #[command(flatten)]
    pub(crate) language: LanguageChoice,
}

#[derive(Debug, Args)]
pub(crate) struct Compare {
    /// The first result, or its directory
    #[arg(value_name = "A.json")]
    pub(crate) first: PathBuf,
    /// The second
    #[arg(value_name = "B.json")]
    pub(crate) second: PathBuf,
    #[command(flatten)]
    pub(crate) language: LanguageChoice,
}

#[derive(Debug, Args)]
pub(crate) struct ServeOrigin {
    #[arg(long)]
    pub(crate) port: u16,
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
    #[arg(long, default_value_t = 10.0)]
    pub(crate) median_ms: f64,
    #[arg(long, default_value_t = 0.0)]
    pub(crate) sigma: f64,
    #[arg(long, default_value_t = 0.0)]
    pub(crate) error_rate: f64,
    #[arg(long, default_value_t = 0)]
    pub(crate) concurrency_limit: usize,
    #[arg(long, default_value_t = 200)]
    pub(crate) body_bytes: usize,
}

#[derive(Debug, Args)]
pub(crate) struct ServeEcho {
    #[arg(long, required_unless_present = "unix")]
    pub(crate) port: Option<u16>,
    /// Listen on a socket with this name instead of a port
    #[arg(long, value_name = "PATH", conflicts_with = "port")]
    pub(crate) unix: Option<PathBuf>,
    #[arg(long, value_enum, default_value_t = EchoProtocol::Tcp)]
    pub(crate) protocol: EchoProtocol,
    /// Bytes of an HTTP answer's body
    #[arg(long, value_name = "BYTES", default_value_t = 1024)]
    pub(crate) body_bytes: usize,
}

/// What the bare server answers.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum EchoProtocol {
    /// The bytes that came.
    Tcp,
    /// The datagram that came.
    Udp,
    /// HTTP.
    Http,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  corrente load http://127.0.0.1:8000/ --users 64 --seconds 10
  corrente load http://127.0.0.1:8000/ --rate 500 --poisson --json
  corrente load http://127.0.0.1:8000/ --ramp 1,10,100 --seconds 5
  corrente load tcp://127.0.0.1:9000 --message-bytes 1024 --users 10
  corrente load ws://127.0.0.1:8000/echo --message-bytes 1024 --compression deflate")]
pub(crate) struct Load {
    #[arg(
        value_name = "URL",
        help = "http://HOST:PORT/PATH; for an echo server ws://HOST:PORT/PATH, tcp://HOST:PORT, \
                udp://HOST:PORT, unix://PATH"
    )]
    pub(crate) url: String,
    /// Closed loop: users, each waiting for its answer
    #[arg(long, value_name = "N", default_value_t = 16)]
    pub(crate) users: usize,
    /// Open loop: requests a second, whatever the server does
    #[arg(long, value_name = "PER_SECOND", conflicts_with_all = ["users", "ramp"])]
    pub(crate) rate: Option<f64>,
    /// Open loop with random (Poisson) instead of even gaps
    #[arg(long, requires = "rate")]
    pub(crate) poisson: bool,
    /// Closed loop in steps of so many users, each of --seconds
    #[arg(long, value_name = "N,N,…", value_delimiter = ',')]
    pub(crate) ramp: Vec<usize>,
    /// Length of the measurement, seconds
    #[arg(long, value_name = "S", default_value_t = 10.0)]
    pub(crate) seconds: f64,
    /// Load before it that is not counted, seconds
    #[arg(long, value_name = "S", default_value_t = 1.0)]
    pub(crate) warm_up: f64,
    /// A request that takes longer is an error, seconds
    #[arg(long, value_name = "S", default_value_t = 10.0)]
    pub(crate) timeout: f64,
    /// A new connection for each request or message
    #[arg(long)]
    pub(crate) no_keep_alive: bool,
    /// Request method
    #[arg(long, value_name = "METHOD", default_value = "GET")]
    pub(crate) method: String,
    /// A request header, `Name: value`; may be repeated
    #[arg(long = "header", value_name = "HEADER")]
    pub(crate) headers: Vec<String>,
    /// Request body
    #[arg(long, value_name = "TEXT", default_value = "")]
    pub(crate) body: String,
    /// Size of a message to an echo server, bytes
    #[arg(long, value_name = "BYTES", default_value_t = 1024)]
    pub(crate) message_bytes: usize,
    /// What a message over a WebSocket is
    #[arg(long, value_name = "KIND", value_enum, default_value_t = MessageKind::Text)]
    pub(crate) message_kind: MessageKind,
    /// Compression of messages over a WebSocket; a server that declines it fails
    #[arg(long, value_name = "HOW", value_enum, default_value_t = MessageCompression::Off)]
    pub(crate) compression: MessageCompression,
    /// Bind the generator to these processors
    #[arg(long, value_name = "N,N,…", value_delimiter = ',')]
    pub(crate) cpus: Vec<usize>,
    /// Generator threads
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(crate) threads: usize,
    /// Seed of the Poisson gaps
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(crate) seed: u64,
    /// Write an HdrHistogram interval log (V2) that other tools read
    #[arg(long, value_name = "FILE")]
    pub(crate) hdr_log: Option<PathBuf>,
    /// Write the percentile distribution as HdrHistogram's plotter reads it
    #[arg(long, value_name = "FILE")]
    pub(crate) hgrm: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// What a message over a WebSocket is.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum MessageKind {
    /// UTF-8.
    Text,
    /// Bytes.
    Binary,
}

/// How messages over a WebSocket are compressed.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum MessageCompression {
    /// Not at all.
    Off,
    /// By permessage-deflate.
    Deflate,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  corrente gauge run -- gunicorn shop:app -w 4
  corrente gauge run --out shop.json --seconds 60 -- uvicorn shop:app

Signals go through to the command, which ends as it always does; the recording is written then.
SIGUSR2 switches recording off, and on again. `corrente gauge watch` shows it while it is made.

Exit codes: 0 recorded; 1 no request was recorded, or the command failed by itself (what it served
until then is kept); 2 the command cannot be started, or the folder of an earlier run is in the way.")]
pub(crate) struct GaugeRun {
    /// Where the recording goes; while it is made, a folder beside it holds it
    #[arg(long, value_name = "FILE", default_value = "gauge.json")]
    pub(crate) out: PathBuf,
    /// Record for so many seconds, then end the command (SIGTERM)
    #[arg(long, value_name = "S")]
    pub(crate) seconds: Option<f64>,
    /// Print JSON; what the command prints goes to standard error
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) language: LanguageChoice,
    /// The command that starts the service, after `--`
    #[arg(last = true, required = true, value_name = "COMMAND")]
    pub(crate) command: Vec<OsString>,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  corrente gauge watch                              what `corrente gauge run` records here
  corrente gauge watch shop.recording.d --window 60
  corrente gauge watch --json | jq .service.requests_per_s

Ends with the recording, or with Ctrl-C. The service does not notice.

Exit codes: 0 the recording or the time has ended; 2 the folder is not there, or a file in it is no
recording.")]
pub(crate) struct GaugeWatch {
    /// Folders of recordings that are being made; all are merged
    #[arg(value_name = "FOLDER", default_value = "gauge.recording.d")]
    pub(crate) files: Vec<PathBuf>,
    /// How far back to look, seconds
    #[arg(long, value_name = "S", default_value_t = 10.0)]
    pub(crate) window: f64,
    /// Watch for so many seconds, then end
    #[arg(long, value_name = "S")]
    pub(crate) seconds: Option<f64>,
    /// Print JSON, a line a second
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) language: LanguageChoice,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  corrente gauge report gauge.json
  corrente gauge report monday.json tuesday.json              the days together
  corrente gauge report host-a.recording.d host-b.recording.d --json
  corrente gauge report gauge.json --html gauge.html          one page, with curves, to pass on

Exit codes: 2 where a file is no recording, is cut off, or is given twice.")]
pub(crate) struct GaugeReport {
    /// Recordings, or folders of them; all are merged
    #[arg(value_name = "FILE", required = true)]
    pub(crate) files: Vec<PathBuf>,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
    /// Write one self-contained HTML file, with curves, instead of text
    #[arg(long, value_name = "FILE")]
    pub(crate) html: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) language: LanguageChoice,
}
