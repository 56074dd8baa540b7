"""`corrente check`: the analyser as a user meets it, from its own package through the one command."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from importlib.metadata import requires, version
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from conftest import Corrente

BLOCKING = """\
import time

async def main():
    wait()

def wait():
    time.sleep(1)
"""


def test_the_extra_is_the_analyser_of_the_same_version() -> None:
    extra = [line for line in requires("corrente") or [] if "extra ==" in line]
    assert len(extra) == 1
    assert re.match(rf"corrente-check=={version('corrente')} *;", extra[0])
    assert version("corrente-check") == version("corrente")


def test_finds_what_blocks_and_ends_with_1(corrente: Corrente, tmp_path: Path) -> None:
    (tmp_path / "service.py").write_text(BLOCKING, encoding="utf-8")
    done = corrente("check", "--json")
    assert done.returncode == 1, done.stderr
    (finding,) = json.loads(done.stdout)["findings"]
    assert finding["call"] == "time.sleep"
    assert [step["function"] for step in finding["chain"]] == ["main", "wait"]


def test_ends_with_0_where_nothing_blocks(corrente: Corrente, tmp_path: Path) -> None:
    (tmp_path / "service.py").write_text("async def main(): ...\n", encoding="utf-8")
    done = corrente("check")
    assert done.returncode == 0, done.stderr


def test_ends_with_2_where_it_cannot_run(corrente: Corrente) -> None:
    done = corrente("check", "nowhere")
    assert done.returncode == 2
    assert "nowhere" in done.stderr


def test_its_help_is_the_analysers_under_the_name_that_was_typed(corrente: Corrente) -> None:
    done = corrente("check", "--help")
    assert done.returncode == 0
    assert "Usage: corrente check " in done.stdout
    assert "Examples:" in done.stdout


def test_without_the_analyser_it_says_how_to_get_it(tmp_path: Path) -> None:
    # An interpreter beside which there is no analyser, and a PATH without one.
    alone = tmp_path / "bin" / "python"
    alone.parent.mkdir()
    program = f"from corrente import _native; raise SystemExit(_native.run(['check'], ['{alone}']))"
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        check=False,
        env={"PATH": str(tmp_path)},
        text=True,
        timeout=30,
    )
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr == (
        "corrente: the analyser is not installed here; get it with "
        "`pip install 'corrente[check]'`\n"
    )


def test_another_version_is_said(corrente: Corrente, tmp_path: Path) -> None:
    folder = tmp_path / "bin"
    folder.mkdir()
    old = folder / "corrente-check"
    old.write_text("#!/bin/sh\necho corrente-check 0.0.1\n", encoding="utf-8")
    old.chmod(0o755)
    program = (
        "from corrente import _native;"
        f"raise SystemExit(_native.run(['check'], ['{folder / 'python'}']))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        check=False,
        text=True,
        timeout=30,
    )
    assert done.returncode == 0
    assert done.stdout == "corrente-check 0.0.1\n"
    assert "is of version 0.0.1, corrente of version" in done.stderr
    assert corrente("check", "--version").stderr == ""
