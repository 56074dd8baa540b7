"""What the tests of stalls share: a loop that is watched, tasks with names, and their stalls."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

import corrente
from loop.running import run

if TYPE_CHECKING:
    from collections.abc import Coroutine, Iterator


@pytest.fixture
def watched() -> Iterator[corrente.EventLoop]:
    """Give a loop that is closed afterwards."""
    made = corrente.new_event_loop()
    yield made
    made.close()


def only(loop: corrente.EventLoop, name: str) -> corrente.Stall:
    """Give the stall of the task of this name; a busy machine may have made others."""
    found = [stall for stall in loop.stalls() if stall.task == name]
    assert len(found) == 1, loop.stalls()
    return found[0]


def run_task(loop: corrente.EventLoop, main: Coroutine[object, object, None], name: str) -> None:
    """Run a coroutine as a task of this name."""

    async def outer() -> None:
        await loop.create_task(main, name=name)

    run(loop, outer())
