"""Files as bodies of ASGI responses, on every kind of connection: whole, and in parts."""

from __future__ import annotations

import asyncio
import os
import socket
import ssl
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import trustme

from corrente import _native

from .applications import respond
from .serving import Served
from .streams import Http2Client
from .wire import READ, Client, request

if TYPE_CHECKING:
    from collections.abc import Callable

    from .serving import Foreign

NAME = "localhost"

#: More than the kernel keeps for a connection that nobody reads, in bytes.
LARGE = 64 * 1024 * 1024


def content(size: int) -> bytes:
    """Make bytes of which no two parts look alike."""
    return b"".join(number.to_bytes(4) for number in range(size // 4 + 1))[:size]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Give a file that is not sent in one piece."""
    path = tmp_path / "file"
    path.write_bytes(content(3_000_000))
    return path


@pytest.fixture
def sparse(tmp_path: Path) -> Path:
    """Give a file that is large and takes no place."""
    path = tmp_path / "sparse"
    with path.open("wb") as written:
        written.truncate(LARGE)
    return path


def by_path(path: Path, *headers: tuple[bytes, bytes]) -> Foreign:
    """Make an application that sends a file."""

    async def application(_scope: Foreign, _receive: Foreign, send: Foreign) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.pathsend", "path": str(path)})

    return application


def secured() -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """Give what a server and a client that trusts it need."""
    authority = trustme.CA()
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(NAME).configure_cert(server)
    client = ssl.create_default_context()
    authority.configure_trust(client)
    return server, client


def wrapped(client: Client, context: ssl.SSLContext) -> Client:
    """Have a client speak TLS."""
    client.socket = context.wrap_socket(client.socket, server_hostname=NAME)
    return client


def test_a_file_goes_over_tls(serve: Callable[..., Served], file: Path) -> None:
    server, context = secured()
    with wrapped(serve(by_path(file), ssl_context=server).client(), context) as client:
        for _ in range(2):
            response = client.get()
            assert response.header("content-length") == "3000000"
            assert response.body == file.read_bytes()


def test_a_connection_that_is_to_end_sends_all_of_it(
    serve: Callable[..., Served], file: Path
) -> None:
    # RFC 9112, section 9.6.
    server, context = secured()
    for served, is_secured in (
        (serve(by_path(file)), False),
        (serve(by_path(file), ssl_context=server), True),
    ):
        with served.client() as client:
            if is_secured:
                wrapped(client, context)
            response = client.get("/", "Connection: close")
            assert response.body == file.read_bytes()
            assert client.is_ended()
    with serve(by_path(file)).client() as client:
        client.send(request(version="1.0"))
        client.socket.shutdown(socket.SHUT_WR)
        assert client.response().body == file.read_bytes()
        assert client.is_ended()


def test_requests_behind_a_file_are_answered(serve: Callable[..., Served], file: Path) -> None:
    # RFC 9112, section 9.3.2.
    methods = ["GET", "HEAD", "GET", "GET"]
    with serve(by_path(file)).client() as client:
        client.send(b"".join(request(method=method) for method in methods))
        for method in methods:
            response = client.response(method)
            assert response.header("content-length") == "3000000"
            assert response.body == (b"" if method == "HEAD" else file.read_bytes())


def test_parts_of_a_file_go_between_other_pieces(serve: Callable[..., Served], file: Path) -> None:
    known = file.read_bytes()

    async def application(_scope: Foreign, _receive: Foreign, send: Foreign) -> None:
        await send({"type": "http.response.start", "status": 200})
        part = {"type": "http.response.zerocopysend", "more_body": True}
        with file.open("rb") as opened:
            await send({**part, "file": opened, "offset": 5, "count": 10})
            await send({"type": "http.response.body", "body": b"between", "more_body": True})
            await send({**part, "file": opened.fileno(), "offset": 1_000_000})
            await send({"type": "http.response.body", "body": b"again", "more_body": True})
            await send({**part, "file": opened, "offset": 4_000_000, "count": 1})
            await send({"type": "http.response.zerocopysend", "file": opened, "offset": 7})

    expected = [known[5:15], b"between", known[1_000_000:], b"again", known[7:]]
    served = serve(application)
    with served.client() as client:
        for _ in range(2):
            assert client.get().body == b"".join(expected)
            assert client.get(method="HEAD").body == b""
    with Http2Client(served.address) as stream:
        assert stream.get().body == b"".join(expected)


@pytest.mark.parametrize("kind", ["file", "number"])
def test_a_file_goes_on_where_it_stands(
    serve: Callable[..., Served], file: Path, kind: str
) -> None:
    positions = []

    async def application(_scope: Foreign, _receive: Foreign, send: Foreign) -> None:
        await send({"type": "http.response.start", "status": 200})
        part = {"type": "http.response.zerocopysend", "count": 100}
        with file.open("rb") as opened:
            if kind == "file":
                # Its buffer has more than that.
                opened.read(10)
            else:
                os.lseek(opened.fileno(), 10, os.SEEK_SET)
            sent = opened if kind == "file" else opened.fileno()
            await send({**part, "file": sent, "more_body": True})
            await send({**part, "file": sent})
            positions.append(opened.tell())

    served = serve(application)
    with served.client() as client:
        assert client.get().body == content(210)[10:]
        served.until(lambda: bool(positions))
    assert positions == [210]


def test_the_extension_is_told(serve: Callable[..., Served]) -> None:
    told: list[Foreign] = []

    async def application(scope: Foreign, _receive: Foreign, send: Foreign) -> None:
        told.append(scope["extensions"])
        await respond(send)

    with serve(application).client() as client:
        client.get()
    assert {"http.response.pathsend", "http.response.zerocopysend"} <= told[0].keys()


@pytest.mark.parametrize(
    ("length", "text"), [(2_999_999, "1 bytes more"), (3_000_001, "1 bytes less")]
)
@pytest.mark.parametrize("version", [1, 2])
def test_a_file_of_another_length_than_was_said(
    serve: Callable[..., Served], file: Path, length: int, text: str, version: int
) -> None:
    # RFC 9112, section 6.3; RFC 9113, section 8.1.1.
    served = serve(by_path(file, (b"content-length", str(length).encode())))
    if version == 1:
        with served.client() as client:
            client.send(request())
            assert len(client.rest().partition(b"\r\n\r\n")[2]) < length
    else:
        with Http2Client(served.address) as client:
            assert client.get().reset is not None
    error = served.expect_report("raised an exception")
    assert isinstance(error, RuntimeError)
    assert text in str(error)


@pytest.mark.parametrize(
    ("kind", "error"),
    [
        ("missing", FileNotFoundError),
        ("folder", IsADirectoryError),
        ("file/below", NotADirectoryError),
        ("pipe", OSError),
        ("secret", PermissionError),
    ],
)
def test_what_cannot_be_sent_is_told(
    serve: Callable[..., Served], file: Path, kind: str, error: type[Exception]
) -> None:
    folder = file.parent
    (folder / "folder").mkdir()
    os.mkfifo(folder / "pipe")
    (folder / "secret").touch(0o000)
    if kind == "secret" and os.access(folder / "secret", os.R_OK):
        pytest.skip("nothing is forbidden to this user")
    seen: list[OSError] = []

    async def application(_scope: Foreign, _receive: Foreign, send: Foreign) -> None:
        await send({"type": "http.response.start", "status": 200})
        try:
            await send({"type": "http.response.pathsend", "path": str(folder / kind)})
        except OSError as failure:
            seen.append(failure)
            await send({"type": "http.response.body", "body": b"instead"})

    with serve(application).client() as client:
        assert client.get().body == b"instead"
    assert isinstance(seen[0], error)
    if error is not OSError:
        assert seen[0].filename == str(folder / kind)


@pytest.mark.parametrize("file", ["text", -1, 12345])
def test_what_is_no_file_is_told(serve: Callable[..., Served], file: Foreign) -> None:
    async def application(_scope: Foreign, _receive: Foreign, send: Foreign) -> None:
        await send({"type": "http.response.start", "status": 200})
        await send({"type": "http.response.zerocopysend", "file": file})

    served = serve(application)
    with served.client() as client:
        assert client.get().status == 500
    error = served.expect_report("raised an exception")
    assert isinstance(error, TypeError if file == "text" else OSError)


@pytest.mark.parametrize("way", ["plain", "TLS", "HTTP/2"])
def test_a_file_that_shrinks_ends_the_connection(
    serve: Callable[..., Served], sparse: Path, way: str
) -> None:
    server, context = secured()
    served = serve(by_path(sparse), ssl_context=server if way == "TLS" else None)
    if way == "HTTP/2":
        with Http2Client(served.address, takes=False) as stream:
            number = stream.ask()
            stream.until(lambda: len(stream.answers[number].body) > 0)
            os.truncate(sparse, 1000)
            for _ in range(2):
                stream.connection.increment_flow_control_window(1 << 20, number)
                stream.connection.increment_flow_control_window(1 << 20)
                stream.flush()
            assert stream.answer(number).reset is not None
    else:
        with served.client(receive_buffer=4096) as client:
            if way == "TLS":
                wrapped(client, context)
            client.send(request())
            assert client.head().header("content-length") == str(LARGE)
            os.truncate(sparse, 1000)
            assert len(client.rest()) < LARGE
    # On our own loop it is the transport that finds out. What else is told fails the test later.
    served.until(lambda: bool(served.reports or served.unhandled))
    if served.reports:
        _, told = served.reports.pop(0)
    else:
        told = served.unhandled.pop(0)["exception"]
    assert "ended before byte" in str(told)


class Patient(asyncio.SelectorEventLoop):
    """asyncio's own, whose transports have protocols go on only when all is written."""

    def _make_socket_transport(self, *arguments: Foreign, **options: Foreign) -> Foreign:
        transport = super()._make_socket_transport(*arguments, **options)  # type: ignore[misc]
        transport.set_write_buffer_limits(high=0)
        return transport


@pytest.mark.parametrize("ends", ["too early", "as it should"])
def test_a_connection_that_ends_when_there_is_room_again_ends_once(
    file: Path, sparse: Path, ends: str
) -> None:
    # asyncio's transports fall over one that is closed while they say that there is room
    # (CPython's issue 156512).
    served = Served(Patient, by_path(sparse if ends == "too early" else file))
    with served.client(receive_buffer=4096) as client:
        client.send(request("/", "Connection: close"))
        client.head()
        # It has written what there was room for.
        served.call(lambda: None)
        if ends == "too early":
            os.truncate(sparse, 1000)
        client.rest()
        served.until(lambda: not served.server.connections)
    assert [text for text, _ in served.reports] == ["a file could not be sent"] * (
        ends == "too early"
    )
    served.reports.clear()
    served.end()


def test_a_client_that_goes_ends_the_sending(serve: Callable[..., Served], sparse: Path) -> None:
    operations = _native.Operations(metrics="on")
    served = serve(by_path(sparse), operations=operations)
    with served.client(receive_buffer=4096) as client:
        client.send(request())
        client.head()
        assert served.server.in_flight == 1
        client.reset()
    served.until(lambda: served.server.in_flight == 0)
    counts = served.call(operations.counts)
    assert counts is not None
    assert counts["sent_bytes"] < LARGE


def test_a_client_that_reads_nothing_is_ended(serve: Callable[..., Served], sparse: Path) -> None:
    served = serve(by_path(sparse), write_timeout=0.05)
    with served.client(receive_buffer=4096) as client:
        client.send(request())
        client.head()
        served.look_until(lambda: served.server.connections == 0)


def test_what_was_sent_is_counted(serve: Callable[..., Served], file: Path) -> None:
    operations = _native.Operations(metrics="on")
    served = serve(by_path(file), operations=operations)
    with served.client() as client, Http2Client(served.address) as stream:
        client.get()
        client.get(method="HEAD")
        stream.get()
        served.until(lambda: served.server.in_flight == 0)
    counts = served.call(operations.counts)
    assert counts is not None
    assert counts["sent_bytes"] == 6_000_000


@pytest.mark.parametrize("size", [0, 10, 20_000, 3_000_000])
def test_files_go_over_http_2(serve: Callable[..., Served], tmp_path: Path, size: int) -> None:
    known = content(size)
    (tmp_path / "sized").write_bytes(known)
    with Http2Client(serve(by_path(tmp_path / "sized")).address) as client:
        streams = [client.ask() for _ in range(3)]
        for stream in streams:
            answer = client.answer(stream)
            assert answer.body == known
            assert answer.header("content-length") == str(size)
        answer = client.get(method="HEAD")
        assert (answer.status, answer.body) == (200, b"")


def test_trailers_follow_a_file(serve: Callable[..., Served], file: Path) -> None:
    async def application(_scope: Foreign, _receive: Foreign, send: Foreign) -> None:
        await send({"type": "http.response.start", "status": 200, "trailers": True})
        await send({"type": "http.response.pathsend", "path": str(file)})
        await send({"type": "http.response.trailers", "headers": [(b"x-sum", b"1")]})

    served = serve(application)
    with served.client() as client, Http2Client(served.address) as stream:
        for answer in (client.get("/", "TE: trailers"), stream.get()):
            assert answer.body == file.read_bytes()
            assert answer.trailers == [("x-sum", "1")]


def test_what_overtakes_a_file_is_refused(serve: Callable[..., Served], sparse: Path) -> None:
    async def application(_scope: Foreign, _receive: Foreign, send: Foreign) -> None:
        await send({"type": "http.response.start", "status": 200})
        with sparse.open("rb") as opened:
            part = {"type": "http.response.zerocopysend", "file": opened, "more_body": True}
            # Neither is awaited.
            send(part)
            send(part)

    served = serve(application)
    with served.client(receive_buffer=4096) as client:
        client.send(request())
        assert len(client.rest()) < LARGE
    assert "await send()" in str(served.expect_report("raised an exception"))


def resident() -> int:
    """Tell how much memory this process has, in bytes."""
    pages = Path("/proc/self/statm").read_text(encoding="ascii").split()[1]
    return int(pages) * os.sysconf("SC_PAGE_SIZE")


@pytest.mark.parametrize("way", ["plain", "TLS", "HTTP/2"])
def test_a_large_file_is_not_in_memory(
    serve: Callable[..., Served], sparse: Path, way: str
) -> None:
    size = 200 * 1024 * 1024
    os.truncate(sparse, size)
    server, context = secured()
    served = serve(by_path(sparse), ssl_context=server if way == "TLS" else None)
    with served.client() as client:
        if way == "TLS":
            wrapped(client, context)
        if way == "HTTP/2":
            stream = Http2Client(client.socket)
            number = stream.ask()
            stream.connection.increment_flow_control_window(2**30)
            stream.connection.increment_flow_control_window(2**30, number)
            stream.flush()
        else:
            client.send(request())
        before = most = resident()
        came = 0
        while came < size:
            piece = client.socket.recv(READ)
            assert piece, came
            came += len(piece)
            most = max(most, resident())
    assert most - before < 8 * 1024 * 1024
