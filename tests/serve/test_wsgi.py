"""WSGI by PEP 3333, each application behind `wsgiref.validate` where it obeys the rules."""

from __future__ import annotations

import gc
import sys
import tempfile
import threading
import weakref
from typing import TYPE_CHECKING
from wsgiref.validate import validator

import pytest

from .applications import PLAIN, wsgi_echo
from .streams import Http2Client
from .wire import LIMIT_S, chunked, request

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from .serving import Foreign, Served


@pytest.fixture
def serve_wsgi(serve: Callable[..., Served]) -> Callable[..., Served]:
    """Give what serves an application of this interface."""

    def start(application: Foreign, **settings: Foreign) -> Served:
        return serve(application, interface="wsgi", **settings)

    return start


class Body:
    """Pieces that remember whether they were closed."""

    def __init__(self, pieces: Foreign) -> None:
        self._pieces = iter(pieces)
        self.asked = 0
        self.closed = 0

    def __iter__(self) -> Body:
        return self

    def __next__(self) -> bytes:
        self.asked += 1
        piece: bytes = next(self._pieces)
        return piece

    def close(self) -> None:
        """Count."""
        self.closed += 1


def test_the_environment_is_as_specified(serve_wsgi: Callable[..., Served]) -> None:
    seen: list[Foreign] = []

    def application(environ: Foreign, start_response: Foreign) -> list[bytes]:
        seen.append(dict(environ))
        start_response("200 OK", PLAIN)
        return [b""]

    served = serve_wsgi(validator(application))
    with served.client() as client:
        fields = ["Content-Type: a/b", "X-A: 1", "x-a: 2", "Cookie: a=1", "Cookie: b=2", "X_B: no"]
        client.send(request("/caf%C3%A9%2Fx?a=%20", *fields, method="POST", body=b"hello"))
        assert client.response().status == 200
        here = client.socket.getsockname()
    (environ,) = seen
    expected = {
        "REQUEST_METHOD": "POST",
        "SCRIPT_NAME": "",
        "PATH_INFO": "/caf\xc3\xa9/x",
        "QUERY_STRING": "a=%20",
        "CONTENT_TYPE": "a/b",
        "CONTENT_LENGTH": "5",
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": str(served.address[1]),
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "REMOTE_PORT": str(here[1]),
        "HTTP_HOST": "test",
        "HTTP_X_A": "1,2",
        "HTTP_COOKIE": "a=1; b=2",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.multithread": False,
        "wsgi.run_once": False,
    }
    assert {key: environ.get(key) for key in expected} == expected
    assert not [key for key in environ if key in ("HTTP_X_B", "HTTP_CONTENT_LENGTH")]


def test_names_that_clients_think_of_are_let_go(serve_wsgi: Callable[..., Served]) -> None:
    # CPython 3.12, and any without a GIL, keeps what is interned for ever.
    seen: list[str] = []

    def application(environ: Foreign, start_response: Foreign) -> list[bytes]:
        seen.extend(name for name in environ if "THOUGHT" in name)
        start_response("200 OK", PLAIN)
        return [b""]

    with serve_wsgi(application).client() as client:
        client.get("/", "X-Thought-Of: 1")
    assert seen == ["HTTP_X_THOUGHT_OF"]
    assert sys.intern("".join(["HTTP_X_", "THOUGHT_OF"])) is not seen[0]


@pytest.mark.parametrize("target", ["/shop/a", "/a"])
def test_the_root_is_no_part_of_the_path(serve_wsgi: Callable[..., Served], target: str) -> None:
    def application(environ: Foreign, start_response: Foreign) -> list[bytes]:
        start_response("200 OK", PLAIN)
        return [f"{environ['SCRIPT_NAME']} {environ['PATH_INFO']}".encode()]

    with serve_wsgi(validator(application), root_path="/shop").client() as client:
        assert client.get(target).body == b"/shop /a"


