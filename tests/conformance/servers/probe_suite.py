"""Http11Probe's cases (tests/http/probe), sent and judged as that does.

The table's form is described in it. One look decides: what has come 100 ms after an answer's head,
and whether the connection has ended 50 ms later. Only the first status counts, be it an interim
one.
"""

from __future__ import annotations

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

#: A row of the table.
Case: TypeAlias = dict[str, Any]

HERE = Path(__file__).parent
TABLE = HERE.parents[1] / "http" / "probe"
#: The files, and what the cases of each are called.
GROUPS = {
    "february.toml": "the 125 cases scored on 2026-02-12",
    "since.toml": "the 38 scored besides by May 2026",
}
#: The servers, and which of the applications each serves.
SERVERS = {
    "corrente": "asgi",
    "corrente-wsgi": "wsgi",
    "uvicorn": "asgi",
    "uvicorn-h11": "asgi",
    "granian": "asgi",
    "hypercorn": "asgi",
    "gunicorn": "wsgi",
}
#: Seconds without an answer that the probe calls a timeout.
LIMIT_S = 5.0
#: Seconds for what follows an answer's head, and then for the connection's end.
BODY_S, END_S = 0.1, 0.05
#: Rows that are sent at once: most of the time somebody waits.
AT_ONCE = 6
READ = 131_072


@dataclass
class Outcome:
    """What came of a request."""

    come: bytes
    #: `open`, `closed`, or `silent` where the time was up.
    connection: str

    def status(self) -> int | None:
        """Give the first status; `None` where what came is no answer."""
        line, found, _ = self.come.partition(b"\n")
        words = line.split()
        return int(words[1]) if found and len(words) > 1 and words[1].isdigit() else None

    def fields(self) -> dict[str, str]:
        """Give the fields of the first head, by their names in lower case."""
        head = self.come.partition(b"\r\n\r\n")[0].decode("latin-1")
        split = [line.partition(":") for line in head.split("\r\n")[1:]]
        return {name.strip().lower(): value.strip() for name, _, value in split}

    def body(self) -> str:
        """Give what follows the first head, without chunks."""
        body = self.come.partition(b"\r\n\r\n")[2]
        if "chunked" in self.fields().get("transfer-encoding", ""):
            body = unchunked(body)
        return body.decode("latin-1")

    def answers(self) -> int:
        """Tell how many answers there are."""
        return len(re.findall(rb"HTTP/\d\.\d \d{3}", self.come))

    def told(self) -> str:
        """Say it in a few words."""
        return f"{self.status() or 'no answer'}, {self.connection}"


def run(options: argparse.Namespace) -> dict[str, object]:
    """Send every case to every server."""
    cases = [case for case in table() if options.wants(case["name"])]
    servers = {}
    for server, interface in SERVERS.items():
        if options.servers and server not in options.servers:
            continue
        log = options.out / f"{server}.log"
        target = f"probe_apps:{interface}"
        with running(server, target, HERE, log) as port, ThreadPoolExecutor(AT_ONCE) as pool:
            ended = pool.map(partial(judged, port), cases)
            servers[server] = {case["name"]: how for case, how in zip(cases, ended, strict=True)}
    return {
        "origin": "MDA2AV/Http11Probe on GitHub, replayed from tests/http/probe",
        "versions": versions("uvicorn", "httptools", "h11", "granian", "hypercorn", "gunicorn"),
        "servers": servers,
    }


def table() -> list[Case]:
    """Give the cases, with the groups that they belong to."""
    return [
        case | {"group": group}
        for file, group in GROUPS.items()
        for case in tomllib.loads((TABLE / file).read_text(encoding="utf-8"))["case"]
    ]


def judged(port: int, case: Case) -> dict[str, str]:
    """Send one case; tell how it went."""
    outcome = asked(port, filled(case))
    if any(meets(outcome, wanted) for wanted in case["passes"]) and fits(case, outcome):
        return {"group": case["group"], "kind": "passed"}
    wanted = " or ".join(case["passes"])
    detail = f"{outcome.told()}, in place of {wanted} ({case['section']})"
    return {"group": case["group"], "kind": "failed", "detail": detail}


def filled(case: Case) -> bytes:
    """Give the bytes of a case."""
    text: str = case["bytes"]
    if fill := case.get("fill"):
        text = text.replace(fill["mark"], fill["with"] * fill["times"])
    return text.encode("latin-1")


def asked(port: int, data: bytes) -> Outcome:
    """Send, and look at what comes."""
    come = b""
    with socket.create_connection((HOST, port), timeout=LIMIT_S) as connection:
        try:
            # A server may have answered and closed before it has read all.
            with suppress(ConnectionError):
                connection.sendall(data)
            deadline = time.monotonic() + LIMIT_S
            while b"\r\n\r\n" not in come:
                connection.settimeout(max(deadline - time.monotonic(), 0.001))
                more = connection.recv(READ)
                if not more:
                    return Outcome(come, "closed")
                come += more
            rest, connection_state = drained(connection)
            return Outcome(come + rest, connection_state)
        except TimeoutError:
            return Outcome(come, "silent")
        except ConnectionError:
            return Outcome(come, "closed")


def drained(connection: socket.socket) -> tuple[bytes, str]:
    """Take what comes within the time for bodies; tell whether the end comes soon after."""
    time.sleep(BODY_S)
    connection.setblocking(False)
    rest = b""
    with suppress(BlockingIOError):
        while more := connection.recv(READ):
            rest += more
    time.sleep(END_S)
    try:
        return rest, "open" if connection.recv(1, socket.MSG_PEEK) else "closed"
    except BlockingIOError:
        return rest, "open"
    except ConnectionError:
        return rest, "closed"


def meets(outcome: Outcome, wanted: str) -> bool:
    """Tell whether it is this of what is passed."""
    status = outcome.status()
    if wanted in ("close", "silence"):
        state = "closed" if wanted == "close" else "silent"
        return status is None and outcome.connection == state
    if status is None:
        return False
    if wanted.endswith(" and close"):
        is_wanted = is_status(status, wanted.removesuffix(" and close"))
        return is_wanted and outcome.connection == "closed"
    if " without " in wanted:
        wanted, name = wanted.split(" without ")
        return is_status(status, wanted) and name not in outcome.fields()
    if " with " in wanted:
        wanted, name = wanted.split(" with ")
        return is_status(status, wanted) and name in outcome.fields()
    return is_status(status, wanted)


def is_status(status: int, wanted: str) -> bool:
    """Tell whether a status is `400`, `4xx`, `not 101`, or `any`."""
    if wanted.startswith("not "):
        return not is_status(status, wanted.removeprefix("not "))
    return wanted == "any" or re.fullmatch(wanted.replace("x", r"\d"), str(status)) is not None


def fits(case: Case, outcome: Outcome) -> bool:
    """Tell whether the body and the number of answers are right, where they matter."""
    if (status := outcome.status()) is None or not is_status(status, "2xx"):
        return True
    if "body" in case and outcome.body() != case["body"]:
        return False
    if "dropped" in case and case["dropped"] in outcome.body():
        return False
    most: int = case.get("answers", outcome.answers())
    return outcome.answers() <= most


def unchunked(body: bytes) -> bytes:
    """Take chunks off; what is not whole stays away."""
    data = b""
    while body:
        line, _, body = body.partition(b"\r\n")
        size = int(line.partition(b";")[0] or b"0", 16)
        data, body = data + body[:size], body[size + 2 :] if size else b""
    return data
