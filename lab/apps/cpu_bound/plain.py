"""The computation in a plain loop.

No event loop, no threads: what the other two are measured against.
"""

from cpu_bound.work import arguments, count_bytes, report, urls
from stopwatch import Stopwatch


def main() -> None:
    args = arguments()
    held = b"x" * int(args.held_mib * 1024 * 1024)
    count = int(args.urls)
    stopwatch = Stopwatch()
    total = 0
    for url in urls(count):
        total += count_bytes(url)
    timed = stopwatch.stop()
    report(count, timed, total)
    del held


if __name__ == "__main__":
    main()
