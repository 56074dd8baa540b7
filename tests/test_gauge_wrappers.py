"""The native wrappers: what goes through them comes out as it was, and is recorded."""

from __future__ import annotations

import asyncio
import gc
import json
import os
import select
import tempfile
import weakref
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

import corrente
from corrente import _native
from corrente.gauge import Middleware, _frameworks, _middleware
from corrente.gauge._databases import watch_psycopg
from corrente.gauge._http import watch_http_client
from corrente.gauge._process import wrap_asgi
from gauge_service import Document, endpoint

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

Body = Any

#: Where the process's own recorder writes, which the first middleware makes.
FOLDER = tempfile.TemporaryDirectory()


@pytest.fixture
def recorder(tmp_path: Path) -> _native.Recorder:
    """Give a recorder that writes into the test's folder."""
    return _native.Recorder(tmp_path / "made")


def recording(recorder: _native.Recorder, folder: Path) -> Document:
    """End the recording and read it."""
    recorder.finish()
    (file,) = (folder / "made").glob("*.json")
    document: Document = json.loads(file.read_text(encoding="utf-8"))
    return document


def environ(**more: object) -> dict[str, object]:
    """Give as much of a WSGI environment as a test needs."""
    return {"REQUEST_METHOD": "GET", "PATH_INFO": "/"} | more


def start_response(
    _status: str, _headers: object, _exc_info: object = None
) -> Callable[..., object]:
    """Do as a server's does: give `write`."""
    return print


def wsgi(body: Body, status: str = "200 OK") -> Callable[[Any, Any], Body]:
    """Give an application that answers with this body."""

    def app(_environ: Any, start: Any) -> Body:  # noqa: ANN401 - any server's
        assert start(status, []) is print
        return body

    return app


@pytest.mark.parametrize("body", [[b"ab", b"c"], (b"abc",), []])
def test_a_list_passes_untouched(recorder: _native.Recorder, tmp_path: Path, body: Body) -> None:
    assert recorder.wsgi(wsgi(body))(environ(), start_response) is body
    plain = endpoint(recording(recorder, tmp_path), "GET /")
    assert (plain["requests"], plain["bytes_sent"]) == (1, sum(map(len, body)))
    assert plain["statuses"] == {"2xx": 1}


def test_a_file_wrapper_passes_untouched(recorder: _native.Recorder, tmp_path: Path) -> None:
    class FileWrapper:
        pass

    body = FileWrapper()
    more = {"wsgi.file_wrapper": FileWrapper}
    assert recorder.wsgi(wsgi(body))(environ(**more), start_response) is body
    assert endpoint(recording(recorder, tmp_path), "GET /")["requests"] == 1


def test_an_iterable_is_read_and_closed_once(recorder: _native.Recorder, tmp_path: Path) -> None:
    class Response:
        closed = 0

        def __iter__(self) -> Iterator[bytes]:
            yield b"ab"
            yield b"c"

        def close(self) -> None:
            self.closed += 1

    body = Response()
    response = recorder.wsgi(wsgi(body))(environ(), start_response)
    assert not hasattr(response, "__len__")
    assert list(response) == [b"ab", b"c"]
    response.close()
    assert body.closed == 1
    plain = endpoint(recording(recorder, tmp_path), "GET /")
    assert (plain["requests"], plain["bytes_sent"], plain["abandoned"]) == (1, 3, 0)


def test_a_length_is_kept(recorder: _native.Recorder) -> None:
    class Response:
        def __iter__(self) -> Iterator[bytes]:
            yield b"a"

        def __len__(self) -> int:
            return 1

    response = recorder.wsgi(wsgi(Response()))(environ(), start_response)
    assert len(response) == 1
    response.close()


def test_responses_of_several_types_keep_what_they_are(recorder: _native.Recorder) -> None:
    class Sized(list[bytes]):
        pass

    bodies = [iter([b"a"]), Sized([b"a"]), iter([b"a"]), Sized([b"a"])]

    def app(_environ: object, _start: object) -> Body:
        return bodies.pop(0)

    wrapped = recorder.wsgi(app)
    responses = [wrapped(environ(), start_response) for _ in range(4)]
    assert [hasattr(response, "__len__") for response in responses] == [False, True, False, True]


