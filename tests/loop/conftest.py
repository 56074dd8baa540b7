"""Every test of this folder runs twice: on asyncio's own loop and on Corrente's."""

from __future__ import annotations

import asyncio
import gc
import os
from typing import TYPE_CHECKING, Any

import pytest

import corrente

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Factory = Callable[[], asyncio.AbstractEventLoop]

FACTORIES: dict[str, Factory] = {
    "asyncio": asyncio.SelectorEventLoop,
    "corrente": corrente.new_event_loop,
}


@pytest.fixture(params=FACTORIES)
def make_loop(request: pytest.FixtureRequest) -> Factory:
    """Give what makes a loop, for tests that need more than one or their own end of it."""
    return FACTORIES[request.param]


@pytest.fixture
def loop(make_loop: Factory) -> Iterator[asyncio.AbstractEventLoop]:
    """Give a loop that is closed afterwards; whatever it has opened is gone then."""
    before = _descriptors()
    made = make_loop()
    yield made
    if not made.is_closed():
        _see_what_came(made)
    made.close()
    gc.collect()
    left = _descriptors() - before
    assert not left, f"left open: {[_target(descriptor) for descriptor in left]}"


@pytest.fixture
def unhandled(loop: asyncio.AbstractEventLoop) -> Iterator[list[dict[str, Any]]]:
    """Give what the exception handler was told; a test takes out what it expects."""
    told: list[dict[str, Any]] = []
    loop.set_exception_handler(lambda _loop, context: told.append(context))
    yield told
    assert not told, "the exception handler was told of what the test does not expect"


def _see_what_came(loop: asyncio.AbstractEventLoop) -> None:
    """Run two turns: what peers sent last, their end included, is read and dealt with."""
    for _ in range(2):
        loop.stop()
        loop.run_forever()


def _descriptors() -> set[int]:
    found = {int(name) for name in os.listdir("/proc/self/fd")}
    # The descriptor of the listing itself is gone by now.
    return {descriptor for descriptor in found if os.path.lexists(f"/proc/self/fd/{descriptor}")}


def _target(descriptor: int) -> str:
    return os.readlink(f"/proc/self/fd/{descriptor}")
