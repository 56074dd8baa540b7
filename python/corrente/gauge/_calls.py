"""Wrapping calls of drivers: between `begin_wait` and `end_wait`, or around an awaitable.

Whoever wraps says how the resource is found from the call's arguments. Finding it must not fail a
call: what cannot be told is a resource without a host.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from corrente._native import Recorder
    from corrente.gauge._foreign import Foreign, Function

#: Hosts that one driver may name in a process before all others share one name.
HOSTS_MAX = 100


class Resources:
    """The resources of one driver, by host and port."""

    def __init__(self, recorder: Recorder, kind: str, driver: str) -> None:
        self.recorder = recorder
        self._kind = kind
        self._driver = driver
        self._known: dict[tuple[Foreign, Foreign], int] = {}

    def at(self, host: Foreign, port: Foreign = None) -> int:
        """Give the number of the resource at a host. A path is a socket or file of this machine."""
        known = self._known.get((host, port))
        if known is None:
            known = self.recorder.resource(self._kind, self._driver, _named(host, port))
            if len(self._known) < HOSTS_MAX:
                self._known[host, port] = known
        return known


def _named(host: Foreign, port: Foreign) -> str:
    if isinstance(host, bytes):
        host = host.decode(errors="replace")
    if isinstance(port, bytes):
        port = port.decode(errors="replace")
    if not host or str(host).startswith(("/", "@")):
        return "(local)"
    return f"{host}:{port}" if port else str(host)


def call(resources: Resources, find: Callable[..., int]) -> Callable[[Function], Function]:
    """Make a wrapper of a synchronous call that counts."""
    return _between(resources.recorder, resources.recorder.begin_wait, find)


def part(resources: Resources, find: Callable[..., int]) -> Callable[[Function], Function]:
    """Make a wrapper of a synchronous call that is a part of one: connecting, reading a body."""
    return _between(resources.recorder, resources.recorder.begin_part, find)


def stepped_part(resources: Resources, find: Callable[..., int]) -> Callable[[Function], Function]:
    """Make a wrapper of a method that gives an iterator whose steps are parts of a call."""

    def make(original: Function) -> Function:
        step = part(resources, lambda _step, number: number)(lambda step, _number: step())

        def iterates(*args: Foreign, **details: Foreign) -> Iterator[Foreign]:
            number = find(*args, **details)
            following = iter(original(*args, **details)).__next__
            while True:
                try:
                    value = step(following, number)
                except StopIteration:
                    return
                yield value

        return iterates

    return make


def awaited(resources: Resources, find: Callable[..., int]) -> Callable[[Function], Function]:
    """Make a wrapper of a coroutine function whose calls count."""
    return _around(resources.recorder.wait, find)


def awaited_part(resources: Resources, find: Callable[..., int]) -> Callable[[Function], Function]:
    """Make a wrapper of a coroutine function whose calls are part of one."""
    return _around(resources.recorder.wait_part, find)


def _between(
    recorder: Recorder, begin: Callable[[int], None], find: Callable[..., int]
) -> Callable[[Function], Function]:
    # Taken out here: clients call one another, and each of them asks.
    is_noted, end = recorder.is_noted, recorder.end_wait

    def make(original: Function) -> Function:
        def waits(*args: Foreign, **details: Foreign) -> Foreign:
            if not is_noted():
                return original(*args, **details)
            begin(find(*args, **details))
            try:
                return original(*args, **details)
            finally:
                end()

        return waits

    return make


def _around(
    wait: Callable[[int, Foreign], Foreign], find: Callable[..., int]
) -> Callable[[Function], Function]:
    def make(original: Function) -> Function:
        def waits(*args: Foreign, **details: Foreign) -> Foreign:
            return wait(find(*args, **details), original(*args, **details))

        return waits

    return make


def safely(find: Callable[..., int], otherwise: int) -> Callable[..., int]:
    """Make a finder that never fails."""

    def found(*args: Foreign, **details: Foreign) -> int:
        try:
            return find(*args, **details)
        except Exception:
            # A call of the service is worth more than the name of its host.
            return otherwise

    return found
