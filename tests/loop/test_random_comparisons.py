"""Random programs that run on asyncio's loop and on Corrente's, and have to see the same.

One end of a pair of sockets is a connection of the loop, the other one is the test's own: it reads
a part of what has come, writes, ends its side, closes, or closes with something unread, which
resets the connection. After each deed the loop runs until nothing happens any more.
"""

from __future__ import annotations

import asyncio
import random
import socket
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

import pytest

import corrente
from loop.running import BufferedRecorder, Loop, Recorder, turn

if TYPE_CHECKING:
    from collections.abc import Callable

SEEDS = range(60)
DEEDS = 60
#: Turns after which nothing more happens: a deed leads to three at most, one after the other.
QUIET_TURNS = 6
#: More than the kernel takes, so that the protocol is paused on every loop.
MUCH = 600_000
#: So little that the kernel takes it where nothing waits.
LITTLE = 200


def drained(peer: socket.socket) -> bytes:
    """Read all that has come."""
    received = bytearray()
    while True:
        try:
            piece = peer.recv(1_000_000)
        except (BlockingIOError, ConnectionError):
            return bytes(received)
        if not piece:
            return bytes(received)
        received += piece


@dataclass
class Pair:
    """A connection of the loop, and the socket at its other end."""

    loop: Loop
    peer: socket.socket
    is_peer_open: bool = True
    taken: bytearray = field(default_factory=bytearray)

    def settle(self) -> None:
        """Run until nothing happens any more."""
        for _ in range(QUIET_TURNS):
            turn(self.loop)

    def peer_deed(self, kind: str, source: random.Random) -> object:
        """Do something at the other end."""
        if not self.is_peer_open:
            return None
        if kind == "peer writes":
            data = source.randbytes(source.choice([1, LITTLE, 50_000]))
            try:
                return len(data) == self.peer.send(data)
            except OSError as error:
                return type(error)
        if kind == "peer reads":
            try:
                self.taken += self.peer.recv(source.randrange(1, 2000))
            except (BlockingIOError, ConnectionError):
                return None
        elif kind == "peer ends":
            self.peer.shutdown(socket.SHUT_WR)
        elif kind == "peer closes":
            self.taken += drained(self.peer)
            self.is_peer_open = False
            self.peer.close()
        elif kind == "peer resets":
            # With something unread, if there is something.
            self.is_peer_open = False
            self.peer.close()
        return None


class Transports(Pair):
    """Deeds on a transport."""

    weights: ClassVar[dict[str, float]] = {
        "write": 8,
        "write much": 1,
        "writelines": 3,
        "pause": 3,
        "resume": 4,
        "limits": 1,
        "write_eof": 0.4,
        "close": 0.4,
        "abort": 0.3,
        "peer writes": 8,
        "peer reads": 6,
        "peer ends": 0.4,
        "peer closes": 0.4,
        "peer resets": 0.3,
    }

    def __init__(self, loop: Loop, source: random.Random) -> None:
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        theirs.setblocking(False)
        super().__init__(loop, theirs)
        keeps_open = source.random() < 0.5

        class Keeping(Recorder):
            """Keeps its side open, or not."""

            def eof_received(self) -> bool:
                super().eof_received()
                return keeps_open

        kinds: list[Callable[[], Any]] = [Keeping, BufferedRecorder]
        self.protocol = source.choice(kinds)()
        connecting = loop.create_unix_connection(lambda: self.protocol, sock=ours)
        self.transport, _ = loop.run_until_complete(connecting)
        self.sent = bytearray()

    def deed(self, kind: str, source: random.Random) -> object:
        """Do something; the type of what it raised."""
        transport = self.transport
        size = MUCH if kind == "write much" else source.randrange(LITTLE)
        data = source.randbytes(size)
        deeds: dict[str, Callable[[], object]] = {
            "write": lambda: transport.write(data),
            "write much": lambda: transport.write(data),
            "writelines": lambda: transport.writelines([data[:10], b"", data[10:]]),
            "pause": transport.pause_reading,
            "resume": transport.resume_reading,
            "limits": lambda: transport.set_write_buffer_limits(1000),
            "write_eof": transport.write_eof,
            "close": transport.close,
            "abort": transport.abort,
        }
        if kind not in deeds:
            return self.peer_deed(kind, source)
        is_ending = kind == "writelines" and transport.is_closing()
        if is_ending or (kind == "abort" and self.is_lost()):
            # Asyncio falls over what it has let go: AttributeError, TypeError.
            return None
        try:
            deeds[kind]()
        except Exception as error:
            return repr(error)
        return None

    def is_lost(self) -> bool:
        """Whether the connection has ended."""
        return "connection_lost" in self.protocol.calls

    def seen(self) -> object:
        """Calls but for how data were cut into pieces, and the state of the transport."""
        calls = self.protocol.calls
        return (
            [call for call in calls if call not in {"data_received", "buffer_updated"}],
            bytes(self.protocol.received),
            self.transport.is_closing(),
            self.transport.is_closing() or self.transport.is_reading(),
            repr(self.protocol.lost_with),
        )

    def end(self) -> object:
        """Read what has come and close; what the other end had got in all."""
        for _ in range(20):
            self.taken += drained(self.peer) if self.is_peer_open else b""
            self.settle()
        self.transport.resume_reading()
        self.settle()
        told = self.seen()
        if not self.is_lost():
            self.transport.abort()
        self.settle()
        self.peer.close()
        return told, bytes(self.taken), self.protocol.calls.count("connection_lost")


