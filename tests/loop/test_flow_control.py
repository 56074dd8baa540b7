"""Who is faster waits: pausing and resuming, of what is read and of what is written."""

from __future__ import annotations

import asyncio
import math
from typing import Any

import pytest

from loop.running import Loop, Recorder, end, run, talk

#: Far more than two sockets' buffers hold on any machine.
TOO_MUCH = bytes(8_000_000)


def test_writing_pauses_above_the_upper_mark_and_resumes_below_the_lower(loop: Loop) -> None:
    sizes: dict[str, int] = {}

    class Measuring(Recorder):
        """Notes how full the buffer is when it is told."""

        def note(self, call: str) -> None:
            """Note it."""
            sizes.setdefault(call, self.transport.get_write_buffer_size())
            super().note(call)

    async def main() -> None:
        client, server = Measuring(), Recorder()
        transport, peer = await talk(client, server)
        assert transport.get_write_buffer_limits() == (16 * 1024, 64 * 1024)
        peer.pause_reading()
        transport.write(TOO_MUCH)
        assert client.calls == ["connection_made", "pause_writing"]
        assert transport.get_write_buffer_size() > 64 * 1024
        transport.write(b"more")
        assert client.calls == ["connection_made", "pause_writing"]
        peer.resume_reading()
        await client.called("resume_writing")
        await server.has(len(TOO_MUCH) + 4)
        assert client.calls == ["connection_made", "pause_writing", "resume_writing"]
        await end(client, server)

    run(loop, main())
    assert sizes["pause_writing"] > 64 * 1024
    assert sizes["resume_writing"] <= 16 * 1024


def test_what_the_kernel_takes_at_once_pauses_nothing(loop: Loop) -> None:
    async def main() -> None:
        client, server = Recorder(), Recorder()
        transport, _ = await talk(client, server)
        transport.write(b"x" * 1000)
        await server.has(1000)
        assert transport.get_write_buffer_size() == 0
        assert "pause_writing" not in client.calls
        await end(client, server)

    run(loop, main())


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"high": 1000}, (250, 1000)),
        ({"low": 100}, (100, 400)),
        ({"high": 10, "low": 5}, (5, 10)),
        ({"high": 0}, (0, 0)),
        ({}, (16 * 1024, 64 * 1024)),
    ],
)
def test_the_marks_follow_from_each_other(
    loop: Loop, given: dict[str, int], expected: tuple[int, int]
) -> None:
    async def main() -> None:
        client, server = Recorder(), Recorder()
        transport, _ = await talk(client, server)
        transport.set_write_buffer_limits(**given)
        assert transport.get_write_buffer_limits() == expected
        await end(client, server)

    run(loop, main())


def test_a_mark_may_be_a_fraction(loop: Loop) -> None:
    async def main() -> None:
        ours, theirs = Recorder(), Recorder()
        transport, _ = await talk(ours, theirs)
        transport.set_write_buffer_limits(1e6 / 3)
        low, high = transport.get_write_buffer_limits()
        assert (int(low), int(high)) == (83333, 333333)
        with pytest.raises(ValueError, match=r"high \(-1\) must be >= low \(-1\)"):
            transport.set_write_buffer_limits(-1)
        await end(ours, theirs)

    run(loop, main())


@pytest.mark.parametrize("high", [10**30, math.inf, 2**63])
def test_who_wants_no_pause_may_set_a_mark_that_nothing_reaches(loop: Loop, high: Any) -> None:
    async def main() -> None:
        client, server = Recorder(), Recorder()
        transport, _ = await talk(client, server)
        transport.set_write_buffer_limits(high=high, low=0)
        transport.write(b"x" * 8_000_000)
        assert transport.get_write_buffer_limits()[1] > 1 << 60
        await server.has(8_000_000)
        assert "pause_writing" not in client.calls
        with pytest.raises(ValueError, match="must be >= low"):
            transport.set_write_buffer_limits(high=-high)
        await end(client, server)

    run(loop, main())


