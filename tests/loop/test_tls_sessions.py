"""What happens to a TLS session: refused, reset, torn, paused, ended from either side."""

from __future__ import annotations

import _ssl
import asyncio
import ctypes
import gc
import logging
import random
import ssl
from operator import attrgetter
from typing import TYPE_CHECKING, Any

import pytest

import corrente
from loop.running import (
    BufferedRecorder,
    Connection,
    Echo,
    Loop,
    Recorder,
    end,
    is_asyncio,
    run,
    sockets,
)
from loop.securing import (
    Contexts,
    Foreign,
    authority,
    contexts,
    make_loop,
    over,
    pair,
    provable,
    secured,
)

if TYPE_CHECKING:
    from pathlib import Path


__all__ = ["authority", "contexts", "make_loop"]


def lending(loop: Loop, size: int) -> BufferedRecorder:
    """Give a protocol with a buffer; asyncio loses what goes into a slice of a bytearray."""
    protocol: Any = BufferedRecorder(size)
    if is_asyncio(loop):
        protocol.buffer = memoryview(protocol.buffer)
    recorder: BufferedRecorder = protocol
    return recorder


async def relayed(
    contexts: Contexts, ours: Foreign, theirs: Foreign, relay: Foreign
) -> tuple[Any, Any, Any]:
    """As `pair`, with `relay(reader, writer)` between the two, for each direction."""
    here, one = sockets()
    other, there = sockets()
    streams = [await asyncio.open_connection(sock=sock) for sock in (one, other)]
    ways = [(streams[0][0], streams[1][1]), (streams[1][0], streams[0][1])]
    relays = asyncio.gather(*(relay(*way) for way in ways))
    client, server = await asyncio.gather(
        over(here, ours, contexts[0]), over(there, theirs, contexts[1], server_side=True)
    )
    return client, server, relays


@pytest.mark.parametrize("kind", [Recorder, BufferedRecorder])
def test_the_peers_end_ends_both_sides(loop: Loop, contexts: Contexts, kind: type[Any]) -> None:
    """Unlike without TLS nothing can be kept open, whatever `eof_received` says."""

    class Keeping(kind):  # type: ignore[misc]
        """Would like to keep its side open."""

        def eof_received(self) -> bool:
            """Ask for it."""
            super().eof_received()
            return True

    async def main() -> None:
        client, server = Keeping(), Recorder()
        _, peer = await pair(contexts, client, server)
        peer.write(b"last words")
        peer.close()
        await client.lost()
        await server.lost()
        assert client.received == b"last words"
        assert (client.lost_with, server.lost_with) == (None, None)
        assert client.calls[-2:] == ["eof_received", "connection_lost"]

    run(loop, main())


def test_the_end_without_a_word_ends_a_session(loop: Loop, contexts: Contexts) -> None:
    """The peer closes its socket without TLS's end."""

    async def main() -> None:
        client, server = Recorder(), Recorder()
        _, peer = await pair(contexts, client, server)
        peer.write(b"last words")
        await client.has(10)
        peer.abort()
        await client.lost()
        assert client.calls.count("eof_received") == 1
        await server.lost()

    run(loop, main())


def test_a_peer_that_does_not_end_its_side_is_waited_for_no_longer_than_asked(
    loop: Loop, contexts: Contexts
) -> None:
    async def main() -> None:
        here, there = sockets()
        client, server = Recorder(), Recorder()
        _, peer = await asyncio.gather(
            over(here, client, contexts[0], ssl_shutdown_timeout=0.05),
            over(there, server, contexts[1], server_side=True),
        )
        # The server's end does not come: its stream reads nothing any more.
        peer._ssl_protocol._transport.pause_reading()
        client.transport.close()
        await client.lost()
        assert isinstance(client.lost_with, TimeoutError)
        peer.abort()
        await server.lost()

    run(loop, main())


