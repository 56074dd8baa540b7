"""A small service under `corrente gauge run`: started, asked, stopped, and its recording read.

The service is a program that a test writes; its port comes from the kernel. Everything is waited
for as an event: the port that is listened on, the requests that are in the recording, the end.
"""

from __future__ import annotations

import http.client
import json
import os
import signal
import subprocess
import sys
import uuid
from typing import TYPE_CHECKING, Any

import processes
from processes import wait_for
from tiny_lab import MARK, command

if TYPE_CHECKING:
    from pathlib import Path

#: A document: a recording, or figures.
Document = dict[str, Any]


class Service:
    """A command under `corrente gauge run`, in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.out = folder / "out.json"
        self.made = folder / "out.recording.d"
        self.mark = uuid.uuid4().hex
        self.environment = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("CORRENTE_", "PYTHON", "LC_"))
        } | {MARK: self.mark, "LANG": "C"}
        self._run: subprocess.Popen[bytes] | None = None
        self.port = 0
        self.asked = 0

    def write(self, name: str, text: str) -> None:
        """Write a program of the service."""
        (self.folder / name).write_text(text, encoding="utf-8")

    def start(self, *words: str) -> None:
        """Start the command under the gauge and wait for its port."""
        self.start_bare(*command("gauge", "run", "--out", str(self.out), "--", *words))

    def start_bare(self, *words: str) -> None:
        """Start the command as it is and wait for its port."""
        with self.errors.open("wb") as errors:
            self._run = subprocess.Popen(
                words,
                cwd=self.folder,
                env=self.environment,
                start_new_session=True,
                stdin=subprocess.DEVNULL,
                stdout=errors,
                stderr=subprocess.STDOUT,
            )
        run = self._run

        def listening() -> set[int]:
            assert run.poll() is None, self.errors.read_text(encoding="utf-8")
            return processes.listening_ports(processes.marked(self.mark))

        (self.port,) = wait_for(listening, "a port", details=self._said)

    @property
    def errors(self) -> Path:
        """What the command printed."""
        return self.folder / "errors.txt"

    def _said(self) -> str:
        return self.errors.read_text(encoding="utf-8", errors="replace")

    def ask(self, path: str, method: str = "GET", body: bytes | None = None) -> tuple[int, bytes]:
        """Send a request and give status and body."""
        client = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            client.request(method, path, body)
            response = client.getresponse()
            self.asked += 1
            return response.status, response.read()
        finally:
            client.close()

    def parts(self) -> list[Document]:
        """Read the files of the processes as they stand."""
        files = self.made.glob("*.json") if self.made.is_dir() else []
        return [json.loads(file.read_text(encoding="utf-8")) for file in files]

    def recorded(self) -> int:
        """Count the requests that are in those files."""
        endpoints = [endpoint for part in self.parts() for endpoint in part["endpoints"]]
        return sum(endpoint["requests"] for endpoint in endpoints)

    def wait_until_recorded(self) -> None:
        """Wait until every request that was asked is in a file."""
        wait_for(lambda: self.recorded() >= self.asked, "the requests", details=self.parts)

    def wait_until_seen(self) -> None:
        """Wait until every request that was asked has been counted, measured or not."""

        def seen() -> bool:
            counted = [int(part["processes"][0]["requests_seen"]) for part in self.parts()]
            return sum(counted) >= self.asked

        wait_for(seen, "the requests", details=self.parts)

    def tell(self, number: int) -> None:
        """Send a signal to `corrente gauge run`."""
        assert self._run is not None
        self._run.send_signal(number)

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Stop it as a supervisor does, and give the exit code."""
        self.tell(number)
        return self.wait()

    def wait(self) -> int:
        """Wait for its end and give the exit code."""
        assert self._run is not None
        code: int = self._run.wait(timeout=30)
        return code

    @property
    def process(self) -> int:
        """The process of `corrente gauge run`."""
        assert self._run is not None
        return self._run.pid

    def recording(self) -> Document:
        """Wait for the requests, stop, and read the recording."""
        self.wait_until_recorded()
        code = self.stop()
        assert code == 0, self._said()
        assert not self.made.exists()
        return self.read()

    def read(self) -> Document:
        """Read the recording."""
        document: Document = json.loads(self.out.read_text(encoding="utf-8"))
        return document

    def end(self) -> None:
        """End what is left of it."""
        processes.kill(processes.marked(self.mark))
        if self._run is not None:
            self._run.wait(timeout=10)


def python(*words: str) -> tuple[str, ...]:
    """Give the command line of a program of this interpreter's environment."""
    return (sys.executable, *words)


#: Servers on a port of the kernel's choice.
GUNICORN = python("-m", "gunicorn", "--bind", "127.0.0.1:0", "--no-control-socket")
UVICORN = python("-m", "uvicorn", "--port", "0", "--log-level", "warning")


def endpoint(recording: Document, name: str) -> Document:
    """Give the endpoint of a name; there must be one."""
    found = [one for one in recording["endpoints"] if one["name"] == name]
    names = [one["name"] for one in recording["endpoints"]]
    assert len(found) == 1, f"{name} among {names}"
    document: Document = found[0]
    return document
