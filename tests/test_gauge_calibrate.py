"""`corrente gauge calibrate`: from a lab result to costs for `gauge predict`; bad input."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from test_gauge_report import RECORDING, write

if TYPE_CHECKING:
    from conftest import Corrente

#: A full run of scenarios that calibrate.
RESULT = Path(__file__).parents[1] / "docs" / "evidence" / "model.json"


def test_a_result_becomes_costs_that_predictions_take(corrente: Corrente, tmp_path: Path) -> None:
    out = tmp_path / "own.toml"
    done = corrente("gauge", "calibrate", str(RESULT), "--out", str(out), "--lang", "en")
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    (line,) = done.stderr.splitlines()
    assert "own.toml" in line
    assert "Flask (gunicorn sync)" in line
    costs = tomllib.loads(out.read_text(encoding="utf-8"))
    assert "formula" in costs["reference"]["scenarios"]
    assert costs["reference"]["burn_rounds_per_ms"] > 0
    sides = {stack["framework"]: stack["side"] for stack in costs["stack"]}
    assert (sides["Flask"], sides["Starlette"]) == ("sync", "async")
    # What is left to say is what is wrong with the recording: the costs were taken.
    recording = write(tmp_path, "a.json", json.dumps(RECORDING))
    done = corrente("gauge", "predict", recording, "--costs", str(out))
    assert done.returncode == 1
    assert "198 more" in done.stderr


def check_refused(corrente: Corrente, words: list[str], expected: str) -> None:
    """Expect exit code 2 and one line that says so."""
    done = corrente("gauge", *words)
    assert (done.returncode, done.stdout) == (2, "")
    (line,) = done.stderr.splitlines()
    assert expected in line


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"schema": "corrente.load/1"}, "expected corrente.lab/1, found corrente.load/1"),
        ({"scenarios": []}, "corrente lab run paterson"),
        ({"mode": "smoke"}, "--quick"),
        ({"machine": None}, "does not follow corrente.lab/1"),
    ],
)
def test_a_result_that_calibrates_nothing(
    corrente: Corrente, tmp_path: Path, change: dict[str, object], expected: str
) -> None:
    document = json.loads(RESULT.read_text(encoding="utf-8")) | change
    file = write(tmp_path, "result.json", json.dumps(document))
    check_refused(corrente, ["calibrate", file], expected)
    assert not (tmp_path / "costs.toml").exists()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{}", "is not a table of costs"),
        ("[reference]\ncolour = 1\n", "line 2: unknown field `colour`"),
        (
            '[reference]\ncpu = ""\npython = ""\ndate = ""\nscenarios = []\n',
            "has no costs of a stack on the side `sync`",
        ),
    ],
)
def test_costs_that_cannot_be_used(
    corrente: Corrente, tmp_path: Path, text: str, expected: str
) -> None:
    recording = write(tmp_path, "a.json", json.dumps(RECORDING))
    costs = write(tmp_path, "costs.toml", text)
    check_refused(corrente, ["predict", recording, "--costs", costs], expected)


def test_costs_that_are_not_there(corrente: Corrente, tmp_path: Path) -> None:
    recording = write(tmp_path, "a.json", json.dumps(RECORDING))
    words = ["predict", recording, "--costs", "none.toml"]
    check_refused(corrente, words, "--costs none.toml: No such file")


def test_the_help_has_an_example(corrente: Corrente) -> None:
    done = corrente("gauge", "calibrate", "--help")
    assert done.returncode == 0
    assert "corrente gauge predict gauge.json --costs costs.toml" in done.stdout
