"""The server's own messages beside what the application does with `logging`."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING

import pytest

from corrente._worker import ALIVE_EVERY, signs_every

from .commands import LIMIT_S, Command, asked, program

if TYPE_CHECKING:
    from pathlib import Path

REQUESTS = """
if scope["path"] == "/raises":
    raise LookupError("lost")
logging.getLogger("shop").debug("asked")
await send({"type": "http.response.start", "status": 200, "headers": []})
await send({"type": "http.response.body", "body": b"served"})
"""

BASIC = 'logging.basicConfig(level="DEBUG", format="MINE %(name)s %(message)s")'

#: Switches off every logger that is there, as `dictConfig` does unless it is told not to.
DICT = 'logging.config.dictConfig({"version": 1})'


def configured(configures: str) -> str:
    """Give an application that configures logging so."""
    return program(REQUESTS, before=f"import logging, logging.config\n{configures}\n")


def said_by(folder: Path, configures: str, *words: str) -> str:
    """Give what is said where a request fails, and another one does not."""
    with Command(folder, "shop:app", *words, text=configured(configures)) as command:
        url = command.url()
        for path in ("", "raises"):
            try:
                asked(f"{url}/{path}")
            except OSError:
                assert path == "raises"
        command.stop()
        return command.rest()


def test_the_application_configures_logging(tmp_path: Path) -> None:
    said = said_by(tmp_path, BASIC)
    assert "MINE shop asked" in said
    # Where it has said where messages go, ours go there, and once.
    assert "MINE corrente.server " in said
    assert said.count("LookupError: lost") == 1


@pytest.mark.parametrize("configures", ["", DICT])
def test_failures_are_told_however_it_is_configured(tmp_path: Path, configures: str) -> None:
    said = said_by(tmp_path, configures)
    assert "ERROR corrente.server: " in said
    assert said.count("LookupError: lost") == 1
    assert "asked" not in said


def test_failures_are_in_the_log_file(tmp_path: Path) -> None:
    file = tmp_path / "server.log"
    text = configured("")
    with Command(tmp_path, "shop:app", "--log-file", str(file), text=text) as command:
        host, port = address_in(file)
        with pytest.raises(OSError, match="500"):
            asked(f"http://{host}:{port}/raises")
        command.stop()
        assert command.rest() == ""
    assert file.read_text(encoding="utf-8").count("LookupError: lost") == 1


def address_in(file: Path) -> tuple[str, str]:
    """Wait until a worker is ready that says so in a file."""
    deadline = time.monotonic() + LIMIT_S
    while True:
        text = file.read_text(encoding="utf-8") if file.exists() else ""
        found = re.search(r"http://(\S+):(\d+)", text)
        if found is not None and "worker 1 is ready" in text:
            return found[1], found[2]
        assert time.monotonic() < deadline, text
        time.sleep(0.01)


@pytest.mark.parametrize(
    ("hang_timeout", "pause"), [(None, ALIVE_EVERY), (60.0, ALIVE_EVERY), (1.0, 0.25)]
)
def test_who_lives_says_so_in_time(hang_timeout: float | None, pause: float) -> None:
    assert signs_every(hang_timeout) == pause
