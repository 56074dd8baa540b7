"""`sock_recv` after it has taken all there was: whatever comes then, and however, is seen."""

from __future__ import annotations

import asyncio
import os
import random
import socket
import struct
import sys
from typing import TYPE_CHECKING, Any

import pytest

from loop.running import Loop, run, sockets

if TYPE_CHECKING:
    from collections.abc import Callable

Ends = tuple[socket.socket, socket.socket]


async def emptied(loop: Loop) -> Ends:
    """Give the ends of a connection, one of which has waited for all that was sent and has it."""
    ours, theirs = sockets()
    waiting = asyncio.ensure_future(loop.sock_recv(ours, 100))
    await asyncio.sleep(0)
    theirs.send(b"first")
    assert await waiting == b"first"
    return ours, theirs


def close(ends: Ends) -> None:
    """Close both."""
    for end in ends:
        end.close()


def reset(sock: socket.socket) -> None:
    """End a connection so that the peer sees a reset."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()


async def until_end(loop: Loop, sock: socket.socket) -> bytes:
    """Give everything up to the peer's end."""
    received = bytearray()
    while chunk := await loop.sock_recv(sock, 100):
        received += chunk
    return bytes(received)


def test_what_was_sent_before_the_next_call_is_received(loop: Loop) -> None:
    async def main() -> None:
        ours, theirs = await emptied(loop)
        for message in (b"second", b"third"):
            theirs.send(message)
            assert await loop.sock_recv(ours, 100) == message
        close((ours, theirs))

    run(loop, main())


def test_who_asks_for_nothing_gets_it_at_once(loop: Loop) -> None:
    async def main() -> None:
        ours, theirs = sockets()
        assert await loop.sock_recv(ours, 0) == b""
        close((ours, theirs))
        ours, theirs = await emptied(loop)
        assert await loop.sock_recv(ours, 0) == b""
        close((ours, theirs))

    run(loop, main())


@pytest.mark.parametrize("last", [b"", b"last words"])
def test_the_peers_end_is_seen_with_what_comes_before_it(loop: Loop, last: bytes) -> None:
    """The kernel tells of both at once, and but once."""

    async def main() -> None:
        ours, theirs = await emptied(loop)
        waiting = asyncio.ensure_future(until_end(loop, ours))
        await asyncio.sleep(0)
        theirs.send(last)
        theirs.shutdown(socket.SHUT_WR)
        assert await waiting == last
        assert await loop.sock_recv(ours, 100) == b""
        close((ours, theirs))

    run(loop, main())


@pytest.mark.parametrize(
    "finish",
    [
        lambda _ours, theirs: theirs.shutdown(socket.SHUT_WR),
        lambda _ours, theirs: theirs.close(),
        lambda ours, _theirs: ours.shutdown(socket.SHUT_RD),
    ],
    ids=["their side", "both sides", "ours"],
)
def test_an_end_before_the_next_call_is_seen(
    loop: Loop, finish: Callable[[socket.socket, socket.socket], None]
) -> None:
    async def main() -> None:
        ours, theirs = await emptied(loop)
        finish(ours, theirs)
        for _ in range(3):
            assert await loop.sock_recv(ours, 100) == b""
        close((ours, theirs))

    run(loop, main())


def test_a_reset_before_the_next_call_is_seen(loop: Loop) -> None:
    async def main() -> None:
        ours, theirs = await emptied(loop)
        reset(theirs)
        with pytest.raises(ConnectionResetError):
            await loop.sock_recv(ours, 100)
        ours.close()

    run(loop, main())


def test_what_lies_behind_an_urgent_byte_is_received(loop: Loop) -> None:
    """A read ends at the mark, with more behind it."""

    async def main() -> None:
        ours, theirs = await emptied(loop)
        ours.setsockopt(socket.SOL_SOCKET, socket.SO_OOBINLINE, 1)
        waiting = asyncio.ensure_future(until_end(loop, ours))
        await asyncio.sleep(0)
        theirs.send(b"ab")
        theirs.send(b"!", socket.MSG_OOB)
        theirs.send(b"cd")
        theirs.shutdown(socket.SHUT_WR)
        assert await waiting == b"ab!cd"
        close((ours, theirs))

    run(loop, main())


def test_another_socket_of_the_same_number_is_asked_by_itself(loop: Loop) -> None:
    async def main() -> None:
        ends = await emptied(loop)
        number = ends[0].fileno()
        close(ends)
        ours, theirs = sockets()
        assert number in (ours.fileno(), theirs.fileno())
        for one, other in ((ours, theirs), (theirs, ours)):
            other.send(b"new")
            assert await loop.sock_recv(one, 100) == b"new"
        close((ours, theirs))

    run(loop, main())


