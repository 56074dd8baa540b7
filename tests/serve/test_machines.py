"""What `corrente serve` meets on machines: given sockets, systemd, too few descriptors."""

from __future__ import annotations

import os
import resource
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from .commands import APPLICATION, LIMIT_S, Command, asked, program
from .wire import Client, request

if TYPE_CHECKING:
    from collections.abc import Iterator

LISTENING = """
import os, socket, sys
listening = socket.create_server(("127.0.0.1", 0))
os.dup2(listening.fileno(), 3)
os.set_inheritable(3, True)
print(listening.getsockname()[1], flush=True)
if sys.argv[1] == "systemd":
    os.environ.update(LISTEN_FDS="1", LISTEN_PID=str(os.getpid()))
os.execv(sys.argv[2], sys.argv[2:])
"""


def started(folder: Path, kind: str, *words: str) -> subprocess.Popen[str]:
    """Start the command with a socket that listens already."""
    (folder / "shop.py").write_text(PLAIN, encoding="utf-8")
    script = str(Path(sys.executable).with_name("corrente"))
    return subprocess.Popen(
        [sys.executable, "-c", LISTENING, kind, script, "serve", "shop:app", *words],
        cwd=folder,
        stdout=subprocess.PIPE,
        text=True,
    )


PLAIN = program("""
await send({"type": "http.response.start", "status": 200, "headers": []})
await send({"type": "http.response.body", "body": b"served"})
""")


def test_sockets_that_listen_already_are_served(tmp_path: Path) -> None:
    for kind, words in (("systemd", ()), ("given", ("--fd", "3"))):
        process = started(tmp_path, kind, *words)
        try:
            assert process.stdout is not None
            port = process.stdout.readline().strip()
            assert asked(f"http://127.0.0.1:{port}/") == "served"
            process.terminate()
            assert process.wait(LIMIT_S) == 0
        finally:
            process.kill()
            process.communicate()


TELLING = program(
    """
told = f"{scope['client'][0]} {scope['server'][0]}".encode()
await send({"type": "http.response.start", "status": 200, "headers": []})
await send({"type": "http.response.body", "body": told})
""",
    after="""
def wsgi(environ, start_response):
    start_response("200 OK", [])
    return [f"{environ['REMOTE_ADDR']} {environ['SERVER_NAME']}".encode()]
""",
)


@pytest.mark.parametrize("target", ["shop:app", "shop:wsgi"])
def test_a_client_of_ipv4_is_one_on_a_socket_for_both(tmp_path: Path, target: str) -> None:
    log = tmp_path / "access.log"
    words = ("--bind", ":0", "--access-log", str(log), "--access-log-format", "%(h)s")
    with Command(tmp_path, target, *words, text=TELLING) as command:
        _, port = command.address()
        assert asked(f"http://127.0.0.1:{port}") == "127.0.0.1 127.0.0.1"
        command.stop()
    assert log.read_text(encoding="utf-8") == "127.0.0.1\n"


def _clients(address: tuple[str, int], number: int) -> Iterator[Client]:
    for _ in range(number):
        yield Client(address)


def test_a_worker_without_descriptors_goes_on_when_it_has_some_again(tmp_path: Path) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with Command(tmp_path, "shop:app", text=PLAIN) as command:
        address = command.address()
        worker = int(_children(command.process.pid)[0])
        with Client(address) as client:
            client.get()
            used = len(os.listdir(f"/proc/{worker}/fd"))
            resource.prlimit(worker, resource.RLIMIT_NOFILE, (used + 2, hard))
            clients = list(_clients(address, 8))
            command.says(r"no connection can be accepted: Too many open files; .*ulimit -n")
            # Who is there is still served.
            assert client.get().body == b"served"
            resource.prlimit(worker, resource.RLIMIT_NOFILE, (soft, hard))
            for waiting in clients:
                assert waiting.get().body == b"served"
                waiting.socket.close()
        command.stop()


def _children(process: int) -> list[str]:
    listed = Path(f"/proc/{process}/task/{process}/children").read_text(encoding="utf-8")
    return listed.split()


def test_a_worker_that_dies_under_load_fails_its_own_requests_alone(tmp_path: Path) -> None:
    with Command(tmp_path, "shop:app", "--workers", "2") as command:
        clients = list(_clients(command.address(2), 20))
        pids = [int(client.get().body) for client in clients]
        victim = pids[0]
        os.kill(victim, 9)
        command.says(r"worker \d was ended by signal 9 .*; it is replaced")
        for client, pid in zip(clients, pids, strict=True):
            if pid != victim:
                assert int(client.get().body) == pid
            client.socket.close()
        command.says("worker 3 is ready")
        command.stop()


def test_a_worker_that_is_killed_under_load_takes_only_its_requests_with_it(
    tmp_path: Path,
) -> None:
    with Command(tmp_path, "shop:app", "--workers", "2") as command:
        address = command.address(2)
        stop = threading.Event()
        asking = [Asking(address, stop) for _ in range(8)]
        for each in asking:
            each.until(20)
        victim = asking[0].worker
        os.kill(victim, 9)
        command.says(r"worker \d was ended by signal 9 .*; it is replaced")
        command.says("worker 3 is ready")
        for each in asking:
            each.until(each.answered + 20)
        stop.set()
        for each in asking:
            each.thread.join(LIMIT_S)
        command.stop()
    assert {worker for each in asking for worker in each.failed} == {victim}
    # A request fails with its connection; the next one is answered by another worker.
    assert all(len(each.failed) <= 1 for each in asking)


