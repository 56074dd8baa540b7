"""Keep-alive connections that are open and silent: each has had one answer, and then nothing.

    python silence.py PORT COUNT

Tells `{"ready": true}` in a line of JSON when all are there, and ends with its standard input, or
sooner where the server closes one: then it tells `{"cannot": WHY}`.
"""

from __future__ import annotations

import json
import resource
import socket
import sys

REQUEST = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"
HELLO = b"Hello, world!"
LIMIT_S = 20


def tell(answer: dict[str, object]) -> None:
    """Tell the benchmark something."""
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()


def connect(port: int) -> socket.socket:
    """Open a connection that has been used once."""
    stream = socket.create_connection(("127.0.0.1", port), timeout=LIMIT_S)
    stream.sendall(REQUEST)
    text = b""
    while not text.endswith(HELLO):
        piece = stream.recv(4096)
        if not piece:
            raise ConnectionError("the server has closed a connection")
        text += piece
    return stream


def is_open(stream: socket.socket) -> bool:
    """Look whether the server has left it open."""
    stream.setblocking(False)
    try:
        return bool(stream.recv(1))
    except BlockingIOError:
        return True
    except OSError:
        return False


def main(port: int, count: int) -> None:
    """Hold the connections until told otherwise, and say how many are left."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    try:
        streams = [connect(port) for _ in range(count)]
    except OSError as error:
        tell({"cannot": f"{type(error).__name__}: {error}"})
        return
    tell({"ready": True})
    sys.stdin.readline()
    tell({"open": sum(map(is_open, streams))})


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
