"""A plugin of pytest: announces tests as `supervise` wants it, on the loop of the environment.

Loaded with `-p`, before the suite's own conftest.py, so whatever the suite imports finds the loop
in place.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import announce
import loops

if TYPE_CHECKING:
    import pytest

loops.make_default(os.environ["CONFORMANCE_LOOP"])


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options that `pytest_suites` uses."""
    group = parser.getgroup("conformance")
    group.addoption("--announce-to", type=int, help="descriptor of the supervisor's pipe")
    group.addoption("--only-those-in", type=Path, help="file with the names of the tests to run")
    group.addoption("--list-to", type=Path, help="file for the names of all tests")


def pytest_configure(config: pytest.Config) -> None:
    """Announce, where somebody listens."""
    descriptor = config.getoption("--announce-to")
    if descriptor is not None:
        announcer = announce.Announcer(descriptor)
        config.pluginmanager.register(_Announcing(announcer), "announcing")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Keep the tests that are asked for."""
    only: Path | None = config.getoption("--only-those-in")
    if only is not None:
        wanted = set(only.read_text(encoding="utf-8").splitlines())
        items[:] = [item for item in items if item.nodeid in wanted]


def pytest_collection_finish(session: pytest.Session) -> None:
    """Write down all names, without those that options have left out."""
    listed: Path | None = session.config.getoption("--list-to")
    if listed is not None:
        listed.write_text("\n".join(item.nodeid for item in session.items), encoding="utf-8")


class _Announcing:
    def __init__(self, announcer: announce.Announcer) -> None:
        self._announcer = announcer
        self._kind, self._detail = announce.PASSED, ""

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        self._kind, self._detail = announce.PASSED, ""
        self._announcer.begin(nodeid)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            text = report.longreprtext
            last = [line for line in text.splitlines() if line.startswith("E ")]
            self._kind, self._detail = announce.FAILED, (last or [text])[-1].removeprefix("E ")
        elif report.skipped and not hasattr(report, "wasxfail"):
            self._kind, self._detail = announce.SKIPPED, report.longreprtext

    def pytest_runtest_logfinish(self, nodeid: str) -> None:
        self._announcer.end(nodeid, self._kind, self._detail)
