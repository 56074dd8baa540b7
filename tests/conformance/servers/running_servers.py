"""Servers as their users start them: each a process group of its own, on a port that was free.

Which suite talks to them is not known here. What they print goes to a log beside the result.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager, suppress
from importlib import metadata
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

HOST = "127.0.0.1"
#: Seconds that a server has to listen in, and to end in once it is told to.
LIMIT_S = 30.0
#: Seconds between two looks whether it does.
LOOK_S = 0.02

#: How each is started: `{target}` is MODULE:NAME of the application.
COMMANDS = {
    "corrente": "-m corrente serve {target} --bind {host}:{port}",
    "corrente-wsgi": "-m corrente serve {target} --bind {host}:{port}",
    "uvicorn": "-m uvicorn {target} --host {host} --port {port} --http httptools --ws websockets"
    " --log-level warning --no-access-log",
    "uvicorn-h11": "-m uvicorn {target} --host {host} --port {port} --http h11 --ws wsproto"
    " --log-level warning --no-access-log",
    "granian": "-m granian {target} --interface asgi --host {host} --port {port} --workers 1"
    " --log-level warning",
    "hypercorn": "-m hypercorn {target} --bind {host}:{port} --log-level warning",
    "gunicorn": "-m gunicorn {target} --bind {host}:{port} --worker-class gthread --threads 8"
    " --keep-alive 30 --no-control-socket --log-level warning",
}


class StartError(Exception):
    """A server did not come to listen."""


@contextmanager
def running(server: str, target: str, folder: Path, log: Path) -> Iterator[int]:
    """Run a server with an application of a folder; gives its port."""
    port = free_port()
    words = COMMANDS[server].format(target=target, host=HOST, port=port).split()
    paths = [str(folder), *filter(None, [os.environ.get("PYTHONPATH")])]
    with log.open("a", encoding="utf-8") as kept:
        process = subprocess.Popen(
            [sys.executable, *words],
            # Sets of methods are listed in the order of their hashes.
            env=os.environ | {"PYTHONPATH": os.pathsep.join(paths), "PYTHONHASHSEED": "0"},
            cwd=log.parent,
            stdin=subprocess.DEVNULL,
            stdout=kept,
            stderr=kept,
            start_new_session=True,
        )
    try:
        _wait_for(process, port, f"{server} with {target}", log)
        yield port
    finally:
        _end(process)


def free_port() -> int:
    """Give a port that nobody listens on, most likely not for a while either."""
    with socket.socket() as asking:
        asking.bind((HOST, 0))
        port: int = asking.getsockname()[1]
        return port


def versions(*packages: str) -> dict[str, str]:
    """Give the versions of the packages that are installed."""
    found = {}
    for package in packages:
        with suppress(metadata.PackageNotFoundError):
            found[package] = metadata.version(package)
    return found


def _wait_for(process: subprocess.Popen[bytes], port: int, what: str, log: Path) -> None:
    deadline = time.monotonic() + LIMIT_S
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise StartError(f"{what} ended with {process.returncode}; its log is {log}")
        with suppress(OSError), socket.create_connection((HOST, port), timeout=LIMIT_S):
            return
        time.sleep(LOOK_S)
    raise StartError(f"{what} does not listen within {LIMIT_S} s; its log is {log}")


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    with suppress(subprocess.TimeoutExpired):
        process.wait(LIMIT_S)
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
