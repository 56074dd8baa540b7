"""ASGI's lifespan: an application is told when its server begins and ends.

asgi.readthedocs.io, "Lifespan Protocol". An application that knows no lifespan raises at its first
message, and is served all the same, unless it has to have one.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable

#: ASGI's applications and messages, which have no types of their own.
Foreign: TypeAlias = Any

logger = logging.getLogger("corrente.server")


class LifespanError(Exception):
    """The application said that it cannot begin, or end."""


class Lifespan:
    """One application's, from its startup to its shutdown."""

    def __init__(self, application: Callable[..., Foreign]) -> None:
        self._application = application
        self._messages: asyncio.Queue[Foreign] = asyncio.Queue()
        self._answers: asyncio.Queue[Foreign] = asyncio.Queue()
        self._task: asyncio.Task[None] | None = None
        self._has_begun = False
        self._failure: Exception | None = None
        #: What the application leaves for its requests.
        self.state: dict[str, Any] = {}

    async def begin(self, need: str = "auto") -> None:
        """Wait until the application has started. With `need` "on" it has to know lifespan.

        Raises:
            LifespanError: it said that it cannot, or knows none and has to.
        """
        self._task = asyncio.get_running_loop().create_task(self._run(), name="lifespan")
        answer = await self._tell("lifespan.startup")
        if answer["type"] == "lifespan.startup.complete":
            self._has_begun = True
            return
        if need == "on":
            why = "knows no lifespan" if self._failure is None else f"raised {self._failure!r}"
            raise LifespanError(f"the application {why}, and it has to have one (lifespan on)")

    async def end(self) -> None:
        """Wait until the application has ended.

        Raises:
            LifespanError: it said that it could not.
        """
        if self._task is None or self._task.done():
            return
        await self._tell("lifespan.shutdown")
        await asyncio.wait([self._task])

    async def _tell(self, kind: str) -> Foreign:
        self._messages.put_nowait({"type": kind})
        answer = await self._answers.get()
        if answer["type"] == f"{kind}.failed":
            said = answer.get("message") or "it gave no reason"
            raise LifespanError(f"the application failed at {kind}: {said}")
        return answer

    async def _run(self) -> None:
        scope = {
            "type": "lifespan",
            "asgi": {"version": "3.0", "spec_version": "2.0"},
            "state": self.state,
        }
        has_asked = False

        async def receive() -> Foreign:
            nonlocal has_asked
            has_asked = True
            return await self._messages.get()

        async def send(message: Foreign) -> None:
            self._answers.put_nowait(message)

        try:
            await self._application(scope, receive, send)
        except Exception as failure:
            if self._has_begun:
                text = f"{type(failure).__name__}: {failure}"
                logger.exception("the application's lifespan raised an exception")
                self._answers.put_nowait({"type": "lifespan.shutdown.failed", "message": text})
                return
            # ASGI: the server must go on, and send no lifespan events.
            self._failure = failure
            level = logging.WARNING if has_asked else logging.DEBUG
            text = "the application's lifespan raised an exception; it is served without"
            logger.log(level, text, exc_info=True)
        # It has returned: whoever waits for an answer need not wait any longer.
        self._answers.put_nowait({"type": "lifespan.complete"})
