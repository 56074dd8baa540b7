"""Runs tests in processes of their own, and knows how each ended even where the process did not.

Tests go to a child in groups: a group is a class, or a file of pytest. A test that lasts longer
than the limit, or that ends its process, costs only itself: a new child takes the rest of its
group. What fails in company is run once more alone, and that counts; a test that passes only
alone is said to.
"""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import tempfile
import time
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from itertools import groupby, pairwise
from pathlib import Path
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

PASSED, HUNG, CRASHED, NOT_RUN = "passed", "hung", "crashed", "not run"
#: Seconds that a child may take to import its suite before its first test begins.
START_LIMIT_S = 60.0
#: Seconds that it has, once told to end, to say where it is.
END_LIMIT_S = 5.0
#: Seconds between two looks at whether the child is still there.
LOOK_S = 0.2


@dataclass(frozen=True)
class Outcome:
    """How a test ended."""

    kind: str
    detail: str = ""
    #: It failed in a process together with others of its group.
    only_alone: bool = False

    def document(self) -> dict[str, object]:
        """Give what of it is worth writing down."""
        return {name: value for name, value in asdict(self).items() if value}


@dataclass(frozen=True)
class Suite:
    """How to start a child."""

    #: The command for a pipe's descriptor and a file with the names of tests.
    command: Callable[[int, Path], list[str]]
    environment: dict[str, str]
    folder: Path
    log: Path
    limit_s: float


def group_of(test: str) -> str:
    """Give the class or the file that a test belongs to."""
    return test.partition("::")[0] if "::" in test else test.rpartition(".")[0]


def run(suite: Suite, tests: Iterable[str], tell: Callable[[str], None]) -> dict[str, Outcome]:
    """Run all tests; give how each ended."""
    outcomes: dict[str, Outcome] = {}
    for group, members in groupby(tests, group_of):
        names = list(members)
        begin = time.monotonic()
        ended = _together(suite, names)
        ended |= {name: _alone(suite, name, ended[name]) for name in _bad(ended) if len(names) > 1}
        outcomes |= ended
        left = f", {len(_bad(ended))} did not pass" if _bad(ended) else ""
        tell(f"{group}: {len(names)} tests{left} ({time.monotonic() - begin:.1f} s)")
    return outcomes


def _bad(outcomes: dict[str, Outcome]) -> list[str]:
    return [name for name, ended in outcomes.items() if ended.kind not in {PASSED, "skipped"}]


def _alone(suite: Suite, test: str, together: Outcome) -> Outcome:
    outcome = _together(suite, [test])[test]
    if outcome.kind == PASSED:
        return replace(outcome, only_alone=True, detail=f"with others: {together.detail}")
    return outcome


def _together(suite: Suite, tests: list[str]) -> dict[str, Outcome]:
    outcomes: dict[str, Outcome] = {}
    while left := [test for test in tests if test not in outcomes]:
        child = _Child(suite, left)
        ended = child.watch()
        if child.current is not None:
            ended[child.current] = Outcome(child.fate, child.last_words)
        if not ended:
            # It never came to a test: then none of these can be run this way.
            ended = {left[0]: Outcome(NOT_RUN, child.last_words)}
        elif child.current is None:
            # It ended well, and what it left out it will not run.
            missed = [test for test in left if test not in ended]
            ended |= dict.fromkeys(missed, Outcome(NOT_RUN, child.last_words))
        outcomes |= ended
    return {test: outcomes[test] for test in tests}


class _Child:
    """One process and what it announces."""

    def __init__(self, suite: Suite, tests: list[str]) -> None:
        self._suite = suite
        self._tests = tests
        #: The test that it is in; after its end, the test that it did not come out of.
        self.current: str | None = None
        self.fate = CRASHED
        self.last_words = ""

    def watch(self) -> dict[str, Outcome]:
        """Run the process to its end."""
        reading, writing = os.pipe()
        with (
            tempfile.NamedTemporaryFile("w", suffix=".txt", encoding="utf-8") as names,
            tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as log,
            os.fdopen(reading, "rb", buffering=0) as pipe,
        ):
            names.write("\n".join(self._tests))
            names.flush()
            process = subprocess.Popen(
                self._suite.command(writing, Path(names.name)),
                env=os.environ | self._suite.environment,
                cwd=self._suite.folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                pass_fds=[writing],
                start_new_session=True,
            )
            os.close(writing)
            try:
                ended = self._listen(process, pipe)
                if self.fate != HUNG:
                    with suppress(subprocess.TimeoutExpired):
                        process.wait(END_LIMIT_S)
                return ended
            finally:
                self._keep(log, _end(process))

    def _listen(self, process: subprocess.Popen[bytes], pipe: IO[bytes]) -> dict[str, Outcome]:
        ended: dict[str, Outcome] = {}
        rest = b""
        deadline = time.monotonic() + START_LIMIT_S
        while time.monotonic() < deadline:
            # Asked first, so that whatever it announced before its end is still read.
            is_gone = process.poll() is not None
            if not select.select([pipe], [], [], LOOK_S)[0]:
                # A program that a test has left behind may hold the pipe for ever.
                if is_gone:
                    break
                continue
            if not (chunk := pipe.read(65_536)):
                break
            *lines, rest = (rest + chunk).split(b"\n")
            for line in lines:
                ended |= self._heard(json.loads(line))
            deadline = time.monotonic() + self._suite.limit_s
        else:
            self.fate = HUNG
        return ended

    def _heard(self, told: dict[str, str]) -> dict[str, Outcome]:
        if "begin" in told:
            self.current = told["begin"]
            return {}
        self.current = None
        return {told["end"]: Outcome(told["kind"], told["detail"])}

    def _keep(self, log: IO[str], status: int) -> None:
        """Add what was printed to the run's log; its end is what is known of a death."""
        log.seek(0)
        text = log.read()
        with self._suite.log.open("a", encoding="utf-8") as kept:
            kept.write(f"##### {len(self._tests)} tests from {self._tests[0]}: {status}\n{text}\n")
        how = f"signal {-status}" if status < 0 else f"exit code {status}"
        self.last_words = f"{how}; {_last_words(text)}"


def _last_words(text: str) -> str:
    """Give where a fault handler says that the main thread was, else the last line."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    places = [line for before, line in pairwise(lines) if before.startswith("Current thread")]
    return (places or lines or [""])[-1][:200]


def _end(process: subprocess.Popen[bytes]) -> int:
    """End the child and what it started; one that hangs says where first, by its fault handler."""
    if process.poll() is None:
        process.send_signal(signal.SIGABRT)
        with suppress(subprocess.TimeoutExpired):
            process.wait(END_LIMIT_S)
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    return process.wait()
