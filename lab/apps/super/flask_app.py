"""Super.com's case, sync: a hotel search that asks 40 suppliers and consolidates their answers.

LAB_FANOUT calls go out at once, from a pool of threads; 1 is one after another.
"""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from flask import Flask, request

from requests_client import fetch, open_session
from workload import answer, setting

FANOUT = setting("FANOUT", 1)

app = Flask(__name__)
session = open_session()
overlap: Callable[..., Iterable[dict[str, object]]] = (
    map if FANOUT == 1 else ThreadPoolExecutor(FANOUT).map
)


@app.get("/search")
def search() -> dict[str, int]:
    calls = request.args.get("calls", 40, type=int)
    latency_ms = request.args.get("latency_ms", 10.0, type=float)
    return answer(list(overlap(partial(fetch, session), [latency_ms] * calls)))
