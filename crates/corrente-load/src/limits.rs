//! What the operating system allows: open descriptors and CPUs.
//!
//! It must not know plans; it is told a number and makes it possible or says why not. Key
//! invariant: limits are only ever raised, and never above the hard limit.

use std::io;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use rustix::thread::{CpuSet, sched_setaffinity};

use crate::error::LoadError;

/// Descriptors kept free for everything that is not a load connection: files, pipes, epoll, timers.
pub(crate) const RESERVED_DESCRIPTORS: u64 = 64;

/// Makes sure that this process may have `needed` descriptors open, raising its soft limit if
/// necessary, and says how many it may now have.
pub fn raise_descriptor_limit(needed: u64) -> Result<u64, LoadError> {
    let limit = getrlimit(Resource::Nofile);
    let current = limit.current.unwrap_or(u64::MAX);
    if current >= needed {
        return Ok(current);
    }
    let allowed = limit.maximum.unwrap_or(u64::MAX);
    if allowed < needed {
        return Err(LoadError::Descriptors { needed, allowed });
    }
    let raised = Rlimit {
        current: Some(needed),
        maximum: limit.maximum,
    };
    setrlimit(Resource::Nofile, raised)
        .map_err(LoadError::system("raise the limit of open descriptors"))?;
    Ok(needed)
}

/// Binds the calling thread, which is generator thread number `thread`, to one CPU.
pub(crate) fn pin(thread: usize, cpu: usize) -> Result<(), LoadError> {
    let refuse = |source| LoadError::Pinning {
        thread,
        cpu,
        source,
    };
    if cpu >= CpuSet::MAX_CPU {
        return Err(refuse(io::Error::from(io::ErrorKind::InvalidInput)));
    }
    let mut cpus = CpuSet::new();
    cpus.set(cpu);
    sched_setaffinity(None, &cpus).map_err(|error| refuse(error.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_soft_limit_rises_only_as_far_as_allowed() {
        let hard = getrlimit(Resource::Nofile).maximum;
        assert!(raise_descriptor_limit(16).unwrap() >= 16);
        if let Some(hard) = hard {
            assert!(raise_descriptor_limit(hard).unwrap() >= hard);
            let refusal = raise_descriptor_limit(hard + 1).unwrap_err().to_string();
            assert!(refusal.contains("at most"), "{refusal}");
        }
    }

    #[test]
    fn a_cpu_that_does_not_exist_is_refused_by_name() {
        for cpu in [1000, usize::MAX] {
            let refusal = pin(3, cpu).unwrap_err().to_string();
            assert!(
                refusal.contains(&format!("thread 3 cannot run on CPU {cpu}")),
                "{refusal}"
            );
        }
    }
}
