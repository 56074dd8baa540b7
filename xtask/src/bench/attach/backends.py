"""What the services of the benchmark wait for: an HTTP server and a stand-in for PostgreSQL.

Both answer after the time that the request names. The second speaks as much of PostgreSQL's
protocol (version 3, simple queries) as psycopg2 needs, so that the driver is a real one. Prints
both ports and serves until it is ended.
"""

from __future__ import annotations

import asyncio
import re
import struct
import sys
from contextlib import suppress

#: The code of a request for TLS, in place of a protocol version (PostgreSQL, "Message Formats").
SSL_REQUEST = 80877103
PARAMETERS = {"server_version": "16.0", "client_encoding": "UTF8", "DateStyle": "ISO"}


async def http(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer `GET /MILLISECONDS` after that time, on a connection that stays."""
    with suppress(ConnectionError, asyncio.IncompleteReadError):
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            await asyncio.sleep(float(head.split(b" ", 2)[1].strip(b"/")) / 1000)
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
    writer.close()


def message(kind: bytes, body: bytes = b"") -> bytes:
    """Give a message of the protocol."""
    return kind + struct.pack("!I", len(body) + 4) + body


def ready(status: bytes) -> bytes:
    """Give the message that asks for the next query; `T` is within a transaction."""
    return message(b"Z", status)


def row() -> bytes:
    """Give one row with one column of text."""
    column = b"answer\0" + struct.pack("!IhIhih", 0, 0, 25, -1, -1, 0)
    described = message(b"T", struct.pack("!h", 1) + column)
    return described + message(b"D", struct.pack("!hI", 1, 2) + b"ok")


async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Take the client in, without TLS and without a password."""
    while True:
        (length,) = struct.unpack("!I", await reader.readexactly(4))
        body = await reader.readexactly(length - 4)
        if struct.unpack_from("!I", body)[0] != SSL_REQUEST:
            break
        writer.write(b"N")
    writer.write(message(b"R", struct.pack("!I", 0)))
    for name, value in PARAMETERS.items():
        writer.write(message(b"S", f"{name}\0{value}\0".encode()))
    writer.write(message(b"K", struct.pack("!II", 1, 1)) + ready(b"I"))


async def postgres(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer queries; one that names `pg_sleep` after so many seconds."""
    with suppress(ConnectionError, asyncio.IncompleteReadError):
        await greet(reader, writer)
        while await reader.readexactly(1) == b"Q":
            (length,) = struct.unpack("!I", await reader.readexactly(4))
            query = (await reader.readexactly(length - 4)).rstrip(b"\0")
            slept = re.search(rb"pg_sleep\(([0-9.]+)\)", query)
            if slept:
                await asyncio.sleep(float(slept[1]))
                writer.write(row() + message(b"C", b"SELECT 1\0") + ready(b"T"))
            else:
                status = b"T" if query.startswith(b"BEGIN") else b"I"
                writer.write(message(b"C", query.split()[0] + b"\0") + ready(status))
    writer.close()


async def main() -> None:
    """Serve both."""
    servers = [await asyncio.start_server(serve, "127.0.0.1", 0) for serve in (http, postgres)]
    ports = (server.sockets[0].getsockname()[1] for server in servers)
    sys.stdout.write(" ".join(map(str, ports)) + "\n")
    sys.stdout.flush()
    await asyncio.gather(*(server.serve_forever() for server in servers))


if __name__ == "__main__":
    asyncio.run(main())
