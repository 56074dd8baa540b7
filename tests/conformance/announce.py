"""The child's side of a supervised run: says on a pipe which test begins and how it ends.

One JSON object a line: `{"begin": ID}`, then `{"end": ID, "kind": KIND, "detail": TEXT}`. Whoever
supervises knows from them which test a process hung or died in. Knows nothing of the suites.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import traceback
import unittest
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

#: How a test ended, as far as the test itself can say.
PASSED, FAILED, SKIPPED = "passed", "failed", "skipped"
#: Letters of a detail: enough for a message, too few for a page of it.
DETAIL_LETTERS = 300


class Announcer:
    """Writes to the pipe that the supervisor reads."""

    def __init__(self, descriptor: int) -> None:
        # Programs that tests start must not keep the pipe open.
        os.set_inheritable(descriptor, False)
        self._descriptor = descriptor
        # What a shell runs in the background ignores it, and tests of Ctrl-C would hang.
        signal.signal(signal.SIGINT, signal.default_int_handler)

    def begin(self, test: str) -> None:
        """Say that a test begins."""
        self._tell({"begin": test})

    def end(self, test: str, kind: str, detail: str = "") -> None:
        """Say how it ended."""
        self._tell({"end": test, "kind": kind, "detail": detail.strip()[:DETAIL_LETTERS]})

    def _tell(self, what: dict[str, str]) -> None:
        line = json.dumps(what).encode() + b"\n"
        # Below PIPE_BUF a write is whole (pipe(7)); a detail of 300 letters is.
        os.write(self._descriptor, line)


class Announcing(unittest.TestResult):
    """A result of unittest that announces; the whole traceback goes to the child's log."""

    def __init__(self, announcer: Announcer) -> None:
        super().__init__()
        self._announcer = announcer
        self._kind, self._detail = PASSED, ""

    def startTest(self, test: unittest.TestCase) -> None:  # noqa: N802, D102 - unittest's name
        super().startTest(test)
        self._kind, self._detail = PASSED, ""
        self._announcer.begin(test.id())

    def stopTest(self, test: unittest.TestCase) -> None:  # noqa: N802, D102 - unittest's name
        super().stopTest(test)
        self._announcer.end(test.id(), self._kind, self._detail)

    def addError(self, test: unittest.TestCase, err: Any) -> None:  # noqa: N802, D102, ANN401
        self._note(test, err)

    def addFailure(self, test: unittest.TestCase, err: Any) -> None:  # noqa: N802, D102, ANN401
        self._note(test, err)

    def addSubTest(  # noqa: N802, D102 - unittest's name
        self,
        test: unittest.TestCase,
        subtest: unittest.TestCase,
        err: Any,  # noqa: ANN401 - what `sys.exc_info()` gives
    ) -> None:
        if err is not None:
            self._note(test, err, str(subtest))

    def addSkip(self, test: unittest.TestCase, reason: str) -> None:  # noqa: N802, D102
        if isinstance(test, unittest.TestCase):
            self._kind, self._detail = SKIPPED, reason
        super().addSkip(test, reason)

    def addUnexpectedSuccess(self, test: unittest.TestCase) -> None:  # noqa: N802, D102
        self._kind, self._detail = FAILED, "an expected failure has passed"
        super().addUnexpectedSuccess(test)

    def _note(self, test: Any, error: Any, where: str = "") -> None:  # noqa: ANN401
        last = "".join(traceback.format_exception_only(error[0], error[1]))
        self._kind, self._detail = FAILED, f"{where} {last}"
        sys.stderr.write(
            f"\n=== {test.id()} {where}\n{''.join(traceback.format_exception(*error))}"
        )
        sys.stderr.flush()


def run(tests: Iterable[unittest.TestCase], announcer: Announcer) -> None:
    """Run tests of unittest in their order, with the fixtures of their classes and modules."""
    unittest.TestSuite(tests).run(Announcing(announcer))
