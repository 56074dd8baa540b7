"""Runs one suite against servers and writes what came of it.

`result.json` in the folder `--out` holds, for each server, how each test ended: its group, its kind
(passed, informational, non-strict or failed) and, where it failed, what was seen. Who judges that
is `cargo xtask conformance`.
"""

from __future__ import annotations

import argparse
import fnmatch
import json
import platform
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import autobahn_suite
import frameworks_suite
import http1_suite
import probe_suite

if TYPE_CHECKING:
    from collections.abc import Callable

#: What a suite gives: `origin`, `versions`, `servers`, and more if it has more.
Result: TypeAlias = dict[str, object]

SUITES: dict[str, Callable[[argparse.Namespace], Result]] = {
    "autobahn": autobahn_suite.run,
    "frameworks": frameworks_suite.run,
    "http1": http1_suite.run,
    "http11probe": probe_suite.run,
}


def main() -> int:
    """Run a suite."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("suite", choices=SUITES)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--only", default="*", help="tests of this name; `*` stands for any")
    parser.add_argument("--servers", nargs="*", help="only these of the suite's servers")
    parser.add_argument("--python2", help="CPython 2.7, for Autobahn's suite")
    parser.add_argument("--packages", help="where Autobahn's suite is installed")
    options = parser.parse_args()
    options.out = options.out.resolve()
    if options.out.exists():
        shutil.rmtree(options.out)
    options.out.mkdir(parents=True)
    options.wants = lambda test: fnmatch.fnmatchcase(test, options.only.replace("[", "[[]"))
    result = {"suite": options.suite, "python": platform.python_version()}
    result |= SUITES[options.suite](options)
    text = json.dumps(result, indent=1, sort_keys=True)
    (options.out / "result.json").write_text(text + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
