"""What the native wrappers cost, without a server: CPU time of the thread, bare and wrapped in turns.

Called with a number of rounds and a folder; prints one JSON object of lists, a value a round.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from typing import TYPE_CHECKING, Any

from corrente._native import Recorder
from hello import app as flask

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

REQUESTS = 2_000
STEPS = 1_000
STEP_REQUESTS = 40

Chunk = "Callable[[Any], Awaitable[None]]"


def environ() -> dict[str, Any]:
    """Give an environment as a server makes one, anew for each request."""
    return {
        "REQUEST_METHOD": "GET",
        "PATH_INFO": "/",
        "QUERY_STRING": "",
        "SCRIPT_NAME": "",
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "wsgi.url_scheme": "http",
    }


def start_response(_status: str, _headers: object, _exc_info: object = None) -> None:
    """Take what a server would send."""


async def wsgi(app: Any) -> None:
    """Serve requests as a server of WSGI does."""
    for _ in range(REQUESTS):
        response = app(environ(), start_response)
        for _chunk in response:
            pass
        response.close()


async def hello(_scope: Any, _receive: Any, send: Any) -> None:
    """Answer as the smallest application does."""
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"Hello, World!"})


async def steps(_scope: Any, _receive: Any, _send: Any) -> None:
    """Step aside many times."""
    for _ in range(STEPS):
        await asyncio.sleep(0)


async def receive() -> dict[str, Any]:
    """Give nothing."""
    return {"type": "http.disconnect"}


async def send(_message: Any) -> None:
    """Take what a server would send."""


async def asgi(app: Any, requests: int) -> None:
    """Serve requests as a server of ASGI does."""
    for _ in range(requests):
        scope = {"type": "http", "method": "GET", "path": "/asgi", "headers": []}
        await app(scope, receive, send)


async def cost(chunk: Callable[[Any], Awaitable[None]], app: Any) -> int:
    """Give the CPU time of a chunk of requests, nanoseconds."""
    begun = time.thread_time_ns()
    await chunk(app)
    return time.thread_time_ns() - begun


async def main(rounds: int, folder: str) -> dict[str, list[float]]:
    """Measure both, in turns; each round another one begins."""
    recorder = Recorder(folder)
    kinds: dict[str, tuple[Any, Any, Any, int]] = {
        "wsgi": (wsgi, flask, recorder.wsgi(flask), REQUESTS),
        "asgi": (lambda app: asgi(app, REQUESTS), hello, recorder.asgi(hello), REQUESTS),
        "step": (
            lambda app: asgi(app, STEP_REQUESTS),
            steps,
            recorder.asgi(steps),
            STEP_REQUESTS * STEPS,
        ),
    }
    result: dict[str, list[float]] = {}
    for kind, (chunk, bare, wrapped, count) in kinds.items():
        for number in range(rounds):
            turns = [("bare", bare), ("wrapped", wrapped)]
            for name, app in turns if number % 2 else reversed(turns):
                spent = await cost(chunk, app) / count / 1e3
                result.setdefault(f"{kind}_{name}_us", []).append(spent)
    recorder.finish()
    return result


if __name__ == "__main__":
    json.dump(asyncio.run(main(int(sys.argv[1]), sys.argv[2])), sys.stdout)
