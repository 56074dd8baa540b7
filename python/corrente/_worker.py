"""A worker of `corrente serve`: imports the application, serves it, and tells the parent.

What the parent hands over comes from `corrente._native.Worker`; how to serve is in
`corrente._serve`.
"""

from __future__ import annotations

import asyncio
import importlib
import logging
import random
import signal
import socket
import ssl
import sys
import traceback
from typing import TYPE_CHECKING, Any, TypeAlias

from corrente import _loop, _native, _serve
from corrente._lifespan import LifespanError

if TYPE_CHECKING:
    from collections.abc import Mapping

#: An application, a setting.
Foreign: TypeAlias = Any

#: The number of the channel to the parent; a process that has it is a worker.
CHANNEL = "CORRENTE_CHANNEL"

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
    "http2",
)

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


def main(number: str) -> int:
    """Serve until the parent says stop; the exit code."""
    # Ctrl-C reaches every process of a terminal; it is the parent's, which stops its workers.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    worker = _native.Worker(number)
    settings = worker.settings
    level = settings["log_level"].upper()
    logging.basicConfig(level=level, format="%(levelname)s %(name)s: %(message)s")
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
    try:
        with asyncio.Runner(loop_factory=new_loop) as runner:
            runner.run(_work(worker, application, mounts, sockets, settings))
    except LifespanError as failure:
        worker.say("user", str(failure))
        return 1
    except (OSError, ssl.SSLError) as failure:
        worker.say("machine", str(failure))
        return 1
    return 0


async def _work(
    worker: _native.Worker,
    application: Foreign,
    mounts: Mapping[str, Foreign],
    sockets: list[socket.socket],
    settings: Mapping[str, Foreign],
) -> None:
    loop = asyncio.get_running_loop()
    served: list[_native.HttpServer] = []

    def began(server: _native.HttpServer) -> None:
        served.append(server)
        worker.say("ready")

    async def live() -> None:
        most = _most_requests(settings)
        while True:
            await asyncio.sleep(ALIVE_EVERY)
            worker.say("alive")
            if most is not None and served and served[0].requests >= most:
                worker.say("going", f"it has answered {served[0].requests} requests")
                most = None

    alive = loop.create_task(live(), name="signs of life")
    given = {name: settings[name] for name in _TO_SERVER}
    given |= {name: _NO_LIMIT if settings[name] is None else settings[name] for name in _LIMITS}
    try:
        await _serve.serve_here(
            application,
            sockets,
            interface=settings["interface"],
            mounts=mounts,
            lifespan=settings["lifespan"],
            ssl_context=_tls(settings["tls"], _PROTOCOLS[settings["http2"]]),
            graceful_timeout=settings["graceful_timeout"],
            backlog=settings["backlog"],
            ready=began,
            # SIGINT stays ignored: with the parent's SIGTERM it would be a second signal.
            signals=(signal.SIGTERM,),
            server_name=settings["server_name"] or "",
            **given,
        )
    finally:
        alive.cancel()


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


def _tls(given: Mapping[str, Foreign] | None, protocols: tuple[str, ...]) -> ssl.SSLContext | None:
    if given is None:
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(given["certificate"], given["key"], given["password"])
    versions = {"1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}
    context.minimum_version = versions[given["minimum"]]
    if given["ciphers"] is not None:
        context.set_ciphers(given["ciphers"])
    if given["authorities"] is not None:
        context.load_verify_locations(given["authorities"])
    modes = {"none": ssl.CERT_NONE, "optional": ssl.CERT_OPTIONAL, "required": ssl.CERT_REQUIRED}
    context.verify_mode = modes[given["client"]]
    context.set_alpn_protocols(protocols)
    return context
