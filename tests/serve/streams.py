"""A client of HTTP/2 on hyper-h2, and one of bare frames for what hyper-h2 would not send."""

from __future__ import annotations

import contextlib
import select
import socket
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self, TypeAlias, TypeVar

import h2.config
import h2.connection
import h2.events
import h2.settings
import hpack

from .wire import LIMIT_S, READ

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

Headers: TypeAlias = list[tuple[str, str]]

Kind = TypeVar("Kind", bound=h2.events.Event)


@dataclass
class Answer:
    """What has come on one stream."""

    status: int = 0
    headers: Headers = field(default_factory=list)
    body: bytes = b""
    trailers: Headers = field(default_factory=list)
    interim: list[Answer] = field(default_factory=list)
    is_ended: bool = False
    #: The code of a reset.
    reset: int | None = None

    def header(self, name: str) -> str | None:
        """The only value of a header; `None` where it is not there."""
        values = [value for known, value in self.headers if known == name]
        assert len(values) < 2, f"{name} comes {len(values)} times: {values}"
        return values[0] if values else None


class Http2Client:
    """A connection by prior knowledge, or on a socket that has agreed on HTTP/2."""

    def __init__(
        self,
        address: tuple[str, int] | socket.socket,
        *,
        settings: dict[int, int] | None = None,
        takes: bool = True,
    ) -> None:
        if isinstance(address, socket.socket):
            self.socket = address
        else:
            self.socket = socket.create_connection(address)
        self.socket.settimeout(LIMIT_S)
        config = h2.config.H2Configuration(
            header_encoding="utf-8",
            validate_outbound_headers=False,
            normalize_outbound_headers=False,
        )
        self.connection = h2.connection.H2Connection(config)
        if settings is not None:
            self.connection.update_settings(settings)
        self.connection.initiate_connection()
        self.answers: dict[int, Answer] = defaultdict(Answer)
        self.events: list[h2.events.Event] = []
        #: Whether windows are given back as data come.
        self.takes = takes
        self.is_ended = False
        self.flush()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.socket.close()

    def flush(self) -> None:
        """Send what h2 has to send."""
        self.socket.sendall(self.connection.data_to_send())

    def ask(
        self,
        path: str = "/",
        *headers: tuple[str, str],
        method: str = "GET",
        body: bytes | None = None,
        ends: bool = True,
    ) -> int:
        """Begin a request, with a body that its windows take at once; its stream."""
        stream = self.connection.get_next_available_stream_id()
        self.ask_with([*pseudo(path, method), *headers], ends=ends and body is None)
        if body is not None:
            self.connection.send_data(stream, body, end_stream=ends)
        self.flush()
        return stream

    def ask_with(self, headers: Sequence[tuple[str, str]], *, ends: bool = True) -> int:
        """Begin a request with these fields and no others; its stream."""
        stream = self.connection.get_next_available_stream_id()
        self.connection.send_headers(stream, headers, end_stream=ends)
        self.flush()
        return stream

    def get(self, path: str = "/", *headers: tuple[str, str], method: str = "GET") -> Answer:
        """Ask, and wait for the whole answer."""
        return self.answer(self.ask(path, *headers, method=method))

    def answer(self, stream: int) -> Answer:
        """Wait for the end of an answer, be it a reset."""
        found = self.answers[stream]
        self.until(lambda: found.is_ended or found.reset is not None)
        return found

    def upload(self, stream: int, body: bytes, *, ends: bool = True) -> None:
        """Send a body as fast as the server's windows take it."""
        while body:
            room = self.connection.local_flow_control_window(stream)
            room = min(room, self.connection.max_outbound_frame_size, len(body))
            if room == 0:
                self.more()
                continue
            self.connection.send_data(stream, body[:room])
            body = body[room:]
            self.flush()
        if ends:
            self.connection.end_stream(stream)
            self.flush()

    def until(self, condition: Callable[[], bool]) -> None:
        """Take what comes until it is so."""
        while not condition():
            assert not self.is_ended, f"the server ended the connection: {self.events}"
            self.more()

    def event(self, kind: type[Kind]) -> Kind:
        """Wait for an event of this kind, and take the first."""
        self.until(lambda: any(isinstance(event, kind) for event in self.events))
        found = next(event for event in self.events if isinstance(event, kind))
        self.events.remove(found)
        return found

    def more(self) -> None:
        """Read once, and do with it what a client does."""
        try:
            data = self.socket.recv(READ)
        except ConnectionResetError:
            data = b""
        if not data:
            self.is_ended = True
            return
        for event in self.connection.receive_data(data):
            self.events.append(event)
            self._note(event)
        if not self.is_ended:
            self.flush()

    def take(self) -> None:
        """Take what has come, if anything has."""
        if select.select([self.socket], [], [], 0)[0]:
            self.more()

    def frames(self, *frames: bytes) -> None:
        """Send frames past h2."""
        send(self.socket, frames)

    def goaway(self) -> int:
        """Read to the end of the connection; the code of its GOAWAY."""
        return goaway(self.socket)

    def _note(self, event: h2.events.Event) -> None:
        if isinstance(event, h2.events.ConnectionTerminated):
            return
        stream = getattr(event, "stream_id", None)
        if stream is None:
            return
        answer = self.answers[stream]
        if isinstance(event, h2.events.ResponseReceived):
            answer.status, answer.headers = fields(event.headers)
        elif isinstance(event, h2.events.InformationalResponseReceived):
            answer.interim.append(Answer(*fields(event.headers)))
        elif isinstance(event, h2.events.TrailersReceived):
            _, answer.trailers = fields(event.headers)
        elif isinstance(event, h2.events.DataReceived):
            answer.body += event.data
            if self.takes and event.flow_controlled_length:
                self.connection.acknowledge_received_data(event.flow_controlled_length, stream)
        elif isinstance(event, h2.events.StreamEnded):
            answer.is_ended = True
        elif isinstance(event, h2.events.StreamReset):
            answer.reset = int(event.error_code)


