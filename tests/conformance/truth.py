"""What blocks when a project's own tests run, beside what the analyser finds in its source.

Tests run with `truth_plugin`. Each place in the project from which something blocked on the loop
is compared with the analyser's findings: found if one names the same statement. What is missed
stands in truth.toml with its reason; a miss without one is an error, and so is a reason by place
that nothing needs.
"""

from __future__ import annotations

import argparse
import ast
import json
import os
import subprocess
import sys
import tomllib
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterator

HERE = Path(__file__).parent
#: A file of the project and a line in it.
Place: TypeAlias = tuple[str, int]
#: Folders of a package that hold its tests.
TESTS = {"tests", "test"}
#: A project's tests may take so long, seconds.
PATIENCE_S = 1800
#: Places of one reason that are shown.
SHOWN_MAX = 10


@dataclass
class Blocked:
    """A place in the project from which something blocked on the loop."""

    place: Place
    function: str
    calls: set[str] = field(default_factory=set)
    #: Files and functions below the project's own line, the innermost last.
    below: set[str] = field(default_factory=set)


@dataclass
class Project:
    """A project: how its tests are run, and what is known to be missed."""

    name: str
    package: str
    tests: list[str]
    arguments: list[str]
    missed: dict[str, str]
    #: Reasons by what lies between the project's line and the call.
    below: dict[str, str]
    source: Path

    def relative(self, file: str) -> str | None:
        """A file's path in the project, if it is one of its own and no test."""
        marker = f"/{self.package}/"
        _, found, rest = file.rpartition(marker)
        if not found or TESTS & set(Path(rest).parts[:-1]):
            return None
        return f"{self.package}/{rest}"

    @property
    def folder(self) -> Path:
        """The folder that the package stands in."""
        inner = self.source / "src"
        return inner if (inner / self.package).is_dir() else self.source


def projects(sources: dict[str, Path]) -> Iterator[Project]:
    """Those of truth.toml whose source is at hand."""
    known = tomllib.loads((HERE / "truth.toml").read_text(encoding="utf-8"))
    for entry in known["project"]:
        missed = {
            place: one["reason"]
            for one in known.get("missed", [])
            if one.get("project") == entry["name"]
            for place in one["places"]
        }
        below = {
            pattern: one["reason"]
            for one in known.get("missed", [])
            for pattern in one.get("below", [])
        }
        if entry["name"] in sources:
            yield Project(
                name=entry["name"],
                package=entry["package"],
                tests=entry.get("tests", ["tests"]),
                arguments=entry.get("arguments", []),
                missed=missed,
                below=below,
                source=sources[entry["name"]],
            )


