"""A worker of `corrente serve`: imports the application, serves it, and tells the parent.

What the parent hands over comes from `corrente._native.Worker`; how to serve is in
`corrente._serve`.
"""

from __future__ import annotations

import asyncio
import importlib
import os
import random
import signal
import socket
import ssl
import sys
import threading
import traceback
from contextlib import suppress
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from corrente import _loop, _messages, _native, _recording, _serve
from corrente._certificate import Certificate
from corrente._crew import Crew, lock
from corrente._lifespan import LifespanError
from corrente._metrics import Board
from corrente._own import Own
from corrente._watch import THRESHOLD_LEAST

if TYPE_CHECKING:
    from collections.abc import Mapping

#: An application, a setting.
Foreign: TypeAlias = Any

#: The number of the channel to the parent; a process that has it is a worker.
CHANNEL = "CORRENTE_CHANNEL"

#: The number of the file in memory on which workers leave their counts for each other.
BOARD = "CORRENTE_BOARD"

#: Seconds between two signs of life, and the least number of them within the time for one.
ALIVE_EVERY, ALIVE_WITHIN = 1.0, 4

#: What a server is made with, as it is.
_TO_SERVER = (
    "root_path",
    "max_headers",
    "max_head_bytes",
    "max_target_bytes",
    "max_body_bytes",
    "threads",
    "max_queued",
    "http2",
)

#: What serving is given as it is.
_TO_SERVE = ("lifespan", "graceful_timeout", "backlog", "max_connections")

#: The same where `None` is for no limit.
_LIMITS = (
    "head_timeout",
    "body_timeout",
    "write_timeout",
    "idle_timeout",
    "ping_interval",
    "max_in_flight",
)

#: What clients are offered under TLS, with HTTP/2 and without.
_PROTOCOLS = {True: ("h2", "http/1.1"), False: ("http/1.1",)}

#: Seconds, or requests at once, that nobody reaches.
_NO_LIMIT = 1_000_000_000

#: Method and path of the request that a task works for.
_request: ContextVar[str | None] = ContextVar("corrente.request", default=None)


def main(number: str) -> int:
    """Serve until the parent says stop; the exit code."""
    # Ctrl-C and a hangup reach every process of a terminal, and `systemctl kill` every one of a
    # service: they are the parent's, which stops or replaces its workers.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    # Logs are opened anew on it; it must not end a worker that has none yet.
    signal.signal(signal.SIGUSR1, signal.SIG_IGN)
    worker = _native.Worker(number)
    settings = worker.settings
    try:
        _messages.begin(settings["log_level"].upper(), settings["log_file"])
    except OSError as failure:
        worker.say("machine", f"--log-file {failure.filename}: {failure.strerror}")
        return 1
    if settings["gauge_folder"] is not None:
        # Before anything is imported that can be watched.
        _recording.begin(settings["gauge_folder"])
    try:
        served = _served(settings)
    except ApplicationError as failure:
        worker.say("user", str(failure))
        return 1
    if len(served) > 1 and lock() is not None:
        worker.say("trouble", "an import has switched the GIL on: workers as threads take turns")
    sockets = [socket.socket(fileno=one) for one in worker.take_sockets()]
    log = None
    try:
        log = worker.access_log()
        _run(_crew(worker, served, log), sockets)
    except (LifespanError, _serve.InterfaceError) as failure:
        worker.say("user", str(failure))
        return 1
    except (OSError, ssl.SSLError) as failure:
        worker.say("machine", str(failure))
        return 1
    finally:
        if log is not None:
            log.finish()
    return 0


@dataclass(frozen=True)
class _Served:
    """What a thread serves: an application, and others below prefixes."""

    application: Foreign
    mounts: Mapping[str, Foreign]


