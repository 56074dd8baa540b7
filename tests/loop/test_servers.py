"""Servers: what they listen on, how they are closed, and what becomes of their connections."""

from __future__ import annotations

import asyncio
import errno
import os
import resource
import socket
import sys
import warnings
from typing import TYPE_CHECKING, Any

import pytest

from loop.running import Echo, Loop, Recorder, end, is_asyncio, run

if TYPE_CHECKING:
    from pathlib import Path


async def served(factory: Any = Echo, **how: Any) -> tuple[Any, tuple[str, int]]:
    """Give a server on a free port and its address."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(factory, "127.0.0.1", 0, **how)
    return server, server.sockets[0].getsockname()


async def connected(address: Any) -> Recorder:
    """Give a client of it."""
    client = Recorder()
    await asyncio.get_running_loop().create_connection(lambda: client, *address)
    return client


def test_a_server_serves_until_it_is_closed(loop: Loop) -> None:
    async def main() -> None:
        server, address = await served()
        assert server.is_serving()
        assert server.get_loop() is loop
        client = await connected(address)
        server.close()
        server.close()
        assert not server.is_serving()
        assert server.sockets == ()
        # Its connections go on.
        client.transport.write(b"still")
        assert await client.has(5) == b"still"
        with pytest.raises(ConnectionRefusedError):
            await connected(address)
        await end(client)
        await server.wait_closed()

    run(loop, main())


def test_a_server_starts_when_it_is_told_to(loop: Loop) -> None:
    async def main() -> None:
        server, address = await served(start_serving=False)
        assert not server.is_serving()
        with pytest.raises(ConnectionRefusedError):
            await connected(address)
        await server.start_serving()
        client = await connected(address)
        await end(client)
        server.close()
        await server.wait_closed()

    run(loop, main())


def test_serving_for_ever_ends_when_it_is_cancelled(loop: Loop) -> None:
    async def main() -> None:
        server, address = await served()
        serving = asyncio.ensure_future(server.serve_forever())
        client = await connected(address)
        await end(client)
        serving.cancel()
        with pytest.raises(asyncio.CancelledError):
            await serving
        assert not server.is_serving()
        await server.wait_closed()

    run(loop, main())


def test_waiting_for_a_server_waits_for_its_connections(loop: Loop) -> None:
    async def main() -> None:
        if not hasattr(asyncio.Server, "close_clients"):
            return
        server, address = await served()
        client = await connected(address)
        client.transport.write(b"x")
        await client.has(1)
        server.close()
        waiting = asyncio.ensure_future(server.wait_closed())
        await asyncio.sleep(0)
        assert not waiting.done()
        await end(client)
        await waiting

    run(loop, main())


def test_a_server_listens_on_every_address(loop: Loop) -> None:
    async def main() -> None:
        server = await loop.create_server(Echo, ["127.0.0.1", "127.0.0.2"], 0)
        addresses = [sock.getsockname() for sock in server.sockets]
        assert {host for host, _ in addresses} == {"127.0.0.1", "127.0.0.2"}
        clients = [await connected(address) for address in addresses]
        for client in clients:
            client.transport.write(b"x")
            await client.has(1)
        await end(*clients)
        server.close()
        await server.wait_closed()

    run(loop, main())


def test_a_port_that_is_taken_is_told(loop: Loop) -> None:
    async def main() -> None:
        server, address = await served()
        with pytest.raises(OSError, match="ddress already in use") as raised:
            await loop.create_server(Echo, *address)
        assert raised.value.errno == errno.EADDRINUSE
        server.close()
        await server.wait_closed()

    run(loop, main())


def test_a_unix_server_that_takes_a_path_twice_replaces_it(loop: Loop, here: Path) -> None:
    path = here / "socket"

    async def main() -> None:
        for _ in range(2):
            server = await loop.create_unix_server(Echo, path)
            client = Recorder()
            await loop.create_unix_connection(lambda: client, str(path))  # noqa: B023
            client.transport.write(b"x")
            await client.has(1)
            await end(client)
            server.close()
            await server.wait_closed()

    run(loop, main())


def test_a_socket_that_was_accepted_elsewhere_is_served(loop: Loop) -> None:
    async def main() -> None:
        with socket.create_server(("127.0.0.1", 0)) as listening:
            peer = socket.create_connection(listening.getsockname())
            accepted, _ = listening.accept()
        accepted.setblocking(False)
        transport, protocol = await loop.connect_accepted_socket(Echo, accepted)
        assert isinstance(protocol, Echo)
        peer.setblocking(False)
        await loop.sock_sendall(peer, b"hello")
        assert await loop.sock_recv(peer, 10) == b"hello"
        transport.close()
        await protocol.lost()
        peer.close()

    run(loop, main())


def test_a_server_without_descriptors_left_recovers(
    loop: Loop, unhandled: list[dict[str, Any]]
) -> None:
    """What could not be accepted is, once there is room again (asyncio: after a second)."""

    async def main() -> None:
        server, address = await served()
        client = socket.socket()
        client.setblocking(False)
        before = resource.getrlimit(resource.RLIMIT_NOFILE)
        spare = os.dup(0)
        os.close(spare)
        resource.setrlimit(resource.RLIMIT_NOFILE, (spare, before[1]))
        try:
            await loop.sock_connect(client, address)
            while not unhandled:  # noqa: ASYNC110 - it is told between turns
                await asyncio.sleep(0)
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, before)
        await loop.sock_sendall(client, b"patient")
        assert await loop.sock_recv(client, 10) == b"patient"
        client.close()
        server.close()
        await server.wait_closed()

    run(loop, main())
    errors = [told["exception"] for told in unhandled]
    assert {error.errno for error in errors} == {errno.EMFILE}
    assert unhandled[0]["message"] == "socket.accept() out of system resource"
    unhandled.clear()


def test_a_name_that_nobody_has_is_told(loop: Loop) -> None:
    async def main() -> None:
        with pytest.raises(socket.gaierror):
            await loop.create_connection(Recorder, "no.such.name.invalid", 80)
        with pytest.raises((OverflowError, OSError)):
            await loop.create_connection(Recorder, "127.0.0.1", 70_000)

    run(loop, main())
    run(loop, loop.shutdown_default_executor())


def test_addresses_in_numbers_are_resolved_as_the_socket_module_does(loop: Loop) -> None:
    questions: list[tuple[tuple[Any, Any], dict[str, Any]]] = [
        (("127.0.0.1", 80), {}),
        (("127.0.0.1", "80"), {"type": socket.SOCK_STREAM}),
        (("127.0.0.1", b"80"), {"type": socket.SOCK_DGRAM}),
        (("::1", 80), {"type": socket.SOCK_STREAM}),
        (("::1%1", 80), {"type": socket.SOCK_STREAM}),
        (("::1.2.3.4", 80), {"type": socket.SOCK_STREAM}),
        (("::1:0", 80), {"type": socket.SOCK_STREAM}),
        (("::ffff:102:304", 80), {"type": socket.SOCK_STREAM}),
        (("127.0.0.1", None), {"family": socket.AF_INET, "proto": socket.IPPROTO_TCP}),
        ((None, 80), {"flags": socket.AI_PASSIVE, "type": socket.SOCK_STREAM}),
        (("127.1", 80), {"type": socket.SOCK_STREAM}),
        ((b"127.0.0.1", 0), {"type": socket.SOCK_STREAM}),
    ]
    refused: list[tuple[tuple[Any, Any], dict[str, Any]]] = [
        (("127.0.0.1", 80), {"family": socket.AF_INET6}),
        (("127.0.0.1", "no-such-service"), {}),
        (("127.0.0.1", 80), {"type": socket.SOCK_RAW}),
    ]

    async def main() -> None:
        for address, how in questions:
            found = await loop.getaddrinfo(*address, **how)
            assert found == socket.getaddrinfo(*address, **how), (address, how)
        for address, how in refused:
            with pytest.raises(socket.gaierror):
                await loop.getaddrinfo(*address, **how)

    run(loop, main())
    run(loop, loop.shutdown_default_executor())


def test_a_closed_loop_resolves_nothing(loop: Loop) -> None:
    asked = [loop.getaddrinfo(host, 80) for host in ("127.0.0.1", "localhost")]
    loop.close()
    for question in asked:
        with pytest.raises(RuntimeError, match="Event loop is closed"):
            question.send(None)


def test_a_connection_that_nobody_keeps_does_not_hold_its_server(loop: Loop) -> None:
    """It reads nothing, so that the loop does not keep it either."""
    if is_asyncio(loop) and sys.version_info[:2] != (3, 13):
        pytest.skip("asyncio's server waits for it before Python 3.13, and 3.14.10's does again")

    class Forgetful(asyncio.Protocol):
        """Keeps no transport."""

        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            """Close the server, then forget."""
            servers[0].close()
            transport.pause_reading()  # type: ignore[attr-defined]

    async def main() -> None:
        server, address = await served(Forgetful)
        servers.append(server)
        client = await connected(address)
        await client.lost()
        await server.wait_closed()
        # Python 3.11 does not wait; it counts.
        assert not getattr(server, "_active_count", 0)

    servers: list[Any] = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        run(loop, main())


def test_connections_that_were_accepted_at_once_are_closed_where_one_ends_the_program(
    loop: Loop,
) -> None:
    """The fixture sees what is left open."""
    if is_asyncio(loop):
        pytest.skip("asyncio has a task for each, which stays")

    def made() -> asyncio.Protocol:
        if is_over:
            raise KeyboardInterrupt
        return Echo()

    async def used_to_many() -> None:
        # So many that the loop takes several at once.
        await asyncio.gather(*[client_of(address) for _ in range(20)])

    async def client_of(address: tuple[str, int]) -> None:
        client = await connected(address)
        client.transport.write(b"x")
        await client.has(1)
        await end(client)

    is_over: list[bool] = []
    server, address = run(loop, served(made))
    run(loop, used_to_many())
    is_over.append(True)
    clients = [socket.create_connection(address) for _ in range(3)]
    with pytest.raises(KeyboardInterrupt):
        loop.run_forever()
    for client in clients:
        client.close()
    server.close()


def test_all_that_wait_are_accepted_however_many(loop: Loop) -> None:
    async def main() -> None:
        server, address = await served(backlog=300)
        for count in (1, 5, 250, 1):
            waiting = [socket.create_connection(address) for _ in range(count)]
            for number, client in enumerate(waiting):
                client.setblocking(False)
                message = f"{number}".encode()
                await loop.sock_sendall(client, message)
                assert await loop.sock_recv(client, 10) == message
                client.close()
        server.close()
        await server.wait_closed()

    run(loop, main())


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_an_accepted_connection_has_its_socket(loop: Loop, host: str) -> None:
    async def main() -> None:
        theirs = Recorder()
        server = await loop.create_server(lambda: theirs, host, 0)
        listening = server.sockets[0]
        client = await connected(listening.getsockname()[:2])
        client.transport.write(b"x")
        await theirs.has(1)
        sock = theirs.transport.get_extra_info("socket")
        assert sock is theirs.transport.get_extra_info("socket")
        assert (sock.family, sock.type, sock.proto) == (
            listening.family,
            listening.type,
            listening.proto,
        )
        assert sock.getpeername() == client.transport.get_extra_info("sockname")
        # What transports give out says 0 of any socket.
        assert sock._sock.gettimeout() == 0
        await end(client)
        await theirs.lost()
        assert sock.fileno() == -1
        server.close()
        await server.wait_closed()

    run(loop, main())


def test_what_is_known_of_an_accepted_connection_outlives_it(loop: Loop) -> None:
    async def main() -> None:
        theirs = Recorder()
        server, address = await served(lambda: theirs)
        client = await connected(address)
        name = client.transport.get_extra_info("sockname")
        await end(client)
        await theirs.lost()
        assert theirs.transport.get_extra_info("sockname") == address
        assert theirs.transport.get_extra_info("peername") == name
        sock = theirs.transport.get_extra_info("socket")
        assert (sock.fileno(), sock.family) == (-1, socket.AF_INET)
        server.close()
        await server.wait_closed()

    run(loop, main())


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_small_writes_of_both_ends_go_at_once(loop: Loop, host: str) -> None:
    async def main() -> None:
        theirs = Recorder()
        server = await loop.create_server(lambda: theirs, host, 0)
        client = await connected(server.sockets[0].getsockname()[:2])
        client.transport.write(b"x")
        await theirs.has(1)
        for end_of_it in (client, theirs):
            sock = end_of_it.transport.get_extra_info("socket")
            assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) != 0
        await end(client)
        await theirs.lost()
        server.close()
        await server.wait_closed()

    run(loop, main())


class Foreign(asyncio.Transport):
    """A transport that counts its ends."""

    ended = 0

    def close(self) -> None:
        """It has ended."""
        self.ended += 1

    abort = close


@pytest.mark.parametrize("way", ["close_clients", "abort_clients"])
def test_a_server_closes_connections_that_read_nothing(loop: Loop, way: str) -> None:
    if not hasattr(asyncio.Server, way) and is_asyncio(loop):
        pytest.skip("asyncio has it from Python 3.13 on")

    class Deaf(Recorder):
        """Reads nothing."""

        def connection_made(self, transport: Any) -> None:
            """Stop reading."""
            super().connection_made(transport)
            transport.pause_reading()

    async def main() -> None:
        deaf = [Deaf(), Deaf()]
        unused = iter(deaf)
        server, address = await served(lambda: next(unused))
        clients = [await connected(address) for _ in deaf]
        for one in deaf:
            await one.called("connection_made")
        deaf[1].transport.resume_reading()
        deaf[1].transport.pause_reading()
        getattr(server, way)()
        for ended in [*deaf, *clients]:
            await ended.lost()
        server.close()
        await server.wait_closed()

    run(loop, main())


@pytest.mark.parametrize("way", ["close_clients", "abort_clients"])
def test_a_server_closes_the_connections_that_are_its_own(loop: Loop, way: str) -> None:
    if not hasattr(asyncio.Server, way) and is_asyncio(loop):
        pytest.skip("asyncio has it from Python 3.13 on")

    async def main() -> None:
        server, address = await served()
        other, elsewhere = await served()
        gone, *clients = [await connected(address) for _ in range(4)]
        stays = await connected(elsewhere)
        for client in (gone, *clients, stays):
            client.transport.write(b"x")
            await client.has(1)
        await end(gone)
        # Some libraries have transports of their own.
        foreign = Foreign()
        server._attach(foreign)
        # The number of one that has gone may be another server's by now.
        late = await connected(elsewhere)
        late.transport.write(b"x")
        await late.has(1)
        getattr(server, way)()
        for client in clients:
            await client.lost()
        assert foreign.ended == 1
        server._detach(foreign)
        for client in (stays, late):
            client.transport.write(b"y")
            assert await client.has(2) == b"xy"
        await end(stays, late)
        for one in (server, other):
            one.close()
            await one.wait_closed()

    run(loop, main())
