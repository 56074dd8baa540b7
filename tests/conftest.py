"""What the tests of the command share: a way to run it as a user does."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import pytest

import processes
from gauge_service import Service
from tiny_lab import TinyLab

if TYPE_CHECKING:
    from collections.abc import Iterator


# In the background of a shell without job control Ctrl-C is ignored by the tests, and by all that
# they start.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


class Corrente(Protocol):
    """Runs `corrente` with arguments and captures what it prints."""

    def __call__(self, *arguments: str, timeout: float = 30) -> subprocess.CompletedProcess[str]:
        """Run it; the exit code is not checked."""


@pytest.fixture
def corrente(tmp_path: Path) -> Corrente:
    """Give the installed command, run in an empty folder."""
    script = Path(sys.executable).with_name("corrente")
    assert script.is_file(), f"{script} is missing: install the package (cargo xtask test does)"

    def run(*arguments: str, timeout: float = 30) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(script), *arguments],
            capture_output=True,
            check=False,
            cwd=tmp_path,
            text=True,
            timeout=timeout,
        )

    return run


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Go to the test's own folder, and give it as it is called from there.

    For Unix sockets: what they are called has 107 bytes at most (unix(7)), a path may have more.
    """
    monkeypatch.chdir(tmp_path)
    return Path()


@pytest.fixture(scope="session")
def stacks_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the cache in which the contenders' environment is made once for all tests."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def lab(tmp_path: Path, stacks_cache: Path) -> Iterator[TinyLab]:
    """Give a lab without scenarios. What a test that failed has left behind is ended."""
    lab = TinyLab(tmp_path, stacks_cache)
    yield lab
    processes.kill(processes.marked(lab.mark))


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    """Give a service that is not started yet. What a test that failed has left behind is ended."""
    service = Service(tmp_path)
    yield service
    service.end()
