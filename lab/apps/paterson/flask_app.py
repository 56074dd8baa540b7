"""Paterson's benchmark in Flask: one row as JSON.

The sync stack that most people run, and the slowest sync entry but one of his raw data.
"""

from functools import partial

from flask import Flask

from paterson.psycopg2_rows import random_row
from paterson.row import WORKS

app = Flask(__name__)
for path, work in WORKS.items():
    app.add_url_rule(path, path, partial(random_row, work))
