"""Bytes through connections: all arrive, in order, of every size, by every kind of protocol."""

from __future__ import annotations

import asyncio
import itertools
import random
import socket
from typing import TYPE_CHECKING, Any

import pytest

from loop.running import (
    BufferedRecorder,
    Echo,
    Loop,
    Recorder,
    connect,
    end,
    is_asyncio,
    run,
    sockets,
    talk,
)

if TYPE_CHECKING:
    from pathlib import Path

SIZES = [1, 100, 1024, 65_535, 65_536, 65_537, 262_144, 1_000_000, 5_000_000]


def content(size: int) -> bytes:
    """Give bytes of which no part looks like another."""
    return random.Random(size).randbytes(size)


@pytest.mark.parametrize("size", SIZES)
def test_a_protocol_gets_back_what_it_sends(loop: Loop, size: int) -> None:
    async def main() -> None:
        client, server = Recorder(), Echo()
        transport, _ = await talk(client, server)
        data = content(size)
        transport.write(data)
        assert await client.has(size) == data
        await end(client, server)

    run(loop, main())


@pytest.mark.parametrize("size", SIZES)
def test_a_server_of_streams_gives_back_what_it_is_sent(loop: Loop, size: int) -> None:
    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65_536):
            writer.write(data)
            await writer.drain()
        writer.close()
        await writer.wait_closed()

    async def main() -> None:
        server = await asyncio.start_server(echo, "127.0.0.1", 0)
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        data = content(size)

        async def send() -> None:
            writer.write(data)
            await writer.drain()
            writer.write_eof()

        received, _ = await asyncio.gather(reader.read(), send())
        assert received == data
        writer.close()
        await writer.wait_closed()
        server.close()
        await server.wait_closed()

    run(loop, main())


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("room", [1, 1000, 65_536])
def test_a_buffered_protocol_is_given_all_in_its_own_buffer(
    loop: Loop, size: int, room: int
) -> None:
    if size // room > 5000:
        size = 5000 * room

    async def main() -> None:
        client, server = Recorder(), BufferedRecorder(room)
        transport, _ = await talk(client, server)
        data = content(size)
        transport.write(data)
        assert await server.has(size) == data
        assert set(server.asked) == {-1}
        await end(client, server)

    run(loop, main())


def test_many_small_writes_arrive_in_order(loop: Loop) -> None:
    async def main() -> None:
        client, server = Recorder(), Recorder()
        transport, _ = await talk(client, server)
        pieces = [str(number).encode() + b"," for number in range(20_000)]
        for number, piece in enumerate(pieces):
            transport.write(piece)
            if number % 1000 == 0:
                await asyncio.sleep(0)
        data = b"".join(pieces)
        assert await server.has(len(data)) == data
        await end(client, server)

    run(loop, main())


def test_lines_of_every_kind_of_buffer_are_written(loop: Loop) -> None:
    async def main() -> None:
        client, server = Recorder(), Recorder()
        transport, _ = await talk(client, server)
        transport.writelines([b"a", bytearray(b"b"), memoryview(b"c"), b"", b"d"])
        transport.writelines([])
        transport.writelines(iter([b"e", b"f"]))
        transport.write(memoryview(bytes(range(8))).cast("I"))
        expected = b"abcdef" + bytes(range(8))
        assert await server.has(len(expected)) == expected
        await end(client, server)

    run(loop, main())


def test_a_buffer_that_is_changed_after_the_write_was_sent_as_it_was(loop: Loop) -> None:
    """More than the kernel takes at once. Asyncio sends what it is by then, from 3.12 on."""

    async def main() -> None:
        client, server = Recorder(), Recorder()
        transport, peer = await talk(client, server)
        peer.pause_reading()
        data = bytearray(content(4_000_000))
        before = bytes(data)
        transport.write(data)
        if not is_asyncio(loop):
            data[:] = bytes(len(data))
        peer.resume_reading()
        assert await server.has(len(before)) == before
        await end(client, server)

    run(loop, main())


def test_both_directions_at_once(loop: Loop) -> None:
    async def main() -> None:
        client, server = Recorder(), Recorder()
        transports = await talk(client, server)
        data = content(3_000_000)
        for transport in transports:
            transport.write(data)
        assert await client.has(len(data)) == data
        assert await server.has(len(data)) == data
        await end(client, server)

    run(loop, main())


