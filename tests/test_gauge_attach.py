"""`corrente gauge attach`: a service that runs already, and what cannot be sampled."""

from __future__ import annotations

import http.client
import json
import os
import subprocess
import sys
import threading
from typing import TYPE_CHECKING, Any

import pytest

import processes
from gauge_programs import WSGI
from gauge_service import GUNICORN
from processes import wait_for
from tiny_lab import command

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from conftest import Corrente
    from gauge_service import Service

#: One thread a connection; a request sleeps and computes as its path says.
SERVER = """
import socketserver, time
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

def sleeps():
    time.sleep(0.02)

def computes():
    end = time.thread_time() + 0.005
    while time.thread_time() < end:
        sum(range(100))

def application(environ, start_response):
    sleeps() if environ["PATH_INFO"] == "/sleeps" else computes()
    start_response("200 OK", [("Content-Length", "2")])
    return [b"ok"]

class Handler(WSGIRequestHandler):
    def log_message(self, *words):
        pass

make_server("127.0.0.1", 0, application, handler_class=Handler).serve_forever()
"""


class Live:
    """A service that runs, and somebody who keeps asking it."""

    def __init__(self, folder: Path) -> None:
        program = folder / "service.py"
        program.write_text(SERVER, encoding="utf-8")
        self.process = subprocess.Popen([sys.executable, str(program)])
        (self.port,) = wait_for(
            lambda: processes.listening_ports({self.process.pid}), "the service's port"
        )
        self.asked = 0
        self._stop = threading.Event()
        self._client = threading.Thread(target=self._ask)

    def start_asking(self) -> None:
        """Ask for `/sleeps` with pauses as long, until the end."""
        self._client.start()

    def _ask(self) -> None:
        while not self._stop.is_set():
            client = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
            client.request("GET", "/sleeps")
            assert client.getresponse().read() == b"ok"
            client.close()
            self.asked += 1
            self._stop.wait(0.02)

    def end(self) -> None:
        """End both."""
        self._stop.set()
        if self._client.is_alive():
            self._client.join(timeout=10)
        self.process.kill()
        self.process.wait(timeout=10)


@pytest.fixture
def live(tmp_path: Path) -> Iterator[Live]:
    """Give a service that listens."""
    live = Live(tmp_path)
    yield live
    live.end()


def attach(corrente: Corrente, *words: str) -> subprocess.CompletedProcess[str]:
    """Attach to a process."""
    return corrente("gauge", "attach", *words, "--lang", "en")


def one_line(done: subprocess.CompletedProcess[str], code: int, expected: str) -> None:
    """Check that a command ended badly with one clear line, and has left nothing behind."""
    lines = [line for line in done.stderr.splitlines() if not line.startswith("Sampling")]
    assert (done.returncode, done.stdout, len(lines)) == (code, "", 1), done.stderr
    assert expected in lines[0]


def test_a_live_service_is_sampled(corrente: Corrente, tmp_path: Path, live: Live) -> None:
    live.start_asking()
    before = live.asked
    words = (str(live.process.pid), "--seconds", "4", "--out", "live.json", "--json")
    done = attach(corrente, *words)
    asked = live.asked - before
    assert done.returncode == 0, done.stderr
    figures: dict[str, Any] = json.loads(done.stdout)
    (endpoint,) = figures["endpoints"]
    assert endpoint["name"] == "service:application"
    assert endpoint["requests"] == pytest.approx(asked, rel=0.4)
    assert endpoint["wait_ms"] == pytest.approx(20, rel=0.4)
    (calls,) = (calls for calls in endpoint["calls"] if calls["wait_per_request_ms"] > 1)
    assert calls["resource"]["driver"] == "sleep"
    recording = json.loads((tmp_path / "live.json").read_text(encoding="utf-8"))
    (process,) = recording["processes"]
    assert (process["source"], process["pid"]) == ("sampler", live.process.pid)
    assert process["machine"]["burn_rounds_per_ms"] > 100
    codes = {doubt["code"] for doubt in process["cannot_tell"]}
    assert {"means_only", "requests_estimated"} <= codes
    shown = corrente("gauge", "report", "live.json", "--lang", "en")
    assert (shown.returncode, shown.stderr) == (0, "")
    assert "service:application" in shown.stdout
    assert live.process.poll() is None


