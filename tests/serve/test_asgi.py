"""ASGI 3 as its specification says: the scope, `receive()`, `send()`, and their order."""

from __future__ import annotations

import asyncio
import contextvars
import gc
import weakref
from typing import TYPE_CHECKING

import pytest

from corrente import _native

from .applications import body_of, respond
from .wire import request

if TYPE_CHECKING:
    from collections.abc import Callable

    from .serving import Foreign, Served


class Remembered:
    """An application that keeps its scopes, and answers with nothing."""

    def __init__(self) -> None:
        self.scopes: list[Foreign] = []

    async def __call__(self, scope: Foreign, _receive: Foreign, send: Foreign) -> None:
        """Answer."""
        self.scopes.append(scope)
        await respond(send)


def test_the_scope_is_as_specified(serve: Callable[..., Served]) -> None:
    remembered = Remembered()
    served = serve(remembered)
    with served.client() as client:
        client.get("/caf%C3%A9%2Fx/%zz?a=%20b&c", "X-Mixed: V1", "x-mixed: \xff", "Cookie: a=b")
        here = client.socket.getsockname()
    (scope,) = remembered.scopes
    headers = scope.pop("headers")
    assert [tuple(pair) for pair in headers] == [
        (b"host", b"test"),
        (b"x-mixed", b"V1"),
        (b"x-mixed", b"\xff"),
        (b"cookie", b"a=b"),
    ]
    assert tuple(scope.pop("client")) == here
    assert tuple(scope.pop("server")) == served.address
    assert set(scope.pop("extensions")) == {
        "http.response.early_hint",
        "http.response.pathsend",
        "http.response.trailers",
        "http.response.zerocopysend",
    }
    assert scope == {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.5"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": "/café/x/%zz",
        "raw_path": b"/caf%C3%A9%2Fx/%zz",
        "query_string": b"a=%20b&c",
        "root_path": "",
    }


def test_the_scope_of_other_requests(serve: Callable[..., Served]) -> None:
    remembered = Remembered()
    with serve(remembered).client() as client:
        client.send(request("http://other:80/p?q", method="OPTIONS"))
        client.response()
        client.send(request("*", method="OPTIONS"))
        client.response()
        client.get(method="QUERY")
        client.send(request("/last", version="1.0"))
        client.response()
    absolute, asterisk, unknown, old = remembered.scopes
    assert (absolute["method"], absolute["path"]) == ("OPTIONS", "/p")
    assert absolute["raw_path"] == b"/p"
    assert absolute["query_string"] == b"q"
    assert asterisk["path"] == "*"
    assert unknown["method"] == "QUERY"
    assert old["http_version"] == "1.0"


def test_requests_do_not_see_what_others_have_changed(serve: Callable[..., Served]) -> None:
    scopes: list[Foreign] = []
    shared = object()

    async def application(scope: Foreign, _receive: Foreign, send: Foreign) -> None:
        scopes.append(scope)
        assert "mine" not in scope
        assert "mine" not in scope["extensions"]
        assert scope["state"] == {"shared": shared}
        scope["mine"] = scope["extensions"]["mine"] = scope["state"]["mine"] = 1
        scope["headers"].append((b"mine", b"1"))
        scope["path"] = "/changed"
        await respond(send)

    with serve(application, state={"shared": shared}).client() as client:
        client.get("/same")
        client.get("/same")
    assert [len(scope["headers"]) for scope in scopes] == [2, 2]
    hash(scopes[0]["client"])
    hash(scopes[0]["server"])


def test_what_is_kept_of_a_request_is_of_no_other(serve: Callable[..., Served]) -> None:
    """`receive` and `send` are used again for another request where nobody has them any more."""
    kept: list[Foreign] = []
    seen: list[Foreign] = []
    weak: list[weakref.ref[Foreign]] = []

    async def application(scope: Foreign, receive: Foreign, send: Foreign) -> None:
        match scope["path"]:
            case "/keep":
                kept.append((receive, send))
            case "/look":
                weak.extend(map(weakref.ref, (receive, send)))
            case "/late":
                for earlier, late in kept:
                    seen.append(await earlier())
                    with pytest.raises(RuntimeError, match="after the response was complete"):
                        await late({"type": "http.response.body", "body": b"another's"})
        await respond(send)

    with serve(application).client() as client:
        for path in ("/", "/keep", "/", "/keep", "/look", "/", "/late"):
            assert client.get(path).status == 200
    assert len({id(method) for pair in kept for method in pair}) == 4
    assert seen == [{"type": "http.disconnect"}] * 2
    assert [found() for found in weak] == [None, None]


