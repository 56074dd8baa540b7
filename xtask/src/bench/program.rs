//! A program that is told and asked things over its standard input and output, a line each.
//!
//! Whatever it does wrong (it ends, says nothing in time, says no JSON) is trouble of a contender,
//! with the last line of its complaints; it is no reason to end the benchmark. It does not outlive
//! its value.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{ChildStdin, ChildStdout, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::children::{Guard, Interruption, LIMIT, PACE, collect, joined};
use crate::failure::Failure;
use crate::step::cannot_start;

/// How long a program that is about to end is left to say why.
const LAST_WORDS: Duration = Duration::from_millis(500);
/// What CPython writes after the reason, of objects that outlive it.
const AFTERMATH: &str = "Exception ignored";
/// Of a complaint, as many characters as a line of the report holds.
const COMPLAINT_MAX: usize = 160;

/// Why there is no figure.
#[derive(Debug)]
pub(super) enum Trouble {
    /// The contender's affair: it leaves the row.
    Contender(String),
    /// Anything else: it ends the benchmark.
    Benchmark(Failure),
}

impl From<Failure> for Trouble {
    fn from(failure: Failure) -> Self {
        Self::Benchmark(failure)
    }
}

impl Trouble {
    /// The contender's trouble; any other goes on up.
    pub(super) fn of_contender(self) -> Result<String, Failure> {
        match self {
            Self::Contender(what) => Ok(what),
            Self::Benchmark(failure) => Err(failure),
        }
    }
}

/// A running program.
#[derive(Debug)]
pub(super) struct Program {
    child: Guard,
    input: Option<ChildStdin>,
    lines: Receiver<String>,
    complaints: Option<JoinHandle<String>>,
    interruption: Interruption,
}

impl Program {
    /// Starts it.
    pub(super) fn start(
        mut command: Command,
        interruption: &Interruption,
    ) -> Result<Self, Failure> {
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let child = command
            .spawn()
            .map_err(|error| cannot_start(&command, &error))?;
        let mut child = Guard(child);
        Ok(Self {
            input: child.0.stdin.take(),
            lines: lines_of(child.0.stdout.take()),
            complaints: collect(child.0.stderr.take()),
            child,
            interruption: interruption.clone(),
        })
    }

    /// Its process.
    pub(super) fn id(&self) -> u32 {
        self.child.0.id()
    }

    /// Asks it something that takes it so long, and hears the answer.
    pub(super) fn ask(&mut self, question: &str, length: Duration) -> Result<Value, Trouble> {
        let line = format!("{question}\n");
        let written = match &mut self.input {
            Some(input) => input
                .write_all(line.as_bytes())
                .and_then(|()| input.flush()),
            None => Ok(()),
        };
        // Where it cannot be written the program has ended, and hearing tells why.
        written.ok();
        self.hear(length)
    }

    /// The next thing that it tells.
    pub(super) fn hear(&mut self, length: Duration) -> Result<Value, Trouble> {
        let end = Instant::now() + length + LIMIT;
        loop {
            self.interruption.check()?;
            match self.lines.recv_timeout(PACE) {
                Ok(line) => {
                    return serde_json::from_str(&line)
                        .map_err(|_| Trouble::Contender(format!("printed `{line}`")));
                }
                Err(RecvTimeoutError::Disconnected) => return Err(self.last_words("ended")),
                Err(RecvTimeoutError::Timeout) if Instant::now() > end => {
                    return Err(self.last_words("said nothing in time"));
                }
                Err(RecvTimeoutError::Timeout) => {}
            }
        }
    }

    /// Ends it, for the last of its complaints.
    pub(super) fn last_words(&mut self, otherwise: &str) -> Trouble {
        let end = Instant::now() + LAST_WORDS;
        while !self.has_ended() && Instant::now() < end {
            thread::sleep(PACE);
        }
        // Fails only where it has ended already.
        self.child.0.kill().ok();
        let complaints = joined(self.complaints.take());
        let words = reason_in(&complaints).unwrap_or(otherwise);
        Trouble::Contender(words.chars().take(COMPLAINT_MAX).collect())
    }

    /// Whether it has ended by itself.
    pub(super) fn has_ended(&mut self) -> bool {
        matches!(self.child.0.try_wait(), Ok(Some(_)))
    }
}

/// The last line of a complaint, which is the exception where it is a traceback.
fn reason_in(complaints: &str) -> Option<&str> {
    let lines = complaints.lines();
    lines
        .take_while(|line| !line.starts_with(AFTERMATH))
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .last()
}

/// The lines of a pipe, read beside, so that waiting for one can have a limit.
fn lines_of(pipe: Option<ChildStdout>) -> Receiver<String> {
    let (sender, receiver) = channel();
    if let Some(pipe) = pipe {
        thread::spawn(move || {
            for line in BufReader::new(pipe).lines().map_while(Result::ok) {
                // Nobody listens any more.
                if sender.send(line).is_err() {
                    return;
                }
            }
        });
    }
    receiver
}

/// A number of an answer.
pub(super) fn number(answer: &Value, name: &str) -> Result<f64, Trouble> {
    answer[name]
        .as_f64()
        .ok_or_else(|| Trouble::Contender(format!("does not tell `{name}`: {answer}")))
}

/// Nothing where the answer is good, else why it is not.
pub(super) fn good(answer: &Value) -> Result<(), Trouble> {
    match answer["cannot"].as_str() {
        Some(why) => Err(Trouble::Contender(why.to_owned())),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Program {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        Program::start(command, &Interruption::never()).expect("sh starts")
    }

    fn trouble(answer: Result<Value, Trouble>) -> String {
        let trouble = answer.expect_err("something is wrong");
        trouble.of_contender().expect("it is the contender's")
    }

    #[test]
    fn a_question_is_answered() {
        let mut program = shell("read x; echo \"{\\\"words\\\": \\\"$x\\\"}\"");
        let answer = program.ask("how many", Duration::ZERO).expect("answers");
        assert_eq!(answer["words"], "how many");
        assert_eq!(trouble(program.hear(Duration::ZERO)), "ended");
    }

    #[test]
    fn a_program_that_ends_is_quoted() {
        let mut program = shell("echo first >&2; echo the reason >&2; exit 3");
        assert_eq!(trouble(program.hear(Duration::ZERO)), "the reason");
        let mut program = shell("echo Error: why >&2; echo Exception ignored in: x >&2; exit 1");
        assert_eq!(trouble(program.hear(Duration::ZERO)), "Error: why");
        let mut program = shell("echo hello");
        assert_eq!(trouble(program.hear(Duration::ZERO)), "printed `hello`");
    }
}
