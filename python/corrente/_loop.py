"""The event loop: asyncio's own, with its hot half in Rust.

`EventLoop` is two classes in one. `corrente._native.Loop` comes first and has what every turn
needs: scheduling, timers, descriptors, transports. Everything else is inherited from asyncio's
selector loop, and so it behaves as the running version of asyncio does. What asyncio calls on
itself (`_add_reader`, `_run_once`, `_make_socket_transport`) is the seam between the two.
"""

from __future__ import annotations

import _socket
import asyncio
import errno
import socket
import ssl
import sys
from asyncio import (
    base_events,
    constants,
    format_helpers,
    selector_events,
    trsock,
)
from asyncio.log import logger
from collections import deque
from typing import TYPE_CHECKING, Any, TypeAlias

from corrente import _children, _native, _older, _seam, _server, _tls, _watch
from corrente._given import GivenSockets
from corrente._transports import DatagramTransport, StreamTransport, Transports

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from corrente._transports import Accepted

#: What asyncio has no type for: its private classes, an address of any family.
Foreign: TypeAlias = Any


_INTERNET = (int(socket.AF_INET), int(socket.AF_INET6))
_STREAM = int(socket.SOCK_STREAM)

# What a socket is, as numbers: `socket.socket` looks up a member of an enumeration each time.
_plain_socket: Foreign = _socket.socket
_family_of = _plain_socket.family.__get__
_kind_of = _plain_socket.type.__get__
_protocol_of = _plain_socket.proto.__get__

# What `accept` fails with when a process or a machine has too much open.
_OUT_OF_RESOURCES = {errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM}


