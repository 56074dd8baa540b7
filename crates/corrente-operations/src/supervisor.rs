//! Workers: how many there are, how they begin, are replaced and end.
//!
//! `machine` decides, as a pure function of events and time; `driver` does what it says with processes and
//! signals, and asks nothing itself. The worker's program is an argument: any program that says `ready`
//! on its channel is a worker. The parent runs no code of users and takes no connection.

mod changes;
mod channel;
mod clock;
mod driver;
mod machine;
mod message;
mod notice;
mod process;
mod signals;

pub use changes::Watched;
pub use channel::{CHANNEL_VARIABLE, Channel, Handover, HandoverError};
pub use driver::{DriverError, Program, Renewed, Rereading, Supervisor};
pub use machine::{
    Action, Event, FirstFailure, Machine, Order, Outcome, Plan, WorkerId, WorkerState,
};
pub use message::{Failure, Fault, Message};
pub use notice::{Level, Notice};
pub use process::Exit;
