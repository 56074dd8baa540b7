//! Where values come from: a file, the environment, the command line, in the order of rising strength.
//!
//! Reading is a pure function of texts; finding the file is the one look at the disk, apart. Every bad
//! value is one line that names the place where it was written, and all of them are told at once.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use toml::Table;

use super::kind::Value;
use super::registry::{self, Entry, entries};

/// A place in which a value was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// Nowhere: the table's default.
    Default,
    /// A file.
    File(Place),
    /// An environment variable.
    Environment(String),
    /// A flag.
    Flag(String),
}

/// A table in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The file.
    pub path: PathBuf,
    /// The table's name.
    pub table: &'static str,
}

impl fmt::Display for Origin {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => formatter.write_str("default"),
            Self::File(Place { path, table }) => {
                write!(formatter, "{} [{table}]", path.display())
            }
            Self::Environment(name) | Self::Flag(name) => formatter.write_str(name),
        }
    }
}

/// What was written, and where.
#[derive(Debug, Default)]
pub struct Sources {
    /// A file of settings.
    pub file: Option<File>,
    /// Variables of the environment.
    pub environment: BTreeMap<String, String>,
    /// Flags that were given, by the name of the setting.
    pub flags: BTreeMap<String, Vec<String>>,
}

/// A file of settings.
#[derive(Debug)]
pub struct File {
    /// The table that counts.
    pub place: Place,
    /// The whole file.
    pub text: String,
}

/// A value and where it comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// The value.
    pub value: Value,
    /// What was written, for whoever reads it again.
    pub words: Vec<String>,
    /// Where it was written.
    pub origin: Origin,
}

/// Every setting's value, or every line that is wrong.
pub(super) fn read(sources: &Sources) -> Result<BTreeMap<&'static str, Found>, Vec<String>> {
    let mut wrong = Vec::new();
    let table = sources.file.as_ref().and_then(|file| {
        table_of(file).unwrap_or_else(|line| {
            wrong.push(line);
            None
        })
    });
    if let (Some(file), Some(table)) = (&sources.file, &table) {
        wrong.extend(unknown_keys(&file.place, table));
    }
    let mut values = BTreeMap::new();
    for entry in entries() {
        let (origin, words) = strongest(entry, sources, table.as_ref());
        let words = match words {
            Ok(words) => words,
            Err(line) => {
                wrong.push(line);
                continue;
            }
        };
        let read = words
            .as_ref()
            .map_or(Ok(Value::Unset), |words| entry.kind.read(words));
        match read {
            Ok(value) => {
                let words = words.unwrap_or_default();
                let found = Found {
                    value,
                    words,
                    origin,
                };
                values.insert(entry.name, found);
            }
            Err(complaint) => wrong.push(format!("{}: {complaint}", at(&origin, entry))),
        }
    }
    if wrong.is_empty() {
        Ok(values)
    } else {
        Err(wrong)
    }
}

type Words = Result<Option<Vec<String>>, String>;

/// What the strongest source says. Lists are replaced, not joined: what counts stands in one place.
fn strongest(entry: &Entry, sources: &Sources, table: Option<&Table>) -> (Origin, Words) {
    if let Some(words) = sources.flags.get(entry.name) {
        return (Origin::Flag(entry.flag()), Ok(Some(words.clone())));
    }
    let variable = entry.variable();
    // An empty variable is how a shell or a container file says that there is none.
    let set = sources
        .environment
        .get(&variable)
        .filter(|text| !text.is_empty());
    if let Some(text) = set {
        return (
            Origin::Environment(variable),
            Ok(Some(entry.kind.words(text))),
        );
    }
    if let (Some(file), Some(value)) = (&sources.file, table.and_then(|t| t.get(entry.name))) {
        let origin = Origin::File(file.place.clone());
        let words = words_of(entry, value).map(Some);
        let words = words.map_err(|why| format!("{}: {why}", at(&origin, entry)));
        return (origin, words);
    }
    let default = entry.default.map(|text| entry.kind.words(text));
    (Origin::Default, Ok(default))
}

fn at(origin: &Origin, entry: &Entry) -> String {
    match origin {
        Origin::Default => format!("the default of {}", entry.name),
        Origin::File(place) => {
            let Place { path, table } = place;
            format!("{}: [{table}] {}", path.display(), entry.name)
        }
        Origin::Environment(name) | Origin::Flag(name) => name.clone(),
    }
}

