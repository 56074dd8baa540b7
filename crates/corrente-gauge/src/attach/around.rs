//! For which endpoint a framework works: what a thread does before and after a view belongs to it.
//!
//! A thread in a framework does not show what it is there for. But from one look outside of the application
//! to the next it works for one request, or for some that follow each other too closely to be told apart. So
//! what it does before the first view is that view's, and what it does after one is that one's, until another
//! is seen. Where none is seen it is nobody's, and so is what a loop does: there coroutines take turns. What a
//! server does to send a response is part of the request likewise. Pure.

use std::collections::HashMap;
use std::rc::Rc;

use super::tally::{Doing, Look, Place};
use crate::names::NameId;

/// Threads that are remembered beyond those of a read: some end within the application.
const SPARE: usize = 64;

/// What threads have done since they were last outside of the application.
#[derive(Debug, Clone, Default)]
pub(super) struct Around {
    threads: HashMap<u32, Request>,
}

#[derive(Debug, Clone, Default)]
struct Request {
    /// The view that was seen last.
    view: Option<NameId>,
    /// What was counted as nobody's, as no view had been seen, nanoseconds.
    before: Vec<(Doing, u64)>,
}

/// What was counted as nobody's and is a view's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) view: NameId,
    pub(super) before: Vec<(Doing, u64)>,
}

impl Around {
    /// Takes what a thread was seen doing for some time. The first view tells whose all was before it.
    pub(super) fn follow(&mut self, look: &Look, time: u64) -> Option<Found> {
        if look.on_loop || look.place == Place::Outside {
            self.threads.remove(&look.thread);
            return None;
        }
        let request = self.threads.entry(look.thread).or_default();
        match look.place {
            Place::Endpoint(view) => {
                request.view = Some(view);
                let before = std::mem::take(&mut request.before);
                (!before.is_empty()).then_some(Found { view, before })
            }
            Place::Application if request.view.is_none() => {
                request.wait_for_view(look.doing, time);
                None
            }
            _ => None,
        }
    }

    /// Where a thread is, with the view whose framework it is in.
    pub(super) fn place(&self, look: &Look) -> Place {
        let view = || self.threads.get(&look.thread)?.view;
        match look.place {
            Place::Application if !look.on_loop => view().map_or(Place::Application, Place::Around),
            place => place,
        }
    }

    /// Puts the name of its view to each response that is being sent.
    pub(super) fn answering(&self, looks: Rc<[Look]>) -> Rc<[Look]> {
        if looks.iter().all(|look| look.place != Place::Answering) {
            return looks;
        }
        let named = |look: &Look| {
            let view = || self.threads.get(&look.thread)?.view;
            let place = match look.place {
                Place::Answering => view().map_or(Place::Application, Place::Around),
                place => place,
            };
            Look { place, ..*look }
        };
        looks.iter().map(named).collect()
    }

    /// Forgets everything: for too long nobody has looked.
    pub(super) fn forget(&mut self) {
        self.threads.clear();
    }

    /// Forgets threads that have gone.
    pub(super) fn keep(&mut self, looks: &[Look]) {
        if self.threads.len() > looks.len() + SPARE {
            self.threads
                .retain(|thread, _| looks.iter().any(|look| look.thread == *thread));
        }
    }
}

impl Request {
    fn wait_for_view(&mut self, doing: Doing, time: u64) {
        match self.before.iter_mut().find(|(known, _)| *known == doing) {
            Some((_, known)) => *known += time,
            None => self.before.push((doing, time)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::names::NameTable;

    fn look(place: Place) -> Look {
        Look {
            thread: 1,
            place,
            doing: Doing::Running,
            on_loop: false,
            times: None,
        }
    }

    #[test]
    fn what_is_done_before_a_view_and_after_it_is_the_view_s() {
        let mut names = NameTable::default();
        let (first, second) = (names.id("first"), names.id("second"));
        let mut around = Around::default();
        let application = look(Place::Application);
        assert_eq!(around.follow(&application, 30), None);
        assert_eq!(around.follow(&application, 20), None);
        assert_eq!(around.place(&application), Place::Application);
        let found = around.follow(&look(Place::Endpoint(first)), 10);
        let before = vec![(Doing::Running, 50)];
        assert_eq!(
            found,
            Some(Found {
                view: first,
                before
            })
        );
        assert_eq!(around.place(&application), Place::Around(first));
        // Another view, and nothing of the first one's is given away.
        assert_eq!(around.follow(&application, 5), None);
        assert_eq!(around.follow(&look(Place::Endpoint(second)), 10), None);
        assert_eq!(around.place(&application), Place::Around(second));
        // Outside the next request begins.
        assert_eq!(around.follow(&look(Place::Outside), 5), None);
        assert_eq!(around.place(&application), Place::Application);
    }

    #[test]
    fn of_a_loop_nothing_is_said() {
        let view = NameTable::default().id("view");
        let mut around = Around::default();
        let on_loop = |place| Look {
            on_loop: true,
            ..look(place)
        };
        around.follow(&on_loop(Place::Endpoint(view)), 10);
        let application = on_loop(Place::Application);
        assert_eq!(around.follow(&application, 10), None);
        assert_eq!(around.place(&application), Place::Application);
    }

    #[test]
    fn threads_that_have_gone_are_forgotten() {
        let mut around = Around::default();
        for thread in 0..1_000 {
            let one = Look {
                thread,
                ..look(Place::Application)
            };
            around.follow(&one, 1);
            around.keep(&[one]);
        }
        assert!(
            around.threads.len() <= SPARE + 1,
            "{}",
            around.threads.len()
        );
    }
}
