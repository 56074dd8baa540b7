"""Connections that are open and silent: each has had one echo, and then nothing.

    python idle.py PORT COUNT

Tells `{"ready": true}` in a line of JSON when all are there, and ends with its standard input.
"""

from __future__ import annotations

import socket
import sys

import contenders

MESSAGE = b"x" * 64
LIMIT_S = 20


def connect(port: int) -> socket.socket:
    """Open a connection that has been used once."""
    stream = socket.create_connection(("127.0.0.1", port), timeout=LIMIT_S)
    stream.sendall(MESSAGE)
    left = len(MESSAGE)
    while left:
        piece = stream.recv(left)
        if not piece:
            raise ConnectionError("the server has closed a connection")
        left -= len(piece)
    return stream


def main(port: int, count: int) -> None:
    """Hold the connections until told otherwise."""
    contenders.raise_descriptor_limit()
    streams = [connect(port) for _ in range(count)]
    contenders.tell({"ready": True})
    sys.stdin.read()
    for stream in streams:
        stream.close()


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
