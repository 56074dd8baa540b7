//! `--plan`: the way of synchronous code to asynchronous, with or without a recording.
//!
//! Reading the recording and printing; the plan itself is the library's.

use std::fs;
use std::path::Path;

use corrente_check::plan::{Plan, Recorded};
use corrente_check::{Catalogue, plan, render};

use super::arguments::{Arguments, Form};
use super::files::Files;
use super::{FOUND, Refusal, output, refuse};

/// Makes the plan and shows it.
pub(super) fn run(
    arguments: &Arguments,
    found: &Files,
    catalogue: &Catalogue,
) -> Result<u8, Refusal> {
    let recorded = arguments.gauge.as_deref().map(recorded).transpose()?;
    let mut plan = plan(
        &found.sources,
        catalogue,
        super::threads(),
        recorded.as_ref(),
    );
    found.add_faults(&mut plan.faults);
    super::faults(&plan.faults);
    show(arguments, &plan)?;
    Ok(if plan.endpoints.is_empty() { 0 } else { FOUND })
}

fn recorded(path: &Path) -> Result<Recorded, Refusal> {
    let text = fs::read_to_string(path)
        .map_err(|error| refuse(path, &format!("cannot be read: {error}")))?;
    Recorded::read(&text).map_err(|fault| refuse(path, &fault.to_string()))
}

fn show(arguments: &Arguments, plan: &Plan) -> Result<(), Refusal> {
    match arguments.form() {
        Form::Text => output::data(&render::plan(plan)),
        Form::Json => {
            let text = render::plan_json(plan)
                .map_err(|error| Refusal(format!("a bug of ours: {error}")))?;
            output::data(&text);
        }
        Form::Sarif | Form::Github => {
            return Err(Refusal(
                "a plan is text or JSON; leave out `--format`, or use `--json`".into(),
            ));
        }
    }
    Ok(())
}