class EventLoop(_native.Loop, GivenSockets, asyncio.SelectorEventLoop):
    """An asyncio event loop whose scheduling and transports are native."""

    __slots__ = _seam.ATTRIBUTES

    # Asyncio's own, which have no types.
    _transports: Transports
    _task_factory: Foreign
    _ensure_fd_no_transport: Foreign
    _check_closed: Foreign

    def __init__(self, *, tls: str | None = None) -> None:
        try:
            #: How TLS is done, as `CORRENTE_TLS`: "native" or "memory".
            self._tls = _tls.way(tls)
        except ValueError:
            # There is nothing to close.
            self._closed = True
            raise
        _watch.see_to_forks()
        self._socket_files: dict[int, _server.SocketFile] = {}
        self._given_sockets = set()
        self._stalls: deque[_watch.Note] = deque(maxlen=_watch.STALLS_KEPT)
        self._is_told_of_stalls = False
        self._request_of_stall: Callable[[], object] | None = None
        #: Hears of each stall that has ended, on the loop's thread: the gauge's recorder.
        self._stall_listener: Callable[[_watch.Stall], None] | None = None
        asyncio.SelectorEventLoop.__init__(self, _seam.Watcher(self))  # type: ignore[arg-type]
        self._transports = Transports(self)

    def _make_socket_transport(
        self,
        sock: socket.socket,
        protocol: asyncio.BaseProtocol,
        waiter: asyncio.Future[None] | None = None,
        *,
        extra: dict[str, Any] | None = None,
        server: Foreign = None,
        **_newer: Foreign,
    ) -> StreamTransport:
        self._ensure_fd_no_transport(sock)
        return StreamTransport(self, sock, protocol, waiter, extra, server)

    def _make_datagram_transport(
        self,
        sock: socket.socket,
        protocol: asyncio.BaseProtocol,
        address: Foreign = None,
        waiter: asyncio.Future[None] | None = None,
        extra: dict[str, Any] | None = None,
    ) -> Foreign:
        self._ensure_fd_no_transport(sock)
        is_internet = sock.family in _INTERNET
        plain: Foreign = selector_events._SelectorDatagramTransport  # type: ignore[attr-defined]
        kind = DatagramTransport if is_internet else plain
        return kind(self, sock, protocol, address, waiter, extra)

    def _make_ssl_transport(
        self,
        rawsock: socket.socket,
        protocol: asyncio.BaseProtocol,
        sslcontext: ssl.SSLContext,
        waiter: asyncio.Future[None] | None = None,
        *,
        server_side: bool = False,
        server_hostname: str | None = None,
        extra: dict[str, Any] | None = None,
        server: Foreign = None,
        **limits: Foreign,
    ) -> Foreign:
        """TLS by asyncio's own rules, over a native stream."""
        self._ensure_fd_no_transport(rawsock)
        tls = _tls.TlsProtocol(
            self, protocol, sslcontext, waiter, server_side, server_hostname, **limits
        )
        StreamTransport(self, rawsock, tls, extra=extra, server=server)
        return tls._app_transport

    async def start_tls(
        self,
        transport: Foreign,
        protocol: asyncio.BaseProtocol,
        sslcontext: ssl.SSLContext,
        *,
        server_side: bool = False,
        server_hostname: str | None = None,
        ssl_handshake_timeout: float | None = None,
        ssl_shutdown_timeout: float | None = None,
    ) -> Foreign:
        """As asyncio; a stream of ours gets a TLS transport of ours."""
        limits: dict[str, Any] = {
            "ssl_handshake_timeout": ssl_handshake_timeout,
            "ssl_shutdown_timeout": ssl_shutdown_timeout,
        }
        if not isinstance(transport, StreamTransport) or not isinstance(sslcontext, ssl.SSLContext):
            start: Any = asyncio.SelectorEventLoop.start_tls
            return await start(
                self,
                transport,
                protocol,
                sslcontext,
                server_side=server_side,
                server_hostname=server_hostname,
                **limits,
            )
        waiter = self.create_future()
        tls = _tls.TlsProtocol(
            self,
            protocol,
            sslcontext,
            waiter,
            server_side,
            server_hostname,
            call_connection_made=False,
            **limits,
        )
        # Nothing is read before the session is there.
        transport.pause_reading()
        if server_side and isinstance(protocol, asyncio.StreamReaderProtocol):
            tls.take_over(protocol)
        transport.set_protocol(tls)
        made = self.call_soon(tls.connection_made, transport)
        resumed = self.call_soon(transport.resume_reading)
        try:
            await waiter
        except BaseException:
            transport.close()
            made.cancel()
            resumed.cancel()
            # Else the error would hold this frame, and the frame the error (CPython issue 159049).
            del waiter
            raise
        return tls._app_transport

    async def create_server(
        self,
        *args: Foreign,
        keep_alive: bool | None = None,
        start_serving: bool = True,
        **kwargs: Foreign,
    ) -> Foreign:
        """As asyncio; `keep_alive`, `close_clients` and `abort_clients` on every version."""
        create: Any = asyncio.SelectorEventLoop.create_server
        server = _server.extended(await create(self, *args, start_serving=False, **kwargs))
        if keep_alive:
            _server.keep_alive(server)
        if start_serving:
            await server.start_serving()
        return server

    if sys.version_info < (3, 12):

        async def _connect_sock(self, exceptions: list[list[OSError]], *how: Foreign) -> Foreign:
            base: Any = asyncio.SelectorEventLoop
            return await _older.tried(base._connect_sock(self, exceptions, *how), exceptions)

        async def shutdown_default_executor(
            self,
            timeout: float | None = None,  # noqa: ASYNC109 - asyncio's name
        ) -> None:
            """As asyncio; `timeout` is Python 3.12's."""
            if timeout is None:
                await asyncio.SelectorEventLoop.shutdown_default_executor(self)
            else:
                await _older.end_executor(self, timeout)

    if not _server.HAS_CLIENTS:

        async def create_unix_server(
            self,
            *args: Foreign,
            cleanup_socket: bool = False,
            start_serving: bool = True,
            **kwargs: Foreign,
        ) -> Foreign:
            """As asyncio; `cleanup_socket` and `close_clients` are Python 3.13's."""
            create: Any = asyncio.SelectorEventLoop.create_unix_server
            server = _server.extended(await create(self, *args, start_serving=False, **kwargs))
            for listening in server.sockets:
                path = listening.getsockname()
                if cleanup_socket and isinstance(path, str) and path:
                    self._socket_files[listening.fileno()] = _server.SocketFile(path)
            if start_serving:
                await server.start_serving()
            return server

        def _stop_serving(self, sock: socket.socket) -> None:
            file = self._socket_files.pop(sock.fileno(), None)
            stop: Any = asyncio.SelectorEventLoop._stop_serving  # type: ignore[attr-defined]
            stop(self, sock)
            if file is not None:
                file.remove()

    def _accept_connection(
        self,
        protocol_factory: Callable[[], asyncio.BaseProtocol],
        sock: socket.socket,
        sslcontext: ssl.SSLContext | None = None,
        server: Foreign = None,
        backlog: int = 100,
        *limits: Foreign,
    ) -> None:
        """A listening socket is ready.

        Asyncio makes a task for each connection, which waits until `connection_made()` was called.
        Without TLS there is nothing to wait for, and so no task.
        """
        if sslcontext is not None or self._debug:
            accept: Any = asyncio.SelectorEventLoop._accept_connection  # type: ignore[attr-defined]
            accept(self, protocol_factory, sock, sslcontext, server, backlog, *limits)
            return
        if _family_of(sock) not in _INTERNET or _kind_of(sock) != _STREAM:
            self._accept_local(protocol_factory, sock, server, backlog, limits)
            return
        try:
            accepted = iter(self._accept(sock.fileno(), backlog))
        except OSError as error:
            self._refused(sock, error, (protocol_factory, sock, None, server, backlog, *limits))
            return
        protocol = _protocol_of(sock)
        try:
            for number in accepted:
                self._connected(protocol_factory, (number, protocol), None, server)
        except BaseException:
            # The program ends: those that are left have nobody.
            for number in accepted:
                socket.close(number)
            raise

    def _accept_local(
        self,
        protocol_factory: Callable[[], asyncio.BaseProtocol],
        sock: socket.socket,
        server: Foreign,
        backlog: int,
        limits: tuple[Any, ...],
    ) -> None:
        """Unix sockets and the like: their peers' addresses are Python's to tell."""
        for _ in range(backlog):
            try:
                connection, address = sock.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return
            except OSError as error:
                self._refused(sock, error, (protocol_factory, sock, None, server, backlog, *limits))
                return
            connection.setblocking(False)
            self._connected(protocol_factory, connection, address, server)

    def _refused(self, sock: socket.socket, error: OSError, arguments: tuple[Any, ...]) -> None:
        if error.errno not in _OUT_OF_RESOURCES:
            raise error
        self._rest_listening(sock, error, arguments)

    def _connected(
        self,
        protocol_factory: Callable[[], asyncio.BaseProtocol],
        connection: socket.socket | Accepted,
        address: Foreign,
        server: Foreign,
    ) -> None:
        try:
            StreamTransport(self, connection, protocol_factory(), server=server, peername=address)
        except (SystemExit, KeyboardInterrupt):
            _close(connection)
            raise
        except BaseException as error:  # whatever a factory raises is the loop's to report
            _close(connection)
            message = "Error on transport creation for incoming connection"
            self.call_exception_handler({"message": message, "exception": error})

    def _wake(self, number: int, protocol: asyncio.BaseProtocol, server: Foreign) -> None:
        """A connection that has rested goes on: it gets a transport."""
        # One that has ended listening knows of no new connections.
        is_serving = server is not None and server._sockets is not None
        connection = (number, socket.IPPROTO_TCP)
        try:
            StreamTransport(self, connection, protocol, server=server if is_serving else None)
        except BaseException:
            self._remove_reader(number)
            socket.close(number)
            raise

    def _rest_listening(
        self, sock: socket.socket, error: OSError, arguments: tuple[Any, ...]
    ) -> None:
        """Nothing is left to accept with: the kernel would report the socket for ever."""
        self.call_exception_handler(
            {
                "message": "socket.accept() out of system resource",
                "exception": error,
                "socket": trsock.TransportSocket(sock),
            }
        )
        self._remove_reader(sock.fileno())
        loop: Any = self
        self.call_later(constants.ACCEPT_RETRY_DELAY, loop._start_serving, *arguments)

    def _make_subprocess_transport(
        self, *how: Foreign, **more: Foreign
    ) -> Coroutine[Any, Any, Foreign]:
        watcher = _children.watcher()
        if watcher is not None:
            return _children.started(self, watcher, *how, **more)
        base: Foreign = asyncio.SelectorEventLoop
        made: Coroutine[Any, Any, Foreign] = base._make_subprocess_transport(self, *how, **more)
        return made

    async def getaddrinfo(
        self,
        host: bytes | str | None,
        port: bytes | str | int | None,
        *,
        family: int = 0,
        type: int = 0,  # noqa: A002 - asyncio's name
        proto: int = 0,
        flags: int = 0,
    ) -> Foreign:
        """As asyncio; an address in numbers needs no thread."""
        # Debug mode logs what is asked and how long the answer took.
        if not self._debug:
            self._check_closed()
            found = self._literal(host, port, family, type, proto, flags)
            if found is not None:
                return found
        return await asyncio.SelectorEventLoop.getaddrinfo(
            self, host, port, family=family, type=type, proto=proto, flags=flags
        )

    # By this name asyncio takes it, whatever its documentation says.
    async def sock_recv(self, sock: socket.socket, n: int) -> bytes:
        """Receives up to `n` bytes."""
        received: Foreign = self._receive(sock, n)
        if type(received) is bytes:
            return received
        try:
            return await received  # type: ignore[no-any-return]
        except asyncio.CancelledError:
            self._forget(sock, received)
            raise

    async def sock_recv_into(self, sock: socket.socket, buf: Foreign) -> int:
        """Receives into a buffer; gives back how many bytes."""
        received: Foreign = self._receive_into(sock, buf)
        if type(received) is int:
            return received
        try:
            return await received  # type: ignore[no-any-return]
        except asyncio.CancelledError:
            self._forget(sock, received)
            raise

    async def sock_sendall(self, sock: socket.socket, data: Foreign) -> None:
        """Sends all of the data."""
        sent: Foreign = self._send(sock, data)
        if sent is None:
            return
        try:
            await sent
        except asyncio.CancelledError:
            self._forget(sock, sent)
            raise

    def _check_socket(self, sock: socket.socket) -> None:
        """Refuses what the operations on sockets cannot do."""
        if isinstance(sock, ssl.SSLSocket):
            raise TypeError("Socket cannot be of type SSLSocket")
        if self._debug and sock.gettimeout() != 0:
            raise ValueError("the socket must be non-blocking")

    def set_task_factory(self, factory: Foreign) -> None:
        """Sets what makes tasks; `None` for asyncio's own class."""
        asyncio.SelectorEventLoop.set_task_factory(self, factory)
        self._has_task_factory = factory is not None

    def _create_task(self, coro: Coroutine[Any, Any, Any], **kwargs: Foreign) -> asyncio.Task[Any]:
        """Debug mode, a task factory, or keywords: whatever asyncio does with them."""
        is_newer = not {"name", "context"}.issuperset(kwargs)
        if is_newer and sys.version_info < (3, 13, 3):
            # `eager_start` and the like: asyncio takes them from 3.13.3 on, its tasks earlier.
            self._check_closed()
            if self._task_factory is not None:
                made: asyncio.Task[Any] = self._task_factory(self, coro, **kwargs)
                return made
            task: asyncio.Task[Any] = asyncio.Task(coro, loop=self, **kwargs)
        else:
            task = base_events.BaseEventLoop.create_task(self, coro, **kwargs)
        origin: Foreign = getattr(task, "_source_traceback", None)
        if origin and origin[-1].filename == __file__:
            # Debug mode tells who has asked for the task, and not this method.
            del origin[-1]
        try:
            return task
        finally:
            # An eager one that fails at once has this frame in its traceback (CPython 128552).
            del task

    def _debug_call(self, method: str, callback: Callable[..., object]) -> Foreign:
        """Debug mode: checks a call that schedules, and tells where it was made."""
        loop: Any = self
        if method != "call_soon_threadsafe":
            loop._check_thread()
        loop._check_callback(callback, "call_at" if method == "call_later" else method)
        return format_helpers.extract_stack(sys._getframe(1))

    def _origin(self) -> Foreign:
        """Debug mode: where a reader or writer is asked for."""
        return format_helpers.extract_stack(sys._getframe(1))

    def _callback_failed(self, handle: Foreign, exception: BaseException) -> None:
        """A callback raised: as `asyncio.Handle._run` tells it."""
        source = format_helpers._format_callback_source(handle._callback, handle._args)
        context = {
            "message": f"Exception in callback {source}",
            "exception": exception,
            "handle": handle,
        }
        if handle._source_traceback:
            context["source_traceback"] = handle._source_traceback
        self.call_exception_handler(context)

    def _transport_failed(self, transport: Foreign, exception: BaseException) -> None:
        """A protocol raised where asyncio's transport leaves it to the handle that called it."""
        self.call_exception_handler(
            {
                "message": f"Exception in callback of {transport!r}",
                "exception": exception,
                "transport": transport,
            }
        )

    def watch(
        self,
        threshold: float | None = _watch.THRESHOLD_LEAST,
        *,
        request: Callable[[], object] | None = None,
    ) -> None:
        """Tells the logger `corrente.stalls` of stalls of `threshold` seconds or more.

        A loop counts and remembers its stalls in any case, from 1 ms on. `request` is called in the
        context of what stalled, and says which request that was. `None` for a threshold ends
        all of it.
        """
        self._check_closed()
        self._set_threshold(_watch.checked_threshold(threshold))
        self._is_told_of_stalls = threshold is not None
        self._request_of_stall = request
        if threshold is not None and not self._reads_stacks():
            _watch.tell_of_no_stacks()

    def stalls(self) -> list[_watch.Stall]:
        """The latest stalls, oldest first, with the one that goes on. From any thread."""
        found = [note.stall() for note in list(self._stalls)]
        goes_on = self._stalls_now()
        if goes_on is not None:
            task = asyncio.current_task(self)
            found.append(_watch.stall(*goes_on, _watch.Ran.of_task(task), is_over=False))
        return found

    def metrics(self) -> _watch.Metrics:
        """What the loop has counted. From any thread."""
        numbers, histograms = self._measures()
        return _watch.metrics(numbers, histograms, self._bounds())

    def prometheus(self, **labels: str) -> str:
        """The metrics as Prometheus' text, with these labels."""
        return _watch.prometheus(self.metrics(), labels)

    def _stalled(
        self,
        times: _watch.RawTimes,
        seen: _watch.RawSeen,
        subject: Foreign,
    ) -> None:
        """A stall has ended; the watchdog may have looked into it."""
        try:
            note = _watch.Note(times, seen, _watch.Ran.of(subject, self._request_of_stall))
            self._stalls.append(note)
            if self._stall_listener is not None:
                self._stall_listener(note.stall())
            if self._is_told_of_stalls:
                _watch.logger.warning("the event loop %s", note.stall())
        except Exception as error:  # of a log's filter, or of what was called and is no function
            message = "Exception while a stall was told of"
            self.call_exception_handler({"message": message, "exception": error})

    def _note_duration(self, handle: asyncio.Handle, seconds: float) -> None:
        """Debug mode: a callback has run so long."""
        if seconds >= self.slow_callback_duration:
            told = base_events._format_handle(handle)  # type: ignore[attr-defined]
            logger.warning("Executing %s took %.3f seconds", told, seconds)


