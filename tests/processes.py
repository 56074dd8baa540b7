"""Finding what a run started, and waiting for what it does. Reads /proc; starts nothing."""

from __future__ import annotations

import os
import signal
import socket
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from tiny_lab import MARK

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

Found = TypeVar("Found")

#: States of a socket in /proc/net/tcp (Linux, include/net/tcp_states.h).
ESTABLISHED, LISTENING = "01", "0A"


def wait_for(
    condition: Callable[[], Found],
    what: str,
    limit_s: float = 20,
    details: Callable[[], object] = str,
) -> Found:
    """Wait until `condition` is true and give its value; fail with `what` after the limit."""
    deadline = time.monotonic() + limit_s
    while not (found := condition()):
        assert time.monotonic() < deadline, f"waited {limit_s} s for {what}: {details()}"
        time.sleep(0.02)
    return found


def marked(mark: str) -> set[int]:
    """Give the living processes that carry the mark; a zombie has no environment any more."""
    wanted = f"{MARK}={mark}".encode()
    return {process for process in _all() if wanted in _read(process, "environ").split(b"\0")}


def naming(text: str) -> set[int]:
    """Give the processes with `text` in their command line."""
    return {process for process in _all() if text.encode() in _read(process, "cmdline")}


def describe(processes: Iterable[int]) -> list[str]:
    """Give the command lines, for the message of a test that fails."""
    lines = (_read(process, "cmdline").replace(b"\0", b" ") for process in processes)
    return [line.decode(errors="replace")[:200] for line in lines]


def children(parent: int) -> set[int]:
    """Give the direct children of a process."""
    return {process for process in _all() if _parent(process) == parent}


def listening_ports(processes: Iterable[int]) -> set[int]:
    """Give the TCP ports that these processes listen on."""
    held = {link for process in processes for link in _sockets(process)}
    return {port for port, state, inode in _connections() if state == LISTENING and inode in held}


def connections_to(port: int) -> int:
    """Count the connections that are open at this port."""
    return sum(found == port and state == ESTABLISHED for found, state, _ in _connections())


def free_port() -> int:
    """Give a port that was free a moment ago, for a server that has to be told one."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
        return port


def refuses(port: int) -> bool:
    """Whether nobody listens on the port."""
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) != 0


def kill(processes: Iterable[int]) -> None:
    """End these at once; those that have ended are past caring."""
    for process in processes:
        with suppress(ProcessLookupError):
            os.kill(process, signal.SIGKILL)


def _all() -> Iterator[int]:
    return (int(entry) for entry in os.listdir("/proc") if entry.isdigit())


def _read(process: int, name: str) -> bytes:
    # It may end, or belong to somebody else.
    with suppress(OSError):
        return Path(f"/proc/{process}/{name}").read_bytes()
    return b""


def _parent(process: int) -> int:
    # The second field is the name in brackets and may hold anything.
    fields = _read(process, "stat").rpartition(b")")[2].split()
    return int(fields[1]) if len(fields) > 1 else 0


def _sockets(process: int) -> Iterator[str]:
    with suppress(OSError):
        for entry in os.scandir(f"/proc/{process}/fd"):
            with suppress(OSError):
                link = os.readlink(entry.path)
                if link.startswith("socket:["):
                    yield link.removeprefix("socket:[").removesuffix("]")


def _connections() -> Iterator[tuple[int, str, str]]:
    lines = Path("/proc/net/tcp").read_text(encoding="ascii").splitlines()[1:]
    for fields in (line.split() for line in lines):
        yield int(fields[1].rpartition(":")[2], 16), fields[3], fields[9]
