"""Wrong arguments, broken peers, exceptions of protocols: told, and the loop runs on."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import struct
from typing import TYPE_CHECKING, Any

import pytest

from loop.running import Connection, Loop, Recorder, connect, end, run, sockets, talk

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

#: More than the kernel takes.
TOO_MUCH = b"x" * 8_000_000


async def wrong_call(call: Callable[[Loop, socket.socket, Any], object]) -> None:
    """Call with a loop, a socket, and the transport at its other end; wait for what it gives."""
    here, there = sockets()
    protocol = Recorder()
    transport = await connect(there, protocol)
    try:
        given: Any = call(asyncio.get_running_loop(), here, transport)
        if asyncio.iscoroutine(given):
            await given
    finally:
        transport.abort()
        await protocol.lost()
        here.close()


def closed(sock: socket.socket) -> socket.socket:
    """Give a socket that is closed."""
    sock.close()
    return sock


@pytest.mark.parametrize(
    ("error", "call"),
    [
        (TypeError, lambda loop, _sock, _transport: loop.call_soon()),
        (TypeError, lambda loop, _sock, _transport: loop.call_soon(print, wrong=1)),
        (TypeError, lambda loop, _sock, _transport: loop.call_later("1", print)),
        (TypeError, lambda loop, _sock, _transport: loop.call_later(None, print)),
        (TypeError, lambda loop, _sock, _transport: loop.call_at(None, print)),
        (TypeError, lambda loop, _sock, _transport: loop.create_task(print)),
        (ValueError, lambda loop, _sock, _transport: loop.add_reader(-1, print)),
        (ValueError, lambda loop, _sock, _transport: loop.add_reader("text", print)),
        (RuntimeError, lambda loop, _sock, transport: add_reader_of(loop, transport)),
        (ValueError, lambda loop, sock, _transport: loop.sock_recv(sock, -1)),
        (TypeError, lambda loop, sock, _transport: loop.sock_recv(sock, "1")),
        (TypeError, lambda loop, sock, _transport: loop.sock_recv_into(sock, b"constant")),
        (TypeError, lambda loop, sock, _transport: loop.sock_sendall(sock, "text")),
        (OSError, lambda loop, sock, _transport: loop.sock_recv(closed(sock), 1)),
        (OSError, lambda loop, sock, _transport: loop.sock_sendall(closed(sock), b"x")),
        (AttributeError, lambda loop, _sock, _transport: loop.sock_recv("text", 1)),
        (TypeError, lambda _loop, _sock, transport: transport.write("text")),
        (TypeError, lambda _loop, _sock, transport: transport.writelines(["text"])),
        (TypeError, lambda _loop, _sock, transport: transport.writelines(1)),
        (ValueError, lambda _loop, _sock, transport: transport.set_write_buffer_limits(1, 2)),
        (ValueError, lambda _loop, _sock, transport: transport.set_write_buffer_limits(low=-1)),
        (TypeError, lambda loop, sock, _transport: loop.start_tls(sock, None, None)),
        (
            ValueError,
            lambda loop, sock, _transport: loop.create_connection(
                Recorder, "127.0.0.1", 80, sock=sock
            ),
        ),
        (
            ValueError,
            lambda loop, _sock, _transport: loop.create_server(Recorder, ssl_handshake_timeout=1),
        ),
        (
            OverflowError,
            lambda loop, _sock, _transport: loop.create_server(Recorder, "127.0.0.1", 70_000),
        ),
    ],
)
def test_a_wrong_argument_is_refused(
    loop: Loop, error: type[Exception], call: Callable[[Loop, socket.socket, Any], object]
) -> None:
    with pytest.raises(error):
        run(loop, wrong_call(call))


@pytest.mark.parametrize(
    "call",
    [
        lambda loop, _transport: loop.time(1),
        lambda loop, _transport: loop.is_running(1),
        lambda loop, _transport: loop.get_debug(1),
        lambda loop, _transport: loop.create_future(1),
        lambda loop, _transport: loop.call_soon(print).cancel(1),
        lambda loop, _transport: loop.call_later(1, print).cancel(1),
        lambda loop, _transport: loop.call_soon_threadsafe(print).cancel(1),
        lambda _loop, transport: transport.write(b"", 1),
        lambda _loop, transport: transport.write(b"", wrong=1),
        lambda _loop, transport: transport.writelines([], 1),
        lambda _loop, transport: transport.write_eof(1),
        lambda _loop, transport: transport.close(1),
        lambda _loop, transport: transport.abort(1),
        lambda _loop, transport: transport.is_closing(1),
        lambda _loop, transport: transport.pause_reading(1),
        lambda _loop, transport: transport.resume_reading(1),
        lambda _loop, transport: transport.get_write_buffer_size(1),
        lambda _loop, transport: transport.set_write_buffer_limits(2, 1, 0),
        lambda _loop, transport: transport.set_protocol(None, 1),
        lambda _loop, transport: transport.get_protocol(1),
    ],
)
def test_what_is_too_much_is_refused(loop: Loop, call: Callable[[Loop, Any], object]) -> None:
    async def main() -> None:
        ours, theirs = Recorder(), Recorder()
        transport, _ = await talk(ours, theirs)
        with pytest.raises(TypeError):
            call(loop, transport)
        await end(ours, theirs)

    run(loop, main())


def add_reader_of(loop: Loop, transport: Any) -> None:
    """Watch what a transport watches."""
    loop.add_reader(transport.get_extra_info("socket").fileno(), print)


def test_a_closed_socket_is_told_by_its_number(loop: Loop) -> None:
    async def main() -> None:
        with pytest.raises(OSError, match="Bad file descriptor") as told:
            await loop.sock_recv(closed(socket.socket()), 1)
        assert told.value.errno == 9

    run(loop, main())


def reset(sock: socket.socket) -> None:
    """Close a connection so that the peer sees a reset."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()


