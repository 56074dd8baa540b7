"""Datagrams: whole, from whom they come, errors told and reading goes on."""

from __future__ import annotations

import asyncio
import gc
import socket
import warnings
import weakref
from typing import TYPE_CHECKING, Any

import pytest

from loop.running import Connection, Loop, run

if TYPE_CHECKING:
    from collections.abc import Callable

    Factory = Callable[[], Loop]

Address = tuple[Any, ...]


class Datagrams(Connection, asyncio.DatagramProtocol):
    """Keeps what comes."""

    def __init__(self) -> None:
        super().__init__()
        self.received: list[tuple[bytes, Address]] = []
        self.errors: list[Exception] = []

    def datagram_received(self, data: bytes, addr: Address) -> None:
        """Keep it."""
        self.received.append((data, addr))
        self.note("datagram_received")

    def error_received(self, exc: Exception) -> None:
        """Keep it."""
        self.errors.append(exc)
        self.note("error_received")

    async def has(self, count: int) -> list[bytes]:
        """Wait for so many."""
        await self.until(lambda: len(self.received) >= count)
        return [data for data, _ in self.received]


async def endpoint(**how: Any) -> Datagrams:
    """Give the protocol of a new endpoint."""
    loop = asyncio.get_running_loop()
    _, protocol = await loop.create_datagram_endpoint(Datagrams, **how)
    return protocol


async def pair() -> tuple[Datagrams, Datagrams]:
    """Give a server and a client that is connected to it."""
    server = await endpoint(local_addr=("127.0.0.1", 0))
    client = await endpoint(remote_addr=server.transport.get_extra_info("sockname"))
    return server, client


async def end(*protocols: Datagrams) -> None:
    """Close them."""
    for protocol in protocols:
        protocol.transport.close()
        await protocol.lost()


def test_datagrams_arrive_whole_and_with_their_address(loop: Loop) -> None:
    async def main() -> None:
        server, client = await pair()
        sent = [b"x", b"y" * 1000, b"z" * 60_000]
        for data in sent:
            client.transport.sendto(data)
        assert await server.has(3) == sent
        address = client.transport.get_extra_info("sockname")
        assert {sender for _, sender in server.received} == {address}
        server.transport.sendto(b"answer", address)
        assert await client.has(1) == [b"answer"]
        await end(client, server)

    run(loop, main())


def test_a_connected_endpoint_sends_to_nobody_else(loop: Loop) -> None:
    async def main() -> None:
        server, client = await pair()
        with pytest.raises(ValueError, match="Invalid address"):
            client.transport.sendto(b"x", ("127.0.0.1", 1))
        with pytest.raises(TypeError):
            client.transport.sendto("text")
        client.transport.sendto(b"x", server.transport.get_extra_info("sockname"))
        await server.has(1)
        await end(client, server)

    run(loop, main())


def test_a_refused_datagram_is_told_and_reading_goes_on(loop: Loop) -> None:
    async def main() -> None:
        server, client = await pair()
        address = server.transport.get_extra_info("sockname")
        await end(server)
        client.transport.sendto(b"to nobody")
        await client.called("error_received")
        assert isinstance(client.errors[0], ConnectionRefusedError)
        again = await endpoint(local_addr=address)
        again.transport.sendto(b"hello", client.transport.get_extra_info("sockname"))
        assert await client.has(1) == [b"hello"]
        await end(client, again)

    run(loop, main())


def test_a_given_socket_is_used(loop: Loop) -> None:
    async def main() -> None:
        ours, theirs = (socket.socket(type=socket.SOCK_DGRAM) for _ in range(2))
        for sock in (ours, theirs):
            sock.bind(("127.0.0.1", 0))
        ours.connect(theirs.getsockname())
        theirs.connect(ours.getsockname())
        protocol = await endpoint(sock=ours)
        # Asyncio sends no empty datagram (3.12), but one that comes is one.
        for data in (b"", b"given"):
            theirs.send(data)
        assert await protocol.has(2) == [b"", b"given"]
        protocol.transport.sendto(b"back")
        assert theirs.recv(10) == b"back"
        await end(protocol)
        theirs.close()

    run(loop, main())


