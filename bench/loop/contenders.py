"""The event loops that take part, by name, and how the programs talk to the benchmark.

A loop is imported where it is asked for, so that a process holds no other. `aiofastnet` is no loop:
it has transports of its own over those of uvloop, and only what asks for them gets them.
"""

from __future__ import annotations

import asyncio
import importlib
import json
import resource
import socket
import sys
from functools import partial
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

HOST = "127.0.0.1"
#: Connections that may wait to be accepted; the kernel may allow fewer.
BACKLOG = 4096
#: The module that makes each loop, by a function `new_event_loop`.
MODULES = {
    "asyncio": "asyncio",
    "uvloop": "uvloop",
    "rloop": "rloop",
    "zloop": "zloop",
    "zuvloop": "zuvloop",
    "aiofastnet": "uvloop",
    "corrente": "corrente",
}


def runner(name: str) -> asyncio.Runner:
    """A runner of coroutines on the loop of this name."""
    module = importlib.import_module(MODULES[name])
    return asyncio.Runner(loop_factory=module.new_event_loop)


def create_server(name: str) -> Callable[..., Any]:
    """The running loop's `create_server`, or what a contender has in its place."""
    loop = asyncio.get_running_loop()
    if name == "aiofastnet":
        return partial(importlib.import_module("aiofastnet").create_server, loop)
    return loop.create_server


def tell(answer: dict[str, object]) -> None:
    """Tell the benchmark something: one line of JSON."""
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()


def listen() -> socket.socket:
    """Listen on a free port, and tell which.

    The protocol is named because asyncio turns Nagle's algorithm off only where it is, as it is for
    the sockets that a loop makes itself.
    """
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((HOST, 0))
    listener.listen(BACKLOG)
    listener.setblocking(False)
    tell({"port": listener.getsockname()[1]})
    return listener


def raise_descriptor_limit() -> None:
    """Let this process have as many connections as the machine allows."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
