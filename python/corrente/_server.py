"""Listening servers: what newer versions of asyncio added, for older ones too; their connections.

From Python 3.13 on asyncio's own server is used, which knows its connections by itself.
"""

from __future__ import annotations

import os
import socket
import sys
import weakref
from asyncio import base_events
from asyncio.log import logger
from typing import TYPE_CHECKING, Any, TypeAlias

from corrente._transports import StreamTransport, Transports

if TYPE_CHECKING:
    import asyncio

#: What asyncio has no type for: its private classes, an address of any family.
Foreign: TypeAlias = Any

HAS_CLIENTS = sys.version_info >= (3, 13)


class Clients:
    """The connections of a server, not kept alive.

    What asyncio has a `WeakSet` for, into which and out of which a connection comes in a
    microsecond. Streams of ours are counted; which ones they are the loop knows, and they know
    their server.
    """

    def __init__(self, transports: Transports) -> None:
        self._transports = transports
        self._streams = 0
        #: Transports of somebody else, if there were any.
        self._others: weakref.WeakSet[asyncio.Transport] | None = None

    def add(self, transport: asyncio.Transport) -> None:
        """Adds one that has been made."""
        if isinstance(transport, StreamTransport):
            self._streams += 1
            return
        if self._others is None:
            self._others = weakref.WeakSet()
        self._others.add(transport)

    def discard(self, transport: asyncio.Transport) -> None:
        """Forgets one, which was added once."""
        if isinstance(transport, StreamTransport):
            self._streams -= 1
        elif self._others is not None:
            self._others.discard(transport)

    def __len__(self) -> int:
        return self._streams + (0 if self._others is None else len(self._others))

    def copy(self) -> list[asyncio.Transport]:
        """Those that are there now."""
        streams = self._transports.streams()
        found = [one for one in streams if getattr(one._server, "_clients", None) is self]
        return [*found, *(self._others or ())]


class Server(base_events.Server):
    """Asyncio's server before Python 3.13, with its connections known."""

    _clients: Clients

    # Before 3.13 nobody says which transport it is; asyncio's own TLS transports do not.
    def _attach(self, transport: asyncio.Transport | None = None) -> None:
        server: Any = super()
        server._attach()
        if transport is not None:
            self._clients.add(transport)

    def _detach(self, transport: asyncio.Transport | None = None) -> None:
        if transport is not None:
            self._clients.discard(transport)
        server: Any = super()
        server._detach()

    def close_clients(self) -> None:
        """Closes every connection, after what waits to be written."""
        for transport in self._clients.copy():
            transport.close()

    def abort_clients(self) -> None:
        """Closes every connection at once."""
        for transport in self._clients.copy():
            transport.abort()


def extended(server: Foreign) -> Foreign:
    """The same server, with `close_clients` and `abort_clients`."""
    server._clients = Clients(server.get_loop()._transports)
    if not HAS_CLIENTS:
        server.__class__ = Server
    return server


def keep_alive(server: Foreign) -> None:
    """Has the kernel probe idle connections; those that are accepted inherit it."""
    for listening in server.sockets:
        listening._sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, True)


class SocketFile:
    """The file of a listening Unix socket, removed with it unless another one has its place."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._inode = os.stat(path).st_ino

    def remove(self) -> None:
        """Removes the file."""
        try:
            if os.stat(self._path).st_ino == self._inode:
                os.unlink(self._path)
        except FileNotFoundError:
            pass
        except OSError as error:
            logger.error("Unable to clean up listening UNIX socket %r: %r", self._path, error)
