"""The computation in threads, each with an equal share of the URLs.

The interpreter's lock lets one of them compute at a time.
"""

from concurrent.futures import ThreadPoolExecutor

from cpu_bound.work import arguments, count_bytes, report, urls
from stopwatch import Stopwatch


def count_share(addresses: list[str]) -> int:
    return sum(map(count_bytes, addresses))


def main() -> None:
    args = arguments()
    held = b"x" * int(args.held_mib * 1024 * 1024)
    wanted, threads = int(args.urls), int(args.threads)
    stopwatch = Stopwatch()
    addresses = list(urls(wanted))
    with ThreadPoolExecutor(threads) as pool:
        total = sum(pool.map(count_share, (addresses[i::threads] for i in range(threads))))
    timed = stopwatch.stop()
    report(wanted, timed, total)
    del held


if __name__ == "__main__":
    main()
