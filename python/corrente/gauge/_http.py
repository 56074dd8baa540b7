"""HTTP clients where programs enter them: Requests, urllib3 and `http.client` below them.

A call counts once, to whichever of them the program called, with all that it computes; what lies
below is a part of it. The body of a response may be read later, in pieces: that waits for the same
resource. Of a URL only host and port are kept, never a user, a path or a query.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from corrente.gauge._calls import HOSTS_MAX, Resources, call, part, safely
from corrente.gauge._foreign import Foreign, Function, replace, version_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from corrente._native import Recorder

#: Ports of URLs that name none.
PORTS = {"http": 80, "https": 443}

#: What a URL begins with, up to where its path would.
_ADDRESS = re.compile(r"\s*[a-zA-Z][a-zA-Z0-9+.-]*://[^/?#]*")


class Addresses:
    """The resources of a client, by the address that a URL begins with."""

    def __init__(self, resources: Resources) -> None:
        self._resources = resources
        self._known: dict[str, int] = {}

    def at(self, url: str) -> int:
        """Give the number of the resource at a URL that names its host; a `ValueError` if not."""
        found = _ADDRESS.match(url)
        if found is None:
            message = "the URL names no host"
            raise ValueError(message)
        address = found.group()
        known = self._known.get(address)
        if known is None:
            parts = urlsplit(address.strip())
            known = self._resources.at(parts.hostname, parts.port or PORTS.get(parts.scheme))
            if len(self._known) < HOSTS_MAX:
                self._known[address] = known
        return known


def watch_http_client(recorder: Recorder, module: Foreign) -> None:
    """`http.client`, and with it urllib."""
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
            # Its body belongs to the call that this one is a part of, and may be read after that.
            response._corrente_resource = recorder.open_resource(found(self))
            return response

        return getresponse

    replace(module.HTTPConnection, "getresponse", make)
    replace(module.HTTPConnection, "request", part(resources, found))
    for kind in _connections(module):
        replace(kind, "connect", part(resources, found))
    for name in ("read", "readinto", "read1"):
        replace(module.HTTPResponse, name, part(resources, safely(_resource_of, local)))


def _resource_of(response: Foreign, *_args: Foreign, **_details: Foreign) -> int:
    number: int = response._corrente_resource
    return number


def _connections(module: Foreign) -> list[type]:
    """Give the kinds of connections with a way of their own to connect: TLS has a handshake."""
    kinds = [getattr(module, name, None) for name in ("HTTPConnection", "HTTPSConnection")]
    return [kind for kind in kinds if kind is not None and "connect" in kind.__dict__]


def _urllib3(recorder: Recorder) -> Resources:
    recorder.enter("urllib3")
    return Resources(recorder, "http", "urllib3")


def watch_urllib3(recorder: Recorder, module: Foreign) -> None:
    """urllib3 connects in its own way."""
    resources = _urllib3(recorder)
    local = resources.at(None)

    def find(self: Foreign, *_args: Foreign, **_details: Foreign) -> int:
        return resources.at(self.host, self.port)

    for kind in _connections(module):
        replace(kind, "connect", part(resources, safely(find, local)))


def watch_urllib3_pools(recorder: Recorder, module: Foreign) -> None:
    """urllib3's pool of connections to one host."""
    recorder.watch(f"urllib3 {version_of('urllib3')}")
    resources = _urllib3(recorder)
    local = resources.at(None)

    def find(self: Foreign, *_args: Foreign, **_details: Foreign) -> int:
        return resources.at(self.host, self.port or PORTS.get(self.scheme))

    replace(module.HTTPConnectionPool, "urlopen", call(resources, safely(find, local)))


def watch_urllib3_manager(recorder: Recorder, module: Foreign) -> None:
    """urllib3's pools of any host."""
    resources = _urllib3(recorder)
    replace(module.PoolManager, "urlopen", call(resources, _at_url(resources, 2)))


def watch_urllib3_bodies(recorder: Recorder, module: Foreign) -> None:
    """Bodies that are read later. Pieces have a length of their own, which is waited for, too."""
    resources = _urllib3(recorder)

    def find(self: Foreign, *_args: Foreign, **_details: Foreign) -> int:
        return _resource_of(self._original_response)

    make = part(resources, safely(find, resources.at(None)))
    for name in ("read", "read1", "_update_chunk_length", "_handle_chunk"):
        if hasattr(module.HTTPResponse, name):
            replace(module.HTTPResponse, name, make)


def _requests(recorder: Recorder) -> Resources:
    recorder.enter("requests")
    return Resources(recorder, "http", "requests")


def watch_requests(recorder: Recorder, module: Foreign) -> None:
    """Requests: a call begins with its arguments, or with what was made of them before."""
    recorder.watch(f"requests {version_of('requests')}")
    resources = _requests(recorder)
    addresses = Addresses(resources)

    def prepared(_self: Foreign, request: Foreign, **_details: Foreign) -> int:
        return addresses.at(request.url)

    session = module.Session
    replace(session, "request", call(resources, _at_url(resources, 2)))
    replace(session, "send", call(resources, safely(prepared, resources.at(None))))


def watch_requests_functions(recorder: Recorder, module: Foreign) -> None:
    """`requests.get` and the others, which make a session for each call."""
    resources = _requests(recorder)
    replace(module, "request", call(resources, _at_url(resources, 1)))


def _at_url(resources: Resources, place: int) -> Callable[..., int]:
    """Find the resource by the argument `url`, which is at this place if it has no name."""
    addresses = Addresses(resources)

    def find(*args: Foreign, **details: Foreign) -> int:
        url = args[place] if len(args) > place else details["url"]
        return addresses.at(url.decode() if isinstance(url, bytes) else str(url))

    return safely(find, resources.at(None))


#: What is called when a module has been imported.
HOOKS: dict[str, Callable[[Recorder, Foreign], None]] = {
    "http.client": watch_http_client,
    "urllib3.connection": watch_urllib3,
    "urllib3.connectionpool": watch_urllib3_pools,
    "urllib3.poolmanager": watch_urllib3_manager,
    "urllib3.response": watch_urllib3_bodies,
    "requests.sessions": watch_requests,
    "requests.api": watch_requests_functions,
}
