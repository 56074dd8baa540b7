"""The life of a recording: killed, switched off, watched, forked, and what cannot be told."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import re
import shlex
import signal
import struct
import subprocess
import sys
import termios
from typing import TYPE_CHECKING

import pytest

import processes
from gauge_programs import ASGI, FLASK, STARLETTE, WSGI
from gauge_service import GUNICORN, UVICORN, endpoint
from processes import wait_for
from tiny_lab import command

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from conftest import Corrente
    from gauge_service import Service


def test_a_killed_service_loses_at_most_the_last_second(service: Service) -> None:
    service.write("service.py", WSGI)
    service.start(*GUNICORN, "service:app")
    service.ask("/")
    service.wait_until_recorded()
    (part,) = service.parts()
    server = processes.marked(service.mark) & processes.naming("gunicorn")
    processes.kill(server - {service.process})
    # `gauge run` is told, merges what there is, and says that its command did not end well.
    assert service.wait() == 1
    (kept,) = service.read()["processes"]
    assert kept["pid"] == part["processes"][0]["pid"]
    assert endpoint(service.read(), "GET /")["requests"] == 1
    assert "was ended by signal 9" in service.errors.read_text(encoding="utf-8")


def test_greenlets_are_not_guessed_at(service: Service, corrente: Corrente) -> None:
    service.write("service.py", WSGI)
    service.start(*GUNICORN, "-k", "gevent", "service:app")
    assert service.ask("/") == (200, b"hello")
    wait_for(lambda: "greenlets" in str(service.parts()), "the doubt", details=service.parts)
    # Without figures it is no success, and the recording says why.
    assert service.stop() == 1
    (process,) = service.read()["processes"]
    assert [doubt["code"] for doubt in process["cannot_tell"]] == ["greenlets"]
    assert process["server"]["worker"] == "ggevent"
    assert "gevent runs many requests in one thread" in service.errors.read_text(encoding="utf-8")
    predicted = corrente("gauge", "predict", str(service.out))
    assert (predicted.returncode, predicted.stdout) == (1, "")
    (line,) = predicted.stderr.splitlines()
    assert "gunicorn -k gthread" in line
    assert corrente("gauge", "predict", str(service.out), "--json").stderr == predicted.stderr
    for words in ("report",), ("watch", "--seconds", "0"):
        shown = corrente("gauge", *words, str(service.out), "--lang", "en")
        assert shown.returncode == 0, shown.stderr
        assert "gevent runs many requests in one thread" in shown.stdout, words
        assert "Verdict" not in shown.stdout, words
    figures = json.loads(corrente("gauge", "report", str(service.out), "--json").stdout)
    assert (figures["endpoints"], figures["prediction"]) == ([], None)
    assert [doubt["code"] for doubt in figures["service"]["cannot_tell"]] == ["greenlets"]


def test_workers_that_fork_are_merged(service: Service) -> None:
    service.write("service.py", WSGI)
    service.start(*GUNICORN, "-w", "3", "service:app")

    def all_have_served() -> bool:
        service.ask("/")
        return len(service.parts()) == 3

    wait_for(all_have_served, "three workers", details=service.parts)
    recording = service.recording()
    assert len({process["pid"] for process in recording["processes"]}) == 3
    assert endpoint(recording, "GET /")["requests"] == service.asked


def test_it_can_be_watched_while_it_is_made(service: Service) -> None:
    service.write("service.py", FLASK)
    service.start(*GUNICORN, "service:app")
    service.ask("/users/7")
    service.wait_until_recorded()
    words = command("gauge", "watch", str(service.made), "--lang", "en")
    once = subprocess.run(
        [*words, "--seconds", "0"], capture_output=True, text=True, timeout=30, check=True
    )
    assert re.search(r"GET /users/<int:user>\s+1 ", once.stdout), once.stdout
    with subprocess.Popen(
        [*words, "--json"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as live:
        assert live.stdout is not None
        figures = json.loads(live.stdout.readline())
        assert figures["endpoints"][0]["name"] == "GET /users/<int:user>"
        assert service.stop() == 0
        # It ends with the recording.
        _, said = live.communicate(timeout=30)
    assert (live.returncode, said) == (0, b"The recording has ended.\n")


def resize(terminal: int, columns: int) -> None:
    """Give a terminal so many columns."""
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))


def screens(terminal: int) -> Iterator[list[str]]:
    """Give the lines that a terminal shows, one screen after the other."""
    rest = b""
    while True:
        rest += os.read(terminal, 65_536)
        *whole, rest = rest.split(b"\x1b[H\x1b[J")
        yield from (screen.decode().splitlines() for screen in whole if screen)


def test_watching_fits_the_terminal_as_it_is_now(service: Service) -> None:
    service.write("service.py", FLASK)
    service.start(*GUNICORN, "service:app")
    service.ask("/users/7")
    service.wait_until_recorded()
    ours, its = pty.openpty()
    resize(ours, 120)
    words = command("gauge", "watch", str(service.made), "--lang", "en")
    environment = service.environment | {"NO_COLOR": "1", "TERM": "xterm"}
    with subprocess.Popen(words, env=environment, stdout=its, stderr=its) as live:
        os.close(its)
        # The first line names the folder, however long that is.
        widest = (max(map(len, lines[1:])) for lines in screens(ours))
        wide = next(widest)
        resize(ours, 60)
        # One may have been made before.
        narrow = [next(widest) for _ in range(3)]
        live.kill()
    os.close(ours)
    assert wide > 60
    assert min(narrow) <= 60


@pytest.mark.parametrize(
    ("program", "server", "name"),
    [
        pytest.param(FLASK, GUNICORN, "GET /users/<int:user>", id="wsgi"),
        pytest.param(STARLETTE, UVICORN, "GET /api/users/{user}", id="asgi"),
    ],
)
def test_one_line_does_instead_of_the_command(
    service: Service, program: str, server: Sequence[str], name: str
) -> None:
    service.made = service.folder / "corrente.recording.d"
    middleware = "from corrente.gauge import Middleware\napp = Middleware(app)\n"
    service.write("service.py", program + middleware)
    service.start_bare(*server, "service:app")
    assert service.ask("/api/users/7" if program is STARLETTE else "/users/7")[0] == 200
    # Nobody waits for the next second: the end of the process writes what is not written yet.
    assert service.stop() in (0, -signal.SIGTERM)
    shown = subprocess.run(
        command("gauge", "report", "--json", str(service.made)),
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    )
    assert [one["name"] for one in json.loads(shown.stdout)["endpoints"]] == [name]


@pytest.mark.parametrize(
    ("program", "server"),
    [pytest.param(WSGI, GUNICORN, id="wsgi"), pytest.param(ASGI, UVICORN, id="asgi")],
)
def test_a_middleware_under_the_command_counts_nothing_twice(
    service: Service, program: str, server: Sequence[str]
) -> None:
    middleware = "from corrente.gauge import Middleware\napp = Middleware(app)\n"
    service.write("service.py", program + middleware)
    service.start(*server, "service:app")
    # So many that some of them are not measured, in which the outer wrapper leaves no trace.
    for _ in range(600):
        service.ask("/")
    service.wait_until_seen()
    assert service.stop() == 0
    assert sum(one["requests_seen"] for one in service.read()["processes"]) == service.asked


def test_recording_is_switched_off_and_on(service: Service) -> None:
    service.write("service.py", WSGI)
    service.start(*GUNICORN, "service:app")
    service.ask("/")
    service.wait_until_recorded()
    service.tell(signal.SIGUSR2)
    wait_for(lambda: "switched_off" in str(service.parts()), "the end of recording")
    assert service.ask("/unseen") == (200, b"hello")
    service.tell(signal.SIGUSR2)

    def recorded_again() -> bool:
        service.ask("/again")
        return "/again" in str(service.parts())

    wait_for(recorded_again, "recording to go on")
    assert "/unseen" not in str(service.parts())


#: Tells of each Ctrl-C, and of all of them when it is ended.
COUNTER = """
import os, signal
told = 0
# A signal may come while something is written: `print` cannot be begun anew in the middle of one.
def say(*words):
    os.write(1, (" ".join(map(str, words)) + "\\n").encode())
