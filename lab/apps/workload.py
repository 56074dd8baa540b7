"""What the lab's programs share: settings, the CPU work of a request, the shape of its answer.

Settings are read from the environment variables `LAB_*` that the runner sets (lab/README.md).
It imports nothing but the standard library, so that it adds no memory to either side.
"""

import os
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

_CALIBRATION = Path("burn-rounds-per-ms")


def setting(name: str, default: int) -> int:
    """The whole number in `LAB_{name}`."""
    return int(os.environ.get(f"LAB_{name}", default))


#: Seconds before a call to the origin is given up, on both sides.
TIMEOUT_S = 10
#: Connections that one process keeps to the origin, on both sides (100 is aiohttp's default).
POOL = setting("POOL", 100)
#: Processes that share the connections to the database.
WORKERS = setting("WORKERS", 1)


def call_url(latency_ms: float, lanes: int = 0) -> str:
    """Address of a call that the origin answers after about `latency_ms`.

    With `lanes` it serves so many of such calls at once; others wait their turn.
    """
    lane = f"&lanes={lanes}" if lanes else ""
    return f"{os.environ['LAB_ORIGIN']}/anything?latency_ms={latency_ms:g}{lane}"


def answer(parts: Sequence[dict[str, object]]) -> dict[str, int]:
    """What a request is answered: how many calls it made and how much they brought."""
    return {"calls": len(parts), "fields": sum(len(part) for part in parts)}


def burn(milliseconds: float) -> int:
    """Does a fixed amount of Python work: what takes `milliseconds` on the unloaded processor.

    It is work, not time: under contention it takes longer, as a real computation does.
    """
    return work(round(milliseconds * _ROUNDS_PER_MS))


def work(rounds: int) -> int:
    checksum = 0
    for number in range(rounds):
        checksum = (checksum * 31 + number) & 0xFFFFFFFF
    return checksum


def _calibrate() -> float:
    """Rounds a millisecond, measured in CPU time by the first process of the run.

    The figure is kept in the working directory, so that all contenders do the same work.
    """
    if not _CALIBRATION.exists():
        rounds, seconds = 50_000, []
        for _ in range(10):
            start = time.thread_time()
            work(rounds)
            seconds.append(time.thread_time() - start)
        own = Path(f"{_CALIBRATION}.{os.getpid()}")
        own.write_text(repr(rounds / min(seconds) / 1000))
        with suppress(FileExistsError):  # another process was first: its figure holds
            os.link(own, _CALIBRATION)
        own.unlink()
    return float(_CALIBRATION.read_text())


_ROUNDS_PER_MS = _calibrate()
