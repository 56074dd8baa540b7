"""`corrente serve` as a process: what it is started with, and what it says."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import textwrap
import urllib.error
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from types import TracebackType

#: Seconds after which a test has failed.
LIMIT_S = 60.0


def program(requests: str, *, before: str = "", after: str = "") -> str:
    """Give a module whose `app` has no lifespan and does this for each request."""
    head = """
async def app(scope, receive, send):
    if scope["type"] != "http":
        raise NotImplementedError
"""
    return "".join([before, head, textwrap.indent(requests, "    "), after])


APPLICATION = program(
    """
await send({"type": "http.response.start", "status": 200, "headers": []})
if scope["path"] == "/held":
    await send({"type": "http.response.body", "body": b"held ", "more_body": True})
    await asyncio.to_thread(Path("gate").read_bytes)
await send({"type": "http.response.body", "body": str(os.getpid()).encode()})
""",
    before="""
import asyncio, os
from pathlib import Path
""",
    after="""
def wsgi(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"wsgi ", environ["PATH_INFO"].encode()]
""",
)


class Command:
    """A `corrente serve` that runs, and what it says."""

    def __init__(
        self, folder: Path, *words: str, text: str = APPLICATION, before: tuple[str, ...] = ()
    ) -> None:
        (folder / "shop.py").write_text(text, encoding="utf-8")
        script = Path(sys.executable).with_name("corrente")
        self.process = subprocess.Popen(
            [*before, str(script), "serve", *words, "--bind", "127.0.0.1:0"],
            cwd=folder,
            stderr=subprocess.PIPE,
            text=True,
            # A group of its own, as a terminal gives a command.
            start_new_session=True,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self.process.kill()
        self.process.wait(LIMIT_S)
        assert self.process.stderr is not None
        self.process.stderr.close()

    def says(self, pattern: str) -> re.Match[str]:
        """Wait until it says this."""
        assert self.process.stderr is not None
        heard = []
        for line in self.process.stderr:
            heard.append(line)
            if found := re.search(pattern, line):
                return found
        raise AssertionError(f"it never said {pattern!r}, but {heard}")

    def address(self, workers: int = 1) -> tuple[str, int]:
        """Give where it listens, as soon as so many workers serve."""
        host, port = self.says(r"https?://([^:\s]+):(\d+)").groups()
        for _ in range(workers):
            self.says(r"worker \d is ready")
        return host, int(port)

    def url(self, workers: int = 1) -> str:
        """Give the same as the beginning of a URL."""
        host, port = self.address(workers)
        return f"http://{host}:{port}"

    def stop(self) -> None:
        """Stop it in peace."""
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(LIMIT_S) == 0

    def rest(self) -> str:
        """Give all that it still says until it ends."""
        assert self.process.stderr is not None
        return self.process.stderr.read()


def asked(url: str) -> str:
    """Give the answer to a request on a connection of its own."""
    try:
        answer = urllib.request.urlopen(url, timeout=LIMIT_S)  # noqa: S310
    except urllib.error.HTTPError as failed:
        # It is an answer, too: CPython 3.14 warns of one that nobody closes.
        failed.close()
        raise
    with answer:
        text: str = answer.read().decode()
        return text
