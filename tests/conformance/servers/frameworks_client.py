"""The client of `frameworks_suite`: what is asked of every application, and noted of an answer.

A note is plain data, so that two of them can be compared and written down. A failure is a note too:
the other server may fail in the same way, which is then the framework's.
"""

from __future__ import annotations

import http.client
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

from running_servers import HOST
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from websockets.sync.client import ClientConnection

#: What a library takes.
Foreign: TypeAlias = Any

#: What is noted of an answer.
Note: TypeAlias = dict[str, object]

#: Seconds that anything may take.
LIMIT_S = 10.0
#: Seconds between two looks for what has to happen first.
AGAIN_S = 0.02
#: Fields that any two servers may set as they like, and those of framing: the client checks a body,
#: however it is framed. Where there is none nobody checks, so a length is noted.
NOT_NOTED = {"date", "server", "connection", "keep-alive", "transfer-encoding"}
FRAMING = NOT_NOTED | {"content-length"}
BOUNDARY = "corrente-boundary"
UPLOAD = (
    f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="kind"\r\n\r\nletters\r\n'
    f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="caf\u00e9.txt"\r\n'
    f"Content-Type: text/plain\r\n\r\n{'abcdefgh' * 40_000}\r\n--{BOUNDARY}--\r\n"
).encode()
FORM = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}


def _is_without_body(method: str, status: int) -> bool:
    return method == "HEAD" or status in (204, 304)


def _pieces() -> Iterator[bytes]:
    for number in range(40):
        yield bytes([65 + number % 26]) * (1 + 997 * (number % 5))


@dataclass(frozen=True)
class Ask:
    """One thing to ask."""

    name: str
    method: str = "GET"
    target: str = "/"
    body: bytes | None = None
    #: The body comes in pieces, without its length.
    is_chunked: bool = False
    headers: dict[str, str] = field(default_factory=dict)
    #: Asked again while the body is one of these: something has to happen first.
    not_yet: tuple[str, ...] = ()
    socket: Callable[[int], Note] | None = None

    @property
    def is_socket(self) -> bool:
        """Whether it is about a WebSocket."""
        return self.socket is not None

    def noted(self, port: int) -> Note:
        """Ask a server."""
        deadline = time.monotonic() + LIMIT_S
        while True:
            note = self._noted_once(port)
            is_late = time.monotonic() > deadline
            if note.get("body") not in self.not_yet or is_late:
                return note
            time.sleep(AGAIN_S)

    def _noted_once(self, port: int) -> Note:
        try:
            if self.socket is not None:
                return self.socket(port)
            return self._http(port)
        except (OSError, http.client.HTTPException, ConnectionClosed) as error:
            return {"error": type(error).__name__}

    def _http(self, port: int) -> Note:
        connection = http.client.HTTPConnection(HOST, port, timeout=LIMIT_S)
        try:
            connection.request(
                self.method,
                self.target,
                body=_pieces() if self.is_chunked else self.body,
                headers=self.headers,
                encode_chunked=self.is_chunked,
            )
            response = connection.getresponse()
            note: Note = {"status": response.status}
            fields = [(name.lower(), value) for name, value in response.getheaders()]
            left = NOT_NOTED if _is_without_body(self.method, response.status) else FRAMING
            note["fields"] = sorted(one for one in fields if one[0] not in left)
            try:
                note["body"] = response.read().decode("latin-1")
            except http.client.IncompleteRead as error:
                note["broken after"] = error.partial.decode("latin-1")
            return note
        finally:
            connection.close()


def _talk(path: str, *, subprotocols: Foreign = None) -> Callable[[int], ClientConnection]:
    def opened(port: int) -> ClientConnection:
        return connect(
            f"ws://{HOST}:{port}{path}",
            subprotocols=subprotocols,
            open_timeout=LIMIT_S,
            close_timeout=LIMIT_S,
        )

    return opened


