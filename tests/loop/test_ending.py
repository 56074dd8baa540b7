"""How connections end: flushed, aborted, half closed, reset; always told once, by the loop."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import socket
import struct
import warnings
from typing import Any

import pytest

from loop.running import (
    BufferedRecorder,
    Loop,
    Recorder,
    connect,
    end,
    is_asyncio,
    run,
    sockets,
    talk,
    turn,
)

TOO_MUCH = bytes(8_000_000)


class HalfOpen(Recorder):
    """Keeps its own side open when the peer ends its."""

    def eof_received(self) -> bool:
        """Keep it open."""
        super().eof_received()
        return True


def reset(sock: socket.socket) -> None:
    """Close a socket so that its peer is told of a reset (SO_LINGER of no time, socket(7))."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()


def test_closing_sends_all_that_was_written(loop: Loop) -> None:
    async def main() -> None:
        client, server = Recorder(), Recorder()
        transport, _ = await talk(client, server)
        transport.write(TOO_MUCH)
        transport.close()
        assert transport.is_closing()
        await server.lost()
        assert server.received == TOO_MUCH
        await client.lost()
        assert client.lost_with is None

    run(loop, main())


def test_aborting_drops_what_was_not_sent(loop: Loop) -> None:
    async def main() -> None:
        client, server = Recorder(), Recorder()
        transport, peer = await talk(client, server)
        peer.pause_reading()
        transport.write(TOO_MUCH)
        transport.abort()
        assert transport.is_closing()
        assert transport.get_write_buffer_size() == 0
        await client.lost()
        assert client.lost_with is None
        peer.resume_reading()
        await server.lost()
        assert len(server.received) < len(TOO_MUCH)

    run(loop, main())


@pytest.mark.parametrize("method", ["close", "abort"])
def test_connection_lost_comes_once_and_from_the_loop(loop: Loop, method: str) -> None:
    async def main() -> None:
        client, server = Recorder(), Recorder()
        transport, _ = await talk(client, server)
        for _ in range(3):
            getattr(transport, method)()
        assert "connection_lost" not in client.calls
        await client.lost()
        getattr(transport, method)()
        await server.lost()
        await asyncio.sleep(0)
        assert client.calls.count("connection_lost") == 1

    run(loop, main())


def test_nothing_is_delivered_after_close(loop: Loop) -> None:
    async def main() -> None:
        client, server = Recorder(), Recorder()
        transport, peer = await talk(client, server)
        peer.write(b"too late")
        transport.close()
        await client.lost()
        await server.lost()
        assert client.calls == ["connection_made", "connection_lost"]

    run(loop, main())


def test_what_is_written_after_close_is_dropped(
    loop: Loop, caplog: pytest.LogCaptureFixture
) -> None:
    async def main() -> None:
        client, server = Recorder(), Recorder()
        transport, _ = await talk(client, server)
        transport.write(b"before")
        transport.close()
        await server.lost()
        await client.lost()
        with caplog.at_level(logging.WARNING, "asyncio"):
            for _ in range(10):
                transport.write(b"after")
            if not is_asyncio(loop):
                # Asyncio 3.12 would watch a descriptor that is closed.
                transport.writelines([b"after"])
        assert server.received == b"before"

    run(loop, main())
    assert "socket.send() raised exception." in caplog.text


def test_what_is_no_bytes_is_refused_wherever_the_transport_is(loop: Loop) -> None:
    async def main() -> None:
        client, server = Recorder(), Recorder()
        transport, _ = await talk(client, server)
        for wrong in ("text", 3, None, [b"x"]):
            with pytest.raises(TypeError):
                transport.write(wrong)
        await end(client, server)
        with pytest.raises(TypeError):
            transport.write("text")

    run(loop, main())


def test_the_end_of_writing_comes_after_all_that_was_written(loop: Loop) -> None:
    async def main() -> None:
        client, server = Recorder(), HalfOpen()
        transport, peer = await talk(client, server)
        assert transport.can_write_eof()
        transport.write(TOO_MUCH)
        transport.write_eof()
        transport.write_eof()
        with pytest.raises(RuntimeError, match="after write_eof"):
            transport.write(b"more")
        await server.called("eof_received")
        assert server.received == TOO_MUCH
        # The other direction is still there.
        assert not peer.is_closing()
        peer.write(b"answer")
        assert await client.has(6) == b"answer"
        peer.close()
        await client.lost()
        await server.lost()
        assert client.calls.count("eof_received") == 1

    run(loop, main())


