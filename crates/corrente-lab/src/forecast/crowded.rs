//! What requests cost in more synchronous processes than there are cores.
//!
//! Processes that take turns on a core come back to caches that others have filled. One user alone, whom
//! the service is measured by, does not show that; the calibration's requests under load do. Between the
//! two a service moves as from one stack to another: the stack's part is exchanged, the code's own takes as
//! long as work takes there. How cold a long wait leaves such a process is told there, too: its core has been others'
//! meanwhile, or nobody's, and neither is what one user alone shows. No judged request goes in. Pure.

use corrente_model::calibration;
use corrente_model::service::{Concurrency, Service};
use corrente_report::result::Side;

use super::calibrated::Under;
use super::{Comparison, Known, Runner};

impl Runner {
    /// Whether its processes, which serve one request each, take turns on the cores.
    pub(crate) fn is_crowded(&self, cores: usize) -> bool {
        let is_single = self.concurrency == Concurrency::Threads(1);
        self.side == Side::Sync && is_single && self.processes > cores
    }

    /// What its processes meet when all of a case's users ask.
    pub(super) fn under(&self, cores: usize) -> Under {
        if self.is_crowded(cores) {
            Under::Crowd
        } else {
            Under::Load
        }
    }
}

impl Known {
    /// The service as it costs in crowded processes; `None` where they do not crowd, or the calibration's
    /// requests were not measured there or by one user alone.
    pub(super) fn crowded(&self, alone: &Service, comparison: &Comparison<'_>) -> Option<Service> {
        let Comparison { over, measured, .. } = comparison;
        if !over.is_crowded(comparison.cores) {
            return None;
        }
        let from = self.stack(comparison, measured, Under::OneUser)?;
        let to = self.stack(comparison, over, Under::Crowd)?;
        // A kind of call that nobody calibrated is told where the service moves to the other side.
        calibration::moved(alone, &from, &to).ok()
    }
}
