"""Load over TLS or WebSocket, which the load generator does not speak: ping-pong from one thread.

    python ping_pong.py KIND PORT CONNECTIONS

KIND is `tls` or `websocket`. Connects, tells `{"ready": true}` in a line of JSON, and then takes
questions from standard input: `MESSAGE_BYTES SECONDS` makes load for so long and is answered by
`{"messages": …, "seconds": …}`. What comes back is compared whole; anything wrong ends the program.
Every message is prepared before, so that a message costs a write, a read and a comparison.
"""

from __future__ import annotations

import base64
import os
import select
import socket
import ssl
import struct
import sys
import time
from contextlib import suppress
from typing import Protocol

import contenders

HOST = "127.0.0.1"
#: A record of TLS holds no more (RFC 8446, section 5.1).
CHUNK = 16 * 1024
#: How long connecting and one answer may take.
LIMIT_S = 20


class Stream(Protocol):
    """What is common to a socket and an `SSLSocket`."""

    def fileno(self) -> int: ...

    def send(self, data: bytes | memoryview, /) -> int: ...

    def recv(self, length: int, /) -> bytes: ...


class WrongAnswerError(Exception):
    """What came back is not what was sent."""


class Connection:
    """A connection, with the message that is under way."""

    def __init__(self, stream: Stream) -> None:
        self.stream = stream
        self.unsent = memoryview(b"")
        self.received: list[bytes] = []
        self.missing = 0

    def begin(self, message: bytes, answer_bytes: int) -> None:
        """Send a message."""
        self.unsent = memoryview(message)
        self.received.clear()
        self.missing = answer_bytes
        self.send()

    def send(self) -> None:
        """Send what is left, as far as the socket takes it."""
        with suppress(ssl.SSLWantReadError, ssl.SSLWantWriteError, BlockingIOError):
            while self.unsent:
                self.unsent = self.unsent[self.stream.send(self.unsent) :]

    def receive(self) -> None:
        """Read what is there, up to the end of the answer."""
        with suppress(ssl.SSLWantReadError, ssl.SSLWantWriteError, BlockingIOError):
            while self.missing > 0:
                piece = self.stream.recv(CHUNK)
                if not piece:
                    raise WrongAnswerError("the server has closed a connection")
                self.received.append(piece)
                self.missing -= len(piece)
        if self.missing < 0:
            raise WrongAnswerError("more came back than was sent")


def connect_tls(port: int) -> Stream:
    """Connect with TLS, and believe any certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    plain = socket.create_connection((HOST, port), timeout=LIMIT_S)
    plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    stream = context.wrap_socket(plain)
    stream.setblocking(False)
    return stream


def connect_websocket(port: int) -> Stream:
    """Connect and shake hands (RFC 6455, section 4.1)."""
    stream = socket.create_connection((HOST, port), timeout=LIMIT_S)
    stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    key = base64.b64encode(os.urandom(16)).decode()
    stream.sendall(
        f"GET / HTTP/1.1\r\nHost: {HOST}:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
    )
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        piece = stream.recv(1)
        if not piece:
            raise WrongAnswerError("the server has closed a connection")
        head += piece
    if not head.startswith(b"HTTP/1.1 101 "):
        raise WrongAnswerError(head.decode("latin-1").splitlines()[0])
    stream.setblocking(False)
    return stream


def frame(payload: bytes, mask: bytes) -> bytes:
    """Make a binary frame (RFC 6455, section 5.2); a mask of zeros leaves the payload as it is."""
    flag = 0x80 if mask else 0
    length = len(payload)
    if length < 126:
        head = struct.pack("!BB", 0x82, flag | length)
    elif length < 65536:
        head = struct.pack("!BBH", 0x82, flag | 126, length)
    else:
        head = struct.pack("!BBQ", 0x82, flag | 127, length)
    return head + mask + payload


def messages(kind: str, length: int) -> tuple[bytes, bytes]:
    """Give a message and its answer."""
    payload = bytes(index % 251 for index in range(length))
    if kind == "tls":
        return payload, payload
    return frame(payload, b"\0\0\0\0"), frame(payload, b"")


def load(connections: dict[int, Connection], message: bytes, answer: bytes, seconds: float) -> int:
    """Make load for so long; give the number of messages."""
    epoll = select.epoll()
    events = select.EPOLLIN | select.EPOLLOUT | select.EPOLLET
    for descriptor, connection in connections.items():
        epoll.register(descriptor, events)
        connection.begin(message, len(answer))
    count = 0
    end = time.perf_counter() + seconds
    under_way = len(connections)
    while under_way:
        ready = epoll.poll(LIMIT_S)
        if not ready:
            raise WrongAnswerError(f"no answer for {LIMIT_S} s")
        for descriptor, _ in ready:
            connection = connections[descriptor]
            if not connection.missing:
                continue
            connection.send()
            connection.receive()
            if connection.missing:
                continue
            if b"".join(connection.received) != answer:
                raise WrongAnswerError("an answer is not what was sent")
            count += 1
            if time.perf_counter() < end:
                connection.begin(message, len(answer))
            else:
                under_way -= 1
    epoll.close()
    return count


def main(kind: str, port: int, users: int) -> None:
    """Connect, and make load as asked."""
    connect = connect_tls if kind == "tls" else connect_websocket
    streams = [connect(port) for _ in range(users)]
    connections = {stream.fileno(): Connection(stream) for stream in streams}
    contenders.tell({"ready": True})
    for line in sys.stdin:
        length, seconds = line.split()
        message, answer = messages(kind, int(length))
        begin = time.perf_counter()
        count = load(connections, message, answer, float(seconds))
        contenders.tell({"messages": count, "seconds": time.perf_counter() - begin})


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
