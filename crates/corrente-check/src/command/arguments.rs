//! The command line's words and their help.
//!
//! Declarations only; what a flag does is in `command`.

use std::path::PathBuf;

use clap::{Parser, ValueEnum};
use corrente_check::Certainty;

/// Finds every blocking call that async code can reach.
#[derive(Debug, Parser)]
#[command(
    name = "corrente-check",
    version,
    after_help = "\
Examples:
  corrente-check                            this folder
  corrente-check src --format github        annotations in a workflow
  corrente-check --write-baseline known.json && corrente-check --baseline known.json
  corrente-check --explain database
  corrente-check --plan src                 what has to become async, and where to begin
  corrente-check --plan src --gauge gauge.json

A finding is silenced by a comment on its line: `# corrente: ignore[rule] why`; without a reason it is a
finding of its own. Settings stand in
pyproject.toml under `[tool.corrente.check]`: exclude, ignore, certainty, baseline, catalogue.

Exit codes: 0 clean, 1 findings (of a plan: endpoints that wait), 2 it could not run"
)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a switch of the command line"
)]
pub(crate) struct Arguments {
    /// Files or folders
    #[arg(value_name = "PATH", default_value = ".")]
    pub(crate) paths: Vec<PathBuf>,
    /// Form of the report
    #[arg(long, value_enum, default_value_t = Form::Text)]
    pub(crate) format: Form,
    /// Print JSON; the same as `--format json`
    #[arg(long, conflicts_with = "format")]
    pub(crate) json: bool,
    /// Plan the way of sync endpoints (Flask, Django, Falcon, Bottle) to async instead
    #[arg(long, conflicts_with_all = ["statistics", "baseline", "write_baseline", "certainty"])]
    pub(crate) plan: bool,
    /// Rank the plan by what this recording of `corrente gauge run` measured
    #[arg(long, value_name = "FILE", requires = "plan")]
    pub(crate) gauge: Option<PathBuf>,
    /// Run again whenever a file changes
    #[arg(long)]
    pub(crate) watch: bool,
    /// Print counts instead of findings
    #[arg(long, conflicts_with_all = ["format", "json"])]
    pub(crate) statistics: bool,
    /// The least certainty to tell: certain, probable or possible [default: probable]
    #[arg(long, value_name = "CERTAINTY", value_parser = certainty)]
    pub(crate) certainty: Option<Certainty>,
    /// Tell and fail only for what is not in this file
    #[arg(long, value_name = "FILE")]
    pub(crate) baseline: Option<PathBuf>,
    /// Write all findings to this file as known ones
    #[arg(long, value_name = "FILE")]
    pub(crate) write_baseline: Option<PathBuf>,
    /// A further catalogue file; may be repeated
    #[arg(long, value_name = "FILE")]
    pub(crate) catalogue: Vec<PathBuf>,
    /// A folder or file to leave out, by name or by path; may be repeated
    #[arg(long, value_name = "PATH")]
    pub(crate) exclude: Vec<String>,
    /// Read and write no facts of files on disk
    #[arg(long)]
    pub(crate) no_cache: bool,
    /// Keep the facts of files in this folder [default: corrente/check in the user's cache folder]
    #[arg(long, value_name = "FOLDER", conflicts_with = "no_cache")]
    pub(crate) cache_dir: Option<PathBuf>,
    /// Say what a rule is about, with its calls and what to call instead; or the same of one call
    #[arg(long, value_name = "RULE|CALL")]
    pub(crate) explain: Option<String>,
}

impl Arguments {
    /// The form that is asked for.
    pub(crate) fn form(&self) -> Form {
        if self.json { Form::Json } else { self.format }
    }
}

/// The form of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Form {
    /// For people.
    Text,
    /// Everything, for programs.
    Json,
    /// SARIF 2.1.0, for code hosts.
    Sarif,
    /// Annotations of GitHub's workflows.
    Github,
}

fn certainty(word: &str) -> Result<Certainty, String> {
    let all = [Certainty::Certain, Certainty::Probable, Certainty::Possible];
    let found = all.into_iter().find(|certainty| certainty.word() == word);
    found.ok_or_else(|| "it is certain, probable or possible".to_owned())
}
