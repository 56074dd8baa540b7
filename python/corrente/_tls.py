"""TLS: asyncio's own protocol for what happens once, a native session for each message.

`TlsProtocol` is asyncio's `SSLProtocol` of the running version: handshake, shutdown, timeouts, end
of file and the words of its errors are inherited. Its calls that move data go to the session, and
the session is told what the protocol decides. Over transports that are not ours asyncio's own
protocol is used as it is.
"""

from __future__ import annotations

import os
import ssl
from asyncio import constants, sslproto
from asyncio.log import logger
from typing import TYPE_CHECKING, Any, TypeAlias

from corrente import _native

if TYPE_CHECKING:
    import asyncio

    from corrente._loop import EventLoop
    from corrente._transports import StreamTransport

#: What asyncio has no type for: its private classes.
Foreign: TypeAlias = Any

#: By OpenSSL itself where its objects can be proven, or by Python's `ssl.MemoryBIO`.
WAYS = ("native", "memory")

_State: Foreign = sslproto.SSLProtocolState


class SSLTransport(_native.Secured, sslproto._SSLProtocolTransport):  # type: ignore[misc]
    """What the user's protocol writes to."""

    # All that asyncio keeps there: without a dictionary a method is found sooner.
    __slots__ = ("_closed", "_ssl_protocol")

    # Asyncio's own, which have no types.
    _ssl_protocol: Foreign
    _loop: Foreign
    _closed: bool

    def __init__(self, loop: EventLoop, protocol: TlsProtocol) -> None:
        sslproto._SSLProtocolTransport.__init__(self, loop, protocol)
        self._begin(protocol._session)

    def get_write_buffer_size(self) -> int:
        """Bytes that wait to be written."""
        if self._ssl_protocol is not None:
            # Whoever looks sees what sending at once would have led to.
            self._ssl_protocol._session.flush()
        size: int = sslproto._SSLProtocolTransport.get_write_buffer_size(self)
        return size

    def _test__append_write_backlog(self, data: bytes) -> None:
        """For CPython's and uvloop's tests only, as asyncio's own."""
        self._ssl_protocol._session.append(data)

    def _tell_dropped_write(self) -> None:
        if self._ssl_protocol is not None:
            self._ssl_protocol._write_appdata(())


