"""A whole run of a small lab, its reports, and going on after an interruption."""

from __future__ import annotations

import os
import shlex
import signal
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import pytest

from processes import wait_for
from tiny_lab import COUNT, PLAIN, REPORTS, Contender, Scenario

if TYPE_CHECKING:
    from tiny_lab import TinyLab

LANGUAGES = ("en", "it", "fr", "de", "zh")
VERDICTS = {"confirmed", "refuted", "inconclusive", "invalid"}


def columns(line: str) -> int:
    """Give the columns that a line takes; Chinese characters take two."""
    return sum(2 if "\u2e80" <= character <= "\uffef" else 1 for character in line)


def check_fits(text: str) -> None:
    """Refuse lines that wrap on a terminal of the usual width."""
    assert text.strip()
    assert [line for line in text.splitlines() if columns(line) > 80] == []


def test_a_run_leaves_a_result_a_report_and_nothing_else(lab: TinyLab) -> None:
    lab.add("tiny", Scenario())
    lab.add("counts", Scenario((Contender("counts", REPORTS),), order=2, case=COUNT))
    done = lab.run()
    assert done.returncode == 0, done.stderr
    check_fits(done.stdout)
    result = lab.result()
    assert result["schema"] == "corrente.lab/1"
    assert result["finished_at"] >= result["started_at"]
    scenario, counts = result["scenarios"]
    assert scenario["outcome"] == counts["outcome"] == {"state": "measured"}
    assert counts["measurements"][0]["operations"] == 18
    assert [finding["verdict"] in VERDICTS for finding in scenario["findings"]] == [True]
    assert {one["contender"] for one in scenario["measurements"]} == {"plain", "other"}
    assert all(len(one["throughput_rounds"]) == 2 for one in scenario["measurements"])
    assert sorted(path.name for path in lab.out.iterdir()) == ["logs", "report.html", "result.json"]
    assert list(lab.scratch.iterdir()) == []
    check_reports(lab)


def check_reports(lab: TinyLab) -> None:
    """Try every way to show a result."""
    for language in LANGUAGES:
        for words in (("report", "out"), ("report", "out", "--detail"), ("compare", "out", "out")):
            shown = lab.corrente("lab", *words, "--lang", language)
            assert (shown.returncode, shown.stderr) == (0, ""), (words, language)
            assert "tiny" in shown.stdout
            check_fits(shown.stdout)
        check_page(lab, language)
    drawn = lab.corrente("lab", "report", "out/result.json", "--picture", "summary.svg")
    assert (drawn.returncode, drawn.stdout) == (0, ""), drawn.stderr
    assert "summary.svg" in drawn.stderr
    ET.parse(lab.root / "summary.svg")  # noqa: S314 - the picture is our own


def check_page(lab: TinyLab, language: str) -> None:
    """Write the page in a language and look whether it is one, and of that language."""
    page = lab.root / f"{language}.html"
    shown = lab.corrente("lab", "report", "out", "--html", page.name, "--lang", language)
    assert (shown.returncode, shown.stdout) == (0, ""), shown.stderr
    assert page.name in shown.stderr
    text = page.read_text(encoding="utf-8")
    assert f'<html lang="{language}' in text
    assert text.rstrip().endswith("</html>")
    assert "<script src" not in text
    assert "<link" not in text


def test_the_list_of_scenarios_fits_a_terminal_in_every_language(lab: TinyLab) -> None:
    for language in LANGUAGES:
        listed = lab.corrente("lab", "list", "--lang", language)
        assert (listed.returncode, listed.stderr) == (0, "")
        check_fits(listed.stdout)


