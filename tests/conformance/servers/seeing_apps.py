"""Applications that answer with what they have seen of a request: method, target and body.

What they have seen is in the field `x-seen`, so that an answer to HEAD tells it too.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterable

#: What servers give.
Foreign: TypeAlias = Any


def _seen(method: str, target: bytes, body: bytes) -> str:
    return json.dumps([method, target.decode("latin-1"), body.decode("latin-1")])


async def asgi(scope: Foreign, receive: Foreign, send: Foreign) -> None:
    """Answer, by ASGI; lifespans and WebSockets are not for it."""
    if scope["type"] != "http":
        raise NotImplementedError(scope["type"])
    body = b""
    while True:
        message = await receive()
        if message["type"] != "http.request":
            return
        body += message.get("body", b"")
        if not message.get("more_body", False):
            break
    target = scope["raw_path"]
    if scope["query_string"]:
        target += b"?" + scope["query_string"]
    seen = _seen(scope["method"], target, body).encode("ascii")
    headers = [(b"content-type", b"text/plain"), (b"content-length", b"4"), (b"x-seen", seen)]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b"seen"})


def wsgi(environ: Foreign, start_response: Foreign) -> Iterable[bytes]:
    """Answer, by WSGI; `RAW_URI` is Gunicorn's."""
    body = environ["wsgi.input"].read()
    seen = _seen(environ["REQUEST_METHOD"], environ["RAW_URI"].encode("latin-1"), body)
    headers = [("Content-Type", "text/plain"), ("Content-Length", "4"), ("X-Seen", seen)]
    start_response("200 OK", headers)
    return [b"seen"]
