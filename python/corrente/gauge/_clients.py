"""Clients of other services and of caches: HTTP, Redis, memcached.

Requests and urllib3 come through `http.client`. A request counts until its headers are there; what
is read of its body later, and connecting, is part of it. Only host and port are kept of a URL.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from corrente.gauge._calls import Resources, awaited, awaited_part, call, part, safely
from corrente.gauge._foreign import Foreign, Function, replace, version_of
from corrente.gauge._loops import watch_anyio

if TYPE_CHECKING:
    from collections.abc import Callable

    from corrente._native import Recorder

#: Ports of URLs that name none.
PORTS = {"http": 80, "https": 443}


def watch_http_client(recorder: Recorder, module: Foreign) -> None:
    """`http.client`, and with it urllib, urllib3 and Requests."""
    recorder.watch("http.client")
    resources = Resources(recorder, "http", "http.client")
    local = resources.at(None)

    def find(self: Foreign, *_args: Foreign, **_details: Foreign) -> int:
        return resources.at(self.host, self.port)

    found = safely(find, local)

    def make(original: Function) -> Function:
        wait = call(resources, found)(original)

        def getresponse(self: Foreign, *args: Foreign, **details: Foreign) -> Foreign:
            response = wait(self, *args, **details)
            response._corrente_resource = found(self)
            return response

        return getresponse

    def of_response(self: Foreign, *_args: Foreign, **_details: Foreign) -> int:
        number: int = self._corrente_resource
        return number

    replace(module.HTTPConnection, "getresponse", make)
    for kind in _connections(module):
        replace(kind, "connect", part(resources, found))
    for name in ("read", "readinto"):
        replace(module.HTTPResponse, name, part(resources, safely(of_response, local)))


def watch_urllib3(recorder: Recorder, module: Foreign) -> None:
    """urllib3 connects in its own way."""
    resources = Resources(recorder, "http", "http.client")
    local = resources.at(None)

    def find(self: Foreign, *_args: Foreign, **_details: Foreign) -> int:
        return resources.at(self.host, self.port)

    for kind in _connections(module):
        replace(kind, "connect", part(resources, safely(find, local)))


def _connections(module: Foreign) -> list[type]:
    """Give the kinds of connections with a way of their own to connect: TLS has a handshake."""
    kinds = [getattr(module, name, None) for name in ("HTTPConnection", "HTTPSConnection")]
    return [kind for kind in kinds if kind is not None and "connect" in kind.__dict__]


def watch_httpx(recorder: Recorder, module: Foreign) -> None:
    """HTTPX and its successor httpx2."""
    library = module.__name__.partition(".")[0]
    recorder.watch(f"{library} {version_of(library)}")
    resources = Resources(recorder, "http", library)
    local = resources.at(None)

    def find(_self: Foreign, request: Foreign, *_args: Foreign, **_details: Foreign) -> int:
        url = request.url
        return resources.at(url.host, url.port or PORTS.get(url.scheme))

    found = safely(find, local)
    replace(module.Client, "send", call(resources, found))
    replace(module.AsyncClient, "send", awaited(resources, found))


def watch_aiohttp(recorder: Recorder, module: Foreign) -> None:
    """The client of aiohttp."""
    recorder.watch(f"aiohttp {version_of('aiohttp')}")
    resources = Resources(recorder, "http", "aiohttp")
    local = resources.at(None)

    def find(
        self: Foreign, _method: Foreign, url: Foreign, *_args: Foreign, **_details: Foreign
    ) -> int:
        built = self._build_url(url)
        return resources.at(built.host, built.port)

    def of_response(self: Foreign, *_args: Foreign, **_details: Foreign) -> int:
        return resources.at(self.url.host, self.url.port)

    replace(module.ClientSession, "_request", awaited(resources, safely(find, local)))
    response = module.ClientResponse
    replace(response, "read", awaited_part(resources, safely(of_response, local)))


def watch_redis(recorder: Recorder, module: Foreign) -> None:
    """redis-py."""
    _watch_redis(recorder, module, call)


def watch_redis_async(recorder: Recorder, module: Foreign) -> None:
    """redis-py's asyncio half."""
    _watch_redis(recorder, module, awaited)


def _watch_redis(
    recorder: Recorder,
    module: Foreign,
    kind: Callable[[Resources, Callable[..., int]], Callable[[Function], Function]],
) -> None:
    recorder.watch(f"redis {version_of('redis')}")
    resources = Resources(recorder, "cache", "redis")
    local = resources.at(None)

    def find(self: Foreign, *_args: Foreign, **_details: Foreign) -> int:
        told = self.connection_pool.connection_kwargs
        return resources.at(told.get("host"), told.get("port"))

    make = kind(resources, safely(find, local))
    replace(module.Redis, "execute_command", make)
    replace(module.Pipeline, "execute", make)


def watch_pymemcache(recorder: Recorder, module: Foreign) -> None:
    """The client pymemcache."""
    recorder.watch(f"pymemcache {version_of('pymemcache')}")
    resources = Resources(recorder, "cache", "pymemcache")
    local = resources.at(None)

    def find(self: Foreign, *_args: Foreign, **_details: Foreign) -> int:
        server = self.server
        return resources.at(*server[:2]) if isinstance(server, tuple) else local

    for name in ("_fetch_cmd", "_store_cmd", "_misc_cmd"):
        if hasattr(module.Client, name):
            replace(module.Client, name, call(resources, safely(find, local)))


#: What is called when a module has been imported.
HOOKS: dict[str, Callable[[Recorder, Foreign], None]] = {
    "http.client": watch_http_client,
    "urllib3.connection": watch_urllib3,
    "httpx._client": watch_httpx,
    "httpx2._client": watch_httpx,
    "aiohttp.client": watch_aiohttp,
    "redis.client": watch_redis,
    "redis.asyncio.client": watch_redis_async,
    "pymemcache.client.base": watch_pymemcache,
    "anyio.to_thread": watch_anyio,
}
