"""What servers that Http11Probe asks have to serve, by ASGI and by WSGI.

`POST /` answers with the request's body, `/echo` with the fields that the application has seen, a
line for each; everything else is `OK`. Methods are not told apart, as in its own applications for
Python's servers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterable

#: What servers give.
Foreign: TypeAlias = Any


async def asgi(scope: Foreign, receive: Foreign, send: Foreign) -> None:
    """Answer, by ASGI; lifespans and WebSockets are not for it."""
    if scope["type"] != "http":
        raise NotImplementedError(scope["type"])
    body = b""
    while (message := await receive())["type"] == "http.request":
        body += message.get("body", b"")
        if not message.get("more_body", False):
            break
    else:
        return
    if scope["path"] == "/echo":
        body = b"".join(b"%s: %s\n" % field for field in scope["headers"])
    elif scope["method"] != "POST":
        body = b"OK"
    headers = [(b"content-type", b"text/plain")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def wsgi(environ: Foreign, start_response: Foreign) -> Iterable[bytes]:
    """Answer, by WSGI."""
    body = environ["wsgi.input"].read()
    if environ["PATH_INFO"] == "/echo":
        body = "".join(_fields(environ)).encode("latin-1")
    elif environ["REQUEST_METHOD"] != "POST":
        body = b"OK"
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [body]


def _fields(environ: Foreign) -> Iterable[str]:
    for key, value in environ.items():
        if key.startswith("HTTP_") or key in ("CONTENT_TYPE", "CONTENT_LENGTH"):
            yield f"{key.removeprefix('HTTP_').replace('_', '-').title()}: {value}\n"
