"""`corrente load` by itself: what it measures, what it writes, what it refuses."""

from __future__ import annotations

import base64
import json
import signal
import socket
import struct
import subprocess
import threading
import zlib
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import pytest

from processes import wait_for
from tiny_lab import command

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SHORT = ("--seconds", "0.4", "--warm-up", "0.1")

#: First words of the V2 encoding, plain and compressed (HdrHistogram, AbstractHistogram.java).
COOKIE, COMPRESSED_COOKIE = 0x1C849303, 0x1C849304


class Hello(BaseHTTPRequestHandler):
    """Says hello; under /broken it says that it cannot."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    begun = threading.Event()

    def do_GET(self) -> None:
        """Answer."""
        self.begun.set()
        self.send_response(500 if self.path == "/broken" else 200)
        self.send_header("Content-Length", "5")
        self.end_headers()
        self.wfile.write(b"hello")

    def log_message(self, *_: object) -> None:
        """Say nothing."""


class Server(ThreadingHTTPServer):
    """Does not mind that its clients leave in the middle."""

    def handle_error(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def server() -> Iterator[str]:
    """Give the address of a server that answers."""
    Hello.begun.clear()
    with Server(("127.0.0.1", 0), Hello) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.fixture
def closed() -> Iterator[str]:
    """Give an address that refuses."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{taken.getsockname()[1]}"


def load(*arguments: str) -> subprocess.CompletedProcess[str]:
    words = command("load", *arguments)
    return subprocess.run(words, capture_output=True, check=False, text=True, timeout=30)


def measured(*arguments: str) -> Any:  # noqa: ANN401 - an object, or a list of them for a ramp
    """Load, expect success, and give the document."""
    done = load(*arguments, *SHORT, "--json")
    assert (done.returncode, done.stderr) == (0, "")
    return json.loads(done.stdout)


def check_document(document: dict[str, Any], name: str) -> None:
    """Look whether a measurement is complete and agrees with itself."""
    assert (document["schema"], document["load"]) == ("corrente.load/1", name)
    assert document["completed"] > 0
    assert document["errors"] == {}
    assert document["statuses"] == {"200": document["completed"]}
    rate = document["completed"] / document["window_s"]
    assert document["requests_per_second"] == pytest.approx(rate)
    assert document["window_s"] == pytest.approx(0.4, abs=0.2)
    assert document["bytes_received"] > 5 * document["completed"]
    latency = document["latency"]
    order = [latency[f"{name}_ms"] for name in ("min", "p50", "p75", "p90", "p95", "p99", "max")]
    assert order == sorted(order)
    assert 0 < order[0] <= latency["mean_ms"] <= order[-1]
    assert 0 <= document["self_check"]["busy_share"] <= 1
    assert document["self_check"]["saturated"] in (True, False)


def test_the_closed_loop(server: str) -> None:
    document = measured(server, "--users", "2")
    check_document(document, "2 users")
    assert document["unfinished"] <= 2


def test_without_keep_alive(server: str) -> None:
    check_document(measured(server, "--users", "2", "--no-keep-alive"), "2 users")


@pytest.mark.parametrize("more", [(), ("--poisson", "--seed", "5")])
def test_the_open_loop_sends_at_its_rate_whatever_the_server_does(
    server: str, more: tuple[str, ...]
) -> None:
    document = measured(server, "--rate", "100", *more)
    check_document(document, "100/s")
    assert document["completed"] + document["unfinished"] == pytest.approx(40, abs=20)


def test_a_ramp_measures_each_step(server: str, tmp_path: Path) -> None:
    log = tmp_path / "load.hlog"
    steps = measured(server, "--ramp", "1,3", "--hdr-log", str(log))
    assert len(steps) == 2
    for step, name in zip(steps, ("1 users", "3 users"), strict=True):
        check_document(step, name)
    assert len(intervals(log)) == 2


def intervals(log: Path) -> list[list[str]]:
    """Read an HdrHistogram interval log as other tools do."""
    lines = log.read_text(encoding="ascii").splitlines()
    comments = [line for line in lines if line.startswith("#")]
    assert any("StartTime:" in line for line in comments)
    # The legend is optional for readers.
    rows = [line for line in lines if not line.startswith(("#", '"StartTimestamp"'))]
    for row in rows:
        check_histogram(base64.b64decode(row.rpartition(",")[2], validate=True))
    return [row.split(",") for row in rows]


def check_histogram(encoded: bytes) -> None:
    """Look whether a compressed histogram has counts in it."""
    cookie, length = struct.unpack(">II", encoded[:8])
    assert (cookie & ~0xF0, length) == (COMPRESSED_COOKIE & ~0xF0, len(encoded) - 8)
    plain = zlib.decompress(encoded[8:])
    assert struct.unpack(">I", plain[:4])[0] & ~0xF0 == COOKIE & ~0xF0
    assert any(plain[40:])


