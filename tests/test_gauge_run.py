"""`corrente gauge run` with the servers and frameworks that people use, unchanged."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

import processes
from gauge_programs import ASGI, DJANGO, FALCON, FASTAPI, FLASK, QUART, STARLETTE, WSGI
from gauge_service import GUNICORN, UVICORN, Document, Service, endpoint, python

if TYPE_CHECKING:
    from collections.abc import Sequence

HYPERCORN = python("-m", "hypercorn", "--bind", "127.0.0.1:0")
GRANIAN = python("-m", "granian", "--port", "{port}", "--host", "127.0.0.1")
WAITRESS = python("-m", "waitress", "--listen", "127.0.0.1:0")


def check_served(recording: Document, interface: str, server: str) -> None:
    """Look whether ten requests to / and one that waits are in it, and nothing but those."""
    assert recording["schema"] == "corrente.recording/1"
    plain, waits = endpoint(recording, "GET /"), endpoint(recording, "GET /wait")
    assert (plain["requests"], waits["requests"]) == (10, 1)
    assert {one["interface"] for one in recording["endpoints"]} == {interface}
    assert plain["statuses"] == {"2xx": 10}
    assert plain["bytes_sent"] == 50
    assert plain["cpu_ns"]["sum"] > 0
    assert waits["wall_ns"]["sum"] >= 20_000_000
    assert waits["cpu_ns"]["sum"] < 15_000_000
    served = {process["server"]["name"] for process in recording["processes"]}
    assert served == {server}
    assert [
        process["cannot_tell"] for process in recording["processes"] if process["cannot_tell"]
    ] == []
    for process in recording["processes"]:
        measured = sum(thread["request_cpu_ns"] for thread in process["threads"])
        by_kernel = sum(thread["cpu_ns"] for thread in process["threads"])
        assert 0 < measured <= by_kernel <= process["cpu_ns"] * 1.05
        assert process["machine"]["burn_rounds_per_ms"] > 100


@pytest.mark.parametrize(
    ("words", "server"),
    [
        pytest.param([*GUNICORN, "service:app"], "gunicorn", id="gunicorn-sync"),
        pytest.param(
            [*GUNICORN, "--threads", "4", "service:app"], "gunicorn", id="gunicorn-gthread"
        ),
        pytest.param([*GUNICORN, "-w", "2", "--preload", "service:app"], "gunicorn", id="preload"),
        pytest.param([*WAITRESS, "service:app"], "waitress", id="waitress"),
        pytest.param(
            [*GRANIAN, "--interface", "wsgi", "service:app"], "granian", id="granian-wsgi"
        ),
        pytest.param([*HYPERCORN, "service:app"], "hypercorn", id="hypercorn-wsgi"),
    ],
)
def test_servers_of_wsgi(service: Service, words: Sequence[str], server: str) -> None:
    service.write("service.py", WSGI)
    service.start(*with_port(words))
    for _ in range(10):
        assert service.ask("/") == (200, b"hello")
    service.ask("/wait")
    check_served(service.recording(), "wsgi", server)


@pytest.mark.parametrize(
    ("words", "server"),
    [
        pytest.param([*UVICORN, "service:app"], "uvicorn", id="uvicorn"),
        pytest.param([*HYPERCORN, "service:app"], "hypercorn", id="hypercorn"),
        pytest.param([*GRANIAN, "--interface", "asgi", "service:app"], "granian", id="granian"),
        pytest.param([*GUNICORN, "-k", "asgi", "service:app"], "gunicorn", id="gunicorn-asgi"),
        pytest.param(
            [*GUNICORN, "-k", "uvicorn.workers.UvicornWorker", "service:app"],
            "uvicorn",
            id="gunicorn-uvicorn",
        ),
    ],
)
def test_servers_of_asgi(service: Service, words: Sequence[str], server: str) -> None:
    service.write("service.py", ASGI)
    service.start(*with_port(words))
    for _ in range(10):
        assert service.ask("/") == (200, b"hello")
    service.ask("/wait")
    service.ask("/task")
    recording = service.recording()
    check_served(recording, "asgi", server)
    assert endpoint(recording, "GET /wait")["steps"]["sum"] >= 2
    # The task that the request started is the greatest part of what it costs.
    task = endpoint(recording, "GET /task")["cpu_ns"]["sum"]
    assert task > 3 * endpoint(recording, "GET /")["cpu_ns"]["max"]


def test_uvicorn_in_gunicorn_tells_how_many_workers_there_are(service: Service) -> None:
    # Uvicorn itself believes to be alone: a prediction from that was for one process.
    service.write("service.py", ASGI)
    service.start(*GUNICORN, "-w", "2", "-k", "uvicorn.workers.UvicornWorker", "service:app")
    service.ask("/")
    servers = [process["server"] for process in service.recording()["processes"]]
    assert {(one["name"], one["workers"]) for one in servers} == {("uvicorn", 2)}


def with_port(words: Sequence[str]) -> list[str]:
    """Give the words with a free port, for a server that cannot take one from the kernel."""
    return [word.replace("{port}", str(processes.free_port())) for word in words]


@pytest.mark.parametrize(
    ("program", "words", "path", "name"),
    [
        pytest.param(
            FLASK, [*GUNICORN, "service:app"], "/users/7", "GET /users/<int:user>", id="flask"
        ),
        pytest.param(
            DJANGO, [*GUNICORN, "service:app"], "/users/7/", "GET /users/<int:user>/", id="django"
        ),
        pytest.param(
            FASTAPI,
            [*UVICORN, "service:app"],
            "/api/users/7",
            "GET /api/users/{user}",
            id="fastapi",
        ),
        pytest.param(
            DJANGO.replace("wsgi", "asgi"),
            [*UVICORN, "service:app"],
            "/users/7/",
            "GET /users/<int:user>/",
            id="django-asgi",
        ),
        pytest.param(
            STARLETTE,
            [*UVICORN, "service:app"],
            "/api/users/7",
            "GET /api/users/{user}",
            id="starlette",
        ),
        pytest.param(
            QUART, [*HYPERCORN, "service:app"], "/users/7", "GET /users/<int:user>", id="quart"
        ),
        pytest.param(
            FALCON, [*GUNICORN, "service:wsgi"], "/users/7", "GET /users/{user}", id="falcon"
        ),
        pytest.param(
            FALCON, [*UVICORN, "service:asgi"], "/users/7", "GET /users/{user}", id="falcon-asgi"
        ),
        pytest.param(
            WSGI, [*GUNICORN, "service:app"], "/things/7?q=secret", "GET /things/{n}", id="by-path"
        ),
    ],
)
def test_frameworks_name_the_endpoint(
    service: Service, program: str, words: Sequence[str], path: str, name: str
) -> None:
    service.write("service.py", program)
    service.start(*words)
    assert service.ask(path)[0] == 200
    recording = service.recording()
    assert endpoint(recording, name)["requests"] == 1
    assert "secret" not in str(recording)


@pytest.mark.parametrize(
    ("program", "words", "server"),
    [
        pytest.param(
            FLASK,
            python("-m", "flask", "--app", "service", "run", "--port", "0"),
            "werkzeug",
            id="flask",
        ),
        pytest.param(
            DJANGO
            + "from django.core.management import execute_from_command_line\n"
            + "if __name__ == '__main__':\n"
            + "    words = [sys.argv[0], 'runserver', '--noreload', sys.argv[1]]\n"
            + "    execute_from_command_line(words)\n",
            python("service.py", "127.0.0.1:{port}"),
            "django runserver",
            id="django",
        ),
    ],
)
def test_the_servers_of_frameworks(
    service: Service, program: str, words: Sequence[str], server: str
) -> None:
    service.write("service.py", program)
    service.start(*with_port(words))
    service.ask("/users/7" if program is FLASK else "/users/7/")
    recording = service.recording()
    assert recording["processes"][0]["server"]["name"] == server
    assert recording["endpoints"][0]["name"].startswith("GET /users/<int:user>")


def test_a_plain_function_of_fastapi_runs_in_the_pool(service: Service) -> None:
    service.write("service.py", FASTAPI)
    service.start(*UVICORN, "service:app")
    service.ask("/plain/x")
    plain = endpoint(service.recording(), "GET /plain/{name}")
    assert plain["pool_calls"] == 1
    assert plain["pool_cpu_ns"] > 1_000_000


def test_a_streamed_response_is_whole_and_counted(service: Service) -> None:
    service.write("service.py", FLASK)
    service.start(*GUNICORN, "service:app")
    assert service.ask("/stream") == (200, b"abc")
    streamed = endpoint(service.recording(), "GET /stream")
    assert (streamed["bytes_sent"], streamed["abandoned"]) == (3, 0)


def test_an_exception_is_counted_and_answered_as_before(service: Service) -> None:
    service.write("service.py", WSGI)
    service.start(*GUNICORN, "service:app")
    assert service.ask("/fail")[0] == 500
    assert endpoint(service.recording(), "GET /fail")["exceptions"] == 1


def test_queries_are_calls_of_a_resource(service: Service) -> None:
    service.write("service.py", WSGI)
    service.start(*GUNICORN, "service:app")
    service.ask("/query")
    (calls,) = endpoint(service.recording(), "GET /query")["calls"]
    assert calls["resource"] == {"kind": "database", "driver": "sqlite3", "host": "(local)"}
    assert calls["per_request"]["sum"] == 3
    assert calls["runs"]["length"]["sum"] == 3


@pytest.mark.parametrize(
    ("program", "server", "app"),
    [
        pytest.param(FLASK, GUNICORN, "service:app", id="flask"),
        pytest.param(DJANGO, GUNICORN, "service:app", id="django"),
        pytest.param(FALCON, GUNICORN, "service:wsgi", id="falcon"),
        pytest.param(STARLETTE, UVICORN, "service:app", id="starlette"),
        pytest.param(QUART, UVICORN, "service:app", id="quart"),
    ],
)
def test_unknown_paths_share_a_name(
    service: Service, program: str, server: Sequence[str], app: str
) -> None:
    # From a process's first request on: a router is there before any of its routes has matched.
    service.write("service.py", program)
    service.start(*server, app)
    for number in range(3):
        assert service.ask(f"/wp-{number}.php")[0] == 404
    assert endpoint(service.recording(), "(no route)")["requests"] == 3
