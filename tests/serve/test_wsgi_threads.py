"""WSGI in threads: requests overlap, answers come back in order, and nobody waits for ever."""

from __future__ import annotations

import threading
from contextlib import ExitStack
from typing import TYPE_CHECKING
from wsgiref.validate import validator

import pytest

from .applications import PLAIN, THREADS, wsgi_echo
from .wire import LIMIT_S, request

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from .serving import Foreign, Served


def _answer(start_response: Foreign, body: bytes) -> list[bytes]:
    start_response("200 OK", PLAIN)
    return [body]


def test_requests_overlap(serve_in_threads: Callable[..., Served]) -> None:
    together = threading.Barrier(THREADS)
    seen: list[Foreign] = []

    def application(environ: Foreign, start_response: Foreign) -> list[bytes]:
        seen.append((threading.current_thread(), environ["wsgi.multithread"]))
        together.wait(LIMIT_S)
        return _answer(start_response, b"met")

    served = serve_in_threads(validator(application))
    for _ in range(2):
        with ExitStack() as stack:
            clients = [stack.enter_context(served.client()) for _ in range(THREADS)]
            for client in clients:
                client.send(request())
            assert [client.response().body for client in clients] == [b"met"] * THREADS
    threads, flags = zip(*seen, strict=True)
    assert len(set(threads)) == THREADS, "threads are kept"
    assert {thread.name for thread in threads} == {f"corrente-wsgi-{n}" for n in (1, 2, 3)}
    assert set(flags) == {True}


def test_the_loop_goes_on_while_an_application_blocks(
    serve_in_threads: Callable[..., Served],
) -> None:
    may_end = threading.Event()

    def application(environ: Foreign, start_response: Foreign) -> list[bytes]:
        if environ["PATH_INFO"] == "/slow":
            assert may_end.wait(LIMIT_S)
        return _answer(start_response, environ["PATH_INFO"].encode())

    served = serve_in_threads(application)
    with served.client() as slow, served.client() as quick:
        slow.send(request("/slow") + request("/behind"))
        for _ in range(3):
            assert quick.get("/quick").body == b"/quick"
        may_end.set()
        assert [slow.response().body for _ in range(2)] == [b"/slow", b"/behind"]


