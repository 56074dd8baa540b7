"""`corrente serve` as it is used: workers that serve, are replaced, and stop; and what is said."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING, Self

import pytest

if TYPE_CHECKING:
    from types import TracebackType

LIMIT_S = 60.0

APPLICATION = """
import asyncio, os
from pathlib import Path

async def app(scope, receive, send):
    if scope["type"] != "http":
        raise NotImplementedError
    await send({"type": "http.response.start", "status": 200, "headers": []})
    if scope["path"] == "/held":
        await send({"type": "http.response.body", "body": b"held ", "more_body": True})
        await asyncio.to_thread(Path("gate").read_bytes)
    await send({"type": "http.response.body", "body": str(os.getpid()).encode()})

def wsgi(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"wsgi ", environ["PATH_INFO"].encode()]
"""


class Command:
    """A `corrente serve` that runs, and what it says."""

    def __init__(self, folder: Path, *words: str) -> None:
        (folder / "shop.py").write_text(APPLICATION, encoding="utf-8")
        script = Path(sys.executable).with_name("corrente")
        self.process = subprocess.Popen(
            [str(script), "serve", *words, "--bind", "127.0.0.1:0"],
            cwd=folder,
            stderr=subprocess.PIPE,
            text=True,
            # A group of its own, as a terminal gives a command.
            start_new_session=True,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self.process.kill()
        self.process.wait(LIMIT_S)
        assert self.process.stderr is not None
        self.process.stderr.close()

    def says(self, pattern: str) -> re.Match[str]:
        """Wait until it says this."""
        assert self.process.stderr is not None
        heard = []
        for line in self.process.stderr:
            heard.append(line)
            if found := re.search(pattern, line):
                return found
        raise AssertionError(f"it never said {pattern!r}, but {heard}")


def asked(url: str) -> str:
    """Give the answer to a request on a connection of its own."""
    with urllib.request.urlopen(url, timeout=LIMIT_S) as answer:  # noqa: S310
        text: str = answer.read().decode()
        return text


@pytest.mark.parametrize(("target", "answer"), [("shop:app", r"\d+"), ("shop:wsgi", "wsgi /a")])
def test_an_application_is_served_until_it_is_told_to_stop(
    tmp_path: Path, target: str, answer: str
) -> None:
    with Command(tmp_path, target) as command:
        url = command.says(r"http://\S+:\d+")[0].rstrip(",")
        command.says("worker 1 is ready")
        assert re.fullmatch(answer, asked(f"{url}/a"))
        command.process.send_signal(signal.SIGTERM)
        assert command.process.wait(LIMIT_S) == 0


def test_workers_are_replaced(tmp_path: Path) -> None:
    with Command(tmp_path, "shop:app", "--workers", "1") as command:
        url = command.says(r"http://\S+:\d+")[0].rstrip(",")
        command.says("worker 1 is ready")
        first = asked(url)
        command.process.send_signal(signal.SIGHUP)
        command.says("worker 2 is ready")
        # The old one answers what it had accepted, and goes.
        second = next(pid for pid in iter(lambda: asked(url), "") if pid != first)
        os.kill(int(second), signal.SIGKILL)
        command.says("worker 3 is ready")
        assert asked(url) not in (first, second)
        command.process.send_signal(signal.SIGINT)
        assert command.process.wait(LIMIT_S) == 0


def test_ctrl_c_in_a_terminal_loses_no_request(tmp_path: Path) -> None:
    # The terminal's signal reaches parent and worker alike.
    os.mkfifo(tmp_path / "gate")
    with Command(tmp_path, "shop:app") as command:
        url = command.says(r"http://\S+:\d+")[0].rstrip(",")
        command.says("worker 1 is ready")
        with urllib.request.urlopen(f"{url}/held", timeout=LIMIT_S) as answer:  # noqa: S310
            assert answer.read(5) == b"held "
            os.killpg(command.process.pid, signal.SIGINT)
            command.says("stopping")
            (tmp_path / "gate").write_bytes(b"")
            assert answer.read().isdigit()
        assert command.process.wait(LIMIT_S) == 0


@pytest.mark.parametrize(
    ("target", "text"),
    [
        ("shop:nothing", "'shop' has no 'nothing'"),
        ("nowhere:app", "there is no module 'nowhere'"),
        ("shop:APPLICATION", "'shop' has no 'APPLICATION'"),
    ],
)
def test_what_cannot_be_served_ends_with_one_line(tmp_path: Path, target: str, text: str) -> None:
    with Command(tmp_path, target) as command:
        command.says(text)
        assert command.process.wait(LIMIT_S) == 1
