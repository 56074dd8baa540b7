"""`deploy/nginx.conf` as it is written, but for its paths and port, before `corrente serve`."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from .wire import LIMIT_S

if TYPE_CHECKING:
    from collections.abc import Iterator

CONFIGURATION = Path(__file__).parents[2] / "deploy" / "nginx.conf"

#: Where Debian puts it, which is not on everybody's PATH.
NGINX = shutil.which("nginx") or shutil.which("/usr/sbin/nginx")

#: Started by root, it gives its workers to nobody, who may not enter the test's folder.
USER = "user root;" if os.geteuid() == 0 else ""

APPLICATION = """
import json

async def app(scope, receive, send):
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.accept"})
        said = await receive()
        await send({"type": "websocket.send", "text": said["text"].upper()})
        return
    size, more = 0, True
    while more:
        message = await receive()
        size, more = size + len(message["body"]), message.get("more_body", False)
    told = {"client": scope["client"][0], "scheme": scope["scheme"], "size": size,
            "host": dict(scope["headers"])[b"host"].decode()}
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": json.dumps(told).encode()})
"""

pytestmark = pytest.mark.skipif(NGINX is None, reason="nginx is not installed")


def free_port() -> int:
    """A port that was free just now: nginx takes none of the kernel's choice."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def wait_for(line: str, process: subprocess.Popen[str]) -> None:
    """Read until the server says this."""
    assert process.stderr is not None
    heard = []
    for said in process.stderr:
        heard.append(said)
        if line in said:
            return
    raise AssertionError(f"it never said {line!r}, but {heard}")


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """Serve behind nginx; give nginx' port."""
    folder = tmp_path_factory.mktemp("nginx")
    (folder / "shop.py").write_text(APPLICATION, encoding="utf-8")
    path, port = folder / "shop.sock", free_port()
    text = CONFIGURATION.read_text(encoding="utf-8")
    for written, here in (
        ("listen 80;", f"listen 127.0.0.1:{port};"),
        ("/run/corrente/shop.sock", str(path)),
        ("/run/nginx.pid", str(folder / "nginx.pid")),
    ):
        assert text.count(written) >= 1, written
        text = text.replace(written, here)
    (folder / "nginx.conf").write_text(text, encoding="utf-8")
    corrente = Path(sys.executable).with_name("corrente")
    words = [str(corrente), "serve", "shop:app", "--bind", f"unix:{path}"]
    serving = subprocess.Popen(words, cwd=folder, stderr=subprocess.PIPE, text=True)
    wait_for("worker 1 is ready", serving)
    assert NGINX is not None
    before = [NGINX, "-p", str(folder), "-c", "nginx.conf", "-g", f"daemon off; {USER}"]
    proxy = subprocess.Popen(before, cwd=folder, stderr=subprocess.DEVNULL)
    try:
        wait_until_open(port)
        yield port
    finally:
        for process in (proxy, serving):
            process.terminate()
            process.wait(LIMIT_S)
        assert serving.stderr is not None
        serving.stderr.close()


def wait_until_open(port: int) -> None:
    """Nginx says nothing when it listens, so it is asked until it does."""
    for _ in range(1_000):
        try:
            socket.create_connection(("127.0.0.1", port), LIMIT_S).close()
        except ConnectionRefusedError:
            subprocess.run([sys.executable, "-c", ""], check=True)
        else:
            return
    raise AssertionError(f"nginx does not listen on {port}")


def test_the_application_sees_who_asked(port: int) -> None:
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/a",
        data=bytes(2_000_000),
        # What a client claims is not believed.
        headers={
            "X-Forwarded-For": "203.0.113.9",
            "X-Forwarded-Proto": "https",
            "Forwarded": "for=203.0.113.9;proto=https",
        },
    )
    with urllib.request.urlopen(request, timeout=LIMIT_S) as answer:  # noqa: S310
        told = json.loads(answer.read())
    assert told == {
        "client": "127.0.0.1",
        "scheme": "http",
        "size": 2_000_000,
        "host": f"127.0.0.1:{port}",
    }


def test_a_websocket_goes_through(port: int) -> None:
    with socket.create_connection(("127.0.0.1", port), LIMIT_S) as client:
        client.sendall(
            b"GET /ws HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
        )
        # "hi" of a client, masked with zeros (RFC 6455, section 5.2).
        client.sendall(b"\x81\x82\x00\x00\x00\x00hi")
        heard = b""
        while b"\x81\x02HI" not in heard:
            part = client.recv(4096)
            assert part, heard
            heard += part
    assert heard.startswith(b"HTTP/1.1 101 ")
    assert b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" in heard