/// What a file says, as the words that a flag would be given.
fn words_of(entry: &Entry, value: &toml::Value) -> Result<Vec<String>, String> {
    match value {
        toml::Value::Array(items) if entry.kind.is_list() => items.iter().map(word_of).collect(),
        toml::Value::Array(_) => Err("expected one value, found a list".to_owned()),
        toml::Value::String(text) if entry.kind.is_list() => Ok(entry.kind.words(text)),
        one => word_of(one).map(|word| vec![word]),
    }
}

fn word_of(value: &toml::Value) -> Result<String, String> {
    match value {
        toml::Value::String(text) => Ok(text.clone()),
        toml::Value::Integer(number) => Ok(number.to_string()),
        toml::Value::Float(number) => Ok(number.to_string()),
        toml::Value::Boolean(true) => Ok("on".to_owned()),
        toml::Value::Boolean(false) => Ok("off".to_owned()),
        other => Err(format!(
            "expected a text, a number or true/false, found {}",
            other.type_str()
        )),
    }
}

/// The table with the settings; `None` where the file has none.
fn table_of(file: &File) -> Result<Option<Table>, String> {
    let path = file.place.path.display();
    let whole: Table = file.text.parse().map_err(|error: toml::de::Error| {
        let line = error.span().map_or(1, |span| {
            let before = file.text.get(..span.start).unwrap_or_default();
            before.matches('\n').count() + 1
        });
        format!("{path}:{line}: is no TOML: {}", error.message())
    })?;
    let mut table = whole;
    for name in file.place.table.split('.') {
        match table.remove(name) {
            None => return Ok(None),
            Some(toml::Value::Table(inner)) => table = inner,
            Some(other) => {
                let found = other.type_str();
                return Err(format!("{path}: `{name}`: expected a table, found {found}"));
            }
        }
    }
    Ok(Some(table))
}

fn unknown_keys(place: &Place, table: &Table) -> Vec<String> {
    let unknown = table.keys().filter(|key| registry::find(key).is_none());
    unknown
        .map(|key| {
            let advice = match registry::nearest(key) {
                Some(meant) => format!("did you mean `{meant}`?"),
                None => "`corrente serve --show-config` shows those that there are".to_owned(),
            };
            let Place { path, table } = place;
            format!(
                "{}: [{table}] has no setting `{key}`; {advice}",
                path.display()
            )
        })
        .collect()
}

/// Variables that were probably meant for a setting, each with a line that says so. Not a mistake: the prefix is free to all, and
/// an orchestrator makes variables of a service's name.
pub(super) fn slips(environment: &BTreeMap<String, String>) -> Vec<String> {
    let told = environment.keys().filter_map(|variable| {
        let name = variable.strip_prefix("CORRENTE_")?.to_lowercase();
        let meant = registry::nearest(&name)?;
        let meant = registry::find(meant)?.variable();
        (meant != *variable)
            .then(|| format!("{variable} is no setting and has no effect; did you mean {meant}?"))
    });
    told.collect()
}

const OWN_FILE: (&str, &str) = ("corrente.toml", "serve");
const PROJECT_FILE: (&str, &str) = ("pyproject.toml", "tool.corrente.serve");

/// Finds the file of settings: the one that was named, or the first in `folder` that has some.
pub(super) fn find_file(named: Option<&Path>, folder: &Path) -> Result<Option<File>, String> {
    if let Some(path) = named {
        let is_project = path.file_name().is_some_and(|name| name == PROJECT_FILE.0);
        let (_, table) = if is_project { PROJECT_FILE } else { OWN_FILE };
        return match open(path, table)? {
            Some(file) if !has_table(&file) => {
                Err(format!("{}: has no table [{table}]", path.display()))
            }
            Some(file) => Ok(Some(file)),
            None => Err(format!("{}: no such file", path.display())),
        };
    }
    for (name, table) in [OWN_FILE, PROJECT_FILE] {
        // Relative, so that messages name it as one would.
        let path = if folder == Path::new(".") {
            PathBuf::from(name)
        } else {
            folder.join(name)
        };
        if let Some(file) = open(&path, table)?.filter(has_table) {
            return Ok(Some(file));
        }
    }
    Ok(None)
}

/// Whether it has our table, or cannot be read as TOML, which has to be said.
fn has_table(file: &File) -> bool {
    !matches!(table_of(file), Ok(None))
}

fn open(path: &Path, table: &'static str) -> Result<Option<File>, String> {
    let place = Place {
        path: path.to_owned(),
        table,
    };
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(File { place, text })),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(format!("{}: {error}", path.display())),
    }
}
