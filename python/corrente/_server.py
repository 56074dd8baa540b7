"""Listening servers: what newer versions of asyncio added, for older ones too.

From Python 3.13 on asyncio's own server is used as it is.
"""

from __future__ import annotations

import os
import socket
import sys
import weakref
from asyncio import base_events
from asyncio.log import logger
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    import asyncio

#: What asyncio has no type for: its private classes, an address of any family.
Foreign: TypeAlias = Any

HAS_CLIENTS = sys.version_info >= (3, 13)


class Server(base_events.Server):
    """Asyncio's server before Python 3.13, with its connections known."""

    _clients: weakref.WeakSet[asyncio.Transport]

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
    if not HAS_CLIENTS:
        server._clients = weakref.WeakSet()
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
