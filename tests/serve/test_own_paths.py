"""What the server answers itself: health, readiness, and metrics of one worker and of several."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

import pytest

from corrente import _metrics
from corrente._native import Operations
from corrente._own import Own

from .applications import respond
from .commands import LIMIT_S, Command, asked, program
from .wire import Client

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from .serving import Foreign, Served


async def plain(scope: Foreign, _receive: Foreign, send: Foreign) -> None:
    """Answer; a path is the status."""
    await respond(send, b"application", status=int(scope["path"][1:]))


def wsgi(_environ: Foreign, start_response: Foreign) -> list[bytes]:
    """Answer."""
    start_response("200 OK", [])
    return [b"application"]


def with_own(serve: Callable[..., Served], application: Foreign, **settings: Foreign) -> Served:
    """Serve an application with paths of the server's own."""
    own = Own(health="/health", ready="/ready", metrics="/metrics")
    own.operations = Operations(metrics="on", own_paths=own.paths, own=own)
    served = serve(application, operations=own.operations, **settings)
    own.server, own.loop = served.server, served.loop
    return served


@pytest.mark.parametrize(
    ("application", "settings"),
    [(plain, {}), (plain, {"root_path": "/shop"}), (wsgi, {"interface": "wsgi"})],
    ids=["asgi", "below a prefix", "wsgi"],
)
def test_they_are_answered_without_the_application(
    serve: Callable[..., Served], application: Foreign, settings: Foreign
) -> None:
    served = with_own(serve, application, **settings)
    with served.client() as client:
        assert client.get("/health?now").body == b"ok\n"
        found = client.get("/ready")
        assert (found.status, found.body) == (200, b"ready\n")
        assert found.header("cache-control") == "no-store"
        assert client.get("/health", method="HEAD").status == 200
        assert client.get("/health", method="DELETE").status == 405
        assert b"corrente_connections" in client.get("/metrics").body


def test_a_busy_worker_is_alive(serve: Callable[..., Served]) -> None:
    served = with_own(serve, plain, max_in_flight=0)
    with served.client() as client:
        assert client.get("/health").status == 200
        assert client.get("/200").status == 503


def test_it_is_not_ready_when_it_stops(serve: Callable[..., Served]) -> None:
    served = with_own(serve, plain)
    with served.client() as client:
        served.until(lambda: served.server.connections == 1)
        served.call(served.server.drain)
        # The first request of a connection is still answered.
        assert client.get("/ready").status == 503
        assert client.is_ended()


def test_a_client_that_has_asked_may_ask_once_more(serve: Callable[..., Served]) -> None:
    """Its next request may be on its way when the server is told to stop."""
    served = with_own(serve, plain)
    with served.client() as client:
        assert client.get("/200").status == 200
        served.call(served.server.drain)
        response = client.get("/ready")
        assert response.status == 503
        assert response.header("connection") == "close"
        assert client.is_ended()


def series(text: str) -> dict[str, float]:
    """Give the series of a text whose format is right."""
    found = {}
    family = ""
    for line in text.splitlines():
        if line.startswith("# HELP "):
            assert line.split(" ")[2] not in family.split(), f"{line} comes twice"
            family = f"{family} {line.split(' ')[2]}"
        elif not line.startswith("# TYPE "):
            name, value = line.rsplit(" ", 1)
            bare = re.sub(r"_(bucket|sum|count)$", "", name.partition("{")[0])
            assert family.split()[-1] in (bare, name.partition("{")[0]), line
            assert name not in found
            found[name] = float(value)
    return found