def interrupt_in(lab: TinyLab, scenario: str, *arguments: str) -> list[str]:
    """Start a run, press Ctrl-C in a scenario, and give the command that it says to go on with."""
    run = lab.start("lab", "run", *arguments)
    wait_for(
        (lab.out / f"logs/{scenario}/plain.log").exists,
        f"a contender of {scenario}",
        30,
        lab.errors.read_text,
    )
    os.killpg(run.pid, signal.SIGINT)
    said = f"said {lab.errors.read_text(encoding='utf-8')!r}"
    assert run.wait(20) == 130, said
    [line] = [line for line in lab.errors.read_text("utf-8").splitlines() if "--resume" in line]
    words = shlex.split(line)
    assert words[:4] == ["corrente", "lab", "run", "--resume"]
    return words[1:]


@pytest.fixture
def two(lab: TinyLab, monkeypatch: pytest.MonkeyPatch) -> TinyLab:
    """Give a lab with a short scenario and then an endless one."""
    lab.add("first", Scenario((PLAIN,), order=1))
    lab.add("second", Scenario((PLAIN,), order=2, seconds=600))
    # As with --lab, but it holds for the command that goes on as well.
    monkeypatch.setitem(lab.environment, "CORRENTE_LAB", str(lab.folder))
    return lab


def shorten(lab: TinyLab, name: str) -> None:
    """Make a scenario end soon."""
    lab.add(name, Scenario((PLAIN,), order=2))


def names(lab: TinyLab) -> list[str]:
    """Give the scenarios of the result."""
    return [scenario["name"] for scenario in lab.result()["scenarios"]]


def test_an_interrupted_run_goes_on_where_it_stopped(two: TinyLab) -> None:
    again = interrupt_in(two, "second", "--out", "out", "--seed", "7")
    before = two.result()
    assert names(two) == ["first"]
    assert "finished_at" not in before or before["finished_at"] is None
    shorten(two, "second")
    done = two.corrente(*again)
    assert done.returncode == 0, done.stderr
    after = two.result()
    assert names(two) == ["first", "second"]
    assert after["scenarios"][0] == before["scenarios"][0]
    assert (after["started_at"], after["seed"]) == (before["started_at"], 7)
    assert after["finished_at"]


def test_a_run_that_was_interrupted_in_its_first_scenario_goes_on_too(two: TinyLab) -> None:
    again = interrupt_in(two, "second", "--out", "out", "second")
    shorten(two, "second")
    done = two.corrente(*again)
    assert done.returncode == 0, done.stderr
    assert "second" in names(two)


def test_going_on_runs_the_scenarios_that_were_asked_for_and_no_others(two: TinyLab) -> None:
    two.add("third", Scenario((PLAIN,), order=3))
    again = interrupt_in(two, "second", "--out", "out", "first", "second")
    shorten(two, "second")
    done = two.corrente(*again)
    assert done.returncode == 0, done.stderr
    assert names(two) == ["first", "second"]


def test_going_on_makes_as_many_rounds_as_were_asked_for(two: TinyLab) -> None:
    again = interrupt_in(two, "second", "--out", "out", "--repeat", "3")
    shorten(two, "second")
    done = two.corrente(*again)
    assert done.returncode == 0, done.stderr
    rounds = [
        len(scenario["measurements"][0]["throughput_rounds"])
        for scenario in two.result()["scenarios"]
    ]
    assert rounds == [3, 3]


def test_the_command_to_go_on_with_names_the_lab_s_folder(lab: TinyLab) -> None:
    lab.add("only", Scenario((PLAIN,), seconds=600))
    again = interrupt_in(lab, "only", "--out", "out", "--lab", str(lab.folder))
    assert str(lab.folder) in again


def test_a_folder_with_a_space_can_be_gone_on_with(two: TinyLab) -> None:
    two.out = two.root / "two words"
    again = interrupt_in(two, "second", "--out", two.out.name)
    assert two.out.name in again or str(two.out) in again


def test_reports_are_written_beside_the_result_in_the_language_asked_for(lab: TinyLab) -> None:
    lab.add("tiny", Scenario((PLAIN,)))
    assert lab.run("--lang", "it", "--repeat", "1").returncode == 0
    assert '<html lang="it' in (lab.out / "report.html").read_text(encoding="utf-8")