def test_the_peers_end_closes_a_connection_that_does_not_keep_its_side(loop: Loop) -> None:
    async def main() -> None:
        client, server = Recorder(), Recorder()
        transport, peer = await talk(client, server)
        transport.write(b"x")
        transport.write_eof()
        await server.lost()
        assert peer.is_closing()
        assert server.lost_with is None
        assert server.calls == [
            "connection_made",
            "data_received",
            "eof_received",
            "connection_lost",
        ]
        await client.lost()

    run(loop, main())


@pytest.mark.parametrize("kind", [Recorder, BufferedRecorder])
def test_a_reset_is_told_with_its_error(loop: Loop, kind: type[Any]) -> None:
    async def main() -> None:
        ours, theirs = sockets()
        protocol = kind()
        await connect(ours, protocol)
        reset(theirs)
        await protocol.lost()
        assert isinstance(protocol.lost_with, ConnectionResetError)
        assert protocol.calls == ["connection_made", "connection_lost"]

    run(loop, main())


def test_writing_to_a_peer_that_is_gone_ends_the_connection_with_its_error(loop: Loop) -> None:
    async def main() -> None:
        ours, theirs = sockets()
        protocol = Recorder()
        transport = await connect(ours, protocol)
        transport.pause_reading()
        reset(theirs)
        while not transport.is_closing():
            transport.write(b"x")
            await asyncio.sleep(0)
        await protocol.lost()
        assert isinstance(protocol.lost_with, (BrokenPipeError, ConnectionResetError))

    run(loop, main())


def test_a_peer_that_goes_while_much_is_to_be_written_ends_the_connection(loop: Loop) -> None:
    async def main() -> None:
        ours, theirs = sockets()
        protocol = Recorder()
        transport = await connect(ours, protocol)
        transport.pause_reading()
        transport.write(TOO_MUCH)
        reset(theirs)
        await protocol.lost()
        assert isinstance(protocol.lost_with, (BrokenPipeError, ConnectionResetError))
        assert transport.get_write_buffer_size() == 0

    run(loop, main())


class Failing(Recorder):
    """Raises in the call that a test names."""

    def __init__(self, where: str) -> None:
        super().__init__()
        self.where = where

    def note(self, call: str) -> None:
        """Raise, if it is this one."""
        super().note(call)
        if call == self.where:
            raise ZeroDivisionError(call)


@pytest.mark.parametrize("where", ["data_received", "eof_received"])
def test_an_exception_while_reading_closes_the_connection_with_it(
    loop: Loop, unhandled: list[dict[str, Any]], where: str
) -> None:
    async def main() -> None:
        client, server = Recorder(), Failing(where)
        transport, _ = await talk(client, server)
        transport.write(b"x")
        transport.write_eof()
        await server.lost()
        assert isinstance(server.lost_with, ZeroDivisionError)
        await client.lost()

    run(loop, main())
    told = unhandled.pop()
    assert told["message"] == f"Fatal error: protocol.{where}() call failed."
    assert isinstance(told["exception"], ZeroDivisionError)
    assert isinstance(told["protocol"], Failing)
    assert isinstance(told["transport"], asyncio.Transport)


@pytest.mark.parametrize("where", ["connection_made", "connection_lost"])
def test_an_exception_at_begin_or_end_is_told_as_a_callbacks(
    loop: Loop, unhandled: list[dict[str, Any]], where: str
) -> None:
    async def main() -> None:
        client, server = Recorder(), Failing(where)
        _, peer = await talk(client, server)
        server.transport = peer
        await end(server, client)

    run(loop, main())
    told = unhandled.pop()
    assert told["message"].startswith("Exception in callback ")
    assert isinstance(told["exception"], ZeroDivisionError)


