"""What the server answers itself, in the application's place: health, readiness, metrics.

An application of both interfaces, since it stands beside one of either.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

from corrente import _metrics

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Coroutine

    from corrente import _native

#: ASGI's and WSGI's arguments, which have no types of their own.
Foreign: TypeAlias = Any

PLAIN = "text/plain; charset=utf-8"
METRICS = "text/plain; version=0.0.4; charset=utf-8"

#: What an ASGI application is called with: scope, receive, send.
_ASGI = 3


class Own:
    """The paths that are the server's own. A path that is `None` is the application's."""

    def __init__(
        self, *, health: str | None = None, ready: str | None = None, metrics: str | None = None
    ) -> None:
        answers = {health: self._healthy, ready: self._ready, metrics: self._metrics}
        self._answers: dict[str, Callable[[], tuple[int, str, str]]] = {
            path: answer for path, answer in answers.items() if path is not None
        }
        #: The server, as soon as it takes requests.
        self.server: _native.HttpServer | None = None
        self.operations: _native.Operations | None = None
        self.board: _metrics.Board | None = None
        self.loop: asyncio.AbstractEventLoop | None = None

    @property
    def paths(self) -> list[str]:
        """Which they are."""
        return list(self._answers)

    def __call__(self, *arguments: Foreign) -> Coroutine[Any, Any, None] | list[bytes]:
        """Answer by the interface that this is called with."""
        return self._asgi(*arguments) if len(arguments) == _ASGI else self._wsgi(*arguments)

    async def _asgi(self, scope: Foreign, _receive: Foreign, send: Foreign) -> None:
        # What it was asked for, without the prefix that a proxy has taken away.
        path = scope["raw_path"].decode("latin-1").removeprefix(scope["root_path"])
        status, kind, text = self._answered(scope["method"], path)
        headers = [(b"content-type", kind.encode()), (b"cache-control", b"no-store")]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": text.encode()})

    def _wsgi(self, environ: Foreign, start_response: Foreign) -> list[bytes]:
        path = environ["RAW_URI"].partition("?")[0]
        status, kind, text = self._answered(environ["REQUEST_METHOD"], path)
        start_response(f"{status} -", [("Content-Type", kind), ("Cache-Control", "no-store")])
        return [text.encode()]

    def _answered(self, method: str, path: str) -> tuple[int, str, str]:
        if method not in ("GET", "HEAD"):
            return 405, PLAIN, "expected GET or HEAD\n"
        return self._answers[path]()

    def _healthy(self) -> tuple[int, str, str]:
        return 200, PLAIN, "ok\n"

    def _ready(self) -> tuple[int, str, str]:
        if self.server is None or self.server.is_draining:
            return 503, PLAIN, "not ready\n"
        return 200, PLAIN, "ready\n"

    def _metrics(self) -> tuple[int, str, str]:
        others = () if self.board is None else self.board.others()
        return 200, METRICS, _metrics.merged([self.text(), *others])

    def text(self) -> str:
        """Give what this worker has counted."""
        counts = None if self.operations is None else self.operations.counts()
        if self.server is None or counts is None:
            return ""
        place = 0 if self.board is None else self.board.place
        return _metrics.text_of(self.server, counts, self.loop, str(place))
