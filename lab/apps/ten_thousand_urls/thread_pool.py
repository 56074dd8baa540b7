"""Downloads the URLs from a pool of threads: Requests, one Session and one open connection each.

A Session shared by all threads would keep only ten connections and reconnect for the others.
"""

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import requests

from stopwatch import Stopwatch
from ten_thousand_urls.report import TIMEOUT_S, arguments, raise_file_limit, report, urls

local = threading.local()


def open_session() -> None:
    """Gives each thread its own Session."""
    local.session = requests.Session()
    local.session.trust_env = False


def download(url: str) -> int | str:
    """The size of the answer, or the kind of error."""
    try:
        response = local.session.get(url, timeout=TIMEOUT_S)
    except requests.Timeout:
        return "timeout"
    except requests.RequestException:
        return "connect"
    return len(response.content) if response.ok else "status"


def main() -> None:
    args = arguments("threads")
    raise_file_limit()
    addresses = urls(args)
    stopwatch = Stopwatch()
    with ThreadPoolExecutor(int(args.threads), initializer=open_session) as pool:
        results = list(pool.map(download, addresses))
    timed = stopwatch.stop()
    sizes = [result for result in results if isinstance(result, int)]
    errors = Counter(result for result in results if isinstance(result, str))
    report(sizes, timed, errors)


if __name__ == "__main__":
    main()
