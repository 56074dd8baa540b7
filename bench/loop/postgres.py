"""A stand-in for PostgreSQL that answers every query at once with the integer 42.

    python postgres.py

Tells its port in one line of JSON and serves until it is ended. It speaks as much of the extended
query protocol (PostgreSQL's documentation, "Message Flow") as asyncpg needs: one epoll loop, so
that the client is what is busy.
"""

from __future__ import annotations

import select
import socket
import struct

import contenders

INT4 = 23
PARAMETERS = {
    "server_version": "16.0",
    "server_encoding": "UTF8",
    "client_encoding": "UTF8",
    "DateStyle": "ISO",
    "TimeZone": "UTC",
    "integer_datetimes": "on",
    "standard_conforming_strings": "on",
}


def message(kind: bytes, body: bytes = b"") -> bytes:
    """Make a message of the protocol."""
    return kind + struct.pack("!I", len(body) + 4) + body


def greeting() -> bytes:
    """Let a client in without a password."""
    parameters = (
        message(b"S", f"{name}\0{value}\0".encode()) for name, value in PARAMETERS.items()
    )
    trusted = message(b"R", struct.pack("!I", 0))
    return trusted + b"".join(parameters) + message(b"K", struct.pack("!II", 1, 1)) + READY


READY = message(b"Z", b"I")
COLUMN = b"int4\0" + struct.pack("!IhIhih", 0, 0, INT4, 4, -1, 1)
#: The answer to each message of a client that has one.
ANSWERS = {
    b"P": message(b"1"),
    b"D": message(b"t", struct.pack("!h", 0)) + message(b"T", struct.pack("!h", 1) + COLUMN),
    b"B": message(b"2"),
    b"E": message(b"D", struct.pack("!hII", 1, 4, 42)) + message(b"C", b"SELECT 1\0"),
    b"C": message(b"3"),
    b"S": READY,
    b"Q": message(b"C", b"SELECT 0\0") + READY,
}
GREETING = greeting()


def answer(received: bytes) -> tuple[bytes, bytes]:
    """Answer the whole messages; give the answers and what is left."""
    answers = []
    while len(received) >= 5:
        if received[:1] == b"\0":
            # Only the start-up message has no kind: it begins with its length.
            (length,) = struct.unpack_from("!I", received)
            reply = GREETING
        else:
            length = 1 + struct.unpack_from("!I", received, 1)[0]
            reply = ANSWERS.get(received[:1], b"")
        if len(received) < length:
            break
        answers.append(reply)
        received = received[length:]
    return b"".join(answers), received


def serve(listener: socket.socket) -> None:
    """Serve for ever."""
    epoll = select.epoll()
    epoll.register(listener, select.EPOLLIN)
    clients: dict[int, tuple[socket.socket, bytes]] = {}
    while True:
        for descriptor, _ in epoll.poll():
            if descriptor == listener.fileno():
                client, _ = listener.accept()
                client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                epoll.register(client, select.EPOLLIN)
                clients[client.fileno()] = (client, b"")
                continue
            client, left = clients[descriptor]
            received = client.recv(65536)
            if not received:
                epoll.unregister(descriptor)
                client.close()
                del clients[descriptor]
                continue
            answers, left = answer(left + received)
            clients[descriptor] = (client, left)
            if answers:
                client.sendall(answers)


if __name__ == "__main__":
    with socket.create_server(("127.0.0.1", 0), backlog=128) as listener:
        contenders.tell({"port": listener.getsockname()[1]})
        serve(listener)
