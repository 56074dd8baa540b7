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

from corrente import _loop, _native, _serve
from corrente._lifespan import LifespanError

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

__all__ = ["Worker"]

#: A setting of Gunicorn's.
Foreign: TypeAlias = Any

#: Seconds between two signs of life, and two looks whether it is time to go.
ALIVE_EVERY = 1.0


class SettingError(Exception):
    """A setting that the worker cannot act on; one line that says which."""


class Worker(Base):  # type: ignore[misc, unused-ignore]  # Gunicorn has no types.
    """Serves on a Corrente loop; docs/guide/serve.md names the settings that it acts on."""

    _access_log: _native.AccessLog | None = None

    def run(self) -> None:
        """Serve until Gunicorn says stop."""
        ours = logging.getLogger("corrente")
        ours.handlers = self.log.error_log.handlers
        ours.setLevel(self.log.error_log.level)
        ours.propagate = False
        try:
            self._access_log = self._opened_access_log()
            operations = self._operations()
            with asyncio.Runner(loop_factory=_loop.new_event_loop) as runner:
                runner.run(self._serve(operations))
        except (LifespanError, SettingError, _serve.InterfaceError) as failure:
            self.log.error("%s", failure)
            # Another worker would not begin either: Gunicorn is to end.
            sys.exit(Arbiter.WORKER_BOOT_ERROR)
        finally:
            if self._access_log is not None:
                self._access_log.finish()

    def handle_usr1(self, sig: int, frame: FrameType | None) -> None:
        """Open logs again."""
        super().handle_usr1(sig, frame)
        if self._access_log is not None:
            self._access_log.reopen()

    async def _serve(self, operations: _native.Operations) -> None:
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
                signals=(),
                stoppable=self._stoppable,
                operations=operations,
                **self._settings(),
            )
        finally:
            alive.cancel()

    def _stoppable(self, stop: Callable[[], None]) -> None:
        """Stop at the first SIGTERM; what else ends a worker has Gunicorn's own handlers."""
        is_told = False

        def told() -> None:
            nonlocal is_told
            if not is_told:
                # Gunicorn says it to a worker that is too many every second until it has gone.
                is_told = True
                stop()

        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, told)

    def _opened_access_log(self) -> _native.AccessLog | None:
        target: str | None = self.cfg.accesslog
        if target is None:
            return None
        try:
            return _native.open_access_log(target, self.cfg.access_log_format, self.log.error)
        except ValueError as failure:
            raise SettingError(f"--access-logformat: {failure}") from None
        except OSError as failure:
            raise SettingError(f"--access-logfile {target}: {failure}") from None

    def _operations(self) -> _native.Operations:
        trusted = [*_listed(self.cfg.forwarded_allow_ips), "unix"]
        # Before Gunicorn 24.1 a truth.
        has_protocol = self.cfg.proxy_protocol not in (False, "off")
        if has_protocol:
            trusted += _listed(self.cfg.proxy_allow_ips)
            if self.cfg.is_ssl:
                raise SettingError("--proxy-protocol cannot be used together with --certfile")
        try:
            return _native.Operations(
                access_log=self._access_log,
                trusted_proxies=",".join(trusted),
                proxy_protocol="on" if has_protocol else "off",
            )
        except ValueError as failure:
            raise SettingError(f"--forwarded-allow-ips: {failure}") from None

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
        # Gunicorn asks for one within half of its timeout; 0 is none.
        pause = min(ALIVE_EVERY, self.timeout / 2 or ALIVE_EVERY)
        while True:
            self.notify()
            requests = sum(server.requests for server in served)
            # `alive` ends with a change of the code, where Gunicorn watches it.
            is_over = requests >= self.max_requests or not self.alive
            if (is_over or os.getppid() != self.ppid) and not is_told:
                self.log.info("worker %s goes: %d requests answered", self.pid, requests)
                is_told = True
                os.kill(os.getpid(), signal.SIGTERM)
            await asyncio.sleep(pause)


def _listed(addresses: str | list[str]) -> list[str]:
    """Give addresses as a list; older versions of Gunicorn have them as one text."""
    return addresses.split(",") if isinstance(addresses, str) else [*map(str, addresses)]