class Asking:
    """A client that asks without a pause, and connects anew where its connection fails."""

    def __init__(self, address: tuple[str, int], stop: threading.Event) -> None:
        self.worker = 0
        self.answered = 0
        self.failed: list[int] = []
        self._address = address
        self._stop = stop
        self.thread = threading.Thread(target=self._ask, daemon=True)
        self.thread.start()

    def until(self, answered: int) -> None:
        """Wait until so many requests are answered."""
        deadline = time.monotonic() + LIMIT_S
        while self.answered < answered:
            assert time.monotonic() < deadline, "nobody answers"
            assert self.thread.is_alive()
            self.thread.join(0.01)

    def _ask(self) -> None:
        while not self._stop.is_set():
            # A connection that nobody has answered on yet is nobody's.
            self.worker = 0
            try:
                with Client(self._address) as client:
                    while not self._stop.is_set():
                        self.worker = int(client.get().body)
                        self.answered += 1
            except (OSError, EOFError):
                self.failed.append(self.worker)


def test_settings_of_operations_reach_the_worker(tmp_path: Path) -> None:
    words: tuple[str, ...] = ("--header", "X-Frame: DENY", "--date-header=off")
    words += ("--max-connection-requests", "1")
    words += ("--proxy-protocol", "required", "--ready-path", "/ready", "--request-id", "trusted")
    words += ("--max-connections", "10", "--min-body-rate", "1KiB", "--ws-deflate=off")
    with Command(tmp_path, "shop:app", *words, text=PLAIN) as command:
        address = command.address()
        for target, body in (("/", b"served"), ("/ready", b"ready\n")):
            with Client(address) as client:
                client.send(b"PROXY TCP4 192.0.2.7 192.0.2.1 4711 443\r\n")
                found = client.get(target)
                assert (found.body, found.header("x-frame")) == (body, "DENY")
                assert (found.header("date"), found.header("connection")) == (None, "close")
                assert len(found.header("x-request-id") or "") == 32
        command.stop()


ORPHANS = program(
    """
if scope["path"] == "/orphan":
    subprocess.run(["sh", "-c", "true & true & exec true"])
there = sum(name.isdigit() for name in os.listdir("/proc"))
await send({"type": "http.response.start", "status": 200, "headers": []})
await send({"type": "http.response.body", "body": str(there).encode()})
""",
    before="import os, subprocess\n",
)

#: What makes the next command process 1 of a namespace of its own.
ALONE = ("unshare", "--user", "--map-root-user", "--pid", "--fork", "--mount-proc")


def test_as_process_1_it_buries_orphans(tmp_path: Path) -> None:
    try:
        may = subprocess.run([*ALONE, "true"], check=False, capture_output=True).returncode == 0
    except FileNotFoundError:
        may = False
    if not may:
        pytest.skip("this machine gives nobody a namespace of processes")
    before = (*ALONE, "--kill-child")
    with Command(tmp_path, "shop:app", text=ORPHANS, before=before) as command:
        with Client(command.address()) as client:
            there = client.get().body
            for _ in range(5):
                client.get("/orphan")
            # Those that have ended are gone when they are buried.
            while client.get().body != there:
                pass
        # What starts it passes no signals on.
        os.kill(int(_children(command.process.pid)[0]), signal.SIGTERM)
        assert command.process.wait(LIMIT_S) == 0


@contextmanager
def _nowhere(kind: str) -> Iterator[int]:
    """Give a descriptor that nothing can be written to."""
    if kind == "full":
        number = os.open("/dev/full", os.O_WRONLY)
    else:
        reading, number = os.pipe()
        os.close(reading)
    try:
        yield number
    finally:
        os.close(number)


def _asked_at(path: Path) -> str:
    """Ask a server on a Unix socket, as soon as there is one."""
    deadline = time.monotonic() + LIMIT_S
    while True:
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(LIMIT_S)
            try:
                client.connect(str(path))
            except (FileNotFoundError, ConnectionRefusedError):
                assert time.monotonic() < deadline, "it does not listen"
                time.sleep(0.01)
                continue
            client.sendall(request("/", "Connection: close"))
            come = b"".join(iter(lambda: client.recv(4096), b""))
            return come.partition(b"\r\n\r\n")[2].decode()


@pytest.mark.parametrize("kind", ["full", "gone"])
def test_it_serves_on_where_nobody_hears_it(tmp_path: Path, kind: str) -> None:
    # A disk that is full, or `| head`: a line that could not be written ended the parent.
    (tmp_path / "shop.py").write_text(APPLICATION, encoding="utf-8")
    script = str(Path(sys.executable).with_name("corrente"))
    path = tmp_path / "socket"
    command = [script, "serve", "shop:app", "--bind", f"unix:{path}"]
    with _nowhere(kind) as nowhere:
        process = subprocess.Popen(command, cwd=tmp_path, stderr=nowhere)
    try:
        first = _asked_at(path)
        assert first.isdigit()
        process.send_signal(signal.SIGHUP)
        deadline = time.monotonic() + LIMIT_S
        while _asked_at(path) == first:
            assert time.monotonic() < deadline, "its worker is not replaced"
        process.terminate()
        assert process.wait(LIMIT_S) == 0
    finally:
        process.kill()
        process.wait(LIMIT_S)


def test_a_port_in_use_is_told(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with Command(tmp_path, "shop:app", "--bind", f"127.0.0.1:{port}") as command:
            command.says(rf"127\.0\.0\.1:{port}")
            assert command.process.wait(LIMIT_S) == 3
