"""Whether a server answers rightly, and a warm-up by as many requests as are asked for.

    python checking.py PORT PROTOCOL ANSWER TIMES [tls]

PROTOCOL is http1, http2 or websocket, whose ANSWER is KIND-BYTES-COMPRESSION in the words of
`corrente load`. Every answer is compared whole. Tells `{"right": TIMES}` in a line of JSON, or
`{"cannot": WHY}`.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import socket
import ssl
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

import messages
import raw_apps
import streams

LIMIT_S = 20


class Question(NamedTuple):
    """A request and what its answer has to be."""

    path: str
    body: bytes | None
    is_right: Callable[[bytes], bool]


def pattern(length: int) -> bytes:
    """Make bytes that are not all the same."""
    return bytes(index % 251 for index in range(length))


def question(answer: str) -> Question:
    """Give the question that a row asks."""
    if answer == "json":
        expected = {"message": "Hello, world!"}
        return Question("/", None, lambda found: json.loads(found) == expected)
    if answer == "echo":
        sent = pattern(10 * 1024)
        return Question("/echo", sent, sent.__eq__)
    if answer == "upload":
        sent = pattern(1024 * 1024)
        return Question("/upload", sent, b"1048576".__eq__)
    if answer == "stream":
        return Question("/stream", None, (raw_apps.CHUNK * raw_apps.CHUNKS).__eq__)
    if answer == "file":
        content = Path(os.environ["BENCH_FILE"]).read_bytes()
        return Question("/file", None, content.__eq__)
    return Question("/", None, raw_apps.HELLO.__eq__)


def trusting() -> ssl.SSLContext:
    """Trust whatever certificate there is: it is the benchmark's own."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def by_requests(port: int, answer: str, times: int, *, tls: bool) -> str | None:
    """Ask so often by HTTP/1.1; say what was wrong with the first wrong answer."""
    asked = question(answer)
    method = "GET" if asked.body is None else "POST"
    if tls:
        context = trusting()
        connection: http.client.HTTPConnection = http.client.HTTPSConnection(
            "127.0.0.1", port, timeout=LIMIT_S, context=context
        )
    else:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=LIMIT_S)
    with contextlib.closing(connection):
        for _ in range(times):
            connection.request(method, asked.path, asked.body)
            response = connection.getresponse()
            wrong = what_is_wrong(asked, response.status, response.read())
            if wrong:
                return wrong
    return None


def by_streams(port: int, answer: str, times: int, *, tls: bool) -> str | None:
    """Do the same by HTTP/2."""
    asked = question(answer)
    stream = socket.create_connection(("127.0.0.1", port), timeout=LIMIT_S)
    with contextlib.closing(stream):
        if tls:
            context = trusting()
            context.set_alpn_protocols(["h2"])
            stream = context.wrap_socket(stream)
            if stream.selected_alpn_protocol() != "h2":
                return "does not agree on HTTP/2"
        client = streams.Client(stream)
        for _ in range(times):
            status, body = client.request(asked.path)
            wrong = what_is_wrong(asked, status, body)
            if wrong:
                return wrong
    return None


def what_is_wrong(asked: Question, status: int, body: bytes) -> str | None:
    """Compare an answer."""
    if status != http.HTTPStatus.OK:
        return f"answers {status}"
    if not asked.is_right(body):
        return f"answers wrongly: {body[:40]!r}"
    return None


def main(port: int, protocol: str, answer: str, times: int, *, tls: bool) -> dict[str, object]:
    """Check and tell."""
    try:
        if protocol == "websocket":
            wrong = messages.check(port, answer, times)
        elif protocol == "http2":
            wrong = by_streams(port, answer, times, tls=tls)
        else:
            wrong = by_requests(port, answer, times, tls=tls)
    except (OSError, http.client.HTTPException, ValueError) as error:
        wrong = f"{type(error).__name__}: {error}"
    return {"right": times} if wrong is None else {"cannot": wrong}


if __name__ == "__main__":
    _, port, protocol, answer, times, *words = sys.argv
    told = main(int(port), protocol, answer, int(times), tls=words == ["tls"])
    sys.stdout.write(json.dumps(told) + "\n")