def new_event_loop(*, tls: str | None = None) -> EventLoop:
    """A new event loop, for `asyncio.run(…, loop_factory=corrente.new_event_loop)`.

    `tls` is "native" or "memory" (docs/guide/loop.md); `None` is what `CORRENTE_TLS` says.
    """
    return EventLoop(tls=tls)


def install() -> None:
    """Makes this loop asyncio's, where it still asks a policy (up to Python 3.15)."""
    from corrente._policy import EventLoopPolicy

    asyncio.set_event_loop_policy(EventLoopPolicy())


def watch(
    threshold: float | None = _watch.THRESHOLD_LEAST,
    *,
    request: Callable[[], object] | None = None,
) -> None:
    """Tells of the running loop's stalls: `EventLoop.watch()`."""
    running = asyncio.get_running_loop()
    if not isinstance(running, EventLoop):
        kind = type(running)
        raise RuntimeError(
            f"the running loop is a {kind.__module__}.{kind.__qualname__}, which has no watchdog;"
            " run the program with corrente.run()"
        )
    running.watch(threshold, request=request)


def _close(connection: socket.socket | Accepted) -> None:
    """Closes a connection that has got no transport."""
    if isinstance(connection, tuple):
        socket.close(connection[0])
    else:
        connection.close()


def run(
    main: Coroutine[Any, Any, Any],
    *,
    debug: bool | None = None,
    loop_factory: Callable[[], asyncio.AbstractEventLoop] | None = new_event_loop,
) -> Foreign:
    """Runs a coroutine as `asyncio.run` does, on this loop."""
    with asyncio.Runner(debug=debug, loop_factory=loop_factory) as runner:
        return runner.run(main)
