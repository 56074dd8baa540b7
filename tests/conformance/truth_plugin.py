"""A plugin of pytest that writes down which blocking calls run on an event loop, and from where.

Functions and methods that wait are wrapped, those of C types too; where a loop runs, the wrapper
notes the stack and goes on, so that tests run as ever. A stack goes from the call to the coroutine
that makes it, or to the loop's callback where there is none. The notes go into the file
`CORRENTE_TRUTH`, as JSON.
"""

from __future__ import annotations

import asyncio
import builtins
import ctypes
import functools
import gc
import inspect
import io
import json
import os
import queue
import shutil
import socket
import sqlite3
import ssl
import stat
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import CodeType

Result = TypeVar("Result")
#: File, line, function, and whether that is a coroutine.
Frame: TypeAlias = tuple[str, int, str, bool]

#: What waits, by the module or class that has it.
WATCHED: list[tuple[object, str]] = [
    (time, "sleep"),
    (builtins, "open input"),
    (io, "open"),
    (
        os,
        "access chmod link listdir lstat makedirs mkdir open readlink remove rename replace rmdir "
        "scandir sendfile stat statvfs symlink truncate unlink utime walk waitpid",
    ),
    (shutil, "copyfile copytree move rmtree disk_usage"),
    (subprocess.Popen, "__init__ communicate wait"),
    (socket, "getaddrinfo gethostbyname create_connection"),
    (socket.socket, "accept connect recv recv_into recvfrom send sendall sendto"),
    (ssl.SSLSocket, "do_handshake read write"),
    (sqlite3, "connect"),
    (sqlite3.Connection, "execute executemany executescript commit rollback close"),
    (sqlite3.Cursor, "execute executemany executescript fetchone fetchmany fetchall"),
    (threading.Thread, "join"),
    (threading.Event, "wait"),
    (threading.Condition, "wait"),
    (queue.Queue, "get put"),
    (io.FileIO, "read readall readinto write"),
    (io.BufferedReader, "read read1 readinto readline"),
    (io.BufferedWriter, "write flush"),
    (io.BufferedRandom, "read write flush"),
    (io.TextIOWrapper, "read readline write flush"),
]
#: Where waiting is the tests' machinery's, or once for each process: the end of a file's name, and
#: its functions.
APART = [
    ("<frozen importlib._bootstrap>", {"_find_and_load"}),
    ("_pytest/assertion/rewrite.py", None),
    ("coverage/control.py", None),
    ("asyncio/unix_events.py", {"create_unix_server", "_stop_serving"}),
]
#: Descriptors of a process's own streams.
STREAMS_MAX = 2
#: Frames of a stack; what is deeper is a recursion.
FRAMES_MAX = 200

seen: dict[tuple[str, tuple[Frame, ...]], int] = {}
inside = threading.local()


def is_coroutine(code: CodeType) -> bool:
    """Whether the code is that of a coroutine or of an async generator."""
    return bool(code.co_flags & (inspect.CO_COROUTINE | inspect.CO_ASYNC_GENERATOR))


def note(function: str) -> None:
    """Write down a call, unless it is apart."""
    frame = inspect.currentframe()
    # This function and the wrapper.
    for _ in range(2):
        frame = frame.f_back if frame else None
    stack: list[Frame] = []
    while frame is not None and len(stack) < FRAMES_MAX:
        code = frame.f_code
        name = code.co_filename
        if any(
            name.endswith(end) and (names is None or code.co_name in names) for end, names in APART
        ):
            return
        if code.co_name == "_run" and name.endswith("asyncio/events.py"):
            break
        stack.append((name, frame.f_lineno or 0, code.co_qualname, is_coroutine(code)))
        if stack[-1][3]:
            break
        frame = frame.f_back
    else:
        # The loop runs, but this is not its work: pytest between two steps of it.
        return
    if stack:
        key = (function, tuple(stack))
        seen[key] = seen.get(key, 0) + 1


def waits(subject: object, name: str, block: object) -> bool:
    """Whether a call of this object's method may wait: not a socket that must not."""
    try:
        if isinstance(subject, queue.Queue):
            return bool(block) and (name == "Queue.get" or subject.maxsize > 0)
        if isinstance(subject, socket.socket):
            return subject.gettimeout() != 0
        if isinstance(subject, threading.Event):
            return not subject.is_set()
        own = (sys.stdout, sys.stderr, sys.__stdout__, sys.__stderr__)
        if any(subject is stream for stream in own):
            # Captured ones are files. blockbuster leaves them out, too.
            return False
        if isinstance(subject, io.IOBase):
            descriptor = subject.fileno()
            mode = os.fstat(descriptor).st_mode
            return descriptor > STREAMS_MAX and (stat.S_ISREG(mode) or os.get_blocking(descriptor))
    except (OSError, ValueError, io.UnsupportedOperation):
        return False
    return True


def recording(function: Callable[..., Result], name: str) -> Callable[..., Result]:
    """The same function, noted where a loop runs."""

    @functools.wraps(function, updated=())
    def wrapper(*args: object, **kwargs: object) -> Result:
        if getattr(inside, "one", False):
            # What a function that waits calls itself is the same wait.
            return function(*args, **kwargs)
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            return function(*args, **kwargs)
        inside.one = True
        try:
            if not args or waits(args[0], name, kwargs.get("block", True)):
                note(name)
            return function(*args, **kwargs)
        finally:
            inside.one = False

    return wrapper


def replace(owner: object, name: str, function: object) -> None:
    """Set an attribute, of a C type too: through the dictionary that it shows read-only."""
    try:
        setattr(owner, name, function)
    except TypeError:
        (attributes,) = (
            one for one in gc.get_referents(vars(owner)) if isinstance(one, dict) and name in one
        )
        attributes[name] = function
        ctypes.pythonapi.PyType_Modified(ctypes.py_object(owner))


def pytest_configure() -> None:
    """Begin."""
    for owner, names in WATCHED:
        label = owner.__name__ if hasattr(owner, "__name__") else str(owner)
        for name in names.split():
            if name in vars(owner):
                replace(owner, name, recording(vars(owner)[name], f"{label}.{name}"))


def pytest_unconfigure() -> None:
    """End, and write."""
    inside.one = True
    notes = [
        {"function": function, "stack": stack, "count": count}
        for (function, stack), count in list(seen.items())
    ]
    Path(os.environ["CORRENTE_TRUTH"]).write_text(json.dumps(notes), encoding="utf-8")
    sys.stdout.write(f"truth: {len(notes)} stacks\n")
