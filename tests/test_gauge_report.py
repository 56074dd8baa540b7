"""`corrente gauge` as a command: what it shows, and what it says to bad input."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Corrente

TIMES = {"count": 2, "sum": 40_000_000, "sum_of_squares": 8e14, "max": 20_000_000}

#: One process, one endpoint; its wall times fill the bucket of 20 ms.
RECORDING = {
    "schema": "corrente.recording/1",
    "made_by": "a test",
    "processes": [
        {
            "host": "a",
            "pid": 7,
            "started_unix_ms": 1,
            "active_ns": 1_000_000_000,
            "requests_seen": 2,
            "requests_measured": 2,
            "server": {"name": "gunicorn", "version": "27", "worker": "sync"},
        }
    ],
    "endpoints": [
        {
            "name": "GET /orders/{n}",
            "requests": 2,
            "wall_ns": TIMES | {"buckets": [[646, 2]]},
            "cpu_ns": {
                "count": 2,
                "sum": 4_000_000,
                "sum_of_squares": 8e12,
                "max": 2_000_000,
                "buckets": [[541, 2]],
            },
        }
    ],
}


def write(folder: Path, name: str, text: str) -> str:
    """Write a file and give its path."""
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return str(path)


def test_a_recording_is_shown(corrente: Corrente, tmp_path: Path) -> None:
    file = write(tmp_path, "a.json", json.dumps(RECORDING))
    done = corrente("gauge", "report", file, "--lang", "en")
    assert (done.returncode, done.stderr) == (0, "")
    assert "GET /orders/{n}" in done.stdout
    assert "gunicorn 27 sync" in done.stdout


def test_figures_as_json(corrente: Corrente, tmp_path: Path) -> None:
    file = write(tmp_path, "a.json", json.dumps(RECORDING))
    done = corrente("gauge", "report", file, "--json")
    assert done.returncode == 0, done.stderr
    figures = json.loads(done.stdout)
    assert figures["schema"] == "corrente.gauge/1"
    (orders,) = figures["endpoints"]
    assert orders["wall"]["mean_ms"] == pytest.approx(20)
    # No request was asked how long it stood in line for a processor: a bound, no figure.
    assert orders["wait_ms"] is None
    assert orders["wait_at_most_ms"] == pytest.approx(18)
    assert orders["blocking_coefficient"] is None
    assert figures["service"]["requests_per_s"] == pytest.approx(2)


def test_recordings_are_merged(corrente: Corrente, tmp_path: Path) -> None:
    other = json.loads(json.dumps(RECORDING))
    other["processes"][0]["host"] = "b"
    folder = tmp_path / "b.recording.d"
    folder.mkdir()
    write(folder, "b.json", json.dumps(other))
    first = write(tmp_path, "a.json", json.dumps(RECORDING))
    figures = json.loads(corrente("gauge", "report", first, str(folder), "--json").stdout)
    assert (figures["service"]["hosts"], figures["service"]["requests"]) == (2, 4)
    assert len(figures["endpoints"]) == 1


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "is not a recording"),
        (json.dumps(RECORDING)[:-20], "is not a recording"),
        ('{"schema": "corrente.load/1"}', "found `corrente.load/1`"),
        (json.dumps(RECORDING).replace("[[646, 2]]", "[[646, 3]]"), "wall_ns: the buckets hold 3"),
    ],
)
def test_a_bad_file_is_one_line_and_exit_code_2(
    corrente: Corrente, tmp_path: Path, text: str, expected: str
) -> None:
    file = write(tmp_path, "bad.json", text)
    done = corrente("gauge", "report", file)
    assert (done.returncode, done.stdout) == (2, "")
    (line,) = done.stderr.splitlines()
    assert file in line
    assert expected in line


def test_a_file_given_twice_is_refused(corrente: Corrente, tmp_path: Path) -> None:
    file = write(tmp_path, "a.json", json.dumps(RECORDING))
    done = corrente("gauge", "report", file, file)
    assert done.returncode == 2
    assert "is in it twice" in done.stderr


def test_a_command_that_cannot_be_started(corrente: Corrente, tmp_path: Path) -> None:
    done = corrente("gauge", "run", "--", "no-such-command")
    assert (done.returncode, done.stdout) == (2, "")
    (line,) = done.stderr.splitlines()
    assert "no-such-command" in line
    assert list(tmp_path.iterdir()) == []


def test_a_command_that_ends_at_once(corrente: Corrente, tmp_path: Path) -> None:
    done = corrente("gauge", "run", "--", sys.executable, "-c", "raise SystemExit(3)")
    assert (done.returncode, done.stdout) == (1, "")
    assert "ended with exit code 3 before any request" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_command_without_requests(corrente: Corrente, tmp_path: Path) -> None:
    done = corrente("gauge", "run", "--", sys.executable, "-c", "pass")
    assert done.returncode == 1
    assert "nothing was recorded" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_the_time_is_limited(corrente: Corrente) -> None:
    sleeps = "import time; time.sleep(50)"
    done = corrente("gauge", "run", "--seconds", "0.2", "--", sys.executable, "-c", sleeps)
    assert done.returncode == 1
    assert "nothing was recorded" in done.stderr


def test_a_folder_that_is_left_from_before_is_not_touched(
    corrente: Corrente, tmp_path: Path
) -> None:
    (tmp_path / "gauge.recording.d").mkdir()
    done = corrente("gauge", "run", "--", sys.executable, "-c", "pass")
    assert done.returncode == 2
    assert "is there already" in done.stderr
    assert (tmp_path / "gauge.recording.d").is_dir()


def test_a_recording_cannot_take_the_place_of_a_folder(corrente: Corrente, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    done = corrente("gauge", "run", "--out", "out", "--", sys.executable, "-c", "print('ran')")
    assert (done.returncode, done.stdout) == (2, "")
    (line,) = done.stderr.splitlines()
    assert "out: is a folder" in line
    assert [file.name for file in tmp_path.iterdir()] == ["out"]


def test_watching_what_is_not_there(corrente: Corrente) -> None:
    done = corrente("gauge", "watch")
    assert (done.returncode, done.stdout) == (2, "")
    (line,) = done.stderr.splitlines()
    assert "gauge.recording.d: is not there; start the service with `corrente gauge run`" in line


def test_watching_before_the_first_request(corrente: Corrente, tmp_path: Path) -> None:
    (tmp_path / "gauge.recording.d").mkdir()
    done = corrente("gauge", "watch", "--seconds", "0", "--lang", "en")
    assert (done.returncode, done.stdout.strip()) == (0, "No request yet.")


def test_a_sitecustomize_of_the_machine_still_runs(corrente: Corrente, tmp_path: Path) -> None:
    folder = tmp_path / "own"
    folder.mkdir()
    write(folder, "sitecustomize.py", "import builtins; builtins.mine = 'ran'\n")
    program = (
        "import sys; print(mine, 'corrente.gauge._start' in sys.modules,"
        " any(p.endswith('_site') for p in sys.path))"
    )
    words = ("sh", "-c", f'PYTHONPATH="$PYTHONPATH:{folder}" exec {sys.executable} -c "{program}"')
    done = corrente("gauge", "run", "--", *words)
    assert "ran True False" in done.stdout, done.stderr


def test_a_sitecustomize_that_fails_does_not_stop_the_recording(
    corrente: Corrente, tmp_path: Path
) -> None:
    folder = tmp_path / "own"
    folder.mkdir()
    write(folder, "sitecustomize.py", "raise RuntimeError('mine')\n")
    program = "import sys; print('Finder' in [type(one).__name__ for one in sys.meta_path], 'ran')"
    words = ("sh", "-c", f'PYTHONPATH="$PYTHONPATH:{folder}" exec {sys.executable} -c "{program}"')
    done = corrente("gauge", "run", "--", *words)
    assert "True ran" in done.stdout, done.stderr
    assert "mine" in done.stderr


def test_a_time_without_end_is_one(corrente: Corrente, tmp_path: Path) -> None:
    # More than the system's clock can hold.
    done = corrente("gauge", "run", "--seconds", "1e19", "--", sys.executable, "-c", "pass")
    assert (done.returncode, "nothing was recorded" in done.stderr) == (1, True), done.stderr
    done = corrente("gauge", "watch", str(tmp_path / "none.json"), "--seconds", "1e19")
    assert done.returncode == 2, done.stderr


def test_a_recording_needs_a_folder_that_is_there(corrente: Corrente, tmp_path: Path) -> None:
    out = ("--out", "missing/a.json")
    done = corrente("gauge", "run", *out, "--", sys.executable, "-c", "print('ran')")
    assert (done.returncode, done.stdout) == (2, "")
    (line,) = done.stderr.splitlines()
    assert "--out missing/a.json: its folder is missing; give a file in a folder" in line
    assert list(tmp_path.iterdir()) == []


def test_importing_changes_nothing() -> None:
    program = (
        "import http.client, sqlite3, sys\n"
        "before = http.client.HTTPConnection.getresponse, sqlite3.connect, list(sys.meta_path)\n"
        "import corrente.gauge\n"
        "after = http.client.HTTPConnection.getresponse, sqlite3.connect, list(sys.meta_path)\n"
        "assert before == after\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=30)


def test_a_page_is_written_instead_of_text(corrente: Corrente, tmp_path: Path) -> None:
    file = write(tmp_path, "a.json", json.dumps(RECORDING))
    done = corrente("gauge", "report", file, "--html", "a.html", "--lang", "de")
    assert (done.returncode, done.stdout) == (0, "")
    assert "Bericht geschrieben nach a.html" in done.stderr
    page = (tmp_path / "a.html").read_text(encoding="utf-8")
    assert page.startswith('<!DOCTYPE html>\n<html lang="de">')
    assert page.rstrip().endswith("</html>")
    # Two requests allow no prediction: the reason, the figures, and no curve.
    assert "mindestens 198 weitere" in page
    assert "GET /orders/{n}" in page
    assert page.count("<svg") == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.html", "a.json"]


def test_a_page_beside_json(corrente: Corrente, tmp_path: Path) -> None:
    file = write(tmp_path, "a.json", json.dumps(RECORDING))
    done = corrente("gauge", "report", file, "--html", "a.html", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["schema"] == "corrente.gauge/1"
    assert (tmp_path / "a.html").is_file()


def test_a_page_of_no_request_says_so(corrente: Corrente, tmp_path: Path) -> None:
    file = write(tmp_path, "a.json", json.dumps(RECORDING | {"endpoints": []}))
    done = corrente("gauge", "report", file, "--html", "a.html", "--lang", "en")
    assert done.returncode == 0, done.stderr
    assert "No request was counted." in (tmp_path / "a.html").read_text(encoding="utf-8")


@pytest.mark.parametrize("verb", ["report", "predict"])
@pytest.mark.parametrize(
    ("place", "expected"),
    [
        ("folder", "--html folder: is a folder; give a file in a folder that is there"),
        ("missing/a.html", "--html missing/a.html: its folder is missing; give a file in a folder"),
        ("a.json", "--html a.json: is the recording itself; give another file"),
    ],
)
def test_a_bad_place_for_a_page_is_one_line(
    corrente: Corrente, tmp_path: Path, verb: str, place: str, expected: str
) -> None:
    (tmp_path / "folder").mkdir()
    text = json.dumps(RECORDING)
    write(tmp_path, "a.json", text)
    done = corrente("gauge", verb, "a.json", "--html", place)
    assert (done.returncode, done.stdout) == (2, "")
    (line,) = done.stderr.splitlines()
    assert expected in line
    assert (tmp_path / "a.json").read_text(encoding="utf-8") == text
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.json", "folder"]
