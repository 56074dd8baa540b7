"""However a run ends, nothing of it is left: no process, no port, no scratch directory.

The run has a contender that ignores SIGTERM and one that leaves a process in a session of its own,
and is ended while it measures.
"""

from __future__ import annotations

import os
import signal
import socket
from typing import TYPE_CHECKING

import pytest

import processes
from processes import wait_for
from tiny_lab import PLAIN, Contender, Scenario, serve

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable, Iterator

    from tiny_lab import TinyLab

USERS = 5

ENDLESS = Scenario(
    (
        PLAIN,
        Contender("stubborn", serve("stubborn"), side="async"),
        Contender("orphans", serve("orphans"), side="reference"),
    ),
    seconds=600,
    users=USERS,
    more="[parts.origin]\n",
)

#: Origin, three contenders and the orphan.
PORTS = 5


def is_measuring(lab: TinyLab) -> set[int]:
    """Give all ports of a run once everything listens and one of them is under load."""
    ports = processes.listening_ports(processes.marked(lab.mark))
    loaded = any(processes.connections_to(port) >= USERS for port in ports)
    return ports if loaded and len(ports) == PORTS else set()


def start(lab: TinyLab, *arguments: str) -> tuple[subprocess.Popen[bytes], set[int]]:
    """Start a run and wait until it measures."""
    lab.add("endless", ENDLESS)
    run = lab.start(*lab.words(*arguments))
    ports = wait_for(lambda: is_measuring(lab), "a measurement", 40, lab.errors.read_text)
    return run, ports


def check_nothing_is_left(lab: TinyLab, ports: set[int]) -> None:
    """Wait until the run's processes have gone; then all the rest has to be gone too."""

    def rest() -> list[str]:
        return processes.describe(processes.marked(lab.mark))

    wait_for(lambda: not rest(), "the end of all processes", 25, rest)
    assert processes.describe(processes.naming(str(lab.folder))) == []
    assert list(lab.scratch.iterdir()) == []
    assert {port for port in ports if not processes.refuses(port)} == set()


def worker_of(run: subprocess.Popen[bytes]) -> int:
    """Give the process that does the run: the keeper's only child."""
    [worker] = processes.children(run.pid)
    return worker


def press_ctrl_c(run: subprocess.Popen[bytes]) -> None:
    os.killpg(run.pid, signal.SIGINT)


def close_the_terminal(run: subprocess.Popen[bytes]) -> None:
    os.killpg(run.pid, signal.SIGHUP)


def end_the_group(run: subprocess.Popen[bytes]) -> None:
    os.killpg(run.pid, signal.SIGTERM)


def end_the_keeper(run: subprocess.Popen[bytes]) -> None:
    run.send_signal(signal.SIGTERM)


def kill_the_keeper(run: subprocess.Popen[bytes]) -> None:
    run.kill()


def kill_the_worker(run: subprocess.Popen[bytes]) -> None:
    os.kill(worker_of(run), signal.SIGKILL)


INTERRUPTED = 130
WITHOUT_THE_WORKER = 3


@pytest.mark.parametrize(
    ("end", "code"),
    [
        (press_ctrl_c, INTERRUPTED),
        (close_the_terminal, INTERRUPTED),
        (end_the_group, INTERRUPTED),
        (end_the_keeper, INTERRUPTED),
        (kill_the_keeper, -signal.SIGKILL),
        (kill_the_worker, WITHOUT_THE_WORKER),
    ],
)
def test_a_run_that_is_ended_in_the_middle_leaves_nothing_behind(
    lab: TinyLab, end: Callable[[subprocess.Popen[bytes]], None], code: int
) -> None:
    run, ports = start(lab)
    end(run)
    found = run.wait(25)
    check_nothing_is_left(lab, ports)
    said = lab.errors.read_text(encoding="utf-8")
    assert found == code, said
    assert "Traceback" not in said
    # A worker that outlives its keeper says it too.
    assert ("--resume" in said) == (code != WITHOUT_THE_WORKER)
    assert ("worker was killed by signal 9" in said) == (code == WITHOUT_THE_WORKER)


@pytest.fixture
def silent_index() -> Iterator[socket.socket]:
    """Give a package index that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(30)
        yield server


#: Any hash will do: nothing is ever fetched.
LOCK = "never-fetched==1.0 --hash=sha256:" + "0" * 64 + "\n"


def test_ctrl_c_while_the_stacks_are_installed_ends_the_run(
    lab: TinyLab, silent_index: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    lab.add("endless", ENDLESS)
    lab.lock(LOCK)
    index = f"http://127.0.0.1:{silent_index.getsockname()[1]}/simple"
    for name, value in (("INDEX_URL", index), ("NO_INDEX", ""), ("CONFIG_FILE", os.devnull)):
        monkeypatch.setitem(lab.environment, f"PIP_{name}", value)
    monkeypatch.setitem(lab.environment, "NO_PROXY", "127.0.0.1")
    monkeypatch.setitem(lab.environment, "CORRENTE_CACHE_DIR", str(lab.root / "own-cache"))
    run = lab.start(*lab.words())
    with silent_index.accept()[0]:
        press_ctrl_c(run)
        code = run.wait(10)
    check_nothing_is_left(lab, set())
    assert code == INTERRUPTED, lab.errors.read_text(encoding="utf-8")
    # Taken for complete, the environment would lack the package in every later run.
    assert list((lab.root / "own-cache").glob("*/complete")) == []