def test_ctrl_c_keeps_what_was_seen(tmp_path: Path, live: Live) -> None:
    live.start_asking()
    words = command("gauge", "attach", str(live.process.pid), "--seconds", "600", "--json")
    run = subprocess.Popen(
        words, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert run.stderr is not None
    # It says so after the first second, when it has seen some forty requests.
    assert run.stderr.readline().startswith("Sampling")
    asked = live.asked
    wait_for(lambda: live.asked > asked + 50, "requests while it is sampled")
    run.terminate()
    output, _ = run.communicate(timeout=20)
    assert run.returncode == 130
    assert json.loads(output)["service"]["active_s"] < 60
    assert (tmp_path / "gauge.json").is_file()


def test_a_service_without_traffic(corrente: Corrente, tmp_path: Path, live: Live) -> None:
    done = attach(corrente, str(live.process.pid), "--seconds", "0.3", "--out", "a.json")
    one_line(done, 1, "no request was seen")
    assert not (tmp_path / "a.json").exists()


def test_greenlets_are_not_guessed_at(corrente: Corrente, tmp_path: Path, service: Service) -> None:
    service.write("service.py", WSGI)
    service.start_bare(*GUNICORN, "-k", "gevent", "service:app")
    assert service.ask("/") == (200, b"hello")
    # It does not sample for ten minutes before it says so.
    done = attach(corrente, str(service.process), "--seconds", "600", "--out", "a.json")
    one_line(done, 1, "runs gevent, which has many requests in one thread")
    assert not (tmp_path / "a.json").exists()


def test_a_process_that_is_not_there(corrente: Corrente, tmp_path: Path) -> None:
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait(timeout=10)
    one_line(attach(corrente, str(gone.pid)), 2, f"there is no process {gone.pid}")
    assert list(tmp_path.iterdir()) == []


def test_a_process_that_is_no_python(corrente: Corrente, tmp_path: Path) -> None:
    with subprocess.Popen(["/bin/sleep", "60"]) as sleep:
        one_line(attach(corrente, str(sleep.pid)), 2, "(`sleep`) nor a child of it is a Python")
        sleep.kill()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give up the right to trace")
def test_a_process_that_may_not_be_read(tmp_path: Path, live: Live) -> None:
    without = ["setpriv", "--bounding-set=-sys_ptrace", "--inh-caps=-sys_ptrace"]
    done = subprocess.run(
        [*without, *command("gauge", "attach", str(live.process.pid))],
        capture_output=True,
        check=False,
        cwd=tmp_path,
        text=True,
        timeout=30,
    )
    one_line(done, 3, f"process {live.process.pid} may not be read")


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("--seconds", "0"), "expected a number above 0 and up to 3600, found 0"),
        (("--seconds", "4000"), "found 4000"),
        (("--seconds", "nan"), "found NaN"),
        (("--out", "missing/a.json"), "its folder is missing"),
        (("--out", "."), "is a folder"),
    ],
)
def test_words_that_cannot_be_meant(
    corrente: Corrente, live: Live, words: tuple[str, str], expected: str
) -> None:
    one_line(attach(corrente, str(live.process.pid), *words), 2, expected)


def test_a_service_that_ends_meanwhile(corrente: Corrente, tmp_path: Path, live: Live) -> None:
    ending = threading.Timer(0.5, live.process.kill)
    ending.start()
    done = attach(corrente, str(live.process.pid), "--seconds", "30", "--out", "a.json")
    ending.join()
    one_line(done, 1, "ended after")
    assert not (tmp_path / "a.json").exists()
