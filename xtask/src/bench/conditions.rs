//! The conditions that a published figure must carry: the machine, its kernel, the day, and versions.
//!
//! Reads `/proc` and asks `date(1)` and Python. Knows nothing of the benchmark; what the kernel does not tell
//! is called unknown.

use std::fs;
use std::process::Command;
use std::thread;

use crate::failure::Failure;
use crate::python::Environment;
use crate::step::{Project, output};

/// Two lines about this machine and this day.
pub(crate) fn describe() -> Result<String, Failure> {
    let day = output(Command::new("date").arg("+%F"))?;
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let machine = machine(&fs::read_to_string("/proc/cpuinfo").unwrap_or_default());
    Ok(format!("{machine}\n{day}, Linux {}", kernel.trim()))
}

/// The versions of packages in an environment, and of its interpreter.
pub(super) fn versions(
    project: &Project,
    environment: &Environment,
    packages: &[&str],
) -> Result<String, Failure> {
    const VERSIONS: &str = "import platform, sys; from importlib.metadata import version; \
         print(', '.join(f'{name} {version(name)}' for name in sys.argv[1:]) \
         + f', CPython {platform.python_version()}')";
    let mut python = environment.command(project, "python");
    output(python.args(["-c", VERSIONS]).args(packages))
}

/// Refuses a machine on which service and generator would share a processor.
pub(super) fn two_processors() -> Result<(), Failure> {
    match thread::available_parallelism() {
        Ok(count) if count.get() < 2 => Err(Failure::step(
            "this benchmark needs CPU 0 and CPU 1, but may use only one processor",
        )),
        // Where the count is unknown, taskset will say what it cannot bind to.
        _ => Ok(()),
    }
}

/// The processor, how many of it, and whether there is a hypervisor under the kernel.
fn machine(processors: &str) -> String {
    let field = |name: &str| {
        let mut lines = processors.lines().filter_map(|line| line.split_once(':'));
        lines.find_map(|(key, value)| (key.trim() == name).then_some(value.trim()))
    };
    let is_processor = |line: &&str| line.split(':').next().map(str::trim) == Some("processor");
    let count = processors.lines().filter(is_processor).count();
    let flags = field("flags").unwrap_or_default();
    let virtualised = flags.split(' ').any(|flag| flag == "hypervisor");
    format!(
        "{}, {count} cores{}",
        field("model name").unwrap_or("unknown processor"),
        if virtualised { ", virtualised" } else { "" }
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_machine_is_named_with_its_cores() {
        let text = "processor\t: 0\nmodel name\t: A CPU @ 2 GHz\nflags\t\t: fpu hypervisor sse\n\n\
                    processor\t: 1\nmodel name\t: A CPU @ 2 GHz\n";
        assert_eq!(machine(text), "A CPU @ 2 GHz, 2 cores, virtualised");
        assert_eq!(machine(""), "unknown processor, 0 cores");
    }
}
