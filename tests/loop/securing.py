"""What the tests of TLS share: certificates, and loops of each way of doing it.

A module takes the fixtures by importing them.
"""

from __future__ import annotations

import _ssl
import asyncio
import ssl
import sysconfig
from typing import TYPE_CHECKING, Any, TypeAlias

import pytest
import trustme

import corrente
from loop.running import sockets

if TYPE_CHECKING:
    from collections.abc import Callable

#: What has no type that would help: protocols and transports of several kinds.
Foreign: TypeAlias = Any
Contexts = tuple[ssl.SSLContext, ssl.SSLContext]

#: Whether this Python was built without a GIL.
IS_FREE = bool(sysconfig.get_config_var("Py_GIL_DISABLED"))

#: Of tests for which OpenSSL has to be asked without Python in between.
provable = pytest.mark.skipif(
    IS_FREE or not hasattr(_ssl, "__file__"),
    reason="OpenSSL is a part of the interpreter, or this has no GIL",
)

FACTORIES: dict[str, Callable[[], asyncio.AbstractEventLoop]] = {
    "asyncio": asyncio.SelectorEventLoop,
    "native": lambda: corrente.new_event_loop(tls="native"),
    "memory": lambda: corrente.new_event_loop(tls="memory"),
}


@pytest.fixture(params=FACTORIES)
def make_loop(request: pytest.FixtureRequest) -> Callable[[], asyncio.AbstractEventLoop]:
    """Give what makes a loop."""
    return FACTORIES[request.param]


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    """Give who signs the certificates of these tests."""
    return trustme.CA()


@pytest.fixture
def contexts(authority: trustme.CA) -> Contexts:
    """Give a client's and a server's context; the client trusts the server's certificate alone."""
    client = ssl.create_default_context()
    authority.configure_trust(client)
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(server)
    return client, server


async def secured(
    contexts: Contexts, client: Foreign, factory: Callable[[], Foreign]
) -> tuple[Foreign, asyncio.Server]:
    """Connect a client to a server over TLS."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(factory, "127.0.0.1", 0, ssl=contexts[1])
    transport, _ = await loop.create_connection(
        lambda: client,
        *server.sockets[0].getsockname(),
        ssl=contexts[0],
        server_hostname="localhost",
    )
    return transport, server


async def over(
    sock: Foreign, protocol: Foreign, context: ssl.SSLContext, **how: Foreign
) -> Foreign:
    """Secure a connected socket, as a client unless said otherwise; give its transport."""
    loop = asyncio.get_running_loop()
    if how.pop("server_side", False):
        made = loop.connect_accepted_socket(lambda: protocol, sock, ssl=context, **how)
    else:
        how.setdefault("server_hostname", "localhost")
        made = loop.create_connection(lambda: protocol, sock=sock, ssl=context, **how)
    transport, _ = await made
    return transport


async def pair(
    contexts: Contexts, ours: Foreign, theirs: Foreign, **how: Foreign
) -> tuple[Any, Any]:
    """Secure both ends of a connection; give their transports."""
    here, there = sockets()
    client, server = await asyncio.gather(
        over(here, ours, contexts[0], **how), over(there, theirs, contexts[1], server_side=True)
    )
    return client, server
