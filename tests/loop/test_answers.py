"""What several callbacks of one turn write: it may leave together, and waits for nobody."""

from __future__ import annotations

import asyncio
import socket
import subprocess
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest

from loop.running import LIMIT_S, Loop, Recorder, connect, is_asyncio, run, sockets

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

#: Writes in one callback; the one behind it, in the same turn, ends the process.
ENDS = """
import asyncio, os, socket, sys
import corrente

async def main():
    loop = asyncio.get_running_loop()
    sock = socket.socket(fileno=int(sys.argv[2]))
    sock.setblocking(False)
    transport, _ = await loop.create_connection(asyncio.Protocol, sock=sock)
    loop.call_soon(transport.write, b"answer")
    loop.call_soon(os._exit, 7)
    await asyncio.Event().wait()

made = {"asyncio": asyncio.SelectorEventLoop, "corrente": corrente.new_event_loop}[sys.argv[1]]
made().run_until_complete(main())
"""


async def in_one_turn(*callbacks: Callable[[], object]) -> None:
    """Run callbacks one behind the other, and go on in the turn after it."""
    loop = asyncio.get_running_loop()
    for callback in callbacks:
        loop.call_soon(callback)
    for _ in range(2):
        await asyncio.sleep(0)


def test_what_was_written_does_not_wait_for_who_blocks_behind_it(loop: Loop) -> None:
    async def main() -> bytes:
        protocol, (ours, theirs) = Recorder(), sockets()
        got: list[bytes] = []
        with theirs:
            transport = await connect(ours, protocol)
            theirs.settimeout(LIMIT_S)
            # The loop does nothing else until it has come.
            await in_one_turn(
                lambda: transport.write(b"answer"), lambda: got.append(theirs.recv(100))
            )
            transport.close()
            await protocol.lost()
        return got[0]

    assert run(loop, main()) == b"answer"


def test_who_ends_the_process_has_written_before(loop: Loop) -> None:
    name = "asyncio" if is_asyncio(loop) else "corrente"
    ours, theirs = sockets()
    ours.setblocking(True)
    with ours, theirs:
        program = [sys.executable, "-c", ENDS, name, str(theirs.fileno())]
        ended = subprocess.run(program, pass_fds=[theirs.fileno()], timeout=LIMIT_S, check=False)
        theirs.close()
        ours.settimeout(LIMIT_S)
        assert ended.returncode == 7
        assert ours.recv(100) == b"answer"


@pytest.mark.parametrize("count", [2, 40])
def test_what_a_turn_writes_is_there_after_it(loop: Loop, count: int) -> None:
    async def main() -> list[bytes]:
        pairs = [sockets() for _ in range(count)]
        protocols = [Recorder() for _ in pairs]
        transports = [
            await connect(ours, protocol)
            for (ours, _), protocol in zip(pairs, protocols, strict=True)
        ]

        def write(transport: Any) -> None:
            transport.write(b"a")
            transport.write(b"b")

        steps = [lambda transport=one: write(transport) for one in transports]
        await in_one_turn(*steps, *steps)
        got = [theirs.recv(100) for _, theirs in pairs]
        for transport, protocol in zip(transports, protocols, strict=True):
            transport.close()
            await protocol.lost()
        for _, theirs in pairs:
            theirs.close()
        return got

    assert run(loop, main()) == [b"abab"] * count


def test_answers_of_a_turn_leave_together(loop: Loop) -> None:
    """Asyncio's leave one by one. Ours do where callbacks have taken long just now, as they may."""

    async def main() -> bool:
        protocol, (ours, theirs) = Recorder(), sockets()
        seen: list[bytes] = []
        is_held = False

        def look(sock: socket.socket) -> None:
            with suppress(BlockingIOError):
                seen.append(sock.recv(100))

        with theirs:
            transport = await connect(ours, protocol)
            end = loop.time() + LIMIT_S / 2
            while not is_held and loop.time() < end:
                await in_one_turn(lambda: transport.write(b"x"), lambda: look(theirs))
                is_held = not seen
                look(theirs)
                assert seen == [b"x"]
                seen.clear()
                if is_asyncio(loop):
                    break
            transport.close()
            await protocol.lost()
        return is_held

    assert run(loop, main()) is not is_asyncio(loop)


async def to_own(protocol: Recorder) -> tuple[Any, socket.socket, socket.socket]:
    """Connect a socket of one's own; give the transport, what to set options of, and the peer."""
    ours, theirs = sockets()
    return await connect(ours, protocol), ours, theirs


async def to_an_address(protocol: Recorder) -> tuple[Any, Any, socket.socket]:
    """The same for one that the loop makes."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        address = listening.getsockname()
        loop = asyncio.get_running_loop()
        transport, _ = await loop.create_connection(lambda: protocol, *address)
        theirs, _ = listening.accept()
    return transport, transport.get_extra_info("socket"), theirs


async def accepted(protocol: Recorder) -> tuple[Any, Any, socket.socket]:
    """The same for one that the loop accepts."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: protocol, "127.0.0.1", 0)
    theirs = socket.create_connection(server.sockets[0].getsockname())
    await protocol.called("connection_made")
    server.close()
    return protocol.transport, protocol.transport.get_extra_info("socket"), theirs


@pytest.mark.parametrize("make", [to_own, to_an_address, accepted])
def test_who_holds_back_himself_decides_when_it_leaves(
    loop: Loop, make: Callable[[Recorder], Awaitable[tuple[Any, Any, socket.socket]]]
) -> None:
    async def main() -> None:
        protocol = Recorder()
        transport, sock, theirs = await make(protocol)
        theirs.settimeout(LIMIT_S)

        def hold_back() -> None:
            transport.write(b"before ")
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_CORK, 1)

        corks = []
        await in_one_turn(lambda: transport.write(b"long "), hold_back, lambda: None)
        corks.append(sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_CORK))
        for _ in range(20):
            await in_one_turn(lambda: transport.write(b"x"), lambda: None)
            corks.append(sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_CORK))
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_CORK, 0)
        got = b""
        while len(got) < len(b"long before ") + 20:
            got += theirs.recv(100)
        assert set(corks) == {1}
        assert got == b"long before " + b"x" * 20
        theirs.close()
        await protocol.lost()

    run(loop, main())
