"""Static files: what a request for one gets, by RFC 9110, and what nobody gets."""

from __future__ import annotations

import os
import resource
import socket
from email.utils import formatdate
from typing import TYPE_CHECKING

import pytest

from corrente import _native

from .applications import respond, target
from .commands import LIMIT_S, Command
from .streams import Http2Client
from .wire import Client, request

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from .serving import Foreign, Served

#: When the files were changed last: long ago, so that their tags are strong.
CHANGED = 1_000_000_000
DATE = formatdate(CHANGED, usegmt=True)
BEFORE = formatdate(CHANGED - 1, usegmt=True)

STYLE = b"body { color: black }\n" * 100
LARGE = b"".join(number.to_bytes(4) for number in range(500_000))

FILES = {
    "style.css": STYLE,
    "style.css.gz": b"as gzip",
    "style.css.br": b"as brotli",
    "large.bin": LARGE,
    "empty.txt": b"",
    "a b.txt": b"a space",
    "a%2Fb.txt": b"a percent sign",
    "\u00e9.txt": b"not ASCII",
    "no-extension": b"bytes",
    "docs/index.html": b"<p>docs",
    "docs/page.html": b"<p>page",
    "index.html": b"<p>home",
    "bare/other.txt": b"no index",
    ".env": b"secret",
    ".git/config": b"secret",
    "docs/.hidden/file": b"secret",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Give a folder of files, with one outside."""
    (tmp_path / "outside.txt").write_bytes(b"outside")
    folder = tmp_path / "files"
    for name, content in FILES.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        os.utime(path, (CHANGED, CHANGED))
    return folder


@pytest.fixture
def serve_files(serve: Callable[..., Served], folder: Path) -> Callable[..., Served]:
    """Give what serves these files below `/static`, beside an application."""

    def start(*arguments: Foreign, application: Foreign = target, **settings: Foreign) -> Served:
        mount = ("/static", _native.Folder(folder, *arguments), "static", None)
        return serve(application, mounts=[mount], **settings)

    return start


#: The style sheet's, as it is.
TAG = f'"{CHANGED:x}.0-{len(STYLE):x}"'


def test_a_file_comes_with_what_caches_need(serve_files: Callable[..., Served]) -> None:
    with serve_files(3600.0).client() as client:
        response = client.get("/static/style.css")
        assert (response.status, response.body) == (200, STYLE)
        fields = {name: value for name, value in response.headers if name != "date"}
        assert fields == {
            "content-type": "text/css; charset=utf-8",
            "content-length": str(len(STYLE)),
            "accept-ranges": "bytes",
            "last-modified": DATE,
            "etag": TAG,
            "vary": "accept-encoding",
            "cache-control": "max-age=3600",
            "server": "corrente",
        }
        head = client.get("/static/style.css", method="HEAD")
        assert head.headers[:6] == response.headers[:6]
        # What is left of the path is the application's.
        assert client.get("/stat").body == b"/stat"


@pytest.mark.parametrize(
    ("section", "headers", "status", "body"),
    [
        ("13.1.1", [f"If-Match: {TAG}"], 200, STYLE),
        ("13.1.1", ["If-Match: *"], 200, STYLE),
        ("13.1.1", ['If-Match: "other"'], 412, None),
        ("13.1.1", [f"If-Match: W/{TAG}"], 412, None),
        ("13.1.2", [f"If-None-Match: {TAG}"], 304, b""),
        ("13.1.2", [f'If-None-Match: "a", W/{TAG}'], 304, b""),
        ("13.1.2", ["If-None-Match: *"], 304, b""),
        ("13.1.2", ['If-None-Match: "other"'], 200, STYLE),
        ("13.1.3", [f"If-Modified-Since: {DATE}"], 304, b""),
        ("13.1.3", [f"If-Modified-Since: {BEFORE}"], 200, STYLE),
        ("13.1.3", [f"If-Modified-Since: {DATE}", 'If-None-Match: "other"'], 200, STYLE),
        ("13.1.4", [f"If-Unmodified-Since: {DATE}"], 200, STYLE),
        ("13.1.4", [f"If-Unmodified-Since: {BEFORE}"], 412, None),
        ("13.1.5", ["Range: bytes=0-3", f"If-Range: {TAG}"], 206, STYLE[:4]),
        ("13.1.5", ["Range: bytes=0-3", f"If-Range: {DATE}"], 206, STYLE[:4]),
        ("13.1.5", ["Range: bytes=0-3", 'If-Range: "other"'], 200, STYLE),
        ("13.1.5", ["Range: bytes=0-3", f"If-Range: W/{TAG}"], 200, STYLE),
        ("13.2.2", [f"If-None-Match: {TAG}", "Range: bytes=9999-"], 304, b""),
        ("14.2", ["Range: bytes=0-0"], 206, STYLE[:1]),
        ("14.2", ["Range: bytes=10-19"], 206, STYLE[10:20]),
        ("14.2", ["Range: bytes=-5"], 206, STYLE[-5:]),
        ("14.2", ["Range: bytes=2000-"], 206, STYLE[2000:]),
        ("14.2", ["Range: bytes=0-0,2-2"], 200, STYLE),
        ("14.2", ["Range: bytes=x"], 200, STYLE),
        ("14.2", ["Range: lines=1-2"], 200, STYLE),
        ("15.5.17", ["Range: bytes=9999-"], 416, None),
        ("15.5.17", ["Range: bytes=-0"], 416, None),
    ],
)
def test_conditions_and_ranges(
    serve_files: Callable[..., Served],
    section: str,
    headers: list[str],
    status: int,
    body: bytes | None,
) -> None:
    served = serve_files()
    with served.client() as client, Http2Client(served.address) as stream:
        # The second time on the same connection.
        for _ in range(2):
            response = client.get("/static/style.css", *headers)
        pairs = [header.split(": ", 1) for header in headers]
        answer = stream.get("/static/style.css", *((name.lower(), value) for name, value in pairs))
        for found in (response, answer):
            assert found.status == status, f"RFC 9110, section {section}"
            assert body is None or found.body == body, f"RFC 9110, section {section}"
            if status in (200, 206, 304):
                assert found.header("etag") == TAG
                assert found.header("vary") == "accept-encoding"
            if status == 206:
                # RFC 9110, section 14.4.
                shown = found.header("content-range") or ""
                first, last = shown.removeprefix("bytes ").partition("/")[0].split("-")
                assert STYLE[int(first) : int(last) + 1] == found.body
                assert shown.endswith(f"/{len(STYLE)}"), shown
            if status == 416:
                # RFC 9110, section 14.4.
                assert found.header("content-range") == f"bytes */{len(STYLE)}"


def test_a_range_is_for_get_alone(serve_files: Callable[..., Served]) -> None:
    # RFC 9110, section 14.2.
    with serve_files().client() as client:
        response = client.get("/static/style.css", "Range: bytes=0-3", method="HEAD")
        assert (response.status, response.header("content-length")) == (200, str(len(STYLE)))


def test_ranges_of_a_large_file(serve_files: Callable[..., Served]) -> None:
    served = serve_files()
    with served.client() as client, Http2Client(served.address) as stream:
        response = client.get("/static/large.bin", "Range: bytes=1000000-1999998")
        assert response.header("content-range") == "bytes 1000000-1999998/2000000"
        assert response.body == LARGE[1_000_000:1_999_999]
        assert stream.get("/static/large.bin", ("range", "bytes=-100000")).body == LARGE[-100_000:]
        # RFC 9112, section 9.3.2: what is behind it is answered.
        client.send(request("/static/large.bin") + request("/static/style.css") + request("/x"))
        bodies = [client.response().body for _ in range(3)]
        assert bodies == [LARGE, STYLE, b"/x"]
        assert client.get("/static/empty.txt", "Range: bytes=-1").status == 200


@pytest.mark.parametrize(
    ("accepted", "coding", "body"),
    [
        # RFC 9110, section 12.5.3.
        ("gzip, deflate, br", "br", b"as brotli"),
        ("gzip", "gzip", b"as gzip"),
        ("br;q=0.5, gzip;q=0.8", "gzip", b"as gzip"),
        ("zstd, gzip;q=0.5", "gzip", b"as gzip"),
        ("br;q=0", None, STYLE),
        ("identity;q=1, *;q=0.1", None, STYLE),
        ("deflate", None, STYLE),
        ("*", "br", b"as brotli"),
    ],
)
def test_what_lies_beside_a_file_is_sent(
    serve_files: Callable[..., Served], accepted: str, coding: str | None, body: bytes
) -> None:
    with serve_files().client() as client:
        field = f"Accept-Encoding: {accepted}"
        response = client.get("/static/style.css", field)
        assert response.header("content-encoding") == coding
        assert response.header("content-type") == "text/css; charset=utf-8"
        assert response.header("vary") == "accept-encoding"
        assert response.body == body
        # RFC 9110, section 8.8.3.3: another coding is another representation.
        assert (response.header("etag") == TAG) == (coding is None)
        again = client.get("/static/style.css", field, f"If-None-Match: {response.header('etag')}")
        assert again.status == 304
        part = client.get("/static/style.css", field, "Range: bytes=1-2")
        assert (part.status, part.body) == (206, body[1:3])
        assert part.header("content-encoding") == coding


@pytest.mark.parametrize(
    ("path", "kind", "body"),
    [
        ("/static/a%20b.txt", "text/plain; charset=utf-8", b"a space"),
        ("/static/a%252Fb.txt", "text/plain; charset=utf-8", b"a percent sign"),
        ("/static/%C3%A9.txt", "text/plain; charset=utf-8", b"not ASCII"),
        ("/static/empty.txt", "text/plain; charset=utf-8", b""),
        ("/static/no-extension", "application/octet-stream", b"bytes"),
        ("/static/docs/", "text/html; charset=utf-8", b"<p>docs"),
        ("/static/docs/index.html?v=1", "text/html; charset=utf-8", b"<p>docs"),
        ("/static/", "text/html; charset=utf-8", b"<p>home"),
        ("/%73tatic/style.css", "text/css; charset=utf-8", STYLE),
        ("http://test/static/style.css", "text/css; charset=utf-8", STYLE),
    ],
)
def test_paths_that_are_files(
    serve_files: Callable[..., Served], path: str, kind: str, body: bytes
) -> None:
    with serve_files().client() as client:
        response = client.get(path)
        assert (response.status, response.body) == (200, body)
        assert response.header("content-type") == kind


@pytest.mark.parametrize(
    "path",
    [
        "/static/missing",
        "/static/style.css/",
        "/static/style.css/x",
        "/static/bare/",
        "/static/bare",
        "/static/../outside.txt",
        "/static/docs/../../outside.txt",
        "/static/%2e%2e/outside.txt",
        "/static/..%2foutside.txt",
        "/static/docs/..",
        "/static/docs%2Findex.html",
        "/static//style.css",
        "/static//etc/passwd",
        "/static/./style.css",
        "/static/.env",
        "/static/.git/config",
        "/static/docs/.hidden/file",
        "/static/" + "x" * 300,
        "/static/..%5coutside.txt",
    ],
)
def test_paths_that_are_none(serve_files: Callable[..., Served], path: str) -> None:
    with serve_files().client() as client:
        response = client.get(path)
        assert (response.status, response.body) == (404, b"there is no such file\n")
        assert response.header("etag") is None
        # The connection goes on.
        assert client.get("/static/style.css").status == 200


@pytest.mark.parametrize(
    "path", ["/static/style.css%00", "/static/style.css%00.txt", "/static/\\..\\outside.txt"]
)
def test_paths_that_are_refused_whoever_they_are_for(
    serve_files: Callable[..., Served], path: str
) -> None:
    with serve_files().client() as client:
        assert client.get(path).status == 400
        assert client.is_ended()


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "PATCH", "BREW"])
def test_files_are_only_read(serve_files: Callable[..., Served], method: str) -> None:
    # RFC 9110, section 15.5.6.
    with serve_files().client() as client:
        client.send(request("/static/style.css", method=method, body=b"x" * 100_000))
        response = client.response()
        assert (response.status, response.header("allow")) == (405, "GET, HEAD")
        assert client.get("/static/style.css").status == 200


@pytest.mark.parametrize(
    ("path", "location"),
    [
        ("/static/docs", "./docs/"),
        ("/static/docs?a=b", "./docs/?a=b"),
        ("/static", "./static/"),
        ("/static/do%63s", "./do%63s/"),
    ],
)
def test_a_folder_is_shown_behind_a_slash(
    serve_files: Callable[..., Served], path: str, location: str
) -> None:
    # RFC 9110, section 10.2.2; relative, since a proxy may have taken a prefix off.
    with serve_files().client() as client:
        response = client.get(path)
        assert (response.status, response.header("location")) == (301, location)


@pytest.mark.parametrize("links", ["inside", "none"])
def test_links_do_not_lead_out(
    serve_files: Callable[..., Served], folder: Path, links: str
) -> None:
    (folder / "inside.css").symlink_to("style.css")
    (folder / "docs" / "up.css").symlink_to("../style.css")
    (folder / "out.txt").symlink_to("../outside.txt")
    (folder / "absolute.css").symlink_to(folder / "style.css")
    (folder / "root").symlink_to("/")
    (folder / "parent").symlink_to("..")
    (folder / "twice").symlink_to("parent")
    (folder / "endless").symlink_to("endless")
    (folder / "process").symlink_to("/proc/self/root")
    within = 200 if links == "inside" else 404
    expected = {
        "inside.css": within,
        "docs/up.css": within,
        "docs/page.html": 200,
        "out.txt": 404,
        "absolute.css": 404,
        "root/etc/passwd": 404,
        "parent/outside.txt": 404,
        "twice/outside.txt": 404,
        "endless": 404,
        "process/etc/passwd": 404,
    }
    with serve_files(None, links).client() as client:
        found = {name: client.get(f"/static/{name}").status for name in expected}
    assert found == expected


def test_a_folder_may_be_a_link_that_changes(
    serve: Callable[..., Served], folder: Path, tmp_path: Path
) -> None:
    (tmp_path / "current").symlink_to(folder)
    mount = ("/static", _native.Folder(tmp_path / "current"), "static", None)
    with serve(target, mounts=[mount]).client() as client:
        assert client.get("/static/style.css").body == STYLE
        (tmp_path / "next").mkdir()
        (tmp_path / "next" / "style.css").write_bytes(b"next")
        (tmp_path / "new").symlink_to("next")
        (tmp_path / "new").rename(tmp_path / "current")
        assert client.get("/static/style.css").body == b"next"
        (tmp_path / "current").unlink()
        assert client.get("/static/style.css").status == 404


def test_what_is_no_file_is_not_sent(
    serve_files: Callable[..., Served], folder: Path, here: Path
) -> None:
    os.mkfifo(folder / "pipe")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(here / "socket"))
    (here / "socket").rename(folder / "socket")
    with serve_files().client() as client:
        for name in ("pipe", "socket"):
            assert client.get(f"/static/{name}").status == 404, name


def test_what_may_not_be_read_is_forbidden(
    serve_files: Callable[..., Served], folder: Path
) -> None:
    (folder / "secret").touch(0o000)
    if os.access(folder / "secret", os.R_OK):
        pytest.skip("nothing is forbidden to this user")
    with serve_files().client() as client:
        assert client.get("/static/secret").status == 403


def test_a_file_that_was_just_changed_has_a_weak_tag(
    serve_files: Callable[..., Served], folder: Path
) -> None:
    # RFC 9110, section 8.8.1.
    (folder / "new.txt").write_bytes(b"new")
    with serve_files().client() as client:
        tag = client.get("/static/new.txt").header("etag") or ""
        assert tag.startswith("W/")
        assert client.get("/static/new.txt", f"If-None-Match: {tag}").status == 304
        # RFC 9110, section 13.1.5: such a tag is no good for parts.
        part = client.get("/static/new.txt", "Range: bytes=0-0", f"If-Range: {tag}")
        assert part.status == 200


def test_a_folder_that_is_none(folder: Path) -> None:
    with pytest.raises(FileNotFoundError, match="missing"):
        _native.Folder(folder / "missing")
    with pytest.raises(NotADirectoryError):
        _native.Folder(folder / "style.css")
    with pytest.raises(ValueError, match="links"):
        _native.Folder(folder, None, "all")


def test_files_stand_beside_applications(serve: Callable[..., Served], folder: Path) -> None:
    def wsgi(environ: Foreign, start_response: Foreign) -> list[bytes]:
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [b"wsgi ", environ["PATH_INFO"].encode()]

    async def own(_scope: Foreign, _receive: Foreign, send: Foreign) -> None:
        await respond(send, b"own")

    operations = _native.Operations(
        metrics="on",
        request_id="on",
        headers=[(b"x-all", b"1")],
        own_paths=["/static/health"],
        own=own,
    )
    served = serve(
        target,
        mounts=[
            ("/old", wsgi, "wsgi", None),
            ("/old/files", _native.Folder(folder), "static", None),
            ("/static", _native.Folder(folder), "static", None),
        ],
        operations=operations,
        root_path="/shop",
    )
    with served.client() as client, Http2Client(served.address) as stream:
        assert client.get("/old/x").body == b"wsgi /x"
        for path in ("/static/style.css", "/old/files/style.css", "/shop/static/style.css"):
            response = client.get(path)
            assert response.body == STYLE, path
            assert response.header("x-all") == "1"
            assert response.header("x-request-id") is not None
            assert stream.get(path).body == STYLE
        assert client.get("/static/health").body == b"own"
        assert client.get("/x").body == b"/shop/x"
        served.until(lambda: served.server.in_flight == 0)
    counts = served.call(operations.counts)
    assert counts is not None
    assert counts["sent_bytes"] == 6 * len(STYLE) + len(b"wsgi /x" + b"own" + b"/shop/x")


def test_a_body_that_nobody_asked_for_is_read(serve_files: Callable[..., Served]) -> None:
    with serve_files().client() as client:
        client.send(request("/static/style.css", body=b"x" * 200_000))
        assert client.response().body == STYLE
        assert client.get("/static/style.css").body == STYLE


def test_a_file_that_cannot_be_opened_is_told(serve_files: Callable[..., Served]) -> None:
    served = serve_files()
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    with served.client() as client:
        assert client.get("/static/style.css").status == 200
        try:
            # All descriptors below this number are in use.
            resource.setrlimit(resource.RLIMIT_NOFILE, (3, before[1]))
            response = client.get("/static/style.css")
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, before)
        assert response.status == 500
        assert client.get("/static/style.css").status == 200
    error = served.expect_report("a static file could not be sent")
    assert isinstance(error, OSError)


def test_the_command_serves_files(tmp_path: Path) -> None:
    (tmp_path / "public").mkdir()
    (tmp_path / "public" / "style.css").write_bytes(STYLE)
    flags = ["--static", "/static=public", "--static-max-age", "1h", "--access-log", "log"]
    with Command(tmp_path, "shop:wsgi", *flags) as command:
        with Client(command.address()) as client:
            response = client.get("/static/style.css")
            assert response.body == STYLE
            assert response.header("cache-control") == "max-age=3600"
            assert client.get("/other").body == b"wsgi /other"
        command.stop()
    first, *_ = (tmp_path / "log").read_text(encoding="utf-8").splitlines()
    assert f'"GET /static/style.css HTTP/1.1" 200 {len(STYLE)} ' in first


def test_the_command_says_which_folder_is_missing(tmp_path: Path) -> None:
    with Command(tmp_path, "shop:wsgi", "--static", "/static=missing") as command:
        command.says("No such file or directory: .*missing")
        assert command.process.wait(LIMIT_S) != 0