def test_an_aborted_endpoint_is_lost_without_an_error(loop: Loop) -> None:
    async def main() -> None:
        protocol = await endpoint(local_addr=("127.0.0.1", 0))
        protocol.transport.abort()
        assert protocol.transport.is_closing()
        await protocol.lost()
        assert protocol.lost_with is None

    run(loop, main())


def test_a_given_socket_that_is_connected_sends_to_its_peer_alone(loop: Loop) -> None:
    """Whatever address is named: asyncio then asks only whether the socket is connected."""

    async def main() -> None:
        ours, theirs, others = (socket.socket(type=socket.SOCK_DGRAM) for _ in range(3))
        for sock in (ours, theirs, others):
            sock.bind(("127.0.0.1", 0))
            sock.setblocking(False)
        ours.connect(theirs.getsockname())
        protocol = await endpoint(sock=ours)
        protocol.transport.sendto(b"x", others.getsockname())
        assert theirs.recv(10) == b"x"
        await end(protocol)
        theirs.close()
        others.close()

    run(loop, main())


def test_addresses_may_be_names_and_data_any_bytes(loop: Loop) -> None:
    async def main() -> None:
        server, client = [await endpoint(local_addr=("127.0.0.1", 0)) for _ in range(2)]
        address = server.transport.get_extra_info("sockname")
        send = client.transport.sendto
        send(bytearray(b"first"), address)
        send(memoryview(b"second"), addr=address)
        send(data=b"third", addr=address)
        send(b"fourth", ("localhost", address[1]))
        assert await server.has(4) == [b"first", b"second", b"third", b"fourth"]
        with pytest.raises(TypeError):
            send()
        with pytest.raises(TypeError):
            send(b"x", address, 1)
        with pytest.raises(TypeError):
            send(b"x", to=address)
        await end(client, server)

    run(loop, main())


def test_each_of_many_peers_gets_its_own_answer(loop: Loop) -> None:
    """The loop remembers some of their addresses, and which looks like which."""

    async def main() -> None:
        server = await endpoint(local_addr=("127.0.0.1", 0))
        address = server.transport.get_extra_info("sockname")
        peers = [socket.socket(type=socket.SOCK_DGRAM) for _ in range(300)]
        for peer in peers:
            peer.setblocking(False)
            peer.bind(("127.0.0.1", 0))
        for peer in [*peers, *peers]:
            peer.sendto(b"%d" % peer.fileno(), address)
            await server.has(len(server.received) + 1)
            data, sender = server.received[-1]
            assert (data, sender) == (b"%d" % peer.fileno(), peer.getsockname())
            server.transport.sendto(data, sender)
            assert peer.recv(10) == data
        for peer in peers:
            peer.close()
        await end(server)

    run(loop, main())


def test_what_is_sent_behind_the_end_goes_as_long_as_there_is_a_socket(loop: Loop) -> None:
    async def main() -> None:
        server, client = [await endpoint(local_addr=("127.0.0.1", 0)) for _ in range(2)]
        send = client.transport.sendto
        client.transport.close()
        address = server.transport.get_extra_info("sockname")
        send(b"first", address)
        client.transport.sendto(b"second", address)
        assert await server.has(2) == [b"first", b"second"]
        await client.lost()
        await end(server)

    run(loop, main())


def test_an_unclosed_loop_with_an_endpoint_is_collected(make_loop: Factory) -> None:
    loop = make_loop()
    run(loop, endpoint(local_addr=("127.0.0.1", 0)))
    reference = weakref.ref(loop)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        del loop
        gc.collect()
        gc.collect()
    assert reference() is None
