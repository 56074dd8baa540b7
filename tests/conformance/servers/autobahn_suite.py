"""Autobahn's WebSocket suite: its fuzzing client against an application that echoes.

The suite runs on CPython 2.7 and knows nothing of Python's servers. Every case is run, those of
permessage-deflate (12 and 13) included.
"""

from __future__ import annotations

import json
import os
import subprocess
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from running_servers import HOST, running, versions

if TYPE_CHECKING:
    import argparse

HERE = Path(__file__).parent
SERVERS = ("corrente", "uvicorn")
#: Starts the suite with a folder of packages; PYTHONPATH would leave out packages of namespaces.
START = """
import site, sys
site.addsitedir(sys.argv.pop(1))
from autobahntestsuite.wstest import run
run()
"""
#: Seconds for all cases with one server; they take a tenth of it where nothing hangs.
LIMIT_S = 3600.0
#: What the first number of a case stands for.
GROUPS = {
    "1": "1 framing",
    "2": "2 pings and pongs",
    "3": "3 reserved bits",
    "4": "4 opcodes",
    "5": "5 fragmentation",
    "6": "6 UTF-8",
    "7": "7 close handshake",
    "9": "9 limits",
    "10": "10 other",
    "12": "12 deflate, messages",
    "13": "13 deflate, parameters",
}
KINDS = {"OK": "passed", "INFORMATIONAL": "informational", "NON-STRICT": "non-strict"}


def run(options: argparse.Namespace) -> dict[str, object]:
    """Run all cases with each server, with both at once: mostly, somebody waits."""
    servers = options.servers or SERVERS
    with ThreadPoolExecutor(len(servers)) as pool:
        ended = list(pool.map(partial(_served, options), servers))
    return {
        "origin": f"autobahntestsuite {_version(options.packages)}",
        "versions": versions("uvicorn", "websockets"),
        "servers": dict(zip(servers, ended, strict=True)),
    }


def _served(options: argparse.Namespace, server: str) -> dict[str, object]:
    with running(server, "echo_app:application", HERE, options.out / f"{server}.log") as port:
        return _cases(options, server, port)


def _cases(options: argparse.Namespace, server: str, port: int) -> dict[str, object]:
    reports = options.out / f"{server}-reports"
    specification = {
        "outdir": str(reports),
        "servers": [{"agent": server, "url": f"ws://{HOST}:{port}", "options": {"version": 18}}],
        "cases": [options.only],
        "exclude-cases": [],
        "exclude-agent-cases": {},
    }
    file = options.out / f"{server}.json"
    file.write_text(json.dumps(specification), encoding="utf-8")
    client = ["-m", "fuzzingclient"]
    with (options.out / f"{server}-client.log").open("w", encoding="utf-8") as log:
        subprocess.run(
            [options.python2, "-c", START, options.packages, *client, "-s", str(file)],
            env={"PATH": os.environ["PATH"]},
            cwd=options.out,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            check=True,
            timeout=LIMIT_S,
        )
    index = json.loads((reports / "index.json").read_text(encoding="utf-8"))
    return {case: _ended(case, found) for case, found in index[server].items()}


def _ended(case: str, found: dict[str, object]) -> dict[str, object]:
    said = [str(found["behavior"]), str(found["behaviorClose"])]
    # The worse of the two; the closing handshake has no NON-STRICT.
    kinds = [KINDS.get(word, "failed") for word in said]
    order = ["failed", "non-strict", "informational", "passed"]
    kind = min(kinds, key=order.index)
    group = GROUPS.get(case.partition(".")[0], "other")
    return {"group": group, "kind": kind, "detail": f"behaviour {said[0]}, close {said[1]}"}


def _version(packages: str) -> str:
    found = sorted(Path(packages).glob("autobahntestsuite-*-info"))
    return found[0].name.split("-")[1].removesuffix(".dist") if found else "of unknown version"
