//! What Python calls on a stream transport.
//!
//! Arguments in, answers out; what a call does is in `reading` and `writing`. Names with an underscore are for
//! `StreamTransport` in python/corrente/_transports.py.

use std::sync::atomic::{AtomicBool, Ordering};

use corrente_driver::{Descriptor, socket};
use pyo3::Borrowed;
use pyo3::exceptions::{PyOverflowError, PyValueError};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyBool, PyFloat, PyTuple};

use super::{
    Confined, Contexts, Delivery, Flow, Life, Loop, Pending, Queue, Reading, STREAM, Side, State,
    Stream, Transmission, Writing, feeding, writing,
};
use crate::address;
use crate::ffi::context::copy_current;
use crate::ffi::method::{Arguments, Method};
use crate::memory::Room;
use crate::native::NativeProtocol;
use crate::transport::tls::Session;

type Receiver<'a, 'py> = &'a Bound<'py, PyAny>;
type Answer<'py> = PyResult<Bound<'py, PyAny>>;

pub(super) static METHODS: [Method; 27] = [
    Method::quick(c"write", c"write($self, data, /)\n--\n\nWrites bytes, or keeps them until the socket takes them.", write),
    Method::new(c"writelines", c"writelines($self, list_of_data, /)\n--\n\nWrites several pieces in one.", writelines),
    Method::alone(c"write_eof", c"write_eof($self, /)\n--\n\nEnds the writing side once all is written.", write_eof),
    Method::alone(c"can_write_eof", c"can_write_eof($self, /)\n--\n\nTrue.", can_write_eof),
    Method::alone(c"close", c"close($self, /)\n--\n\nCloses the connection once all is written.", close),
    Method::alone(c"abort", c"abort($self, /)\n--\n\nCloses the connection at once.", abort),
    Method::quick_alone(c"is_closing", c"is_closing($self, /)\n--\n\nWhether it is closing or closed.", is_closing),
    Method::alone(c"is_reading", c"is_reading($self, /)\n--\n\nWhether what comes is read.", is_reading),
    Method::alone(c"pause_reading", c"pause_reading($self, /)\n--\n\nLeaves what comes where it is.", pause_reading),
    Method::alone(c"resume_reading", c"resume_reading($self, /)\n--\n\nReads again.", resume_reading),
    Method::alone(c"get_write_buffer_size", c"get_write_buffer_size($self, /)\n--\n\nBytes that wait to be written.", get_write_buffer_size),
    Method::alone(c"get_write_buffer_limits", c"get_write_buffer_limits($self, /)\n--\n\nThe lower and the upper water mark, in bytes.", get_write_buffer_limits),
    Method::new(c"set_write_buffer_limits", c"set_write_buffer_limits($self, /, high=None, low=None)\n--\n\nSets the water marks, in bytes.", set_write_buffer_limits),
    Method::new(c"set_protocol", c"set_protocol($self, protocol, /)\n--\n\nChanges the protocol.", set_protocol),
    Method::alone(c"get_protocol", c"get_protocol($self, /)\n--\n\nThe protocol.", get_protocol),
    Method::new(c"_begin", c"_begin($self, loop, fd, protocol, /)\n--\n\nStarts the transport's life.", begin),
    Method::new(c"_peer", c"_peer($self, /)\n--\n\nThe address of who was accepted; None for others.", peer),
    Method::new(c"_local", c"_local($self, /)\n--\n\nThe address of this end, of who was accepted and has gone.", local),
    Method::new(c"_begin_soon", c"_begin_soon($self, /)\n--\n\nconnection_made() is to be called; then it reads.", begin_soon),
    Method::new(c"_may_be_corked", c"_may_be_corked($self, /)\n--\n\nSomebody may set TCP_CORK from now on; it stays.", may_be_corked),
    Method::new(c"_start_reading", c"_start_reading($self, /)\n--\n\nconnection_made() was called.", start_reading),
    Method::new(c"_force_close", c"_force_close($self, exc, /)\n--\n\nCloses the connection at once, for a reason.", force_close),
    Method::new(c"_finish", c"_finish($self, /)\n--\n\nGives up the protocol: connection_lost() was called.", finish),
    Method::new(c"_secure", c"_secure($self, session, /)\n--\n\nHas a TLS session between the socket and the protocol.", secure),
    Method::new(c"_set_drained", c"_set_drained($self, future, /)\n--\n\nThe future to complete when all is written.", set_drained),
    Method::new(c"_is_flow_paused", c"_is_flow_paused($self, /)\n--\n\nWhether the protocol was told to stop writing.", is_flow_paused),
    Method::END,
];

