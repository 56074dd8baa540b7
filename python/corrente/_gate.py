"""Accepting no more connections than there may be: what comes then waits in the backlog.

Asyncio has no way to rest a listening server, so this is on its seam: private names that its own
`_accept_connection` uses to rest when descriptors are exhausted.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    import asyncio
    import socket
    import ssl

    from corrente import _native

#: Asyncio's servers, whose private names have no types.
Foreign: TypeAlias = Any

logger = logging.getLogger("corrente.server")

#: Connections that are accepted at once: a worker that takes all there are leaves none for others.
BATCH_MOST = 16

#: The part of the limit by which it may be exceeded: what is accepted at once is counted later.
EXCESS = 64


#: What asyncio tells its exception handler where it can accept nobody; it tries again each second.
_EXHAUSTED = "socket.accept() out of system resource"

#: Seconds until the same is said again.
SAID_EVERY = 60.0


class Handler:
    """A loop's exception handler that says what to do where descriptors are exhausted."""

    def __init__(self) -> None:
        self._next = 0.0

    @classmethod
    def install(cls, loop: asyncio.AbstractEventLoop) -> None:
        """Have a loop that has none use one."""
        if loop.get_exception_handler() is None:
            loop.set_exception_handler(cls())

    def __call__(self, loop: asyncio.AbstractEventLoop, context: dict[str, Foreign]) -> None:
        """Tell what went wrong in the loop."""
        if context.get("message") != _EXHAUSTED:
            loop.default_exception_handler(context)
            return
        if loop.time() < self._next:
            return
        self._next = loop.time() + SAID_EVERY
        logger.error(
            "no connection can be accepted: %s; those that come wait. Raise the limit of open files"
            " (`ulimit -n`, LimitNOFILE= of systemd), or lower --max-connections",
            context["exception"].strerror,
        )


@dataclass(frozen=True)
class Tls:
    """How connections are secured."""

    context: ssl.SSLContext
    #: Seconds that a client has to agree on it.
    handshake_timeout: float


class Gate:
    """The listening sockets of a server, which rest while it has as many connections as it may."""

    def __init__(
        self, loop: asyncio.AbstractEventLoop, server: _native.HttpServer, most: int
    ) -> None:
        self._loop: Foreign = loop
        self._server = server
        self._listening: list[Foreign] = []
        self._batch = max(1, min(BATCH_MOST, most // EXCESS))
        self._is_shut = False
        server.limit_connections(most, self._tell)

    async def listen(self, sock: socket.socket, backlog: int, tls: Tls | None) -> None:
        """Accept connections of a socket.

        Raises:
            OSError: it cannot listen; one line that says where.
        """
        server = await self._loop.create_server(
            self._server,
            sock=sock,
            ssl=None if tls is None else tls.context,
            ssl_handshake_timeout=None if tls is None else tls.handshake_timeout,
            start_serving=False,
        )
        self._listening.append(server)
        try:
            # Asyncio would have one number for what waits and for what is accepted at once.
            sock.listen(backlog)
        except OSError as failure:
            text = f"cannot listen on {_spelled(sock.getsockname())}: {failure.strerror}"
            raise OSError(failure.errno, text) from None
        self._accept(server)

    def close(self) -> None:
        """Accept nobody any more."""
        self._server.limit_connections(0)
        for server in self._listening:
            server.close()

    def _tell(self, is_full: bool) -> None:
        for server in self._listening:
            if is_full:
                self._rest(server)
            elif self._is_shut:
                self._accept(server)
        self._is_shut = is_full

    def _rest(self, server: Foreign) -> None:
        for sock in server._sockets or ():
            self._loop._remove_reader(sock.fileno())

    def _accept(self, server: Foreign) -> None:
        for sock in server._sockets or ():
            self._loop._start_serving(
                server._protocol_factory,
                sock,
                server._ssl_context,
                server,
                self._batch,
                server._ssl_handshake_timeout,
                server._ssl_shutdown_timeout,
            )


def _spelled(address: Foreign) -> str:
    """Spell a socket's own address as `bind` has it."""
    if isinstance(address, str):
        return f"unix:{address}"
    host, port = address[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
