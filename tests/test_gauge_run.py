"""`corrente gauge run` with the servers and frameworks that people use, unchanged."""

from __future__ import annotations

import json
import re
import signal
import subprocess
from typing import TYPE_CHECKING

import pytest

import processes
from gauge_service import Document, Service, endpoint, python
from processes import wait_for
from tiny_lab import command

if TYPE_CHECKING:
    from collections.abc import Sequence

WSGI = """
import sqlite3, time

def app(environ, start_response):
    path = environ["PATH_INFO"]
    if path == "/fail":
        raise RuntimeError("broken")
    if path == "/wait":
        time.sleep(0.02)
    if path == "/query":
        database = sqlite3.connect(":memory:")
        for _ in range(3):
            database.execute("select 1").fetchall()
        database.close()
    body = b"hello"
    start_response("200 OK", [("Content-Length", str(len(body)))])
    return [body]
"""

ASGI = """
import asyncio

async def child():
    total = 0
    for number in range(200_000):
        total += number
    await asyncio.sleep(0)
    return total

async def app(scope, receive, send):
    if scope["type"] == "lifespan":
        while True:
            message = await receive()
            await send({"type": message["type"] + ".complete"})
            if message["type"].endswith("shutdown"):
                return
    if scope["path"] == "/wait":
        await asyncio.sleep(0.02)
    if scope["path"] == "/task":
        await asyncio.create_task(child())
    headers = [(b"content-length", b"5")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b"hello"})
"""

FLASK = """
from flask import Flask
app = Flask(__name__)

@app.get("/users/<int:user>")
def user(user):
    return f"user {user}"

@app.get("/stream")
def stream():
    return (word for word in ["a", "b", "c"])
"""

DJANGO = """
import sys
from django.conf import settings
settings.configure(ROOT_URLCONF=__name__, SECRET_KEY="x", ALLOWED_HOSTS=["*"])
from django.core.wsgi import get_wsgi_application
from django.http import HttpResponse
from django.urls import path
urlpatterns = [path("users/<int:user>/", lambda request, user: HttpResponse(f"user {user}"))]
app = get_wsgi_application()
"""

FASTAPI = """
from fastapi import APIRouter, FastAPI
app = FastAPI()
inner = APIRouter()

@inner.get("/users/{user}")
async def user(user: int):
    return user

@app.get("/plain/{name}")
def plain(name: str):
    return sum(range(200_000))

app.include_router(inner, prefix="/api")
"""

STARLETTE = """
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Mount, Route

async def user(request):
    return PlainTextResponse("user")

app = Starlette(routes=[Mount("/api", routes=[Route("/users/{user:int}", user)])])
"""

QUART = """
from quart import Quart
app = Quart(__name__)

@app.get("/users/<int:user>")
async def user(user):
    return f"user {user}"
"""

FALCON = """
import falcon, falcon.asgi

class User:
    def on_get(self, request, response, user):
        response.text = "user"

class AsyncUser:
    async def on_get(self, request, response, user):
        response.text = "user"

wsgi = falcon.App()
wsgi.add_route("/users/{user}", User())
asgi = falcon.asgi.App()
asgi.add_route("/users/{user}", AsyncUser())
"""

GUNICORN = python("-m", "gunicorn", "--bind", "127.0.0.1:0", "--no-control-socket")
UVICORN = python("-m", "uvicorn", "--port", "0", "--log-level", "warning")
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
            + "    execute_from_command_line([sys.argv[0], 'runserver', '--noreload', sys.argv[1]])\n",
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


def test_unknown_paths_share_a_name(service: Service) -> None:
    service.write("service.py", FLASK)
    service.start(*GUNICORN, "service:app")
    service.ask("/users/1")
    for number in range(3):
        assert service.ask(f"/wp-{number}.php")[0] == 404
    assert endpoint(service.recording(), "(no route)")["requests"] == 3


def test_a_killed_service_loses_at_most_the_last_second(service: Service) -> None:
    service.write("service.py", WSGI)
    service.start(*GUNICORN, "service:app")
    service.ask("/")
    service.wait_until_recorded()
    (part,) = service.parts()
    server = processes.marked(service.mark) & processes.naming("gunicorn")
    processes.kill(server - {service.process})
    # `gauge run` is told, merges what there is, and says that its command did not end well.
    assert service.wait() == 1
    (kept,) = service.read()["processes"]
    assert kept["pid"] == part["processes"][0]["pid"]
    assert endpoint(service.read(), "GET /")["requests"] == 1
    assert "was ended by signal 9" in service.errors.read_text(encoding="utf-8")


def test_greenlets_are_not_guessed_at(service: Service) -> None:
    service.write("service.py", WSGI)
    service.start(*GUNICORN, "-k", "gevent", "service:app")
    assert service.ask("/") == (200, b"hello")
    wait_for(lambda: "greenlets" in str(service.parts()), "the doubt", details=service.parts)
    # Without figures it is no success, and the recording says why.
    assert service.stop() == 1
    (process,) = service.read()["processes"]
    assert [doubt["code"] for doubt in process["cannot_tell"]] == ["greenlets"]
    assert process["server"]["worker"] == "ggevent"
    assert "gevent runs many requests in one thread" in service.errors.read_text(encoding="utf-8")


def test_workers_that_fork_are_merged(service: Service) -> None:
    service.write("service.py", WSGI)
    service.start(*GUNICORN, "-w", "3", "service:app")

    def all_have_served() -> bool:
        service.ask("/")
        return len(service.parts()) == 3

    wait_for(all_have_served, "three workers", details=service.parts)
    recording = service.recording()
    assert len({process["pid"] for process in recording["processes"]}) == 3
    assert endpoint(recording, "GET /")["requests"] == service.asked


def test_it_can_be_watched_while_it_is_made(service: Service) -> None:
    service.write("service.py", FLASK)
    service.start(*GUNICORN, "service:app")
    service.ask("/users/7")
    service.wait_until_recorded()
    words = command("gauge", "watch", str(service.made), "--lang", "en")
    once = subprocess.run(
        [*words, "--seconds", "0"], capture_output=True, text=True, timeout=30, check=True
    )
    assert re.search(r"GET /users/<int:user>\s+1 ", once.stdout), once.stdout
    with subprocess.Popen([*words, "--json"], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as live:
        assert live.stdout is not None
        figures = json.loads(live.stdout.readline())
        assert figures["endpoints"][0]["name"] == "GET /users/<int:user>"
        assert service.stop() == 0
        # It ends with the recording.
        _, said = live.communicate(timeout=30)
    assert (live.returncode, said) == (0, b"The recording has ended.\n")


def test_recording_is_switched_off_and_on(service: Service) -> None:
    service.write("service.py", WSGI)
    service.start(*GUNICORN, "service:app")
    service.ask("/")
    service.wait_until_recorded()
    service.tell(signal.SIGUSR2)
    wait_for(lambda: "switched_off" in str(service.parts()), "the end of recording")
    assert service.ask("/unseen") == (200, b"hello")
    service.tell(signal.SIGUSR2)

    def recorded_again() -> bool:
        service.ask("/again")
        return "/again" in str(service.parts())

    wait_for(recorded_again, "recording to go on")
    assert "/unseen" not in str(service.parts())


def test_the_table_is_printed(service: Service) -> None:
    service.write("service.py", FLASK)
    service.start(*GUNICORN, "service:app")
    service.ask("/users/7")
    service.recording()
    said = service.errors.read_text(encoding="utf-8")
    assert re.search(r"GET /users/<int:user>\s+1 ", said), said
    assert "gunicorn" in said
    assert "Recording written to" in said
