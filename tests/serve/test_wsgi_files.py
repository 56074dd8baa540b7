"""`wsgi.file_wrapper` (PEP 3333), in the loop's thread and in a pool."""

from __future__ import annotations

import gzip
import io
import tempfile
from typing import TYPE_CHECKING
from wsgiref.validate import validator

import pytest

from .applications import PLAIN
from .streams import Http2Client

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from .serving import Foreign, Served


#: More than is sent in one piece.
CONTENT = b"".join(number.to_bytes(4) for number in range(500_000))


class Watched:
    """A file of an application's, which says what was done with it."""

    def __init__(self, file: Foreign) -> None:
        self.file = file
        self.reads = 0
        self.closed = 0

    def read(self, size: int) -> bytes:
        """Read, and count."""
        self.reads += 1
        data: bytes = self.file.read(size)
        return data

    def close(self) -> None:
        """Close, and count."""
        self.closed += 1
        self.file.close()


@pytest.fixture(params=[1, 2])
def serve_wsgi(
    serve: Callable[..., Served], request: pytest.FixtureRequest
) -> Callable[..., Served]:
    """Give what serves an application of this interface."""

    def start(application: Foreign, **settings: Foreign) -> Served:
        return serve(application, interface="wsgi", threads=request.param, **settings)

    return start


def sends(make: Callable[[], Foreign], *headers: tuple[str, str]) -> Foreign:
    """Make an application that returns what it made, wrapped."""

    def application(environ: Foreign, start_response: Foreign) -> Foreign:
        start_response("200 OK", [*PLAIN, *headers])
        return environ["wsgi.file_wrapper"](make(), 4096)

    return application


def test_a_file_is_sent_from_where_it_stands(
    serve_wsgi: Callable[..., Served], tmp_path: Path
) -> None:
    (tmp_path / "file").write_bytes(CONTENT)
    files: list[Foreign] = []

    def make() -> Foreign:
        files.append((tmp_path / "file").open("rb"))
        files[-1].read(10)
        return files[-1]

    served = serve_wsgi(sends(make))
    with served.client() as client, Http2Client(served.address) as stream:
        for _ in range(2):
            response = client.get()
            # Its length is known, so nothing had to be in chunks.
            assert response.header("content-length") == str(len(CONTENT) - 10)
            assert response.body == CONTENT[10:]
        head = client.get(method="HEAD")
        assert head.header("content-length") == str(len(CONTENT) - 10)
        assert stream.get().body == CONTENT[10:]
    served.until(lambda: all(file.closed for file in files))
    assert len(files) == 4


def test_no_more_is_sent_than_was_said(serve_wsgi: Callable[..., Served], tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(CONTENT)
    length = ("Content-Length", "100000")
    served = serve_wsgi(sends(lambda: (tmp_path / "file").open("rb"), length))
    with served.client() as client:
        for _ in range(2):
            assert client.get().body == CONTENT[:100_000]


def test_less_than_was_said_ends_the_connection(
    serve_wsgi: Callable[..., Served], tmp_path: Path
) -> None:
    (tmp_path / "file").write_bytes(CONTENT)
    length = ("Content-Length", str(len(CONTENT) + 1))
    served = serve_wsgi(sends(lambda: (tmp_path / "file").open("rb"), length))
    with served.client() as client:
        client.send(b"GET / HTTP/1.1\r\nHost: test\r\n\r\n")
        assert len(client.rest().partition(b"\r\n\r\n")[2]) <= len(CONTENT)
    assert "1 bytes less" in str(served.expect_report("raised an exception"))


def test_what_is_no_plain_file_is_read(serve_wsgi: Callable[..., Served], tmp_path: Path) -> None:
    with gzip.open(tmp_path / "file.gz", "wb") as written:
        written.write(CONTENT)

    def temporary() -> Foreign:
        file = tempfile.TemporaryFile()  # noqa: SIM115 - the server closes it
        file.write(CONTENT)
        file.seek(0)
        return file

    for make in (
        lambda: gzip.GzipFile(tmp_path / "file.gz"),
        lambda: io.BytesIO(CONTENT),
        lambda: Watched(io.BytesIO(CONTENT)),
        temporary,
    ):
        with serve_wsgi(sends(make)).client() as client:
            assert client.get().body == CONTENT


def test_it_is_closed_once(serve_wsgi: Callable[..., Served], tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(CONTENT)
    closed: list[str] = []

    def noting(file: Foreign, kind: str) -> Foreign:
        close = file.close

        def noted() -> None:
            closed.append(kind)
            close()

        file.close = noted
        return file

    class Bytes(io.BytesIO):
        pass

    class Named:
        """A file of `tempfile`, as those who give it a name do."""

        @staticmethod
        def make() -> Foreign:
            file = tempfile.NamedTemporaryFile("rb", dir=tmp_path)  # noqa: SIM115
            (tmp_path / file.name).write_bytes(CONTENT)
            return noting(file, "named")

    watched = Watched(io.BytesIO(CONTENT))
    served = serve_wsgi(sends(lambda: watched))
    with served.client() as client:
        assert client.get().body == CONTENT
    served.until(lambda: watched.closed == 1)
    served = serve_wsgi(sends(lambda: noting(Bytes(CONTENT), "bytes")))
    with served.client() as client:
        assert client.get().body == CONTENT
    served = serve_wsgi(sends(Named.make))
    with served.client() as client:
        response = client.get()
        assert response.body == CONTENT
        assert response.header("content-length") == str(len(CONTENT)), "it is a plain file"
    served.until(lambda: closed == ["bytes", "named"])


def test_it_obeys_the_rules(serve_wsgi: Callable[..., Served], tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(CONTENT)

    def make() -> Foreign:
        return (tmp_path / "file").open("rb")

    application = validator(sends(make))
    with serve_wsgi(application).client() as client:
        for _ in range(2):
            assert client.get().body == CONTENT


def test_a_file_without_start_response_is_an_error(
    serve_wsgi: Callable[..., Served], tmp_path: Path
) -> None:
    (tmp_path / "file").write_bytes(CONTENT)
    files: list[Foreign] = []

    def application(environ: Foreign, _start_response: Foreign) -> Foreign:
        files.append((tmp_path / "file").open("rb"))
        return environ["wsgi.file_wrapper"](files[-1])

    served = serve_wsgi(application)
    with served.client() as client:
        assert client.get().status == 500
    assert "start_response" in str(served.expect_report("raised an exception"))
    assert files[0].closed
