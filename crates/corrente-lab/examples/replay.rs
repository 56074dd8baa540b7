//! The predictions of a stored result, made again: prints the result with them.
//!
//! `cargo run --release -p corrente-lab --example replay -- RESULT.json LAB all|one-user|no-work`, where LAB is
//! the folder of the scenario files. `cargo xtask bench model --replay` runs it and adds up.

use std::error::Error;
use std::io::Write as _;

use corrente_lab::files::LabFiles;
use corrente_lab::replay::{Basis, replay};

const USAGE: &str = "expected RESULT.json LAB all|one-user|no-work";

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [result, lab, basis] = arguments.as_slice() else {
        return Err(USAGE.into());
    };
    let basis = match basis.as_str() {
        "all" => Basis::All,
        "one-user" => Basis::OneUser,
        "no-work" => Basis::NoWork,
        _ => return Err(USAGE.into()),
    };
    let result = serde_json::from_str(&std::fs::read_to_string(result)?)?;
    let replayed = replay(&result, &LabFiles::Folder(lab.into()), basis)?;
    writeln!(std::io::stdout(), "{}", serde_json::to_string(&replayed)?)?;
    Ok(())
}