def test_many_connections_do_not_mix(loop: Loop) -> None:
    async def main() -> None:
        server = await loop.create_server(Echo, "127.0.0.1", 0)
        address = server.sockets[0].getsockname()
        clients = [Recorder() for _ in range(100)]
        for client in clients:
            await loop.create_connection(lambda client=client: client, *address)  # type: ignore[misc]
        for turn, (number, client) in itertools.product(range(5), enumerate(clients)):
            client.transport.write(content(number * 10 + turn))
        for number, client in enumerate(clients):
            data = b"".join(content(number * 10 + turn) for turn in range(5))
            assert await client.has(len(data)) == data
        await end(*clients)
        server.close()
        await server.wait_closed()

    run(loop, main())


def test_a_protocol_may_be_changed_in_the_middle(loop: Loop) -> None:
    """From the next read on, and to another kind of protocol."""

    async def main() -> None:
        client, first = Recorder(), Recorder()
        transport, peer = await talk(client, first)
        second, third = BufferedRecorder(), Recorder()
        transport.write(b"first")
        await first.has(5)
        peer.set_protocol(second)
        assert peer.get_protocol() is second
        transport.write(b"second")
        assert await second.has(6) == b"second"
        peer.set_protocol(third)
        transport.write(b"third")
        assert await third.has(5) == b"third"
        assert first.received == b"first"
        third.transport = peer
        await end(client, third)
        assert first.calls == ["connection_made", "data_received"]

    run(loop, main())


def test_a_protocol_may_change_itself_while_it_is_given_data(loop: Loop) -> None:
    class Upgrading(Recorder):
        """Gives way to another after the first data."""

        successor = BufferedRecorder

        def data_received(self, data: bytes) -> None:
            """Give way."""
            super().data_received(data)
            follower = self.successor()
            follower.transport = self.transport
            self.transport.set_protocol(follower)

    async def main() -> None:
        client, server = Recorder(), Upgrading()
        transport, peer = await talk(client, server)
        transport.write(b"x")
        await server.has(1)
        follower = peer.get_protocol()
        transport.write(b"y" * 10_000)
        assert await follower.has(10_000) == b"y" * 10_000
        await end(client, follower)

    run(loop, main())


def test_streams_over_a_unix_socket(loop: Loop, here: Path) -> None:
    path = str(here / "socket")

    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(await reader.readline())
        writer.close()
        await writer.wait_closed()

    async def main() -> None:
        server = await asyncio.start_unix_server(echo, path)
        reader, writer = await asyncio.open_unix_connection(path)
        writer.write(b"over unix\n")
        assert await reader.read() == b"over unix\n"
        assert writer.get_extra_info("peername") == path
        writer.close()
        await writer.wait_closed()
        server.close()
        await server.wait_closed()

    run(loop, main())


@pytest.mark.parametrize("family", [socket.AF_INET, socket.AF_UNIX])
def test_what_a_transport_tells_of_itself(loop: Loop, family: socket.AddressFamily) -> None:
    async def main() -> None:
        ours, theirs = sockets(family)
        own_name, peer_name = ours.getsockname(), ours.getpeername()
        client, server = Recorder(), Recorder()
        transport = await connect(ours, client)
        await connect(theirs, server)
        assert isinstance(transport, asyncio.Transport)
        sock = transport.get_extra_info("socket")
        assert sock.fileno() == ours.fileno()
        assert not hasattr(sock, "recv")
        assert sock.family == family
        assert "read=polling" in repr(transport)
        # Private, and looked at all the same.
        private: Any = transport
        assert not private._closing
        await end(client, server)
        assert private._closing
        # The addresses are known even when nobody is there any more.
        assert transport.get_extra_info("sockname") == own_name
        assert transport.get_extra_info("peername") == peer_name
        assert transport.get_extra_info("nothing", "default") == "default"
        assert "closed" in repr(transport)

    run(loop, main())


