"""Clients of other services and of caches: HTTP, Redis, memcached.

Those that stand on `http.client` are in `_http`. A request counts until its headers are there; what
is read of its body later is part of it. Only host and port are kept of a URL.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from corrente.gauge._calls import (
    Resources,
    awaited,
    awaited_part,
    call,
    safely,
    stepped_part,
)
from corrente.gauge._foreign import Foreign, Function, replace, version_of
from corrente.gauge._http import PORTS, Addresses
from corrente.gauge._loops import watch_anyio

if TYPE_CHECKING:
    from collections.abc import Callable

    from corrente._native import Recorder


def watch_httpx(recorder: Recorder, module: Foreign) -> None:
    """HTTPX and its successor httpx2."""
    library = module.__name__.partition(".")[0]
    recorder.watch(f"{library} {version_of(library)}")
    resources = Resources(recorder, "http", library)
    addresses = Addresses(resources)
    local = resources.at(None)

    def at(url: Foreign) -> int:
        return resources.at(url.host, url.port or PORTS.get(url.scheme))

    def prepared(_self: Foreign, request: Foreign, *_args: Foreign, **_details: Foreign) -> int:
        return at(request.url)

    def requesting(self: Foreign, *args: Foreign, **details: Foreign) -> int:
        url = args[1] if len(args) > 1 else details["url"]
        if isinstance(url, str) and "://" in url:
            return addresses.at(url)
        return at(self.base_url if isinstance(url, str) or url.is_relative_url else url)

    def keeping(original: Function) -> Function:
        def initialize(self: Foreign, *args: Foreign, **details: Foreign) -> None:
            original(self, *args, **details)
            # What it belongs to is being called, and it may be read after that.
            self._corrente_resource = recorder.open_resource(local)

        return initialize

    def of_stream(self: Foreign) -> int:
        number: int = self._corrente_resource
        return number

    recorder.enter(library)
    found = safely(prepared, local)
    replace(module.Client, "request", call(resources, safely(requesting, local)))
    replace(module.Client, "send", call(resources, found))
    replace(module.AsyncClient, "send", awaited(resources, found))
    if hasattr(module, "BoundSyncStream"):
        stream = module.BoundSyncStream
        replace(stream, "__init__", keeping)
        replace(stream, "__iter__", stepped_part(resources, safely(of_stream, local)))


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
    "httpx._client": watch_httpx,
    "httpx2._client": watch_httpx,
    "aiohttp.client": watch_aiohttp,
    "redis.client": watch_redis,
    "redis.asyncio.client": watch_redis_async,
    "pymemcache.client.base": watch_pymemcache,
    "anyio.to_thread": watch_anyio,
}