fn none<'py>(receiver: Receiver<'_, 'py>, outcome: PyResult<()>) -> Answer<'py> {
    outcome.map(|()| receiver.py().None().into_bound(receiver.py()))
}

fn truth<'py>(receiver: Receiver<'_, 'py>, value: bool) -> Bound<'py, PyAny> {
    PyBool::new(receiver.py(), value).to_owned().into_any()
}

fn write<'py>(receiver: Receiver<'_, 'py>, arguments: Arguments<'_, 'py>) -> Answer<'py> {
    let data = arguments.only("write", "data")?;
    none(
        receiver,
        writing::write(receiver, STREAM.get(receiver)?, &data),
    )
}

fn writelines<'py>(receiver: Receiver<'_, 'py>, arguments: Arguments<'_, 'py>) -> Answer<'py> {
    let lines = arguments.only("writelines", "list_of_data")?;
    none(
        receiver,
        writing::write_lines(receiver, STREAM.get(receiver)?, &lines),
    )
}

fn write_eof<'py>(receiver: Receiver<'_, 'py>, _: Arguments<'_, 'py>) -> Answer<'py> {
    none(receiver, writing::end(receiver, settled(receiver)?))
}

#[expect(clippy::unnecessary_wraps, reason = "a method's signature")]
fn can_write_eof<'py>(receiver: Receiver<'_, 'py>, _: Arguments<'_, 'py>) -> Answer<'py> {
    Ok(truth(receiver, true))
}

fn close<'py>(receiver: Receiver<'_, 'py>, _: Arguments<'_, 'py>) -> Answer<'py> {
    none(receiver, writing::close(receiver, settled(receiver)?))
}

fn abort<'py>(receiver: Receiver<'_, 'py>, _: Arguments<'_, 'py>) -> Answer<'py> {
    none(
        receiver,
        writing::force_close(receiver, settled(receiver)?, None),
    )
}

fn force_close<'py>(receiver: Receiver<'_, 'py>, arguments: Arguments<'_, 'py>) -> Answer<'py> {
    let exception = arguments.get(0).filter(|one| !one.is_none());
    let exception = exception.map(Borrowed::to_owned);
    none(
        receiver,
        writing::force_close(receiver, settled(receiver)?, exception.as_ref()),
    )
}

/// The stream, with nothing left that waits for the callback to return: whoever looks sees what asyncio would
/// have done by now.
fn settled<'a>(receiver: Receiver<'a, '_>) -> PyResult<&'a Stream> {
    let stream = STREAM.get(receiver)?;
    writing::flush(receiver, stream)?;
    Ok(stream)
}

fn is_closing<'py>(receiver: Receiver<'_, 'py>, _: Arguments<'_, 'py>) -> Answer<'py> {
    Ok(truth(receiver, is_ending(receiver)?))
}

/// Whether it is closing or closed.
pub(super) fn is_ending(transport: &Bound<'_, PyAny>) -> PyResult<bool> {
    settled(transport)?.with(transport.py(), |state| state.life != Life::Open)
}

impl State {
    pub(super) fn is_reading(&self) -> bool {
        self.life == Life::Open && self.reading != Reading::Paused
    }
}

