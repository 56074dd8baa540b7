"""Frameworks: the route template that a request matched is the name of its endpoint.

Each function changes one framework where it finds a route. A framework that is not here, or whose
inside has changed, gets names from paths instead. One that is here tells so when it is imported:
what none of its routes wants shares a name, from the first request on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from corrente.gauge._foreign import Foreign, Function, replace, version_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from corrente._native import Recorder


def watch_werkzeug(recorder: Recorder, module: Foreign) -> None:
    """Flask and Quart: Werkzeug matches the URL and gives the rule."""
    recorder.know_routes()

    def make(original: Function) -> Function:
        def match(*args: Foreign, **details: Foreign) -> Foreign:
            found = original(*args, **details)
            # Without `return_rule` it is an endpoint's name: somebody asks what would match.
            rule = getattr(found[0], "rule", None)
            if isinstance(rule, str):
                recorder.name_endpoint(rule)
            return found

        return match

    replace(module.MapAdapter, "match", make)


def watch_django(recorder: Recorder, module: Foreign) -> None:
    """Django: the handler resolves the view, sync and async."""
    recorder.watch(f"django {version_of('django')}")
    recorder.know_routes()

    def make(original: Function) -> Function:
        def resolve_request(*args: Foreign, **details: Foreign) -> Foreign:
            found = original(*args, **details)
            recorder.name_endpoint(f"/{found.route}")
            return found

        return resolve_request

    replace(module.BaseHandler, "resolve_request", make)


def watch_starlette(recorder: Recorder, module: Foreign) -> None:
    """Starlette: a route that has matched is asked to handle the request."""
    recorder.know_routes()
    _watch_handle(recorder, module.Route)


def watch_fastapi(recorder: Recorder, module: Foreign) -> None:
    """FastAPI: its routes handle requests themselves, some without asking Starlette's."""
    recorder.watch(f"fastapi {version_of('fastapi')}")
    if "handle" in module.APIRoute.__dict__:
        _watch_handle(recorder, module.APIRoute)


def _watch_handle(recorder: Recorder, route: type) -> None:
    def make(original: Function) -> Function:
        def handle(self: Foreign, scope: Foreign, *args: Foreign, **details: Foreign) -> Foreign:
            recorder.name_endpoint(_mounted_path(scope, self))
            return original(self, scope, *args, **details)

        return handle

    replace(route, "handle", make)


def _mounted_path(scope: Foreign, route: Foreign) -> str:
    """Give the route's path behind that of its mount and of the router that includes it."""
    context = (scope.get("fastapi") or {}).get("effective_route_context")
    path: str = getattr(context, "path_format", None) or route.path_format
    root = scope.get("root_path", "")
    server = scope.get("app_root_path", root)
    mount: str = root[len(server) :] if root.startswith(server) else ""
    return mount + path


def watch_falcon(recorder: Recorder, module: Foreign) -> None:
    """Falcon: the responder comes with its template, or with none."""
    recorder.know_routes()

    def make(original: Function) -> Function:
        def get_responder(*args: Foreign, **details: Foreign) -> Foreign:
            found = original(*args, **details)
            if isinstance(found[3], str):
                recorder.name_endpoint(found[3])
            return found

        return get_responder

    replace(module.App, "_get_responder", make)


def _mention(name: str) -> Callable[[Recorder, Foreign], None]:
    """Note that a library is used: a prediction asks for the framework and for Requests."""

    def watch(recorder: Recorder, _module: Foreign) -> None:
        recorder.watch(f"{name} {version_of(name)}".strip())

    return watch


#: What is called when a module has been imported.
HOOKS: dict[str, Callable[[Recorder, Foreign], None]] = {
    "werkzeug.routing.map": watch_werkzeug,
    "django.core.handlers.base": watch_django,
    "starlette.routing": watch_starlette,
    "fastapi.routing": watch_fastapi,
    "falcon.app": watch_falcon,
    "flask.app": _mention("flask"),
    "quart.app": _mention("quart"),
    "starlette.applications": _mention("starlette"),
    "falcon.request": _mention("falcon"),
}