def test_a_record_that_was_changed_on_its_way_ends_the_session(
    loop: Loop, contexts: Contexts
) -> None:
    is_torn = asyncio.Event()

    async def relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65_536):
            if is_torn.is_set():
                data = data[:-1] + bytes([data[-1] ^ 1])
            writer.write(data)
        writer.close()

    async def main() -> None:
        client, server = Recorder(), Recorder()
        transport, _, relays = await relayed(contexts, client, server, relay)
        transport.write(b"whole")
        await server.has(5)
        is_torn.set()
        transport.write(b"torn")
        await server.lost()
        assert isinstance(server.lost_with, ssl.SSLError)
        told = attrgetter("library", "reason")(server.lost_with)
        # The second is what OpenSSL 4 calls it.
        reasons = ("DECRYPTION_FAILED_OR_BAD_RECORD_MAC", "RECORD_LAYER_FAILURE")
        assert told[0] == "SSL"
        assert told[1] in reasons
        assert told[1].replace("_", " ").lower() in str(server.lost_with)
        assert server.received == b"whole"
        transport.abort()
        await client.lost()
        await relays

    run(loop, main())


@pytest.mark.parametrize("seed", range(6))
def test_everything_arrives_through_a_way_that_tears_it_into_pieces(
    loop: Loop, contexts: Contexts, seed: int
) -> None:
    source = random.Random(seed)

    async def relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(source.choice([1, 5, 100, 20_000, 200_000])):
            writer.write(data)
            await writer.drain()
            if source.random() < 0.5:
                await asyncio.sleep(0)
        writer.close()

    async def main() -> None:
        client: Any = Recorder() if source.random() < 0.5 else lending(loop, 4096)
        server = Echo()
        transport, _, relays = await relayed(contexts, client, server, relay)
        sent = bytearray()
        for _ in range(12):
            data = source.randbytes(source.choice([1, 1000, 16_384, 40_000]))
            kind = source.choice([bytes, bytearray, memoryview])
            transport.write(kind(data))
            sent += data
            if source.random() < 0.3:
                await asyncio.sleep(0)
        transport.writelines([b"the", bytearray(b" "), memoryview(b"end")])
        sent += b"the end"
        assert await client.has(len(sent)) == sent
        await end(client, server)
        await relays

    run(loop, main())


def test_a_peer_that_does_not_read_pauses_the_protocol_until_it_does(
    loop: Loop, contexts: Contexts
) -> None:
    async def main() -> None:
        client, server = Recorder(), Recorder()
        transport, peer = await pair(contexts, client, server)
        assert transport.get_write_buffer_limits() == (128 * 1024, 512 * 1024)
        peer.pause_reading()
        sent = 0
        while "pause_writing" not in client.calls:
            transport.write(b"x" * 65_536)
            sent += 65_536
            await asyncio.sleep(0)
        assert transport.get_write_buffer_size() >= 512 * 1024
        assert not server.received
        peer.resume_reading()
        assert await server.has(sent) == b"x" * sent
        await client.called("resume_writing")
        assert transport.get_write_buffer_size() == 0
        await end(client, server)

    run(loop, main())


def test_what_is_written_before_the_end_arrives_before_it(loop: Loop, contexts: Contexts) -> None:
    async def main() -> None:
        client, server = Recorder(), Recorder()
        transport, peer = await pair(contexts, client, server)
        peer.pause_reading()
        transport.write(b"x" * 3_000_000)
        transport.write(b"end")
        transport.close()
        assert transport.is_closing()
        peer.resume_reading()
        await client.lost()
        await server.lost()
        assert server.received == b"x" * 3_000_000 + b"end"

    run(loop, main())


def test_what_was_written_was_sent_before_an_abort(loop: Loop, contexts: Contexts) -> None:
    async def main() -> None:
        client, server = Recorder(), Recorder()
        transport, peer = await pair(contexts, client, server)
        # What the handshake left to read is read by then, so closing resets nothing.
        peer.write(b"hello")
        await client.has(5)
        transport.write(b"last words")
        transport.abort()
        await client.lost()
        await server.lost()
        assert server.received == b"last words"

    run(loop, main())