fn is_reading<'py>(receiver: Receiver<'_, 'py>, _: Arguments<'_, 'py>) -> Answer<'py> {
    let is_reading = STREAM
        .get(receiver)?
        .with(receiver.py(), |state| state.is_reading())?;
    Ok(truth(receiver, is_reading))
}

fn pause_reading<'py>(receiver: Receiver<'_, 'py>, _: Arguments<'_, 'py>) -> Answer<'py> {
    let stream = STREAM.get(receiver)?;
    let was_reading = stream.with(receiver.py(), |state| {
        let was_reading = state.is_reading();
        if was_reading {
            state.reading = Reading::Paused;
        }
        was_reading
    })?;
    let outcome = if was_reading {
        let outcome = stream.unwatch(receiver, Side::Read);
        outcome.and_then(|()| stream.tell_debug(receiver, "pauses reading"))
    } else {
        Ok(())
    };
    none(receiver, outcome)
}

fn resume_reading<'py>(receiver: Receiver<'_, 'py>, _: Arguments<'_, 'py>) -> Answer<'py> {
    let stream = STREAM.get(receiver)?;
    let was_paused = stream.with(receiver.py(), |state| {
        let was_paused = state.life == Life::Open && state.reading == Reading::Paused;
        if was_paused {
            state.reading = Reading::On;
        }
        was_paused
    })?;
    let outcome = if was_paused {
        let outcome = stream.watch(receiver, Side::Read);
        outcome.and_then(|()| stream.tell_debug(receiver, "resumes reading"))
    } else {
        Ok(())
    };
    none(receiver, outcome)
}

fn start_reading<'py>(receiver: Receiver<'_, 'py>, _: Arguments<'_, 'py>) -> Answer<'py> {
    let stream = STREAM.get(receiver)?;
    let is_reading = stream.with(receiver.py(), |state| state.is_reading())?;
    let outcome = if is_reading {
        stream.watch(receiver, Side::Read)
    } else {
        Ok(())
    };
    none(receiver, outcome)
}

fn get_write_buffer_size<'py>(receiver: Receiver<'_, 'py>, _: Arguments<'_, 'py>) -> Answer<'py> {
    let size = settled(receiver)?.with(receiver.py(), |state| state.outgoing.len())?;
    Ok(size.into_pyobject(receiver.py())?.into_any())
}

fn get_write_buffer_limits<'py>(receiver: Receiver<'_, 'py>, _: Arguments<'_, 'py>) -> Answer<'py> {
    let limits = STREAM
        .get(receiver)?
        .with(receiver.py(), |state| state.flow.limits())?;
    Ok(limits.into_pyobject(receiver.py())?.into_any())
}

fn set_write_buffer_limits<'py>(
    receiver: Receiver<'_, 'py>,
    arguments: Arguments<'_, 'py>,
) -> Answer<'py> {
    let py = receiver.py();
    arguments.at_most("set_write_buffer_limits", 2)?;
    let names = [intern!(py, "high"), intern!(py, "low")];
    let [high, low] = arguments.named("set_write_buffer_limits", &[], names)?;
    let number = |given: Option<Borrowed<'_, 'py, PyAny>>| {
        given
            .filter(|one| !one.is_none())
            .map(whole_number)
            .transpose()
    };
    let high = number(arguments.get(0).or(high))?;
    let low = number(arguments.get(1).or(low))?;
    let stream = settled(receiver)?;
    let signal = stream.with(py, |state| {
        state.flow.set_limits(high, low)?;
        PyResult::Ok(state.flow.grown(state.outgoing.len()))
    })??;
    none(receiver, stream.signal(receiver, signal))
}

/// A number of bytes; what a fraction of one adds is left out. What is too large, infinity too, is as large as can be.
fn whole_number(given: Borrowed<'_, '_, PyAny>) -> PyResult<i64> {
    let py = given.py();
    let whole = if given.is_instance_of::<PyFloat>() {
        let floor = given.call_method0(intern!(py, "__floor__"));
        floor.and_then(|floor| floor.extract())
    } else {
        given.extract()
    };
    match whole {
        Err(error) if error.is_instance_of::<PyOverflowError>(py) => {
            Ok(if given.gt(0)? { i64::MAX } else { i64::MIN })
        }
        other => other,
    }
}

