"""Readers and writers: called while there is something, on any descriptor that can be polled."""

from __future__ import annotations

import asyncio
import os
import resource
import socket
from typing import TYPE_CHECKING, Any

import pytest

from loop.running import Loop, Recorder, connect, end, run, run_until_stopped, sockets, turn

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

Pair = tuple[socket.socket, socket.socket]


@pytest.fixture
def pair() -> Iterator[Pair]:
    """Give two connected sockets."""
    ours, theirs = sockets(socket.AF_UNIX)
    yield ours, theirs
    ours.close()
    theirs.close()


def test_a_reader_is_called_with_its_arguments_when_there_is_something(
    loop: Loop, pair: Pair
) -> None:
    ours, theirs = pair
    seen: list[tuple[bytes, str]] = []

    def read(name: str) -> None:
        seen.append((ours.recv(10), name))
        loop.stop()

    loop.add_reader(ours, read, "named")
    turn(loop)
    assert seen == []
    theirs.send(b"x")
    run_until_stopped(loop)
    assert seen == [(b"x", "named")]
    assert loop.remove_reader(ours)
    assert not loop.remove_reader(ours)


def test_a_reader_is_called_until_all_is_read(loop: Loop, pair: Pair) -> None:
    ours, theirs = pair
    seen: list[bytes] = []

    def read() -> None:
        seen.append(ours.recv(1))
        if len(seen) == 3:
            loop.stop()

    loop.add_reader(ours, read)
    theirs.send(b"abc")
    run_until_stopped(loop)
    loop.remove_reader(ours)
    assert seen == [b"a", b"b", b"c"]


def test_a_second_reader_replaces_the_first(loop: Loop, pair: Pair) -> None:
    ours, theirs = pair
    calls: list[str] = []

    def read(name: str) -> None:
        calls.append(name)
        ours.recv(10)
        loop.stop()

    loop.add_reader(ours, read, "first")
    loop.add_reader(ours, read, "second")
    theirs.send(b"x")
    run_until_stopped(loop)
    assert loop.remove_reader(ours)
    assert calls == ["second"]


def test_a_reader_that_is_removed_in_the_turn_that_it_is_ready_in_is_not_called(
    loop: Loop, pair: Pair
) -> None:
    """Both ends are readable in one turn; whichever comes first takes the other away."""
    calls: list[socket.socket] = []

    def read(own: socket.socket, other: socket.socket) -> None:
        calls.append(own)
        loop.remove_reader(own)
        loop.remove_reader(other)

    for own, other in (pair, pair[::-1]):
        other.send(b"x")
        loop.add_reader(own, read, own, other)
    while not calls:
        turn(loop)
    turn(loop)
    assert len(calls) == 1


def test_a_reader_that_is_replaced_in_the_turn_that_it_is_ready_in_is_not_called(
    loop: Loop, pair: Pair
) -> None:
    calls: list[str] = []

    def read(own: socket.socket, other: socket.socket) -> None:
        calls.append("first")
        loop.remove_reader(own)
        loop.add_reader(other, second, other)

    def second(own: socket.socket) -> None:
        calls.append("second")
        loop.remove_reader(own)
        loop.stop()

    for own, other in (pair, pair[::-1]):
        other.send(b"x")
        loop.add_reader(own, read, own, other)
    run_until_stopped(loop)
    assert calls == ["first", "second"]


def test_reader_and_writer_of_one_descriptor_go_their_own_ways(loop: Loop, pair: Pair) -> None:
    ours, theirs = pair
    calls: list[str] = []

    def write() -> None:
        calls.append("write")
        assert loop.remove_writer(ours)
        theirs.send(b"x")

    def read() -> None:
        calls.append("read")
        ours.recv(10)
        loop.stop()

    loop.add_reader(ours, read)
    loop.add_writer(ours, write)
    run_until_stopped(loop)
    assert calls == ["write", "read"]
    assert not loop.remove_writer(ours)
    assert loop.remove_reader(ours)


def test_a_writer_stays_when_the_reader_goes(loop: Loop, pair: Pair) -> None:
    ours, _ = pair
    calls: list[str] = []

    def write() -> None:
        calls.append("write")
        loop.stop()

    loop.add_reader(ours, print)
    loop.add_writer(ours, write)
    assert loop.remove_reader(ours)
    run_until_stopped(loop)
    assert calls == ["write"]
    assert loop.remove_writer(ours)


def test_the_peers_end_is_something_to_read(loop: Loop, pair: Pair) -> None:
    ours, theirs = pair
    loop.add_reader(ours, loop.stop)
    theirs.close()
    run_until_stopped(loop)
    assert ours.recv(10) == b""
    loop.remove_reader(ours)


