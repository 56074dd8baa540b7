"""A client's side of WebSockets on streams of HTTP/2 (RFC 8441)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from .streams import Http2Client, pseudo

if TYPE_CHECKING:
    from .serving import Foreign

NO_ERROR, CANCEL = 0, 8
DEFLATE = ("sec-websocket-extensions", "permessage-deflate")


def asking(path: str = "/", *headers: tuple[str, str]) -> list[tuple[str, str]]:
    """Give the fields of a request for a WebSocket."""
    version = ("sec-websocket-version", "13")
    return [*pseudo(path, "CONNECT"), (":protocol", "websocket"), version, *headers]


class Talk:
    """A WebSocket on a stream, as its client has it."""

    def __init__(self, client: Http2Client, path: str = "/", *headers: tuple[str, str]) -> None:
        self.client = client
        self.stream = client.ask_with(asking(path, *headers), ends=False)
        self.answer = client.answers[self.stream]
        self._read = 0

    def opened(self) -> Self:
        """Wait for the handshake's end."""
        self.client.until(lambda: bool(self.answer.status))
        assert self.answer.status == 200
        return self

    def send(self, *frames: bytes) -> None:
        """Send frames, or parts of them, as fast as windows take them."""
        self.client.upload(self.stream, b"".join(frames), ends=False)

    def end(self) -> None:
        """End this side of the stream."""
        self.client.connection.end_stream(self.stream)
        self.client.flush()

    def reset(self) -> None:
        """Break the stream off."""
        self.client.connection.reset_stream(self.stream, CANCEL)
        self.client.flush()

    def heard(self) -> tuple[int, bytes]:
        """Read one frame, which is whole, uncompressed and not masked."""
        first, payload = self.frame()
        assert first & 0xF0 == 0x80
        return first & 0x0F, payload

    def frame(self) -> tuple[int, bytes]:
        """Read one frame: its first byte and its payload."""
        first, length = self._exactly(2)
        if length >= 126:
            length = int.from_bytes(self._exactly(2 if length == 126 else 8))
        return first, self._exactly(length)

    def until_end(self) -> int | None:
        """Wait until the server ends its side; the code of a reset, if it is one."""
        self.client.until(lambda: self.answer.is_ended or self.answer.reset is not None)
        return self.answer.reset

    def until_reset(self) -> int | None:
        """Wait until the server resets the stream, and say why."""
        self.client.until(lambda: self.answer.reset is not None)
        return self.answer.reset

    def _exactly(self, length: int) -> bytes:
        end = self._read + length
        self.client.until(lambda: len(self.answer.body) >= end)
        found = self.answer.body[self._read : end]
        self._read = end
        return found


async def deaf(_scope: Foreign, receive: Foreign, send: Foreign) -> None:
    """Accept, and take nothing but the end."""
    await receive()
    await send({"type": "websocket.accept"})
    await receive()