fn is_flow_paused<'py>(receiver: Receiver<'_, 'py>, _: Arguments<'_, 'py>) -> Answer<'py> {
    let is_paused = STREAM
        .get(receiver)?
        .with(receiver.py(), |state| state.flow.is_paused())?;
    Ok(truth(receiver, is_paused))
}

fn get_protocol<'py>(receiver: Receiver<'_, 'py>, _: Arguments<'_, 'py>) -> Answer<'py> {
    let py = receiver.py();
    let protocol = STREAM.get(receiver)?.with(py, |state| {
        state.protocol.as_ref().map(|one| one.clone_ref(py))
    })?;
    Ok(protocol.unwrap_or_else(|| py.None()).into_bound(py))
}

fn set_protocol<'py>(receiver: Receiver<'_, 'py>, arguments: Arguments<'_, 'py>) -> Answer<'py> {
    let py = receiver.py();
    let protocol = arguments.only("set_protocol", "protocol")?.to_owned();
    let delivery = delivery(&protocol)?;
    let before = STREAM.get(receiver)?.with(py, |state| {
        state.delivery = delivery;
        let session = state.session.take();
        (session, state.protocol.replace(protocol.unbind()))
    })?;
    drop(before);
    none(receiver, Ok(()))
}

fn secure<'py>(receiver: Receiver<'_, 'py>, arguments: Arguments<'_, 'py>) -> Answer<'py> {
    let session = arguments.required("_secure", 0, "session")?.to_owned();
    let session = session.cast_into::<Session>()?.unbind();
    let before = STREAM
        .get(receiver)?
        .with(receiver.py(), |state| state.session.replace(session))?;
    drop(before);
    none(receiver, Ok(()))
}

pub(in crate::transport) fn delivery(protocol: &Bound<'_, PyAny>) -> PyResult<Delivery> {
    static BUFFERED: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let buffered = BUFFERED.import(protocol.py(), "asyncio.protocols", "BufferedProtocol")?;
    if protocol.is_instance(buffered)? {
        return Ok(Delivery::Buffer);
    }
    if protocol.is_exact_instance_of::<NativeProtocol>() {
        return Ok(Delivery::Native);
    }
    let is_reader = feeding::is_possible(protocol)?;
    Ok(if is_reader {
        Delivery::Reader
    } else {
        Delivery::Data
    })
}

fn begin<'py>(receiver: Receiver<'_, 'py>, arguments: Arguments<'_, 'py>) -> Answer<'py> {
    let given = arguments.rest(0)?;
    let (event_loop, number, protocol) = begun(&given)?;
    let descriptor = Descriptor::new(number)
        .ok_or_else(|| PyValueError::new_err(format!("Invalid file descriptor: {number}")))?;
    let peer = event_loop.get().take_peer(receiver.py(), number)?;
    let state = State {
        delivery: delivery(&protocol)?,
        session: None,
        protocol: Some(protocol.unbind()),
        life: Life::Open,
        reading: Reading::On,
        writing: Writing::Open,
        pending: Pending::Nothing,
        outgoing: Queue::default(),
        flow: Flow::default(),
        ignored: 0,
        drained: None,
        contexts: Contexts::default(),
        room: Room::Shared,
        local: None,
    };
    let stream = Stream {
        event_loop: event_loop.clone().unbind(),
        descriptor,
        peer,
        transmission: if peer.is_some() || socket::is_tcp(descriptor) {
            Transmission::Tcp
        } else {
            Transmission::Other
        },
        may_be_corked: AtomicBool::new(false),
        state: Confined::new(state),
    };
    // Counted now, since one that is refused counts as ended when it is dropped.
    stream.metrics().begun.add(1);
    STREAM.put(receiver, stream)?;
    none(
        receiver,
        event_loop.get().remember_stream(receiver, descriptor),
    )
}

