"""Paterson's benchmark in Falcon: one row as JSON.

The framework of his second sync entries.
"""

import falcon

from paterson.psycopg2_rows import random_row


class Row:
    """The resource `/test`."""

    def on_get(self, _: falcon.Request, response: falcon.Response) -> None:
        """Answers with a row at random."""
        response.media = random_row()


app = falcon.App()
app.add_route("/test", Row())