#: Types of frames (RFC 9113, section 6).
DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PUSH_PROMISE, PING, GOAWAY = range(8)
WINDOW_UPDATE, CONTINUATION = 8, 9

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"


class RawClient:
    """A client of bare frames, which knows no rules."""

    def __init__(self, address: tuple[str, int]) -> None:
        self.socket = socket.create_connection(address)
        self.socket.settimeout(LIMIT_S)
        self._decoder = hpack.Decoder()
        self._come = b""
        self._answers: dict[int, Answer] = defaultdict(Answer)
        self.frames(PREFACE, raw(SETTINGS, 0, 0))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.socket.close()

    def frames(self, *frames: bytes) -> None:
        """Send frames, or parts of them."""
        send(self.socket, frames)

    def goaway(self) -> int:
        """Read to the end of the connection; the code of its GOAWAY."""
        return goaway(self.socket)

    def answer(self, stream: int) -> Answer:
        """Read until a stream ends, in whatever way."""
        answer = self._answers[stream]
        while not answer.is_ended and answer.reset is None:
            kind, flags, number, payload = self._frame()
            assert kind != GOAWAY, f"the connection ends: {payload!r}"
            found = self._answers[number]
            if kind == HEADERS:
                headers = self._decoder.decode(payload)
                found.status, found.headers = fields(headers)
            elif kind == DATA:
                found.body += payload
            elif kind == RST_STREAM:
                found.reset = int.from_bytes(payload)
            found.is_ended |= kind in (HEADERS, DATA) and bool(flags & 1)
        return answer

    def end(self, stream: int) -> int:
        """Read until a stream is reset or the connection ends; the code of either."""
        while True:
            kind, _, number, payload = self._frame()
            if kind == GOAWAY:
                return int.from_bytes(payload[4:8])
            if kind == RST_STREAM and number == stream:
                return int.from_bytes(payload)

    def _frame(self) -> tuple[int, int, int, bytes]:
        header = self._exactly(9)
        payload = self._exactly(int.from_bytes(header[:3]))
        return header[3], header[4], int.from_bytes(header[5:]), payload

    def _exactly(self, length: int) -> bytes:
        while len(self._come) < length:
            data = self.socket.recv(READ)
            assert data, "the server ended the connection"
            self._come += data
        found, self._come = self._come[:length], self._come[length:]
        return found


def send(connection: socket.socket, frames: Sequence[bytes]) -> None:
    """Send frames to a server that may have had enough of them."""
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):
        connection.sendall(b"".join(frames))


def goaway(connection: socket.socket) -> int:
    """Read to the end of a connection; the code of its last GOAWAY."""
    came = b""
    try:
        while data := connection.recv(READ):
            came += data
    except ConnectionResetError:
        pass
    codes = [int.from_bytes(payload[4:8]) for kind, payload in split(came) if kind == GOAWAY]
    assert codes, f"no GOAWAY in {split(came)}"
    return codes[-1]


def pseudo(path: str = "/", method: str = "GET", authority: str = "test") -> Headers:
    """Give the pseudo-header fields of a request."""
    return [
        (":method", method),
        (":scheme", "http"),
        (":path", path),
        (":authority", authority),
    ]


def fields(headers: Iterable[tuple[str | bytes, str | bytes]]) -> tuple[int, Headers]:
    """Give the status and the other fields."""
    found = [(str(name), str(value)) for name, value in headers]
    status = next((int(value) for name, value in found if name == ":status"), 0)
    return status, [(name, value) for name, value in found if not name.startswith(":")]


def block(headers: Sequence[tuple[str, str]]) -> bytes:
    """Give a field block without regard for what was sent before it."""
    encoder = hpack.Encoder()
    encoder.header_table_size = 0
    return encoder.encode(headers, huffman=False)


def split(data: bytes) -> list[tuple[int, bytes]]:
    """Give type and payload of each whole frame."""
    found = []
    while len(data) >= 9:
        length = int.from_bytes(data[:3])
        found.append((data[3], data[9 : 9 + length]))
        data = data[9 + length :]
    return found


def raw(kind: int, flags: int, stream: int, payload: bytes = b"") -> bytes:
    """Give a frame, right or wrong."""
    return b"".join(
        [
            len(payload).to_bytes(3),
            bytes([kind, flags]),
            stream.to_bytes(4),
            payload,
        ]
    )