def test_what_is_counted(serve: Callable[..., Served]) -> None:
    served = with_own(serve, plain)
    with served.client() as client:
        for status in (200, 201, 404, 500):
            client.get(f"/{status}")
        client.send(b"nonsense\r\n\r\n")
        assert client.response().status == 400
    with served.client() as client:
        found = series(client.get("/metrics").body.decode())
    own = 'worker="0"'
    assert found[f'corrente_requests_total{{{own},class="2xx"}}'] == 2
    assert found[f'corrente_requests_total{{{own},class="4xx"}}'] == 2
    assert found[f'corrente_requests_total{{{own},class="5xx"}}'] == 1
    assert found[f"corrente_request_seconds_count{{{own}}}"] == 5
    assert found[f'corrente_request_seconds_bucket{{{own},le="+Inf"}}'] == 5
    assert found[f"corrente_request_seconds_sum{{{own}}}"] > 0
    assert found[f"corrente_sent_body_bytes_total{{{own}}}"] >= 4 * len(b"application")
    assert found[f"corrente_connections{{{own}}}"] == 1
    # The request for them is being answered.
    assert found[f"corrente_requests_in_flight{{{own}}}"] == 1
    is_ours = hasattr(served.loop, "prometheus")
    assert (f"corrente_loop_turns_total{{{own}}}" in found) == is_ours


def test_a_board_has_a_place_for_each_process() -> None:
    number = os.memfd_create("board")
    first = _metrics.Board(number, set())
    first.write("mine")
    assert first.place == 0
    assert list(first.others()) == []
    child = os.fork()
    if child == 0:
        try:
            second = _metrics.Board(os.dup(number), set())
            second.write("# HELP a A.\na 1\n")
            is_right = second.place == 1 and list(second.others()) == ["mine"]
            os._exit(0 if is_right else 1)
        except BaseException:
            os._exit(2)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    # It has ended, and its lock with it: its counts are not shown any more.
    assert list(first.others()) == []
    os.close(number)


def test_texts_are_one_text() -> None:
    one = '# HELP a A.\n# TYPE a counter\na{w="0"} 1\n# HELP b B.\n# TYPE b gauge\nb{w="0"} 2\n'
    two = '# HELP b B.\n# TYPE b gauge\nb{w="1"} 4\n# HELP a A.\n# TYPE a counter\na{w="1"} 3\n'
    assert _metrics.merged([one, two]) == (
        '# HELP a A.\n# TYPE a counter\na{w="0"} 1\na{w="1"} 3\n'
        '# HELP b B.\n# TYPE b gauge\nb{w="0"} 2\nb{w="1"} 4\n'
    )


def test_whoever_is_asked_tells_of_all_workers(tmp_path: Path) -> None:
    words = ("--workers", "2", "--metrics-path", "/metrics", "--health-path", "/health")
    with Command(tmp_path, "shop:app", *words) as command:
        url = command.url(2)
        assert asked(f"{url}/health") == "ok\n"
        asked(url)
        pattern = r'corrente_requests_total\{worker="(\d)",class="2xx"\} (\d+)'
        # The others' counts are those of the last second.
        while True:
            counts = dict(re.findall(pattern, asked(f"{url}/metrics")))
            if set(counts) == {"0", "1"}:
                break
        assert sum(map(int, counts.values())) >= 2
        command.stop()


STALLING = program(
    """
if scope["path"] == "/later":
    await asyncio.sleep(0)
if scope["path"] != "/quick":
    time.sleep(0.1)
await send({"type": "http.response.start", "status": 200, "headers": []})
await send({"type": "http.response.body", "body": b""})
""",
    before="import asyncio, time\n",
)


def test_a_stall_names_its_request(tmp_path: Path) -> None:
    with Command(tmp_path, "shop:app", "--stall-log", "50ms", text=STALLING) as command:
        with Client(command.address()) as client:
            client.get("/quick")
            client.get("/first")
            command.says(r"the event loop stalled for .* request GET /first: time\.sleep\(0\.1\)")
            client.get("/later?x=1")
            command.says(r"the event loop stalled for .* request GET /later: time\.sleep\(0\.1\)")
        command.stop()


def test_what_is_recorded_is_a_recording(tmp_path: Path) -> None:
    recording = tmp_path / "shop.recording"
    with Command(tmp_path, "shop:app", "--gauge", str(recording)) as command:
        with Client(command.address()) as client:
            for _ in range(20):
                assert client.get("/a").status == 200
        command.process.terminate()
        command.says("recorded: `corrente gauge report")
        assert command.process.wait(LIMIT_S) == 0
    assert '"endpoints"' in recording.read_text(encoding="utf-8")
    assert not (tmp_path / "shop.recording.d").exists()
