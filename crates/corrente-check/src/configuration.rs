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
        let Some(table) = table else {
            return Ok(Self::default());
        };
        let toml::Value::Table(table) = table else {
            let found = table.type_str();
            return Err(format!(
                "`tool.corrente.check`: expected a table, found {found}; write `[tool.corrente.check]`"
            ));
        };
        // Each key by itself first, so that what is wrong can be named.
        for (key, value) in table {
            let alone = toml::Table::from_iter([(key.clone(), value.clone())]);
            Self::of(alone).map_err(|said| format!("`[tool.corrente.check]` `{key}`: {said}"))?;
        }
        Self::of(table.clone()).map_err(|said| format!("`[tool.corrente.check]`: {said}"))
    }

    fn of(table: toml::Table) -> Result<Self, String> {
        let read = table.try_into();
        read.map_err(|error: toml::de::Error| error.message().to_owned())
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

    #[test]
    fn what_is_of_the_wrong_kind_is_named() {
        let said = |text: &str| Configuration::read(text).expect_err("it is wrong");
        let error = said("[tool.corrente.check]\nignore = []\nexclude = \"old\"\n");
        assert!(
            error.contains("`exclude`") && error.contains("\"old\""),
            "{error}"
        );
        let error = said("[tool.corrente]\ncheck = 3\n");
        assert!(error.contains("expected a table, found integer"), "{error}");
        assert!(!error.contains("struct"), "{error}");
    }
}