class Streams(Pair):
    """Deeds on a reader and a writer, with tasks that are cancelled."""

    weights: ClassVar[dict[str, float]] = {
        "read": 3,
        "readline": 2,
        "readexactly": 2,
        "drain": 3,
        "cancel": 4,
        "write": 6,
        "write much": 1,
        "close": 0.3,
        "peer writes": 8,
        "peer reads": 6,
        "peer ends": 0.3,
        "peer closes": 0.3,
        "peer resets": 0.3,
    }

    def __init__(self, loop: Loop, source: random.Random) -> None:
        del source
        ours, theirs = socket.socketpair()
        theirs.setblocking(False)
        super().__init__(loop, theirs)
        opening = asyncio.open_unix_connection(sock=ours, limit=1000)
        self.reader, self.writer = loop.run_until_complete(opening)
        self.tasks: list[asyncio.Task[Any]] = []

    def deed(self, kind: str, source: random.Random) -> object:
        """Do something."""
        size = source.randrange(1, 300)
        reads: dict[str, Callable[[], Any]] = {
            "read": lambda: self.reader.read(size),
            "readline": self.reader.readline,
            "readexactly": lambda: self.reader.readexactly(size),
            "drain": self.writer.drain,
        }
        if kind in reads:
            self.tasks.append(self.loop.create_task(reads[kind]()))
        elif kind == "cancel":
            for task in self.tasks[-2:]:
                task.cancel()
        elif kind.startswith("write"):
            self.writer.write(source.randbytes(MUCH if kind == "write much" else size))
        elif kind == "close":
            self.writer.close()
        else:
            return self.peer_deed(kind, source)
        return None

    def seen(self) -> object:
        """What became of each task."""
        return [self.outcome(task) for task in self.tasks]

    @staticmethod
    def outcome(task: asyncio.Task[Any]) -> object:
        """Tell what became of a task."""
        if not task.done():
            return "waits"
        if task.cancelled():
            return "cancelled"
        error = task.exception()
        return repr(error) if error else task.result()

    def end(self) -> object:
        """Cancel what waits, and close."""
        told = self.seen()
        for task in self.tasks:
            task.cancel()
        self.writer.transport.abort()
        self.settle()
        self.peer.close()
        return told, self.loop.run_until_complete(self.closed())

    async def closed(self) -> str:
        """Wait for the end; how it came."""
        try:
            await asyncio.wait_for(self.writer.wait_closed(), 10)
        except Exception as error:
            return repr(error)
        return "closed"


def trace(
    make_loop: Callable[[], Loop], kind: type[Transports | Streams], seed: int
) -> list[object]:
    """Run a program; what was seen after each deed."""
    source = random.Random(seed)
    loop = make_loop()
    told: list[str] = []
    loop.set_exception_handler(lambda _loop, context: told.append(context["message"]))
    try:
        program = kind(loop, source)
        steps: list[object] = []
        for _ in range(DEEDS):
            deed = source.choices(list(kind.weights), list(kind.weights.values()))[0]
            # What a deed draws is no concern of the next one's.
            given = program.deed(deed, random.Random(source.random()))
            program.settle()
            steps.append((deed, given, program.seen()))
        steps.append(program.end())
        return [*steps, told]
    finally:
        loop.close()


@pytest.mark.parametrize("kind", [Transports, Streams])
@pytest.mark.parametrize("seed", SEEDS)
def test_what_happens_is_what_happens_on_asyncio(
    kind: type[Transports | Streams], seed: int
) -> None:
    expected = trace(asyncio.SelectorEventLoop, kind, seed)
    found = trace(corrente.new_event_loop, kind, seed)
    for number, (theirs, ours) in enumerate(zip(expected, found, strict=True)):
        assert ours == theirs, f"deed {number}"
