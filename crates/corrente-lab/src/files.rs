//! The lab's data files: scenarios, contenders' programs, requirements, prices.
//!
//! They are embedded in the binary, so that an installed wheel is whole, and laid out on disk for a
//! run; `--lab DIR` reads another folder of the same layout instead (lab/README.md). Knows nothing
//! of what is in a scenario beyond its parser.

use std::path::{Path, PathBuf};

use include_dir::{Dir, include_dir};

use crate::error::LabError;
use crate::scenario::{Scenario, ScenarioError};

static EMBEDDED: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../../lab");

/// A scenario's name, and the scenario or what is wrong with its file.
pub type ScenarioFile = (String, Result<Scenario, ScenarioError>);

/// A scenario's name, and the text of its file or why it cannot be read.
type NamedText = (String, Result<String, String>);

/// Where the data files come from.
#[derive(Debug, Clone, Default)]
pub enum LabFiles {
    /// The ones in the binary.
    #[default]
    Embedded,
    /// A folder of the same layout.
    Folder(PathBuf),
}

impl LabFiles {
    /// Every scenario in its order, or what is wrong with its file.
    pub fn scenarios(&self) -> Result<Vec<ScenarioFile>, LabError> {
        let mut scenarios: Vec<_> = self
            .scenario_texts()?
            .into_iter()
            .map(|(name, text)| {
                let malformed = |message| ScenarioError::Malformed {
                    name: name.clone(),
                    message,
                };
                let scenario = text
                    .map_err(malformed)
                    .and_then(|text| Scenario::parse(&name, &text));
                (name, scenario)
            })
            .collect();
        scenarios.sort_by_key(|(name, scenario)| {
            (
                scenario
                    .as_ref()
                    .map_or(u32::MAX, |scenario| scenario.order),
                name.clone(),
            )
        });
        Ok(scenarios)
    }

    /// The text of a file, by its path within the lab's folder.
    pub fn text(&self, path: &str) -> Result<String, LabError> {
        match self {
            Self::Embedded => EMBEDDED
                .get_file(path)
                .and_then(|file| file.contents_utf8())
                .map(str::to_owned)
                .ok_or_else(|| LabError::input(Path::new(path), "is not part of this build")),
            Self::Folder(folder) => read(&folder.join(path)),
        }
    }

    /// Lays out `apps` under `work` and returns where they are. A folder is used where it is.
    pub fn apps(&self, work: &Path) -> Result<PathBuf, LabError> {
        match self {
            Self::Folder(folder) => {
                let apps = folder.join("apps");
                std::path::absolute(&apps).map_err(|error| LabError::file(&apps, &error))
            }
            Self::Embedded => {
                let root = work.join("lab");
                write_directory(&EMBEDDED, &root, Path::new("apps"))?;
                Ok(root.join("apps"))
            }
        }
    }

    /// Each scenario's name and text, or why its file cannot be read.
    fn scenario_texts(&self) -> Result<Vec<NamedText>, LabError> {
        match self {
            Self::Embedded => Ok(EMBEDDED
                .get_dir("scenarios")
                .into_iter()
                .flat_map(Dir::files)
                .filter_map(|file| {
                    let text = file.contents_utf8()?.to_owned();
                    Some((scenario_name(file.path())?, Ok(text)))
                })
                .collect()),
            Self::Folder(folder) => {
                let scenarios = folder.join("scenarios");
                let entries = std::fs::read_dir(&scenarios)
                    .map_err(|error| LabError::input(&scenarios, error))?;
                let paths = entries.filter_map(Result::ok).map(|entry| entry.path());
                Ok(paths
                    .filter_map(|path| {
                        let text = std::fs::read_to_string(&path);
                        Some((
                            scenario_name(&path)?,
                            text.map_err(|error| error.to_string()),
                        ))
                    })
                    .collect())
            }
        }
    }
}

fn scenario_name(path: &Path) -> Option<String> {
    (path.extension()? == "toml")
        .then(|| path.file_stem())?
        .map(|name| name.to_string_lossy().into())
}

fn read(path: &Path) -> Result<String, LabError> {
    std::fs::read_to_string(path).map_err(|error| LabError::input(path, error))
}

fn write_directory(directory: &Dir<'_>, root: &Path, only: &Path) -> Result<(), LabError> {
    for child in directory
        .dirs()
        .filter(|child| child.path().starts_with(only))
    {
        let target = root.join(child.path());
        std::fs::create_dir_all(&target).map_err(|error| LabError::file(&target, &error))?;
        for file in child.files() {
            let target = root.join(file.path());
            std::fs::write(&target, file.contents())
                .map_err(|error| LabError::file(&target, &error))?;
        }
        write_directory(child, root, only)?;
    }
    Ok(())
}
