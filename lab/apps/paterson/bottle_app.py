"""Paterson's benchmark in Bottle: one row as JSON.

The framework of his fastest sync entries.
"""

from functools import partial

from bottle import Bottle

from paterson.psycopg2_rows import random_row
from paterson.row import WORKS

app = Bottle()
for path, work in WORKS.items():
    app.get(path, callback=partial(random_row, work))