@pytest.mark.parametrize("size", [0, 1, 100_000, 3_000_000])
def test_bodies_go_both_ways(serve_in_threads: Callable[..., Served], size: int) -> None:
    body = b"0123456789" * (size // 10) + b"x" * (size % 10)
    with serve_in_threads(wsgi_echo).client() as client:
        for _ in range(2):
            client.send(request(method="POST", body=body))
            assert client.response().body.endswith(body)


def test_a_piece_does_not_wait_for_the_next_one(serve_in_threads: Callable[..., Served]) -> None:
    has_come = threading.Event()

    def application(_environ: Foreign, start_response: Foreign) -> Iterator[bytes]:
        write = start_response("200 OK", PLAIN)
        write(b"zero")
        yield b"one"
        assert has_come.wait(LIMIT_S)
        yield b"two"

    with serve_in_threads(application).client() as client:
        client.send(request())
        client.head()
        assert [client.chunk(), client.chunk()] == [b"zero", b"one"]
        has_come.set()
        assert [client.chunk(), client.chunk()] == [b"two", None]


def test_a_slow_reader_is_waited_for(serve_in_threads: Callable[..., Served]) -> None:
    pieces = 2000
    given: list[int] = []

    def application(environ: Foreign, start_response: Foreign) -> Iterator[bytes]:
        start_response("200 OK", PLAIN)
        for number in range(0 if environ["PATH_INFO"] == "/other" else pieces):
            given.append(number)
            yield b"x" * 10_000

    served = serve_in_threads(application)
    with served.client(receive_buffer=8192) as client:
        client.send(request())
        client.head()
        # The application waits while other requests are answered again and again.
        for _ in range(50):
            with served.client() as other:
                assert other.get("/other").status == 200
        assert len(given) < pieces, "nothing holds it back"
        total = 0
        while (chunk := client.chunk()) is not None:
            total += len(chunk)
        assert total == pieces * 10_000


def test_a_client_that_vanishes_frees_the_thread(serve_in_threads: Callable[..., Served]) -> None:
    closed = threading.Event()

    def application(_environ: Foreign, start_response: Foreign) -> Iterator[bytes]:
        start_response("200 OK", PLAIN)
        try:
            while True:
                yield b"x" * 100_000
        finally:
            closed.set()

    served = serve_in_threads(application)
    client = served.client(receive_buffer=8192)
    client.send(request())
    client.head()
    client.reset()
    assert closed.wait(LIMIT_S)
    served.until(lambda: served.server.in_flight == 0)


@pytest.mark.parametrize("is_begun", [False, True])
def test_an_exception_is_reported(
    serve_in_threads: Callable[..., Served], is_begun: Foreign
) -> None:
    def application(_environ: Foreign, start_response: Foreign) -> Iterator[bytes]:
        start_response("200 OK", PLAIN)
        if is_begun:
            yield b"one"
        raise ValueError("mine")

    served = serve_in_threads(application)
    with served.client() as client:
        client.send(request())
        if is_begun:
            with pytest.raises((EOFError, ConnectionError)):
                client.response()
        else:
            assert client.response().status == 500
    assert str(served.expect_report("raised an exception")) == "mine"


def test_a_wrong_header_is_reported(serve_in_threads: Callable[..., Served]) -> None:
    def application(_environ: Foreign, start_response: Foreign) -> list[bytes]:
        start_response("200 OK", [("X-A", "b\r\nX-Injected: c")])
        return [b""]

    served = serve_in_threads(application)
    with served.client() as client:
        response = client.get()
    assert (response.status, response.all("x-injected")) == (500, [])
    assert isinstance(served.expect_report("raised an exception"), RuntimeError)


# Nobody may wait: who comes while a thread starts for him does not.
@pytest.mark.parametrize("queued", [0, 2])
def test_more_than_may_wait_are_refused(
    serve_in_threads: Callable[..., Served], queued: int
) -> None:
    may_end = threading.Event()
    running = threading.Semaphore(0)

    def application(_environ: Foreign, start_response: Foreign) -> list[bytes]:
        running.release()
        assert may_end.wait(LIMIT_S)
        return _answer(start_response, b"done")

    served = serve_in_threads(application, max_queued=queued)
    with ExitStack() as stack:
        clients = [stack.enter_context(served.client()) for _ in range(THREADS + queued)]
        for client in clients[:THREADS]:
            client.send(request())
        for _ in range(THREADS):
            assert running.acquire(timeout=LIMIT_S)
        for client in clients[THREADS:]:
            client.send(request())
        served.until(lambda: served.server.in_flight == THREADS + queued)
        with served.client() as refused:
            assert refused.get().status == 503
        may_end.set()
        assert [client.response().body for client in clients] == [b"done"] * (THREADS + queued)


def test_what_is_answered_is_answered_before_the_end(
    serve_in_threads: Callable[..., Served],
) -> None:
    may_end = threading.Event()
    begun = threading.Event()

    def application(_environ: Foreign, start_response: Foreign) -> list[bytes]:
        begun.set()
        assert may_end.wait(LIMIT_S)
        return _answer(start_response, b"done")

    served = serve_in_threads(application)
    with served.client() as client:
        client.send(request())
        assert begun.wait(LIMIT_S)
        served.call(served.server.drain)
        may_end.set()
        response = client.response()
        assert (response.body, response.header("connection")) == (b"done", "close")
        assert client.is_ended()


def test_threads_end_with_their_server(serve_in_threads: Callable[..., Served]) -> None:
    threads: list[threading.Thread] = []

    def application(_environ: Foreign, start_response: Foreign) -> list[bytes]:
        threads.append(threading.current_thread())
        return _answer(start_response, b"")

    served = serve_in_threads(application)
    with served.client() as client:
        client.get()
    served.call(served.server.end_threads)
    for thread in threads:
        thread.join(LIMIT_S)
        assert not thread.is_alive()
