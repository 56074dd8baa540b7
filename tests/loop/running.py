"""What the tests of the loop share: running with a limit, protocols that remember, sockets.

Nothing here waits for time to pass: a test waits for what it has to see, and the limit only ends
one that would never see it.
"""

from __future__ import annotations

import asyncio
import socket
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

Result = TypeVar("Result")
Loop = asyncio.AbstractEventLoop

#: Seconds after which a test has failed; the slowest takes a tenth of it on two busy CPUs.
LIMIT_S = 20.0


def is_asyncio(loop: Loop) -> bool:
    """Whether it is asyncio's own: a few tests ask more than it does, and say what."""
    return type(loop) is asyncio.SelectorEventLoop


def run(loop: Loop, main: Coroutine[Any, Any, Result]) -> Result:
    """Run a coroutine to its end, within the limit."""
    return loop.run_until_complete(asyncio.wait_for(main, LIMIT_S))


def turn(loop: Loop) -> None:
    """Run one turn of the loop."""
    loop.stop()
    loop.run_forever()


def run_until_stopped(loop: Loop) -> None:
    """Run until a callback stops the loop; within the limit."""
    late: list[bool] = []

    def give_up() -> None:
        late.append(True)
        loop.stop()

    limit = loop.call_later(LIMIT_S, give_up)
    loop.run_forever()
    limit.cancel()
    assert not late, f"nobody stopped the loop within {LIMIT_S} s"


class Watched:
    """Remembers what was called, and lets a test wait until it has seen enough."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self._changed = asyncio.Event()

    def note(self, call: str) -> None:
        """Remember a call."""
        self.calls.append(call)
        self._changed.set()

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait until it is so; it is asked after each call."""
        while not condition():
            self._changed.clear()
            await self._changed.wait()

    async def called(self, call: str) -> None:
        """Wait until this was called."""
        await self.until(lambda: call in self.calls)


class Connection(Watched):
    """What every protocol of a connection remembers."""

    transport: Any = None
    lost_with: BaseException | None = None

    def connection_made(self, transport: Any) -> None:
        """Remember the transport."""
        self.transport = transport
        self.note("connection_made")

    def eof_received(self) -> bool | None:
        """Remember the end of what the peer sends."""
        self.note("eof_received")
        return None

    def connection_lost(self, exc: Exception | None) -> None:
        """Remember how it ended."""
        self.lost_with = exc
        self.note("connection_lost")

    def pause_writing(self) -> None:
        """Remember that the buffer is too full."""
        self.note("pause_writing")

    def resume_writing(self) -> None:
        """Remember that it is not any more."""
        self.note("resume_writing")

    async def lost(self) -> None:
        """Wait for the end of the connection."""
        await self.called("connection_lost")


class Recorder(Connection, asyncio.Protocol):
    """A protocol that keeps what it is given."""

    def __init__(self) -> None:
        super().__init__()
        self.received = bytearray()

    def data_received(self, data: bytes) -> None:
        """Keep it."""
        self.received += data
        self.note("data_received")

    async def has(self, count: int) -> bytes:
        """Wait for so many bytes; give all that has come."""
        await self.until(lambda: len(self.received) >= count)
        return bytes(self.received)


class BufferedRecorder(Connection, asyncio.BufferedProtocol):
    """The same, which lends a buffer of some size."""

    def __init__(self, size: int = 4096) -> None:
        super().__init__()
        self.received = bytearray()
        self.asked: list[int] = []
        self.buffer = bytearray(size)

    def get_buffer(self, sizehint: int) -> bytearray:
        """Lend the buffer."""
        self.asked.append(sizehint)
        return self.buffer

    def buffer_updated(self, nbytes: int) -> None:
        """Keep what was put into it."""
        self.received += self.buffer[:nbytes]
        self.note("buffer_updated")

    async def has(self, count: int) -> bytes:
        """Wait for so many bytes; give all that has come."""
        await self.until(lambda: len(self.received) >= count)
        return bytes(self.received)


class Echo(Recorder):
    """Sends back what it is sent."""

    def data_received(self, data: bytes) -> None:
        """Send it back."""
        super().data_received(data)
        self.transport.write(data)


def sockets(family: socket.AddressFamily = socket.AF_INET) -> tuple[socket.socket, socket.socket]:
    """Give two connected sockets that do not block: over TCP, or of a Unix pair."""
    if family == socket.AF_UNIX:
        ours, theirs = socket.socketpair()
    else:
        with socket.create_server(("127.0.0.1", 0)) as listening:
            ours = socket.create_connection(listening.getsockname())
            theirs, _ = listening.accept()
    ours.setblocking(False)
    theirs.setblocking(False)
    return ours, theirs


async def connect(sock: socket.socket, protocol: Any) -> Any:
    """Give a protocol a connected socket; give its transport."""
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_connection(lambda: protocol, sock=sock)
    return transport


async def talk(ours: Any, theirs: Any) -> tuple[Any, Any]:
    """Give two protocols the ends of a TCP connection; give their transports."""
    here, there = sockets()
    return await connect(here, ours), await connect(there, theirs)


async def end(*protocols: Connection) -> None:
    """Close what is open and wait until it is."""
    for protocol in protocols:
        protocol.transport.close()
    for protocol in protocols:
        await protocol.lost()
