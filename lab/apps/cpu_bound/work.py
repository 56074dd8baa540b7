"""The computation of the source: the number of bytes of every character of generated URLs.

The three programs call `count_bytes` for the same URLs; only who calls it differs.
"""

import argparse
import json
from collections.abc import Iterator


def arguments() -> argparse.Namespace:
    """How many URLs, how much memory to hold meanwhile, and the threads where there are any."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--urls", type=float, required=True)
    parser.add_argument("--held-mib", type=float, default=0)
    parser.add_argument("--threads", type=float, default=1)
    return parser.parse_args()


def urls(count: int) -> Iterator[str]:
    """Addresses whose query doubles from 26 to 1664 letters and begins anew (mean 500)."""
    letters = "abcdefghijklmnopqrstuvwxyz"
    query = letters
    for i in range(count):
        yield f"https://httpbin.org/anything/{i}?query={query}"
        query = letters if len(query) >= 1000 else query + query


def count_bytes(url: str) -> int:
    """Character by character, so that the time goes to the interpreter."""
    total = 0
    for char in url:
        total += len(char.encode())
    return total


def report(count: int, timed: dict[str, float], total: int) -> None:
    """The lab reads the last line; the total must be the same for every contender."""
    print(json.dumps({"operations": count, **timed, "extra": {"bytes": total}}))