def test_marks_in_the_wrong_order_are_refused(loop: Loop) -> None:
    async def main() -> None:
        client, server = Recorder(), Recorder()
        transport, _ = await talk(client, server)
        for high, low in ((10, 20), (10, -1)):
            with pytest.raises(ValueError, match="must be >= low"):
                transport.set_write_buffer_limits(high=high, low=low)
        assert transport.get_write_buffer_limits() == (16 * 1024, 64 * 1024)
        await end(client, server)

    run(loop, main())


def test_a_mark_below_what_waits_pauses_at_once(loop: Loop) -> None:
    async def main() -> None:
        client, server = Recorder(), Recorder()
        transport, peer = await talk(client, server)
        transport.set_write_buffer_limits(high=2 * len(TOO_MUCH))
        peer.pause_reading()
        transport.write(TOO_MUCH)
        assert "pause_writing" not in client.calls
        transport.set_write_buffer_limits(high=1000)
        assert "pause_writing" in client.calls
        peer.resume_reading()
        await client.called("resume_writing")
        await end(client, server)

    run(loop, main())


def test_draining_waits_for_a_peer_that_reads_again(loop: Loop) -> None:
    async def main() -> None:
        served: asyncio.Queue[Any] = asyncio.Queue()
        server = await asyncio.start_server(
            lambda *streams: served.put_nowait(streams), "127.0.0.1", 0
        )
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        peer_reader, peer_writer = await served.get()
        peer_writer.transport.pause_reading()
        writer.write(TOO_MUCH)
        drained = asyncio.ensure_future(writer.drain())
        await asyncio.sleep(0)
        assert not drained.done()
        peer_writer.transport.resume_reading()
        received = asyncio.ensure_future(peer_reader.readexactly(len(TOO_MUCH)))
        await drained
        assert await received == TOO_MUCH
        for one in (writer, peer_writer):
            one.close()
            await one.wait_closed()
        server.close()
        await server.wait_closed()
        assert reader.at_eof()

    run(loop, main())


def test_nothing_is_delivered_while_reading_is_paused(loop: Loop) -> None:
    async def main() -> None:
        client, server = Recorder(), Recorder()
        transport, peer = await talk(client, server)
        assert peer.is_reading()
        peer.pause_reading()
        peer.pause_reading()
        assert not peer.is_reading()
        transport.write(b"held back")
        # The other direction shows that the loop has looked at the sockets meanwhile.
        for _ in range(3):
            peer.write(b"x")
            await client.has(len(client.received) + 1)
        assert server.received == b""
        peer.resume_reading()
        peer.resume_reading()
        assert peer.is_reading()
        assert await server.has(9) == b"held back"
        await end(client, server)

    run(loop, main())


def test_a_protocol_may_pause_itself_while_it_is_given_data(loop: Loop) -> None:
    class Pausing(Recorder):
        """Takes one piece at a time."""

        def data_received(self, data: bytes) -> None:
            """Take it and stop."""
            self.transport.pause_reading()
            super().data_received(data)

    async def main() -> None:
        client, server = Recorder(), Pausing()
        transport, peer = await talk(client, server)
        transport.write(TOO_MUCH)
        count = 0
        while len(server.received) < len(TOO_MUCH):
            count += 1
            await server.until(lambda: server.calls.count("data_received") == count)  # noqa: B023
            assert not peer.is_reading()
            peer.resume_reading()
        assert server.received == TOO_MUCH
        await end(client, server)

    run(loop, main())


def test_the_end_and_the_data_before_it_are_not_lost_while_reading_is_paused(loop: Loop) -> None:
    async def main() -> None:
        client, server = Recorder(), Recorder()
        transport, peer = await talk(client, server)
        peer.pause_reading()
        transport.write(b"last words")
        transport.close()
        await client.lost()
        assert server.calls == ["connection_made"]
        peer.resume_reading()
        await server.lost()
        assert server.received == b"last words"
        expected = ["connection_made", "data_received", "eof_received", "connection_lost"]
        assert server.calls == expected

    run(loop, main())
