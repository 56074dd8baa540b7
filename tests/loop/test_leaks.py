"""What connections leave behind when they have ended: nothing, however they ended.

The counts are compared after a first run, which fills what is kept for ever, and after a second.
`CORRENTE_LEAK_CONNECTIONS=100000` in the environment is the long run (docs/TESTING.md).
"""

from __future__ import annotations

import asyncio
import ctypes
import gc
import os
import socket
import struct
import sys
import sysconfig
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

import corrente
from loop.running import Echo, Loop, Recorder, turn

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

CONNECTIONS = int(os.environ.get("CORRENTE_LEAK_CONNECTIONS", "300"))
#: More than the kernel takes, so that something waits in the transport.
TOO_MUCH = b"x" * 1_000_000
#: An object a connection would be as many blocks as there are connections.
BLOCKS_A_CONNECTION = 0.1
#: Without a GIL what is freed is given back late: some forty blocks, on every loop, however many
#: connections there were.
BLOCKS_LEAST = 100 if sysconfig.get_config_var("Py_GIL_DISABLED") else 0
#: The smallest thing that a connection has in Rust is larger.
HEAP_BYTES_A_CONNECTION = 40
#: The size of tables changes by leaps, whatever there is in them.
HEAP_BYTES_LEAST = 32_000


@dataclass
class Counts:
    """What there is at a moment."""

    blocks: int
    heap_bytes: int
    descriptors: set[str]
    transports: int


class HeapInformation(ctypes.Structure):
    """What glibc's `mallinfo2` tells."""

    _fields_ = [
        (name, ctypes.c_size_t)
        for name in (
            *("arena", "free_blocks", "free_fast_blocks", "mapped_blocks", "mapped_bytes"),
            *("unused", "free_fast_bytes", "used_bytes", "free_bytes", "top_bytes"),
        )
    ]


def heap_bytes() -> int:
    """Count the bytes that C and Rust have; 0 where the C library does not tell."""
    ask = getattr(ctypes.CDLL(None), "mallinfo2", None)
    if ask is None:
        return 0
    ask.restype = HeapInformation
    told = ask()
    return int(told.used_bytes) + int(told.mapped_bytes)


def counts(loop: Loop) -> Counts:
    """Count, after all that has ended is gone."""
    transports: Any = loop
    for _ in range(1000):
        turn(loop)
        if not transports._transports:
            break
    for _ in range(3):
        turn(loop)
        gc.collect()
    return Counts(
        sys.getallocatedblocks(),
        heap_bytes(),
        set(os.listdir("/proc/self/fd")),
        len(transports._transports),
    )


async def clean(path: str) -> None:
    """An echo, and an end of both sides."""
    client = Recorder()
    transport, _ = await asyncio.get_running_loop().create_unix_connection(lambda: client, path)
    transport.write(b"hello")
    await client.has(5)
    transport.close()
    await client.lost()


async def aborted(path: str) -> None:
    """An end with much that was not sent."""
    client = Recorder()
    transport, _ = await asyncio.get_running_loop().create_unix_connection(lambda: client, path)
    transport.pause_reading()
    transport.write(TOO_MUCH)
    transport.abort()
    await client.lost()


async def streams(path: str) -> None:
    """A reader and a writer; a read that is cancelled, a timeout that is not needed."""
    reader, writer = await asyncio.open_unix_connection(path)
    reading = asyncio.ensure_future(reader.read(100))
    await asyncio.sleep(0)
    reading.cancel()
    await asyncio.wait([reading])
    writer.write(b"a line\n")
    await writer.drain()
    async with asyncio.timeout(60):
        assert await reader.readline() == b"a line\n"
    writer.close()
    await writer.wait_closed()


async def plain(path: str) -> None:
    """A socket of the user's own, with an operation that is cancelled."""
    loop = asyncio.get_running_loop()
    with socket.socket(socket.AF_UNIX) as sock:
        sock.setblocking(False)
        await loop.sock_connect(sock, path)
        receiving = asyncio.ensure_future(loop.sock_recv(sock, 10))
        await asyncio.sleep(0)
        receiving.cancel()
        await asyncio.wait([receiving])
        await loop.sock_sendall(sock, b"hello")
        received = b""
        while len(received) < 5:
            received += await loop.sock_recv(sock, 10)


class Ending(Echo):
    """Lets a test wait for the end of the connection that is served."""

    ended: asyncio.Future[None]

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell it."""
        super().connection_lost(exc)
        if not self.ended.done():
            self.ended.set_result(None)


async def reset(address: tuple[str, int]) -> None:
    """A client over TCP that resets its connection."""
    Ending.ended = asyncio.get_running_loop().create_future()
    loop = asyncio.get_running_loop()
    with socket.socket() as sock:
        sock.setblocking(False)
        await loop.sock_connect(sock, address)
        await loop.sock_sendall(sock, b"hello")
        await loop.sock_recv(sock, 5)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    await Ending.ended


KINDS: dict[str, Callable[[Any], Awaitable[None]]] = {
    "clean": clean,
    "aborted": aborted,
    "streams": streams,
    "plain": plain,
    "reset": reset,
}


async def serve(kind: str, path: Path) -> tuple[asyncio.Server, Any]:
    """Serve echoes where the clients of this kind look."""
    loop = asyncio.get_running_loop()
    if kind == "reset":
        server = await loop.create_server(Ending, "127.0.0.1", 0)
        return server, server.sockets[0].getsockname()
    where = str(path / "socket")
    return await loop.create_unix_server(Echo, where), where


@pytest.mark.timeout(600)
@pytest.mark.parametrize("kind", KINDS)
def test_connections_leave_nothing_behind(loop: Loop, kind: str, here: Path) -> None:
    if isinstance(loop, corrente.EventLoop):
        # The latest stalls are kept, with their stacks.
        loop.watch(None)
    server, address = loop.run_until_complete(serve(kind, here))

    async def main(count: int) -> None:
        for _ in range(count):
            await KINDS[kind](address)

    loop.run_until_complete(main(min(CONNECTIONS, 1000)))
    before = counts(loop)
    loop.run_until_complete(main(CONNECTIONS))
    after = counts(loop)
    server.close()
    loop.run_until_complete(server.wait_closed())
    assert after.descriptors == before.descriptors
    assert after.transports == before.transports == 0
    more = after.blocks - before.blocks
    assert more < max(BLOCKS_LEAST, BLOCKS_A_CONNECTION * CONNECTIONS)
    grown = after.heap_bytes - before.heap_bytes
    assert grown < max(HEAP_BYTES_LEAST, HEAP_BYTES_A_CONNECTION * CONNECTIONS)
    if isinstance(loop, corrente.EventLoop):
        assert loop.metrics().transports == 0
