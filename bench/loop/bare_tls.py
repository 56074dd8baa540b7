"""TLS echo on a bare epoll loop: Python's `ssl` and nothing else, as the floor of the TLS rows.

    python bare_tls.py FOLDER

Tells its port in one line of JSON and serves until it is ended. One read and one write a message
where the message fits a TLS record; no timers, no protocols, no transports. OpenSSL works on the
socket itself, as no asyncio loop lets it with `ssl.MemoryBIO`. A loop that calls OpenSSL without
Python's `ssl` between could still be below it.
"""

from __future__ import annotations

import select
import socket
import ssl
import sys
from pathlib import Path

import loops

CHUNK = 256 * 1024
#: A record of TLS holds no more (RFC 8446, section 5.1).
RECORD = 16 * 1024


class Connection:
    """A connection, with what it could not send yet."""

    def __init__(self, stream: ssl.SSLSocket) -> None:
        self.stream = stream
        self.is_greeted = False
        self.unsent = b""

    def turn(self, buffer: bytearray) -> int:
        """Do what can be done without waiting; give the events to wait for, 0 to close."""
        try:
            if not self.is_greeted:
                self.stream.do_handshake()
                self.is_greeted = True
            if not self.unsent and not (self.read(buffer)):
                return 0
            while self.unsent:
                self.unsent = self.unsent[self.stream.send(self.unsent) :]
        except ssl.SSLWantReadError:
            return select.EPOLLIN
        except ssl.SSLWantWriteError:
            return select.EPOLLOUT
        except OSError:
            return 0
        return select.EPOLLIN

    def read(self, buffer: bytearray) -> bool:
        """Read what is there; false at its end."""
        view = memoryview(buffer)
        length = 0
        while length < CHUNK:
            try:
                count = self.stream.recv_into(view[length:])
            except ssl.SSLWantReadError:
                break
            if not count:
                return False
            length += count
            # A record that is not full is the last of a message.
            if count < RECORD and not self.stream.pending():
                break
        self.unsent = bytes(view[:length])
        return True


def accept(listener: socket.socket, context: ssl.SSLContext) -> Connection:
    """Take the next connection."""
    client, _ = listener.accept()
    client.setblocking(False)
    client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    stream = context.wrap_socket(client, server_side=True, do_handshake_on_connect=False)
    return Connection(stream)


def serve(listener: socket.socket, context: ssl.SSLContext) -> None:
    """Serve for ever."""
    epoll = select.epoll()
    epoll.register(listener, select.EPOLLIN)
    connections: dict[int, tuple[Connection, int]] = {}
    buffer = bytearray(CHUNK)
    while True:
        for descriptor, _ in epoll.poll():
            if descriptor == listener.fileno():
                connection = accept(listener, context)
                epoll.register(connection.stream, select.EPOLLIN)
                connections[connection.stream.fileno()] = (connection, select.EPOLLIN)
                continue
            connection, watched = connections[descriptor]
            events = connection.turn(buffer)
            if not events:
                epoll.unregister(descriptor)
                connection.stream.close()
                del connections[descriptor]
            elif events != watched:
                epoll.modify(descriptor, events)
                connections[descriptor] = (connection, events)


def main(folder: Path) -> None:
    """Listen and serve."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "certificate.pem", folder / "key.pem")
    with socket.create_server(("127.0.0.1", 0), backlog=1024) as listener:
        loops.tell({"port": listener.getsockname()[1]})
        serve(listener, context)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
