"""Paterson's benchmark in Falcon: one row as JSON.

The framework of his second sync entries.
"""

import falcon

from paterson.psycopg2_rows import random_row
from paterson.row import WORKS, Work


class Row:
    """A resource: one kind of request."""

    def __init__(self, work: Work) -> None:
        self.work = work

    def on_get(self, _: falcon.Request, response: falcon.Response) -> None:
        """Answers with a row at random."""
        response.media = random_row(self.work)


app = falcon.App()
for path, work in WORKS.items():
    app.add_route(path, Row(work))
