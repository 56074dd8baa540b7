"""`corrente serve --workers-as threads`: several loops in one process, which is one worker."""

from __future__ import annotations

import json
import os
import re
import signal
import urllib.request
from typing import TYPE_CHECKING

import pytest

from corrente._crew import lock

from .commands import LIMIT_S, Command, asked

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

free = pytest.mark.skipif(lock() is not None, reason=f"this Python has {lock()}")

#: Threads of a worker.
SIZE = 3

APPLICATION = """
import asyncio, json, os, threading
from pathlib import Path

begun = []

def make():
    made = threading.Lock()

    async def app(scope, receive, send):
        here = {
            "process": os.getpid(),
            "thread": threading.current_thread().name,
            "loop": id(asyncio.get_running_loop()),
            "application": id(made),
        }
        if scope["type"] == "lifespan":
            await receive()
            begun.append(here["thread"])
            scope["state"]["loop"] = here["loop"]
            await send({"type": "lifespan.startup.complete"})
            await receive()
            await send({"type": "lifespan.shutdown.complete"})
            return
        assert scope["state"]["loop"] == here["loop"]
        await send({"type": "http.response.start", "status": 200, "headers": []})
        if scope["path"] == "/held":
            await send({"type": "http.response.body", "body": b"held ", "more_body": True})
            while not Path("gate").exists():
                await asyncio.sleep(0.01)
        here["begun"] = begun
        await send({"type": "http.response.body", "body": json.dumps(here).encode()})

    return app

app = make()

def wsgi(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [threading.current_thread().name.encode()]
"""

FAILING = """
import threading

async def app(scope, receive, send):
    await receive()
    if threading.current_thread().name == "worker 2":
        await send({"type": "lifespan.startup.failed", "message": "no database"})
    else:
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await send({"type": "lifespan.shutdown.complete"})
"""

HANGING = """
import asyncio, time

async def app(scope, receive, send):
    assert scope["type"] == "http"
    # Whoever has not yet given a sign of life is not missed.
    await asyncio.sleep(2)
    time.sleep(1000)
"""

MEMBERS = {"MainThread", *(f"worker {number}" for number in range(2, SIZE + 1))}


class Threads(Command):
    """A `corrente serve` whose workers are threads."""

    def __init__(self, folder: Path, *words: str, text: str = APPLICATION) -> None:
        given = ("--workers", str(SIZE), "--workers-as", "threads")
        super().__init__(folder, *given, *words, text=text)

    def url(self, worker: int = 1) -> str:
        """Give where it listens, as soon as this worker serves."""
        found = self.says(r"(http://\S+:\d+), (\d+) workers as threads")
        assert found[2] == str(SIZE)
        self.says(f"worker {worker} is ready")
        return found[1]


def until_all(url: str, seen: str, expected: Iterable[str] = MEMBERS) -> list[dict[str, str]]:
    """Ask until as many different answers have come as there are threads."""
    answers: dict[str, dict[str, str]] = {}
    wanted = len(set(expected))
    for _ in range(10_000):
        answer = json.loads(asked(url))
        answers[answer[seen]] = answer
        if len(answers) == wanted:
            return list(answers.values())
    raise AssertionError(f"expected {wanted} different {seen}, found {list(answers)}")


@pytest.mark.skipif(lock() is None, reason="this Python has no GIL")
def test_with_a_gil_it_is_refused_in_one_line(tmp_path: Path) -> None:
    with Command(tmp_path, "shop:app", "--workers-as", "threads") as command:
        command.says(
            "--workers-as threads: expected a free-threaded Python, found one with a GIL;"
            " use one .*, or --workers-as processes"
        )
        assert command.process.wait(LIMIT_S) == 1


@free
def test_with_its_gil_switched_on_it_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHON_GIL", "1")
    with Command(tmp_path, "shop:app", "--workers-as", "threads") as command:
        command.says("found one with its GIL switched on")
        assert command.process.wait(LIMIT_S) == 1


