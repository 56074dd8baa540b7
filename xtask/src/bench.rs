//! `cargo xtask bench NAME`: benchmarks whose results are published in docs/BENCHMARKS.md.
//!
//! A benchmark is an entry of [`BENCHES`] and a module of its own. Each prints its figures together
//! with the conditions under which they were made.

mod attach;
mod check;
mod children;
pub(crate) mod conditions;
mod document;
mod event_loop;
mod figures;
mod gauge;
mod gunicorn;
mod http;
mod load;
mod model;
mod options;
mod paterson;
mod place;
mod printed;
mod processor_time;
mod program;
mod programs;
mod recordings;
mod selection;
mod server;
mod versions;

use crate::failure::Failure;
use crate::step::Project;

/// A benchmark: its name, one line about it, how it is called, and the function that runs it.
struct Bench {
    name: &'static str,
    about: &'static str,
    usage: &'static str,
    run: fn(&Project, &[String]) -> Result<(), Failure>,
}

/// Every benchmark, in the order of the list.
const BENCHES: &[Bench] = &[
    Bench {
        name: "load",
        about: "the load generator against wrk and oha (5 minutes)",
        usage: load::USAGE,
        run: load::load,
    },
    Bench {
        name: "gauge",
        about: "what recording costs a service, and whether its CPU totals are right (4 minutes)",
        usage: gauge::USAGE,
        run: gauge::gauge,
    },
    Bench {
        name: "attach",
        about: "what gauge attach finds from outside, against gauge run (2 minutes)",
        usage: attach::USAGE,
        run: attach::attach,
    },
    Bench {
        name: "loop",
        about: "the event loop against asyncio, uvloop, rloop and others (25 minutes)",
        usage: event_loop::USAGE,
        run: event_loop::event_loop,
    },
    Bench {
        name: "http",
        about: "decoding of requests and encoding of responses, in memory (seconds)",
        usage: http::USAGE,
        run: http::http,
    },
    Bench {
        name: "server",
        about: "the server against Uvicorn, Granian, fastpysgi and others (50 minutes)",
        usage: server::USAGE,
        run: server::server,
    },
    Bench {
        name: "paterson",
        about: "Paterson's request by async stacks on Corrente, against sync ones (5 minutes)",
        usage: paterson::USAGE,
        run: paterson::paterson,
    },
    Bench {
        name: "check",
        about: "how long the analyser takes, beside Ruff and flake8-async (2 minutes)",
        usage: check::USAGE,
        run: check::check,
    },
    Bench {
        name: "model",
        about: "speed and accuracy of the model's predictions (40 minutes)",
        usage: model::USAGE,
        run: model::model,
    },
    Bench {
        name: "recordings",
        about: "predictions from recordings of sync workers alone, against measured gains (12 minutes)",
        usage: recordings::USAGE,
        run: recordings::recordings,
    },
];

/// Runs the benchmark that the first argument names; without one, lists them.
pub(crate) fn bench(project: &Project, arguments: &[String]) -> Result<(), Failure> {
    let Some((name, rest)) = arguments.split_first() else {
        for bench in BENCHES {
            println!("{:<10} {}", bench.name, bench.about);
        }
        return Ok(());
    };
    match BENCHES.iter().find(|bench| bench.name == name) {
        Some(bench) if rest.iter().any(|word| word == "--help") => {
            print!("{}", bench.usage);
            Ok(())
        }
        Some(bench) => (bench.run)(project, rest),
        None => Err(Failure::usage(format!("there is no benchmark `{name}`"))
            .hint("`cargo xtask bench` lists them")),
    }
}