def test_nothing_is_delivered_while_reading_is_paused(loop: Loop, contexts: Contexts) -> None:
    async def main() -> None:
        client, server = Recorder(), Recorder()
        transport, peer = await pair(contexts, client, server)
        peer.pause_reading()
        assert not peer.is_reading()
        for _ in range(20):
            transport.write(b"x" * 50_000)
            await asyncio.sleep(0)
        assert not server.received
        peer.resume_reading()
        assert await server.has(1_000_000) == b"x" * 1_000_000
        await end(client, server)

    run(loop, main())


@pytest.mark.parametrize("size", [1, 100, 16_384, 300_000])
def test_a_buffer_of_any_size_gets_everything(loop: Loop, contexts: Contexts, size: int) -> None:
    async def main() -> None:
        client, server = Recorder(), lending(loop, size)
        transport, _ = await pair(contexts, client, server)
        data = b"0123456789abcdef!" * (min(size * 3_000, 400_000) // 17 + 1)
        transport.write(data)
        assert await server.has(len(data)) == data
        await end(client, server)

    run(loop, main())


@pytest.mark.parametrize("place", ["data_received", "get_buffer", "buffer_updated"])
def test_a_protocol_that_raises_is_told_and_the_session_ends(
    loop: Loop, contexts: Contexts, place: str, unhandled: list[dict[str, Any]]
) -> None:
    def fail(*_: object) -> None:
        raise ZeroDivisionError

    async def main() -> None:
        client = Recorder()
        server: Connection = Recorder() if place == "data_received" else BufferedRecorder()
        transport, _ = await pair(contexts, client, server)
        setattr(server, place, fail)
        server.transport.set_protocol(server)
        transport.write(b"x")
        await server.lost()
        assert isinstance(server.lost_with, ZeroDivisionError)
        await client.lost()

    run(loop, main())
    (told,) = unhandled
    assert told["message"] == "Fatal error on SSL protocol"
    assert isinstance(told["exception"], ZeroDivisionError)
    unhandled.clear()


def test_writing_after_the_end_is_warned_of_in_the_long_run(
    loop: Loop, contexts: Contexts, caplog: pytest.LogCaptureFixture
) -> None:
    async def main() -> None:
        client, server = Recorder(), Recorder()
        transport, _ = await pair(contexts, client, server)
        transport.close()
        for _ in range(7):
            transport.write(b"too late")
        await client.lost()
        await server.lost()
        assert not server.received

    with caplog.at_level(logging.WARNING, "asyncio"):
        run(loop, main())
    assert "SSL connection is closed" in caplog.text


def test_what_is_no_bytes_is_refused(loop: Loop, contexts: Contexts) -> None:
    async def main() -> None:
        client, server = Recorder(), Echo()
        transport, _ = await pair(contexts, client, server)
        for wrong in ("text", 3, None):
            with pytest.raises(TypeError, match="expecting a bytes-like instance, got "):
                transport.write(wrong)
        transport.write(b"")
        transport.write(b"x")
        assert await client.has(1) == b"x"
        with pytest.raises(NotImplementedError):
            transport.write_eof()
        await end(client, server)

    run(loop, main())


def test_a_session_within_a_session(loop: Loop, contexts: Contexts) -> None:
    async def main() -> None:
        client, server = Recorder(), Echo()
        outer, peer = await pair(contexts, Recorder(), Recorder())
        inner, inner_peer = await asyncio.gather(
            loop.start_tls(outer, client, contexts[0], server_hostname="localhost"),
            loop.start_tls(peer, server, contexts[1], server_side=True),
        )
        client.transport, server.transport = inner, inner_peer
        assert inner is not None
        inner.write(b"x" * 200_000)
        assert await client.has(200_000) == b"x" * 200_000
        inner.close()
        await client.lost()
        await server.lost()

    run(loop, main())


def is_native(transport: Foreign) -> bool:
    """Whether OpenSSL is asked without Python in between."""
    native: bool = getattr(transport._ssl_protocol, "_is_native", False)
    return native


@provable
def test_the_way_that_was_asked_for_is_taken(loop: Loop, contexts: Contexts) -> None:
    async def main() -> None:
        client, server = Recorder(), Recorder()
        transports = await pair(contexts, client, server)
        is_asked = getattr(loop, "_tls", "") == "native"
        assert [is_native(transport) for transport in transports] == [is_asked] * 2
        await end(client, server)

    run(loop, main())


def test_who_logs_keys_is_shown_each_record_by_python(
    loop: Loop, contexts: Contexts, tmp_path: Path
) -> None:
    contexts[0].keylog_filename = str(tmp_path / "keys")

    async def main() -> None:
        client, server = Recorder(), Echo()
        transport, _ = await pair(contexts, client, server)
        assert not is_native(transport)
        transport.write(b"x" * 50_000)
        assert await client.has(50_000) == b"x" * 50_000
        await end(client, server)

    run(loop, main())
    contexts[0].keylog_filename = None  # type: ignore[assignment]
    assert "SECRET" in (tmp_path / "keys").read_text(encoding="ascii")


def test_a_subclass_of_pythons_object_is_asked(loop: Loop, contexts: Contexts) -> None:
    class Counting(ssl.SSLObject):
        """Counts what is written through it."""

        written = 0

        def write(self, data: Foreign) -> int:
            """Count it."""
            type(self).written += len(data)
            return super().write(data)

    contexts[0].sslobject_class = Counting

    async def main() -> None:
        client, server = Recorder(), Echo()
        transport, _ = await pair(contexts, client, server)
        assert not is_native(transport)
        transport.write(b"x" * 50_000)
        assert await client.has(50_000) == b"x" * 50_000
        assert Counting.written == 50_000
        await end(client, server)

    run(loop, main())


def test_a_session_object_outlives_its_connection(loop: Loop, contexts: Contexts) -> None:
    async def main() -> None:
        client, server = Recorder(), Echo()
        transport, _ = await pair(contexts, client, server)
        session = transport.get_extra_info("ssl_object")
        await end(client, server)
        del transport
        gc.collect()
        assert session.version()
        assert session.getpeercert()
        with pytest.raises(ssl.SSLError):
            session.write(b"x")

    run(loop, main())


def test_another_way_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ValueError, match="CORRENTE_TLS"):
        corrente.new_event_loop(tls="fast")
    monkeypatch.setenv("CORRENTE_TLS", "memory")
    made: Any = corrente.new_event_loop()
    assert made._tls == "memory"
    made.close()