class TlsProtocol(sslproto.SSLProtocol):
    """Asyncio's TLS protocol over one of our streams."""

    # What is read goes into the session, not into a buffer of this class.
    max_size = 0

    # Asyncio's own, which have no types.
    _state: Foreign
    _sslobj: ssl.SSLObject
    _incoming: ssl.MemoryBIO
    _outgoing: ssl.MemoryBIO
    _app_reading_paused: bool
    _app_writing_paused: bool
    _ssl_reading_paused: bool
    _incoming_high_water: int
    _incoming_low_water: int
    _outgoing_high_water: int
    _outgoing_low_water: int
    _conn_lost: int
    _loop: Foreign
    _app_transport: Foreign
    _app_transport_created: Foreign
    _call_eof_received: Foreign
    _start_shutdown: Foreign

    def __init__(self, loop: EventLoop, *args: Foreign, **kwargs: Foreign) -> None:
        self._session = _native.Session()
        super().__init__(loop, *args, **kwargs)
        way = "native" if loop._tls == "native" and _is_plain(self._sslobj) else "memory"
        self._is_native = self._session.attach(self._sslobj, self._incoming, self._outgoing, way)

    def take_over(self, protocol: asyncio.StreamReaderProtocol) -> None:
        """A reader has what a client sent before it was asked to: the begin of its handshake.

        CPython issue 142352.
        """
        reader: Foreign = getattr(protocol, "_stream_reader", None)
        if reader is not None and reader._buffer:
            self._session.feed(reader._buffer)
            reader._buffer.clear()

    def connection_made(self, transport: StreamTransport) -> None:  # type: ignore[override]
        """The stream is there: the handshake begins."""
        self._session.begin(self, transport)
        transport._secure(self._session)
        super().connection_made(transport)

    def connection_lost(self, exc: BaseException | None) -> None:
        """The stream is gone."""
        super().connection_lost(exc)
        self._session.finish()

    def _set_app_protocol(self, app_protocol: asyncio.BaseProtocol) -> None:
        base: Foreign = super()
        base._set_app_protocol(app_protocol)
        self._session.set_protocol(app_protocol)

    def _get_app_transport(self) -> SSLTransport:
        if self._app_transport is None:
            if self._app_transport_created:
                raise RuntimeError("Creating _SSLProtocolTransport twice")
            self._app_transport = SSLTransport(self._loop, self)
            self._app_transport_created = True
        transport: SSLTransport = self._app_transport
        return transport

    def _set_state(self, new_state: Foreign) -> None:
        base: Foreign = super()
        base._set_state(new_state)
        self._session.set_mode(new_state.name)
        if new_state is _State.FLUSHING:
            # What was written before is encrypted before the session's end is.
            self._session.flush()

    def _abort(self, *reason: Foreign) -> None:
        # What was written before goes as far as the socket takes it, as if it had gone at once.
        self._session.flush()
        base: Foreign = super()
        base._abort(*reason)

    def _on_handshake_complete(self, handshake_exc: BaseException | None) -> None:
        base: Foreign = super()
        base._on_handshake_complete(handshake_exc)
        # The error leads to this frame: together they would be a cycle (CPython issue 159049).
        del handshake_exc
        # The handshake's last message goes even where the protocol reads nothing yet.
        self._session.flush()

    def _advance(self) -> None:
        """Something has come while the session is not open."""
        handlers: Foreign = self
        if self._state is _State.DO_HANDSHAKE:
            handlers._do_handshake()
        elif self._state is _State.WRAPPED:
            handlers._do_read()
        elif self._state is _State.FLUSHING:
            handlers._do_flush()
        elif self._state is _State.SHUTDOWN:
            handlers._do_shutdown()

    def _peer_closed(self) -> None:
        """The peer will send no more: as asyncio, the other side ends, too."""
        self._call_eof_received()
        self._start_shutdown()

    def _read_on(self) -> None:
        """The protocol's buffer was full, and there may be more."""
        handlers: Foreign = self
        self._loop.call_soon(handlers._do_read)

    def _do_read__buffered(self) -> None:
        self._session.read()

    def _do_read__copied(self) -> None:
        self._session.read()

    def _do_write(self) -> None:
        self._session.flush()

    def _process_outgoing(self) -> None:
        self._session.flush()

    def _write_appdata(self, _too_late: Foreign) -> None:
        """Asyncio's `write`, of which only what comes too late gets here."""
        if self._conn_lost >= constants.LOG_THRESHOLD_FOR_CONNLOST_WRITES:
            logger.warning("SSL connection is closed")
        self._conn_lost += 1

    def _get_read_buffer_size(self) -> int:
        return self._session.incoming()

    def _get_write_buffer_size(self) -> int:
        return self._session.outgoing()

    def _set_read_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        base: Foreign = super()
        base._set_read_buffer_limits(high, low)
        self._session.set_read_marks(self._incoming_high_water, self._incoming_low_water)

    def _set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        base: Foreign = super()
        base._set_write_buffer_limits(high, low)
        self._session.set_write_marks(self._outgoing_high_water, self._outgoing_low_water)

    def _control_app_writing(self) -> None:
        base: Foreign = super()
        try:
            base._control_app_writing()
        finally:
            self._session.is_writing_paused = self._app_writing_paused

    def _control_ssl_reading(self) -> None:
        base: Foreign = super()
        base._control_ssl_reading()
        self._session.is_stream_paused = self._ssl_reading_paused

    def _pause_reading(self) -> None:
        base: Foreign = super()
        base._pause_reading()
        self._session.is_reading_paused = True

    def _resume_reading(self) -> None:
        base: Foreign = super()
        base._resume_reading()
        self._session.is_reading_paused = False


def _is_plain(ssl_object: ssl.SSLObject) -> bool:
    """Whether nobody of Python's has to see each record, and no subclass each call."""
    context: Foreign = ssl_object.context
    has_watchers = context._msg_callback is not None or context.keylog_filename is not None
    return type(ssl_object) is ssl.SSLObject and not has_watchers


def way(asked: str | None) -> str:
    """How records are encrypted: what was asked for, by the loop or by `CORRENTE_TLS`."""
    way = asked or os.environ.get("CORRENTE_TLS") or "native"
    if way not in WAYS:
        raise ValueError(f"TLS is done one of {WAYS}, not {way!r}; see CORRENTE_TLS")
    return way