@pytest.mark.parametrize("where", ["pause_writing", "resume_writing"])
def test_an_exception_of_flow_control_is_told_and_the_connection_goes_on(
    loop: Loop, unhandled: list[dict[str, Any]], where: str
) -> None:
    async def main() -> None:
        client, server = Failing(where), Recorder()
        transport, _ = await talk(client, server)
        transport.write(TOO_MUCH)
        assert await server.has(len(TOO_MUCH)) == TOO_MUCH
        transport.write(b"and more")
        await server.has(len(TOO_MUCH) + 8)
        await end(client, server)
        assert client.lost_with is None

    run(loop, main())
    told = unhandled.pop()
    assert told["message"] == f"protocol.{where}() failed"


class FailingBuffer(BufferedRecorder):
    """Raises in a call of a buffered protocol, or lends no buffer."""

    def __init__(self, where: str) -> None:
        super().__init__()
        self.where = where

    def get_buffer(self, sizehint: int) -> Any:
        """Lend something wrong, or raise."""
        if self.where == "get_buffer":
            raise ZeroDivisionError
        lent = {"empty": bytearray(), "no buffer": "text", "read-only": b"constant"}
        return lent.get(self.where) if self.where in lent else super().get_buffer(sizehint)

    def buffer_updated(self, nbytes: int) -> None:
        """Raise."""
        super().buffer_updated(nbytes)
        if self.where == "buffer_updated":
            raise ZeroDivisionError


@pytest.mark.parametrize(
    ("where", "message", "error"),
    [
        ("get_buffer", "Fatal error: protocol.get_buffer() call failed.", ZeroDivisionError),
        ("empty", "Fatal error: protocol.get_buffer() call failed.", RuntimeError),
        (
            "buffer_updated",
            "Fatal error: protocol.buffer_updated() call failed.",
            ZeroDivisionError,
        ),
        # Asyncio finds these out when it reads.
        ("no buffer", "Fatal ", TypeError),
        ("read-only", "Fatal ", TypeError),
    ],
)
def test_an_exception_of_a_buffered_protocol_closes_the_connection_with_it(
    loop: Loop,
    unhandled: list[dict[str, Any]],
    where: str,
    message: str,
    error: type[Exception],
) -> None:
    async def main() -> None:
        client, server = Recorder(), FailingBuffer(where)
        transport, _ = await talk(client, server)
        transport.write(b"x")
        await server.lost()
        assert isinstance(server.lost_with, error)
        await client.lost()

    run(loop, main())
    told = unhandled.pop()
    assert told["message"].startswith(message)
    assert isinstance(told["exception"], error)


def test_an_exception_of_a_servers_factory_is_told_and_it_serves_on(
    loop: Loop, unhandled: list[dict[str, Any]]
) -> None:
    loop.set_debug(is_asyncio(loop))  # else asyncio tells nobody
    made: list[Recorder] = []

    def factory() -> Recorder:
        if not made:
            made.append(Recorder())
            raise ZeroDivisionError
        made.append(Recorder())
        return made[-1]

    async def main() -> None:
        server = await loop.create_server(factory, "127.0.0.1", 0)
        address = server.sockets[0].getsockname()
        first, second = Recorder(), Recorder()
        await loop.create_connection(lambda: first, *address)
        if not is_asyncio(loop):
            # Asyncio leaves it to whoever collects the exception.
            await first.lost()
        await loop.create_connection(lambda: second, *address)
        second.transport.write(b"served")
        await second.until(lambda: len(made) == 2)
        await made[1].has(6)
        await end(second, first)
        await made[1].lost()
        server.close()
        await server.wait_closed()

    run(loop, main())
    assert isinstance(unhandled.pop()["exception"], ZeroDivisionError)
    with warnings.catch_warnings():
        # Asyncio's own loop leaves the refused socket to the collector, which warns.
        warnings.simplefilter("ignore" if is_asyncio(loop) else "error", ResourceWarning)
        gc.collect()


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit])
def test_what_ends_a_program_leaves_the_loop_from_a_protocol(
    loop: Loop, error: type[BaseException]
) -> None:
    class Ending(Recorder):
        """Ends the program."""

        def data_received(self, data: bytes) -> None:
            """End it."""
            super().data_received(data)
            raise error

    async def main() -> None:
        client, server = Recorder(), Ending()
        transport, _ = await talk(client, server)
        protocols.extend([client, server])
        transport.write(b"x")
        await loop.create_future()

    protocols: list[Recorder] = []
    task = loop.create_task(main())
    with pytest.raises(error):
        loop.run_until_complete(task)
    assert not loop.is_running()
    task.cancel()
    run(loop, end(*protocols))
    with pytest.raises(asyncio.CancelledError):
        task.result()


