"""uvloop's own tests, from its source distribution, on another loop: by hooks only.

Their base class asks `uvloop.new_event_loop()` and `uvloop.EventLoopPolicy()`; a package of that
name stands in (`standin/uvloop`). Only the classes for uvloop are run, on every loop: those for
asyncio are the same tests on asyncio's loop. What is not run is named in `expected.toml`, with
its reason.
"""

from __future__ import annotations

import importlib
import os
import sys
import unittest
from pathlib import Path
from typing import TYPE_CHECKING

import expectations

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Iterator

HERE = Path(__file__).parent


def environment(loop: str, source: Path) -> dict[str, str]:
    """Give what a child needs to find the suite and what stands in for uvloop."""
    return {
        "CONFORMANCE_FOLDER": str(HERE),
        "CONFORMANCE_LOOP": loop,
        "CONFORMANCE_SOURCE": str(source),
        "PYTHONPATH": str(HERE / "standin"),
    }


def prepare(_make: Callable[[], asyncio.AbstractEventLoop]) -> list[str]:
    """Import the suite, and give the names of its tests."""
    source = Path(os.environ["CONFORMANCE_SOURCE"])
    # Behind everything else: the distribution has uvloop's own package beside the tests.
    sys.path.append(str(source))
    dropped = expectations.dropped("uvloop")
    modules = sorted(f"tests.{file.stem}" for file in (source / "tests").glob("test_*.py"))
    # A module that is dropped as a whole may not even be importable.
    modules = [module for module in modules if not dropped.has(f"{module}.*")]
    return [test for module in modules for test in _tests(module)]


def _tests(name: str) -> Iterator[str]:
    module = importlib.import_module(name)
    base = importlib.import_module("uvloop._testbase")
    for case in vars(module).values():
        if not (isinstance(case, type) and issubclass(case, unittest.TestCase)):
            continue
        if case.__module__ != name or issubclass(case, base.AIOTestCase):
            continue
        for method in unittest.defaultTestLoader.getTestCaseNames(case):
            yield f"{name}.{case.__name__}.{method}"
