//! What a thread does when it was seen: running, idle, or waiting, and then for what.
//!
//! The kernel says in which system call it sleeps and on which socket, the stack which library asked
//! for that. Where both are silent the resource is `unknown`, never a guess. Only this module turns
//! what was seen into what is counted.

use super::blocked::Kernel;
use super::peer::{Peer, usual};
use super::reader::{Reader, ThreadState};
use super::stack::{Position, Stage};
use super::tables::Tables;
use super::tally::Doing;

/// Libraries that stand over others: the driver below says more.
const GENERAL: [&str; 2] = ["sqlalchemy", "django.db"];

/// The host of what is reached by a socket of the machine itself, as the recorder writes it.
const LOCAL: &str = "(local)";

/// Kind and driver of a resource.
type Driver = (&'static str, &'static str);

/// What is known of the process that a thread belongs to.
#[derive(Debug)]
pub(super) struct Meaning<'a> {
    pub(super) reader: &'a Reader,
    /// Drivers written in C that the process has loaded.
    pub(super) native_drivers: &'a [&'static str],
    pub(super) tables: &'a mut Tables,
}

impl Meaning<'_> {
    /// What a thread does; `others_lock` is whether another thread has the interpreter lock.
    pub(super) fn doing(&mut self, state: &ThreadState, others_lock: bool) -> Doing {
        let position = &*state.position;
        match state.kernel {
            Kernel::Running => return Doing::Running,
            Kernel::Ready => return Doing::Ready,
            _ => {}
        }
        let idle_loop = position.on_loop && state.kernel == Kernel::Events;
        if position.stage == Stage::Outside || idle_loop {
            return Doing::Idle;
        }
        match state.kernel {
            Kernel::Lock if !position.waits_for_thread && others_lock => Doing::Locked,
            Kernel::Descriptor(descriptor) => self.connection(position, Some(descriptor)),
            Kernel::Poll(address) => {
                let descriptor = self.reader.first_polled(address);
                self.connection(position, descriptor)
            }
            Kernel::Sleep => self.named(position, "sleep"),
            Kernel::Child => self.named(position, "subprocess"),
            Kernel::Lock => self.named(position, "thread"),
            _ => self.named(position, "unknown"),
        }
    }

    /// A wait for a connection: host and port from the kernel, the driver from the stack.
    fn connection(&mut self, position: &Position, descriptor: Option<u64>) -> Doing {
        let peer = descriptor.map_or(Peer::Unknown, |descriptor| {
            self.tables.peers.of(self.reader.pid, descriptor)
        });
        match peer {
            Peer::Server(address) => {
                let usual = usual(address.port());
                let (kind, driver) =
                    driver(position, self.native_drivers, usual).unwrap_or(("other", "socket"));
                Doing::Waiting(self.tables.resource(kind, driver, address.to_string()))
            }
            Peer::Client => Doing::Waiting(self.tables.resource("other", "client", String::new())),
            Peer::Local => match driver(position, self.native_drivers, None) {
                Some((kind, driver)) => {
                    Doing::Waiting(self.tables.resource(kind, driver, LOCAL.to_owned()))
                }
                None => self.named(position, "local socket"),
            },
            Peer::Unknown => self.named(position, "unknown"),
        }
    }

    fn named(&mut self, position: &Position, otherwise: &'static str) -> Doing {
        let (kind, driver) =
            driver(position, self.native_drivers, None).unwrap_or(("other", otherwise));
        Doing::Waiting(self.tables.resource(kind, driver, String::new()))
    }
}

/// The library on the stack; a driver written in C, which has no frame, by what the process has
/// loaded; else what usually listens there.
fn driver(position: &Position, native: &[&'static str], usual: Option<Driver>) -> Option<Driver> {
    let on_stack = position.driver.map(|driver| (driver.kind, driver.name));
    let general = on_stack.is_some_and(|(_, name)| GENERAL.contains(&name));
    if on_stack.is_some() && !general {
        return on_stack;
    }
    let database = general || usual.is_some_and(|(kind, _)| kind == "database");
    // SQLite has no connection to wait for, and is loaded by programs that never use it.
    let mut network = native.iter().filter(|name| **name != "sqlite3");
    match (network.next(), network.next()) {
        (Some(only), None) if database => Some(("database", only)),
        _ => on_stack.or(usual),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::attach::frame;

    fn check(on_stack: Option<Driver>, native: &[&'static str], expected: Option<Driver>) {
        let position = Position {
            driver: on_stack.map(|(kind, name)| frame::Driver { kind, name }),
            ..Position::default()
        };
        assert_eq!(
            driver(&position, native, Some(("database", "postgresql"))),
            expected
        );
    }

    #[test]
    fn the_library_on_the_stack_is_the_driver_unless_it_is_a_general_one() {
        let (psycopg, orm) = (("database", "psycopg"), ("database", "sqlalchemy"));
        check(Some(psycopg), &["psycopg2"], Some(psycopg));
        check(
            Some(orm),
            &["psycopg2", "sqlite3"],
            Some(("database", "psycopg2")),
        );
        check(Some(orm), &["psycopg2", "mysqlclient"], Some(orm));
        check(Some(orm), &[], Some(orm));
        check(None, &["psycopg2"], Some(("database", "psycopg2")));
        check(None, &[], Some(("database", "postgresql")));
    }
}