def test_nothing_is_read_before_a_protocol_knows_its_transport(loop: Loop) -> None:
    class Asking(asyncio.Protocol):
        told = ""

        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            self.told = repr(transport)

    async def main() -> None:
        ours, theirs = sockets()
        transport, protocol = await loop.create_connection(Asking, sock=ours)
        assert "read=idle" in protocol.told
        assert "read=polling" in repr(transport)
        transport.pause_reading()
        assert "read=idle" in repr(transport)
        transport.close()
        theirs.close()

    run(loop, main())


def test_streams_have_all_their_ways_to_read(loop: Loop) -> None:
    async def serve(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for piece in (b"line\nun", b"til;exact", b"ly", b"rest of", b" it"):
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(0)
        writer.close()
        await writer.wait_closed()

    async def main() -> None:
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        assert await reader.readline() == b"line\n"
        assert await reader.readuntil(b";") == b"until;"
        assert await reader.readexactly(7) == b"exactly"
        assert await reader.read(4) != b""
        rest: Any = await reader.read()
        assert (b"rest of it").endswith(rest)
        assert reader.at_eof()
        with pytest.raises(asyncio.IncompleteReadError):
            await reader.readexactly(1)
        writer.close()
        await writer.wait_closed()
        server.close()
        await server.wait_closed()

    run(loop, main())


def test_what_comes_for_a_reader_that_was_just_cancelled_is_kept(loop: Loop) -> None:
    async def main() -> None:
        here, there = sockets()
        bell, rope = sockets(socket.AF_UNIX)
        reader, writer = await asyncio.open_connection(sock=here)
        waiting = asyncio.ensure_future(reader.read(10))
        await asyncio.sleep(0)
        # Both are ready in one turn, and this one is served first.
        loop.add_reader(bell, waiting.cancel)
        rope.send(b"x")
        there.send(b"kept")
        with pytest.raises(asyncio.CancelledError):
            await waiting
        loop.remove_reader(bell)
        assert await reader.read(10) == b"kept"
        writer.close()
        await writer.wait_closed()
        for sock in (there, bell, rope):
            sock.close()

    run(loop, main())


def test_a_line_longer_than_the_limit_is_refused_and_reading_goes_on(loop: Loop) -> None:
    async def serve(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"x" * 200_000 + b"\nshort\n")
        await writer.drain()
        writer.close()
        await writer.wait_closed()

    async def main() -> None:
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname(), limit=1000)
        lines = []
        while True:
            try:
                line = await reader.readline()
            except ValueError:
                continue
            if not line:
                break
            lines.append(line)
        assert lines[-1] == b"short\n"
        writer.close()
        await writer.wait_closed()
        server.close()
        await server.wait_closed()

    run(loop, main())


def test_small_and_large_pieces_keep_their_order_while_another_thread_reads(loop: Loop) -> None:
    """The socket has room again at any moment, also between two writes of one callback."""
    pieces = [content(size) for size in (10, 300_000, 20, 40_000, 30, 100, 70_000) * 12]
    data = b"".join(pieces)

    def read(sock: socket.socket) -> bytes:
        sock.setblocking(True)
        received = bytearray()
        while len(received) < len(data) and (chunk := sock.recv(50_000)):
            received += chunk
        return bytes(received)

    async def main() -> bytes:
        ours, theirs = sockets()
        client = Recorder()
        transport = await connect(ours, client)
        reading = loop.run_in_executor(None, read, theirs)
        for index in range(0, len(pieces), 7):
            for piece in pieces[index : index + 7]:
                transport.write(piece)
            await asyncio.sleep(0)
        received = await reading
        await end(client)
        theirs.close()
        return received

    assert run(loop, main()) == data
    run(loop, loop.shutdown_default_executor())


def test_a_file_that_waits_behind_what_was_written_ends_with_its_connection(
    loop: Loop, tmp_path: Path
) -> None:
    async def main() -> None:
        client, server = Recorder(), Recorder()
        transport, peer = await talk(client, server)
        peer.pause_reading()
        transport.write(bytes(8_000_000))
        with path.open("rb") as file:
            sending = asyncio.ensure_future(loop.sendfile(transport, file))
            await asyncio.sleep(0)
            transport.abort()
            with pytest.raises(ConnectionError, match="closed by peer"):
                await sending
        peer.abort()
        await server.lost()

    path = tmp_path / "file"
    path.write_bytes(b"never sent")
    run(loop, main())
