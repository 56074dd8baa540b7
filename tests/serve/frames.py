"""Frames of WebSockets as clients send them, and an application that says back what it hears."""

from __future__ import annotations

from operator import xor
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .serving import Foreign

TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10
MASK = b"mask"


def frame(kind: int, payload: bytes = b"", *, final: int = 0x80) -> bytes:
    """Give a client's frame."""
    length = len(payload)
    key = MASK * (length // 4 + 1)
    masked = bytes(map(xor, payload, key))
    if length < 126:
        head = bytes((final | kind, 0x80 | length))
    elif length < 65536:
        head = bytes((final | kind, 0xFE)) + length.to_bytes(2, "big")
    else:
        head = bytes((final | kind, 0xFF)) + length.to_bytes(8, "big")
    return head + MASK + masked


def closed(code: int, reason: bytes = b"") -> bytes:
    """Give the payload of a close frame."""
    return code.to_bytes(2, "big") + reason


#: What a client says to the echo, and with what payload the echo then closes.
ENDINGS = [
    (b"end", closed(4001, b"later")),
    (b"return", closed(1000)),
    (b"raise", closed(1011)),
]

#: Frames that break the rules, and the code that they are answered with (RFC 6455, section 7.4).
BREACHES = [
    (b"\x81\x02hi", 1002),
    (frame(3, b""), 1002),
    (frame(TEXT, b"\xff"), 1007),
    (frame(CLOSE, closed(1005)), 1002),
    (frame(0, b"x"), 1002),
]


async def echo(scope: Foreign, receive: Foreign, send: Foreign) -> None:
    """Say back what comes; a path says what happens instead."""
    assert scope["type"] == "websocket"
    assert await receive() == {"type": "websocket.connect"}
    if scope["path"] == "/refuse":
        await send({"type": "websocket.close"})
        return
    if scope["path"] == "/deny":
        start = {"type": "websocket.http.response.start", "status": 418}
        await send({**start, "headers": [(b"x-tea", b"green")]})
        await send({"type": "websocket.http.response.body", "body": b"tea"})
        return
    if scope["path"] == "/raise":
        raise LookupError("lost")
    protocol = next(iter(scope["subprotocols"]), None)
    await send({"type": "websocket.accept", "subprotocol": protocol, "headers": [(b"a", b"b")]})
    while (message := await receive())["type"] == "websocket.receive":
        said = message.get("text")
        if said == "end":
            await send({"type": "websocket.close", "code": 4001, "reason": "later"})
        elif said == "raise":
            raise LookupError("lost")
        elif said == "return":
            return
        else:
            await send({**message, "type": "websocket.send"})
    scope["state"]["ended"].append((message["code"], message["reason"]))
