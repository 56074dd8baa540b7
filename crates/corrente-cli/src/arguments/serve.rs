//! The words of `corrente serve`: a flag for each setting, made from the table of settings.
//!
//! Clap only collects words here; what they mean, and what is wrong with them, is said by the table, in
//! the same way as for files and for the environment.

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::{Arg, ArgAction, ArgMatches, Args, Command, Error, FromArgMatches};
use corrente_operations::settings::{Entry, Group, Kind, TARGET, entries};

/// What was given on the command line.
#[derive(Debug, Default)]
pub(crate) struct Serve {
    /// By the name of the setting.
    pub(crate) flags: BTreeMap<String, Vec<String>>,
    /// The file that was named.
    pub(crate) config: Option<PathBuf>,
    /// Say what is set, and do nothing.
    pub(crate) show_config: bool,
    /// As JSON.
    pub(crate) json: bool,
}

const CONFIG: &str = "config";
const SHOW_CONFIG: &str = "show-config";
const JSON: &str = "json";

const EXAMPLES: &str = "\
Examples:
  corrente serve shop:app
  corrente serve shop:app --bind :8000 --workers 4 --access-log -
  corrente serve shop.main:make_app --factory --reload
  corrente serve old.wsgi:application --mount /api=new.main:app
  corrente serve --show-config                what is set, and where each value comes from

Every setting can be given as a flag, as a variable (`--idle-timeout` is CORRENTE_IDLE_TIMEOUT), and in a
file: `[serve]` in corrente.toml or `[tool.corrente.serve]` in pyproject.toml. Flags win over variables,
variables over the file. A list is replaced as a whole.

Signals: SIGTERM and Ctrl-C stop in peace, a second one at once; SIGQUIT at once; SIGHUP reads the file of
settings again and replaces all workers, each when a new one is ready; SIGTTIN and SIGTTOU one worker more
and fewer; SIGUSR1 opens logs again.

Exit codes: 0 stopped as told; 1 the application cannot be loaded or does not start; 2 the command line or
a setting is wrong; 3 this machine lacks something: a port is in use, a file cannot be written.";

impl Args for Serve {
    fn augment_args(command: Command) -> Command {
        let own = [
            Arg::new(CONFIG)
                .long(CONFIG)
                .short('c')
                .value_name("FILE")
                .env("CORRENTE_CONFIG")
                .value_parser(clap::value_parser!(PathBuf))
                .help("Read settings from this file [default: corrente.toml, else pyproject.toml]"),
            Arg::new(SHOW_CONFIG)
                .long(SHOW_CONFIG)
                .action(ArgAction::SetTrue)
                .help("Say what is set and where each value comes from, and do nothing"),
            Arg::new(JSON)
                .long(JSON)
                .action(ArgAction::SetTrue)
                .requires(SHOW_CONFIG)
                .help("Print JSON"),
        ];
        // Clap shows groups in the order of their first flag: the table's is the one for people.
        let mut settings: Vec<&Entry> = entries().collect();
        settings.sort_by_key(|entry| entry.group);
        command
            .after_help(EXAMPLES)
            .args(own)
            .args(settings.into_iter().map(argument))
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

fn argument(entry: &'static Entry) -> Arg {
    let default = match entry.default {
        Some(default) => format!("{} [default: {default}]", entry.help),
        None => entry.help.to_owned(),
    };
    let words = match entry.kind {
        Kind::Choice(words) => format!("{}: {}", default, words.join(", ")),
        _ => default,
    };
    let argument = Arg::new(entry.name)
        .help(words)
        .value_name(entry.kind.value_name())
        .hide_env(true);
    if entry.name == TARGET {
        return argument;
    }
    let argument = argument
        .long(entry.name)
        .help_heading(heading(entry.group))
        // It is the setting that says which numbers it takes, not that there is no flag `-1`.
        .allow_negative_numbers(true);
    let argument = match entry.letter {
        Some(letter) => argument.short(letter),
        None => argument,
    };
    match entry.kind {
        Kind::Switch => argument
            .num_args(0..=1)
            .require_equals(true)
            .default_missing_value("on"),
        kind if kind.is_list() => argument.action(ArgAction::Append),
        _ => argument,
    }
}

fn heading(group: Group) -> &'static str {
    group.headline()
}

impl FromArgMatches for Serve {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, Error> {
        let mut serve = Self::default();
        serve.update_from_arg_matches(matches)?;
        Ok(serve)
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), Error> {
        for entry in entries() {
            if let Some(words) = matches.get_many::<String>(entry.name) {
                let words = words.cloned().collect();
                self.flags.insert(entry.name.to_owned(), words);
            }
        }
        self.config = matches.get_one::<PathBuf>(CONFIG).cloned();
        self.show_config = matches.get_flag(SHOW_CONFIG);
        self.json = matches.get_flag(JSON);
        Ok(())
    }
}
