"""The project's table of raw requests (tests/http/requests) over sockets.

tests/http/README.md has the table's form. A row is passed where the application has seen the
requests that it should, where what has to be turned away is, and where the connection is afterwards
what it should be: open for another request, closed, or waiting for more.
"""

from __future__ import annotations

import json
import re
import socket
import time
import tomllib
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from running_servers import HOST, running, versions

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

#: A row of the table.
Case: TypeAlias = dict[str, Any]

HERE = Path(__file__).parent
TABLE = HERE.parents[1] / "http" / "requests"
#: The servers, and which of the applications each serves.
SERVERS = {
    "corrente": "asgi",
    "uvicorn": "asgi",
    "uvicorn-h11": "asgi",
    "granian": "asgi",
    "hypercorn": "asgi",
    "gunicorn": "wsgi",
}
#: Seconds within which a server has to answer or to close.
LIMIT_S = 5.0
#: Seconds without a byte that count as waiting for the client.
SILENCE_S = 0.3
#: Rows that are sent at once: most of the time somebody waits.
AT_ONCE = 6
READ = 65_536
NEXT = b"GET /next HTTP/1.1\r\nHost: a\r\n\r\n"
#: Rows that make no sense over a socket, and why.
LEFT_OUT: dict[str, str] = {}


class Ended(Exception):  # noqa: N818 - the connection's end is no error
    """The server has closed the connection."""


@dataclass
class Answer:
    """An answer, as far as it is looked at."""

    status: int
    #: Method, target and body that the application has seen.
    seen: list[str] | None


def run(options: argparse.Namespace) -> dict[str, object]:
    """Send every row to every server."""
    cases = [case for case in table() if options.wants(case["name"])]
    servers = {}
    for server, interface in SERVERS.items():
        if options.servers and server not in options.servers:
            continue
        target = f"seeing_apps:{interface}"
        log = options.out / f"{server}.log"
        with running(server, target, HERE, log) as port, ThreadPoolExecutor(AT_ONCE) as pool:
            ended = pool.map(partial(judged, server, port), cases)
            servers[server] = {case["name"]: how for case, how in zip(cases, ended, strict=True)}
    return {
        "origin": "tests/http/requests of this project",
        "versions": versions("uvicorn", "httptools", "h11", "granian", "hypercorn", "gunicorn"),
        "servers": servers,
        "left_out": LEFT_OUT,
    }


def table() -> Iterator[Case]:
    """Give the rows, with what they fill in."""
    for file in sorted(TABLE.glob("*.toml")):
        for case in tomllib.loads(file.read_text(encoding="utf-8"))["case"]:
            if case["name"] not in LEFT_OUT:
                yield case


def judged(server: str, port: int, case: Case) -> dict[str, str]:
    """Send one row; tell how it went."""
    fault = None
    connection = Connection(port)
    try:
        # A server may have answered and closed before it has read all.
        with suppress(ConnectionError):
            connection.socket.sendall(filled(case, case["bytes"]))
        fault = judge(case, connection, "strict" if server == "corrente" else "lenient")
    except TimeoutError:
        fault = f"nothing within {LIMIT_S} s"
    except Ended:
        fault = "the connection was closed"
    except OSError as error:
        fault = f"the connection broke: {error}"
    except ValueError as error:
        fault = str(error)
    finally:
        connection.socket.close()
    match = re.match(r"RFC \d+, \d+", case["section"])
    group = match[0] if match else case["section"]
    if fault is None:
        return {"group": group, "kind": "passed"}
    return {"group": group, "kind": "failed", "detail": fault}


def filled(case: Case, text: str) -> bytes:
    """Give the bytes of a text of a row."""
    if fill := case.get("fill"):
        text = text.replace(fill["mark"], fill["with"] * fill["times"])
    return text.encode("latin-1")


def judge(case: Case, connection: Connection, statuses: str) -> str | None:
    """Say what is wrong with what a server makes of a row."""
    whole = [wanted for wanted in case.get("requests", []) if not wanted.get("partial")]
    for wanted in whole:
        method = filled(case, wanted["method"]).decode("latin-1")
        answer = connection.answer(method)
        if fault := differs(case, wanted, answer):
            return fault
    if "status" in case:
        return refused(case["status"], connection, statuses)
    if case["connection"] == "keep":
        connection.socket.sendall(NEXT)
        answer = connection.answer("GET")
        return None if answer.status == 200 else f"the next request got {answer.status}"
    if case["connection"] == "close":
        return connection.is_closed()
    return connection.is_waiting()