def _end(socket: ClientConnection) -> Note:
    """Read until the end; note messages, code and reason."""
    messages: list[str] = []
    try:
        while True:
            messages.append(repr(socket.recv(timeout=LIMIT_S)))
    except ConnectionClosed as closed:
        received = closed.rcvd
        code = None if received is None else [int(received.code), received.reason]
        return {"messages": messages, "closed": code}


def _echo(port: int) -> Note:
    with _talk("/ws/echo")(port) as socket:
        got = []
        for message in ("hello", "caf\u00e9", b"\x00\xff", "x" * 70_000, b"y" * 70_000, ""):
            socket.send(message)
            got.append(repr(socket.recv(timeout=LIMIT_S)))
        socket.close(1001, "going")
    return {"messages": got}


def _told_of_close(port: int) -> Note:
    """Close with a code; ask what the application has heard of it."""
    with _talk("/ws/echo")(port) as socket:
        socket.send("once")
        socket.recv(timeout=LIMIT_S)
        socket.close(4321, "enough")
    return Ask("told", target="/disconnected", not_yet=("null", "null\n", "")).noted(port)


def _until_end(path: str) -> Callable[[int], Note]:
    def ended(port: int) -> Note:
        with _talk(path)(port) as socket:
            return _end(socket)

    return ended


def _protocols(port: int) -> Note:
    with _talk("/ws/protocol", subprotocols=["a", "b"])(port) as socket:
        chosen = socket.subprotocol
        return {"chosen": chosen} | _end(socket)


def _rejected(path: str) -> Callable[[int], Note]:
    def rejected(port: int) -> Note:
        try:
            with _talk(path)(port) as socket:
                return {"accepted": True} | _end(socket)
        except InvalidStatus as error:
            response = error.response
            return {"status": response.status_code, "body": repr(bytes(response.body or b""))}

    return rejected


ASKS = [
    Ask("a route", target="/item/one?x=1&x=2"),
    Ask("an encoded route", target="/item/caf%C3%A9%20au?x=%26"),
    Ask("HEAD", "HEAD", "/item/one"),
    Ask("OPTIONS", "OPTIONS", "/item/one"),
    Ask("a method that is not there", "DELETE", "/item/one"),
    Ask("no route", target="/nowhere"),
    Ask("fields", target="/fields", headers={"X-One": "1, 2", "X-Two": "caf\u00e9"}),
    Ask("a body with its length", "POST", "/length", b"x" * 300_000),
    Ask("an empty body", "POST", "/length", b""),
    Ask("a body in pieces", "POST", "/length", is_chunked=True),
    Ask("an upload", "POST", "/upload", UPLOAD, headers=FORM),
    Ask("a broken upload", "POST", "/upload", UPLOAD[:-200], headers=FORM),
    Ask("an echo that streams", "POST", "/echo", is_chunked=True),
    Ask("a stream", target="/stream"),
    Ask("HEAD of a stream", "HEAD", "/stream"),
    Ask("cookies that are set", target="/cookies"),
    Ask("cookies that come back", target="/whoami", headers={"Cookie": "name=ada; other=1"}),
    Ask("a redirect", target="/moved"),
    Ask("no content", target="/nothing"),
    Ask("not modified", target="/unchanged"),
    Ask("work in the background", target="/later"),
    Ask("the work is done", target="/done", not_yet=("0",)),
    Ask("an error before the response", target="/raises"),
    Ask("an error in the middle of it", target="/breaks"),
    Ask("a request after errors", target="/item/after"),
    Ask("a WebSocket that echoes", socket=_echo),
    Ask("what a close code tells the application", socket=_told_of_close),
    Ask("a WebSocket that the application closes", socket=_until_end("/ws/close")),
    Ask("a WebSocket that raises", socket=_until_end("/ws/raise")),
    Ask("a WebSocket whose application returns", socket=_until_end("/ws/return")),
    Ask("subprotocols", socket=_protocols),
    Ask("a WebSocket that is rejected", socket=_rejected("/ws/reject")),
    Ask("a WebSocket without a route", socket=_rejected("/ws/nowhere")),
]