def tell(*_):
    global told
    told += 1
    say("told", told)
def end(*_):
    say("ended after", told)
    os._exit(0)
signal.signal(signal.SIGINT, tell)
signal.signal(signal.SIGTERM, end)
say("runs under", os.getppid())
while True:
    signal.pause()
"""


def started_in_a_terminal(folder: Path) -> subprocess.Popen[bytes]:
    """Start the counter under the gauge, in the foreground of a terminal of its own."""
    (folder / "counter.py").write_text(COUNTER, encoding="utf-8")
    run = shlex.join(command("gauge", "run", "--", sys.executable, "counter.py"))
    terminal = "import pty, sys; pty.spawn(sys.argv[1:])"
    return subprocess.Popen(
        [sys.executable, "-c", terminal, "sh", "-c", f"exec {run} < /dev/null"],
        cwd=folder,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        bufsize=0,
    )


def test_ctrl_c_reaches_the_command_once_wherever_its_input_comes_from(tmp_path: Path) -> None:
    with started_in_a_terminal(tmp_path) as shown:
        assert shown.stdin is not None
        assert shown.stdout is not None
        lines = iter(shown.stdout.readline, b"")
        runs = next(line for line in lines if b"runs under" in line)
        shown.stdin.write(b"\x03")
        assert b"told 1" in next(line for line in lines if b"told" in line)
        # What is handed on goes in order: a second one would be told before the end.
        os.kill(int(runs.split()[-1]), signal.SIGTERM)
        last = next(line for line in lines if b"told" in line or b"ended" in line)
        assert b"ended after 1" in last
        shown.communicate(timeout=30)


def test_an_interrupt_that_only_the_gauge_gets_is_handed_on(tmp_path: Path) -> None:
    # `kill -INT` from elsewhere, while it is in the foreground of a terminal.
    with started_in_a_terminal(tmp_path) as shown:
        assert shown.stdout is not None
        lines = iter(shown.stdout.readline, b"")
        run = int(next(line for line in lines if b"runs under" in line).split()[-1])
        os.kill(run, signal.SIGINT)
        # In order: were the first not handed on, the command would end without having been told.
        os.kill(run, signal.SIGTERM)
        heard = [line for line in lines if b"told" in line or b"ended" in line]
        assert heard[0].startswith(b"told 1"), heard
        shown.communicate(timeout=30)


def started_in_a_group(folder: Path) -> subprocess.Popen[bytes]:
    """Start the counter under the gauge, both in a process group of their own."""
    (folder / "counter.py").write_text(COUNTER, encoding="utf-8")
    return subprocess.Popen(
        command("gauge", "run", "--", sys.executable, "counter.py"),
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        bufsize=0,
        start_new_session=True,
    )


def test_an_interrupt_to_the_whole_group_reaches_the_command_once(tmp_path: Path) -> None:
    # As `timeout -s INT` and systemd send it. Uvicorn takes a second one for impatience, and drops
    # what it is answering.
    with started_in_a_group(tmp_path) as shown:
        assert shown.stdout is not None
        lines = iter(shown.stdout.readline, b"")
        run = int(next(line for line in lines if b"runs under" in line).split()[-1])
        os.killpg(shown.pid, signal.SIGINT)
        assert b"told 1" in next(line for line in lines if b"told" in line)
        # What is handed on goes in order: a second one would be told before the end.
        os.kill(run, signal.SIGTERM)
        last = next(line for line in lines if b"told" in line or b"ended" in line)
        assert b"ended after 1" in last
        shown.communicate(timeout=30)


def test_the_table_is_printed(service: Service) -> None:
    service.write("service.py", FLASK)
    service.start(*GUNICORN, "service:app")
    service.ask("/users/7")
    service.recording()
    said = service.errors.read_text(encoding="utf-8")
    assert re.search(r"GET /users/<int:user>\s+1 ", said), said
    assert "gunicorn" in said
    assert "Recording written to" in said
