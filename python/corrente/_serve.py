"""Serving an application in this process: sockets, lifespan, signals, an end that loses nothing.

Requests are native (`corrente._native.HttpServer`); what happens once is here. How several
processes are kept is not known here.
"""

from __future__ import annotations

import asyncio
import functools
import inspect
import logging
import os
import signal
import socket
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, TypeAlias

from corrente import _loop, _messages, _native, _secured
from corrente._gate import Gate, Handler, Tls
from corrente._lifespan import Lifespan, LifespanError

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Iterable, Mapping
    from os import PathLike

#: An application, of either interface.
Foreign: TypeAlias = Any

logger = logging.getLogger("corrente.server")

#: What an application of either interface is called with.
ASGI_TAKES, WSGI_TAKES = 3, 2

#: Connections that wait to be accepted.
BACKLOG = 2048

#: Open connections; what comes then waits in the backlog.
MAX_CONNECTIONS = 65536

#: Connections that are awake at most, if others have nothing to say for a while: they take about a
#: mebibyte. Those beyond rest.
MAX_AWAKE = 512

#: Seconds that a client has for a request's head, and before it for agreeing on TLS.
HEAD_TIMEOUT = 10.0

#: Seconds that an application has to end in at least, however long its requests took.
SHUTDOWN_LEAST = 1.0

#: Seconds after which connections are looked at on which nobody asks any more: half a second is
#: theirs (`AGAIN`, crates/corrente-server/src/connection/life.rs).
LAST_LOOK = 0.55

#: Seconds between two looks for clients that are too slow.
LOOK_EVERY = 1.0


class InterfaceError(TypeError):
    """What is to be served is no application; one line that says why."""


def interface_of(application: Foreign) -> str:
    """Tell which interface an application has: "asgi" or "wsgi".

    Raises:
        InterfaceError: it has neither.
    """
    function = application
    while isinstance(function, functools.partial):
        function = function.func
    if isinstance(function, _native.Asgi):
        # Recorded; native methods do not say that they are coroutine functions.
        return "asgi"
    if isinstance(function, str):
        raise InterfaceError(
            f"expected an application, found its name {function!r}; import it, or use the command"
            f" `corrente serve {function}`"
        )
    if inspect.isclass(function):
        raise InterfaceError(f"an application is called for each request; {function!r} is a class")
    if not callable(function):
        raise InterfaceError(f"expected an application, found {function!r}, which is not callable")
    if inspect.iscoroutinefunction(_called(function)):
        if _takes(application, ASGI_TAKES):
            return "asgi"
    elif _takes(application, WSGI_TAKES):
        return "wsgi"
    elif _takes(application, ASGI_TAKES):
        # It gives back another one's coroutine.
        return "asgi"
    raise InterfaceError(
        f"expected an application, `(scope, receive, send)` or `(environ, start_response)`, found"
        f" {function!r}; where it makes the application, use --factory, or call it"
    )


def _called(function: Foreign) -> Foreign:
    """What runs when it is called."""
    if inspect.isroutine(function):
        return function
    called: Foreign = type(function).__call__
    # A slot with this name holds what is called (Sentry's middleware).
    return called.__get__(function) if inspect.ismemberdescriptor(called) else called


def _takes(application: Foreign, number: int) -> bool:
    """Whether it can be called with so many arguments, as far as it says."""
    try:
        signature = inspect.signature(application)
    except (TypeError, ValueError):
        return True
    try:
        signature.bind(*range(number))
    except TypeError:
        return False
    return True