def _served(settings: Mapping[str, Foreign]) -> list[_Served]:
    """Import what each thread serves: the same, or what a factory makes for each.

    Raises:
        ApplicationError: it cannot be had, or there cannot be threads.
    """
    threads: int | None = settings["worker_threads"]
    if threads is not None and (found := lock()) is not None:
        raise ApplicationError(
            f"--workers-as threads: expected a free-threaded Python, found one with {found};"
            " use one (python3.14t), or --workers-as processes"
        )
    folder = settings["folder"]
    return [
        _Served(
            load(settings["target"], folder, settings["is_factory"]),
            {
                prefix: load(target, folder, is_factory=False)
                for prefix, target in settings["mounts"]
            },
        )
        for _ in range(threads or 1)
    ]


def _crew(
    worker: _native.Worker, served: list[_Served], log: _native.AccessLog | None
) -> list[_Work]:
    """Give the work of each thread."""
    crew = Crew(worker, len(served))
    works = [_Work(worker, crew, one, log) for one in served]
    board, ours = os.environ.pop(BOARD, None), set[int]()
    if board is not None:
        for work in works:
            work.own.board = Board(int(board), ours)
    return works


def _run(works: list[_Work], sockets: list[socket.socket]) -> None:
    """Do the work of all: the first one's in this thread."""
    first, *others = works
    is_asyncio = first.settings["loop"] == "asyncio"
    new_loop = asyncio.new_event_loop if is_asyncio else _loop.new_event_loop
    # A socket that one thread closes is open for the others.
    given = [work.serve([one.dup() for one in sockets]) for work in others]
    with asyncio.Runner(loop_factory=new_loop) as runner:
        try:
            runner.run(first.crew.run(first.serve(sockets), given, new_loop))
        finally:
            # Where SIGTERM reaches all processes the parent's comes second. It would be told as an
            # error while asyncio closes, and later end the worker before its log is written.
            runner.get_loop().remove_signal_handler(signal.SIGTERM)
            signal.signal(signal.SIGTERM, signal.SIG_IGN)


class _Work:
    """What a thread of a worker does between its first word to the parent and its end."""

    def __init__(
        self,
        worker: _native.Worker,
        crew: Crew,
        served: _Served,
        log: _native.AccessLog | None,
    ) -> None:
        self._worker = worker
        self.crew = crew
        self.settings = settings = worker.settings
        self._log = log
        application, mounts = served.application, served.mounts
        self._interface = settings["interface"]
        if self._interface == "auto":
            self._interface = _serve.interface_of(application)
        if settings["gauge_folder"] is not None:
            application = _recording.recorded(application, self._interface)
            mounts = {
                prefix: _recording.recorded(one, _serve.interface_of(one))
                for prefix, one in mounts.items()
            }
        self._application = application
        self._mounts = mounts
        self.own = Own(
            health=settings["health_path"],
            ready=settings["ready_path"],
            metrics=settings["metrics_path"],
        )
        tls, protocols = settings["tls"], _PROTOCOLS[settings["http2"]]
        # One for each thread: OpenSSL's must not change while others begin with it.
        self._certificate = None if tls is None else Certificate(tls, protocols)

    async def serve(self, sockets: list[socket.socket]) -> None:
        """Serve until the parent says stop."""
        settings = self.settings
        loop = asyncio.get_running_loop()
        self.own.loop = loop
        self.own.operations = operations = self._operations()
        if self._log is not None and _is_main():
            loop.add_signal_handler(signal.SIGUSR1, self._log.reopen)
        if settings["stall_log"] is not None:
            _loop.watch(max(settings["stall_log"], THRESHOLD_LEAST), request=_request.get)
        alive = loop.create_task(self._live(), name="signs of life")
        given = {name: settings[name] for name in _TO_SERVER}
        given |= {name: _NO_LIMIT if settings[name] is None else settings[name] for name in _LIMITS}
        try:
            await _serve.serve_here(
                self._application,
                sockets,
                interface=self._interface,
                mounts=self._mounts,
                static=dict(settings["static"]),
                static_max_age=settings["static_max_age"],
                ssl_context=None if self._certificate is None else self._certificate.context,
                ready=self._began,
                signals=(),
                stoppable=self.crew.stoppable,
                server_name=settings["server_name"] or "",
                operations=operations,
                **{name: settings[name] for name in _TO_SERVE},
                **given,
            )
        finally:
            alive.cancel()

    def _operations(self) -> _native.Operations:
        settings = self.settings
        return _native.Operations(
            access_log=self._log,
            metrics="off" if settings["metrics_path"] is None else "on",
            own_paths=self.own.paths,
            own=self.own if self.own.paths else None,
            request_name=None if settings["stall_log"] is None else _request,
            **settings["operations"],
        )

    def _began(self, server: _native.HttpServer) -> None:
        self.own.server = server
        if _is_main():
            # SIGINT stays ignored: with the parent's SIGTERM it would be a second signal.
            loop = asyncio.get_running_loop()
            loop.add_signal_handler(signal.SIGTERM, self.crew.stop)
        self.crew.ready(server)

    async def _live(self) -> None:
        is_main = _is_main()
        most = _most_requests(self.settings) if is_main else None
        pause = signs_every(self.settings["hang_timeout"])
        while True:
            await asyncio.sleep(pause)
            self.crew.alive(self)
            if most is not None and (requests := self.crew.requests) >= most:
                self._worker.say("going", f"it has answered {requests} requests")
                most = None
            if self.own.board is not None:
                self.own.board.write(self.own.text())
            trouble = None if self._certificate is None else self._certificate.refresh()
            if trouble is not None and is_main:
                self._worker.say("trouble", trouble)


