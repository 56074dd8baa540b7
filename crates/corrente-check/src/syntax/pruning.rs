//! Operations that nothing can notice are left out: what they put into a slot, nobody reads.
//!
//! Lowering keeps a slot for every version that a branch, a loop or a `try` may leave behind; most are
//! never read. What an operation does besides (a call, an attribute that may be a property) stays.

use crate::facts::{Action, FunctionFacts, Guard, Slot, YIELDS};
use crate::uses::each_use;

/// Leaves out of a body what nothing can notice.
pub(super) fn prune(body: &mut FunctionFacts) {
    let mut users = vec![0_u32; body.slots as usize];
    for operation in &body.operations {
        each_use(&operation.action, |slot| users[slot as usize] += 1);
    }
    for guard in &body.guards {
        guard.test.each_slot(&mut |slot| users[slot as usize] += 1);
    }
    let mut numbers: Vec<u32> = (0..body.operations.len() as u32).collect();
    // What only a left out operation used is unused then; so it goes from the end to the beginning,
    // and once more where a loop leads back.
    loop {
        let before = body.operations.len();
        let mut kept = Vec::with_capacity(before);
        let mut kept_numbers = Vec::with_capacity(before);
        let numbered = std::mem::take(&mut body.operations)
            .into_iter()
            .zip(numbers);
        for (operation, number) in numbered.rev() {
            let is_unused = |slot: Slot| slot > YIELDS && users[slot as usize] == 0;
            if only_fills(&operation.action).is_some_and(is_unused) {
                each_use(&operation.action, |slot| users[slot as usize] -= 1);
            } else {
                kept.push(operation);
                kept_numbers.push(number);
            }
        }
        kept.reverse();
        kept_numbers.reverse();
        body.operations = kept;
        numbers = kept_numbers;
        if body.operations.len() == before {
            break;
        }
    }
    body.operations.shrink_to_fit();
    renumber(&mut body.guards, &numbers);
}

/// Guards are about operations that have other numbers now; `kept` are the former ones.
fn renumber(guards: &mut Vec<Guard>, kept: &[u32]) {
    let now = |before: u32| kept.partition_point(|number| *number < before) as u32;
    for guard in guards.iter_mut() {
        (guard.first, guard.end) = (now(guard.first), now(guard.end));
    }
    guards.retain(|guard| guard.first < guard.end);
    guards.shrink_to_fit();
}

/// The slot that an operation fills, if it does nothing else.
fn only_fills(action: &Action) -> Option<Slot> {
    match action {
        Action::Copy { to, .. }
        | Action::Text { to, .. }
        | Action::Number { to, .. }
        | Action::Nothing { to }
        | Action::Builtin { to, .. }
        | Action::Load { to, .. }
        | Action::Filter { to, .. } => Some(*to),
        _ => None,
    }
}