def serve(
    application: Callable[..., Foreign],
    *,
    bind: str | Iterable[str] = "127.0.0.1:8000",
    interface: str = "auto",
    mounts: Mapping[str, Callable[..., Foreign]] = MappingProxyType({}),
    static: Mapping[str, str | PathLike[str]] = MappingProxyType({}),
    static_max_age: float | None = None,
    ssl_context: ssl.SSLContext | None = None,
    graceful_timeout: float = 30.0,
    **settings: Foreign,
) -> None:
    """Serve an ASGI or WSGI application on a Corrente loop until SIGTERM or Ctrl-C.

    Args:
        application: what is called for each request.
        bind: addresses, each as `HOST:PORT`, `[HOST]:PORT`, `:PORT` for all of this machine's, or
            `unix:PATH`.
        interface: "asgi", "wsgi", or "auto" to find out.
        mounts: other applications, of either interface, each below a prefix like "/api".
        static: folders of files that are served, each below a prefix like "/static".
        static_max_age: seconds for which clients may keep these files without asking again.
        ssl_context: for TLS; none is plain HTTP. It offers HTTP/2 where its ALPN protocols do.
        graceful_timeout: seconds that requests have to end in, once the server is told to.
        settings: those of a server: `root_path`, `server_name`, `head_timeout`, `body_timeout`,
            `write_timeout`, `idle_timeout`, `ping_interval` (seconds), `max_in_flight` (requests),
            `max_body_bytes`, `http2` (false for HTTP/1.1 alone), `threads` (WSGI runs in so many;
            1 is the loop's own), `max_queued` (requests that wait for a thread).

    Raises:
        ValueError: what is no address.
        TypeError: what is no application.
        OSError: an address cannot be had, or a folder cannot be opened.
        LifespanError: the application said that it cannot begin.
    """
    addresses = [bind] if isinstance(bind, str) else list(bind)
    bound = _native.BoundSockets(addresses)
    sockets = [socket.socket(fileno=os.dup(number)) for number in bound.numbers()]
    try:
        _loop.run(
            serve_here(
                application,
                sockets,
                interface=interface,
                mounts=mounts,
                static=static,
                static_max_age=static_max_age,
                ssl_context=ssl_context,
                graceful_timeout=graceful_timeout,
                **settings,
            )
        )
    finally:
        for one in sockets:
            one.close()
        bound.close()


async def serve_here(
    application: Callable[..., Foreign],
    sockets: Iterable[socket.socket],
    *,
    interface: str = "auto",
    mounts: Mapping[str, Callable[..., Foreign]] = MappingProxyType({}),
    static: Mapping[str, str | PathLike[str]] = MappingProxyType({}),
    static_max_age: float | None = None,
    ssl_context: ssl.SSLContext | None = None,
    graceful_timeout: float = 30.0,
    lifespan: str = "auto",
    backlog: int = BACKLOG,
    max_connections: int = MAX_CONNECTIONS,
    ready: Callable[[_native.HttpServer], None] | None = None,
    signals: tuple[signal.Signals, ...] = (signal.SIGTERM, signal.SIGINT),
    stoppable: Callable[[Callable[[], None]], None] | None = None,
    **settings: Foreign,
) -> None:
    """Serve on bound sockets in the running loop until a signal; a second one ends it at once.

    `stoppable` is given what does the same as a signal, to be called in the loop's thread.
    """
    kind = interface_of(application) if interface == "auto" else interface
    loop = asyncio.get_running_loop()
    Handler.install(loop)
    stop, stop_now = asyncio.Event(), asyncio.Event()

    def signalled() -> None:
        (stop_now if stop.is_set() else stop).set()

    if stoppable is not None:
        stoppable(signalled)
    lives = _Lives(lifespan)
    settings = {"max_awake": MAX_AWAKE, "head_timeout": HEAD_TIMEOUT, **settings}
    server = _native.HttpServer(
        application,
        loop,
        report,
        interface=kind,
        state=lives.state_of(application, kind),
        mounts=_mounted(mounts, lives) + _folders(static, static_max_age),
        describe_tls=_secured.describe,
        **settings,
    )
    await lives.begin()
    gate = Gate(loop, server, max_connections)
    tls = Tls(ssl_context, settings["head_timeout"]) if ssl_context is not None else None
    looking = loop.create_task(_look(server), name="slow clients")
    # What has begun ends, also where nobody can be served.
    try:
        for number in signals:
            loop.add_signal_handler(number, signalled)
        for one in sockets:
            await gate.listen(one, backlog, tls)
        if ready is not None:
            ready(server)
        await stop.wait()
    finally:
        until = loop.time() + graceful_timeout
        # Who has connected by now is still served.
        await asyncio.sleep(0)
        gate.close()
        await _drain(server, until, stop_now)
        server.end_threads()
        looking.cancel()
        try:
            await lives.end(until, stop_now)
        finally:
            for number in signals:
                loop.remove_signal_handler(number)


