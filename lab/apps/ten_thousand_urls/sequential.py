"""Downloads the URLs one after another: Requests, one Session, one connection kept open.

The way of the source's sync program, on as many URLs as the case gives (a labelled sample).
"""

from collections import Counter

import requests

from stopwatch import Stopwatch
from ten_thousand_urls.report import TIMEOUT_S, arguments, report, urls


def main() -> None:
    args = arguments("limit")
    sizes: list[int] = []
    errors: Counter[str] = Counter()
    with requests.Session() as session:
        session.trust_env = False
        stopwatch = Stopwatch()
        for url in urls(args):
            try:
                response = session.get(url, timeout=TIMEOUT_S)
            except requests.Timeout:
                errors["timeout"] += 1
            except requests.RequestException:
                errors["connect"] += 1
            else:
                if response.ok:
                    sizes.append(len(response.content))
                else:
                    errors["status"] += 1
        timed = stopwatch.stop()
    report(sizes, timed, errors)


if __name__ == "__main__":
    main()
