"""Requests: `sequential`, one after another, or `threads`, a pool of them, a Session each.

Threads are the sync way to make concurrent requests: as many as the others have connections.
"""

import sys
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import requests

from clients.work import TIMEOUT_S, arguments, report
from stopwatch import Stopwatch

local = threading.local()


def open_session() -> None:
    """Gives the calling thread its own Session, which keeps its connection open."""
    local.session = requests.Session()
    local.session.trust_env = False


def get(url: str) -> int | str:
    """The status, or the kind of error."""
    try:
        response = local.session.get(url, timeout=TIMEOUT_S)
    except requests.Timeout:
        return "timeout"
    except requests.RequestException:
        return "connect"
    status: int = response.status_code  # the body has been read: `stream` is off
    return status


def main() -> None:
    mode = sys.argv.pop(1)
    args = arguments()
    todo = [args.url] * args.requests
    stopwatch = Stopwatch()
    if mode == "sequential":
        open_session()
        results = list(map(get, todo))
    else:
        with ThreadPoolExecutor(args.connections, initializer=open_session) as pool:
            results = list(pool.map(get, todo))
    timed = stopwatch.stop()
    statuses = Counter(result for result in results if isinstance(result, int))
    errors = Counter(result for result in results if isinstance(result, str))
    report(statuses, errors, timed)


if __name__ == "__main__":
    main()
