"""Servers: the application is wrapped where the server keeps it, after it has found out what it is.

Each function changes one server. What a server tells of itself (its worker, how many there are and
how many threads each has) goes into the recording: a prediction starts from there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from corrente.gauge._foreign import Foreign, Function, replace, version_of
from corrente.gauge._process import refuse, serve_asgi, serve_wsgi

if TYPE_CHECKING:
    from collections.abc import Callable

    from corrente._native import Recorder


def watch_gunicorn(recorder: Recorder, module: Foreign) -> None:
    """Gunicorn's workers, but for those that are a server of their own."""

    def make(original: Function) -> Function:
        def load_wsgi(self: Foreign) -> None:
            original(self)
            kind = type(self).__module__.rpartition(".")[2]
            _serve_gunicorn(recorder, self, kind)
            if kind in ("ggevent", "geventlet"):
                refuse(recorder, "gevent" if kind == "ggevent" else "eventlet")
            elif type(self).__module__.startswith("gunicorn.workers."):
                self.wsgi = serve_wsgi(self.wsgi, recorder)

        return load_wsgi

    replace(module.Worker, "load_wsgi", make)


def watch_gunicorn_asgi(recorder: Recorder, module: Foreign) -> None:
    """Gunicorn's own worker for ASGI."""

    def make(original: Function) -> Function:
        def load_wsgi(self: Foreign) -> None:
            original(self)
            _serve_gunicorn(recorder, self, "asgi")
            self.asgi = serve_asgi(self.asgi, recorder)

        return load_wsgi

    replace(module.ASGIWorker, "load_wsgi", make)


#: Processes of the Gunicorn that this one is a worker of; none in any other process.
_gunicorn_workers: list[int] = []


def _serve_gunicorn(recorder: Recorder, worker: Foreign, kind: str) -> None:
    configured = worker.cfg
    _gunicorn_workers[:] = [configured.workers]
    threads = configured.threads if kind == "gthread" else 1
    recorder.serve("gunicorn", version_of("gunicorn"), kind, configured.workers, threads)


def watch_waitress(recorder: Recorder, module: Foreign) -> None:
    """Waitress: one process, a pool of threads."""

    def make(original: Function) -> Function:
        def init(self: Foreign, application: Foreign, *args: Foreign, **details: Foreign) -> None:
            original(self, serve_wsgi(application, recorder), *args, **details)
            recorder.serve("waitress", version_of("waitress"), "threads", 1, self.adj.threads)

        return init

    replace(module.BaseWSGIServer, "__init__", make)


def watch_werkzeug(recorder: Recorder, module: Foreign) -> None:
    """Flask's own server."""

    def make(original: Function) -> Function:
        def init(
            self: Foreign,
            host: Foreign,
            port: Foreign,
            app: Foreign,
            *args: Foreign,
            **details: Foreign,
        ) -> None:
            original(self, host, port, serve_wsgi(app, recorder), *args, **details)
            kind = "threads" if self.multithread else "sync"
            threads = None if self.multithread else 1
            recorder.serve("werkzeug", version_of("werkzeug"), kind, 1, threads)

        return init

    replace(module.BaseWSGIServer, "__init__", make)


def watch_wsgiref(recorder: Recorder, module: Foreign) -> None:
    """Django's own server, and the standard library's."""

    def make(original: Function) -> Function:
        def set_app(self: Foreign, application: Foreign) -> None:
            original(self, serve_wsgi(application, recorder))
            from socketserver import ThreadingMixIn

            library = type(self).__module__.partition(".")[0]
            threaded = isinstance(self, ThreadingMixIn)
            name = "django runserver" if library == "django" else "wsgiref"
            kind, threads = ("threads", None) if threaded else ("sync", 1)
            version = version_of("django") if library == "django" else ""
            recorder.serve(name, version, kind, 1, threads)

        return set_app

    replace(module.WSGIServer, "set_app", make)


def watch_uvicorn(recorder: Recorder, module: Foreign) -> None:
    """Uvicorn: the configuration loads the application in each process."""

    def make(original: Function) -> Function:
        def load(self: Foreign) -> None:
            original(self)
            kind = "wsgi" if self.interface == "wsgi" else "asyncio"
            # As a worker of Gunicorn, Uvicorn knows of no other process than its own.
            workers = _gunicorn_workers[0] if _gunicorn_workers else self.workers
            recorder.serve("uvicorn", version_of("uvicorn"), kind, workers, 1)
            self.loaded_app = serve_asgi(self.loaded_app, recorder)

        return load

    replace(module.Config, "load", make)


def watch_uvicorn_end(recorder: Recorder, module: Foreign) -> None:
    """Uvicorn ends by raising the signal that stopped it again: nothing of ours runs after that."""

    def make(original: Function) -> Function:
        async def shutdown(*args: Foreign, **details: Foreign) -> Foreign:
            try:
                return await original(*args, **details)
            finally:
                recorder.flush()

        return shutdown

    replace(module.Server, "shutdown", make)


def watch_hypercorn(recorder: Recorder, module: Foreign) -> None:
    """Hypercorn: wrappers of its own around both kinds of applications."""

    def asgi(original: Function) -> Function:
        def init(self: Foreign, app: Foreign, *args: Foreign, **details: Foreign) -> None:
            original(self, serve_asgi(app, recorder), *args, **details)
            recorder.serve("hypercorn", version_of("hypercorn"), "asyncio", None, 1)

        return init

    def wsgi(original: Function) -> Function:
        def init(self: Foreign, app: Foreign, *args: Foreign, **details: Foreign) -> None:
            original(self, serve_wsgi(app, recorder), *args, **details)
            recorder.serve("hypercorn", version_of("hypercorn"), "wsgi", None, None)

        return init

    replace(module.ASGIWrapper, "__init__", asgi)
    replace(module.WSGIWrapper, "__init__", wsgi)


def watch_granian_asgi(recorder: Recorder, module: Foreign) -> None:
    """Granian's runner of ASGI applications."""
    _watch_granian(recorder, module, serve_asgi, ("asyncio", 1))


def watch_granian_wsgi(recorder: Recorder, module: Foreign) -> None:
    """Granian's runner of WSGI applications, in a pool of threads."""
    _watch_granian(recorder, module, serve_wsgi, ("threads", None))


def _watch_granian(
    recorder: Recorder,
    module: Foreign,
    wrap: Callable[[Foreign, Recorder], Foreign],
    worker: tuple[str, int | None],
) -> None:
    def make(original: Function) -> Function:
        def callback_wrapper(callback: Foreign, *args: Foreign, **details: Foreign) -> Foreign:
            kind, threads = worker
            recorder.serve("granian", version_of("granian"), kind, None, threads)
            return original(wrap(callback, recorder), *args, **details)

        return callback_wrapper

    replace(module, "_callback_wrapper", make)


#: What is called when a module has been imported.
HOOKS: dict[str, Callable[[Recorder, Foreign], None]] = {
    "gunicorn.workers.base": watch_gunicorn,
    "gunicorn.workers.gasgi": watch_gunicorn_asgi,
    "waitress.server": watch_waitress,
    "werkzeug.serving": watch_werkzeug,
    "wsgiref.simple_server": watch_wsgiref,
    "uvicorn.config": watch_uvicorn,
    "uvicorn.server": watch_uvicorn_end,
    "hypercorn.app_wrappers": watch_hypercorn,
    "granian.asgi": watch_granian_asgi,
    "granian.wsgi": watch_granian_wsgi,
}