def _mounted(
    mounts: Mapping[str, Callable[..., Foreign]], lives: _Lives
) -> list[tuple[str, Foreign, str, dict[str, Foreign] | None]]:
    """Applications below a prefix, each with its interface and the state of its lifespan."""
    interfaces = {prefix: interface_of(one) for prefix, one in mounts.items()}
    return [
        (prefix, one, interfaces[prefix], lives.state_of(one, interfaces[prefix]))
        for prefix, one in mounts.items()
    ]


def _folders(
    static: Mapping[str, str | PathLike[str]], max_age: float | None
) -> list[tuple[str, Foreign, str, dict[str, Foreign] | None]]:
    """Folders below a prefix, as applications are mounted."""
    made: list[tuple[str, Foreign, str, dict[str, Foreign] | None]] = []
    for prefix, folder in static.items():
        try:
            made.append((prefix, _native.Folder(folder, max_age), "static", None))
        except OSError as failure:
            text = f"the folder of {prefix} (static): {failure.strerror}"
            raise OSError(failure.errno, text, str(folder)) from None
    return made


class _Lives:
    """The lifespans of a server's applications."""

    def __init__(self, mode: str) -> None:
        self._mode = mode
        self._all: list[Lifespan] = []

    def state_of(self, application: Foreign, kind: str) -> dict[str, Foreign] | None:
        """Give what its lifespan leaves for its requests, if it has one."""
        if kind != "asgi" or self._mode == "off":
            return None
        life = Lifespan(application)
        self._all.append(life)
        # Requests copy it: what the application leaves there when it begins is seen.
        return life.state

    async def begin(self) -> None:
        """Begin them in order; where one cannot, those that have begun end."""
        # They may have configured `logging` when they were imported, or do when they begin.
        _messages.keep()
        waiting, self._all = self._all, []
        for life in waiting:
            try:
                await life.begin(self._mode)
            except LifespanError:
                until = asyncio.get_running_loop().time() + SHUTDOWN_LEAST
                await self.end(until, asyncio.Event())
                raise
            self._all.append(life)
        _messages.keep()

    async def end(self, until: float, stop_now: asyncio.Event) -> None:
        """End them, the first that began last."""
        loop = asyncio.get_running_loop()
        for life in reversed(self._all):
            await _end(life, max(until - loop.time(), SHUTDOWN_LEAST), stop_now)


async def _look(server: _native.HttpServer) -> None:
    while True:
        await asyncio.sleep(LOOK_EVERY)
        server.look()


async def _drain(server: _native.HttpServer, until: float, stop_now: asyncio.Event) -> None:
    """Wait until all requests are answered, but no longer than that."""
    loop = asyncio.get_running_loop()
    begun = loop.time()
    server.drain()
    looking = loop.call_later(LAST_LOOK, server.look)
    # The server tells nobody that a connection has ended.
    while server.connections and loop.time() < until and not stop_now.is_set():  # noqa: ASYNC110
        await asyncio.sleep(0.01)
    looking.cancel()
    if server.connections:
        waited = loop.time() - begun
        logger.warning("%d connections were cut after %.2f s", server.connections, waited)
        server.abort()
        await asyncio.sleep(0)


async def _end(lifespan: Lifespan, allowed: float, stop_now: asyncio.Event) -> None:
    """Wait until the application has ended, but no longer than that."""
    ending = asyncio.ensure_future(lifespan.end())
    stopped = asyncio.ensure_future(stop_now.wait())
    await asyncio.wait([ending, stopped], timeout=allowed, return_when=asyncio.FIRST_COMPLETED)
    stopped.cancel()
    if ending.done():
        return ending.result()
    ending.cancel()
    logger.warning("the application's lifespan did not end within %g s", allowed)
    return None


def report(text: str, exception: BaseException | None) -> None:
    """Log what went wrong with a request."""
    logger.error(text, exc_info=exception)
