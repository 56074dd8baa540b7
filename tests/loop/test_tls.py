"""TLS over our connections, with the user's own `ssl.SSLContext`."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import random
import ssl
import sys
import weakref
from typing import Any

import pytest

import corrente
from loop.running import Echo, Loop, Recorder, end, run, sockets
from loop.securing import Contexts, authority, contexts, make_loop, over, secured

__all__ = ["authority", "contexts", "make_loop"]


@pytest.mark.parametrize("size", [1, 1024, 16_384, 16_385, 100_000, 5_000_000])
def test_a_protocol_gets_back_over_tls_what_it_sends(
    loop: Loop, contexts: Contexts, size: int
) -> None:
    async def main() -> None:
        client = Recorder()
        transport, server = await secured(contexts, client, Echo)
        data = random.Random(size).randbytes(size)
        transport.write(data)
        assert await client.has(size) == data
        if isinstance(loop, corrente.EventLoop):
            assert vars(transport) == {}, "its methods are found sooner"
        await end(client)
        server.close()
        await server.wait_closed()

    run(loop, main())


def test_bytes_are_counted_as_they_go_through_the_socket(loop: Loop, contexts: Contexts) -> None:
    if not isinstance(loop, corrente.EventLoop):
        pytest.skip("asyncio counts nothing")
    counted = loop

    async def main() -> None:
        client = Recorder()
        transport, server = await secured(contexts, client, Echo)
        transport.write(b"x" * 1000)
        await client.has(1000)
        found = counted.metrics()
        # Each end's handshake and records are what the other one gets.
        assert found.received == found.sent > 2000
        await end(client)
        server.close()
        await server.wait_closed()

    run(loop, main())


def test_streams_over_tls(loop: Loop, contexts: Contexts) -> None:
    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65_536):
            writer.write(data)
            await writer.drain()
            if data.endswith(b"\n"):
                break
        writer.close()
        await writer.wait_closed()
        served.set()

    served = asyncio.Event()

    async def main() -> None:
        server = await asyncio.start_server(echo, "127.0.0.1", 0, ssl=contexts[1])
        reader, writer = await asyncio.open_connection(
            *server.sockets[0].getsockname(), ssl=contexts[0], server_hostname="localhost"
        )
        data = b"x" * 1_000_000 + b"\n"
        writer.write(data)
        assert await reader.readexactly(len(data)) == data
        assert await reader.read() == b""
        writer.close()
        await writer.wait_closed()
        await served.wait()
        server.close()
        await server.wait_closed()

    run(loop, main())


def test_what_a_secured_transport_tells_of_itself(loop: Loop, contexts: Contexts) -> None:
    for context in contexts:
        context.set_alpn_protocols(["h2", "http/1.1"])

    async def main() -> None:
        client = Recorder()
        transport, server = await secured(contexts, client, Echo)
        session = transport.get_extra_info("ssl_object")
        assert session.selected_alpn_protocol() == "h2"
        assert transport.get_extra_info("sslcontext") is contexts[0]
        assert transport.get_extra_info("peercert")["subjectAltName"] == (("DNS", "localhost"),)
        assert transport.get_extra_info("cipher")
        assert transport.get_extra_info("peername") == server.sockets[0].getsockname()
        assert not transport.can_write_eof()
        await end(client)
        server.close()
        await server.wait_closed()

    run(loop, main())


def test_a_name_that_is_not_in_the_certificate_is_refused(loop: Loop, contexts: Contexts) -> None:
    async def main() -> None:
        ours, theirs = sockets()
        outcomes: tuple[Any, Any] = await asyncio.gather(
            over(ours, Recorder(), contexts[0], server_hostname="example.org"),
            over(theirs, Echo(), contexts[1], server_side=True),
            return_exceptions=True,
        )
        assert isinstance(outcomes[0], ssl.SSLCertVerificationError)
        assert "example" in str(outcomes[0])
        # Asyncio closes without a word.
        assert isinstance(outcomes[1], ConnectionResetError)

    run(loop, main())


def test_a_handshake_that_never_ends_is_given_up(loop: Loop, contexts: Contexts) -> None:
    async def main() -> None:
        ours, theirs = sockets()
        with pytest.raises(ConnectionAbortedError, match="SSL handshake is taking longer"):
            await loop.create_connection(
                Recorder,
                sock=ours,
                ssl=contexts[0],
                server_hostname="localhost",
                ssl_handshake_timeout=0.05,
            )
        theirs.close()

    run(loop, main())


def test_a_connection_can_be_secured_in_the_middle(loop: Loop, contexts: Contexts) -> None:
    """The client asks, the server agrees, and both go on over TLS."""

    class Upgrading(Recorder):
        """Secures the connection when it is asked to."""

        secured: asyncio.Task[Any]
        follower: Echo

        def data_received(self, data: bytes) -> None:
            """Agree and go over."""
            super().data_received(data)
            assert data == b"STARTTLS\n"
            self.transport.write(b"OK\n")
            self.follower = Echo()
            self.secured = asyncio.ensure_future(self._go_over())

        async def _go_over(self) -> None:
            transport = await loop.start_tls(
                self.transport, self.follower, contexts[1], server_side=True
            )
            self.follower.transport = transport

    async def main() -> None:
        server = await loop.create_server(lambda: upgrading, "127.0.0.1", 0)
        client = Recorder()
        plain, _ = await loop.create_connection(lambda: client, *server.sockets[0].getsockname())
        plain.write(b"STARTTLS\n")
        assert await client.has(3) == b"OK\n"
        secure: Any = await loop.start_tls(plain, client, contexts[0], server_hostname="localhost")
        await upgrading.secured
        client.received.clear()
        secure.write(b"x" * 300_000)
        assert await client.has(300_000) == b"x" * 300_000
        client.transport = secure
        await end(client)
        await upgrading.follower.lost()
        server.close()
        await server.wait_closed()

    upgrading = Upgrading()
    run(loop, main())


def test_what_came_before_streams_go_over_to_tls_is_the_handshakes_begin(
    loop: Loop, contexts: Contexts
) -> None:
    """The client did not wait for an answer (CPython issue 142352)."""
    if not isinstance(loop, corrente.EventLoop) and sys.version_info < (3, 14, 3):
        pytest.skip("asyncio of this version leaves it to the reader")

    async def upgrade(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader._wait_for_data("the client's hello")  # type: ignore[attr-defined]
        await writer.start_tls(contexts[1])
        served.set_result(await reader.readline())
        assert await reader.read() == b""
        writer.close()

    async def main() -> None:
        server = await asyncio.start_server(upgrade, "127.0.0.1", 0)
        client = Recorder()
        address = server.sockets[0].getsockname()
        plain, _ = await loop.create_connection(lambda: client, *address)
        secure: Any = await loop.start_tls(plain, client, contexts[0], server_hostname="localhost")
        secure.write(b"ping\n")
        assert await served == b"ping\n"
        client.transport = secure
        await end(client)
        server.close()
        await server.wait_closed()

    served: asyncio.Future[bytes] = loop.create_future()
    run(loop, main())


def test_a_refused_certificate_leaves_no_cycle(loop: Loop, contexts: Contexts) -> None:
    """Without the collector the connection goes at once (CPython issue 159049)."""
    if sys.version_info < (3, 14, 10):
        pytest.skip("asyncio of this version leaves one")

    async def main() -> weakref.ref[Any]:
        server = await loop.create_server(Upgrades, "127.0.0.1", 0)
        address = server.sockets[0].getsockname()
        plain, protocol = await loop.create_connection(asyncio.Protocol, *address)
        is_refused = False
        try:
            await loop.start_tls(plain, protocol, ssl.create_default_context(), server_hostname="x")
        except ssl.SSLCertVerificationError:
            # Not `pytest.raises`, which would keep the error, and with it this frame.
            is_refused = True
        assert is_refused
        server.close()
        await server.wait_closed()
        return weakref.ref(plain)

    class Upgrades(asyncio.Protocol):
        """Goes over to TLS at once, which the client then refuses."""

        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            self.going = asyncio.ensure_future(self._go_over(transport))

        async def _go_over(self, transport: Any) -> None:
            with contextlib.suppress(ssl.SSLError):
                await loop.start_tls(transport, self, contexts[1], server_side=True)

    gc.collect()
    gc.disable()
    try:
        assert run(loop, main())() is None
    finally:
        gc.enable()


def test_a_broken_peer_ends_a_secured_connection(loop: Loop, contexts: Contexts) -> None:
    async def main() -> None:
        client, servers = Recorder(), [Recorder()]
        transport, server = await secured(contexts, client, lambda: servers[0])
        await servers[0].called("connection_made")
        servers[0].transport.abort()
        await client.lost()
        await servers[0].lost()
        assert transport.is_closing()
        server.close()
        await server.wait_closed()

    run(loop, main())
