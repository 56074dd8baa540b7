//! What the kernel says of the machine: its parts, and how busy its processors are.
//!
//! Reads `/proc` only. Knows nothing of scenarios. Processor shares come from `/proc/stat`
//! (`proc_stat(5)`), whose unit is the clock tick: over a second they are good to about 1 %.

use std::fs;

use corrente_report::result::Machine;

/// The processors that this process may use, in rising order (`sched_getaffinity(2)`).
pub(crate) fn allowed_processors() -> Vec<usize> {
    let Ok(set) = rustix::thread::sched_getaffinity(None) else {
        return vec![0];
    };
    (0..rustix::thread::CpuSet::MAX_CPU)
        .filter(|cpu| set.is_set(*cpu))
        .collect()
}

/// Model of the processor as the kernel names it, where it does.
pub fn processor() -> Option<String> {
    let processors = fs::read_to_string("/proc/cpuinfo").ok()?;
    field(&processors, "model name").map(str::to_owned)
}

/// The facts that a published figure must carry.
pub(crate) fn describe(python: String, postgres: Option<String>) -> Machine {
    let processors = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let system = rustix::system::uname();
    Machine {
        cpu: processor().unwrap_or_else(|| "unknown".to_owned()),
        cores: allowed_processors().len(),
        memory_bytes: memory_bytes(),
        kernel: format!(
            "{} {}",
            system.sysname().to_string_lossy(),
            system.release().to_string_lossy()
        ),
        virtualised: field(&processors, "flags").is_some_and(|flags| {
            flags
                .split_ascii_whitespace()
                .any(|flag| flag == "hypervisor")
        }),
        python,
        postgres,
    }
}

fn field<'text>(text: &'text str, name: &str) -> Option<&'text str> {
    text.lines()
        .filter_map(|line| line.split_once(':'))
        .find(|(key, _)| key.trim() == name)
        .map(|(_, value)| value.trim())
}

fn memory_bytes() -> u64 {
    let text = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let kibibytes = field(&text, "MemTotal")
        .and_then(|value| value.split_ascii_whitespace().next())
        .and_then(|number| number.parse::<u64>().ok());
    kibibytes.unwrap_or(0) * 1024
}

/// Clock ticks that a set of processors has spent since boot.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct ProcessorTicks {
    busy: u64,
    idle: u64,
    stolen: u64,
}

/// How a set of processors spent an interval; shares of 0 to 1.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct ProcessorUse {
    /// Running anything.
    pub busy: f64,
    /// Taken by the hypervisor.
    pub stolen: f64,
}

impl ProcessorTicks {
    /// Reads the counters of these processors, of all where none is named; zeros where the kernel
    /// does not tell.
    pub(crate) fn read(processors: &[usize]) -> Self {
        Self::parse(
            &fs::read_to_string("/proc/stat").unwrap_or_default(),
            processors,
        )
    }

    fn parse(text: &str, processors: &[usize]) -> Self {
        let mut ticks = Self::default();
        for line in text.lines() {
            let mut columns = line.split_ascii_whitespace();
            let number = columns.next().and_then(|name| name.strip_prefix("cpu"));
            let Some(number) = number.and_then(|digits| digits.parse::<usize>().ok()) else {
                continue;
            };
            if processors.is_empty() || processors.contains(&number) {
                ticks.add(
                    &columns
                        .map(|value| value.parse().unwrap_or(0))
                        .collect::<Vec<u64>>(),
                );
            }
        }
        ticks
    }

    /// Columns: user nice system idle iowait irq softirq steal (guest time is part of user).
    fn add(&mut self, columns: &[u64]) {
        let at = |index: usize| columns.get(index).copied().unwrap_or(0);
        self.busy += at(0) + at(1) + at(2) + at(5) + at(6);
        self.idle += at(3) + at(4);
        self.stolen += at(7);
    }

    /// How the processors spent the time since `earlier`.
    pub(crate) fn since(self, earlier: Self) -> ProcessorUse {
        let busy = self.busy.saturating_sub(earlier.busy) as f64;
        let idle = self.idle.saturating_sub(earlier.idle) as f64;
        let stolen = self.stolen.saturating_sub(earlier.stolen) as f64;
        let all = (busy + idle + stolen).max(1.0);
        ProcessorUse {
            busy: busy / all,
            stolen: stolen / all,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STAT: &str = "cpu  9 9 9 9 9 9 9 9 0 0\ncpu0 10 0 5 80 5 0 0 0 0 0\ncpu1 40 0 0 50 0 0 0 10 0 0\nintr 5\n";

    #[test]
    fn takes_only_the_processors_asked_for() {
        let start = ProcessorTicks::default();
        let one = ProcessorTicks::parse(STAT, &[1]).since(start);
        assert_eq!(
            one,
            ProcessorUse {
                busy: 0.4,
                stolen: 0.1
            }
        );
        let all = ProcessorTicks::parse(STAT, &[]).since(start);
        assert_eq!(
            all,
            ProcessorUse {
                busy: 0.275,
                stolen: 0.05
            }
        );
        let none = ProcessorTicks::parse(STAT, &[7]).since(start);
        assert_eq!(none, ProcessorUse::default());
    }

    #[test]
    fn this_machine_has_a_processor_and_memory() {
        let machine = describe("3.11".to_owned(), None);
        assert!(
            machine.cores >= 1 && machine.memory_bytes > 0,
            "{machine:?}"
        );
    }
}
