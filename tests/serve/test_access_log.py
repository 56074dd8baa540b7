"""The access log of `corrente serve`: what a line says, when it is written, a disk that is full."""

from __future__ import annotations

import json
import re
import signal
import socket
from typing import TYPE_CHECKING

from .commands import LIMIT_S, Command, program
from .wire import Client, request

if TYPE_CHECKING:
    from pathlib import Path

    from .serving import Foreign

APPLICATION = program("""
if scope["path"] == "/raises":
    raise LookupError("lost")
if scope["path"] == "/waits":
    await receive()
    assert (await receive())["type"] == "http.disconnect"
    return
while (await receive())["more_body"]:
    pass
headers = [(b"x-kind", b'a "kind"')]
await send({"type": "http.response.start", "status": 201, "headers": headers})
await send({"type": "http.response.body", "body": b"twelve bytes"})
""")


def lines_of(file: Path) -> list[str]:
    """Read the log, whose worker has ended."""
    return file.read_text(encoding="utf-8").splitlines()


def test_each_exchange_is_a_line(tmp_path: Path) -> None:
    log = tmp_path / "access.log"
    words = ("--access-log", str(log), "--access-log-format", "json", "--request-id", "on")
    with Command(tmp_path, "shop:app", *words, text=APPLICATION) as command:
        address = command.address()
        with Client(address) as client:
            posted = client.get("/a?b=c", "User-Agent: me", "Referer: there")
            identity = posted.header("x-request-id")
            client.send(request("/", method="POST", body=b"x" * 1000))
            assert client.response().status == 201
            assert client.get("/", method="HEAD").status == 201
            assert client.get("/raises").status == 500
        with Client(address) as client:
            client.send(b"GET / HTTP/1.1\r\n\r\n")
            assert client.response().status == 400
        with Client(address) as client:
            client.send(request("/waits"))
            client.socket.shutdown(socket.SHUT_WR)
            assert client.is_ended()
        command.stop()
    found = [json.loads(line) for line in lines_of(log)]

    def told(line: dict[str, Foreign]) -> list[Foreign]:
        keys = ("method", "path", "status", "sent_bytes", "received_bytes")
        return [line[key] for key in keys]

    assert [told(line) for line in found] == [
        ["GET", "/a", 201, 12, 0],
        ["POST", "/", 201, 12, 1000],
        ["HEAD", "/", 201, 0, 0],
        ["GET", "/raises", 500, 22, 0],
        ["", "", 400, 0, 0],
        ["GET", "/waits", 499, 0, 0],
    ]
    first = found[0]
    assert (first["client"], first["scheme"], first["query"]) == ("127.0.0.1", "http", "b=c")
    assert (first["user_agent"], first["referer"]) == ("me", "there")
    assert first["request_id"] == identity
    assert 0 < first["duration_ms"] < LIMIT_S * 1000


def test_a_format_string_and_a_file_that_is_moved_away(tmp_path: Path) -> None:
    log, moved = tmp_path / "access.log", tmp_path / "access.log.1"
    form = '%(h)s "%(r)s" %(s)s %(B)s %({X-Kind}o)s %({X-Asked}i)s %(D)s'
    words = ("--access-log", str(log), "--access-log-format", form, "--trusted-proxies", "*")
    with Command(tmp_path, "shop:app", *words, text=APPLICATION) as command:
        with Client(command.address()) as client:
            client.get('/a"b', 'X-Asked: "quoted"', "X-Forwarded-For: 192.0.2.7")
            log.rename(moved)
            command.process.send_signal(signal.SIGUSR1)
            # Until the new file is there, so that the line goes to it.
            while not log.exists():
                client.get("/meanwhile")
            client.get("/after")
        command.stop()
    pattern = r'192\.0\.2\.7 "GET /a\\x22b HTTP/1.1" 201 12 a \\x22kind\\x22 \\x22quoted\\x22 \d+'
    assert re.fullmatch(pattern, lines_of(moved)[0])
    assert '"GET /after HTTP/1.1" 201' in lines_of(log)[-1]


def test_a_full_disk_is_said_once_and_the_service_goes_on(tmp_path: Path) -> None:
    with Command(tmp_path, "shop:app", "--access-log", "/dev/full", text=APPLICATION) as command:
        with Client(command.address()) as client:
            assert client.get().status == 201
            command.says("worker 1: --access-log /dev/full: it cannot be written.*No space left")
            for _ in range(10):
                assert client.get().status == 201
        command.process.send_signal(signal.SIGTERM)
        heard = command.rest()
    assert heard.count("cannot be written") == 0
    assert "11 lines of it are lost" in heard


def test_a_log_that_cannot_be_opened_is_told(tmp_path: Path) -> None:
    with Command(tmp_path, "shop:app", "--access-log", str(tmp_path / "a/b")) as command:
        command.says(r"--access-log \S+/a/b: No such file")
        assert command.process.wait(LIMIT_S) == 3