def run(project: Project, out: Path) -> tuple[list[dict[str, object]], str]:
    """Run the tests; gives the notes, and pytest's last line."""
    notes = out / f"truth-{project.name}.json"
    notes.unlink(missing_ok=True)
    environment = {
        **os.environ,
        "CORRENTE_TRUTH": str(notes),
        "PYTHONPATH": f"{HERE}{os.pathsep}{project.folder}",
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    # Their own options ask for coverage and make warnings errors.
    plain = ["-o", "addopts=", "-o", "filterwarnings=", "-q", "--color=no", "-p", "truth_plugin"]
    command = [sys.executable, "-m", "pytest", *plain, *project.arguments]
    log = out / f"truth-{project.name}.log"
    with log.open("w", encoding="utf-8") as printed:
        subprocess.run(
            [*command, *project.tests],
            check=False,
            cwd=project.source,
            env=environment,
            stdout=printed,
            stderr=subprocess.STDOUT,
            timeout=PATIENCE_S,
        )
    if not notes.is_file():
        sys.exit(f"{project.name}: the tests did not run to their end; see {log}")
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    last = next((line for line in reversed(lines) if " passed" in line), "no test passed")
    return json.loads(notes.read_text(encoding="utf-8")), last.strip("= ")


def statements(text: str) -> dict[int, int]:
    """The first line of the narrowest statement, or of its head, for each line of a file."""
    first: dict[int, tuple[int, int]] = {}
    for node in ast.walk(ast.parse(text)):
        if not isinstance(node, ast.stmt):
            continue
        body = getattr(node, "body", None)
        end = body[0].lineno - 1 if body else node.end_lineno or node.lineno
        end = max(end, node.lineno)
        for line in range(node.lineno, end + 1):
            if line not in first or end - node.lineno < first[line][1]:
                first[line] = (node.lineno, end - node.lineno)
    return {line: start for line, (start, _) in first.items()}


class Statements:
    """Statements of a project's files, by line."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.known: dict[str, dict[int, int]] = {}

    def of(self, place: Place) -> Place:
        """The statement at a place."""
        file, line = place
        if file not in self.known:
            self.known[file] = statements((self.folder / file).read_text(encoding="utf-8"))
        return file, self.known[file].get(line, line)


def findings(analyser: str, project: Project, lines: Statements) -> set[Place]:
    """What the analyser finds in the project, advice included."""
    command = [analyser, "--no-cache", "--json", "--certainty", "possible", project.package]
    done = subprocess.run(command, capture_output=True, check=False, cwd=project.folder, text=True)
    if done.returncode > 1:
        sys.exit(f"{project.name}: {done.stderr}")
    report = json.loads(done.stdout)
    both = report["findings"] + report["suppressed"]
    return {lines.of((one["place"]["path"], one["place"]["line"])) for one in both}


def compared(project: Project, notes: list[dict[str, object]], analyser: str) -> dict[str, object]:
    """Sort the notes and match them with the findings."""
    lines = Statements(project.folder)
    found = findings(analyser, project, lines)
    apart: Counter[str] = Counter()
    places: dict[Place, Blocked] = {}
    for note in notes:
        stack = note["stack"]
        assert isinstance(stack, list)
        own = [(project.relative(file), line, name) for file, line, name, _ in stack]
        inner = next((number for number, frame in enumerate(own) if frame[0]), None)
        if inner is None:
            apart["no line of the project between the loop and the call"] += 1
            continue
        if own[-1][0] is None:
            apart["the coroutine is a test's or a library's"] += 1
            continue
        file, line, function = own[inner]
        assert file is not None
        place = lines.of((file, line))
        blocked = places.setdefault(place, Blocked(place, function))
        blocked.calls.add(str(note["function"]))
        below = [f"{'/'.join(Path(one[0]).parts[-2:])}:{one[2]}" for one in reversed(stack[:inner])]
        blocked.below.add(" > ".join(below))
    return judged(project, places, found, apart)


def common(patterns: dict[str, str], chains: set[str]) -> str | None:
    """The reason that all chains below a place have in common, if there is one."""
    reasons = {
        next((reason for pattern, reason in patterns.items() if pattern in chain), None)
        for chain in chains
    }
    return reasons.pop() if len(reasons) == 1 else None


def judged(
    project: Project, places: dict[Place, Blocked], found: set[Place], apart: Counter[str]
) -> dict[str, object]:
    """What was found, what was missed for a known reason, and what surprises."""
    missed: dict[str, list[str]] = {}
    unexplained = []
    needed = set()
    hits = 0
    for place, blocked in sorted(places.items()):
        if place in found:
            hits += 1
            continue
        name = f"{place[0]} {blocked.function}"
        reason = project.missed.get(name) or common(project.below, blocked.below)
        if reason is None:
            unexplained.append(
                {
                    "place": f"{place[0]}:{place[1]}",
                    "name": name,
                    "calls": sorted(blocked.calls),
                    "below": sorted(blocked.below)[:5],
                }
            )
        else:
            needed.add(name)
            missed.setdefault(reason, []).append(f"{place[0]}:{place[1]} {blocked.function}")
    return {
        "seen": len(places),
        "found": hits,
        "missed": missed,
        "unexplained": unexplained,
        "not_needed": sorted(set(project.missed) - needed),
        "apart": dict(apart),
    }


def show(name: str, tests: str, result: dict[str, object]) -> None:
    """One project, for people."""
    missed = result["missed"]
    assert isinstance(missed, dict)
    count = sum(len(places) for places in missed.values())
    sys.stdout.write(f"{name}: {tests}\n")
    sys.stdout.write(
        f"  {result['seen']} places block on the loop: {result['found']} found, {count} missed\n"
    )
    for reason, places in missed.items():
        sys.stdout.write(f"    {len(places)}: {reason}\n")
        sys.stdout.writelines(f"      {place}\n" for place in places[:SHOWN_MAX])
    apart = result["apart"]
    assert isinstance(apart, dict)
    for what, number in apart.items():
        sys.stdout.write(f"  apart, {what}: {number} stacks\n")
    for what in ("unexplained", "not_needed"):
        entries = result[what]
        assert isinstance(entries, list)
        for entry in entries:
            sys.stdout.write(f"  {what.upper()}: {json.dumps(entry)}\n")


def main() -> int:
    """Run the projects whose sources are given as NAME=FOLDER."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("analyser")
    parser.add_argument("sources", nargs="+", metavar="NAME=FOLDER")
    parser.add_argument("--out", type=Path, required=True, help="folder of logs and notes")
    parser.add_argument("--again", action="store_true", help="compare the notes that are there")
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    named = (one.partition("=") for one in arguments.sources)
    surprises = 0
    for project in projects({name: Path(folder) for name, _, folder in named}):
        notes_file = arguments.out / f"truth-{project.name}.json"
        if arguments.again and notes_file.is_file():
            notes, tests = json.loads(notes_file.read_text(encoding="utf-8")), "as noted before"
        else:
            notes, tests = run(project, arguments.out)
        result = compared(project, notes, arguments.analyser)
        show(project.name, tests, result)
        for what in ("unexplained", "not_needed"):
            entries = result[what]
            assert isinstance(entries, list)
            surprises += len(entries)
    return 1 if surprises else 0


if __name__ == "__main__":
    sys.exit(main())
