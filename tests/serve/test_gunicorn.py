"""Gunicorn with our worker class, as a program: it serves, ends in peace, and replaces workers."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from corrente.gunicorn import Worker

from .wire import LIMIT_S, Client, request

if TYPE_CHECKING:
    from collections.abc import Iterator

FOLDER = Path(__file__).parent

APPLICATIONS = """
import os

async def asgi(scope, receive, send):
    if scope["type"] == "lifespan":
        while (message := await receive())["type"] != "lifespan.shutdown":
            await send({"type": "lifespan.startup.complete"})
        print("shutdown", flush=True)
        return await send({"type": "lifespan.shutdown.complete"})
    if scope["path"] == "/scheme":
        await send({"type": "http.response.start", "status": 200})
        body = f"{scope['scheme']} {scope['client'][0]}"
        return await send({"type": "http.response.body", "body": body.encode()})
    if scope["path"] == "/raise":
        raise ValueError("mine")
    await send({"type": "http.response.start", "status": 200})
    await send({"type": "http.response.body", "body": str(os.getpid()).encode()})

async def failing(scope, receive, send):
    await receive()
    await send({"type": "lifespan.startup.failed", "message": "no database"})

def wsgi(environ, start_response):
    start_response("200 OK", [])
    return [str(os.getpid()).encode(), b" ", str(environ["wsgi.multithread"]).encode()]
"""


class Served:
    """A Gunicorn that serves, and what it has said."""

    def __init__(self, folder: Path, name: str, *options: str) -> None:
        (folder / "shop.py").write_text(APPLICATIONS)
        # Not this test's own folder, whose modules would hide others.
        command = [sys.executable, "-P", "-m", "gunicorn", "--no-control-socket"]
        command += ["-k", "corrente.gunicorn.Worker", "--bind", "127.0.0.1:0", *options]
        self.process = subprocess.Popen(
            [*command, f"shop:{name}"],
            cwd=folder,
            env=dict(os.environ, PYTHONPATH=os.pathsep.join([str(folder), *sys.path[1:]])),
            stderr=subprocess.STDOUT,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.said = ""

    def until(self, pattern: str) -> re.Match[str]:
        """Wait until it has said this."""
        assert self.process.stdout is not None
        while (found := re.search(pattern, self.said)) is None:
            line = self.process.stdout.readline()
            assert line, f"it has ended without {pattern!r}:\n{self.said}"
            self.said += line
        return found

    def client(self) -> Client:
        """Connect to it."""
        port = self.until(r"Listening at: http://127.0.0.1:(\d+)")[1]
        self.until("Booting worker")
        return Client(("127.0.0.1", int(port)))

    def end(self, number: signal.Signals = signal.SIGTERM) -> str:
        """Have it end; give all that it has said."""
        self.process.send_signal(number)
        rest, _ = self.process.communicate(timeout=LIMIT_S)
        return self.said + rest


@contextmanager
def _served(folder: Path, name: str, *options: str) -> Iterator[Served]:
    served = Served(folder, name, *options)
    try:
        yield served
    finally:
        served.process.kill()
        served.process.communicate()


@pytest.mark.parametrize(("name", "told"), [("asgi", ""), ("wsgi", " False")])
def test_it_serves_and_ends_in_peace(tmp_path: Path, name: str, told: str) -> None:
    with _served(tmp_path, name) as served:
        with served.client() as client:
            first = client.get().body.decode()
            assert client.get().body.decode() == first
            assert first.endswith(told)
        said = served.end()
        assert served.process.returncode == 0
    assert ("shutdown" in said) == (name == "asgi")
    assert "Traceback" not in said


def test_it_is_stopped_once() -> None:
    # In a reload Gunicorn tells an old worker every second, which was taken for impatience.
    told: list[str] = []

    async def stopped_twice() -> None:
        loop, are_heard = asyncio.get_running_loop(), asyncio.Event()
        Worker._stoppable(Worker.__new__(Worker), lambda: told.append("stop"))
        loop.add_signal_handler(signal.SIGUSR1, are_heard.set)
        for number in (signal.SIGTERM, signal.SIGTERM, signal.SIGUSR1):
            os.kill(os.getpid(), number)
        await are_heard.wait()

    asyncio.run(stopped_twice())
    assert told == ["stop"]


def test_threads(tmp_path: Path) -> None:
    with _served(tmp_path, "wsgi", "--threads", "2") as served, served.client() as client:
        assert client.get().body.endswith(b" True")


def test_a_worker_that_has_done_its_share_is_replaced(tmp_path: Path) -> None:
    with _served(tmp_path, "asgi", "--max-requests", "3") as served:
        with served.client() as client:
            client.send(request() * 3)
            first = {client.response().body for _ in range(3)}
        served.until(r"goes: 3 requests answered[\s\S]*Booting worker")
        with served.client() as client:
            assert client.get().body not in first


def test_errors_are_in_gunicorns_log(tmp_path: Path) -> None:
    with _served(tmp_path, "asgi") as served:
        with served.client() as client:
            assert client.get("/raise").status == 500
        assert "ValueError: mine" in served.end()


def test_an_application_that_cannot_begin_ends_gunicorn(tmp_path: Path) -> None:
    with _served(tmp_path, "failing") as served:
        served.until("no database")
        served.process.communicate(timeout=LIMIT_S)
        assert served.process.returncode == 3


@pytest.mark.parametrize(
    ("options", "told"),
    [((), b"https 192.0.2.7"), (("--forwarded-allow-ips", "192.0.2.1"), b"http 127.0.0.1")],
)
def test_proxies_are_believed_as_gunicorn_is_told(
    tmp_path: Path, options: tuple[str, ...], told: bytes
) -> None:
    with _served(tmp_path, "asgi", *options) as served, served.client() as client:
        fields = ("X-Forwarded-Proto: https", "X-Forwarded-For: 192.0.2.7")
        assert client.get("/scheme", *fields).body == told


def test_the_proxy_protocol_is_spoken(tmp_path: Path) -> None:
    with _served(tmp_path, "asgi", "--proxy-protocol=auto") as served, served.client() as client:
        client.send(b"PROXY TCP4 192.0.2.9 192.0.2.1 4711 443\r\n")
        assert client.get("/scheme").body == b"http 192.0.2.9"


def test_it_keeps_gunicorns_access_log(tmp_path: Path) -> None:
    log = tmp_path / "access.log"
    options = ("--access-logfile", str(log), "--access-logformat", "%(m)s %(U)s %(s)s %(B)s")
    with _served(tmp_path, "asgi", *options) as served:
        with served.client() as client:
            size = len(client.get("/a?b").body)
        served.end()
    assert log.read_text() == f"GET /a 200 {size}\n"


def test_a_format_that_cannot_be_read_ends_gunicorn(tmp_path: Path) -> None:
    options = ("--access-logfile", "-", "--access-logformat", "%(x)s")
    with _served(tmp_path, "asgi", *options) as served:
        served.until(re.escape("--access-logformat: expected an atom"))
        rest, _ = served.process.communicate(timeout=LIMIT_S)
        assert served.process.returncode == 3
    assert "Traceback" not in served.said + rest
