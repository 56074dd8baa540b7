"""Reads `expected.toml`: which tests of a suite are not run at all.

What may fail, and why, is in the same file; `cargo xtask conformance` compares with it, not this
module.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path

FILE = Path(__file__).with_name("expected.toml")


@dataclass(frozen=True)
class Dropped:
    """Names of tests; `*` stands for any letters, and nothing else is special."""

    patterns: tuple[str, ...]

    def has(self, pattern: str) -> bool:
        """Whether exactly this pattern is dropped, such as all of a module."""
        return pattern in self.patterns

    def matches(self, test: str) -> bool:
        """Whether a test is dropped."""
        return any(matches(pattern, test) for pattern in self.patterns)


def matches(pattern: str, test: str) -> bool:
    """Whether a name is meant. Names of pytest have brackets, so this is not `fnmatch`."""
    return re.fullmatch(".*".join(map(re.escape, pattern.split("*"))), test) is not None


def dropped(suite: str) -> Dropped:
    """Give what of a suite is not run."""
    document = tomllib.loads(FILE.read_text(encoding="utf-8"))
    entries = document.get(suite, {}).get("dropped", [])
    return Dropped(tuple(pattern for entry in entries for pattern in entry["tests"]))