def test_the_files_for_other_tools(server: str, tmp_path: Path) -> None:
    log, text = tmp_path / "load.hlog", tmp_path / "load.hgrm"
    files = ("--hdr-log", str(log), "--hgrm", str(text))
    document = measured(server, "--users", "2", *files)
    [[_, seconds, longest, _]] = intervals(log)
    assert float(seconds) == pytest.approx(document["window_s"], abs=0.01)
    assert float(longest) == pytest.approx(document["latency"]["max_ms"], rel=0.01)
    check_percentiles(text.read_text(encoding="ascii"), document["completed"])


def check_percentiles(text: str, completed: int) -> None:
    """Read a percentile distribution as HdrHistogram's plotter does."""
    lines = [line for line in text.splitlines() if line.strip()]
    assert lines[0].split() == ["Value", "Percentile", "TotalCount", "1/(1-Percentile)"]
    rows = [line.split() for line in lines[1:] if not line.startswith("#")]
    for column in (0, 1, 2):
        values = [float(row[column]) for row in rows]
        assert values == sorted(values)
    assert (float(rows[-1][1]), int(rows[-1][2])) == (1, completed)
    assert [line.split()[0] for line in lines if line.startswith("#")] == [
        "#[Mean",
        "#[Max",
        "#[Buckets",
    ]


def test_what_people_read_fits_a_terminal(server: str) -> None:
    done = load(server, "--users", "2", *SHORT)
    assert (done.returncode, done.stderr) == (0, "")
    assert "2 users" in done.stdout
    assert "P99" in done.stdout
    assert [line for line in done.stdout.splitlines() if len(line) > 80] == []


def test_answers_that_say_no_are_errors(server: str) -> None:
    done = load(f"{server}/broken", "--users", "2", *SHORT, "--json")
    document = json.loads(done.stdout)
    assert document["completed"] == 0
    assert document["errors"] == {"status": document["statuses"]["500"]}
    assert done.returncode == 1


def test_a_server_that_is_not_there_is_an_error(closed: str) -> None:
    done = load(closed, "--users", "2", *SHORT, "--json")
    document = json.loads(done.stdout)
    assert (document["completed"], document["latency"]) == (0, None)
    assert list(document["errors"]) == ["connect"]
    assert done.returncode == 1


def test_ctrl_c_shows_what_was_measured_and_exits_with_130(server: str) -> None:
    words = command("load", server, "--users", "1", "--seconds", "60", "--warm-up", "0", "--json")
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as run:
        wait_for(Hello.begun.is_set, "the first request")
        run.send_signal(signal.SIGINT)
        output, errors = run.communicate(timeout=10)
    assert json.loads(output)["window_s"] < 50
    assert (run.returncode, errors) == (130, b"")


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("https://127.0.0.1/",), "expected http://, found https://"),
        (("nonsense",), "nonsense"),
        (("http://",), "http://"),
        (("http://127.0.0.1:99999/",), "99999"),
        (("http://user@127.0.0.1/",), "user"),
        (("ftp://127.0.0.1/",), "ftp"),
        (("http://127.0.0.1:1/", "--users", "0"), "users"),
        (("http://127.0.0.1:1/", "--rate", "0"), "rate"),
        (("http://127.0.0.1:1/", "--rate", "-1"), "-1"),
        (("http://127.0.0.1:1/", "--seconds", "nan"), "NaN"),
        (("http://127.0.0.1:1/", "--seconds", "0"), "duration"),
        (("http://127.0.0.1:1/", "--ramp", "1,x"), "--ramp"),
        (("http://127.0.0.1:1/", "--method", "BREW"), "BREW"),
        (("http://127.0.0.1:1/", "--header", "nocolon"), "nocolon"),
        (("http://127.0.0.1:1/", "--header", "Host: other"), "header"),
        (("http://127.0.0.1:1/", "--cpus", "1023"), "CPU 1023"),
        (("http://127.0.0.1:1/", "--threads", "0"), "threads"),
        (("tcp://127.0.0.1:1", "--rate", "5"), "--rate"),
        (("ws://127.0.0.1:1/", "--rate", "5"), "--rate"),
        (("ws://127.0.0.1:1/", "--compression", "gzip"), "gzip"),
        (("--frobnicate",), "--frobnicate"),
    ],
)
def test_what_cannot_be_loaded_is_one_line_and_exit_code_2(
    arguments: tuple[str, ...], expected: str
) -> None:
    done = load(*arguments)
    assert (done.returncode, done.stdout) == (2, "")
    [line] = done.stderr.splitlines()
    assert expected in line


@pytest.mark.parametrize("flag", ["--hdr-log", "--hgrm"])
def test_a_full_disk_is_one_line_and_exit_code_3(server: str, flag: str) -> None:
    done = load(server, "--users", "1", *SHORT, flag, "/dev/full")
    assert done.returncode == 3
    [line] = done.stderr.splitlines()
    assert line == "corrente: /dev/full: No space left on device (os error 28)"