@pytest.mark.parametrize("method", ["sock_recv", "sock_recv_into", "sock_sendall"])
def test_an_operation_that_waits_is_told_of_a_reset(loop: Loop, method: str) -> None:
    async def main() -> None:
        ours, theirs = sockets()
        operations: dict[str, Callable[[], Awaitable[object]]] = {
            "sock_recv": lambda: loop.sock_recv(ours, 10),
            "sock_recv_into": lambda: loop.sock_recv_into(ours, bytearray(10)),
            "sock_sendall": lambda: loop.sock_sendall(ours, TOO_MUCH),
        }
        waiting = asyncio.ensure_future(operations[method]())
        await asyncio.sleep(0)
        assert not waiting.done()
        reset(theirs)
        with pytest.raises(ConnectionError):
            await waiting
        ours.close()

    run(loop, main())


def test_both_directions_of_a_socket_may_wait_at_once(loop: Loop) -> None:
    async def main() -> None:
        ours, theirs = sockets()
        sending = asyncio.ensure_future(loop.sock_sendall(ours, TOO_MUCH))
        receiving = asyncio.ensure_future(loop.sock_recv(ours, 10))
        taken = 0
        while taken < len(TOO_MUCH):
            taken += len(await loop.sock_recv(theirs, 1_000_000))
        await sending
        assert not receiving.done()
        await loop.sock_sendall(theirs, b"answer")
        assert await receiving == b"answer"
        ours.close()
        theirs.close()

    run(loop, main())


def test_an_operation_that_is_cancelled_after_its_socket_was_closed_is_forgotten(
    loop: Loop,
) -> None:
    async def main() -> None:
        ours, theirs = sockets()
        waiting = asyncio.ensure_future(loop.sock_recv(ours, 10))
        await asyncio.sleep(0)
        ours.close()
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        theirs.close()
        # The number is used again.
        ours, theirs = sockets()
        await loop.sock_sendall(theirs, b"new")
        assert await loop.sock_recv(ours, 10) == b"new"
        ours.close()
        theirs.close()

    run(loop, main())


