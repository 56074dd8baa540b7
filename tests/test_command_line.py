"""The command as a user meets it: how it starts, what it says, and its exit codes."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import tomllib
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from corrente import _main

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pytest

    from conftest import Corrente

PUBLISHED = Path(__file__).parents[1] / "lab" / "published.toml"


def test_says_its_version(corrente: Corrente) -> None:
    done = corrente("--version")
    assert (done.returncode, done.stdout, done.stderr) == (
        0,
        f"corrente {version('corrente')}\n",
        "",
    )


def test_runs_as_a_module_too(corrente: Corrente, tmp_path: Path) -> None:
    module = [sys.executable, "-m", "corrente", "--version"]
    done = subprocess.run(module, capture_output=True, check=True, cwd=tmp_path, text=True)
    assert done.stdout == corrente("--version").stdout


def test_an_unknown_verb_is_one_clear_line_and_exit_code_2(corrente: Corrente) -> None:
    done = corrente("frobnicate")
    assert done.returncode == 2
    assert done.stdout == ""
    first, *_ = done.stderr.splitlines()
    assert "frobnicate" in first
    assert "Traceback" not in done.stderr


def test_what_is_missing_stands_behind_its_colon(corrente: Corrente) -> None:
    done = corrente("gauge", "run")
    assert done.returncode == 2
    assert "not provided: <COMMAND>..." in done.stderr


def test_lists_a_scenario_for_every_published_claim(corrente: Corrente) -> None:
    done = corrente("lab", "list", "--json")
    assert done.returncode == 0, done.stderr
    claims = tomllib.loads(PUBLISHED.read_text(encoding="utf-8"))["claim"]
    listed = json.loads(done.stdout)
    names = {scenario["name"] for scenario in listed}
    assert len(claims) == 15
    # Grinberg's fork puts Paterson's claim to another test.
    assert names == {claim["id"] for claim in claims} | {"grinberg"}


def test_an_internal_error_is_one_line_and_exit_code_70(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def panics(_arguments: Sequence[str], _program: Sequence[str]) -> int:
        raise RuntimeError("lost a part (keeper.rs:7)")

    monkeypatch.setattr("corrente._native.run", panics)
    assert _main.main() == 70
    error = capsys.readouterr().err
    assert error == (
        "corrente: internal error: lost a part (keeper.rs:7); please report it as a bug\n"
    )


def test_ctrl_c_belongs_to_rust_while_it_runs_and_to_python_after(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seen: list[object] = []

    def looks(_arguments: Sequence[str], program: Sequence[str]) -> int:
        seen.append(signal.getsignal(signal.SIGINT))
        seen.append(list(program))
        return 0

    monkeypatch.setattr("corrente._native.run", looks)
    before = signal.getsignal(signal.SIGINT)
    assert _main.main() == 0
    assert seen == [signal.SIG_DFL, [sys.executable, "-P", "-m", "corrente"]]
    assert signal.getsignal(signal.SIGINT) is before
