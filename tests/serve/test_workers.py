"""`corrente serve` as it is used: workers that serve, are replaced, and stop; and what is said."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from corrente._crew import Crew

from .commands import APPLICATION, LIMIT_S, Command, asked, program

if TYPE_CHECKING:
    from .serving import Foreign


@pytest.mark.parametrize(("target", "answer"), [("shop:app", r"\d+"), ("shop:wsgi", "wsgi /a")])
def test_an_application_is_served_until_it_is_told_to_stop(
    tmp_path: Path, target: str, answer: str
) -> None:
    with Command(tmp_path, target) as command:
        url = command.url()
        assert re.fullmatch(answer, asked(f"{url}/a"))
        command.process.send_signal(signal.SIGTERM)
        assert command.process.wait(LIMIT_S) == 0


def test_workers_are_replaced(tmp_path: Path) -> None:
    with Command(tmp_path, "shop:app", "--workers", "1") as command:
        url = command.url()
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


SETTING = program("""
await send({"type": "http.response.start", "status": 200, "headers": []})
await send({"type": "http.response.body", "body": scope["root_path"].encode()})
""")


def test_a_reload_reads_the_settings_again(tmp_path: Path) -> None:
    file = tmp_path / "corrente.toml"

    def write(*lines: str) -> None:
        file.write_text("\n".join(["[serve]", *lines]), encoding="utf-8")

    write('root-path = "/one"', 'log-level = "info"')
    with Command(tmp_path, "shop:app", text=SETTING) as command:
        url = command.url()
        assert asked(url) == "/one"
        write('root-path = "/two"', "workers = 2", 'pid-file = "late"')
        command.process.send_signal(signal.SIGHUP)
        command.says("changed settings: root-path, workers")
        command.says("take effect when the server is started anew: pid-file")
        command.says("worker 3 is ready")
        # The old one answers what it had accepted, and goes.
        assert "/two" in iter(lambda: asked(url), "")
        assert not (tmp_path / "late").exists()
        for wrong in ("workers = 0", "no TOML"):
            write(wrong)
            command.process.send_signal(signal.SIGHUP)
            command.says(r"the settings stay as they are, and all workers, too: corrente\.toml")
        file.unlink()
        command.process.send_signal(signal.SIGHUP)
        command.says(r"stay as they are, .*: corrente\.toml: has no settings any more")
        assert "/two" in iter(lambda: asked(url), "")
        write('log-level = "warning"', "workers = 1")
        command.process.send_signal(signal.SIGHUP)
        while asked(url):
            pass
        command.stop()
        assert "is ready" not in command.rest()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_stop_that_reaches_all_processes_loses_no_request(
    tmp_path: Path, number: signal.Signals
) -> None:
    # Ctrl-C in a terminal; systemd where a unit does not say `KillMode=mixed`, dumb-init.
    os.mkfifo(tmp_path / "gate")
    with Command(tmp_path, "shop:app") as command:
        url = command.url()
        with urllib.request.urlopen(f"{url}/held", timeout=LIMIT_S) as answer:  # noqa: S310
            assert answer.read(5) == b"held "
            os.killpg(command.process.pid, number)
            command.says("stopping")
            (tmp_path / "gate").write_bytes(b"")
            assert answer.read().isdigit()
        assert command.process.wait(LIMIT_S) == 0


def test_a_worker_is_stopped_once() -> None:
    told: list[str] = []
    nobody: Foreign = None

    async def stopped_twice() -> None:
        crew = Crew(nobody, 1)
        crew.stoppable(lambda: told.append("in time"))
        crew.stop()
        crew.stop()
        crew.stoppable(lambda: told.append("late"))
        await asyncio.sleep(0)

    asyncio.run(stopped_twice())
    assert told == ["late", "in time"]


def test_a_worker_that_is_told_once_more_while_it_ends(tmp_path: Path) -> None:
    # It was killed, with what waited for its end: the last lines of its log among them.
    late = """
import atexit, signal
def late():
    os.kill(os.getpid(), signal.SIGTERM)
    Path("ended").touch()
