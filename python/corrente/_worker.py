"""A worker of `corrente serve`: imports the application, serves it, and tells the parent.

What the parent hands over comes from `corrente._native.Worker`; how to serve is in
`corrente._serve`.
"""

from __future__ import annotations

import asyncio
import importlib
import logging
import os
import random
import signal
import socket
import ssl
import sys
import traceback
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, TypeAlias

from corrente import _loop, _native, _recording, _serve
from corrente._certificate import Certificate
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

#: Seconds between two signs of life.
ALIVE_EVERY = 1.0

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
    # Ctrl-C reaches every process of a terminal; it is the parent's, which stops its workers.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # Logs are opened anew on it; it must not end a worker that has none yet.
    signal.signal(signal.SIGUSR1, signal.SIG_IGN)
    worker = _native.Worker(number)
    settings = worker.settings
    level = settings["log_level"].upper()
    logging.basicConfig(level=level, format="%(levelname)s %(name)s: %(message)s")
    if settings["gauge_folder"] is not None:
        # Before anything is imported that can be watched.
        _recording.begin(settings["gauge_folder"])
    try:
        application = load(settings["target"], settings["folder"], settings["is_factory"])
        mounts = {
            prefix: load(target, settings["folder"], is_factory=False)
            for prefix, target in settings["mounts"]
        }
    except ApplicationError as failure:
        worker.say("user", str(failure))
        return 1
    new_loop = asyncio.new_event_loop if settings["loop"] == "asyncio" else _loop.new_event_loop
    sockets = [socket.socket(fileno=one) for one in worker.take_sockets()]
    log = None
    try:
        log = worker.access_log()
        with asyncio.Runner(loop_factory=new_loop) as runner:
            runner.run(_Work(worker, application, mounts, log).serve(sockets))
    except LifespanError as failure:
        worker.say("user", str(failure))
        return 1
    except (OSError, ssl.SSLError) as failure:
        worker.say("machine", str(failure))
        return 1
    finally:
        if log is not None:
            log.finish()
    return 0


class _Work:
    """What a worker does between its first word to the parent and its end."""

    def __init__(
        self,
        worker: _native.Worker,
        application: Foreign,
        mounts: Mapping[str, Foreign],
        log: _native.AccessLog | None,
    ) -> None:
        self._worker = worker
        self._settings = settings = worker.settings
        self._log = log
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
        self._own = Own(
            health=settings["health_path"],
            ready=settings["ready_path"],
            metrics=settings["metrics_path"],
        )
        number = os.environ.pop(BOARD, None)
        self._own.board = None if number is None else Board(int(number))
        tls, protocols = settings["tls"], _PROTOCOLS[settings["http2"]]
        self._certificate = None if tls is None else Certificate(tls, protocols)

    async def serve(self, sockets: list[socket.socket]) -> None:
        """Serve until the parent says stop."""
        settings = self._settings
        loop = asyncio.get_running_loop()
        self._own.loop = loop
        self._own.operations = operations = self._operations()
        if self._log is not None:
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
                # SIGINT stays ignored: with the parent's SIGTERM it would be a second signal.
                signals=(signal.SIGTERM,),
                server_name=settings["server_name"] or "",
                operations=operations,
                **{name: settings[name] for name in _TO_SERVE},
                **given,
            )
        finally:
            alive.cancel()

    def _operations(self) -> _native.Operations:
        settings = self._settings
        return _native.Operations(
            access_log=self._log,
            metrics="off" if settings["metrics_path"] is None else "on",
            own_paths=self._own.paths,
            own=self._own if self._own.paths else None,
            request_name=None if settings["stall_log"] is None else _request,
            **settings["operations"],
        )

    def _began(self, server: _native.HttpServer) -> None:
        self._own.server = server
        self._worker.say("ready")

    async def _live(self) -> None:
        most = _most_requests(self._settings)
        while True:
            await asyncio.sleep(ALIVE_EVERY)
            self._worker.say("alive")
            server = self._own.server
            if most is not None and server is not None and server.requests >= most:
                self._worker.say("going", f"it has answered {server.requests} requests")
                most = None
            if self._own.board is not None:
                self._own.board.write(self._own.text())
            trouble = None if self._certificate is None else self._certificate.refresh()
            if trouble is not None:
                self._worker.say("trouble", trouble)


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
    sys.path.insert(0, str(folder))
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
    traceback.print_exception(failure.with_traceback(own))
    return ApplicationError(f"{text}: {type(failure).__name__}: {failure}")


def _is_ours(file: str) -> bool:
    return file == __file__ or "importlib" in file
