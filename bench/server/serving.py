"""A server with an application, each server with the settings that its makers call the fastest.

    python serving.py SERVER APPLICATION PORT [CERTIFICATE KEY]

One process serves (or one worker under a process that keeps it), on one thread where the server has
a choice, without an access log, and leaves an idle connection alone for two minutes. Servers with a
command line replace this process by it.
"""

from __future__ import annotations

import importlib
import os
import resource
import sys
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
    certificate: str | None
    key: str | None

    def load(self) -> Any:
        """Import the application."""
        module, name = self.application.split(":")
        return getattr(importlib.import_module(module), name)


def uvicorn(asked: Asked) -> list[str]:
    """Uvicorn with uvloop and httptools."""
    words = f"""-m uvicorn {asked.application} --host {HOST} --port {asked.port} --loop uvloop
        --http httptools --ws none --no-access-log --log-level warning --backlog {BACKLOG}
        --timeout-keep-alive {IDLE_S}"""
    if asked.certificate:
        words += f" --ssl-certfile {asked.certificate} --ssl-keyfile {asked.key}"
    return words.split()


def granian(interface: str) -> Callable[[Asked], list[str]]:
    """Granian with one thread of each kind."""

    def command(asked: Asked) -> list[str]:
        words = f"""-m granian {asked.application} --interface {interface} --host {HOST}
            --port {asked.port} --http 1 --no-ws --workers 1 --log-level error
            --backlog {CONNECTIONS} --backpressure {CONNECTIONS}"""
        if interface == "wsgi":
            words += " --blocking-threads 1"
        if asked.certificate:
            words += f" --ssl-certificate {asked.certificate} --ssl-keyfile {asked.key}"
        return words.split()

    return command


def hypercorn(asked: Asked) -> list[str]:
    """Hypercorn with uvloop."""
    words = f"""-m hypercorn {asked.application} --bind {HOST}:{asked.port} --worker-class uvloop
        --workers 1 --log-level warning --backlog {BACKLOG} --keep-alive {IDLE_S}"""
    if asked.certificate:
        words += f" --certfile {asked.certificate} --keyfile {asked.key}"
    return words.split()


def gunicorn(worker: str) -> Callable[[Asked], list[str]]:
    """Gunicorn with one worker of a class."""

    def command(asked: Asked) -> list[str]:
        words = f"""-m gunicorn {asked.application} --bind {HOST}:{asked.port} --workers 1
            --worker-class {worker} --log-level warning --backlog {BACKLOG}
            --keep-alive {IDLE_S} --timeout 600 --no-control-socket"""
        if asked.certificate:
            words += f" --certfile {asked.certificate} --keyfile {asked.key}"
        return words.split()

    return command


COMMANDS = {
    "uvicorn": uvicorn,
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


def serve_corrente(asked: Asked) -> None:
    """Serve by Corrente with its defaults."""
    import ssl

    import corrente

    context = None
    if asked.certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(asked.certificate, asked.key)
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


if __name__ == "__main__":
    certificate, key = sys.argv[4:6] or (None, None)
    main(sys.argv[1], Asked(sys.argv[2], int(sys.argv[3]), certificate, key))