atexit.register(late)
"""
    with Command(tmp_path, "shop:app", text=APPLICATION + late) as command:
        command.url()
        os.kill(command.process.pid, signal.SIGTERM)
        assert command.process.wait(LIMIT_S) == 0
    assert (tmp_path / "ended").exists()


def test_a_reload_that_reaches_all_processes_loses_no_request(tmp_path: Path) -> None:
    # `systemctl kill --signal HUP`, a hangup: it ended workers at once, and what they had begun.
    os.mkfifo(tmp_path / "gate")
    with Command(tmp_path, "shop:app") as command:
        url = command.url()
        with urllib.request.urlopen(f"{url}/held", timeout=LIMIT_S) as answer:  # noqa: S310
            assert answer.read(5) == b"held "
            os.killpg(command.process.pid, signal.SIGHUP)
            command.says("worker 2 is ready")
            (tmp_path / "gate").write_bytes(b"")
            assert answer.read().isdigit()
        command.stop()


def test_it_stops_when_its_terminal_goes(tmp_path: Path) -> None:
    (tmp_path / "shop.py").write_text(APPLICATION, encoding="utf-8")
    script = str(Path(sys.executable).with_name("corrente"))
    ours, theirs = os.openpty()
    command = [script, "serve", "shop:app", "--bind", "127.0.0.1:0"]
    process = subprocess.Popen(command, cwd=tmp_path, stderr=theirs, start_new_session=True)
    os.close(theirs)
    try:
        heard = b""
        while b"worker 1 is ready" not in heard:
            heard += os.read(ours, 4096)
        # As long as the terminal is there, it is an operator's.
        process.send_signal(signal.SIGHUP)
        while b"worker 2 is ready" not in heard:
            heard += os.read(ours, 4096)
        os.close(ours)
        os.killpg(process.pid, signal.SIGHUP)
        assert process.wait(LIMIT_S) == 0
    finally:
        process.kill()
        process.wait(LIMIT_S)


@pytest.mark.parametrize(
    ("target", "text"),
    [
        ("shop:nothing", "'shop' has no 'nothing'"),
        ("nowhere:app", "there is no module 'nowhere' in /"),
        ("shop:APPLICATION", "'shop' has no 'APPLICATION'"),
    ],
)
def test_what_cannot_be_served_ends_with_one_line(tmp_path: Path, target: str, text: str) -> None:
    with Command(tmp_path, target) as command:
        command.says(text)
        assert command.process.wait(LIMIT_S) == 1


@pytest.mark.parametrize(
    ("text", "own"),
    [
        ("import nothing_of_this", "ModuleNotFoundError: No module named 'nothing_of_this'"),
        ("def app():\n    pass\n\nraise LookupError('lost')", "LookupError: lost"),
        ("def app(:\n    pass", "SyntaxError: "),
        ("raise SystemExit(3)", "SystemExit: 3"),
    ],
)
def test_a_module_that_does_not_import_shows_its_own_error_first(
    tmp_path: Path, text: str, own: str
) -> None:
    with Command(tmp_path, "shop:app", text=text) as command:
        heard = command.rest()
        assert command.process.wait(LIMIT_S) == 1
    lines = heard.splitlines()
    first = next(number for number, line in enumerate(lines) if line.startswith(own))
    last = next(number for number, line in enumerate(lines) if "shop cannot be imported" in line)
    assert first < last, heard
    assert own.partition(":")[0] in lines[last]
    # Where it is theirs, and nothing of ours.
    assert "shop.py" in heard
    assert "_worker.py" not in heard


RAISING = """
async def app(scope, receive, send):
    if scope["type"] == "lifespan":
        await receive()
        raise LookupError("lost")
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"served"})
"""


def test_a_lifespan_that_raises_is_done_without_unless_it_has_to_be(tmp_path: Path) -> None:
    with Command(tmp_path, "shop:app", text=RAISING) as command:
        url = command.says(r"http://\S+:\d+")[0].rstrip(",")
        command.says("lifespan raised an exception; it is served without")
        command.says("worker 1 is ready")
        assert asked(url) == "served"
        command.stop()
    with Command(tmp_path, "shop:app", "--lifespan", "on", text=RAISING) as command:
        command.says(r"the application raised LookupError\('lost'\), and it has to have one")
        assert command.process.wait(LIMIT_S) == 1
