"""What the two programs share: how memory is read and how the result is printed.

Memory is the process's proportional set size: pages of stack that were never touched do not count.
"""

import argparse
import gc
import json
from pathlib import Path


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("--units", type=float, required=True, help="tasks or threads")
    parser.add_argument("--passes", type=float, default=10_000, help="messages passed to and fro")
    return parser.parse_args()


def pss_bytes() -> int:
    """Proportional set size of this process, after what is garbage has gone."""
    gc.collect()
    for line in Path("/proc/self/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) * 1024
    raise RuntimeError("the kernel gives no Pss in /proc/self/smaps_rollup")


def kernel_stack_bytes() -> int:
    """Kernel stacks of the whole machine: a thread has one, a coroutine none, Pss shows neither."""
    for line in Path("/proc/meminfo").read_text().splitlines():
        if line.startswith("KernelStack:"):
            return int(line.split()[1]) * 1024
    return 0


def report(
    *,
    started: int,
    wanted: int,
    timed: dict[str, float],
    memory: int,
    kernel: int,
    switch_s: float | None,
) -> None:
    """The lab reads the last line; units that could not be started are errors."""
    extra = {
        "unit_memory_bytes": max(memory, 0) / max(started, 1),
        "unit_kernel_stack_bytes": max(kernel, 0) / max(started, 1),
        "start_us": timed["seconds"] * 1e6 / max(started, 1),
    }
    if switch_s is not None:
        extra["switch_us"] = switch_s * 1e6
    errors = {"start": wanted - started} if started < wanted else {}
    result = {"operations": started, **timed, "errors": errors, "extra": extra}
    print(json.dumps(result))