@free
def test_all_threads_of_one_process_answer(tmp_path: Path) -> None:
    with Threads(tmp_path, "shop:app") as command:
        answers = until_all(command.url(), "thread")
        assert {answer["thread"] for answer in answers} == MEMBERS
        assert len({answer["process"] for answer in answers}) == 1
        assert len({answer["loop"] for answer in answers}) == SIZE
        assert len({answer["application"] for answer in answers}) == 1
        assert set(answers[-1]["begun"]) == MEMBERS
        command.stop()


@free
def test_a_factory_makes_an_application_for_each(tmp_path: Path) -> None:
    with Threads(tmp_path, "shop:make", "--factory") as command:
        answers = until_all(command.url(), "thread")
        assert len({answer["application"] for answer in answers}) == SIZE
        command.stop()


@free
def test_wsgi_runs_in_the_loops_threads(tmp_path: Path) -> None:
    with Threads(tmp_path, "shop:wsgi") as command:
        url = command.url()
        seen = set[str]()
        while seen != MEMBERS:
            seen.add(asked(url))
        command.stop()


@free
def test_a_stop_waits_for_every_threads_requests(tmp_path: Path) -> None:
    with Threads(tmp_path, "shop:app") as command:
        url = command.url()
        held = [urllib.request.urlopen(f"{url}/held", timeout=LIMIT_S) for _ in range(9)]  # noqa: S310
        for answer in held:
            assert answer.read(5) == b"held "
        command.process.send_signal(signal.SIGTERM)
        command.says("stopping")
        (tmp_path / "gate").touch()
        for answer in held:
            assert json.loads(answer.read())["thread"] in MEMBERS
        assert command.process.wait(LIMIT_S) == 0
        for answer in held:
            answer.close()


@free
def test_a_reload_replaces_the_process(tmp_path: Path) -> None:
    with Threads(tmp_path, "shop:app") as command:
        url = command.url()
        first = json.loads(asked(url))["process"]
        command.process.send_signal(signal.SIGHUP)
        command.says("worker 2 is ready")
        processes = (json.loads(asked(url))["process"] for _ in range(10_000))
        second = next(process for process in processes if process != first)
        os.kill(second, signal.SIGKILL)
        command.says("worker 3 is ready")
        assert json.loads(asked(url))["process"] not in (first, second)
        command.stop()


@free
def test_their_requests_are_counted_together(tmp_path: Path) -> None:
    with Threads(
        tmp_path, "shop:app", "--max-requests", "30", "--metrics-path", "/metrics"
    ) as command:
        url = command.url()
        for _ in range(20):
            asked(url)
        pattern = re.compile(r'corrente_requests_total\{worker="(\d+)",class="2xx"\} (\d+)')
        counts: dict[str, int] = {}
        # What others have counted is a second old at most.
        while sum(counts.values()) < 20:
            counts = {one: int(count) for one, count in pattern.findall(asked(f"{url}/metrics"))}
        assert set(counts) <= {str(place) for place in range(SIZE)}
        for _ in range(10):
            asked(url)
        command.says(r"it has answered \d\d+ requests")
        command.says("worker 2 is ready")
        command.stop()


@free
def test_one_that_cannot_begin_ends_all(tmp_path: Path) -> None:
    with Threads(tmp_path, "shop:app", text=FAILING) as command:
        command.says("the application failed at lifespan.startup: no database")
        assert command.process.wait(LIMIT_S) == 1


@free
def test_one_loop_that_hangs_is_found(tmp_path: Path) -> None:
    with Threads(tmp_path, "shop:app", "--hang-timeout", "3s", text=HANGING) as command:
        url = command.url()
        with pytest.raises(OSError, match=r"Remote end closed|reset"):
            urllib.request.urlopen(url, timeout=LIMIT_S)  # noqa: S310
        command.says("the event loop of worker 1 has not turned for 3 s")
        command.says("worker 2 is ready")


@free
def test_the_extension_leaves_the_gil_off() -> None:
    from corrente import _loop, _worker

    assert _loop is not None
    assert _worker is not None
    assert lock() is None
