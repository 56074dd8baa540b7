"""Who comes first: large bodies with what is behind them, and requests that wait for each other."""

from __future__ import annotations

import asyncio
import hashlib
import random
import threading
from typing import TYPE_CHECKING

import pytest

import corrente

from .applications import body_of, respond
from .serving import Foreign, Served
from .wire import LIMIT_S, request

if TYPE_CHECKING:
    from collections.abc import Callable

#: More than one read takes, whatever is read at once.
LARGE = random.Random(1).randbytes(3_000_000)


@pytest.mark.parametrize("turns", [0, 3], ids=["at once", "late"])
def test_large_bodies_come_whole_with_what_is_behind_them(
    serve: Callable[..., Served], turns: int
) -> None:
    async def digest(scope: Foreign, receive: Foreign, send: Foreign) -> None:
        async def later() -> Foreign:
            # What comes meanwhile waits for this.
            for _ in range(turns):
                await asyncio.sleep(0)
            return await receive()

        body = await body_of(later)
        found = scope["path"] + hashlib.sha256(body).hexdigest()
        await respond(send, found.encode())

    bodies = [LARGE, LARGE[:100_000], LARGE[:3], LARGE[5:]]
    asked = [request(f"/{number}/", method="POST", body=body) for number, body in enumerate(bodies)]
    with serve(digest).client() as client:
        sending = threading.Thread(target=client.send, args=(b"".join(asked),))
        sending.start()
        for number, body in enumerate(bodies):
            expected = f"/{number}/" + hashlib.sha256(body).hexdigest()
            assert client.response().body.decode() == expected
        sending.join(LIMIT_S)


def test_a_request_does_not_overtake_those_that_wait() -> None:
    free: asyncio.Queue[None] = asyncio.Queue()
    had: list[str] = []
    is_asked = threading.Event()

    async def takes(scope: Foreign, _receive: Foreign, send: Foreign) -> None:
        if scope["path"] == "/give":
            free.put_nowait(None)
        else:
            await free.get()
            had.append(scope["path"])
        await respond(send)

    served = Served(corrente.new_event_loop, takes)
    try:
        with served.client() as early, served.client() as giver, served.client() as late:
            for client in (giver, late):
                served.call(lambda: free.put_nowait(None))
                client.send(request("/known"))
                client.response()
            had.clear()
            early.send(request("/early"))
            served.until(lambda: served.server.in_flight == 1)
            # Both are there when the loop looks next, in this order.
            served.loop.call_soon_threadsafe(is_asked.wait, LIMIT_S)
            giver.send(request("/give"))
            late.send(request("/late"))
            is_asked.set()
            early.response()
            giver.response()
            giver.send(request("/give"))
            late.response()
        assert had == ["/early", "/late"]
    finally:
        served.end()
