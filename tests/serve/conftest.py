"""What is served in the tests' process is served twice: on Corrente's loop and on asyncio's."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

import corrente

from .applications import THREADS
from .serving import Foreign, Served

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

FACTORIES: dict[str, Callable[[], asyncio.AbstractEventLoop]] = {
    "corrente": corrente.new_event_loop,
    "asyncio": asyncio.SelectorEventLoop,
}


@pytest.fixture(params=FACTORIES)
def serve(request: pytest.FixtureRequest) -> Iterator[Callable[..., Served]]:
    """Give what serves an application; all is ended and looked at afterwards."""
    started: list[Served] = []

    def start(application: Foreign, **settings: Foreign) -> Served:
        served = Served(FACTORIES[request.param], application, **settings)
        started.append(served)
        return served

    yield start
    for served in started:
        served.end()


@pytest.fixture
def serve_in_threads(serve: Callable[..., Served]) -> Callable[..., Served]:
    """Give what serves an application in threads."""

    def start(application: Foreign, **settings: Foreign) -> Served:
        return serve(application, interface="wsgi", threads=THREADS, **settings)

    return start
