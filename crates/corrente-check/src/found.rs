//! What a search found, before it is told: which calls block, and the ways to them.
//!
//! `At` says where in its module a call stands: a place, or the number of one (`spans`), which stays the
//! same when only the layout of the source changes. Nothing here knows lines; see `telling`.

use serde::{Deserialize, Serialize};

use crate::facts::Span;
use crate::finding::{Certainty, Extent};

/// All that was found.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Found<At = Span> {
    pub(crate) calls: Vec<FoundCall<At>>,
    /// Its lines are those of the sources that were searched.
    pub(crate) extent: Extent,
}

/// A blocking call that the loop reaches.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct FoundCall<At> {
    pub(crate) rule: String,
    pub(crate) call: String,
    pub(crate) certainty: Certainty,
    /// The blocking call itself.
    pub(crate) last: FoundStep<At>,
    /// From the start on, without the last.
    pub(crate) before: Vec<FoundStep<At>>,
    pub(crate) entry: String,
    pub(crate) reached_from: usize,
    pub(crate) instead: String,
}

/// A step of the way to it.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct FoundStep<At> {
    pub(crate) function: String,
    /// The module's number.
    pub(crate) module: u32,
    pub(crate) at: At,
}

impl<At: Copy> Found<At> {
    /// The same with other words for where things stand; none if one of them has none.
    pub(crate) fn with_places<To>(
        &self,
        mut place: impl FnMut(u32, At) -> Option<To>,
    ) -> Option<Found<To>> {
        let mut calls = Vec::with_capacity(self.calls.len());
        for call in &self.calls {
            let before = call.before.iter().map(|step| step.with_place(&mut place));
            calls.push(FoundCall {
                rule: call.rule.clone(),
                call: call.call.clone(),
                certainty: call.certainty,
                before: before.collect::<Option<_>>()?,
                last: call.last.with_place(&mut place)?,
                entry: call.entry.clone(),
                reached_from: call.reached_from,
                instead: call.instead.clone(),
            });
        }
        Some(Found {
            calls,
            extent: self.extent,
        })
    }
}

impl<At: Copy> FoundStep<At> {
    fn with_place<To>(
        &self,
        place: &mut impl FnMut(u32, At) -> Option<To>,
    ) -> Option<FoundStep<To>> {
        Some(FoundStep {
            function: self.function.clone(),
            module: self.module,
            at: place(self.module, self.at)?,
        })
    }
}
