"""A server in a thread of its own: a test talks to it over sockets, and looks into it."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

from corrente import _native

from .wire import LIMIT_S, Client

if TYPE_CHECKING:
    from collections.abc import Callable

#: Applications, scopes and messages, which have no types of their own.
Foreign: TypeAlias = Any

Result = TypeVar("Result")


class Served:
    """An application that is served; what is wrong with it is remembered."""

    def __init__(
        self,
        make_loop: Callable[[], asyncio.AbstractEventLoop],
        application: Foreign,
        **settings: Foreign,
    ) -> None:
        self.reports: list[tuple[str, BaseException | None]] = []
        self.unhandled: list[dict[str, Any]] = []
        self._make_loop = make_loop
        self._application = application
        self._tls = settings.pop("ssl_context", None)
        self._settings = settings
        self._is_ready = threading.Event()
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="server", daemon=True)
        self._thread.start()
        assert self._is_ready.wait(LIMIT_S), "the server does not start"
        if self._failure is not None:
            raise self._failure

    def _run(self) -> None:
        self.loop = self._make_loop()
        self.loop.set_exception_handler(lambda _loop, context: self.unhandled.append(context))
        try:
            self.loop.run_until_complete(self._begin())
        except BaseException as failure:
            self._failure = failure
        self._is_ready.set()
        if self._failure is None:
            self.loop.run_forever()
        self.loop.close()

    async def _begin(self) -> None:
        self.server = _native.HttpServer(
            self._application, self.loop, self._report, **self._settings
        )
        factory: Foreign = self.server
        self.listening = await self.loop.create_server(factory, "127.0.0.1", 0, ssl=self._tls)
        self.address: tuple[str, int] = self.listening.sockets[0].getsockname()

    def _report(self, text: str, exception: BaseException | None) -> None:
        self.reports.append((text, exception))

    def client(self, **options: int) -> Client:
        """Connect to it."""
        return Client(self.address, **options)

    def call(self, work: Callable[[], Result]) -> Result:
        """Call something in the server's thread."""

        async def called() -> Result:
            return work()

        return asyncio.run_coroutine_threadsafe(called(), self.loop).result(LIMIT_S)

    def until(self, condition: Callable[[], bool]) -> None:
        """Wait until it is so; it is asked once a turn of the server's loop."""

        async def wait() -> None:
            while not condition():  # noqa: ASYNC110 - conditions of every kind
                await asyncio.sleep(0)

        asyncio.run_coroutine_threadsafe(wait(), self.loop).result(LIMIT_S)

    def rest(self) -> None:
        """Wait until nobody is connected and no application runs, and all is told of them."""
        self.until(lambda: not self.server.connections and self._runs_nothing())
        # Of a task that has ended the server hears a turn later.
        self.call(lambda: None)

    def _runs_nothing(self) -> bool:
        """Whether who asks this is the only task."""
        return len(asyncio.all_tasks(self.loop)) == 1

    def look_until(self, condition: Callable[[], bool]) -> None:
        """Wait until it is so, while the server looks for slow clients every turn."""

        def looked() -> bool:
            self.server.look()
            return condition()

        self.until(looked)

    def expect_report(self, text: str) -> BaseException | None:
        """Take the only report, which must say this."""
        self.until(lambda: bool(self.reports))
        (found, exception), *others = self.reports
        self.reports.clear()
        assert text in found, found
        assert not others, others
        return exception

    def end(self) -> None:
        """End it, and see that it has nothing left and nothing to complain of."""
        try:
            self.call(self.listening.close)
            self.call(self.server.drain)
            self.call(self.server.abort)
            self.until(lambda: not self.server.connections)
            assert self.server.in_flight == 0, "requests are counted that are over"
            self.until(self._runs_nothing)
        finally:
            self.loop.call_soon_threadsafe(self.loop.stop)
            self._thread.join(LIMIT_S)
        for text, exception in self.reports:
            raise AssertionError(text) from exception
        for context in self.unhandled:
            raise AssertionError(context["message"]) from context.get("exception")