def test_a_socket_of_a_number_that_was_waited_for_is_waited_for_anew(loop: Loop) -> None:
    """The kernel forgets a descriptor when it is closed; another one may have its number."""

    async def main() -> None:
        for _ in range(3):
            ours, theirs = sockets()
            for message in (b"one", b"two"):
                waiting = asyncio.ensure_future(loop.sock_recv(ours, 10))
                await asyncio.sleep(0)
                await loop.sock_sendall(theirs, message)
                assert await waiting == message
            ours.close()
            theirs.close()

    run(loop, main())


def test_a_reader_may_follow_an_operation_and_the_other_way_round(loop: Loop) -> None:
    async def main() -> None:
        ours, theirs = sockets()
        for _ in range(2):
            waiting = asyncio.ensure_future(loop.sock_recv(ours, 10))
            await asyncio.sleep(0)
            await loop.sock_sendall(theirs, b"for the operation")
            assert await waiting == b"for the op"
            seen: list[bytes] = []
            enough = asyncio.Event()

            def look(seen: list[bytes] = seen, enough: asyncio.Event = enough) -> None:
                seen.append(ours.recv(1))
                if len(seen) == 7:
                    enough.set()

            # It is called again and again: it is watched for good.
            loop.add_reader(ours, look)
            await enough.wait()
            loop.remove_reader(ours)
            assert b"".join(seen) == b"eration"
        ours.close()
        theirs.close()

    run(loop, main())


def test_a_peer_that_never_reads_holds_a_closing_connection_until_it_is_aborted(
    loop: Loop,
) -> None:
    async def main() -> None:
        ours, theirs = sockets()
        protocol = Recorder()
        transport = await connect(ours, protocol)
        transport.write(TOO_MUCH)
        transport.close()
        for _ in range(20):
            await asyncio.sleep(0)
        assert transport.is_closing()
        assert "connection_lost" not in protocol.calls
        assert transport.get_write_buffer_size() > 0
        transport.abort()
        await protocol.lost()
        assert protocol.lost_with is None
        theirs.close()

    run(loop, main())


def test_a_half_closed_connection_is_written_to_until_it_is_closed(loop: Loop) -> None:
    class Keeping(Recorder):
        """Keeps its side open when the peer has ended its own."""

        def eof_received(self) -> bool:
            super().eof_received()
            return True

    async def main() -> None:
        client, server = Recorder(), Keeping()
        transport, peer = await talk(client, server)
        transport.write_eof()
        await server.called("eof_received")
        assert not peer.is_closing()
        peer.write(b"still here")
        assert await client.has(10) == b"still here"
        peer.close()
        await client.lost()
        await server.lost()

    run(loop, main())


class FailingDatagrams(Connection, asyncio.DatagramProtocol):
    """Raises in a callback."""

    def __init__(self, where: str) -> None:
        super().__init__()
        self.where = where
        self.received: list[bytes] = []

    def fail(self, where: str) -> None:
        """Raise, if this is where."""
        if where == self.where:
            raise ZeroDivisionError(where)

    def connection_made(self, transport: Any) -> None:
        """Raise, or not."""
        super().connection_made(transport)
        self.fail("connection_made")

    def datagram_received(self, data: bytes, addr: Any) -> None:
        """Raise for the first one."""
        del addr
        self.received.append(data)
        self.note("datagram_received")
        if len(self.received) == 1:
            self.fail("datagram_received")

    def error_received(self, exc: Exception) -> None:
        """Raise, or not."""
        del exc
        self.note("error_received")
        self.fail("error_received")

    def connection_lost(self, exc: Exception | None) -> None:
        """Raise, or not."""
        super().connection_lost(exc)
        self.fail("connection_lost")


