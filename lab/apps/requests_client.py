"""Calls to the origin with Requests: kept connections, one pool a process, as many as aiohttp's.

`trust_env` is off because aiohttp does not read proxies from the environment either.
"""

from typing import cast

import requests
from requests.adapters import HTTPAdapter

from workload import POOL, TIMEOUT_S, call_url


def open_session() -> requests.Session:
    """A session whose connections are kept; its pool may be shared by threads."""
    session = requests.Session()
    session.trust_env = False
    session.mount("http://", HTTPAdapter(pool_connections=1, pool_maxsize=POOL))
    return session


def fetch(session: requests.Session, latency_ms: float, lanes: int = 0) -> dict[str, object]:
    """One call and its JSON."""
    with session.get(call_url(latency_ms, lanes), timeout=TIMEOUT_S) as response:
        response.raise_for_status()
        return cast("dict[str, object]", response.json())
