//! Lives of workers, told as events and what follows from them, in seconds that nobody waits for.

use super::super::message::Fault;
use super::*;

/// A machine with a clock of its own, and a transcript of what it did.
struct Story {
    machine: Machine,
    now: Duration,
}

fn plan(workers: usize) -> Plan {
    Plan {
        workers,
        startup: Duration::from_mins(1),
        graceful: Duration::from_secs(30),
        hang: Some(Duration::from_secs(20)),
        max_lifetime: None,
        max_memory_bytes: None,
        first_failure: FirstFailure::End,
    }
}

fn failure(text: &str) -> Message {
    Message::Failed(Failure {
        fault: Fault::User,
        text: text.to_owned(),
    })
}

fn line(action: &Action) -> String {
    match action {
        Action::Start(WorkerId(id)) => format!("start {id}"),
        Action::Tell(WorkerId(id), order) => format!("{order:?} {id}"),
        Action::Reread => "reread".to_owned(),
        Action::Say(notice) => format!("\"{notice}\""),
        Action::End(outcome) => format!("end {outcome:?}"),
    }
}

impl Story {
    fn new(plan: Plan) -> Self {
        Self {
            machine: Machine::new(plan),
            now: Duration::ZERO,
        }
    }

    /// One that serves with all its workers.
    fn serving(plan: Plan) -> Self {
        let workers = plan.workers as u64;
        let mut story = Self::new(plan);
        story.event(Event::Tick);
        for worker in 1..=workers {
            story.says(worker, Message::Ready);
        }
        story.later(60.0);
        story
    }

    fn event(&mut self, event: Event) -> String {
        let actions = self.machine.step(self.now, event);
        actions.iter().map(line).collect::<Vec<String>>().join("; ")
    }

    /// The same without what people are told.
    fn done(&mut self, event: Event) -> String {
        let mut actions = self.machine.step(self.now, event);
        actions.retain(|action| !matches!(action, Action::Say(_)));
        actions.iter().map(line).collect::<Vec<String>>().join("; ")
    }

    fn says(&mut self, worker: u64, message: Message) -> String {
        self.done(Event::Said(WorkerId(worker), message))
    }

    fn exits(&mut self, worker: u64, exit: Exit) -> String {
        self.done(Event::Exited(WorkerId(worker), exit))
    }

    fn later(&mut self, seconds: f64) -> String {
        self.now += Duration::from_secs_f64(seconds);
        self.done(Event::Tick)
    }

    /// What happens when nothing does until the machine wants to be woken.
    fn idle(&mut self) -> String {
        self.now = self.machine.wake_at().expect("it waits for something");
        self.done(Event::Tick)
    }
}

#[test]
fn it_starts_what_is_wanted_and_stops_in_peace() {
    let mut story = Story::new(plan(2));
    assert_eq!(story.event(Event::Tick), "start 1; start 2");
    let ready = Event::Said(WorkerId(1), Message::Ready);
    assert_eq!(story.event(ready), "\"worker 1 is ready\"");
    assert_eq!(story.says(2, Message::Ready), "");
    assert_eq!(
        story.event(Event::Stop),
        "\"stopping; requests that run have 30 s to end\"; Stop 1; Stop 2"
    );
    assert_eq!(story.exits(1, Exit::Code(0)), "");
    assert_eq!(story.exits(2, Exit::Code(0)), "end Stopped");
}

#[test]
fn a_worker_that_does_not_stop_is_killed_at_its_deadline() {
    let mut story = Story::serving(plan(1));
    story.done(Event::Stop);
    assert_eq!(story.later(30.0), "");
    assert_eq!(story.later(1.0), "Kill 1");
    assert_eq!(story.exits(1, Exit::Signal(9)), "end Stopped");
}

