//! The seam between the parent's side and what serves: what a worker does once it has its sockets.
//!
//! Everything before it (settings, sockets, the channel, signals of the terminal) and after it (the
//! exit) is done. What it has to do: import the application, say `ready` when it takes connections and
//! `alive` every second or so from the loop; on SIGTERM stop in peace within `graceful-timeout`; on SIGUSR1
//! open log files again; say `going` when it has served `max-requests`, and serve on until SIGTERM; say
//! `failed` with whose fault it is before it ends without having been ready.

use crate::listen::Listener;
use crate::settings::Settings;
use crate::supervisor::{Channel, Failure, Fault, Message};

/// Serves until it is told to stop; gives the exit code of the process.
///
/// The connections are not there yet, and it says so.
pub(crate) fn worker(_settings: &Settings, _listeners: Vec<Listener>, channel: &mut Channel) -> u8 {
    let text = "serving is not there yet: this version has the settings, sockets and workers of \
                `corrente serve`, but not the connections";
    channel.say(&Message::Failed(Failure {
        fault: Fault::Machine,
        text: text.to_owned(),
    }));
    1
}
