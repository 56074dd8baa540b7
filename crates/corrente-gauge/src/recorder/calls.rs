//! The calls of one request: noted while it runs, added up when it ends.
//!
//! Pure: a list of notes in, what a request did with each resource out. Here it is decided which
//! calls form a run, that is, might be made together.

/// One call of a resource that has ended.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct CallNote {
    pub(crate) resource: u16,
    pub(crate) wall_ns: u64,
    pub(crate) cpu_ns: u64,
    /// Where the program made it; 0 where that is not known.
    pub(crate) site: u64,
    pub(crate) kind: CallKind,
    /// Open together with another call of the request.
    pub(crate) overlapped: bool,
    /// A synchronous call in a step of a coroutine.
    pub(crate) blocking: bool,
}

/// Whether a call counts by itself.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum CallKind {
    /// A query, a request.
    #[default]
    Whole,
    /// A part of one that is counted already or will be: connecting, reading the body.
    Part,
}

/// Calls from one place with no other call between.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Run {
    pub(crate) resource: u16,
    pub(crate) length: u64,
    pub(crate) wall_ns: u64,
    pub(crate) longest_ns: u64,
}

/// The runs among `notes`, which are in the order in which the calls ended.
pub(crate) fn runs(notes: &[CallNote]) -> Vec<Run> {
    let mut found = Vec::new();
    let mut open: Option<(u64, Run)> = None;
    for note in notes.iter().filter(|note| note.kind == CallKind::Whole) {
        let alone = note.site != 0 && !note.overlapped;
        match &mut open {
            Some((site, run)) if alone && *site == note.site && run.resource == note.resource => {
                run.length += 1;
                run.wall_ns += note.wall_ns;
                run.longest_ns = run.longest_ns.max(note.wall_ns);
            }
            _ => {
                found.extend(open.take().map(|(_, run)| run));
                open = alone.then(|| (note.site, first(note)));
            }
        }
    }
    found.extend(open.map(|(_, run)| run));
    found.retain(|run| run.length > 1);
    found
}

fn first(note: &CallNote) -> Run {
    Run {
        resource: note.resource,
        length: 1,
        wall_ns: note.wall_ns,
        longest_ns: note.wall_ns,
    }
}

/// How many whole calls were made of each resource.
pub(crate) fn counts(notes: &[CallNote]) -> Vec<(u16, u64)> {
    let mut counts: Vec<(u16, u64)> = Vec::new();
    for note in notes.iter().filter(|note| note.kind == CallKind::Whole) {
        match counts.iter_mut().find(|(known, _)| *known == note.resource) {
            Some((_, count)) => *count += 1,
            None => counts.push((note.resource, 1)),
        }
    }
    counts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn note(resource: u16, site: u64, wall_ns: u64) -> CallNote {
        CallNote {
            resource,
            wall_ns,
            site,
            ..CallNote::default()
        }
    }

    fn check(notes: &[CallNote], expected: &[(u16, u64, u64, u64)]) {
        let found: Vec<_> = runs(notes)
            .iter()
            .map(|run| (run.resource, run.length, run.wall_ns, run.longest_ns))
            .collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn calls_from_one_line_are_a_run() {
        check(
            &[note(1, 7, 10), note(1, 7, 30), note(1, 7, 20)],
            &[(1, 3, 60, 30)],
        );
    }

    #[test]
    fn single_calls_and_unknown_places_are_none() {
        check(&[note(1, 7, 10), note(1, 8, 10), note(1, 7, 10)], &[]);
        check(&[note(1, 0, 10), note(1, 0, 10)], &[]);
        check(&[], &[]);
    }

    #[test]
    fn another_call_between_ends_a_run() {
        let notes = [
            note(1, 7, 10),
            note(1, 7, 10),
            note(2, 9, 1),
            note(1, 7, 10),
            note(1, 7, 40),
        ];
        check(&notes, &[(1, 2, 20, 10), (1, 2, 50, 40)]);
    }

    #[test]
    fn calls_that_overlap_are_made_together_already() {
        let mut together = note(1, 7, 10);
        together.overlapped = true;
        check(&[together, together, together], &[]);
    }

    #[test]
    fn a_part_neither_counts_nor_ends_a_run() {
        let mut part = note(2, 3, 5);
        part.kind = CallKind::Part;
        let notes = [note(1, 7, 10), part, note(1, 7, 10)];
        check(&notes, &[(1, 2, 20, 10)]);
        assert_eq!(counts(&notes), [(1, 2)]);
    }
}
