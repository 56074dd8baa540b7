//! What a protocol calls for each message on a secured transport.
//!
//! Arguments in, answers out; what a call does is in `writing`. The rest of the transport is asyncio's
//! (`corrente._tls.SSLTransport`).

use pyo3::prelude::*;

use super::{SECURED, Secured, Session, writing};
use crate::ffi::method::{Arguments, Method};

type Receiver<'a, 'py> = &'a Bound<'py, PyAny>;
type Answer<'py> = PyResult<Bound<'py, PyAny>>;

pub(super) static METHODS: [Method; 4] = [
    Method::quick(
        c"write",
        c"write($self, data, /)\n--\n\nWrites bytes; they are encrypted when the callback returns.",
        write,
    ),
    Method::new(
        c"writelines",
        c"writelines($self, list_of_data, /)\n--\n\nWrites several pieces in one.",
        writelines,
    ),
    Method::new(
        c"_begin",
        c"_begin($self, session, /)\n--\n\nStarts the transport's life.",
        begin,
    ),
    Method::END,
];

fn none<'py>(receiver: Receiver<'_, 'py>, outcome: PyResult<()>) -> Answer<'py> {
    outcome.map(|()| receiver.py().None().into_bound(receiver.py()))
}

fn session<'a>(receiver: Receiver<'a, '_>) -> PyResult<&'a Session> {
    Ok(SECURED.get(receiver)?.session.get())
}

fn write<'py>(receiver: Receiver<'_, 'py>, arguments: Arguments<'_, 'py>) -> Answer<'py> {
    let data = arguments.only("write", "data")?;
    none(
        receiver,
        writing::write(receiver, session(receiver)?, &data),
    )
}

fn writelines<'py>(receiver: Receiver<'_, 'py>, arguments: Arguments<'_, 'py>) -> Answer<'py> {
    let lines = arguments.only("writelines", "list_of_data")?;
    none(
        receiver,
        writing::write_lines(receiver, session(receiver)?, &lines),
    )
}

fn begin<'py>(receiver: Receiver<'_, 'py>, arguments: Arguments<'_, 'py>) -> Answer<'py> {
    let session = arguments.required("_begin", 0, "session")?.to_owned();
    let session = session.cast_into::<Session>()?.unbind();
    none(receiver, SECURED.put(receiver, Secured { session }))
}
