"""Connections on which nothing is said for a while rest: a descriptor is kept, and no transport."""

from __future__ import annotations

import asyncio
import contextvars
from typing import TYPE_CHECKING

import pytest

import corrente

from .applications import respond, target
from .serving import Served
from .wire import request

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from .serving import Foreign

#: Seconds that no test reaches.
NEVER = 1000.0


@pytest.fixture
def serve_resting() -> Iterator[Callable[..., Served]]:
    """Give what serves an application on Corrente's loop, where every connection that can rests."""
    started: list[Served] = []

    def start(application: Foreign, **settings: Foreign) -> Served:
        settings = {"max_awake": 0, "rest_after": 0.0, "idle_timeout": NEVER, **settings}
        served = Served(corrente.new_event_loop, application, **settings)
        started.append(served)
        return served

    yield start
    for served in started:
        served.end()


def rest(served: Served, count: int = 1) -> None:
    """Wait until so many connections rest."""
    served.look_until(lambda: served.server.resting == count)


async def tell_ends(scope: Foreign, _receive: Foreign, send: Foreign) -> None:
    """Answer with both addresses."""
    await respond(send, f"{scope['client']} {scope['server']}".encode())


def transports(served: Served) -> int:
    """Count the transports of a server's loop."""
    return served.call(lambda: len(served.loop._transports))  # type: ignore[attr-defined]


def test_a_connection_that_rests_answers_its_next_request(
    serve_resting: Callable[..., Served],
) -> None:
    served = serve_resting(tell_ends)
    with served.client() as client:
        before = client.get().body
        for _ in range(2):
            rest(served)
            assert served.server.connections == 1
            assert transports(served) == 0
            assert client.get().body == before
            assert served.server.resting == 0
    assert served.server.requests == 3


def test_a_wsgi_application_is_told_the_same_after_a_rest(
    serve_resting: Callable[..., Served],
) -> None:
    def application(environ: Foreign, start_response: Foreign) -> list[bytes]:
        start_response("200 OK", [])
        return [f"{environ['REMOTE_ADDR']} {environ['REMOTE_PORT']}".encode()]

    served = serve_resting(application, interface="wsgi")
    with served.client() as client:
        before = client.get().body
        host, port = client.socket.getsockname()
        assert before == f"{host} {port}".encode()
        rest(served)
        assert client.get().body == before


def test_connections_wake_each_by_itself(serve_resting: Callable[..., Served]) -> None:
    served = serve_resting(target)
    clients = [served.client() for _ in range(5)]
    for client in clients:
        client.get()
    rest(served, 5)
    for number, client in enumerate(clients):
        assert client.get(f"/{number}").body == b"/%d" % number
        assert served.server.connections == 5
    for client in clients:
        client.socket.close()
    served.until(lambda: not served.server.connections)


def test_requests_after_a_rest_have_the_context_of_those_before() -> None:
    mark: contextvars.ContextVar[str] = contextvars.ContextVar("mark", default="lost")

    class Marked(Served):
        """A server that was made in a context of its own."""

        async def _begin(self) -> None:
            mark.set("kept")
            await super()._begin()

    async def tell_mark(_scope: Foreign, _receive: Foreign, send: Foreign) -> None:
        await respond(send, mark.get().encode())

    served = Marked(corrente.new_event_loop, tell_mark, max_awake=0, rest_after=0.0)
    try:
        with served.client() as client:
            assert client.get().body == b"kept"
            rest(served)
            assert client.get().body == b"kept"
    finally:
        served.end()


def test_none_rests_where_nobody_asked_for_it() -> None:
    served = Served(corrente.new_event_loop, target, rest_after=0.0)
    try:
        with served.client() as client:
            client.get()
            served.call(served.server.look)
            assert served.server.resting == 0
    finally:
        served.end()


def test_few_connections_do_not_rest(serve_resting: Callable[..., Served]) -> None:
    served = serve_resting(target, max_awake=2)
    with served.client() as first, served.client() as second, served.client() as third:
        for client in (first, second, third):
            client.get()
        rest(served, 1)
        served.call(served.server.look)
        assert served.server.resting == 1
        assert [one.get().status for one in (first, second, third)] == [200] * 3


