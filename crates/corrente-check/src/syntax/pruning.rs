//! Operations that nothing can notice are left out: what they put into a slot, nobody reads.
//!
//! Lowering keeps a slot for every version that a branch, a loop or a `try` may leave behind; most are
//! never read. What an operation does besides (a call, an attribute that may be a property) stays.

use crate::facts::{Action, FunctionFacts, Slot, YIELDS};
use crate::uses::each_use;

/// Leaves out of a body what nothing can notice.
pub(super) fn prune(body: &mut FunctionFacts) {
    let mut users = vec![0_u32; body.slots as usize];
    for operation in &body.operations {
        each_use(&operation.action, |slot| users[slot as usize] += 1);
    }
    // What only a left out operation used is unused then; so it goes from the end to the beginning,
    // and once more where a loop leads back.
    loop {
        let before = body.operations.len();
        let mut kept = Vec::with_capacity(before);
        for operation in std::mem::take(&mut body.operations).into_iter().rev() {
            let is_unused = |slot: Slot| slot > YIELDS && users[slot as usize] == 0;
            if only_fills(&operation.action).is_some_and(is_unused) {
                each_use(&operation.action, |slot| users[slot as usize] -= 1);
            } else {
                kept.push(operation);
            }
        }
        kept.reverse();
        body.operations = kept;
        if body.operations.len() == before {
            break;
        }
    }
    body.operations.shrink_to_fit();
}

/// The slot that an operation fills, if it does nothing else.
fn only_fills(action: &Action) -> Option<Slot> {
    match action {
        Action::Copy { to, .. }
        | Action::Text { to, .. }
        | Action::Number { to, .. }
        | Action::Builtin { to, .. }
        | Action::Load { to, .. }
        | Action::Filter { to, .. } => Some(*to),
        _ => None,
    }
}
