//! `corrente gauge attach`: a service that runs already, sampled from outside.
//!
//! Says at once what is being done and for how long, and ends on Ctrl-C with what was seen until
//! then. Nothing is written unless there is something to say.

use std::ffi::OsString;
use std::sync::atomic::Ordering;
use std::time::Duration;

use corrente_gauge::attach::{self, AttachError, LONGEST, Target};
use corrente_report::number::Numbers;
use corrente_report::{Catalogue, Message};
use indicatif::{ProgressBar, ProgressStyle};

use super::keep::{Kept, made_by};
use super::{Failure, machine, own};
use crate::arguments::GaugeAttach;
use crate::{Exit, lab, terminal};

pub(super) fn attach(asked: &GaugeAttach, program: &[OsString]) -> Result<Exit, Failure> {
    let time = time(asked.seconds)?;
    let place = Kept {
        out: &asked.out,
        json: asked.json,
        language: &asked.language,
    };
    place.check()?;
    let interrupted = lab::interruption().map_err(|error| {
        Failure::new(Exit::Machine, format!("cannot listen for Ctrl-C: {error}"))
    })?;
    let target = Target {
        pid: asked.pid,
        time,
        made_by: made_by(),
    };
    // Asked now: the process may have ended by the time that its interpreter is needed.
    let interpreters = [machine::of_process(asked.pid), own(program)];
    let bar = bar(time);
    let mut told = false;
    let attached = attach::attach(&target, &interrupted, &mut |progress| {
        if !told {
            told = true;
            say(&bar, &sampling(asked, time));
        }
        bar.set_position(u64::try_from(progress.elapsed.as_millis()).unwrap_or(0));
    });
    bar.finish_and_clear();
    let mut attached = attached.map_err(|error| Failure::new(exit(&error), error.to_string()))?;
    machine::note(&mut attached.recording, interpreters);
    place.keep(&attached.recording)?;
    Ok(if interrupted.load(Ordering::Relaxed) {
        Exit::Interrupted
    } else {
        Exit::Done
    })
}

fn time(seconds: f64) -> Result<Duration, Failure> {
    let time = Duration::try_from_secs_f64(seconds).ok();
    time.filter(|time| !time.is_zero() && *time <= LONGEST)
        .ok_or_else(|| {
            let line = format!(
                "--seconds: expected a number above 0 and up to {}, found {seconds}",
                LONGEST.as_secs()
            );
            Failure::new(Exit::Usage, line)
        })
}

fn sampling(asked: &GaugeAttach, time: Duration) -> String {
    let language = lab::language(&asked.language);
    let time = Numbers::new(language).duration(time.as_secs_f64());
    let pid = asked.pid.to_string();
    Catalogue::new(language).text(Message::GaugeSampling {
        pid: &pid,
        time: &time,
    })
}

fn say(bar: &ProgressBar, line: &str) {
    if bar.is_hidden() {
        terminal::note(line);
    } else {
        bar.println(line);
    }
}

fn bar(time: Duration) -> ProgressBar {
    let bar = ProgressBar::new(u64::try_from(time.as_millis()).unwrap_or(u64::MAX));
    let style = ProgressStyle::with_template("{bar:30} {eta}");
    bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}

fn exit(error: &AttachError) -> Exit {
    match error {
        AttachError::NoProcess { .. }
        | AttachError::NotPython { .. }
        | AttachError::OldPython { .. } => Exit::Usage,
        AttachError::Denied { .. } | AttachError::OtherNamespace { .. } => Exit::Machine,
        AttachError::NoRequests { .. }
        | AttachError::TooShort { .. }
        | AttachError::Greenlets { .. }
        | AttachError::Ended { .. } => Exit::Incomplete,
        AttachError::Cancelled => Exit::Interrupted,
    }
}