fn begun<'py>(given: &Bound<'py, PyTuple>) -> PyResult<(Bound<'py, Loop>, i32, Bound<'py, PyAny>)> {
    let event_loop = given.get_item(0)?.cast_into::<Loop>()?;
    Ok((
        event_loop,
        given.get_item(1)?.extract()?,
        given.get_item(2)?,
    ))
}

/// In the next turn; a loop in debug mode has handles for it, which it looks at.
fn begin_soon<'py>(receiver: Receiver<'_, 'py>, _: Arguments<'_, 'py>) -> Answer<'py> {
    let (py, stream) = (receiver.py(), STREAM.get(receiver)?);
    let event_loop = stream.event_loop.get();
    event_loop.check_open()?;
    if event_loop.is_debug() {
        return receiver.call_method0(intern!(py, "_begin_by_handles"));
    }
    let context = copy_current(py)?.unbind();
    let (protocol, before) = stream.with(py, |state| {
        let protocol = state.protocol.as_ref().map(|one| one.clone_ref(py));
        (protocol, state.contexts.read.replace(context))
    })?;
    drop(before);
    // One that has no such method is refused now, not when it is to be called.
    if let Some(protocol) = protocol {
        protocol.getattr(py, intern!(py, "connection_made"))?;
    }
    none(receiver, event_loop.begin_soon(receiver))
}

fn peer<'py>(receiver: Receiver<'_, 'py>, _: Arguments<'_, 'py>) -> Answer<'py> {
    let py = receiver.py();
    let peer = STREAM.get(receiver)?.peer;
    let peer = peer.map(|peer| address::of_socket(py, peer)).transpose()?;
    Ok(peer.map_or_else(|| py.None().into_bound(py), Bound::into_any))
}

/// The address of this end of a connection that was accepted and has ended.
fn local<'py>(receiver: Receiver<'_, 'py>, _: Arguments<'_, 'py>) -> Answer<'py> {
    let py = receiver.py();
    let local = STREAM.get(receiver)?.with(py, |state| {
        let local = state.local.as_deref();
        local.copied()
    })?;
    let local = local
        .map(|local| address::of_socket(py, local))
        .transpose()?;
    Ok(local.map_or_else(|| py.None().into_bound(py), Bound::into_any))
}

/// What was written until now is sent first: asyncio would have done that.
fn may_be_corked<'py>(receiver: Receiver<'_, 'py>, _: Arguments<'_, 'py>) -> Answer<'py> {
    let stream = settled(receiver)?;
    stream.may_be_corked.store(true, Ordering::Relaxed);
    let sent = stream.event_loop.get().held.release(receiver.py());
    none(receiver, sent)
}

fn finish<'py>(receiver: Receiver<'_, 'py>, _: Arguments<'_, 'py>) -> Answer<'py> {
    let stream = STREAM.get(receiver)?;
    let (session, protocol) = stream.with(receiver.py(), |state| {
        state.life = Life::Lost;
        // Some ask afterwards who it was; a protocol in Rust does not.
        if stream.peer.is_some() && state.delivery != Delivery::Native {
            state.local = socket::local_address(stream.descriptor).map(Box::new);
        }
        (state.session.take(), state.protocol.take())
    })?;
    if protocol.is_some() {
        stream.metrics().ended.add(1);
    }
    drop((session, protocol));
    let forgotten = stream
        .event_loop
        .get()
        .forget_stream(receiver, stream.descriptor);
    none(receiver, forgotten)
}

fn set_drained<'py>(receiver: Receiver<'_, 'py>, arguments: Arguments<'_, 'py>) -> Answer<'py> {
    let future = arguments.get(0).filter(|one| !one.is_none());
    let future = future.map(|one| one.to_owned().unbind());
    let before = STREAM.get(receiver)?.with(receiver.py(), |state| {
        std::mem::replace(&mut state.drained, future)
    })?;
    drop(before);
    none(receiver, Ok(()))
}