def test_an_exception_passes(recorder: _native.Recorder, tmp_path: Path) -> None:
    def app(_environ: object, _start: object) -> Body:
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        recorder.wsgi(app)(environ(), start_response)

    def late() -> Iterator[bytes]:
        yield b"a"
        raise KeyError("late")

    response = recorder.wsgi(wsgi(late()))(environ(), start_response)
    with pytest.raises(KeyError, match="late"):
        list(response)
    response.close()
    plain = endpoint(recording(recorder, tmp_path), "GET /")
    assert (plain["requests"], plain["exceptions"]) == (2, 2)


def test_a_response_that_is_dropped_is_abandoned(
    recorder: _native.Recorder, tmp_path: Path
) -> None:
    response = recorder.wsgi(wsgi(iter([b"a"])))(environ(), start_response)
    del response
    gc.collect()
    assert endpoint(recording(recorder, tmp_path), "GET /")["abandoned"] == 1


def test_the_work_of_a_generator_belongs_to_its_request(
    recorder: _native.Recorder, tmp_path: Path
) -> None:
    database = recorder.resource("database", "x", "y")

    def body() -> Iterator[bytes]:
        recorder.begin_wait(database)
        recorder.end_wait()
        yield b"a"

    response = recorder.wsgi(wsgi(body()))(environ(), start_response)
    list(response)
    response.close()
    (calls,) = endpoint(recording(recorder, tmp_path), "GET /")["calls"]
    assert calls["per_request"]["sum"] == 1


def scope(path: str = "/", kind: str = "http") -> dict[str, Any]:
    """Give as much of an ASGI scope as a test needs."""
    return {"type": kind, "method": "GET", "path": path, "headers": []}


async def receive() -> dict[str, Any]:
    """Give nothing."""
    return {"type": "http.disconnect"}


class Sent:
    """Keeps what was sent."""

    def __init__(self) -> None:
        self.messages: list[dict[str, Any]] = []

    async def __call__(self, message: dict[str, Any]) -> None:
        """Keep it."""
        await asyncio.sleep(0)
        self.messages.append(message)


async def answer(_scope: object, _receive: object, send: Any) -> None:  # noqa: ANN401 - any server's
    """Answer as an application does."""
    await send({"type": "http.response.start", "status": 201, "headers": []})
    await send({"type": "http.response.body", "body": b"ab", "more_body": True})
    await send({"type": "http.response.body", "body": b"c"})


def test_messages_pass(recorder: _native.Recorder, tmp_path: Path) -> None:
    sent = Sent()

    async def main() -> None:
        assert await recorder.asgi(answer)(scope(), receive, sent) is None

    asyncio.run(main())
    assert [message["type"] for message in sent.messages] == [
        "http.response.start",
        "http.response.body",
        "http.response.body",
    ]
    plain = endpoint(recording(recorder, tmp_path), "GET /")
    assert (plain["statuses"], plain["bytes_sent"]) == ({"2xx": 1}, 3)
    # Three times sent, each with one step aside.
    assert plain["steps"]["sum"] == 4


def test_what_is_no_http_passes_untouched(recorder: _native.Recorder) -> None:
    marker = object()

    def app(*_args: object) -> object:
        return marker

    for kind in ("lifespan", "websocket"):
        assert recorder.asgi(app)(scope(kind=kind), receive, Sent()) is marker


def test_a_task_may_be_made_of_it(recorder: _native.Recorder, tmp_path: Path) -> None:
    async def main() -> None:
        running = recorder.asgi(answer)(scope(), receive, Sent())
        assert running.__name__ == "answer"
        task = asyncio.create_task(running)
        await task
        assert "answer" in repr(task)

    asyncio.run(main())
    assert endpoint(recording(recorder, tmp_path), "GET /")["requests"] == 1


