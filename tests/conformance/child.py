"""A process that lists or runs tests of a suite of unittest, on one loop: `run.py` starts it.

    child.py SUITE LOOP list                  the names of all tests, one a line
    child.py SUITE LOOP run DESCRIPTOR FILE   runs those that FILE names, one a line

What happens is announced on the pipe of that descriptor; everything else that is printed is a log.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import announce
import cpython
import loops
import uvloop_suite

if TYPE_CHECKING:
    import unittest

SUITES = {"cpython": cpython.prepare, "uvloop": uvloop_suite.prepare}


def main(suite: str, loop: str, what: str, *rest: str) -> None:
    """Do what the arguments say."""
    tests = SUITES[suite](loops.make_default(loop))
    if what == "list":
        sys.stdout.writelines(f"{test}\n" for test in tests)
        return
    descriptor, file = rest
    wanted = Path(file).read_text(encoding="utf-8").split()
    announcer = announce.Announcer(int(descriptor))
    announce.run(map(_case, wanted), announcer)
    # Threads and executors that a test has left behind are not waited for.
    sys.stderr.flush()
    os._exit(0)


def _case(test: str) -> unittest.TestCase:
    owner, _, method = test.rpartition(".")
    module, _, name = owner.rpartition(".")
    case: type[unittest.TestCase] = getattr(sys.modules[module], name)
    return case(method)


if __name__ == "__main__":
    main(*sys.argv[1:])