@pytest.mark.parametrize("size", [0, 5, 100_000, 3_000_000])
def test_a_body_is_read_in_every_way(serve_wsgi: Callable[..., Served], size: int) -> None:
    """The largest goes through a temporary file."""
    body = (b"0123456789abcde\n" * (size // 16 + 1))[:size]

    def application(environ: Foreign, start_response: Foreign) -> list[bytes]:
        stream = environ["wsgi.input"]
        found = stream.read(3) + stream.readline() + b"".join(stream.readlines(20))
        found += next(iter(stream), b"") + stream.read(size) + stream.read(1)
        start_response("200 OK", PLAIN)
        return [found]

    with serve_wsgi(validator(application)).client() as client:
        client.send(request(method="POST", body=body))
        assert client.response().body == body
        client.send(chunked(*(body[at : at + 65536] for at in range(0, size, 65536))))
        assert client.response().body == body


def test_a_body_that_has_no_place_is_refused(
    serve_wsgi: Callable[..., Served], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "missing"))
    served = serve_wsgi(wsgi_echo)
    # The last byte is the one that does not stay in memory.
    body = bytes(1024 * 1024 + 1)
    with served.client() as client:
        client.send(request(method="POST", body=body))
        refused = client.response()
        assert (refused.status, refused.header("connection")) == (507, "close")
    assert isinstance(served.expect_report("could not be kept"), FileNotFoundError)
    with Http2Client(served.address) as streams:
        stream = streams.ask(method="POST", ends=False)
        streams.upload(stream, body)
        assert streams.answer(stream).status == 507
        assert isinstance(served.expect_report("could not be kept"), FileNotFoundError)
        # The connection serves others.
        assert streams.get().status == 200


def test_a_body_that_nobody_reads(serve_wsgi: Callable[..., Served]) -> None:
    def application(_environ: Foreign, start_response: Foreign) -> list[bytes]:
        start_response("200 OK", PLAIN)
        return [b"done"]

    with serve_wsgi(application).client() as client:
        for _ in range(2):
            client.send(request(method="POST", body=b"x" * 3_000_000))
            assert client.response().body == b"done"


def test_continue_is_told_before_the_application_is_called(
    serve_wsgi: Callable[..., Served],
) -> None:
    with serve_wsgi(wsgi_echo).client() as client:
        client.send(request("/", "Expect: 100-continue", "Content-Length: 5", method="POST"))
        assert client.interim().status == 100
        client.send(b"hello")
        assert client.response().body == b"hello"
        assert client.get().status == 200


@pytest.mark.parametrize("pieces", [[], [b"one"], [b"", b"one", b"", b"two"]])
@pytest.mark.parametrize("length", ["said", "not said"])
def test_what_is_yielded_is_sent(
    serve_wsgi: Callable[..., Served], pieces: list[bytes], length: str
) -> None:
    bodies: list[Body] = []
    whole = b"".join(pieces)

    def application(_environ: Foreign, start_response: Foreign) -> Body:
        said = [("Content-Length", str(len(whole)))] if length == "said" else []
        start_response("200 OK", [*PLAIN, *said])
        bodies.append(Body(pieces))
        return bodies[-1]

    served = serve_wsgi(validator(application))
    with served.client() as client:
        for method in ("GET", "HEAD", "GET"):
            response = client.get(method=method)
            assert response.body == (b"" if method == "HEAD" else whole)
            if length == "said":
                assert response.header("content-length") == str(len(whole))
    served.until(lambda: [body.closed for body in bodies] == [1, 1, 1])


def test_a_generator_that_starts_late(serve_wsgi: Callable[..., Served]) -> None:
    def application(_environ: Foreign, start_response: Foreign) -> Iterator[bytes]:
        start_response("201 Created", PLAIN)
        yield b"one"
        yield b"two"

    with serve_wsgi(application).client() as client:
        response = client.get()
    assert response.status == 201
    assert response.chunks == [b"one", b"two"]


def test_write_sends_before_what_is_returned(serve_wsgi: Callable[..., Served]) -> None:
    def application(_environ: Foreign, start_response: Foreign) -> list[bytes]:
        write = start_response("200 OK", PLAIN)
        write(b"one ")
        write(b"two ")
        return [b"three"]

    with serve_wsgi(validator(application)).client() as client:
        for _ in range(2):
            assert client.get().body == b"one two three"


def test_a_piece_does_not_wait_for_the_next_one(serve_wsgi: Callable[..., Served]) -> None:
    has_come = threading.Event()

    def application(_environ: Foreign, start_response: Foreign) -> Iterator[bytes]:
        start_response("200 OK", PLAIN)
        yield b"one"
        assert has_come.wait(LIMIT_S)
        yield b"two"

    with serve_wsgi(application).client() as client:
        client.send(request())
        client.head()
        assert client.chunk() == b"one"
        has_come.set()
        assert client.chunk() == b"two"


def test_a_file_is_sent_by_its_wrapper(
    serve_wsgi: Callable[..., Served], tmp_path: Foreign
) -> None:
    content = b"0123456789" * 30_000
    (tmp_path / "file").write_bytes(content)
    files: list[Foreign] = []

    def application(environ: Foreign, start_response: Foreign) -> Foreign:
        files.append((tmp_path / "file").open("rb"))
        start_response("200 OK", [*PLAIN, ("Content-Length", str(len(content)))])
        return environ["wsgi.file_wrapper"](files[-1], 4096)

    served = serve_wsgi(application)
    with served.client() as client:
        for _ in range(2):
            assert client.get().body == content
    served.until(lambda: [file.closed for file in files] == [True, True])


def test_headers_may_be_replaced_with_an_exception(serve_wsgi: Callable[..., Served]) -> None:
    def application(_environ: Foreign, start_response: Foreign) -> list[bytes]:
        start_response("200 OK", [*PLAIN, ("X-A", "before")])
        try:
            raise ValueError("mine")
        except ValueError:
            start_response("500 Mine", PLAIN, sys.exc_info())
        return [b"replaced"]

    with serve_wsgi(validator(application)).client() as client:
        response = client.get()
    assert (response.status, response.all("x-a"), response.body) == (500, [], b"replaced")


def test_an_exception_after_the_headers_ends_the_connection(
    serve_wsgi: Callable[..., Served],
) -> None:
    def application(_environ: Foreign, start_response: Foreign) -> Iterator[bytes]:
        start_response("200 OK", PLAIN)
        yield b"one"
        try:
            raise ValueError("mine")
        except ValueError:
            start_response("500 Mine", PLAIN, sys.exc_info())

    served = serve_wsgi(application)
    with served.client() as client:
        client.send(request())
        with pytest.raises((EOFError, ConnectionError)):
            client.response()
    assert str(served.expect_report("raised an exception")) == "mine"


def test_a_slow_reader_is_waited_for(serve_wsgi: Callable[..., Served]) -> None:
    """Pieces are asked for as they are read, and other clients are served meanwhile."""
    bodies: list[Body] = []
    count = 2000

    def application(environ: Foreign, start_response: Foreign) -> Body | list[bytes]:
        start_response("200 OK", PLAIN)
        if environ["PATH_INFO"] == "/short":
            return [b"short"]
        bodies.append(Body(b"x" * 10_000 for _ in range(count)))
        return bodies[-1]

    served = serve_wsgi(application)
    with served.client(receive_buffer=10_000) as client, served.client() as other:
        client.send(request())
        client.head()
        assert other.get("/short").body == b"short"
        assert bodies[0].asked < count // 2
        assert other.get("/short").body == b"short"
        while (chunk := client.chunk()) is not None:
            assert chunk == b"x" * 10_000
        client.line()
        assert bodies[0].asked == count + 1
        served.until(lambda: bodies[0].closed == 1)
        assert client.get("/short").body == b"short"


def test_a_body_is_closed_when_its_reader_vanishes(serve_wsgi: Callable[..., Served]) -> None:
    bodies: list[Body] = []

    def application(_environ: Foreign, start_response: Foreign) -> Body:
        start_response("200 OK", PLAIN)
        bodies.append(Body(b"x" * 10_000 for _ in range(100_000)))
        return bodies[-1]

    served = serve_wsgi(application)
    client = served.client(receive_buffer=10_000)
    client.send(request())
    client.head()
    client.reset()
    served.until(lambda: bodies[0].closed == 1)
    assert bodies[0].asked < 50_000


def test_pipelined_requests_wait_for_a_slow_reader(serve_wsgi: Callable[..., Served]) -> None:
    def application(environ: Foreign, start_response: Foreign) -> Iterator[bytes]:
        start_response("200 OK", PLAIN)
        for _ in range(300):
            yield environ["PATH_INFO"].encode() * 1000

    with serve_wsgi(application).client(receive_buffer=10_000) as client:
        client.send(request("/1111") + request("/2222") + request("/3333"))
        for path in (b"/1111", b"/2222", b"/3333"):
            assert client.response().body == path * 300_000


def _raises(_environ: Foreign, _start_response: Foreign) -> list[bytes]:
    raise ValueError("mine")


def _raises_late(_environ: Foreign, start_response: Foreign) -> list[bytes]:
    start_response("200 OK", PLAIN)
    raise ValueError("mine")


def _does_not_start(_environ: Foreign, _start_response: Foreign) -> list[bytes]:
    return [b"body"]


def _does_not_start_or_speak(_environ: Foreign, _start_response: Foreign) -> list[bytes]:
    return []


def _returns_nothing(_environ: Foreign, start_response: Foreign) -> None:
    start_response("200 OK", PLAIN)


def _starts_twice(_environ: Foreign, start_response: Foreign) -> list[bytes]:
    start_response("200 OK", PLAIN)
    start_response("200 OK", PLAIN)
    return [b""]


def _yields_text(_environ: Foreign, start_response: Foreign) -> list[str]:
    start_response("200 OK", PLAIN)
    return ["text"]


def _has_a_wrong_status(_environ: Foreign, start_response: Foreign) -> list[bytes]:
    start_response("twohundred OK", PLAIN)
    return [b""]


def _has_a_wrong_header(_environ: Foreign, start_response: Foreign) -> list[bytes]:
    start_response("200 OK", [("X-A", "b\r\nX-Injected: c")])
    return [b""]


@pytest.mark.parametrize(
    ("application", "error"),
    [
        (_raises, ValueError),
        (_raises_late, ValueError),
        (_does_not_start, AssertionError),
        (_does_not_start_or_speak, AssertionError),
        (_returns_nothing, TypeError),
        (_starts_twice, AssertionError),
        (_yields_text, TypeError),
        (_has_a_wrong_status, ValueError),
        (_has_a_wrong_header, RuntimeError),
    ],
)
def test_a_broken_application_is_answered_with_500(
    serve_wsgi: Callable[..., Served], application: Foreign, error: type[Exception]
) -> None:
    served = serve_wsgi(application)
    with served.client() as client:
        response = client.get()
        assert response.status == 500
        assert response.all("x-injected") == []
        assert b"mine" not in response.body
        assert client.is_ended()
    assert isinstance(served.expect_report("the application raised an exception"), error)
    with served.client() as client:
        assert client.get().status == 500
    served.expect_report("the application raised an exception")


@pytest.mark.parametrize(("said", "sent"), [(3, 2), (3, 0)])
def test_an_application_that_yields_less_than_it_said(
    serve_wsgi: Callable[..., Served], said: int, sent: int
) -> None:
    def application(_environ: Foreign, start_response: Foreign) -> list[bytes]:
        start_response("200 OK", [*PLAIN, ("Content-Length", str(said))])
        return [b"x" * sent]

    served = serve_wsgi(application)
    with served.client() as client:
        client.send(request())
        with pytest.raises((EOFError, ConnectionError)):
            client.response()
    assert "bytes less" in str(served.expect_report("raised an exception"))


@pytest.mark.parametrize("threads", [1, 2])
def test_a_body_whose_closing_fails(serve: Callable[..., Served], threads: int) -> None:
    class Failing(Body):
        def close(self) -> None:
            super().close()
            raise ValueError("mine")

    def application(_environ: Foreign, start_response: Foreign) -> Body:
        start_response("200 OK", [*PLAIN, ("Content-Length", "3")])
        return Failing([b"12", b"3"])

    served = serve(application, interface="wsgi", threads=threads)
    with served.client() as client:
        for _ in range(2):
            assert client.get().body == b"123"
            assert str(served.expect_report("raised an exception")) == "mine"


def test_an_application_that_yields_more_than_it_said(serve_wsgi: Callable[..., Served]) -> None:
    body = Body([b"123", b"4", b"5"])

    def application(_environ: Foreign, start_response: Foreign) -> Body:
        start_response("200 OK", [*PLAIN, ("Content-Length", "3")])
        return body

    served = serve_wsgi(application)
    with served.client() as client:
        client.send(request())
        assert client.rest().partition(b"\r\n\r\n")[2] in (b"", b"123")
    assert "bytes more" in str(served.expect_report("raised an exception"))
    served.until(lambda: body.closed == 1)


def test_hints_come_before_the_response(serve_wsgi: Callable[..., Served]) -> None:
    links = ["</a.css>; rel=preload", "</b.js>; rel=preload"]
    go_on = threading.Event()

    def application(environ: Foreign, start_response: Foreign) -> Iterator[bytes]:
        environ["wsgi.early_hints"]([("Link", link) for link in links])
        start_response("200 OK", PLAIN)
        environ["wsgi.early_hints"]([("Link", links[1]), ("X-Other", "1")])
        assert go_on.wait(LIMIT_S)
        yield b"done"

    for settings in ({}, {"threads": 2}):
        go_on.clear()
        served = serve_wsgi(application, **settings)
        with served.client() as client:
            client.send(request())
            first, second = client.interim(), client.interim()
            go_on.set()
            response = client.response()
        assert (first.status, first.headers) == (103, [("link", one) for one in links])
        assert (second.all("link"), second.all("x-other")) == ([links[1]], ["1"])
        assert response.body == b"done"
        with Http2Client(served.address) as http2:
            answer = http2.get()
        assert [one.status for one in answer.interim] == [103, 103]
        assert [value for _, value in answer.interim[0].headers if value in links] == links
        assert answer.body == b"done"
        with served.client() as client:
            client.send(request(version="1.0"))
            assert client.response().interim == []


def test_hints_that_cannot_be_sent_are_errors(serve_wsgi: Callable[..., Served]) -> None:
    raised: list[BaseException] = []

    def application(environ: Foreign, start_response: Foreign) -> Iterator[bytes]:
        wrong: Foreign = [("Link", "a\r\nb")], [("Li nk", "a")], [("Link", b"a")], {}, [("Link",)]
        for hints in wrong:
            try:
                environ["wsgi.early_hints"](hints)
            except Exception as error:
                raised.append(error)
        start_response("200 OK", PLAIN)
        yield b"one"
        try:
            environ["wsgi.early_hints"]([("Link", "</a>")])
        except AssertionError as error:
            raised.append(error)

    with serve_wsgi(application).client() as client:
        response = client.get()
    assert (response.body, response.interim) == (b"one", [])
    assert len(raised) == 6
    assert "after the response had begun" in str(raised[-1])


def test_environs_that_are_kept_are_no_cycles(serve_wsgi: Callable[..., Served]) -> None:
    class Kept(dict[str, object]):
        """One that can be referred to weakly."""

    kept: list[weakref.ref[Kept]] = []

    def application(environ: Foreign, start_response: Foreign) -> list[bytes]:
        mine = Kept()
        environ["mine"] = mine
        kept.append(weakref.ref(mine))
        start_response("200 OK", PLAIN)
        return [b""]

    gc.disable()
    try:
        served = serve_wsgi(application)
        with served.client() as client:
            client.get()
        served.rest()
        assert kept[0]() is None
    finally:
        gc.enable()
