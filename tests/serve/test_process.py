"""`corrente.serve()` as a program: lifespan, signals, addresses, an end that loses nothing."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from .wire import LIMIT_S, Client, request

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PROGRAM = Path(__file__).with_name("program.py")


class Program:
    """A process that serves."""

    def __init__(self, name: str, bind: str, *settings: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, str(PROGRAM), name, bind, *settings],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def said(self, text: str) -> None:
        """Wait until it says this, and nothing else before it."""
        assert self.process.stdout is not None
        line = self.process.stdout.readline().rstrip("\n")
        assert line == text, f"expected {text!r}, found {line!r}\n{self._errors(line)}"

    def _errors(self, line: str) -> str:
        if line or self.process.stderr is None:
            return ""
        return self.process.stderr.read()

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal."""
        self.process.send_signal(number)

    def ended(self) -> tuple[int, str]:
        """Wait until it has ended; give its exit code and what it complained of."""
        _, errors = self.process.communicate(timeout=LIMIT_S)
        return self.process.returncode, errors


@pytest.fixture
def port() -> int:
    """Give a port that nobody listens on."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        number: int = free.getsockname()[1]
        return number


@pytest.fixture
def start(port: int) -> Iterator[Callable[..., Program]]:
    """Give what starts a program; it is killed where it has not ended."""
    started: list[Program] = []

    def begin(name: str, *settings: str, bind: str = f"127.0.0.1:{port}") -> Program:
        program = Program(name, bind, *settings)
        started.append(program)
        return program

    yield begin
    for program in started:
        program.process.kill()
        program.process.communicate()


def connect(program: Program, port: int) -> Client:
    """Connect as soon as it listens."""
    while True:
        assert program.process.poll() is None, program.ended()
        try:
            return Client(("127.0.0.1", port))
        except ConnectionRefusedError:
            continue


def ask_locally(program: Program, path: Path) -> None:
    """Ask for something over a Unix socket, as soon as there is one."""
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(LIMIT_S)
        while client.connect_ex(str(path)):
            assert program.process.poll() is None
        client.sendall(request("/a", "Connection: close"))
        answer = b""
        while data := client.recv(65536):
            answer += data
    assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
    program.said("request /a")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_serves_until_a_signal(
    start: Callable[..., Program], port: int, number: signal.Signals
) -> None:
    program = start("plain")
    program.said("lifespan.startup")
    with connect(program, port) as client:
        assert client.get("/a").body == b'{"database": "open"}'
        program.said("request /a")
        program.signal(number)
        program.said("lifespan.shutdown")
        assert client.is_ended()
    program.said("ended")
    assert program.ended() == (0, "")


def test_a_request_that_is_going_on_is_answered(start: Callable[..., Program], port: int) -> None:
    program = start("plain")
    program.said("lifespan.startup")
    with connect(program, port) as client:
        client.send(request("/slow"))
        program.said("request /slow")
        program.signal(signal.SIGTERM)
        response = client.response()
        assert response.status == 200
        assert response.header("connection") == "close"
        assert client.is_ended()
    assert program.ended()[0] == 0


def test_a_connection_that_is_there_may_still_ask(start: Callable[..., Program], port: int) -> None:
    """A client cannot know that its first request on a connection comes too late."""
    program = start("plain")
    program.said("lifespan.startup")
    with connect(program, port) as client, connect(program, port) as new:
        client.send(request("/slow"))
        program.said("request /slow")
        program.signal(signal.SIGTERM)
        assert client.response().status == 200
        new.send(request("/new"))
        response = new.response()
        assert response.status == 200
        assert response.header("connection") == "close"
    assert program.ended()[0] == 0


def test_no_request_is_lost_when_it_stops_under_load(
    start: Callable[..., Program], port: int
) -> None:
    """What was accepted is answered; a connection that ends has not begun to answer."""
    program = start("plain")
    program.said("lifespan.startup")
    clients = [connect(program, port) for _ in range(50)]
    answered = 0
    for client in clients:
        client.send(request("/a") * 20)
    program.signal(signal.SIGTERM)
    for client in clients:
        wire = client.rest()
        assert wire.count(b"HTTP/1.1 200 OK") == wire.count(b'{"database": "open"}')
        assert wire == b"" or wire.endswith(b'{"database": "open"}')
        answered += wire.count(b"HTTP/1.1 200 OK")
        client.socket.close()
    assert answered
    program.process.communicate(timeout=LIMIT_S)
    assert program.process.returncode == 0


def test_who_takes_too_long_is_cut(start: Callable[..., Program], port: int) -> None:
    program = start("plain", "graceful_timeout=0.05")
    program.said("lifespan.startup")
    with connect(program, port) as client:
        client.send(request("/endless"))
        program.said("request /endless")
        program.signal(signal.SIGTERM)
        assert client.is_ended()
    code, errors = program.ended()
    assert code == 0
    assert "1 connections were cut after 0.0" in errors


def test_a_second_signal_ends_it_at_once(start: Callable[..., Program], port: int) -> None:
    program = start("plain", "graceful_timeout=1000")
    program.said("lifespan.startup")
    with connect(program, port) as client, connect(program, port) as other:
        client.send(request("/endless"))
        program.said("request /endless")
        other.get()
        program.said("request /")
        program.signal(signal.SIGINT)
        # Its connection ends when the signal has come.
        assert other.is_ended()
        program.signal(signal.SIGINT)
        assert client.is_ended()
    program.said("lifespan.shutdown")
    assert program.ended()[0] == 0


def test_a_lifespan_that_never_ends_is_not_waited_for(
    start: Callable[..., Program], port: int
) -> None:
    program = start("endless", "graceful_timeout=0.1")
    connect(program, port).socket.close()
    program.signal(signal.SIGTERM)
    program.said("lifespan.shutdown")
    code, errors = program.ended()
    assert code == 0
    assert "lifespan" in errors


def test_an_application_that_cannot_begin(start: Callable[..., Program]) -> None:
    program = start("failing")
    program.said("lifespan.startup")
    code, errors = program.ended()
    assert code == 1
    assert "no database" in errors.splitlines()[-1]


def test_an_application_that_cannot_end(start: Callable[..., Program], port: int) -> None:
    program = start("failing_late")
    program.said("lifespan.startup")
    connect(program, port).socket.close()
    program.signal(signal.SIGTERM)
    program.said("lifespan.shutdown")
    code, errors = program.ended()
    assert code == 1
    assert "no database" in errors.splitlines()[-1]


@pytest.mark.parametrize("name", ["without", "returning"])
def test_an_application_without_lifespan(
    start: Callable[..., Program], port: int, name: str
) -> None:
    program = start(name)
    with connect(program, port) as client:
        assert client.get().body == b"{}"
        program.said("request /")
        program.signal(signal.SIGTERM)
    program.said("ended")
    assert program.ended() == (0, "")


def test_a_wsgi_application(start: Callable[..., Program], port: int) -> None:
    program = start("wsgi")
    with connect(program, port) as client:
        assert client.get().body == b"wsgi"
        program.signal(signal.SIGINT)
        assert client.is_ended()
    program.said("ended")
    assert program.ended() == (0, "")


def test_static_files(start: Callable[..., Program], port: int, tmp_path: Path) -> None:
    (tmp_path / "page.html").write_text("<p>", encoding="utf-8")
    program = start("wsgi", f'static={{"/files": "{tmp_path}"}}', "static_max_age=60")
    with connect(program, port) as client:
        response = client.get("/files/page.html")
        assert response.body == b"<p>"
        assert response.header("cache-control") == "max-age=60"
        assert client.get().body == b"wsgi"
        program.signal(signal.SIGINT)
    program.said("ended")
    assert program.ended() == (0, "")


def test_static_files_that_are_nowhere(start: Callable[..., Program], tmp_path: Path) -> None:
    code, errors = start("wsgi", f'static={{"/files": "{tmp_path}/missing"}}').ended()
    assert code == 1
    last = errors.splitlines()[-1]
    text = "the folder of /files (static): No such file or directory"
    assert last == f"FileNotFoundError: [Errno 2] {text}: '{tmp_path}/missing'"


def test_an_address_that_is_in_use(start: Callable[..., Program], port: int) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", port))
        other.listen()
        code, errors = start("plain").ended()
    assert code == 1
    last = errors.splitlines()[-1]
    assert last.startswith("OSError: [Errno 98] ")
    assert f"127.0.0.1:{port} is in use by process " in last


def test_an_address_that_is_taken_while_the_application_begins(
    start: Callable[..., Program], port: int
) -> None:
    """Two may have an address, and one may listen there: what has begun is told to end."""
    program = start("taken")
    program.said("lifespan.startup")
    program.said("lifespan.shutdown")
    code, errors = program.ended()
    assert code == 1
    text = f"OSError: [Errno 98] cannot listen on 127.0.0.1:{port}: Address already in use"
    assert errors.splitlines()[-1] == text


@pytest.mark.parametrize("bind", ["nonsense", "127.0.0.1:", "127.0.0.1:99999", "host:port"])
def test_an_address_that_is_none(start: Callable[..., Program], bind: str) -> None:
    code, errors = start("plain", bind=bind).ended()
    assert code == 1
    assert errors.splitlines()[-1] == f"ValueError: expected HOST:PORT or unix:PATH, found {bind!r}"


def test_a_unix_socket_that_a_killed_server_has_left(
    start: Callable[..., Program], here: Path
) -> None:
    path = here / "socket"
    for number in (signal.SIGKILL, signal.SIGTERM):
        program = start("plain", bind=f"unix:{path}")
        program.said("lifespan.startup")
        ask_locally(program, path)
        program.signal(number)
        program.process.wait(LIMIT_S)
    assert not path.exists()


def test_a_setting_that_is_none_is_told_before_the_application_begins(
    start: Callable[..., Program],
) -> None:
    program = start("plain", "head_timout=1")
    code, errors = program.ended()
    assert code == 1
    assert "head_timout" in errors.splitlines()[-1]


def test_a_unix_socket(start: Callable[..., Program], here: Path) -> None:
    path = here / "socket"
    program = start("plain", bind=f"unix:{path}")
    program.said("lifespan.startup")
    ask_locally(program, path)
    program.signal(signal.SIGTERM)
    program.said("lifespan.shutdown")
    program.said("ended")
    assert program.ended() == (0, "")