def _is_main() -> bool:
    """Whether signals come to this thread, and what is said once is said by it."""
    return threading.current_thread() is threading.main_thread()


def signs_every(hang_timeout: float | None) -> float:
    """Give the seconds between two signs of life; who gives none in time is taken to hang."""
    return min(ALIVE_EVERY, (hang_timeout or ALIVE_EVERY * ALIVE_WITHIN) / ALIVE_WITHIN)


def _most_requests(settings: Mapping[str, Foreign]) -> int | None:
    most: int | None = settings["max_requests"]
    if most is None:
        return None
    # Not a secret: it keeps workers from going all at once.
    return most + random.randint(0, settings["max_requests_jitter"])  # noqa: S311


class ApplicationError(Exception):
    """The application cannot be had; one line that says why."""


def load(target: str, folder: str, is_factory: bool) -> Foreign:
    """Import an application, `MODULE:ATTRIBUTE`.

    Raises:
        ApplicationError: it cannot be had. What its code raised has been written to standard error.
    """
    module_name, colon, path = target.partition(":")
    if not colon or not module_name or not path:
        raise ApplicationError(f"expected MODULE:ATTRIBUTE, found {target!r}")
    # Whole, as Python's own entries are: what cannot be found is told with a place.
    folder = os.path.abspath(folder)
    if folder not in sys.path[:1]:
        sys.path.insert(0, folder)
    try:
        found: Foreign = importlib.import_module(module_name)
    except ModuleNotFoundError as failure:
        if failure.name is not None and f"{module_name}.".startswith(f"{failure.name}."):
            raise ApplicationError(f"there is no module {failure.name!r} in {folder}") from None
        raise _failed(f"{module_name} cannot be imported", failure) from None
    except BaseException as failure:
        raise _failed(f"{module_name} cannot be imported", failure) from None
    for name in path.split("."):
        if not hasattr(found, name):
            raise ApplicationError(f"{module_name!r} has no {path!r}")
        found = getattr(found, name)
    if not callable(found):
        kind = type(found).__name__
        raise ApplicationError(f"{target} is no application: {kind!r} is not callable")
    if is_factory:
        try:
            found = found()
        except BaseException as failure:
            raise _failed(f"{target}() cannot make the application", failure) from None
    return found


def _failed(text: str, failure: BaseException) -> ApplicationError:
    """Show the user's own error first, from where it is theirs."""
    own = failure.__traceback__
    while own is not None and _is_ours(own.tb_frame.f_code.co_filename):
        own = own.tb_next
    # Where standard error takes nothing, the line that follows is still told.
    with suppress(OSError):
        traceback.print_exception(failure.with_traceback(own))
    return ApplicationError(f"{text}: {type(failure).__name__}: {failure}")


def _is_ours(file: str) -> bool:
    return file == __file__ or "importlib" in file