#[test]
fn a_second_interrupt_ends_at_once() {
    let mut story = Story::serving(plan(2));
    assert_eq!(story.done(Event::Stop), "Stop 1; Stop 2");
    // A signal to the process and its group is one wish.
    assert_eq!(story.done(Event::Stop), "");
    assert_eq!(story.later(0.1), "");
    assert_eq!(story.done(Event::Stop), "Kill 1; Kill 2");
    story.exits(1, Exit::Signal(9));
    assert_eq!(story.exits(2, Exit::Signal(9)), "end Stopped");
    assert_eq!(story.done(Event::Stop), "");
}

#[test]
fn a_worker_that_dies_is_replaced_at_once() {
    let mut story = Story::serving(plan(2));
    assert_eq!(story.exits(1, Exit::Signal(9)), "start 3");
    assert_eq!(story.says(3, Message::Ready), "");
    // Also a young one, the first time.
    assert_eq!(story.exits(3, Exit::Signal(9)), "start 4");
}

#[test]
fn workers_that_keep_dying_are_started_ever_more_slowly() {
    let mut story = Story::serving(plan(1));
    let mut worker = 1;
    let mut pauses = Vec::new();
    for _ in 0..10 {
        story.exits(worker, Exit::Code(1));
        let at = story.now;
        if story.machine.workers().count() == 0 {
            assert_eq!(story.idle(), format!("start {}", worker + 1));
        }
        pauses.push(story.now.saturating_sub(at).as_secs_f64());
        worker += 1;
        story.says(worker, Message::Ready);
    }
    // The first had lived long.
    let expected = [0.0, 0.0, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0];
    assert_eq!(pauses, expected);
    // One that then holds out for a while is forgiven.
    story.later(100.0);
    assert_eq!(
        story.exits(worker, Exit::Code(1)),
        format!("start {}", worker + 1)
    );
}

#[test]
fn a_first_worker_that_does_not_start_ends_everything_with_its_error() {
    let mut story = Story::new(plan(3));
    story.event(Event::Tick);
    assert_eq!(story.says(2, failure("no module `shop`")), "");
    assert_eq!(story.exits(2, Exit::Code(1)), "Kill 1; Kill 3");
    story.exits(1, Exit::Signal(9));
    let end = story.exits(3, Exit::Signal(9));
    assert!(end.starts_with("end Failed(Failure { fault: User"), "{end}");
    assert!(end.contains("no module `shop`"), "{end}");
}

#[test]
fn a_first_worker_that_ends_without_a_word_says_how() {
    let mut story = Story::new(plan(1));
    story.event(Event::Tick);
    let end = story.exits(1, Exit::Code(7));
    assert!(
        end.contains("a worker has ended with exit code 7 before it was ready"),
        "{end}"
    );
    let mut story = Story::new(plan(1));
    story.event(Event::Tick);
    let end = story.exits(
        1,
        Exit::NotStarted("could not be started: `x`: gone".to_owned()),
    );
    assert!(
        end.contains("a worker could not be started: `x`: gone"),
        "{end}"
    );
    assert!(end.contains("fault: Machine"), "{end}");
}

#[test]
fn a_worker_that_is_never_ready_is_ended() {
    let mut story = Story::new(plan(1));
    story.event(Event::Tick);
    assert_eq!(story.later(59.0), "");
    assert_eq!(story.later(1.0), "Kill 1");
    let end = story.exits(1, Exit::Signal(9));
    assert!(
        end.contains("was not ready after 60 s (startup-timeout)"),
        "{end}"
    );
}

#[test]
fn a_rolling_restart_has_the_new_one_ready_before_the_old_one_goes() {
    let mut story = Story::serving(plan(2));
    assert_eq!(story.done(Event::Restart("SIGHUP".to_owned())), "start 3");
    assert_eq!(story.says(3, Message::Ready), "Stop 1; start 4");
    assert_eq!(story.exits(1, Exit::Code(0)), "");
    assert_eq!(story.says(4, Message::Ready), "Stop 2");
    assert_eq!(story.exits(2, Exit::Code(0)), "");
    let left: Vec<u64> = story.machine.workers().map(|(id, _)| id.0).collect();
    assert_eq!(left, [3, 4]);
}

