"""A lab small enough for tests: a folder of its own, contenders of the standard library alone.

Builds the folder that `--lab` takes, and runs the command on it as a user would. What it starts
carries a mark of its own in the environment, so that `processes` can find all of it again.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).parents[1]

#: The variable that marks every process of a run.
MARK = "CORRENTE_TEST_MARK"

#: One server for all contenders: `server.py PORT BODY [stubborn] [orphans]`.
SERVER = '''\
"""Says BODY. `stubborn` ignores SIGTERM; `orphans` leaves such a one in a session of its own."""
import signal, subprocess, sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

class Hello(BaseHTTPRequestHandler):
    protocol_version, disable_nagle_algorithm = "HTTP/1.1", True
    log_message = lambda *_: None
    def do_GET(self):
        body = sys.argv[2].encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

ORPHAN = "import subprocess, sys; subprocess.Popen(sys.argv[1:], start_new_session=True)"
if "stubborn" in sys.argv:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
if "orphans" in sys.argv:
    again = [sys.executable, __file__, "0", "orphan", "stubborn"]
    subprocess.run([sys.executable, "-c", ORPHAN, *again], check=True)
ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Hello).serve_forever()
'''

SCENARIO = """\
claim = "tiny"
order = {order}
sources = ["https://example.org/tiny"]
title = {{ en = "Tiny", it = "Minimo", fr = "Minuscule", de = "Winzig", zh = "微小" }}

[quick]
rounds = 2
seconds = {seconds}
warm_up = 0.05

{more}
"""

HELLO = """\
[[case]]
id = "hello"
driver = "http"
path = "/"
users = {users}
expect = "hello"
"""

#: A case whose contenders do the work themselves and report it.
COUNT = """\
[[case]]
id = "count"
driver = "program"
"""

#: Such a report, as a command.
REPORTS = ["echo", '{"operations": 9, "seconds": 0.1, "cpu_seconds": 0.1}']

FINDING = """\
[[finding]]
id = "throughput"
measure = "throughput"
of = "{of}"
over = "{over}"
published = {{ ratio = 1.0 }}
"""


def serve(*words: str, body: str = "hello") -> list[str]:
    """Give the command line of a contender that serves `body`."""
    return ["{python}", "{apps}/tiny/server.py", "{port}", body, *words]


@dataclass(frozen=True)
class Contender:
    """One contender of a scenario; `more` is further TOML of its table."""

    name: str
    command: list[str] = field(default_factory=serve)
    side: str = "sync"
    more: str = ""

    def toml(self) -> str:
        """Give its table. A JSON string is a TOML string."""
        lines = ["[[contender]]", f'id = "{self.name}"', f'side = "{self.side}"']
        return "\n".join([*lines, f"command = {json.dumps(self.command)}", self.more, ""])


PLAIN = Contender("plain")
OTHER = Contender("other", side="async")


@dataclass(frozen=True)
class Scenario:
    """The parts of a scenario file that tests vary; `more` is further TOML between its tables."""

    contenders: tuple[Contender, ...] = (PLAIN, OTHER)
    order: int = 1
    seconds: float = 0.2
    users: int = 2
    more: str = ""
    case: str = HELLO

    def toml(self) -> str:
        """Give the file's text; where there are two contenders, they are compared."""
        names = [contender.name for contender in self.contenders]
        more = [self.more, *(contender.toml() for contender in self.contenders)]
        more.append(self.case.format(users=self.users))
        if len(names) > 1:
            more.append(FINDING.format(of=names[1], over=names[0]))
        return SCENARIO.format(order=self.order, seconds=self.seconds, more="\n".join(more))


class TinyLab:
    """A lab's folder, an output directory beside it, and the command to run them."""

    def __init__(self, root: Path, cache: Path) -> None:
        self.root = root
        self.folder = root / "lab"
        self.out = root / "out"
        self.scratch = root / "scratch"
        self.mark = uuid.uuid4().hex
        self.environment = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("CORRENTE_", "LC_", "RUST_"))
        } | {"CORRENTE_CACHE_DIR": str(cache), "LANG": "C", "TMPDIR": str(self.scratch)}
        self.environment[MARK] = self.mark
        self._lay_out()

    def _lay_out(self) -> None:
        for folder in (self.folder / "scenarios", self.folder / "apps/tiny", self.scratch):
            folder.mkdir(parents=True)
        (self.folder / "apps/tiny/server.py").write_text(SERVER, encoding="utf-8")
        self.lock("")
        for name in ("prices.toml", "postgres.sql"):
            text = (PROJECT / "lab" / name).read_text(encoding="utf-8")
            (self.folder / name).write_text(text, encoding="utf-8")

    def lock(self, text: str) -> None:
        """Write the contenders' locked requirements; an empty lock is an environment of its own."""
        (self.folder / "requirements.txt").write_text(text, encoding="utf-8")

    def add(self, name: str, scenario: Scenario | str) -> None:
        """Write a scenario file."""
        text = scenario if isinstance(scenario, str) else scenario.toml()
        (self.folder / f"scenarios/{name}.toml").write_text(text, encoding="utf-8")

    def corrente(self, *arguments: str, timeout: float = 50) -> subprocess.CompletedProcess[str]:
        """Run any command of Corrente; the exit code is not checked."""
        return subprocess.run(
            command(*arguments),
            capture_output=True,
            check=False,
            cwd=self.root,
            env=self.environment,
            text=True,
            timeout=timeout,
        )

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run scenarios of this lab into `out`."""
        return self.corrente(*self.words(*arguments))

    def words(self, *arguments: str) -> list[str]:
        """Give the arguments of such a run."""
        return ["lab", "run", "--lab", str(self.folder), "--out", str(self.out), *arguments]

    def start(self, *arguments: str) -> subprocess.Popen[bytes]:
        """Start a command as a shell does in the foreground: its processes share a group."""
        with self.errors.open("wb") as errors:
            return subprocess.Popen(
                command(*arguments),
                cwd=self.root,
                env=self.environment,
                start_new_session=True,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=errors,
            )

    @property
    def errors(self) -> Path:
        """Standard error of what `start` started."""
        return self.root / "errors.txt"

    def result(self) -> dict[str, Any]:
        """Read the result in `out`."""
        document: dict[str, Any] = json.loads((self.out / "result.json").read_text("utf-8"))
        return document


def command(*arguments: str) -> list[str]:
    """Give the command line of Corrente under this interpreter."""
    return [sys.executable, "-P", "-m", "corrente", *arguments]


def from_the_real_lock(*names: str) -> str:
    """Cut these distributions out of the lab's real lock, with their hashes."""
    lock = (PROJECT / "lab/requirements.txt").read_text(encoding="utf-8")
    entries = re.split(r"\n(?=\S)", lock)
    return "\n".join(entry for entry in entries if entry.split("==")[0] in names) + "\n"
