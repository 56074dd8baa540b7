"""What the three downloaders share: their arguments, the limit of open files and the result line.

Nothing here is timed.
"""

import argparse
import json
import resource
from collections import Counter

TIMEOUT_S = 30.0


def arguments(concurrency: str) -> argparse.Namespace:
    """Origin, number of URLs, the concurrency under its own name; numbers may be `100.0`."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--origin", required=True)
    parser.add_argument("--latency-ms", type=float, required=True)
    parser.add_argument("--urls", type=float, required=True)
    parser.add_argument(f"--{concurrency}", type=float, default=1)
    return parser.parse_args()


def raise_file_limit(wanted: int = 2048) -> None:
    """The source's repository raises the soft limit to 2048 as well: one socket is one file."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < wanted <= hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def urls(args: argparse.Namespace) -> list[str]:
    """As many addresses as asked for, all different, all with the origin's fixed latency."""
    query = f"latency_ms={args.latency_ms:g}"
    return [f"{args.origin}/anything/{i}?{query}" for i in range(int(args.urls))]


def report(sizes: list[int], timed: dict[str, float], errors: Counter[str]) -> None:
    """The lab reads the last line: completed downloads, timed seconds, errors by kind."""
    total = sum(sizes)
    extra = {"bytes": total, "kb_per_s": total / 1000 / timed["seconds"]}
    result = {"operations": len(sizes), **timed, "errors": errors, "extra": extra}
    print(json.dumps(result))
