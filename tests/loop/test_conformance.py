"""A sample of CPython's tests of asyncio on our loop; `cargo xtask conformance` runs them all.

The sample is what covers most in a minute: the loop's own tests, sockets, servers, buffered
protocols, TLS in the middle of a connection, streams.
"""

from __future__ import annotations

import fnmatch
import importlib.util
import json
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

CONFORMANCE = Path(__file__).parents[1] / "conformance"
SAMPLE = {
    "events": ["test_events.EPollEventLoopTests", "test_unix_events.TestFunctional"],
    "sockets": ["test_sock_lowlevel.*", "test_server.*", "test_buffered_proto.*"],
    "streams": ["test_streams.*", "test_sslproto.SelectorStartTLSTests", "test_sendfile.*"],
}

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("test") is None
    or importlib.util.find_spec("test.test_asyncio") is None,
    reason="this interpreter has no test suite (a package of its own on some systems)",
)


def outcomes(folder: Path, loop: str, tests: list[str]) -> dict[str, dict[str, Any]]:
    """Run these tests on a loop and give how each ended."""
    command = [sys.executable, str(CONFORMANCE / "run.py"), "cpython", "--loop", loop]
    command += ["--out", str(folder), "--only", *tests]
    subprocess.run(command, check=True)
    (result,) = folder.glob(f"*-{loop}.json")
    ended: dict[str, dict[str, Any]] = json.loads(result.read_text(encoding="utf-8"))["tests"]
    return ended


def not_passed(ended: dict[str, dict[str, Any]]) -> set[str]:
    """Give the tests that are neither passed nor skipped."""
    return {test for test, how in ended.items() if how["kind"] not in {"passed", "skipped"}}


def is_expected(test: str) -> bool:
    """Whether it is known, with its reason, that a test fails on our loop."""
    known = tomllib.loads((CONFORMANCE / "expected.toml").read_text(encoding="utf-8"))
    entries = known.get("cpython", {}).get("expected", [])
    return any(fnmatch.fnmatchcase(test, name) for entry in entries for name in entry["tests"])


@pytest.mark.parametrize("part", SAMPLE)
def test_a_sample_of_cpythons_tests_ends_as_on_asyncio(tmp_path: Path, part: str) -> None:
    patterns = [f"test.test_asyncio.{name}.*" for name in SAMPLE[part]]
    ended = outcomes(tmp_path, "corrente", patterns)
    assert len(ended) > 10
    bad = sorted(test for test in not_passed(ended) if not is_expected(test))
    if bad:
        bad = sorted(set(bad) - not_passed(outcomes(tmp_path, "asyncio", bad)))
    assert not bad, {test: ended[test] for test in bad}
