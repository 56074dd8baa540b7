"""Other analysers beside ours on the programs of crates/corrente-check/tests/programs.

Each program becomes a folder of its own, so that nobody sees more than the program. A mark `#!`
stands on the line of the blocking call. An analyser has found it if it names that line of that
file: as the place of its message, or, where it tells a chain, as the chain's last step. Which tools
there are is given as arguments; this prints a table, and with `--json` the same for programs.
"""

from __future__ import annotations

import argparse
import ast
import json
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

#: A file and a line in it.
Place: TypeAlias = tuple[str, int]


@dataclass
class Program:
    """A program: its category, its folder's name and where something blocks."""

    category: str
    folder: str
    expected: set[Place] = field(default_factory=set)


def programs(suite: Path, target: Path) -> Iterator[Program]:
    """Write all programs of a suite below a folder."""
    for case in sorted(suite.glob("*.case")):
        for part in case.read_text(encoding="utf-8").split("### ")[1:]:
            name, _, body = part.partition("\n")
            program = Program(case.stem, f"{case.stem}-{name.strip()}")
            files: dict[str, list[str]] = {}
            path = "main.py"
            for line in body.splitlines():
                if line.startswith("#@ "):
                    path = line[3:].strip()
                    continue
                lines = files.setdefault(path, [])
                code, mark, _ = line.partition("#!")
                lines.append(code.rstrip())
                if mark:
                    program.expected.add((f"{program.folder}/{path}", len(lines)))
            for name, lines in files.items():
                file = target / program.folder / name
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text("\n".join(lines) + "\n", encoding="utf-8")
            yield program


def output(command: list[str], folder: Path) -> str:
    """What a tool prints; findings make most of them fail, so its exit code says nothing."""
    done = subprocess.run(command, capture_output=True, check=False, cwd=folder, text=True)
    if done.returncode > 1:
        sys.stderr.write(f"{command[0]}: exit code {done.returncode}: {done.stderr[-500:]}\n")
    return done.stdout


def ours(tool: str, target: Path, folders: list[str]) -> set[Place]:
    """Findings of corrente-check that are told without being asked for."""
    found = set()
    for folder in folders:
        report = json.loads(output([tool, "--json", "."], target / folder))
        for finding in report["findings"]:
            found.add((f"{folder}/{finding['place']['path']}", finding["place"]["line"]))
    return found


def hydroid(tool: str, target: Path, folders: list[str]) -> set[Place]:
    """Findings of hydroid, by the last step of their chains."""
    command, _, python = tool.partition(":")
    environment = ["--python", python] if python else []
    found = set()
    for folder in folders:
        whole = [command, "--no-cache", "--cpu", "--format", "json", *environment, "."]
        printed = output(whole, target / folder)
        for diagnostic in json.loads(printed)["diagnostics"] if printed else []:
            chain = diagnostic["chain"]
            place = chain[-1]["location"] if chain else diagnostic["location"]
            found.add((f"{folder}/{place['path']}", place["line"]))
    return found


def ruff(tool: str, target: Path, _folders: list[str]) -> set[Place]:
    """Findings of Ruff's rules for what blocks; the other ASYNC rules are about something else."""
    rules = ["--isolated", "--select", "ASYNC2", "--preview"]
    printed = output([tool, "check", *rules, "--output-format", "json", "."], target)
    return {
        (str(Path(one["filename"]).relative_to(target)), one["location"]["row"])
        for one in json.loads(printed)
    }


def parses(file: Path) -> bool:
    """Whether a file is Python of today."""
    try:
        ast.parse(file.read_text(encoding="utf-8"))
    except SyntaxError:
        return False
    return True


def flake8(tool: str, target: Path, _folders: list[str]) -> set[Place]:
    """Findings of flake8-async's rules for what blocks, by its own program.

    It ends at the first file that does not parse, so it gets none.
    """
    found = set()
    readable = [file for file in sorted(target.rglob("*.py")) if parses(file)]
    files = [str(file.relative_to(target)) for file in readable]
    for line in output([tool, "--enable=ASYNC2", *files], target).splitlines():
        path, _, rest = line.partition(":")
        row, _, _ = rest.partition(":")
        if row.isdigit():
            found.add((path.removeprefix("./"), int(row)))
    return found


TOOLS: dict[str, Callable[[str, Path, list[str]], set[Place]]] = {
    "corrente-check": ours,
    "hydroid": hydroid,
    "ruff": ruff,
    "flake8-async": flake8,
}


def figures(found: set[Place], programs: list[Program]) -> dict[str, dict[str, int]]:
    """Hits, misses and extras, for each category and for all."""
    table: dict[str, dict[str, int]] = {}
    for program in programs:
        own = {place for place in found if place[0].split("/")[0] == program.folder}
        counts = {
            "expected": len(program.expected),
            "found": len(own & program.expected),
            "extra": len(own - program.expected),
        }
        for row in (program.category, "all"):
            into = table.setdefault(row, dict.fromkeys(counts, 0))
            for name, count in counts.items():
                into[name] += count
    return table


def main() -> int:
    """Run the tools that are given as NAME=PATH."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("suite", type=Path)
    parser.add_argument("tools", nargs="+", metavar="NAME=PATH")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    tables = {}
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder).resolve()
        all_programs = list(programs(arguments.suite.resolve(), target))
        folders = [program.folder for program in all_programs]
        for tool in arguments.tools:
            name, _, path = tool.partition("=")
            kind = name.split("+")[0]
            tables[name] = figures(TOOLS[kind](path, target, folders), all_programs)
    if arguments.json:
        sys.stdout.write(json.dumps(tables, indent=2) + "\n")
        return 0
    for name, table in tables.items():
        sys.stdout.write(f"{name}\n")
        for row, counts in table.items():
            words = ", ".join(f"{count} {what}" for what, count in counts.items())
            sys.stdout.write(f"  {row:<12} {words}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