#[test]
fn new_code_that_does_not_start_leaves_the_old_workers() {
    let mut story = Story::serving(plan(2));
    story.done(Event::Restart("SIGHUP".to_owned()));
    story.says(3, failure("SyntaxError"));
    let lines = story.event(Event::Exited(WorkerId(3), Exit::Code(1)));
    assert!(
        lines.contains("worker 3 cannot serve: SyntaxError"),
        "{lines}"
    );
    assert!(
        lines.contains("the new workers do not start; 2 that ran before serve on"),
        "{lines}"
    );
    assert_eq!(story.machine.wake_at(), None);
    // Repaired, it goes through.
    assert_eq!(story.done(Event::Restart("SIGHUP".to_owned())), "start 4");
}

#[test]
fn a_reload_goes_by_the_settings_as_they_are_then() {
    let renewed = |workers: usize| Event::Renewed(plan(workers), "SIGHUP".to_owned());
    let mut story = Story::serving(plan(1));
    assert_eq!(story.event(Event::Reload), "reread");
    let lines = story.event(renewed(2));
    assert_eq!(
        lines,
        "\"2 workers are wanted now\"; \"all workers are replaced: SIGHUP\"; start 2"
    );
    assert_eq!(story.says(2, Message::Ready), "start 3");
    assert_eq!(story.says(3, Message::Ready), "Stop 1");
    story.exits(1, Exit::Code(0));
    // Who has asked for one more keeps it, as long as the settings say the same.
    assert_eq!(story.done(Event::More), "start 4");
    story.says(4, Message::Ready);
    assert_eq!(story.done(renewed(2)), "start 5");
    assert_eq!(story.says(5, Message::Ready), "Stop 2; start 6");
    // While it stops, nothing is read any more.
    story.event(Event::Stop);
    assert_eq!(story.event(Event::Reload), "");
}

#[test]
fn more_and_fewer() {
    let mut story = Story::serving(plan(1));
    assert_eq!(story.done(Event::More), "start 2");
    assert_eq!(story.says(2, Message::Ready), "");
    // The youngest goes: it has the coldest caches.
    assert_eq!(story.done(Event::Fewer), "Stop 2");
    story.exits(2, Exit::Code(0));
    assert_eq!(story.done(Event::Fewer), "");
}

#[test]
fn a_worker_that_wants_to_go_is_replaced_first() {
    let mut story = Story::serving(plan(1));
    assert_eq!(
        story.says(1, Message::Going("it served 1000 requests".to_owned())),
        "start 2"
    );
    // Said twice is said once.
    assert_eq!(story.says(1, Message::Going("again".to_owned())), "");
    assert_eq!(story.says(2, Message::Ready), "Stop 1");
    assert_eq!(story.exits(1, Exit::Code(0)), "");
}

#[test]
fn a_worker_that_goes_by_itself_is_no_failure() {
    let mut story = Story::serving(plan(1));
    story.says(1, Message::Going("it served 1000 requests".to_owned()));
    let lines = story.event(Event::Exited(WorkerId(1), Exit::Code(0)));
    assert_eq!(lines, "\"worker 1 has ended\"");
}

#[test]
fn old_and_heavy_workers_are_replaced() {
    let mut old = plan(2);
    old.max_lifetime = Some(Duration::from_secs(1000));
    old.max_memory_bytes = Some(100 << 20);
    let mut story = Story::serving(old);
    assert_eq!(story.done(Event::Memory(WorkerId(1), 100 << 20)), "");
    assert_eq!(story.done(Event::Memory(WorkerId(1), 101 << 20)), "start 3");
    assert_eq!(story.says(3, Message::Ready), "Stop 1");
    story.exits(1, Exit::Code(0));
    assert_eq!(story.idle(), "start 4");
    // Give or take a tenth, and not all together.
    let age = story.now.as_secs_f64();
    assert!((900.0..=1100.0).contains(&age), "{age}");
    assert_eq!(story.says(4, Message::Ready), "Stop 2");
}

