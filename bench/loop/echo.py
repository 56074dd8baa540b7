"""Echo servers: each way of writing one, on one loop.

    python echo.py LOOP KIND FOLDER

Tells where it listens in one line of JSON, `{"port": 40123}` or `{"path": …}`, and serves until it
is ended. FOLDER has the certificate of `tls` and takes the socket of `unix`. The programs are what
a user would write: none knows which loop it runs on.
"""

from __future__ import annotations

import asyncio
import os
import socket
import ssl
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import contenders

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

#: Bytes read at once: a whole message of the longest row fits.
CHUNK = 256 * 1024


class Echo(asyncio.Protocol):
    """Writes back what it is given."""

    transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport  # type: ignore[assignment]

    def data_received(self, data: bytes) -> None:
        self.transport.write(data)


class BufferedEcho(asyncio.BufferedProtocol):
    """Has the loop read into its own buffer, and writes back a copy of what is there."""

    transport: asyncio.Transport

    def __init__(self) -> None:
        self.buffer = bytearray(CHUNK)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport  # type: ignore[assignment]

    def get_buffer(self, sizehint: int) -> bytearray:  # noqa: ARG002
        return self.buffer

    def buffer_updated(self, nbytes: int) -> None:
        self.transport.write(self.buffer[:nbytes])


class DatagramEcho(asyncio.DatagramProtocol):
    """Sends back each datagram."""

    transport: asyncio.DatagramTransport

    def connection_made(  # type: ignore[override]
        self, transport: asyncio.DatagramTransport
    ) -> None:
        self.transport = transport

    def datagram_received(self, data: bytes, addr: tuple[str | Any, int]) -> None:
        self.transport.sendto(data, addr)


async def echo_stream(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Write back what a stream brings, and wait until it has taken it."""
    # The load ends by closing its connections, whatever is under way.
    with suppress(ConnectionError):
        while data := await reader.read(CHUNK):
            writer.write(data)
            await writer.drain()
    writer.close()


async def echo_socket(client: socket.socket) -> None:
    """Write back what a socket brings."""
    loop = asyncio.get_running_loop()
    with client, suppress(ConnectionError):
        while data := await loop.sock_recv(client, CHUNK):
            await loop.sock_sendall(client, data)


async def serve_protocol(name: str, factory: Callable[[], asyncio.BaseProtocol]) -> object:
    """Serve a protocol on a port."""
    return await contenders.create_server(name)(
        factory, sock=contenders.listen(), backlog=contenders.BACKLOG
    )


async def serve_unix(folder: Path, factory: Callable[[], asyncio.BaseProtocol]) -> object:
    """Serve a protocol on a socket with a name."""
    path = folder / f"{os.getpid()}.socket"
    serve_on = asyncio.get_running_loop().create_unix_server
    server = await serve_on(factory, str(path), backlog=contenders.BACKLOG)
    contenders.tell({"path": str(path)})
    return server


async def serve_tls(name: str, folder: Path) -> object:
    """Serve the protocol over TLS."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "certificate.pem", folder / "key.pem")
    serve_on = contenders.create_server(name)
    return await serve_on(Echo, sock=contenders.listen(), ssl=context, backlog=contenders.BACKLOG)


async def serve_streams() -> object:
    """Serve streams on a port."""
    return await asyncio.start_server(
        echo_stream, sock=contenders.listen(), limit=CHUNK, backlog=contenders.BACKLOG
    )


async def serve_sockets() -> None:
    """Serve sockets by a task for each."""
    loop = asyncio.get_running_loop()
    tasks: set[asyncio.Task[None]] = set()
    with contenders.listen() as listener:
        while True:
            client, _ = await loop.sock_accept(listener)
            # As the transports of every loop do.
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            task = loop.create_task(echo_socket(client))
            tasks.add(task)
            task.add_done_callback(tasks.discard)


async def serve_datagrams() -> object:
    """Serve datagrams on a port."""
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(
        DatagramEcho, local_addr=(contenders.HOST, 0)
    )
    contenders.tell({"port": transport.get_extra_info("sockname")[1]})
    return transport


async def serve(name: str, kind: str, folder: Path) -> None:
    """Serve as asked, for ever."""
    servers: dict[str, Callable[[], Awaitable[object]]] = {
        "protocol": lambda: serve_protocol(name, Echo),
        "buffered": lambda: serve_protocol(name, BufferedEcho),
        "unix": lambda: serve_unix(folder, Echo),
        "unix-buffered": lambda: serve_unix(folder, BufferedEcho),
        "tls": lambda: serve_tls(name, folder),
        "streams": serve_streams,
        "sockets": serve_sockets,
        "datagrams": serve_datagrams,
    }
    _kept = await servers[kind]()
    await asyncio.Event().wait()


if __name__ == "__main__":
    contenders.raise_descriptor_limit()
    with contenders.runner(sys.argv[1]) as runner:
        runner.run(serve(sys.argv[1], sys.argv[2], Path(sys.argv[3])))
