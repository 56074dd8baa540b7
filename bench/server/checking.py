"""Whether a server answers rightly, and a warm-up by as many requests as are asked for.

    python checking.py PORT ANSWER TIMES [tls]

Every answer is compared whole. Tells `{"right": TIMES}` in a line of JSON, or `{"cannot": WHY}`.
"""

from __future__ import annotations

import http.client
import json
import os
import ssl
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

import raw_apps

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


def connect(port: int, *, tls: bool) -> http.client.HTTPConnection:
    """Make a connection that is opened at its first use."""
    if not tls:
        return http.client.HTTPConnection("127.0.0.1", port, timeout=LIMIT_S)
    # The certificate is the benchmark's own.
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return http.client.HTTPSConnection("127.0.0.1", port, timeout=LIMIT_S, context=context)


def check(connection: http.client.HTTPConnection, asked: Question, times: int) -> str | None:
    """Ask so often; say what was wrong with the first wrong answer."""
    method = "GET" if asked.body is None else "POST"
    for _ in range(times):
        connection.request(method, asked.path, asked.body)
        response = connection.getresponse()
        body = response.read()
        if response.status != http.HTTPStatus.OK:
            return f"answers {response.status}"
        if not asked.is_right(body):
            return f"answers wrongly: {body[:40]!r}"
    return None


def main(port: int, answer: str, times: int, *, tls: bool) -> dict[str, object]:
    """Check and tell."""
    connection = connect(port, tls=tls)
    try:
        wrong = check(connection, question(answer), times)
    except (OSError, http.client.HTTPException, ValueError) as error:
        wrong = f"{type(error).__name__}: {error}"
    finally:
        connection.close()
    return {"right": times} if wrong is None else {"cannot": wrong}


if __name__ == "__main__":
    told = main(int(sys.argv[1]), sys.argv[2], int(sys.argv[3]), tls=sys.argv[4:] == ["tls"])
    sys.stdout.write(json.dumps(told) + "\n")
