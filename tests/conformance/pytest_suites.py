"""Suites of pytest from source distributions, aiohttp's and anyio's, with `announcing_plugin`.

A suite's configuration is its own; only the options that would measure coverage, or run tests
that need a container, another machine or a development version of something, are replaced.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import supervise

HERE = Path(__file__).parent
OPTIONS = (
    "--override-ini=addopts=",
    "--quiet",
    "--tb=short",
    "-p",
    "no:cacheprovider",
    "-p",
    "announcing_plugin",
)
#: The marks of what is run of each suite.
MARKS = {
    "aiohttp": "not dev_mode and not autobahn",
    "anyio": "not network",
}


def suite(name: str, loop: str, source: Path, log: Path, limit_s: float) -> supervise.Suite:
    """Give how its tests are run."""
    return supervise.Suite(
        command=lambda pipe, names: [
            *_pytest(name),
            f"--announce-to={pipe}",
            f"--only-those-in={names}",
            *_files(names),
        ],
        environment={"CONFORMANCE_LOOP": loop, "PYTHONPATH": str(HERE)},
        folder=source,
        log=log,
        limit_s=limit_s,
    )


def listed(name: str, runs: supervise.Suite) -> list[str]:
    """Give the names of all its tests."""
    with tempfile.NamedTemporaryFile("r", encoding="utf-8") as names:
        subprocess.run(
            [*_pytest(name), "--collect-only", f"--list-to={names.name}", "tests"],
            cwd=runs.folder,
            env=os.environ | runs.environment,
            stdout=subprocess.DEVNULL,
            check=True,
        )
        return names.read().splitlines()


def _pytest(name: str) -> list[str]:
    # -P: the distribution has the library beside its tests, without the compiled half of what is
    # installed.
    command = [sys.executable, "-P", "-X", "faulthandler", "-m", "pytest", *OPTIONS]
    return [*command, "-m", MARKS[name]]


def _files(names: Path) -> list[str]:
    tests = names.read_text(encoding="utf-8").splitlines()
    return sorted({supervise.group_of(test) for test in tests})
