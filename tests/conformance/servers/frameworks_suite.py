"""Applications of frameworks on ours and on the server that their documentation names.

Each framework has the same routes (`apps/app_NAME.py`), as far as it has the means. The same client
asks both servers the same; what it notes of each answer has to be equal. What must differ between
any two servers is not noted: `date`, `server`, and how a body is framed.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import frameworks_client as client
from running_servers import running, versions

if TYPE_CHECKING:
    import argparse

APPS = Path(__file__).parent / "apps"
#: Letters of an answer that a result tells.
TOLD = 300


class Framework(NamedTuple):
    """A framework with an interface, and what its server is."""

    module: str
    package: str
    reference: str
    sockets: str = "none"


FRAMEWORKS = {
    "starlette": Framework("app_starlette", "starlette", "uvicorn", "own"),
    "fastapi": Framework("app_fastapi", "fastapi", "uvicorn", "own"),
    "quart": Framework("app_quart", "quart", "uvicorn", "own"),
    "litestar": Framework("app_litestar", "litestar", "uvicorn", "own"),
    "falcon-asgi": Framework("app_falcon_asgi", "falcon", "uvicorn", "own"),
    "sanic-asgi": Framework("app_sanic", "sanic", "uvicorn", "own"),
    "django-asgi": Framework("app_django_asgi", "django", "uvicorn"),
    "django-wsgi": Framework("app_django_wsgi", "django", "gunicorn"),
    "falcon-wsgi": Framework("app_falcon_wsgi", "falcon", "gunicorn"),
    "flask": Framework("app_flask", "flask", "gunicorn"),
}


def run(options: argparse.Namespace) -> dict[str, object]:
    """Ask every application on both servers."""
    tests: dict[str, dict[str, str]] = {}
    for name, framework in FRAMEWORKS.items():
        asks = [ask for ask in client.ASKS if framework.sockets == "own" or not ask.is_socket]
        asks = [ask for ask in asks if options.wants(f"{name}: {ask.name}")]
        if not asks:
            continue
        ours, theirs = (
            _asked(options, name, framework, server, asks)
            for server in ("corrente", framework.reference)
        )
        for ask in asks:
            tests[f"{name}: {ask.name}"] = _compared(name, ours[ask.name], theirs[ask.name])
    packages = {framework.package for framework in FRAMEWORKS.values()}
    return {
        "origin": "this project's applications and client",
        "versions": versions("uvicorn", "httptools", "websockets", "gunicorn", *sorted(packages)),
        "servers": {"corrente": tests},
    }


def _asked(
    options: argparse.Namespace,
    name: str,
    framework: Framework,
    server: str,
    asks: list[client.Ask],
) -> dict[str, object]:
    log = options.out / f"{name}-{server}.log"
    target = f"{framework.module}:application"
    with running(server, target, APPS, log) as port:
        return {ask.name: ask.noted(port) for ask in asks}


def _compared(name: str, ours: object, theirs: object) -> dict[str, str]:
    if ours == theirs:
        return {"group": name, "kind": "passed"}
    told = f"{json.dumps(ours)[:TOLD]} in place of {json.dumps(theirs)[:TOLD]}"
    return {"group": name, "kind": "failed", "detail": told}