def test_results_and_exceptions_of_awaitables_pass(recorder: _native.Recorder) -> None:
    http = recorder.resource("http", "x", "y")
    results: list[object] = []

    async def gives(value: object) -> object:
        await asyncio.sleep(0)
        return value

    async def raises() -> None:
        await asyncio.sleep(0)
        raise KeyError("mine")

    async def app(_scope: object, _receive: object, _send: object) -> None:
        values = (None, 7, (1, 2), StopIteration(3), ValueError("a value"))
        results.extend([await recorder.wait(http, gives(value)) is value for value in values])
        with pytest.raises(KeyError, match="mine"):
            await recorder.wait(http, raises())
        together = await asyncio.gather(recorder.wait(http, gives(1)), gives(2))
        results.append(list(together) == [1, 2])

    async def main() -> None:
        await recorder.asgi(app)(scope(), receive, Sent())

    asyncio.run(main())
    assert results == [True] * 6


def test_calls_that_are_gathered_overlap(recorder: _native.Recorder, tmp_path: Path) -> None:
    http = recorder.resource("http", "x", "y")

    async def call() -> None:
        await recorder.wait(http, asyncio.sleep(0.01))

    async def app(_scope: object, _receive: object, _send: object) -> None:
        tasks = [asyncio.create_task(recorder.child(call())) for _ in range(3)]
        await asyncio.gather(*tasks)
        await call()

    async def main() -> None:
        await recorder.asgi(app)(scope(), receive, Sent())

    asyncio.run(main())
    plain = endpoint(recording(recorder, tmp_path), "GET /")
    (calls,) = plain["calls"]
    assert (calls["per_request"]["sum"], calls["overlapped"]) == (4, 3)
    assert plain["in_calls_ns"]["sum"] >= 20_000_000
    assert plain["in_calls_ns"]["sum"] < calls["call_ns"]["sum"]


def test_a_cancelled_request_is_abandoned(recorder: _native.Recorder, tmp_path: Path) -> None:
    async def app(_scope: object, _receive: object, _send: object) -> None:
        await asyncio.sleep(60)

    async def main() -> None:
        task = asyncio.create_task(recorder.asgi(app)(scope(), receive, Sent()))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())
    plain = endpoint(recording(recorder, tmp_path), "GET /")
    assert (plain["abandoned"], plain["exceptions"]) == (1, 0)


def test_a_wrapper_in_a_cycle_is_collected(recorder: _native.Recorder) -> None:
    class Holder:
        kept: object = None

    async def app(_scope: object, _receive: object, _send: object) -> None:
        await asyncio.sleep(0)

    holder = Holder()
    dead = weakref.ref(holder)
    message = scope() | {"holder": holder}
    holder.kept = recorder.asgi(app)(message, receive, Sent())
    holder.kept.close()  # type: ignore[attr-defined]
    del holder, message
    gc.collect()
    assert dead() is None


def test_a_child_of_a_fork_records_by_itself(recorder: _native.Recorder, tmp_path: Path) -> None:
    app = recorder.wsgi(wsgi([b"a"]))
    app(environ(), start_response)
    child = os.fork()
    if child == 0:
        recorder.after_fork()
        app(environ(PATH_INFO="/child"), start_response)
        recorder.finish()
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    recorder.finish()
    files = [json.loads(file.read_text("utf-8")) for file in (tmp_path / "made").glob("*.json")]
    names = {file["processes"][0]["pid"]: file["endpoints"][0]["name"] for file in files}
    assert names == {os.getpid(): "GET /", child: "GET /child"}


@pytest.mark.parametrize("app", [answer, Middleware(answer, folder=FOLDER.name)])
def test_the_middleware_knows_asgi(app: Any) -> None:  # noqa: ANN401 - both kinds
    middleware = Middleware(app)
    assert asyncio.iscoroutinefunction(type(middleware).__call__)


def test_the_middleware_knows_wsgi() -> None:
    middleware: Any = Middleware(wsgi([b"a"]))
    assert not asyncio.iscoroutinefunction(type(middleware).__call__)
    assert middleware(environ(), start_response) == [b"a"]


def test_the_middleware_does_not_count_what_a_parameter_may_be_left_to() -> None:
    def app(_environ: object, _start: object, _more: object = None) -> list[bytes]:
        return [b"a"]

    middleware: Any = Middleware(app, folder=FOLDER.name)
    assert middleware(environ(), start_response) == [b"a"]