def test_a_pipe_that_nobody_reads_calls_its_writer(loop: Loop) -> None:
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    os.write(writing, b"x" * 65_536)
    loop.add_writer(writing, loop.stop)
    turn(loop)
    os.close(reading)
    run_until_stopped(loop)
    loop.remove_writer(writing)
    with pytest.raises(BrokenPipeError):
        os.write(writing, b"x")
    os.close(writing)


def test_a_refused_connection_calls_the_writer(loop: Loop) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        address = listening.getsockname()
    sock = socket.socket()
    sock.setblocking(False)
    assert sock.connect_ex(address) != 0
    loop.add_writer(sock, loop.stop)
    run_until_stopped(loop)
    loop.remove_writer(sock)
    assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) != 0
    sock.close()


def test_a_number_that_is_used_again_is_watched_again(loop: Loop, pair: Pair) -> None:
    """The socket was closed before its reader was removed: the kernel forgot it by itself."""
    ours, theirs = pair
    calls: list[bytes] = []
    old, _peer = sockets(socket.AF_UNIX)
    number = old.fileno()
    loop.add_reader(old, print)
    old.close()
    loop.remove_reader(number)
    again = os.dup2(ours.fileno(), number)

    def read() -> None:
        calls.append(os.read(again, 10))
        loop.stop()

    loop.add_reader(again, read)
    theirs.send(b"x")
    run_until_stopped(loop)
    assert loop.remove_reader(again)
    os.close(again)
    _peer.close()
    assert calls == [b"x"]


def test_a_large_number_is_a_descriptor_like_any_other(loop: Loop, pair: Pair) -> None:
    ours, theirs = pair
    most, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    number = os.dup2(ours.fileno(), min(most, 4096) - 1)
    loop.add_reader(number, loop.stop)
    theirs.send(b"x")
    run_until_stopped(loop)
    assert loop.remove_reader(number)
    os.close(number)


def test_a_descriptor_is_a_number_or_has_one(loop: Loop) -> None:
    class Strange:
        """Has a number that is none."""

        def fileno(self) -> str:
            """Give no number."""
            return "none"

    watch: Any = loop
    for nothing in (object(), "stdin", Strange(), -1):
        for method in (watch.add_reader, watch.add_writer):
            with pytest.raises(ValueError, match="Invalid file"):
                method(nothing, print)
        for method in (watch.remove_reader, watch.remove_writer):
            with pytest.raises(ValueError, match="Invalid file"):
                method(nothing)


def test_a_file_cannot_be_watched_and_leaves_nothing_behind(loop: Loop, tmp_path: Path) -> None:
    with (tmp_path / "file").open("w+b") as file:
        for _ in range(2):
            with pytest.raises(PermissionError):
                loop.add_reader(file, print)
        assert not loop.remove_reader(file)
        with pytest.raises(PermissionError):
            loop.add_writer(file, print)
        assert not loop.remove_writer(file)
    turn(loop)


def test_a_transports_descriptor_is_its_own(loop: Loop) -> None:
    async def main() -> None:
        ours, theirs = sockets()
        protocol = Recorder()
        transport = await connect(ours, protocol)
        number = ours.fileno()
        # One that reads nothing is watched by nobody, and is there all the same.
        for change in (lambda: None, transport.pause_reading, transport.resume_reading):
            change()
            for call in (
                lambda: loop.add_reader(number, print),
                lambda: loop.add_writer(number, print),
                lambda: loop.remove_reader(number),
                lambda: loop.remove_writer(number),
            ):
                with pytest.raises(RuntimeError, match="is used by transport"):
                    call()
        await end(protocol)
        loop.add_reader(theirs.fileno(), print)
        assert loop.remove_reader(theirs.fileno())
        theirs.close()

    run(loop, main())


def test_operations_on_sockets_move_all_bytes(loop: Loop) -> None:
    """Far more than the kernel's buffers hold, so that both sides wait for each other."""
    data = bytes(range(256)) * 20_000

    async def main() -> bytearray:
        ours, theirs = sockets()
        received = bytearray()

        async def receive() -> None:
            while chunk := await loop.sock_recv(theirs, 65_536):
                received.extend(chunk)

        async def send() -> None:
            await loop.sock_sendall(ours, data)
            ours.shutdown(socket.SHUT_WR)

        await asyncio.gather(send(), receive())
        ours.close()
        theirs.close()
        return received

    assert run(loop, main()) == data


