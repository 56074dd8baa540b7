"""Context variables: a callback sees its scheduler's, a protocol its connection's maker's."""

from __future__ import annotations

import asyncio
import contextvars
import socket
from typing import TYPE_CHECKING, Any

import pytest

from loop.running import Echo, Loop, Recorder, connect, end, run, run_until_stopped, sockets, turn

if TYPE_CHECKING:
    from collections.abc import Callable

PLACE: contextvars.ContextVar[str] = contextvars.ContextVar("place", default="nowhere")


def test_a_callback_runs_in_a_copy_of_the_context_that_scheduled_it(loop: Loop) -> None:
    seen: list[str] = []

    def change() -> None:
        seen.append(PLACE.get())
        PLACE.set("changed")

    def schedule() -> None:
        PLACE.set("here")
        loop.call_soon(change)
        loop.call_later(0, change)
        PLACE.set("later")
        loop.call_soon_threadsafe(change)

    contextvars.copy_context().run(schedule)
    turn(loop)
    assert seen == ["here", "later", "here"]
    assert PLACE.get() == "nowhere"


def test_a_given_context_is_used_and_kept(loop: Loop) -> None:
    context = contextvars.copy_context()
    loop.call_soon(PLACE.set, "first", context=context)
    loop.call_later(0, PLACE.set, "second", context=context)
    turn(loop)
    assert context[PLACE] == "second"
    assert PLACE.get() == "nowhere"


def test_a_context_that_is_none_is_the_present_one(loop: Loop) -> None:
    seen: list[str] = []

    def schedule() -> None:
        PLACE.set("here")
        loop.call_soon(lambda: seen.append(PLACE.get()), context=None)

    contextvars.copy_context().run(schedule)
    turn(loop)
    assert seen == ["here"]


def test_the_context_of_a_callback_that_fails_is_left_too(loop: Loop) -> None:
    context = contextvars.copy_context()
    seen: list[object] = []

    def fail() -> None:
        PLACE.set("in the context")
        raise ValueError

    loop.set_exception_handler(lambda _loop, told: seen.append(told["exception"]))
    loop.call_soon(fail, context=context)
    loop.call_soon(lambda: seen.append(PLACE.get()))
    turn(loop)
    assert isinstance(seen[0], ValueError)
    assert seen[1] == "nowhere"


def test_tasks_run_in_a_context_of_their_own_or_the_one_given(loop: Loop) -> None:
    given = contextvars.copy_context()

    async def change() -> None:
        PLACE.set("task")
        await asyncio.sleep(0)
        assert PLACE.get() == "task"

    async def main() -> None:
        await asyncio.gather(loop.create_task(change()), loop.create_task(change()))
        assert PLACE.get() == "nowhere"
        await loop.create_task(change(), context=given)
        assert given[PLACE] == "task"

    run(loop, main())


def test_readers_and_writers_run_in_the_context_that_added_them(loop: Loop) -> None:
    ours, theirs = sockets(socket.AF_UNIX)
    seen: list[str] = []

    def see(remove: Callable[[socket.socket], bool], sock: socket.socket) -> None:
        seen.append(PLACE.get())
        remove(sock)
        if len(seen) == 2:
            loop.stop()

    def add() -> None:
        PLACE.set("adding")
        loop.add_reader(ours, see, loop.remove_reader, ours)
        loop.add_writer(theirs, see, loop.remove_writer, theirs)

    contextvars.copy_context().run(add)
    theirs.send(b"x")
    run_until_stopped(loop)
    ours.close()
    theirs.close()
    assert seen == ["adding", "adding"]


def test_a_protocol_is_called_in_the_context_that_made_its_connection(loop: Loop) -> None:
    places: dict[str, str] = {}

    class Placed(Recorder):
        """Remembers the context of each call."""

        def note(self, call: str) -> None:
            """Remember it."""
            places[call] = PLACE.get()
            super().note(call)

    async def main() -> None:
        PLACE.set("the maker's")
        ours, theirs = sockets()
        client, server = Placed(), Echo()
        await connect(ours, client)
        PLACE.set("the other side's")
        await connect(theirs, server)
        client.transport.write(b"x" * 100)
        await client.has(100)
        server.transport.write_eof()
        await client.called("eof_received")
        await client.lost()
        await end(server)

    run(loop, main())
    expected = ["connection_made", "data_received", "eof_received", "connection_lost"]
    assert places == dict.fromkeys(expected, "the maker's")


def test_a_task_that_a_protocol_makes_does_not_change_its_context(loop: Loop) -> None:
    class Making(Recorder):
        """Changes the variable in each call."""

        seen: list[str]

        def data_received(self, data: bytes) -> None:
            """See what the last call has left."""
            self.seen.append(PLACE.get())
            PLACE.set(f"after {data.decode()}")
            super().data_received(data)

    async def main() -> None:
        ours, theirs = sockets()
        client, server = Making(), Recorder()
        client.seen = []
        await connect(ours, client)
        await connect(theirs, server)
        for letter in (b"a", b"b"):
            server.transport.write(letter)
            count = len(client.received) + 1
            await client.has(count)
        await end(client, server)
        # Asyncio's transports are called in one context for as long as they read.
        assert client.seen == ["nowhere", "after a"]

    run(loop, main())


@pytest.mark.parametrize("reads", ["as it begins", "anew"])
def test_what_connection_made_sets_is_its_own(loop: Loop, reads: str) -> None:
    class Setting(Recorder):
        """Changes the variable when it begins."""

        seen = ""

        def connection_made(self, transport: Any) -> None:
            """Change it."""
            super().connection_made(transport)
            PLACE.set("begin")
            if reads == "anew":
                transport.pause_reading()
                transport.resume_reading()

        def data_received(self, data: bytes) -> None:
            """See what is left of it."""
            self.seen = PLACE.get()
            super().data_received(data)

    async def main() -> None:
        ours, theirs = sockets()
        client, server = Setting(), Recorder()
        await connect(ours, client)
        await connect(theirs, server)
        server.transport.write(b"x")
        await client.has(1)
        await end(client, server)
        assert client.seen == "nowhere"

    run(loop, main())