def test_an_unclosed_transport_is_warned_of_and_its_socket_closed(loop: Loop) -> None:
    ours, theirs = sockets()
    number = ours.fileno()

    async def main(given: socket.socket) -> None:
        await connect(given, Recorder())

    run(loop, main(ours))
    loop.close()
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        del ours
        gc.collect()
    assert any("unclosed transport" in str(one.message) for one in told)
    with pytest.raises(OSError, match="Bad file descriptor"):
        socket.socket(fileno=number)
    theirs.close()


def test_a_connection_is_given_up_before_it_was_made_known(loop: Loop) -> None:
    """The protocol closes in `connection_made`; nothing was read, and the end still comes."""

    class Refusing(Recorder):
        """Closes at once."""

        def connection_made(self, transport: Any) -> None:
            """Close it."""
            super().connection_made(transport)
            transport.close()

    async def main() -> None:
        client, server = Recorder(), Refusing()
        ours, theirs = sockets()
        theirs.send(b"never read")
        transport = await connect(ours, Refusing())
        assert transport.is_closing()
        await connect(theirs, client)
        await client.lost()
        del server

    run(loop, main())
    turn(loop)


def test_an_exception_at_the_end_after_the_last_write_is_told_too(
    loop: Loop, unhandled: list[dict[str, Any]]
) -> None:
    """`connection_lost` is called when the last byte is written, and not by a handle of its own."""

    async def main() -> None:
        client, server = Failing("connection_lost"), Recorder()
        transport, _ = await talk(client, server)
        transport.write(TOO_MUCH)
        transport.close()
        await server.lost()
        await client.lost()
        assert server.received == TOO_MUCH

    run(loop, main())
    assert isinstance(unhandled.pop()["exception"], ZeroDivisionError)


@pytest.mark.parametrize("size", [0, 1, len(TOO_MUCH)])
def test_ending_the_writing_side_of_a_reset_connection_leaves_the_loop_running(
    loop: Loop, size: int
) -> None:
    told: list[dict[str, Any]] = []
    loop.set_exception_handler(lambda _loop, context: told.append(context))

    async def main() -> None:
        ours, theirs = sockets()
        protocol = Recorder()
        transport = await connect(ours, protocol)
        reset(theirs)
        transport.write(bytes(size))
        with contextlib.suppress(OSError):
            transport.write_eof()
        await protocol.lost()

    run(loop, main())
    # Asyncio tells of a shutdown that failed, depending on what came first.
    assert all(isinstance(one["exception"], OSError) for one in told)


def test_what_a_callback_writes_before_it_fails_is_sent(
    loop: Loop, unhandled: list[dict[str, Any]]
) -> None:
    def fail(transport: Any) -> None:
        transport.write(b"sent")
        raise ZeroDivisionError

    async def main() -> None:
        client, server = Recorder(), Recorder()
        transport, _ = await talk(client, server)
        loop.call_soon(fail, transport)
        assert await server.has(4) == b"sent"
        await end(client, server)

    run(loop, main())
    assert isinstance(unhandled.pop()["exception"], ZeroDivisionError)


def test_what_is_written_while_the_loop_does_not_run_is_sent(loop: Loop) -> None:
    client, server = Recorder(), Recorder()
    transport, _ = run(loop, talk(client, server))
    transport.write(b"between")
    transport.writelines([b" two", b" runs"])
    assert run(loop, server.has(16)) == b"between two runs"
    run(loop, end(client, server))


def test_what_is_written_at_the_peers_end_goes_before_the_connection_ends(loop: Loop) -> None:
    """And the end is told from the loop, behind what was scheduled before."""

    class Farewell(Recorder):
        """Answers the end."""

        def eof_received(self) -> None:
            """Answer."""
            super().eof_received()
            self.transport.write(b"farewell")
            loop.call_soon(self.note, "scheduled")

    async def main() -> None:
        client, server = HalfOpen(), Farewell()
        transport, _ = await talk(client, server)
        transport.write_eof()
        await server.lost()
        assert server.calls[-3:] == ["eof_received", "scheduled", "connection_lost"]
        assert await client.has(8) == b"farewell"
        await end(client)

    run(loop, main())