#[test]
fn a_worker_whose_loop_hangs_is_asked_where_and_ended() {
    let mut story = Story::serving(plan(1));
    // Whoever never says that it is alive is not judged by it.
    assert_eq!(story.later(1000.0), "");
    story.says(1, Message::Alive);
    assert_eq!(story.later(19.0), "");
    story.says(1, Message::Alive);
    assert_eq!(story.later(19.0), "");
    assert_eq!(story.later(1.0), "Abort 1; start 2");
    assert_eq!(story.later(2.0), "Kill 1");
    assert_eq!(story.exits(1, Exit::Signal(9)), "");
}

#[test]
fn in_development_a_first_failure_waits_for_a_change() {
    let mut development = plan(1);
    development.first_failure = FirstFailure::WaitForChange;
    let mut story = Story::new(development);
    story.event(Event::Tick);
    story.says(1, failure("SyntaxError"));
    assert_eq!(story.exits(1, Exit::Code(1)), "");
    assert_eq!(story.later(1000.0), "");
    assert_eq!(
        story.done(Event::Restart("app.py has changed".to_owned())),
        "start 2"
    );
    assert_eq!(story.says(2, Message::Ready), "");
}

#[test]
fn logs_are_opened_again_by_all() {
    let mut story = Story::serving(plan(2));
    assert_eq!(story.done(Event::ReopenLogs), "ReopenLogs 1; ReopenLogs 2");
}

mod chance {
    use super::*;
    use proptest::prelude::*;

    fn event() -> impl Strategy<Value = (u8, u8, u16)> {
        (0_u8..14, any::<u8>(), 0_u16..40)
    }

    /// An event that can happen: processes that are there say something or end.
    fn happens(story: &Story, kind: u8, which: u8) -> Event {
        let ids: Vec<WorkerId> = story.machine.workers().map(|(id, _)| id).collect();
        let Some(id) = ids.get(usize::from(which) % ids.len().max(1)).copied() else {
            return Event::Tick;
        };
        match kind {
            0 => Event::Tick,
            1..4 => Event::Said(id, Message::Ready),
            4 => Event::Said(id, Message::Alive),
            5 => Event::Said(id, Message::Going("why".to_owned())),
            6 => Event::Said(id, failure("why")),
            7..9 => Event::Exited(id, Exit::Code(1)),
            9 => Event::Restart("why".to_owned()),
            10 => Event::More,
            11 => Event::Fewer,
            12 => Event::Memory(id, u64::MAX),
            _ => Event::Stop,
        }
    }

    proptest! {
        #[test]
        fn whatever_happens_it_ends_when_told_and_never_runs_wild(
            events in prop::collection::vec(event(), 0..200)
        ) {
            let mut story = Story::serving(plan(2));
            let mut has_ended = false;
            for (kind, which, seconds) in events {
                story.now += Duration::from_secs(seconds.into());
                let event = happens(&story, kind, which);
                let lines = story.done(event);
                prop_assert!(!(has_ended && lines.contains("start")), "{lines}");
                has_ended |= lines.contains("end ");
                let live = story.machine.workers().filter(|(_, state)| {
                    matches!(state, WorkerState::Starting | WorkerState::Serving { .. })
                });
                prop_assert!(live.count() <= 2 + 40, "too many");
                // A tick that is due has been done.
                if let Some(at) = story.machine.wake_at() {
                    let again = story.machine.step(story.now, Event::Tick);
                    prop_assert!(at > story.now || !again.is_empty());
                }
            }
            // Where no worker is left, as while the next start waits, it ends at once.
            has_ended |= story.done(Event::Stop).contains("end ");
            has_ended |= story.done(Event::Stop).contains("end ");
            for (id, _) in story.machine.workers().collect::<Vec<_>>() {
                has_ended |= story.exits(id.0, Exit::Signal(9)).contains("end ");
            }
            prop_assert!(has_ended);
        }
    }
}
