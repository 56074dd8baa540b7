"""`Middleware(app)`: recording in one line, for services that `corrente gauge run` does not start.

It tells WSGI from ASGI by the application, and names endpoints by the routes of the frameworks that
are imported already. It watches no driver: calls of databases are seen with `gauge run` only. Where
that has a server record all requests, the middleware hands them on: they are counted once.
"""

from __future__ import annotations

import inspect
import sys
from typing import TYPE_CHECKING, Self

from corrente.gauge import _frameworks
from corrente.gauge._process import is_served, recorder, watch_safely, wrap_asgi, wrap_wsgi

if TYPE_CHECKING:
    import os

    from corrente.gauge._foreign import Foreign

#: Parameters of an ASGI application: scope, receive, send.
ASGI_PARAMETERS = 3


class Middleware:
    """Records what each request to `app` costs.

    Each process writes a file into `folder`; by default that is the one that `corrente gauge run`
    names, else `corrente.recording.d`. Of several in a process the first decides. Read it with
    `corrente gauge report FOLDER`.
    """

    def __new__(cls, app: Foreign, *, folder: str | os.PathLike[str] | None = None) -> Self:
        """Choose between the two interfaces."""
        del folder
        kind: type = cls
        if cls is Middleware:
            kind = _Asgi if _is_asgi(app) else _Wsgi
        made: Self = super().__new__(kind)
        return made

    def __init__(self, app: Foreign, *, folder: str | os.PathLike[str] | None = None) -> None:
        used = recorder(folder)
        for name, watch in _frameworks.HOOKS.items():
            module = sys.modules.get(name)
            if module is not None and name not in _watched:
                _watched.add(name)
                watch_safely(used, name, watch, module)
        self._plain = app
        self._recorded = self._wrap(app, used)

    @property
    def _app(self) -> Foreign:
        return self._plain if is_served() else self._recorded

    def _wrap(self, app: Foreign, used: Foreign) -> Foreign:
        raise NotImplementedError

    def __getattr__(self, name: str) -> Foreign:
        """Give what the application itself has."""
        if name in ("_plain", "_recorded"):
            raise AttributeError(name)
        return getattr(self._plain, name)


class _Wsgi(Middleware):
    """A middleware around a WSGI application."""

    def _wrap(self, app: Foreign, used: Foreign) -> Foreign:
        return wrap_wsgi(app, used)

    def __call__(self, environ: Foreign, start_response: Foreign) -> Foreign:
        """Answer a request."""
        return self._app(environ, start_response)


class _Asgi(Middleware):
    """A middleware around an ASGI application. Servers look for `async def __call__`."""

    def _wrap(self, app: Foreign, used: Foreign) -> Foreign:
        return wrap_asgi(app, used)

    async def __call__(self, scope: Foreign, receive: Foreign, send: Foreign) -> None:
        """Answer a request."""
        try:
            await self._app(scope, receive, send)
        finally:
            if scope["type"] == "lifespan":
                # Some servers end by a signal, and nothing of ours runs after that.
                recorder().flush()


#: Modules of frameworks that are watched in this process.
_watched: set[str] = set()


def _is_asgi(app: Foreign) -> bool:
    """Whether an application is called with scope, receive and send, and awaited."""
    function = app if inspect.isfunction(app) or inspect.ismethod(app) else type(app).__call__
    if inspect.iscoroutinefunction(function):
        return True
    try:
        parameters = list(inspect.signature(app).parameters.values())
    except (TypeError, ValueError):
        return False
    positional = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    needed = [one for one in parameters if one.kind in positional and one.default is one.empty]
    return len(needed) == ASGI_PARAMETERS
