"""The page that both versions serve: a few indexed queries and a template, the same for both.

PostgreSQL stands in for MongoDB; each query finds ten rows by primary key in well under 1 ms.
"""

import os
import random

from workload import WORKERS, setting

#: Connection URL of the database.
DATABASE = os.environ["LAB_POSTGRES"]
#: Connections of this process: all processes of a contender share the same number.
CONNECTIONS = max(1, setting("CONNECTIONS", 16) // WORKERS)

QUERY = "select id, value, text from corrente_lab.rows where id between %s and %s order by id"

TEMPLATE = """<!doctype html>
<title>Episodes</title>
{% for section in sections %}<ul>
{% for id, value, text in section %}<li><a href="/episodes/{{ id }}">{{ text }}</a> {{ value }}</li>
{% endfor %}</ul>
{% endfor %}"""


def span() -> tuple[int, int]:
    """First and last id of ten rows at random."""
    first = random.randint(1, 9991)
    return first, first + 9