def test_it_is_a_transport_of_asyncios(loop: Loop, contexts: Contexts) -> None:
    async def main() -> None:
        client, server = Recorder(), Recorder()
        transport, _ = await pair(contexts, client, server)
        assert isinstance(transport, asyncio.Transport)
        assert transport.get_protocol() is client
        assert transport.get_extra_info("compression") is None
        assert transport.get_extra_info("nothing", "instead") == "instead"
        await end(client, server)

    run(loop, main())


@provable
def test_an_error_that_somebody_has_left_to_openssl_is_no_connections(contexts: Contexts) -> None:
    """A call that has to wait for the rest of a record is judged by what is left there, too."""
    openssl = ctypes.CDLL(_ssl.__file__)
    if not hasattr(openssl, "ERR_new"):
        pytest.skip("this OpenSSL takes its errors in another way")

    class Careless(Recorder):
        """Leaves an error behind whenever something has come."""

        def data_received(self, data: bytes) -> None:
            super().data_received(data)
            openssl.ERR_new()
            openssl.ERR_set_error(20, 1, None)

    async def main() -> None:
        careless = Careless()
        client = Recorder()
        transport, server = await secured(contexts, client, lambda: careless)
        # Many records, which come in pieces.
        transport.write(b"x" * 2_000_000)
        assert len(await careless.has(2_000_000)) == 2_000_000
        await end(client)
        await careless.lost()
        assert careless.lost_with is None
        server.close()
        await server.wait_closed()

    loop = corrente.new_event_loop(tls="native")
    run(loop, main())
    loop.close()
