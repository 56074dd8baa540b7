"""Runs a suite that others wrote on one loop, and writes down how each of its tests ended.

`cargo xtask conformance` starts it with the interpreter of the suite's own environment, once for
asyncio's loop and once for Corrente's, and compares; it can be used by hand on a few tests too.
Exit codes: 0 every test was run, whatever came of it; 2 wrong usage; 3 the suite is not there.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
from pathlib import Path

import cpython
import expectations
import loops
import pytest_suites
import supervise
import uvloop_suite

#: Version of the document that is written.
SCHEMA = 1
#: Seconds that a test may last: CPython's own slowest takes a third of it.
LIMIT_S = 30.0
NOT_THERE = 3
HERE = Path(__file__).parent


def main() -> int:
    """Run what the arguments ask for."""
    options = _parser().parse_args()
    if options.suite == "cpython" and not cpython.is_there():
        sys.stderr.write("not run: this interpreter has no test suite (test.test_asyncio)\n")
        return NOT_THERE
    options.out.mkdir(parents=True, exist_ok=True)
    free = "t" if "t" in sys.abiflags else ""
    version = f"{sys.version_info.major}.{sys.version_info.minor}{free}"
    name = f"{options.suite}-{version}-{options.loop}"
    suite = _suite(options, options.out / f"{name}.log")
    suite.log.write_text("", encoding="utf-8")
    dropped = expectations.dropped(options.suite)
    tests = [test for test in _listed(suite, options) if not dropped.matches(test)]
    tests = _wanted(tests, options.only)
    outcomes = supervise.run(suite, tests, _tell)
    document = {
        "schema": SCHEMA,
        "suite": options.suite,
        "loop": options.loop,
        "python": platform.python_version() + free,
        "limit_s": LIMIT_S,
        "tests": {test: outcome.document() for test, outcome in outcomes.items()},
    }
    text = json.dumps(document, indent=1) + "\n"
    (options.out / f"{name}.json").write_text(text, encoding="utf-8")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="run.py", description=__doc__)
    parser.add_argument("suite", choices=("cpython", "uvloop", *pytest_suites.MARKS))
    parser.add_argument("--loop", choices=loops.NAMES, default="corrente")
    parser.add_argument("--out", type=_folder, required=True, help="folder for result and log")
    parser.add_argument(
        "--source", type=_folder, help="the suite's own source distribution, unpacked"
    )
    parser.add_argument(
        "--only", nargs="*", default=(), help="names of tests; * stands for any letters"
    )
    return parser


def _folder(path: str) -> Path:
    # Children run in folders of their own.
    return Path(path).resolve()


def _suite(options: argparse.Namespace, log: Path) -> supervise.Suite:
    if options.suite in pytest_suites.MARKS:
        return pytest_suites.suite(options.suite, options.loop, options.source, log, LIMIT_S)
    child = [sys.executable, "-X", "faulthandler", str(HERE / "child.py")]
    child += [options.suite, options.loop]
    environment: dict[str, str] = {}
    if options.suite == "uvloop":
        environment = uvloop_suite.environment(options.loop, options.source)
    return supervise.Suite(
        command=lambda pipe, names: [*child, "run", str(pipe), str(names)],
        environment=environment,
        folder=_scratch(options.out),
        log=log,
        limit_s=LIMIT_S,
    )


def _scratch(out: Path) -> Path:
    """Give a folder for what tests write into the current one."""
    folder = out / "scratch"
    folder.mkdir(exist_ok=True)
    return folder


def _listed(suite: supervise.Suite, options: argparse.Namespace) -> list[str]:
    if options.suite in pytest_suites.MARKS:
        return pytest_suites.listed(options.suite, suite)
    command = [sys.executable, str(HERE / "child.py"), options.suite, options.loop, "list"]
    listed = subprocess.run(
        command,
        env=os.environ | suite.environment,
        cwd=suite.folder,
        stdout=subprocess.PIPE,
        check=True,
        text=True,
    )
    return listed.stdout.split()


def _wanted(tests: list[str], patterns: list[str]) -> list[str]:
    if not patterns:
        return tests
    return [
        test for test in tests if any(expectations.matches(pattern, test) for pattern in patterns)
    ]


def _tell(line: str) -> None:
    sys.stdout.write(f"    {line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
