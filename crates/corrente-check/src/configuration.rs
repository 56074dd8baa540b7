//! `[tool.corrente.check]` of pyproject.toml.
//!
//! A table that is not there is an empty one; a key that nobody knows is an error, so that a
//! misspelt one does not silently do nothing.

use serde::Deserialize;

use crate::finding::Certainty;

/// The settings of a project; the command line goes before them.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct Configuration {
    /// Folders or files that are not read: by name wherever they are, or by path from pyproject.toml.
    pub exclude: Vec<String>,
    /// Rules that are not told.
    pub ignore: Vec<String>,
    /// The least certainty that is told.
    pub certainty: Option<Certainty>,
    /// The baseline, relative to pyproject.toml.
    pub baseline: Option<String>,
    /// Further catalogue files, relative to pyproject.toml.
    pub catalogue: Vec<String>,
}

impl Configuration {
    /// Reads a pyproject.toml.
    pub fn read(text: &str) -> Result<Self, String> {
        let whole: toml::Table = text
            .parse()
            .map_err(|error: toml::de::Error| format!("is no TOML: {}", error.message()))?;
        let table = whole
            .get("tool")
            .and_then(|tool| tool.get("corrente"))
            .and_then(|corrente| corrente.get("check"));
        match table {
            None => Ok(Self::default()),
            Some(table) => table.clone().try_into().map_err(|error: toml::de::Error| {
                format!("`[tool.corrente.check]`: {}", error.message())
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_project_without_the_table_has_no_settings() {
        let found = Configuration::read("[project]\nname = \"x\"\n").expect("it is right");
        assert!(found.exclude.is_empty() && found.certainty.is_none());
    }

    #[test]
    fn a_misspelt_key_is_told() {
        let error = Configuration::read("[tool.corrente.check]\nexclud = []\n");
        assert!(error.expect_err("it is wrong").contains("exclud"));
    }
}