def test_receive_and_send_take_what_they_say(serve: Callable[..., Served]) -> None:
    async def application(_scope: Foreign, receive: Foreign, send: Foreign) -> None:
        with pytest.raises(TypeError, match="receive"):
            receive(1)
        with pytest.raises(TypeError, match="message"):
            send()
        with pytest.raises(TypeError, match="send"):
            send({}, {})
        await send(message={"type": "http.response.start", "status": 204})
        await send({"type": "http.response.body"})

    with serve(application).client() as client:
        assert client.get().status == 204


@pytest.mark.parametrize(
    ("target", "path"), [("/a", "/shop/a"), ("/shop/a", "/shop/a"), ("/shopping", "/shop/shopping")]
)
def test_the_path_begins_with_the_root(
    serve: Callable[..., Served], target: str, path: str
) -> None:
    """As the specification has it: whether or not a proxy has taken it off."""
    remembered = Remembered()
    with serve(remembered, root_path="/shop").client() as client:
        client.get(target)
    (scope,) = remembered.scopes
    assert scope["root_path"] == "/shop"
    assert scope["path"] == path
    assert scope["raw_path"] == path.encode()


def test_a_request_without_body_is_one_message(serve: Callable[..., Served]) -> None:
    messages: list[Foreign] = []

    async def application(_scope: Foreign, receive: Foreign, send: Foreign) -> None:
        messages.append(await receive())
        await respond(send)
        messages.append(await receive())
        messages.append(await receive())

    served = serve(application)
    with served.client() as client:
        client.get()
        client.get()
        served.until(lambda: len(messages) == 6)
    whole = {"type": "http.request", "body": b"", "more_body": False}
    end = {"type": "http.disconnect"}
    assert messages == [whole, end, end] * 2


def test_a_body_comes_as_it_is_sent(serve: Callable[..., Served]) -> None:
    messages: list[Foreign] = []

    async def application(_scope: Foreign, receive: Foreign, send: Foreign) -> None:
        while not messages or messages[-1]["more_body"]:
            messages.append(await receive())
        await respond(send)

    served = serve(application)
    with served.client() as client:
        client.send(request("/", "Content-Length: 5", method="POST") + b"he")
        served.until(lambda: len(messages) == 1)
        client.send(b"llo")
        client.response()
    assert all(message["type"] == "http.request" for message in messages)
    assert b"".join(message["body"] for message in messages) == b"hello"


def test_an_application_that_waits_is_told_that_the_client_has_gone(
    serve: Callable[..., Served],
) -> None:
    messages: list[Foreign] = []

    async def application(_scope: Foreign, receive: Foreign, send: Foreign) -> None:
        await receive()
        messages.append(await receive())
        messages.append(await receive())
        with pytest.raises(OSError, match="disconnected") as caught:
            await respond(send)
        assert isinstance(caught.value, _native.ClientDisconnectedError)
        messages.append(None)

    served = serve(application)
    client = served.client()
    client.send(request())
    served.until(lambda: served.server.in_flight == 1)
    client.reset()
    served.until(lambda: len(messages) == 3)
    assert messages[:2] == [{"type": "http.disconnect"}] * 2


def test_sending_to_a_client_that_has_gone_is_no_error_of_the_application(
    serve: Callable[..., Served],
) -> None:
    ended: list[BaseException] = []

    async def application(_scope: Foreign, _receive: Foreign, send: Foreign) -> None:
        await send({"type": "http.response.start", "status": 200})
        try:
            while True:
                await send({"type": "http.response.body", "body": b"x" * 1000, "more_body": True})
                await asyncio.sleep(0)
        except OSError as error:
            ended.append(error)
            raise

    served = serve(application)
    client = served.client()
    client.send(request())
    client.head()
    client.reset()
    served.until(lambda: bool(ended))


def test_a_body_that_ends_early_is_a_disconnect(serve: Callable[..., Served]) -> None:
    seen: list[str] = []

    async def application(_scope: Foreign, receive: Foreign, _send: Foreign) -> None:
        with pytest.raises(ConnectionError):
            await body_of(receive)
        seen.append("gone")

    served = serve(application)
    with served.client() as client:
        client.send(request("/", "Content-Length: 5", method="POST") + b"he")
        served.until(lambda: served.server.in_flight == 1)
    served.until(lambda: seen == ["gone"])