@pytest.mark.parametrize(
    "where", ["connection_made", "datagram_received", "error_received", "connection_lost"]
)
def test_an_exception_of_a_protocol_of_datagrams_is_told_and_the_others_arrive(
    loop: Loop, unhandled: list[dict[str, Any]], where: str
) -> None:
    async def main() -> None:
        protocol = FailingDatagrams(where)
        with socket.socket(type=socket.SOCK_DGRAM) as peer:
            peer.bind(("127.0.0.1", 0))
            address = peer.getsockname()
            transport, _ = await loop.create_datagram_endpoint(
                lambda: protocol, remote_addr=address
            )
            for number in range(30):
                peer.sendto(b"%d" % number, transport.get_extra_info("sockname"))
            await protocol.until(lambda: len(protocol.received) == 30)
        # Nobody is there any more.
        transport.sendto(b"x")
        await protocol.called("error_received")
        transport.close()
        await protocol.lost()

    run(loop, main())
    told = unhandled.pop()
    assert isinstance(told["exception"], ZeroDivisionError)


class FailingPipes(Connection, asyncio.SubprocessProtocol):
    """Raises in a callback."""

    def __init__(self, where: str) -> None:
        super().__init__()
        self.where = where

    def fail(self, where: str) -> None:
        """Raise, if this is where."""
        self.note(where)
        if where == self.where:
            raise ZeroDivisionError(where)

    def pipe_data_received(self, fd: int, data: bytes) -> None:
        """Raise, or not."""
        del fd, data
        self.fail("pipe_data_received")

    def pipe_connection_lost(self, fd: int, exc: Exception | None) -> None:
        """Raise, or not."""
        del fd, exc
        self.fail("pipe_connection_lost")

    def process_exited(self) -> None:
        """Raise, or not."""
        self.fail("process_exited")


@pytest.mark.parametrize("where", ["pipe_data_received", "pipe_connection_lost", "process_exited"])
def test_an_exception_of_a_protocol_of_a_program_is_told(
    loop: Loop, unhandled: list[dict[str, Any]], where: str
) -> None:
    async def main() -> None:
        protocol = FailingPipes(where)
        transport, _ = await loop.subprocess_exec(
            lambda: protocol, "echo", "hello", stdin=None, stderr=None
        )
        await protocol.called(where)
        await protocol.called("process_exited")
        for _ in range(20):
            await asyncio.sleep(0)
        transport.close()

    run(loop, main())
    assert unhandled
    assert isinstance(unhandled[0]["exception"], ZeroDivisionError)
    unhandled.clear()


def test_a_program_that_never_ends_is_given_up(loop: Loop) -> None:
    async def main() -> int:
        # It takes no notice of SIGTERM either.
        process = await asyncio.create_subprocess_shell(
            "trap '' TERM; echo ready; while :; do sleep 100; done",
            stdout=asyncio.subprocess.PIPE,
            start_new_session=True,
        )
        assert process.stdout is not None
        assert await process.stdout.readline() == b"ready\n"
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(process.communicate(), 0.05)
        process.terminate()
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(process.wait(), 0.05)
        kill_group(process.pid)
        # What it has started may end after it, and with that the pipe.
        await process.stdout.read()
        return await process.wait()

    assert run(loop, main()) == -signal.SIGKILL


def kill_group(leader: int) -> None:
    """End a program and what it has started."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(leader, signal.SIGKILL)


def test_a_transport_that_is_closed_ends_a_program_that_never_does(loop: Loop) -> None:
    async def main() -> int | None:
        exited = loop.create_future()

        class Exiting(asyncio.SubprocessProtocol):
            """Tells when the program has ended."""

            def process_exited(self) -> None:
                exited.set_result(None)

        transport, _ = await loop.subprocess_exec(Exiting, "sleep", "1000")
        transport.close()
        await exited
        return transport.get_returncode()

    assert run(loop, main()) == -signal.SIGKILL
