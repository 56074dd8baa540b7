"""What protocols raise, wherever they are called: asyncio's loop and ours do the same about it."""

from __future__ import annotations

import asyncio
import contextlib
import re
import socket
from itertools import product
from typing import TYPE_CHECKING, Any

import pytest

from loop.conftest import FACTORIES
from loop.running import LIMIT_S, sockets, turn

if TYPE_CHECKING:
    from collections.abc import Callable

    from loop.running import Loop

#: More than the kernel takes at once.
MUCH = b"y" * 6_000_000


class OddError(BaseException):
    """Neither an `Exception` nor one that ends a program."""


class Raising:
    """A protocol that raises in some of its methods, and has all noted that is called."""

    def __init__(self, story: Story, raising: set[str]) -> None:
        self._story = story
        self._raising = raising
        self.transport: Any = None

    def called(self, name: str, *arguments: object) -> None:
        """Note a call, and raise in it."""
        self._story.note(name, *arguments)
        if name in self._raising:
            raise self._story.error

    def connection_made(self, transport: Any) -> None:
        """As asyncio asks for it, and the others."""
        self.transport = transport
        self.called("connection_made")

    def connection_lost(self, exc: BaseException | None) -> None:
        """With what it was lost, and that the transport closes."""
        self.called("connection_lost", repr(exc), self.transport.is_closing())

    def eof_received(self) -> None:
        """Closes the transport."""
        self.called("eof_received")

    def pause_writing(self) -> None:
        """Too much waits."""
        self.called("pause_writing")

    def resume_writing(self) -> None:
        """It does no more."""
        self.called("resume_writing")


class Plain(Raising, asyncio.Protocol):
    """Of the first kind."""

    def data_received(self, data: bytes) -> None:
        """How much came."""
        self.called("data_received", len(data))


class Buffered(Raising, asyncio.BufferedProtocol):
    """Of the second kind."""

    def get_buffer(self, sizehint: int) -> bytearray:
        """Room for little."""
        del sizehint
        self.called("get_buffer")
        return bytearray(16)

    def buffer_updated(self, nbytes: int) -> None:
        """How much came."""
        self.called("buffer_updated", nbytes)


class Story:
    """All that one connection's two ends and the exception handler see, in order."""

    def __init__(self, loop: Loop, error: BaseException) -> None:
        self.told: list[str] = []
        self.error = error
        self._loop = loop
        loop.set_exception_handler(self._handle)

    def note(self, *what: object) -> None:
        """Add it."""
        self.told.append(" ".join(map(str, what)))

    def _handle(self, _loop: Loop, context: dict[str, Any]) -> None:
        message = re.sub(r"\(<.*", "(…)", context["message"])
        # Whose transport it is.
        message = re.sub(r"\w*Transport\b", "Transport", message)
        others = sorted(set(context) - {"message", "exception"})
        self.note("handler:", message, repr(context["exception"]), *others)

    def turns(self, count: int = 4) -> None:
        """Run turns of the loop; each looks at descriptors."""
        for _ in range(count):
            turn(self._loop)

    def do(self, what: str, act: Callable[[], object]) -> None:
        """Do something and see what follows."""
        try:
            self.note(what, act())
        except OSError as error:
            self.note(what, error.errno)
        self.turns()

    def connection(self, protocol: Raising, peer: socket.socket) -> None:
        """Both ends send, more than the kernel takes too, and the peer ends."""
        transport = protocol.transport
        self.do("peer sends", lambda: peer.send(b"x" * 10))
        transport.set_write_buffer_limits(high=10, low=5)
        self.do("writes", lambda: transport.write(MUCH))
        self.do("peer reads", lambda: self._read(peer, transport))
        self.do("peer sends again", lambda: peer.send(b"z" * 10))
        self.do("peer ends", lambda: peer.shutdown(socket.SHUT_WR))
        self.do("is closing", transport.is_closing)
        self.do("aborts", transport.abort)
        peer.close()
        self.turns()

    def _read(self, peer: socket.socket, transport: Any) -> str:
        """Read until all has come, or no more will."""
        count, deadline = 0, self._loop.time() + LIMIT_S
        while count < len(MUCH) and self._loop.time() < deadline:
            try:
                data = peer.recv(1 << 20)
            except BlockingIOError:
                data = b""
            count += len(data)
            turn(self._loop)
            if not data and transport.is_closing():
                break
        return "all" if count == len(MUCH) else "a part"


def given(loop: Loop, factory: Callable[[], Any]) -> socket.socket:
    """Connect a socket of our own; give the peer."""
    ours, theirs = sockets()
    loop.run_until_complete(loop.create_connection(factory, sock=ours))
    return theirs


def accepted(loop: Loop, factory: Callable[[], Any]) -> socket.socket:
    """Have a connection accepted; give the peer."""
    server = loop.run_until_complete(loop.create_server(factory, "127.0.0.1", 0))
    peer = socket.create_connection(server.sockets[0].getsockname())
    peer.setblocking(False)
    for _ in range(4):
        turn(loop)
    server.close()
    return peer


def story(
    make_loop: Callable[[], Loop],
    connect: Callable[[Loop, Callable[[], Any]], socket.socket],
    make: Callable[[Story], Raising],
    error: BaseException,
) -> list[str]:
    """Tell what happens on a loop."""
    with contextlib.closing(make_loop()) as loop:
        told = Story(loop, error)
        protocol = make(told)
        with connect(loop, lambda: protocol) as peer:
            told.turns()
            told.connection(protocol, peer)
    return told.told


COMMON = ["connection_made", "eof_received", "pause_writing", "resume_writing", "connection_lost"]
PLACES = [
    *product([Plain], [*COMMON, "data_received"]),
    *product([Buffered], [*COMMON, "get_buffer", "buffer_updated"]),
]
ERRORS = [ValueError("v"), OddError("o"), ConnectionResetError(104, "mine"), OSError(5, "io")]


@pytest.mark.parametrize("connect", [given, accepted])
@pytest.mark.parametrize(("kind", "place"), PLACES)
@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_an_exception_of_a_protocol_is_dealt_with_as_asyncio_does(
    connect: Callable[[Loop, Callable[[], Any]], socket.socket],
    kind: type[Raising],
    place: str,
    error: BaseException,
) -> None:
    def make(told: Story) -> Raising:
        return kind(told, {place})

    theirs, ours = (story(FACTORIES[name], connect, make, error) for name in FACTORIES)
    assert any(line.startswith(place) for line in theirs)
    assert ours == theirs
