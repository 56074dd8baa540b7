"""A server with an application, each server with the settings that its makers call the fastest.

    python serving.py SERVER APPLICATION PORT [--protocol http1|http2|websocket] [--workers N]
                      [--tls CERTIFICATE KEY] [--option WORD]…

One process serves (or one worker under a process that keeps it), on one thread where the server
has a choice, without an access log, and leaves an idle connection alone for two minutes. With
`--workers` there are so many under a process that a SIGHUP tells to replace them. Servers with a
command line replace this process by it; only Corrente's takes options.
"""

from __future__ import annotations

import argparse
import importlib
import os
import resource
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

HOST = "127.0.0.1"
IDLE_S = 120
#: Connections that may wait to be accepted, and that a server may have.
BACKLOG = 2048
CONNECTIONS = 16_384


class Asked(NamedTuple):
    """What is to be served, and where."""

    application: str
    port: int
    protocol: str
    #: None is a server that keeps no processes.
    workers: int | None
    certificate: str | None
    key: str | None
    options: list[str]

    def load(self) -> Any:
        """Import the application."""
        module, name = self.application.split(":")
        return getattr(importlib.import_module(module), name)


def uvicorn(websocket: str) -> Callable[[Asked], list[str]]:
    """Uvicorn with uvloop, httptools, and one of its implementations of WebSocket."""

    def command(asked: Asked) -> list[str]:
        ws = websocket if asked.protocol == "websocket" else "none"
        words = f"""-m uvicorn {asked.application} --host {HOST} --port {asked.port} --loop uvloop
            --http httptools --ws {ws} --no-access-log --log-level warning --backlog {BACKLOG}
            --timeout-keep-alive {IDLE_S} --workers {asked.workers or 1}"""
        if asked.certificate:
            words += f" --ssl-certfile {asked.certificate} --ssl-keyfile {asked.key}"
        return words.split()

    return command


def granian(interface: str) -> Callable[[Asked], list[str]]:
    """Granian with one thread of each kind, and nothing but the protocol that is asked for."""

    def command(asked: Asked) -> list[str]:
        version = 2 if asked.protocol == "http2" else 1
        ws = "--ws" if asked.protocol == "websocket" else "--no-ws"
        words = f"""-m granian {asked.application} --interface {interface} --host {HOST}
            --port {asked.port} --http {version} {ws} --workers {asked.workers or 1}
            --log-level error --backlog {CONNECTIONS} --backpressure {CONNECTIONS}"""
        if interface == "wsgi":
            words += " --blocking-threads 1"
        if asked.certificate:
            words += f" --ssl-certificate {asked.certificate} --ssl-keyfile {asked.key}"
        return words.split()

    return command


def hypercorn(asked: Asked) -> list[str]:
    """Hypercorn with uvloop; it finds out which protocol a client speaks."""
    words = f"""-m hypercorn {asked.application} --bind {HOST}:{asked.port} --worker-class uvloop
        --workers {asked.workers or 1} --log-level warning --backlog {BACKLOG}
        --keep-alive {IDLE_S}"""
    if asked.certificate:
        words += f" --certfile {asked.certificate} --keyfile {asked.key}"
    return words.split()


def gunicorn(worker: str) -> Callable[[Asked], list[str]]:
    """Gunicorn with workers of a class."""

    def command(asked: Asked) -> list[str]:
        words = f"""-m gunicorn {asked.application} --bind {HOST}:{asked.port}
            --workers {asked.workers or 1} --worker-class {worker} --log-level warning
            --backlog {BACKLOG} --keep-alive {IDLE_S} --timeout 600 --no-control-socket"""
        if asked.certificate:
            words += f" --certfile {asked.certificate} --keyfile {asked.key}"
        return words.split()

    return command


COMMANDS = {
    "uvicorn": uvicorn("auto"),
    "uvicorn-wsproto": uvicorn("wsproto"),
    "granian-asgi": granian("asgi"),
    "granian-wsgi": granian("wsgi"),
    "hypercorn": hypercorn,
    "gunicorn-sync": gunicorn("sync"),
    "gunicorn-uvicorn": gunicorn("uvicorn_worker.UvicornWorker"),
}


def serve_fastpysgi(asked: Asked) -> None:
    """Serve by fastpysgi, of either interface; it finds out which."""
    import fastpysgi

    if asked.certificate:
        fastpysgi.server.tls_list = [(asked.certificate, asked.key)]
    fastpysgi.run(asked.load(), host=HOST, port=asked.port)


def serve_socketify(interface: str) -> Callable[[Asked], None]:
    """Serve by socketify with an interface."""

    def serve(asked: Asked) -> None:
        try:
            import socketify
        except OSError:
            sys.exit("socketify's library cannot be loaded: Debian's package libuv1 is missing")

        options = None
        if asked.certificate:
            options = socketify.AppOptions(
                key_file_name=asked.key, cert_file_name=asked.certificate
            )
        make = getattr(socketify, interface)
        listen = socketify.AppListenOptions(port=asked.port, host=HOST)
        make(asked.load(), options).listen(listen, lambda _: None).run(workers=1)

    return serve


def command_of_corrente(asked: Asked) -> list[str]:
    """Give the command line of Corrente with its own processes and defaults."""
    program = Path(sys.executable).with_name("corrente")
    words = f"""{program} serve {asked.application} --bind {HOST}:{asked.port}
        --workers {asked.workers} --idle-timeout {IDLE_S}s --log-level warning"""
    return words.split() + asked.options


def serve_corrente(asked: Asked) -> None:
    """Serve by Corrente with its defaults, in this process or by its command."""
    import ssl

    import corrente

    if asked.workers:
        program, *words = command_of_corrente(asked)
        os.execv(program, [program, *words])
    context = None
    if asked.certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(asked.certificate, asked.key)
        if asked.protocol == "http2":
            context.set_alpn_protocols(["h2"])
    bind = f"{HOST}:{asked.port}"
    corrente.serve(asked.load(), bind=bind, ssl_context=context, idle_timeout=float(IDLE_S))


HERE = {
    "fastpysgi-asgi": serve_fastpysgi,
    "fastpysgi-wsgi": serve_fastpysgi,
    "socketify-asgi": serve_socketify("ASGI"),
    "socketify-wsgi": serve_socketify("WSGI"),
    "corrente": serve_corrente,
}


def main(server: str, asked: Asked) -> None:
    """Serve until the process is ended."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    if server in HERE:
        HERE[server](asked)
    else:
        os.execv(sys.executable, [sys.executable, *COMMANDS[server](asked)])


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser()
    parser.add_argument("server")
    parser.add_argument("application")
    parser.add_argument("port", type=int)
    parser.add_argument("--protocol", default="http1")
    parser.add_argument("--workers", type=int)
    parser.add_argument("--tls", nargs=2, default=(None, None))
    parser.add_argument("--option", dest="options", action="append", default=[])
    return parser.parse_args()


if __name__ == "__main__":
    asked = arguments()
    certificate, key = asked.tls
    main(
        asked.server,
        Asked(
            asked.application,
            asked.port,
            asked.protocol,
            asked.workers,
            certificate,
            key,
            asked.options,
        ),
    )