def test_a_client_that_leaves_is_noticed_while_its_connection_rests(
    serve_resting: Callable[..., Served],
) -> None:
    served = serve_resting(target)
    with served.client() as client:
        client.get()
        rest(served)
    served.until(lambda: not served.server.connections)
    # Its number is given again: the loop has to know it as new.
    with served.client() as client:
        assert client.get().status == 200


def test_a_connection_that_rests_is_ended_when_it_was_idle_for_long(
    serve_resting: Callable[..., Served],
) -> None:
    served = serve_resting(target, idle_timeout=0.3)
    with served.client() as client:
        client.get()
        rest(served)
        served.look_until(lambda: not served.server.connections)
        assert client.is_ended()
    with served.client() as client:
        assert client.get().status == 200


def test_what_is_begun_does_not_rest(serve_resting: Callable[..., Served]) -> None:
    go_on = asyncio.Event()

    async def application(scope: Foreign, _receive: Foreign, send: Foreign) -> None:
        if scope["path"] == "/waits":
            await go_on.wait()
        await respond(send, b"here")

    served = serve_resting(application, head_timeout=NEVER)
    half = request("/")[:-2]
    with (
        served.client() as new,
        served.client() as waits,
        served.client() as sends,
        served.client() as idle,
    ):
        waits.send(request("/waits"))
        sends.get()
        sends.send(half)
        idle.get()
        rest(served)
        served.call(served.server.look)
        assert served.server.resting == 1
        served.call(go_on.set)
        assert waits.response().body == b"here"
        sends.send(b"\r\n")
        assert sends.response().status == 200
        assert new.get().status == 200


def test_a_server_that_ends_ends_connections_that_rest(
    serve_resting: Callable[..., Served],
) -> None:
    served = serve_resting(target)
    with served.client() as client, served.client() as asks:
        client.get()
        asks.get()
        rest(served, 2)
        served.call(served.listening.close)
        served.call(served.server.drain)
        # What is asked meanwhile is answered, for the last time.
        assert asks.get().header("connection") == "close"
        served.look_until(lambda: not served.server.connections)
        assert client.is_ended()


def test_connections_that_rest_are_cut_off(serve_resting: Callable[..., Served]) -> None:
    served = serve_resting(target)
    with served.client() as client:
        client.get()
        rest(served)
        served.call(served.server.abort)
        assert served.server.connections == 0
        assert client.is_ended()


def test_a_connection_that_is_being_woken_is_cut_off(serve_resting: Callable[..., Served]) -> None:
    served = serve_resting(target)
    loop: Foreign = served.loop
    real = loop._wake

    def wake(*arguments: Foreign) -> None:
        # In the next turn, before its transport begins.
        loop.call_soon(served.server.abort)
        real(*arguments)

    with served.client() as client:
        client.get()
        rest(served)
        loop._wake = wake
        client.send(request())
        assert client.is_ended()
    assert served.server.requests == 1


def test_a_loop_that_is_closed_closes_what_rests() -> None:
    served = Served(corrente.new_event_loop, target, max_awake=0, rest_after=0.0)
    with served.client() as client:
        client.get()
        rest(served)
        served.call(served.listening.close)
        served.loop.call_soon_threadsafe(served.loop.stop)
        served._thread.join()
        assert client.is_ended()


def test_a_connection_that_was_woken_has_more_patience(
    serve_resting: Callable[..., Served],
) -> None:
    served = serve_resting(target, rest_after=0.05)
    with served.client() as client:
        for patience in (0.05, 0.2):
            begun = served.loop.time()
            client.get()
            rest(served)
            assert served.loop.time() - begun >= patience


def test_on_other_loops_nothing_rests() -> None:
    served = Served(asyncio.SelectorEventLoop, target, max_awake=0, rest_after=0.0)
    try:
        with served.client() as client:
            client.get()
            served.call(served.server.look)
            assert served.server.resting == 0
            assert client.get().status == 200
    finally:
        served.end()