def test_a_framework_that_has_changed_does_not_stop_the_service(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def watch(_recorder: object, module: Any) -> None:  # noqa: ANN401 - any framework
        module.no_such_router.match = None

    monkeypatch.setattr(_frameworks, "HOOKS", {"json": watch})
    monkeypatch.setattr(_middleware, "_watched", set())
    middleware: Any = Middleware(wsgi([b"a"]), folder=FOLDER.name)
    assert middleware(environ(), start_response) == [b"a"]


def test_the_handshake_of_tls_is_a_part_of_the_call(
    recorder: _native.Recorder, tmp_path: Path
) -> None:
    class Plain:
        host, port = "h", 443

        def connect(self) -> None:
            pass

        def request(self) -> None:
            self.connect()

        def getresponse(self) -> SimpleNamespace:
            return SimpleNamespace()

    class Secure(Plain):
        def connect(self) -> None:
            super().connect()
            select.select([], [], [], 0.03)

    class Response:
        def read(self) -> None:
            pass

        readinto = read1 = read

    module = SimpleNamespace(HTTPConnection=Plain, HTTPSConnection=Secure, HTTPResponse=Response)
    watch_http_client(recorder, module)

    def app(_environ: object, _start: object) -> list[bytes]:
        connection = Secure()
        connection.connect()
        connection.getresponse()
        return []

    recorder.wsgi(app)(environ(), start_response)
    (calls,) = endpoint(recording(recorder, tmp_path), "GET /")["calls"]
    assert calls["resource"]["host"] == "h:443"
    assert calls["continued_ns"] >= 30_000_000


def test_a_commit_of_nothing_is_no_call(recorder: _native.Recorder, tmp_path: Path) -> None:
    # Each use of a psycopg pool ends with one: a query counted as two calls.
    class Connection:
        pgconn = SimpleNamespace(host="db", port=5432, transaction_status=0)

        def wait(self) -> None:
            pass

        @classmethod
        def connect(cls) -> None:
            pass

        def execute(self) -> None:
            self.wait()

        def commit(self) -> None:
            self.wait()

        rollback = commit

    watch_psycopg(recorder, SimpleNamespace(Connection=Connection))
    # In no transaction, in one (libpq's PQTRANS_INTRANS), and in one that failed.
    states = {"/idle": 0, "/begun": 2, "/failed": 3}

    def app(environ: Any, _start: object) -> list[bytes]:  # noqa: ANN401 - any server's
        connection = Connection()
        connection.execute()
        connection.pgconn.transaction_status = states[environ["PATH_INFO"]]
        connection.commit()
        return []

    for path in states:
        recorder.wsgi(app)(environ(PATH_INFO=path), start_response)
    document = recording(recorder, tmp_path)
    calls = {path: endpoint(document, f"GET {path}")["calls"] for path in states}
    counts = {path: [one["per_request"]["sum"] for one in calls[path]] for path in states}
    assert counts == {"/idle": [1], "/begun": [2], "/failed": [2]}
    assert all(one[0]["entered"] for one in calls.values())


def test_stalls_of_our_loop_are_recorded_by_place(
    recorder: _native.Recorder, tmp_path: Path
) -> None:
    async def app(_scope: Any, _receive: Any, send: Any) -> None:  # noqa: ANN401 - any server's
        select.select([], [], [], 0.03)
        await send({"type": "http.response.start", "status": 200})
        await send({"type": "http.response.body"})

    async def served() -> None:
        wrapped = wrap_asgi(app, recorder)
        scope = {"type": "http", "method": "GET", "path": "/"}
        for _ in range(2):
            await asyncio.create_task(wrapped(scope, _nothing, _swallowed))
        # A stall is told when its turn has ended.
        await asyncio.sleep(0)

    async def _nothing() -> dict[str, object]:
        return {"type": "http.request"}

    async def _swallowed(_message: object) -> None:
        pass

    corrente.run(served())
    (process,) = recording(recorder, tmp_path)["processes"]
    stalls = [one for one in process["stalls"] if one["place"].endswith(".app")]
    assert sum(one["count"] for one in stalls) == 2
    first = stalls[0]
    assert "tests/test_gauge_wrappers.py:" in first["place"]
    assert sum(one["wall_ns"] for one in stalls) > 0.05e9
    assert sum(one["cpu_ns"] for one in stalls) < 0.02e9
    assert first["package"] == "select"
    assert first["system_call"] in {"select", "pselect6"}
