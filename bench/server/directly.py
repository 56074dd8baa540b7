"""What a framework costs without a server: its application called again and again.

    python directly.py APPLICATION INTERFACE

Reads numbers of seconds from its standard input, calls the application for so long, and tells how
often and the processor time that it took: `{"calls": 1000, "cpu_s": 0.02}`. What the application
sends or gives goes nowhere.
"""

from __future__ import annotations

import asyncio
import importlib
import io
import json
import sys
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

#: Calls between two looks at the clock.
BATCH = 100
HEADERS = [(b"host", b"127.0.0.1:8000")]


def scope() -> dict[str, Any]:
    """Make the scope of a request, as a server has to for each."""
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.5"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": "/",
        "raw_path": b"/",
        "query_string": b"",
        "root_path": "",
        "headers": HEADERS,
        "client": ("127.0.0.1", 40_000),
        "server": ("127.0.0.1", 8000),
        "extensions": {},
    }


async def receive() -> dict[str, Any]:
    """Give an empty body."""
    return {"type": "http.request", "body": b"", "more_body": False}


async def send(_message: Any) -> None:
    """Take what is sent."""


async def call_asgi(application: Any) -> None:
    """Call it some times."""
    for _ in range(BATCH):
        await application(scope(), receive, send)


def environ() -> dict[str, Any]:
    """Make the environment of a request."""
    return {
        "REQUEST_METHOD": "GET",
        "SCRIPT_NAME": "",
        "PATH_INFO": "/",
        "QUERY_STRING": "",
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "8000",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "HTTP_HOST": "127.0.0.1:8000",
        "REMOTE_ADDR": "127.0.0.1",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": False,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }


def start_response(_status: str, _headers: Any, _error: Any = None) -> None:
    """Take the head."""


def call_wsgi(application: Any) -> None:
    """Call it some times."""
    for _ in range(BATCH):
        answer = application(environ(), start_response)
        b"".join(answer)
        close = getattr(answer, "close", None)
        if close is not None:
            close()


def measure(batch: Callable[[], None], seconds: float) -> dict[str, object]:
    """Call batches for so long."""
    end = time.perf_counter() + seconds
    calls = 0
    begin = time.process_time()
    while time.perf_counter() < end:
        batch()
        calls += BATCH
    return {"calls": calls, "cpu_s": time.process_time() - begin}


def main(name: str, interface: str) -> None:
    """Measure as often as is asked."""
    module, attribute = name.split(":")
    application = getattr(importlib.import_module(module), attribute)
    with asyncio.Runner() as runner:

        def batch() -> None:
            if interface == "asgi":
                coroutine: Coroutine[Any, Any, None] = call_asgi(application)
                runner.run(coroutine)
            else:
                call_wsgi(application)

        for line in sys.stdin:
            sys.stdout.write(json.dumps(measure(batch, float(line))) + "\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
