"""Sockets that users have made themselves and give to a loop: `create_connection(sock=…)`.

Whoever has made a socket keeps an object of it, by which the loop would not learn of a `TCP_CORK`:
their connections are asked for one before what is held back is sent. Must not know transports.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import sys
from typing import TYPE_CHECKING, Any, TypeAlias

from corrente import _older

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

#: What asyncio has no type for: its private classes, an address of any family.
Foreign: TypeAlias = Any


class GivenSockets:
    """What of a loop takes sockets and makes connections of them."""

    __slots__ = ()

    #: The descriptors of those that are about to get a transport.
    _given_sockets: set[int]

    async def create_connection(
        self, *args: Foreign, sock: socket.socket | None = None, **kwargs: Foreign
    ) -> Foreign:
        """As asyncio; `all_errors` on every version."""
        base: Any = asyncio.SelectorEventLoop
        is_older = sys.version_info < (3, 12)
        all_errors = is_older and kwargs.pop("all_errors", False)
        with self._given(sock):
            connect = base.create_connection(self, *args, sock=sock, **kwargs)
            return await (_older.with_all_errors(connect) if all_errors else connect)

    async def connect_accepted_socket(
        self,
        protocol_factory: Callable[[], asyncio.BaseProtocol],
        sock: socket.socket,
        **kwargs: Foreign,
    ) -> Foreign:
        """As asyncio."""
        base: Any = asyncio.SelectorEventLoop
        with self._given(sock):
            return await base.connect_accepted_socket(self, protocol_factory, sock, **kwargs)

    @contextlib.contextmanager
    def _given(self, sock: Foreign) -> Iterator[None]:
        number = sock.fileno() if isinstance(sock, socket.socket) else -1
        self._given_sockets.add(number)
        try:
            yield
        finally:
            self._given_sockets.discard(number)
