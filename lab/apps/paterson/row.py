"""What every contender of Paterson's benchmark serves: one row found by primary key, as JSON.

Written anew from the description of the set-up; nothing is taken from its repository.
"""

import os
import random
from dataclasses import dataclass

from workload import WORKERS, setting

#: Connection URL of the database.
DATABASE = os.environ["LAB_POSTGRES"]
#: Connections of this process: all processes of a contender share the same number.
CONNECTIONS = max(1, setting("CONNECTIONS", 8) // WORKERS)


@dataclass(frozen=True, slots=True)
class Work:
    """What a request does: so many queries, one after another, each with a wait in the database."""

    queries: int
    wait_ms: float = 0.0


#: The benchmark's request, Grinberg's (a query of 20 ms), and others that calibrate the model.
WORKS = {
    "/test": Work(1),
    "/test-20-ms": Work(1, 20.0),
    "/no-query": Work(0),
    "/two-queries": Work(2),
    "/four-queries": Work(4),
    "/query-5-ms": Work(1, 5.0),
    "/query-50-ms": Work(1, 50.0),
}


def row_id() -> int:
    """The id of a row at random."""
    return random.randint(1, 10_000)


def shape(number: int, text: str) -> dict[str, str]:
    """The answer, its number padded as in the original."""
    return {"a": f"{number:010}", "b": text}


#: What a request is answered that asked the database nothing.
NO_ROW = shape(0, "no row")