def test_an_operation_that_is_cancelled_leaves_the_socket_to_the_next(loop: Loop) -> None:
    async def main() -> None:
        ours, theirs = sockets()
        cancelled = asyncio.ensure_future(loop.sock_recv(ours, 10))
        await asyncio.sleep(0)
        cancelled.cancel()
        with pytest.raises(asyncio.CancelledError):
            await cancelled
        assert not loop.remove_reader(ours)
        theirs.send(b"kept")
        assert await loop.sock_recv(ours, 10) == b"kept"
        ours.close()
        theirs.close()

    run(loop, main())


async def receive_later(
    loop: Loop, ours: socket.socket, theirs: socket.socket, data: bytes
) -> bytes:
    """Send only when somebody waits; the kernel has been asked when this ends."""
    waiting = asyncio.ensure_future(loop.sock_recv(ours, 10))
    await asyncio.sleep(0)
    theirs.send(data)
    return await asyncio.wait_for(waiting, 20)


def test_an_operation_waits_for_the_socket_that_has_the_number_now(loop: Loop) -> None:
    """The one before it was waited for and closed: the kernel forgot it by itself."""

    async def main() -> None:
        old, peer = sockets()
        other, theirs = sockets()
        assert await receive_later(loop, old, peer, b"old") == b"old"
        number = old.fileno()
        old.close()
        with socket.socket(fileno=os.dup2(other.fileno(), number)) as ours:
            assert await receive_later(loop, ours, theirs, b"new") == b"new"
        for one in (peer, other, theirs):
            one.close()

    run(loop, main())


def test_what_comes_while_nobody_waits_is_there_for_the_next(loop: Loop) -> None:
    async def main() -> None:
        ours, theirs = sockets()
        fence = sockets()
        for _ in range(3):
            assert await receive_later(loop, ours, theirs, b"first") == b"first"
            theirs.send(b"second")
            assert await receive_later(loop, *fence, b"fence") == b"fence"
            assert await loop.sock_recv(ours, 3) == b"sec"
            assert await loop.sock_recv(ours, 10) == b"ond"
        for one in (ours, theirs, *fence):
            one.close()

    run(loop, main())


def test_operations_and_readers_of_one_socket_take_turns(loop: Loop) -> None:
    """A reader is called as long as there is something, whatever an operation was told."""

    async def main() -> None:
        ours, theirs = sockets()
        for _ in range(3):
            assert await receive_later(loop, ours, theirs, b"first") == b"first"
            seen: list[bytes] = []
            has_read = loop.create_future()

            def read(seen: list[bytes] = seen, has_read: asyncio.Future[None] = has_read) -> None:
                seen.append(ours.recv(1))
                if len(seen) == 3:
                    has_read.set_result(None)

            loop.add_reader(ours, read)
            theirs.send(b"abc")
            await asyncio.wait_for(has_read, 20)
            assert loop.remove_reader(ours)
            assert seen == [b"a", b"b", b"c"]
        ours.close()
        theirs.close()

    run(loop, main())


def test_a_server_accepts_and_a_client_connects_by_sockets_alone(loop: Loop) -> None:
    async def main() -> None:
        with socket.create_server(("127.0.0.1", 0)) as listening:
            listening.setblocking(False)
            client = socket.socket()
            client.setblocking(False)
            accepted, _ = await asyncio.gather(
                loop.sock_accept(listening), loop.sock_connect(client, listening.getsockname())
            )
        connection, address = accepted
        assert address == client.getsockname()
        assert connection.gettimeout() == 0
        await loop.sock_sendall(client, b"hello")
        buffer = bytearray(10)
        count = await loop.sock_recv_into(connection, buffer)
        assert buffer[:count] == b"hello"
        client.close()
        connection.close()

    run(loop, main())


@pytest.mark.parametrize("side", ["reader", "writer"])
def test_a_socket_that_was_closed_is_found_by_itself(loop: Loop, pair: Pair, side: str) -> None:
    """As `selectors` does: it has no number any more, and anyio's sockets end so."""
    ours, _ = pair
    add, remove = getattr(loop, f"add_{side}"), getattr(loop, f"remove_{side}")
    add(ours, loop.stop)
    ours.close()
    assert remove(ours)
    with pytest.raises(ValueError, match="Invalid file"):
        remove(ours)


def test_a_socket_that_was_closed_takes_nothing_from_who_has_its_number(
    loop: Loop, pair: Pair
) -> None:
    ours, theirs = pair
    number = ours.fileno()
    loop.add_reader(ours, loop.stop)
    assert loop.remove_reader(ours)
    ours.close()
    os.dup2(theirs.fileno(), number)
    try:
        loop.add_reader(number, loop.stop)
        with pytest.raises(ValueError, match="Invalid file"):
            loop.remove_reader(ours)
        assert loop.remove_reader(number)
    finally:
        os.close(number)
