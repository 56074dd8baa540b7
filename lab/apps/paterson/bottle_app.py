"""Paterson's benchmark in Bottle: one row as JSON.

The framework of his fastest sync entries.
"""

from bottle import Bottle

from paterson.psycopg2_rows import random_row

app = Bottle()


@app.get("/test")
def row() -> dict[str, str]:
    return random_row()
