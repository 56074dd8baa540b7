"""A client that sends bytes as they are given and reads responses strictly, one after the other."""

from __future__ import annotations

import socket
from dataclasses import dataclass, field
from typing import Self

#: Seconds after which a test has failed; the slowest takes a tenth of it on two busy CPUs.
LIMIT_S = 20.0

#: Bytes that one read asks for.
READ = 64 * 1024


@dataclass
class Response:
    """One response, and those that came before it."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes = b""
    #: Chunks as they came, where the body was chunked.
    chunks: list[bytes] = field(default_factory=list)
    trailers: list[tuple[str, str]] = field(default_factory=list)
    interim: list[Response] = field(default_factory=list)

    def all(self, name: str) -> list[str]:
        """Every value of a header."""
        return [value for known, value in self.headers if known == name]

    def header(self, name: str) -> str | None:
        """The only value of a header; `None` where it is not there."""
        values = self.all(name)
        assert len(values) < 2, f"{name} comes {len(values)} times: {values}"
        return values[0] if values else None


class Client:
    """A connection of which a test sees every byte."""

    def __init__(self, address: tuple[str, int], *, receive_buffer: int | None = None) -> None:
        self.socket = socket.socket()
        if receive_buffer is not None:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.settimeout(LIMIT_S)
        try:
            self.socket.connect(address)
        except OSError:
            self.socket.close()
            raise
        self._come = b""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.socket.close()

    def send(self, data: bytes) -> None:
        """Send all of it."""
        self.socket.sendall(data)

    def get(self, target: str = "/", *headers: str, method: str = "GET") -> Response:
        """Ask, and read the response."""
        self.send(request(target, *headers, method=method))
        return self.response(method)

    def response(self, method: str = "GET") -> Response:
        """Read one response to a request of this method."""
        interim: list[Response] = []
        while True:
            found = self.head()
            if found.status >= 200:
                break
            interim.append(found)
        found.interim = interim
        if method != "HEAD" and found.status not in (204, 304):
            self._body(found)
        return found

    def interim(self) -> Response:
        """Read one interim response."""
        found = self.head()
        assert found.status < 200, found
        return found

    def line(self) -> bytes:
        """Read one line, without its end."""
        while b"\r\n" not in self._come:
            self._more()
        line, _, self._come = self._come.partition(b"\r\n")
        return line

    def exactly(self, length: int) -> bytes:
        """Read so many bytes."""
        while len(self._come) < length:
            self._more()
        data, self._come = self._come[:length], self._come[length:]
        return data

    def rest(self) -> bytes:
        """Read until the server ends the connection, properly or not."""
        try:
            while data := self.socket.recv(READ):
                self._come += data
        except ConnectionResetError:
            pass
        data, self._come = self._come, b""
        return data

    def chunk(self) -> bytes | None:
        """Read one chunk; `None` is the last one, whose trailers are still to come."""
        size = int(self.line(), 16)
        if size == 0:
            return None
        data = self.exactly(size)
        assert self.line() == b""
        return data

    def is_ended(self) -> bool:
        """Wait for the end of the connection, and tell whether nothing came before it."""
        return self.rest() == b""

    def reset(self) -> None:
        """Vanish: the server is told by a reset."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        self.socket.close()

    def _more(self) -> None:
        data = self.socket.recv(READ)
        if not data:
            raise EOFError(f"the server ended the connection; what had come: {self._come!r}")
        self._come += data

    def head(self) -> Response:
        """Read a response up to its body."""
        version, status, _reason = (self.line() + b" ").split(b" ", 2)
        assert version == b"HTTP/1.1", version
        return Response(int(status), self._fields())

    def _fields(self) -> list[tuple[str, str]]:
        fields = []
        while line := self.line():
            name, colon, value = line.decode("latin-1").partition(": ")
            assert colon, line
            fields.append((name.lower(), value))
        return fields

    def _body(self, found: Response) -> None:
        length = found.header("content-length")
        encoding = found.header("transfer-encoding")
        assert length is None or encoding is None, found
        if encoding is not None:
            assert encoding == "chunked"
            self._chunks(found)
        elif length is not None:
            found.body = self.exactly(int(length))
        else:
            assert found.header("connection") == "close", found
            found.body = self.rest()

    def _chunks(self, found: Response) -> None:
        while (chunk := self.chunk()) is not None:
            found.chunks.append(chunk)
        found.trailers = self._fields()
        found.body = b"".join(found.chunks)


def request(
    target: str = "/", *headers: str, method: str = "GET", body: bytes = b"", version: str = "1.1"
) -> bytes:
    """Give the bytes of a request; its length is said where it has a body."""
    lines = [f"{method} {target} HTTP/{version}", "Host: test", *headers]
    if body:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + body


def chunked(*pieces: bytes, target: str = "/", trailers: str = "") -> bytes:
    """Give the bytes of a request whose body comes in these chunks."""
    head = request(target, "Transfer-Encoding: chunked", method="POST")
    chunks = [b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces]
    return head + b"".join(chunks) + b"0\r\n" + trailers.encode() + b"\r\n"