def test_many_may_wait_for_a_message(serve: Callable[..., Served]) -> None:
    async def application(_scope: Foreign, receive: Foreign, send: Foreign) -> None:
        waiting = [asyncio.create_task(receive()) for _ in range(3)]
        done, pending = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        (first,) = done
        assert first.result()["body"] == b"hello"
        assert len(pending) == 2
        await respond(send, b"done")
        for late in pending:
            assert await late == {"type": "http.disconnect"}

    served = serve(application)
    with served.client() as client:
        client.send(request("/", "Content-Length: 5", method="POST"))
        served.until(lambda: served.server.in_flight == 1)
        client.send(b"hello")
        assert client.response().body == b"done"


def test_who_waits_for_the_end_while_another_answers(serve: Callable[..., Served]) -> None:
    """As frameworks do: a task listens for `http.disconnect` while the response streams."""
    told: list[Foreign] = []

    async def listen(receive: Foreign) -> None:
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                told.append(message)
                return

    async def application(_scope: Foreign, receive: Foreign, send: Foreign) -> None:
        before = len(told)
        listening = asyncio.create_task(listen(receive))
        await send({"type": "http.response.start", "status": 200})
        for _ in range(3):
            await send({"type": "http.response.body", "body": b"x", "more_body": True})
            await asyncio.sleep(0)
            assert len(told) == before
        await send({"type": "http.response.body"})
        await listening

    served = serve(application)
    with served.client() as client:
        assert client.get().body == b"xxx"
        served.until(lambda: len(told) == 1)
        assert client.get().body == b"xxx"
        served.until(lambda: len(told) == 2)


def test_a_message_is_not_lost_with_a_task_that_was_cancelled(
    serve: Callable[..., Served],
) -> None:
    async def application(_scope: Foreign, receive: Foreign, send: Foreign) -> None:
        early = asyncio.get_running_loop().create_task(receive())
        early.cancel()
        with pytest.raises(asyncio.CancelledError):
            await early
        await respond(send, await body_of(receive))

    with serve(application).client() as client:
        client.send(request(method="POST", body=b"hello"))
        assert client.response().body == b"hello"


def test_waiting_with_a_limit_leaves_nothing_behind(serve: Callable[..., Served]) -> None:
    async def application(_scope: Foreign, receive: Foreign, send: Foreign) -> None:
        await receive()

        def futures() -> int:
            return sum(isinstance(one, asyncio.Future) for one in gc.get_objects())

        before = futures()
        for _ in range(100):
            waiting = asyncio.get_running_loop().create_task(receive())
            await asyncio.sleep(0)
            waiting.cancel()
            await asyncio.wait([waiting])
        del waiting
        assert futures() - before < 10
        await respond(send, b"done")

    with serve(application).client() as client:
        assert client.get().body == b"done"


def test_a_request_behind_another_has_nothing_of_its_context(
    serve: Callable[..., Served],
) -> None:
    mark: contextvars.ContextVar[str] = contextvars.ContextVar("mark")

    async def marks(scope: Foreign, _receive: Foreign, send: Foreign) -> None:
        found = mark.get("nothing")
        mark.set(scope["path"])
        await asyncio.sleep(0)
        await respond(send, found.encode())

    with serve(marks).client() as client:
        client.send(request("/one") + request("/two") + request("/three"))
        assert [client.response().body for _ in range(3)] == [b"nothing"] * 3


def test_tasks_are_asyncios_own(serve: Callable[..., Served]) -> None:
    async def application(_scope: Foreign, _receive: Foreign, send: Foreign) -> None:
        task = asyncio.current_task()
        assert isinstance(task, asyncio.Task)
        async with asyncio.timeout(20):
            await asyncio.sleep(0)
        assert asyncio.current_task() is task
        await respond(send, b"done")

    with serve(application).client() as client:
        assert client.get().body == b"done"


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
def test_a_body_may_be_any_bytes(
    serve: Callable[..., Served], kind: Callable[[bytes], Foreign]
) -> None:
    async def application(_scope: Foreign, _receive: Foreign, send: Foreign) -> None:
        await respond(send, kind(b"hello"), headers=iter([[b"X-A", b"b"]]))

    with serve(application).client() as client:
        response = client.get()
        assert response.body == b"hello"


def test_work_goes_on_after_the_response(serve: Callable[..., Served]) -> None:
    gate = asyncio.Event()
    done: list[str] = []

    async def application(scope: Foreign, _receive: Foreign, send: Foreign) -> None:
        await respond(send)
        if scope["path"] == "/slow":
            await gate.wait()
            done.append("slow")

    served = serve(application)
    with served.client() as client:
        client.get("/slow")
        client.get("/next")
        assert served.server.in_flight == 0
        served.call(gate.set)
        served.until(lambda: done == ["slow"])
