"""Small applications that many tests serve."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .serving import Foreign

#: The fields of most answers of WSGI.
PLAIN = [("Content-Type", "text/plain")]

#: The threads of what is served in threads.
THREADS = 3


async def body_of(receive: Foreign) -> bytes:
    """Read a whole body."""
    body = b""
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ConnectionError("the client has gone before its body was here")
        piece: bytes = message["body"]
        body += piece
        if not message["more_body"]:
            return body


async def respond(
    send: Foreign, body: bytes = b"", status: int = 200, headers: Foreign = ()
) -> None:
    """Send a whole response."""
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def echo(_scope: Foreign, receive: Foreign, send: Foreign) -> None:
    """Answer with the body of the request."""
    await respond(send, await body_of(receive))


async def target(scope: Foreign, _receive: Foreign, send: Foreign) -> None:
    """Answer with the path, without a look at the body."""
    await respond(send, scope["path"].encode())


def wsgi_echo(environ: Foreign, start_response: Foreign) -> list[bytes]:
    """Answer with the body of the request."""
    body = environ["wsgi.input"].read()
    start_response("200 OK", [("Content-Length", str(len(body)))])
    return [body]