def test_a_socket_that_was_closed_takes_nothing_from_a_stream_of_its_number(loop: Loop) -> None:
    """Its operations had the number; a connection that is opened then gets it."""

    async def main() -> None:
        ours, theirs = await emptied(loop)
        number = ours.fileno()
        one, other = sockets()
        ours.close()
        os.dup2(one.fileno(), number)
        with socket.socket(fileno=number) as again:
            again.setblocking(False)
            reader, writer = await asyncio.open_connection(sock=again)
            with pytest.raises(ValueError, match="Invalid file"):
                loop.remove_reader(ours)
            other.send(b"heard")
            assert await reader.read(100) == b"heard"
            writer.close()
            await writer.wait_closed()
        theirs.close()
        close((one, other))

    run(loop, main())


def test_fewer_bytes_than_the_kernel_tells_of_are_received(loop: Loop) -> None:
    async def main() -> None:
        ours, theirs = sockets()
        ours.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, 4)
        waiting = asyncio.ensure_future(loop.sock_recv(ours, 100))
        await asyncio.sleep(0)
        theirs.send(b"first")
        assert await waiting == b"first"
        theirs.send(b"few")
        assert await loop.sock_recv(ours, 100) == b"few"
        close((ours, theirs))

    run(loop, main())


@pytest.mark.parametrize("family", [socket.AF_INET, socket.AF_UNIX], ids=["TCP", "Unix"])
def test_what_comes_is_received_whatever_came_before(
    loop: Loop, family: socket.AddressFamily
) -> None:
    """Where a read goes depends on how much the one before it brought."""
    sizes = [1, 5000, 5000, 70_000, 300_000, 300_000, 100, 20_000, 1, 1_000_000, 17_000, 1]

    async def main() -> None:
        ours, theirs = sockets(family)
        for number, size in enumerate(sizes):
            message = random.Random(number).randbytes(size)
            sending = asyncio.ensure_future(loop.sock_sendall(theirs, message))
            received = bytearray()
            while len(received) < size:
                chunk = await loop.sock_recv(ours, 262_144)
                assert 0 < len(chunk) <= 262_144
                received += chunk
            assert received == message
            await sending
        await loop.sock_sendall(theirs, b"some more than is asked for")
        assert await loop.sock_recv(ours, 4) == b"some"
        assert await loop.sock_recv(ours, 5) == b" more"
        close((ours, theirs))

    run(loop, main())


def test_connections_with_much_to_read_get_their_turns(loop: Loop) -> None:
    """However few are asked for at a time, and whether what comes is large or small."""
    count, sizes = 20, [100_000, 100_000, 100_000, 1, 100_000, 1, 1]

    async def echo(sock: socket.socket) -> None:
        while data := await loop.sock_recv(sock, 262_144):
            await loop.sock_sendall(sock, data)

    async def ask(sock: socket.socket, letter: bytes) -> None:
        for size in sizes:
            await loop.sock_sendall(sock, letter * size)
            received = bytearray()
            while len(received) < size:
                received += await loop.sock_recv(sock, 262_144)
            assert received == letter * size

    async def main() -> None:
        pairs = [sockets() for _ in range(count)]
        echoes = [asyncio.ensure_future(echo(theirs)) for _, theirs in pairs]
        await asyncio.gather(*(ask(ours, bytes([65 + n])) for n, (ours, _) in enumerate(pairs)))
        for ours, _ in pairs:
            ours.close()
        await asyncio.gather(*echoes)
        for _, theirs in pairs:
            theirs.close()

    run(loop, main())


@pytest.mark.skipif(sys.version_info < (3, 12), reason="classes have no `__buffer__` yet")
def test_a_buffer_that_cancels_its_own_read_is_told_and_the_loop_runs_on(
    loop: Loop, unhandled: list[dict[str, Any]]
) -> None:
    class Cancelling:
        """Cancels when it is asked for its memory again."""

        asked = 0

        def __buffer__(self, _flags: int) -> memoryview:
            self.asked += 1
            if self.asked > 1:
                readings[0].cancel()
            return memoryview(bytearray(10))

    async def main() -> None:
        ours, theirs = sockets()
        readings.append(asyncio.ensure_future(loop.sock_recv_into(ours, Cancelling())))
        await asyncio.sleep(0)
        theirs.send(b"x")
        with pytest.raises(asyncio.CancelledError):
            await readings[0]
        close((ours, theirs))

    readings: list[asyncio.Future[int]] = []
    run(loop, main())
    assert isinstance(unhandled.pop()["exception"], asyncio.InvalidStateError)
