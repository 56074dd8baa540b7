"""A worker class for Gunicorn: `gunicorn -k corrente.gunicorn.Worker shop:app`.

Gunicorn keeps the processes and the sockets; each worker serves on a Corrente loop, ASGI and WSGI
alike. How to serve is in `corrente._serve`.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
from typing import TYPE_CHECKING, Any, TypeAlias

from gunicorn.arbiter import Arbiter
from gunicorn.sock import ssl_context
from gunicorn.workers.base import Worker as Base

from corrente import _loop, _serve
from corrente._lifespan import LifespanError

if TYPE_CHECKING:
    from corrente import _native

__all__ = ["Worker"]

#: A setting of Gunicorn's.
Foreign: TypeAlias = Any

#: Seconds between two signs of life, and two looks whether it is time to go.
ALIVE_EVERY = 1.0


class Worker(Base):  # type: ignore[misc, unused-ignore]  # Gunicorn has no types.
    """Serves on a Corrente loop; docs/guide/serve.md names the settings that it acts on."""

    def run(self) -> None:
        """Serve until Gunicorn says stop."""
        ours = logging.getLogger("corrente")
        ours.handlers = self.log.error_log.handlers
        ours.setLevel(self.log.error_log.level)
        ours.propagate = False
        try:
            with asyncio.Runner(loop_factory=_loop.new_event_loop) as runner:
                runner.run(self._serve())
        except LifespanError as failure:
            self.log.error("%s", failure)
            # Another worker would not begin either: Gunicorn is to end.
            sys.exit(Arbiter.WORKER_BOOT_ERROR)

    async def _serve(self) -> None:
        served: list[_native.HttpServer] = []
        alive = asyncio.get_running_loop().create_task(self._live(served), name="signs of life")
        try:
            await _serve.serve_here(
                self.wsgi,
                [one.sock for one in self.sockets],
                ssl_context=ssl_context(self.cfg) if self.cfg.is_ssl else None,
                graceful_timeout=float(self.cfg.graceful_timeout),
                backlog=self.cfg.backlog,
                ready=served.append,
                # The others have Gunicorn's own handlers, which end the process at once.
                signals=(signal.SIGTERM,),
                **self._settings(),
            )
        finally:
            alive.cancel()

    def _settings(self) -> dict[str, Foreign]:
        given: dict[str, Foreign] = {
            "threads": self.cfg.threads,
            "idle_timeout": float(self.cfg.keepalive),
            "max_headers": self.cfg.limit_request_fields,
        }
        # 0 is no limit to Gunicorn; ours stays then.
        if self.cfg.limit_request_line:
            given["max_target_bytes"] = self.cfg.limit_request_line
        return given

    async def _live(self, served: list[_native.HttpServer]) -> None:
        is_told = False
        while True:
            self.notify()
            requests = sum(server.requests for server in served)
            # `alive` ends with a change of the code, where Gunicorn watches it.
            is_over = requests >= self.max_requests or not self.alive
            if (is_over or os.getppid() != self.ppid) and not is_told:
                self.log.info("worker %s goes: %d requests answered", self.pid, requests)
                is_told = True
                os.kill(os.getpid(), signal.SIGTERM)
            await asyncio.sleep(ALIVE_EVERY)
