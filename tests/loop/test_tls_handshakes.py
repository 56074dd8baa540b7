"""How a TLS session begins: names, certificates of both sides, versions; refused or given up."""

from __future__ import annotations

import asyncio
import socket
import ssl
import struct
import sys
from typing import TYPE_CHECKING, Any

import pytest

from loop.running import (
    Echo,
    Loop,
    Recorder,
    end,
    run,
    sockets,
)
from loop.securing import Contexts, authority, contexts, make_loop, over, pair

if TYPE_CHECKING:
    import trustme

__all__ = ["authority", "contexts", "make_loop"]


def reset(sock: socket.socket) -> None:
    """Close a socket so that the peer is told of a reset."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()


def test_the_name_asked_for_chooses_the_certificate(
    loop: Loop, contexts: Contexts, authority: trustme.CA
) -> None:
    asked: list[str | None] = []
    other = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("other.example").configure_cert(other)

    def choose(session: ssl.SSLObject, name: str | None, _context: ssl.SSLContext) -> None:
        asked.append(name)
        session.context = other

    contexts[1].sni_callback = choose

    async def main() -> None:
        client, server = Recorder(), Echo()
        transport, _ = await pair(contexts, client, server, server_hostname="other.example")
        assert asked == ["other.example"]
        names = transport.get_extra_info("peercert")["subjectAltName"]
        assert names == (("DNS", "other.example"),)
        transport.write(b"x" * 40_000)
        assert await client.has(40_000) == b"x" * 40_000
        await end(client, server)

    run(loop, main())


def test_a_callback_for_names_that_raises_refuses_the_connection(
    loop: Loop, contexts: Contexts, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The interpreter is told of the exception, the client of nothing but the end."""
    told: list[object] = []
    monkeypatch.setattr(sys, "unraisablehook", lambda found: told.append(found.exc_type))

    def refuse(*_: object) -> None:
        raise ZeroDivisionError

    contexts[1].sni_callback = refuse

    async def main() -> None:
        server = await loop.create_server(Echo, "127.0.0.1", 0, ssl=contexts[1])
        address = server.sockets[0].getsockname()
        how: dict[str, Any] = {"ssl": contexts[0], "server_hostname": "localhost"}
        with pytest.raises((ssl.SSLError, ConnectionResetError)):
            await loop.create_connection(Recorder, *address, **how)
        assert told == [ZeroDivisionError]
        contexts[1].sni_callback = None
        client = Recorder()
        transport, _ = await loop.create_connection(lambda: client, *address, **how)
        transport.write(b"x")
        assert await client.has(1) == b"x"
        await end(client)
        server.close()
        await server.wait_closed()

    run(loop, main())


def test_a_client_shows_its_certificate(
    loop: Loop, contexts: Contexts, authority: trustme.CA
) -> None:
    authority.configure_trust(contexts[1])
    contexts[1].verify_mode = ssl.CERT_REQUIRED
    authority.issue_cert("somebody@example.org").configure_cert(contexts[0])

    async def main() -> None:
        client, server = Recorder(), Echo()
        _, peer = await pair(contexts, client, server)
        names = peer.get_extra_info("peercert")["subjectAltName"]
        assert names == (("email", "somebody@example.org"),)
        await end(client, server)

    run(loop, main())


def test_a_client_without_the_certificate_that_is_required_is_refused(
    loop: Loop, contexts: Contexts, authority: trustme.CA
) -> None:
    authority.configure_trust(contexts[1])
    contexts[1].verify_mode = ssl.CERT_REQUIRED

    async def main() -> None:
        here, there = sockets()
        client = Recorder()
        # The client learns it after its own handshake (TLS 1.3).
        outcomes: tuple[Any, Any] = await asyncio.gather(
            over(there, Echo(), contexts[1], server_side=True),
            over(here, client, contexts[0]),
            return_exceptions=True,
        )
        assert isinstance(outcomes[0], ssl.SSLError)
        assert outcomes[0].reason == "PEER_DID_NOT_RETURN_A_CERTIFICATE"
        await client.lost()

    run(loop, main())


def test_a_certificate_can_be_asked_for_in_the_middle(
    loop: Loop, contexts: Contexts, authority: trustme.CA
) -> None:
    """TLS 1.3's authentication after the handshake: messages of a handshake between the data."""
    authority.configure_trust(contexts[1])
    contexts[1].verify_mode = ssl.CERT_REQUIRED
    contexts[0].post_handshake_auth = contexts[1].post_handshake_auth = True
    authority.issue_cert("somebody@example.org").configure_cert(contexts[0])

    async def main() -> None:
        client, server = Recorder(), Recorder()
        transport, peer = await pair(contexts, client, server)
        session = peer.get_extra_info("ssl_object")
        assert session.getpeercert() is None
        session.verify_client_post_handshake()
        peer.write(b"who are you?")
        await client.has(12)
        transport.write(b"y" * 100_000)
        assert await server.has(100_000) == b"y" * 100_000
        assert session.getpeercert()["subjectAltName"] == (("email", "somebody@example.org"),)
        await end(client, server)

    run(loop, main())


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_each_version_carries_data(loop: Loop, contexts: Contexts, version: ssl.TLSVersion) -> None:
    contexts[0].maximum_version = contexts[0].minimum_version = version

    async def main() -> None:
        client, server = Recorder(), Echo()
        transport, _ = await pair(contexts, client, server)
        transport.write(b"x" * 70_000)
        assert await client.has(70_000) == b"x" * 70_000
        await end(client, server)

    run(loop, main())


@pytest.mark.parametrize("side", ["client", "server"])
def test_a_peer_that_resets_in_the_handshake_is_told(
    loop: Loop, contexts: Contexts, side: str, unhandled: list[dict[str, object]]
) -> None:
    async def main() -> None:
        here, there = sockets()
        context = contexts[0 if side == "client" else 1]
        handshake = asyncio.ensure_future(
            over(here, Recorder(), context, server_side=side == "server")
        )
        if side == "client":
            await loop.sock_recv(there, 1)
        else:
            await asyncio.sleep(0)
        reset(there)
        with pytest.raises(ConnectionResetError):
            await handshake

    run(loop, main())
    assert not unhandled


def test_a_connection_that_is_given_up_in_the_handshake_leaves_nothing(
    loop: Loop, contexts: Contexts
) -> None:
    async def main() -> None:
        here, there = sockets()
        handshake = asyncio.ensure_future(over(here, Recorder(), contexts[0]))
        await loop.sock_recv(there, 1)
        handshake.cancel()
        with pytest.raises(asyncio.CancelledError):
            await handshake
        # What had come before the end of the connection.
        while await loop.sock_recv(there, 65_536):
            pass
        there.close()

    run(loop, main())
