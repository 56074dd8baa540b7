//! `cargo xtask bench load`: our load generator against wrk and oha.
//!
//! Speed: requests a second from one processor, and the CPU time that each request costs. Agreement:
//! throughput and median under a load that all can hold. Generators take turns in rounds of rotated
//! order, so that a mood of the machine meets all of them. This file decides what is measured; it
//! knows no generator's options or output. A run with failed requests is no result.

mod process;
mod report;
mod tool;

use self::process::{Server, watch};
use self::report::{Sample, Series};
use self::tool::{Load, Tool, Tools};
use super::children::{Interruption, turns};
use super::conditions;
use super::document::Published;
use super::options::{self, Asked, Flag};
use crate::failure::Failure;
use crate::step::Project;

pub(super) const USAGE: &str = "\
cargo xtask bench load [--rounds N] [--seconds S] [--write]

  --rounds N    runs of each generator in each part, 2 to 100 (default: 7)
  --seconds S   length of a run, 2 to 60 (default: 4)
  --write       put the result into docs/BENCHMARKS.md
";

/// One round carries no interval.
const FLAGS: [Flag; 2] = [
    Flag {
        name: "--rounds",
        least: 2,
        most: 100,
        default: 7,
    },
    Flag {
        name: "--seconds",
        least: 2,
        most: 60,
        default: 4,
    },
];

/// What a part is to show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Goal {
    Speed,
    Agreement,
}

/// One comparison.
#[derive(Debug)]
struct Part {
    title: &'static str,
    goal: Goal,
    /// Arguments of `corrente lab`.
    server: &'static str,
    server_cpu: usize,
    generator_cpu: usize,
    connections: usize,
    rate_per_s: Option<u32>,
    /// Ours first.
    tools: &'static [Tool],
}

const FAST: &str = "serve-echo --protocol http";
const DELAYED: &str = "serve-origin --median-ms 5 --sigma 0";

const PARTS: &[Part] = &[
    Part {
        title: "A1. Speed, a processor each: generator on CPU 1, server on CPU 0",
        goal: Goal::Speed,
        server: FAST,
        server_cpu: 0,
        generator_cpu: 1,
        connections: 64,
        rate_per_s: None,
        tools: &[Tool::Corrente, Tool::Wrk],
    },
    Part {
        title: "A2. Speed, one processor: generator and server share CPU 1",
        goal: Goal::Speed,
        server: FAST,
        server_cpu: 1,
        generator_cpu: 1,
        connections: 64,
        rate_per_s: None,
        tools: &[Tool::Corrente, Tool::Wrk],
    },
    Part {
        title: "B1. Agreement, closed loop: generator on CPU 1, server on CPU 0",
        goal: Goal::Agreement,
        server: DELAYED,
        server_cpu: 0,
        generator_cpu: 1,
        connections: 32,
        rate_per_s: None,
        tools: &[Tool::Corrente, Tool::Wrk, Tool::Oha],
    },
    // wrk has no open loop. 1930 requests/s of 5 ms need 10 connections on average; 64 leave room.
    // At 2000 requests/s every arrival would meet the origin's timer, which ticks each millisecond,
    // at one of two moments, and the median would be that of either one: 1930 has 193 moments.
    Part {
        title: "B2. Agreement, open loop: generator on CPU 1, server on CPU 0",
        goal: Goal::Agreement,
        server: DELAYED,
        server_cpu: 0,
        generator_cpu: 1,
        connections: 64,
        rate_per_s: Some(1930),
        tools: &[Tool::Corrente, Tool::Oha],
    },
];

impl Part {
    /// The load in words.
    fn load_text(&self) -> String {
        match self.rate_per_s {
            Some(rate) => format!("{rate} requests/s"),
            None => format!("{} connections", self.connections),
        }
    }
}

/// Runs all parts and prints the result.
pub(super) fn load(project: &Project, arguments: &[String]) -> Result<(), Failure> {
    let Asked {
        numbers: [rounds, seconds],
        outcome,
    } = options::parse("load", FLAGS, arguments)?;
    let options = Options {
        rounds: rounds as usize,
        seconds,
    };
    conditions::two_processors()?;
    let published = Published::wanted(outcome, &project.root, "load")?;
    let tools = Tools::prepare(project)?;
    let interruption = Interruption::listen()?;
    let mut text = heading(&tools, &options)?;
    println!("{text}");
    for part in PARTS {
        let series = measure(part, &options, &tools, &interruption)?;
        let table = report::part(part, &series);
        println!("{table}");
        text = format!("{text}\n{table}");
    }
    published.map_or(Ok(()), |published| published.write(&text))
}

fn heading(tools: &Tools, options: &Options) -> Result<String, Failure> {
    let Options { rounds, seconds } = options;
    let conditions = conditions::describe()?;
    let versions = &tools.versions;
    Ok(format!(
        "{versions}\n{conditions}\n{rounds} rounds of {seconds} s a run, order rotated\n"
    ))
}

/// All rounds of a part.
fn measure(
    part: &Part,
    options: &Options,
    tools: &Tools,
    interruption: &Interruption,
) -> Result<Vec<Series>, Failure> {
    let server = Server::start(&tools.corrente, part.server, part.server_cpu, interruption)?;
    let mut series: Vec<Series> = part
        .tools
        .iter()
        .map(|tool| Series {
            tool: *tool,
            samples: Vec::new(),
        })
        .collect();
    let load = Load {
        connections: part.connections,
        rate_per_s: part.rate_per_s,
        seconds: options.seconds,
        cpu: part.generator_cpu,
    };
    for round in 0..options.rounds {
        for index in turns(round, series.len()) {
            let tool = series[index].tool;
            let mut command = tools.command(tool, &load, &server.url());
            let sample = watch(&mut command, load.seconds, &server, interruption)
                .map_err(|failure| failure.to_string())
                .and_then(|watched| sample(tool, &watched))
                .map_err(|what| {
                    Failure::step(format!("{}, `{}`: {what}", part.title, tool.name()))
                })?;
            series[index].samples.push(sample);
            eprintln!(
                "{} {}/{} {:<8} {:>9.0} requests/s, P50 {:.3} ms",
                &part.title[..2],
                round + 1,
                options.rounds,
                tool.name(),
                sample.figures.requests_per_s,
                sample.figures.p50_ms,
            );
        }
    }
    Ok(series)
}

fn sample(tool: Tool, watched: &process::Watched) -> Result<Sample, String> {
    let figures = tool
        .read(&watched.text)
        .map_err(|what| format!("its output is not as expected: {what}"))?;
    if figures.failed > 0 {
        return Err(format!("{} requests failed", figures.failed));
    }
    Ok(Sample {
        figures,
        busy: watched.busy,
    })
}

/// How much is measured.
#[derive(Debug, PartialEq, Eq)]
struct Options {
    rounds: usize,
    seconds: u32,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ours_is_first_in_every_part_and_wrk_has_no_rate() {
        for part in PARTS {
            assert_eq!(part.tools.first(), Some(&Tool::Corrente), "{}", part.title);
            assert!(part.rate_per_s.is_none() || !part.tools.contains(&Tool::Wrk));
        }
    }
}