def differs(case: Case, wanted: Case, answer: Answer) -> str | None:
    """Say in what the application has seen something else."""
    if answer.status != 200 or answer.seen is None:
        return f"{answer.status} for `{wanted['target'][:80]}`"
    method, target, body = answer.seen
    if method != wanted["method"] and method != filled(case, wanted["method"]).decode("latin-1"):
        return f"method {method!r}"
    if body != wanted.get("body", ""):
        return f"body {body[:80]!r}"
    asked = filled(case, wanted["target"]).decode("latin-1")
    if asked.startswith(("/", "*")):
        # ASGI does not tell an empty query from none.
        same = target.removesuffix("?") == asked.removesuffix("?")
        return None if same else f"target {target[:80]!r}"
    # Of an absolute target an application sees the path.
    path = target.partition("?")[0]
    return None if path == wanted.get("path", path) else f"path {path[:80]!r}"


def refused(status: int, connection: Connection, statuses: str) -> str | None:
    """Say why a request was not turned away as it should be."""
    try:
        answer = connection.answer("GET")
    except (Ended, ConnectionError):
        return None if statuses == "lenient" else "closed without an answer"
    if statuses == "strict":
        return None if answer.status == status else f"{answer.status} in place of {status}"
    return None if answer.status >= 400 else f"taken, with {answer.status}"


class Connection:
    """A client that reads answers one after the other."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection((HOST, port), timeout=LIMIT_S)
        self._come = b""

    def answer(self, method: str) -> Answer:
        """Read one answer; interim ones are passed over."""
        while True:
            head = self._until(b"\r\n\r\n").decode("latin-1")
            first, *lines = head.split("\r\n")
            words = first.split(" ", 2)
            if len(words) < 2 or not words[0].startswith("HTTP/1.") or not words[1].isdecimal():
                raise ValueError(f"no answer of HTTP/1.1: {first[:80]!r}")
            status = int(words[1])
            if status >= 200:
                break
        fields = {}
        for line in lines:
            name, _, value = line.partition(":")
            fields[name.lower()] = value.strip()
        if method != "HEAD" and status not in (204, 304):
            self._body(fields)
        seen = fields.get("x-seen")
        return Answer(status, None if seen is None else json.loads(seen))

    def is_closed(self) -> str | None:
        """Wait for the end; say what comes instead."""
        try:
            self._more()
        except (Ended, ConnectionError):
            return None
        except TimeoutError:
            return "the connection stays open"
        return f"more comes: {self._come[:80]!r}"

    def is_waiting(self) -> str | None:
        """See that nothing comes."""
        self.socket.settimeout(SILENCE_S)
        try:
            while True:
                # An interim answer is allowed while a body is to come.
                head = self._until(b"\r\n\r\n")
                if not head.startswith(b"HTTP/1.1 100"):
                    return f"did not wait: {head[:80]!r}"
        except TimeoutError:
            return None
        except (Ended, ConnectionError):
            return "did not wait: the connection was closed"

    def _body(self, fields: dict[str, str]) -> None:
        if "chunked" in fields.get("transfer-encoding", ""):
            while size := int(self._until(b"\r\n").split(b";")[0], 16):
                self._exactly(size + 2)
            self._until(b"\r\n")
        elif "content-length" in fields:
            self._exactly(int(fields["content-length"]))
        else:
            self._rest()

    def _rest(self) -> None:
        deadline = time.monotonic() + LIMIT_S
        try:
            while time.monotonic() < deadline:
                self._more()
        except (Ended, ConnectionError):
            self._come = b""

    def _until(self, end: bytes) -> bytes:
        while end not in self._come:
            self._more()
        found, _, self._come = self._come.partition(end)
        return found

    def _exactly(self, length: int) -> None:
        while len(self._come) < length:
            self._more()
        self._come = self._come[length:]

    def _more(self) -> None:
        data = self.socket.recv(READ)
        if not data:
            raise Ended
        self._come += data
