"""Messages over a WebSocket, there and back, for `checking.py`."""

from __future__ import annotations

from websockets.exceptions import WebSocketException
from websockets.sync.client import connect

LIMIT_S = 20
#: A mebibyte is more than any row sends.
LONGEST = 1024 * 1024


def message(kind: str, length: int) -> str | bytes:
    """Make a message that compresses neither to nothing nor not at all."""
    text = "".join(f'{{"user":{number * 7919 % 10007}}},' for number in range(length // 8 + 1))
    return text[:length] if kind == "text" else text[:length].encode()


def check(port: int, answer: str, times: int) -> str | None:
    """Send one message so often; say what was wrong with the first wrong echo."""
    kind, length, how = answer.split("-")
    sent = message(kind, int(length))
    compression = "deflate" if how == "deflate" else None
    try:
        with connect(
            f"ws://127.0.0.1:{port}/",
            compression=compression,
            open_timeout=LIMIT_S,
            max_size=LONGEST,
            proxy=None,
        ) as connection:
            if compression and not connection.protocol.extensions:
                return "does not agree on permessage-deflate by default"
            for _ in range(times):
                connection.send(sent)
                found = connection.recv(timeout=LIMIT_S)
                if found != sent:
                    return f"echoes wrongly: {found[:40]!r}"
    except WebSocketException as error:
        return f"{type(error).__name__}: {error}"
    return None
