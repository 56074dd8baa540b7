"""What every contender of Paterson's benchmark serves: one row found by primary key, as JSON.

Written anew from the description of the set-up; nothing is taken from its repository.
"""

import os
import random

from workload import WORKERS, setting

#: Connection URL of the database.
DATABASE = os.environ["LAB_POSTGRES"]
#: Connections of this process: all processes of a contender share the same number.
CONNECTIONS = max(1, setting("CONNECTIONS", 8) // WORKERS)


def row_id() -> int:
    """The id of a row at random."""
    return random.randint(1, 10_000)


def shape(number: int, text: str) -> dict[str, str]:
    """The answer, its number padded as in the original."""
    return {"a": f"{number:010}", "b": text}
